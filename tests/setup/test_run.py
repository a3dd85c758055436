"""`./run` as a person has it: it serves, says so, refuses a second one, and leaves nothing behind."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
START_TIMEOUT_S = 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@contextmanager
def running(shell: dict[str, str], port: int) -> Iterator[subprocess.Popen[str]]:
    command = [str(CLONE / "run"), "--no-demo", "--port", str(port)]
    process = subprocess.Popen(command, env=shell, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        for line in process.stdout:
            if "Tollgate runs at" in line:
                break
        yield process
    finally:
        process.kill()
        process.wait()


def status_of(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/")
    return connection.getresponse().status


def answers(port: int) -> bool:
    try:
        return status_of(port) < 500
    except OSError:
        return False


def processes_of(state: Path) -> list[str]:
    """Command lines of live processes whose environment names this state folder, or whose arguments do."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            if str(state).encode() in text and entry.name != str(os.getpid()):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def second_run(shell: dict[str, str], port: int) -> subprocess.CompletedProcess[str]:
    command = [str(CLONE / "run"), "--port", str(port)]
    return subprocess.run(command, env=shell, capture_output=True, text=True, timeout=60, check=False)


def test_it_serves_refuses_a_second_one_and_leaves_no_process(shell: dict[str, str], state: Path) -> None:
    port = free_port()
    with running(shell, port) as process:
        assert status_of(port) < 500
        second = second_run(shell, free_port())
        assert second.returncode == 1
        assert f"already runs from this clone: http://127.0.0.1:{port} (process {process.pid})" in second.stderr
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert processes_of(state) == []


def test_a_port_in_use_is_said_before_anything_starts(shell: dict[str, str], state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = second_run(shell, port)
    assert refused.returncode == 1
    assert f"port {port} is taken by another program" in refused.stderr
    assert not (state / "run").exists()


@pytest.mark.faults
def test_killed_outright_it_takes_its_processes_along_and_starts_again(shell: dict[str, str], state: Path) -> None:
    port = free_port()
    with running(shell, port) as process:
        process.kill()
        process.wait()
        deadline = time.monotonic() + 30
        while any("granian" in line or "celery" in line for line in processes_of(state)):
            assert time.monotonic() < deadline, processes_of(state)
            time.sleep(0.2)
    with running(shell, port) as process:
        assert status_of(port) < 500
        process.terminate()
        process.wait(60)
    assert processes_of(state) == []


@pytest.mark.faults
def test_what_crashes_is_started_again(shell: dict[str, str], state: Path) -> None:
    port = free_port()
    with running(shell, port) as process:
        os.kill(pid_of(state, "granian"), signal.SIGKILL)
        deadline = time.monotonic() + 60
        while (state / "logs" / "web.log").read_text().count("Starting granian") < 2 or not answers(port):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.terminate()
        process.wait(60)
    assert processes_of(state) == []


def pid_of(state: Path, word: str) -> int:
    """The eldest process of this state folder with the word among its arguments."""
    pids = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(state).encode() in (entry / "environ").read_bytes() and word in (entry / "cmdline").read_text():
                pids.append(int(entry.name))
        except OSError:
            continue
    return min(pids)
