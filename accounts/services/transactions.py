"""One way to run a transaction that touches money: bounded waits, and another try where the database says so.

Writers lock wallets in key order, so deadlocks are rare; what is left (and a lock waited for too long) is retried here
and never reaches a person.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

from tiers.errors import Conflict

T = TypeVar("T")

DEADLOCK, SERIALIZATION, LOCK_TIMEOUT = "40P01", "40001", "55P03"
RETRIED = frozenset({DEADLOCK, SERIALIZATION, LOCK_TIMEOUT})
ATTEMPTS = 6


def in_transaction(work: Callable[[], T], *, lock_timeout_ms: int = 4000, within_s: float = 3600.0) -> T:
    """Run `work` in a transaction of its own and return what it returns.

    Inside an open transaction it works in a savepoint and leaves retrying to whoever opened it. Raises
    Conflict("busy") when the rows stayed locked through all attempts, or `within_s` are over after one; nothing is
    written then.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            return work()
    began = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{lock_timeout_ms}ms"])
                return work()
        except OperationalError as error:
            if sqlstate(error) not in RETRIED:
                raise
            if attempt == ATTEMPTS or time.monotonic() - began > within_s:
                raise Conflict("busy", "Others are moving the same money.", hint="Try again in a moment.") from error
            time.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError("unreachable")


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five-character code behind a Django database error; empty if there is none."""
    return str(getattr(error.__cause__, "pgcode", "") or "")


def law_broken(error: BaseException) -> str:
    """The name of the constraint or law that refused; empty if the database did not say."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return str(getattr(diagnosis, "constraint_name", "") or "")
