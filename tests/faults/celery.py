"""Celery's real workers and beat, as processes that a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.db import connection

WORKER = ["worker", "--concurrency", "1", "--pool", "prefork"]


def beat(folder: Path) -> list[str]:
    return ["beat", "--schedule", str(folder / "beat"), "--pidfile", ""]


def environment(folder: Path) -> dict[str, str]:
    """The same test database and broker for the workers, by their own connection."""
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@{quote(database['HOST'], safe='')}/{database['NAME']}"
    if database["PORT"]:
        url = url.replace(f"/{database['NAME']}", f":{database['PORT']}/{database['NAME']}")
    return {**os.environ, "DATABASE_URL": url, "MEDIA_ROOT": str(folder / "media"), "LOG_LEVEL": "WARNING"}


@contextmanager
def celery(arguments: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery process with a process group of its own, so that it can be killed whole."""
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "billing.celery", *arguments],
        env=environment(folder),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=(folder / f"celery-{arguments[0]}.log").open("ab"),
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for parent and children alike: nobody gets to say goodbye."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)


def wait_until(what: Callable[[], object], seconds: float) -> float:
    start = time.monotonic()
    while not what():
        assert time.monotonic() - start < seconds, "it took too long"
        time.sleep(0.2)
    return time.monotonic() - start
