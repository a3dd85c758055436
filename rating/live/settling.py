"""The one way to close and charge a live call, whoever says that it is over: its switch, a file, the reaper."""

from __future__ import annotations

import json
from typing import Final
from uuid import UUID

from django.db import connection

from accounts.services.transactions import in_transaction
from rating.live.asking import LOCK_TIMEOUT_MS
from rating.live.bill import Outcome, Settlement, settlement
from rating.models import LiveCall

CLOCK_SLACK_S: Final = 5
NO_ANSWER: Final = "no answer was reported"
"""The oddity of a call that the reaper closed as not answered."""


def settle(call: LiveCall, outcome: Outcome, record_id: UUID | None = None) -> LiveCall:
    """Charge and close, once: a call that somebody else closed meanwhile stays as it is. `record_id`: of its record."""
    made = settlement(call, outcome, record_id)

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rating_live_settle(%s, %s, %s, %s, %s, %s)", [call.pk, *_arguments(made)])

    in_transaction(work, lock_timeout_ms=4 * LOCK_TIMEOUT_MS)
    call.refresh_from_db()
    return call


def _arguments(made: Settlement) -> list[str]:
    return [json.dumps(part) for part in (made.outcome, made.transfers, made.usage, made.rated, made.facts)]
