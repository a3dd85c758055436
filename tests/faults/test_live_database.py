"""The database is stopped, hangs, is full or busy under a real web server: a refusal in time, then calls as before.

The server and its database are this test's own, so that it may stop them. Behind `./test faults live`.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from billing.dev.environment import base_environment
from billing.dev.postgres import OWNER, WEB, Postgres
from billing.dev.state import CLONE

pytestmark = pytest.mark.faults
IN_TIME_S = 2.0
BACK_S = 6.0
STAGE = """
import django
django.setup()
from rating.live.switches import create_switch_key
from tests.cast import ACTOR, load_cast
cast = load_cast()
cast.fund("harbour", 900)
cast.fund("alice", 500)
print(create_switch_key(cast.source(), "front", [], actor=ACTOR)[1])
"""


class Heard(NamedTuple):
    status: int
    allow: bool
    took_s: float


class House(NamedTuple):
    """A web server with a database of its own."""

    postgres: Postgres
    port: int
    key: str

    def ask(self, call_id: str, to: str = "447700900123") -> Heard:
        """Ask for a call by a connection of its own."""
        began = time.monotonic()
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        said = {"account": "ACC-alice", "to": to, "call_id": call_id, "requested_s": 60}
        web.request("POST", "/api/v1/calls/authorize", json.dumps(said), headers)
        answer = web.getresponse()
        allow = json.loads(answer.read())["allow"]
        web.close()
        return Heard(answer.status, allow, time.monotonic() - began)

    def page(self) -> int:
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        web.request("GET", "/api/v1/parties/", headers={"Authorization": "Api-Key none.none"})
        return web.getresponse().status

    def back(self, name: str) -> None:
        """Calls are allowed again, by themselves."""
        began, number = time.monotonic(), 0
        while not self.ask(f"{name}-{number}").allow:
            assert time.monotonic() - began < BACK_S, "it did not recover"
            time.sleep(0.1)
            number += 1


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("billing.dev.state.STATE", tmp_path_factory.mktemp("house") / "state")
        postgres = Postgres("house", durable=False)
        postgres.start()
        try:
            urls = {"DATABASE_URL": postgres.url(OWNER), "DATABASE_WEB_URL": postgres.url(WEB)}
            environment = {**base_environment(), **urls, "TOLLGATE_DEMO": "0", "SECRET_KEY": "t" * 50}
            run(environment, str(CLONE / "manage.py"), "migrate", "-v", "0")
            key = run(environment, "-c", STAGE).strip()
            with served(environment | {"TOLLGATE_DB_ROLE": "web"}, Path(postgres.home)) as port:
                yield House(postgres, port, key)
        finally:
            postgres.destroy()


def run(environment: dict[str, str], *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=CLONE, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


@contextmanager
def served(environment: dict[str, str], folder: Path) -> Iterator[int]:
    """The web as it is served everywhere; one worker, so that what one knows all know."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--port", str(port)]
    with (folder / "web.log").open("ab") as log:
        web = subprocess.Popen(
            [*granian, "--workers", "1", "--blocking-threads", "4", "billing.wsgi:application"],
            env=environment,
            cwd=CLONE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for_port(port)
        yield port
    finally:
        os.killpg(web.pid, signal.SIGKILL)
        web.wait(20)


def wait_for_port(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < until, "the web does not answer"
            time.sleep(0.1)


@contextmanager
def hanging(postgres: Postgres) -> Iterator[None]:
    """Every process of the database server stands still."""
    pid = postgres.pid()
    assert pid is not None
    family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    for one in family:
        os.kill(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in family:
            os.kill(one, signal.SIGCONT)


def assert_refused(heard: Heard) -> None:
    assert (heard.status, heard.allow) == (503, False)
    assert heard.took_s < IN_TIME_S


def assert_emergency_passes(house: House, name: str) -> None:
    heard = house.ask(name, to="112")
    assert (heard.status, heard.allow) == (200, True)
    assert heard.took_s < IN_TIME_S


def test_calls_are_refused_in_time_while_the_database_hangs(house: House) -> None:
    house.back("before")
    with hanging(house.postgres), ThreadPoolExecutor(24) as callers:
        pages = [callers.submit(house.page) for _ in range(4)]
        heard = list(callers.map(house.ask, [f"hang-{number}" for number in range(8)]))
        for one in heard:
            assert_refused(one)
        assert_emergency_passes(house, "help-hang")
        assert_refused(house.ask("hang-late"))
        assert house.ask("hang-later").took_s < 0.5, "known to be down: no need to wait"
        assert {page.result() for page in pages} <= {500, 503}
    house.back("after-hang")


def test_calls_are_refused_at_once_while_the_database_is_stopped(house: House) -> None:
    house.back("running")
    house.postgres.stop()
    try:
        for number in range(6):
            assert_refused(house.ask(f"stop-{number}"))
        assert_emergency_passes(house, "help-stop")
    finally:
        house.postgres.start()
    house.back("after-stop")


def test_no_call_is_lost_when_the_database_starts_again(house: House) -> None:
    """Each thread has a connection that died meanwhile."""
    house.back("warm")
    house.postgres.stop()
    house.postgres.start()
    with ThreadPoolExecutor(8) as callers:
        heard = list(callers.map(house.ask, [f"again-{number}" for number in range(16)]))
    assert {one.status for one in heard} == {200}, heard


def test_a_call_behind_a_lock_is_refused_in_time(house: House) -> None:
    house.back("free")
    locked = "BEGIN; SELECT 1 FROM accounts_wallet FOR UPDATE; SELECT pg_sleep(4); COMMIT;"
    with ThreadPoolExecutor(1) as other:
        holding = other.submit(house.postgres.psql, locked, "tollgate")
        time.sleep(0.7)
        assert_refused(house.ask("locked"))
        assert_emergency_passes(house, "help-locked")
        holding.result()
    house.back("after-lock")


def test_a_database_without_room_for_another_connection_refuses(house: House) -> None:
    house.back("roomy")
    end: Any = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tollgate_web'"
    house.postgres.psql(f"ALTER ROLE {WEB} CONNECTION LIMIT 0; {end}")
    try:
        assert_refused(house.ask("full"))
        assert_emergency_passes(house, "help-full")
    finally:
        house.postgres.psql(f"ALTER ROLE {WEB} CONNECTION LIMIT -1")
    house.back("after-full")
