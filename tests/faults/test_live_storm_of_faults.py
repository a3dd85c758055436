"""Ten thousand live calls while web server, worker, PostgreSQL and broker are killed: each is charged once, or not.

Real parts, in folders of their own: the product's web server with its workers, Celery, PostgreSQL that syncs its log,
the broker. Behind `./test faults live`; TOLLGATE_CALLS tells how many calls.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from billing.dev.environment import serving_environment
from billing.dev.process import Process
from billing.dev.services import Services
from billing.dev.state import CLONE
from billing.dev.supervisor import serving_processes, wait_until_ready
from tests.faults.live_callers import CALLERS, Callers

pytestmark = pytest.mark.faults
CALLS = int(os.environ.get("TOLLGATE_CALLS", "10000"))
REFUSED_WITHIN_S = 2.0
DOWN_S = {"web": 1.0, "web worker": 0.0, "worker": 1.0, "beat": 1.0, "postgres": 4.0, "broker": 2.0}
KILLS = ["web", "postgres", "worker", "broker", "web worker", "postgres", "beat", "web", "broker", "worker", "postgres",
         "web worker", "web", "broker", "postgres", "worker"]  # fmt: skip


@dataclass
class House:
    """All that serves, and may be killed."""

    services: Services
    environment: dict[str, str]
    port: int
    processes: dict[str, Process]
    killed: Counter[str] = field(default_factory=Counter)
    without_database: list[tuple[float, float]] = field(default_factory=list)

    def kill(self, what: str) -> None:
        """Without a word of warning; after a while it is there again."""
        {"postgres": self._postgres, "broker": self._broker, "web worker": self._web_worker}.get(
            what, lambda: self._process(what)
        )()
        self.killed[what] += 1

    def _process(self, name: str) -> None:
        process = self.processes[name]
        assert process.popen is not None
        os.killpg(process.popen.pid, signal.SIGKILL)
        process.popen.wait()
        time.sleep(DOWN_S[name])
        process.start()

    def _web_worker(self) -> None:
        """One of the web server's own; the server starts another."""
        web = self.processes["web"].popen
        assert web is not None
        children = Path(f"/proc/{web.pid}/task/{web.pid}/children").read_text().split()
        os.kill(int(random.choice(children)), signal.SIGKILL)

    def _postgres(self) -> None:
        postgres = self.services.postgres
        postgres._run("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", postgres.data)
        down = time.monotonic()
        time.sleep(DOWN_S["postgres"])
        self.without_database.append((down, time.monotonic()))
        postgres.start()

    def _broker(self) -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.services.broker.socket))
            pid, _uid, _gid = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        os.kill(pid, signal.SIGKILL)
        time.sleep(DOWN_S["broker"])
        self.services.broker.start()

    def ask(self, what: str, told: object = None) -> Any:
        """`tests.faults.live_books`, as the owner of this house's database."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.live_books", what],
            input=json.dumps(told),
            env=self.environment | {"TOLLGATE_DB_ROLE": "owner"},
            cwd=CLONE,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)


@contextmanager
def house(folder: Path) -> Iterator[House]:
    services = Services(f"faults{os.getpid()}", durable=True, only_embedded=True)
    port = free_port()
    environment = serving_environment(services, port, None) | services.addresses()
    environment |= {"MEDIA_ROOT": str(folder / "files"), "STATIC_ROOT": str(folder / "static"), "TOLLGATE_DEMO": "0"}
    try:
        with services.running(), serving(services, port, environment, folder) as made:
            yield made
    finally:
        shutil.rmtree(services.postgres.home, ignore_errors=True)


@contextmanager
def serving(services: Services, port: int, environment: dict[str, str], folder: Path) -> Iterator[House]:
    processes = {one.name: one for one in serving_processes(environment, port, folder)}
    try:
        tables = [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"]
        subprocess.run(tables, env=environment | {"TOLLGATE_DB_ROLE": "owner"}, cwd=CLONE, check=True)
        made = House(services, environment, port, processes)
        made.environment["STORM_KEY"] = made.ask("prepare")["key"]
        for process in processes.values():
            process.start()
        wait_until_ready(list(processes.values()), port)
        yield made
    finally:
        for process in processes.values():
            process.ask_to_stop()
        for process in processes.values():
            process.stop()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_live_calls_while_everything_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def say(text: str) -> None:
        with capsys.disabled():
            print(f"  {text}", flush=True)

    with house(tmp_path) as made:
        callers = Callers(made.port, made.environment["STORM_KEY"], CALLS)
        began = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as pool:
            running = callers.run(pool)
            for number, what in enumerate(KILLS, 1):
                wait_for(callers, CALLS * number // (len(KILLS) + 1), running)
                made.kill(what)
                say(f"{callers.done} of {CALLS} calls, {time.monotonic() - began:.0f} s: {what} killed, runs again")
            for one in running:
                one.result()
        say(f"{callers.done} calls in {time.monotonic() - began:.0f} s, {dict(made.killed)}; now the books")
        statuses = Counter(answer.status for answer in callers.answers)
        say(f"answers by status (0: none): {dict(statuses)}")
        proof = made.ask("prove", {name: asdict(seen) for name, seen in callers.seen.items()})
        say(f"{proof['calls']}, {proof['reaped_at_the_end']} of them reaped at the end")
        slow = refusals_too_late(callers, made.without_database)
        say(f"without a database: {slow.count} answers, the slowest after {slow.slowest_s:.2f} s")
    assert proof["differences"] == []
    assert proof["calls"].get("ended", 0) > CALLS / 4
    assert slow.count > 0
    assert slow.not_refused == []
    assert slow.slowest_s <= REFUSED_WITHIN_S


@dataclass
class WithoutDatabase:
    count: int
    slowest_s: float
    not_refused: list[int]


def refusals_too_late(callers: Callers, windows: list[tuple[float, float]]) -> WithoutDatabase:
    """All requests that began while PostgreSQL was down, and ought to be answered before it was there again."""
    inside = [
        answer for answer in callers.answers for down, up in windows if down <= answer.began <= up - REFUSED_WITHIN_S
    ]
    slowest = max((answer.ended - answer.began for answer in inside), default=0.0)
    return WithoutDatabase(len(inside), slowest, [answer.status for answer in inside if answer.status != 503])


def wait_for(callers: Callers, done: int, running: list[Any]) -> None:
    while callers.done < done:
        for one in running:
            if one.done():
                one.result()
        time.sleep(0.05)
