"""What beat asks of the whole product at once: who runs low, told by mail."""

from __future__ import annotations

import pghistory
from celery import shared_task

from billing.services import warnings


@shared_task
def warn_low_balances() -> int:
    """Mail each wallet's owner that fell below its warning balance, with a copy to its seller; how many."""
    with pghistory.context(task="warn_low_balances"):
        return warnings.warn_low_balances()
