"""A worker is killed outright in the middle of a file, its parent too; the import goes on by itself, and charges once.

Real parts: Celery's workers and beat as processes, the broker, PostgreSQL. Behind `./test faults`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.db import connection

from accounts.services.accounts import wallet_of
from billing.books import violations
from rating.models import ChunkStatus, ImportStatus, UsageChunk, UsageImport
from rating.services.imports import counts
from rating.services.receiving import receive
from rating.tasks import work_import
from tests.cast import ACTOR
from tests.rating.calls_help import many, write

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
CALLS = 60_000
PATIENCE_S = 180


def environment(tmp_path: Path) -> dict[str, str]:
    """The same test database and broker for the workers, by their own connection."""
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@{quote(database['HOST'], safe='')}/{database['NAME']}"
    if database["PORT"]:
        url = url.replace(f"/{database['NAME']}", f":{database['PORT']}/{database['NAME']}")
    return {**os.environ, "DATABASE_URL": url, "MEDIA_ROOT": str(tmp_path / "media"), "LOG_LEVEL": "WARNING"}


@contextmanager
def celery(arguments: list[str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery process with a process group of its own, so that it can be killed whole."""
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "billing.celery", *arguments],
        env=environment(tmp_path),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / f"celery-{arguments[0]}.log").open("ab"),
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


def wait_until(what: Any, seconds: float) -> float:
    start = time.monotonic()
    while not what():
        assert time.monotonic() - start < seconds, "it took too long"
        time.sleep(0.2)
    return time.monotonic() - start


def test_a_killed_workers_import_goes_on_by_itself_and_charges_once(cast: Cast, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    file = write(tmp_path / "calls.csv", many(CALLS))
    beat = ["beat", "--schedule", str(tmp_path / "beat"), "--pidfile", ""]
    worker = ["worker", "--concurrency", "1", "--pool", "prefork"]

    made = receive(cast.source(), [file.read_bytes()], "calls.csv", actor=ACTOR)
    done = UsageChunk.objects.filter(usage_import=made, status=ChunkStatus.DONE)
    with celery(worker, tmp_path) as first:
        work_import.delay(str(made.pk))
        wait_until(done.exists, PATIENCE_S)
        kill(first)
    at_the_kill = done.count()
    assert at_the_kill < UsageChunk.objects.filter(usage_import=made).count()

    with celery(worker, tmp_path), celery(beat, tmp_path):
        took = wait_until(lambda: UsageImport.objects.get(pk=made.pk).status != ImportStatus.WORKING, PATIENCE_S)
    usage_import = UsageImport.objects.get(pk=made.pk)
    assert usage_import.status == ImportStatus.DONE, usage_import.error
    first_counts, paid = counts(usage_import), wallet_of(cast.alice).posted
    assert (first_counts["read"], first_counts["duplicate"]) == (CALLS, 0)
    print(f"killed after {at_the_kill} parts; went on and was done {took:.0f} s later")

    again = receive(cast.source(), [file.read_bytes()], "the same, renamed.csv", actor=ACTOR)
    with celery(worker, tmp_path):
        work_import.delay(str(again.pk))
        wait_until(lambda: UsageImport.objects.get(pk=again.pk).status == ImportStatus.DONE, PATIENCE_S)
    assert counts(again)["duplicate"] == CALLS
    assert wallet_of(cast.alice).posted == paid
    assert list(violations()) == []
