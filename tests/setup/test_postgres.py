"""The embedded database: starts once however many ask, trusts no stale pid file, and survives long and closed paths."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from billing.dev.postgres import LONGEST_SOCKET, Postgres
from billing.dev.services import Services

USE = """
import sys, time
from billing.dev.services import Services
with Services("trial", durable=False, only_embedded=True).running():
    services = Services("trial", only_embedded=True)
    print(services.postgres.psql("SELECT 40 + 2").strip(), services.postgres.pid(), flush=True)
    sys.stdin.readline()
"""


def user(shell: dict[str, str]) -> subprocess.Popen[str]:
    """A command in another process that uses the servers until it reads a line."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", USE], env=shell, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate("\n", timeout=60)
    assert process.returncode == 0, errors


def test_two_that_start_a_fresh_clone_at_once_share_one_server_and_the_last_stops_it(shell: dict[str, str]) -> None:
    first, second, third = user(shell), user(shell), user(shell)
    answers = {process.stdout.readline() for process in (first, second, third) if process.stdout}
    assert len(answers) == 1
    answer, pid = answers.pop().split()
    assert answer == "42"
    finish(first)
    finish(third)
    assert is_alive(int(pid)), "the server was pulled from under the one that still uses it"
    finish(second)
    assert not is_alive(int(pid))


def is_alive(pid: int) -> bool:
    """Runs, and is not merely waiting to be reaped."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_the_roles_are_no_superusers_and_the_owner_owns_the_database(state: Path) -> None:
    services = Services("trial", durable=False, only_embedded=True)
    with services.running():
        roles = services.postgres.psql(
            "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname ~ 'tollgate'"
        )
        owner = services.postgres.psql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'tollgate'")
        listens = services.postgres.psql("SHOW listen_addresses")
        process_owner = os.stat(f"/proc/{services.postgres.pid()}").st_uid
    assert set(roles.split()) == {"tollgate_owner|f|t", "tollgate_web|f|f"}
    assert owner.strip() == "tollgate_owner"
    assert listens.strip() == ""
    assert process_owner != 0


def test_a_pid_file_left_behind_harms_no_other_process(state: Path) -> None:
    server = Postgres("trial", durable=False)
    server.start()
    server.stop()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (server.data / "postmaster.pid").write_text(f"{bystander.pid}\n{server.data}\n")
        assert server.pid() is None
        server.stop()
        assert server.start()
        server.stop()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_server_killed_outright_is_started_again_with_its_data(state: Path) -> None:
    server = Postgres("trial")
    server.start()
    server.psql("CREATE TABLE kept AS SELECT 7 AS figure", "tollgate")
    pid = server.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.start()
    try:
        assert server.psql("SELECT figure FROM kept", "tollgate").strip() == "7"
    finally:
        server.stop()


def test_a_clone_in_a_deep_folder_gets_a_socket_path_that_fits(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = state / ("long-name-" * 9)
    monkeypatch.setattr("billing.dev.state.STATE", deep)
    server = Postgres("trial", durable=False)
    assert len(str(server.sockets / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET
    assert str(server.home).startswith("/var/tmp/tollgate-")
    server.home.rmdir()
    server.home.parent.rmdir()
