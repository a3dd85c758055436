"""Live calls in PostgreSQL, by pgbench: the statements that the door really sends, from 8 connections.

Real calls are asked for and ended once, by the product's own code, and what it sent is kept as text. pgbench plays it
again and again, each time as another call: ids and call ids are put in by its variables, as literals, for that is how
the door sends them. The yardstick goes the same way: a durable update of one row among 10,000.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from django.db import connection

from billing.bench.live_world import asks
from billing.dev.postgres import installed_server
from rating.live import asking, ending
from rating.live.asking import Ask
from rating.live.switches import Switch
from rating.models import LiveCall
from rating.pricing import Engine

CLIENTS = 8
FILES, CALLS_IN_A_FILE = 20, 16
SENT = ("SELECT rating_live_authorize", "SELECT rating_live_settle")
ROWS = 10_000
TALKED_S = 61
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
DONE = re.compile(r"number of transactions actually processed: (\d+)")
TOOK = re.compile(r"tps = ([\d.]+)")
YARDSTICK = f"\\set row random(1, {ROWS})\nUPDATE bench_row SET number = number + 1 WHERE id = :row;\n"


def make_yardstick() -> None:
    """The table of the yardstick."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_row (id int PRIMARY KEY, number bigint NOT NULL)")
        cursor.execute(f"INSERT INTO bench_row SELECT n, 0 FROM generate_series(1, {ROWS}) AS n")
        cursor.execute("GRANT SELECT, UPDATE ON bench_row TO tollgate_web")


def write_scripts(folder: Path, name: str, switch: Switch, engine: Engine, dealer: int | None = None) -> list[Path]:
    """Files for pgbench, each of so many calls, asked for and ended. `dealer`: all customers are of this one."""
    wanted = asks(FILES * CALLS_IN_A_FILE, dealer)
    paths = []
    for number in range(FILES):
        some = wanted[number * CALLS_IN_A_FILE : (number + 1) * CALLS_IN_A_FILE]
        path = folder / f"{name}-{number}.sql"
        calls = [_call(switch, engine, said, f"{name}-{number}-{at}") for at, said in enumerate(some)]
        path.write_text("".join(f"\\set n :n + 1\n{text}" for text in calls))
        paths.append(path)
    return paths


def operations_per_s(paths: list[Path], seconds: float, each: int = 2 * CALLS_IN_A_FILE) -> float:
    """Statements a second that the server answers to 8 connections; `each`: statements in a file."""
    return each * _tps([argument for path in paths for argument in ("-f", str(path))], seconds)


def updates_per_s(folder: Path, seconds: float) -> float:
    path = folder / "yardstick.sql"
    path.write_text(YARDSTICK)
    return _tps(["-f", str(path)], seconds)


_runs = iter(range(1, 1_000))


def _tps(files: list[str], seconds: float) -> float:
    """Each run counts calls from another number on, so that none comes twice."""
    start = next(_runs) * 10**9
    where = urlsplit(os.environ["DATABASE_WEB_URL"])
    to = ["-h", unquote(where.netloc.rpartition("@")[2]), "-U", where.username or "", where.path.lstrip("/")]
    how = ["-n", "-M", "simple", "-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds))]
    count = ["-D", f"n={100 * 10**9 + start}"]
    command = [str(installed_server() / "bin" / "pgbench"), *how, *count, *files, *to]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or " ERROR" in done.stderr:
        raise AssertionError(f"pgbench: {done.stderr[-2000:]}")
    found = TOOK.search(done.stdout)
    assert found is not None, done.stdout
    return float(found.group(1))


def _call(switch: Switch, engine: Engine, said: dict[str, str], call_id: str) -> str:
    """The two statements of one call as pgbench's text. Ids made for it, by their time, are made anew each time."""
    began_ms = int(time.time() * 1000)
    with _sent() as sent:
        fields: dict[str, Any] = said | {"src_port": int(said["src_port"])}
        decision = asking.authorize(switch, Ask(call_id=call_id, **fields), engine)
        assert decision.allow, decision
        call = LiveCall.objects.get(pk=decision.call)
        ending.started(switch, call)
        LiveCall.objects.filter(pk=call.pk).update(answered_at=call.asked_at)
        ending.ended(call, 4)
    text = "".join(f"{one};\n" for one in sent)
    assert len(sent) == len(SENT), sent
    new = (pk for pk in dict.fromkeys(UUID_TEXT.findall(text)) if int(UUID(pk).hex[:12], 16) >= began_ms)
    for at, pk in enumerate(new):
        other = f"{pk[:14]}7{at:03x}-800:client_id-:n"
        text = text.replace(pk, other).replace(UUID(pk).hex, other.replace("-", ""))
    return text.replace(call_id, f"{call_id}-:client_id-:n")


@contextmanager
def _sent() -> Iterator[list[str]]:
    """The statements of live calls that are sent inside, with their values in place."""
    sent: list[str] = []

    def listen(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.startswith(SENT):
            sent.append(context["cursor"].mogrify(sql, params).decode())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        yield sent
