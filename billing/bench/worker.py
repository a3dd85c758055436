"""Celery workers as in production, one process of work each, and the memory that they took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

KIB_PER_MB = 1024
PATIENCE_S = 3 * 3600
POLL_S = 0.02


class Worker:
    """`celery worker` with one child that does the work. It hears the common queue and one of its own name."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self._process = process

    def peak_mb(self) -> float:
        """The most memory that the process or one of its children has had resident."""
        return max(map(_peak_mb, [self._process.pid, *_children(self._process.pid)]))

    def stop(self) -> None:
        """At once, with its children: nothing is under way any more."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def workers(count: int, log: Path) -> Iterator[list[Worker]]:
    """So many workers, ready for work; they are gone afterwards."""
    with ExitStack() as stack:
        started = []
        for number in range(1, count + 1):
            worker = _start(f"bench{number}", log)
            stack.callback(worker.stop)
            started.append(worker)
        yield started


def _start(name: str, log: Path) -> Worker:
    celery = [sys.executable, "-m", "celery", "-A", "billing.celery:app", "worker", "--concurrency", "1"]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*celery, *quiet, "--hostname", f"{name}@%h", "--queues", f"tollgate,{name}"],
            start_new_session=True,
            stdout=file,
            stderr=file,
        )
    return Worker(name, process)


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("the workers did not get done")
        time.sleep(POLL_S)


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / KIB_PER_MB
    return 0.0
