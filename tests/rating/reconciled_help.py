"""Live calls, and the files in which their switch tells of them again."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from rating.live.ending import find
from rating.models import LiveCall
from rating.selectors.usage import progress_of
from rating.services.imports import import_file
from tests.cast import ACTOR
from tests.rating.calls_help import Call, write
from tests.rating.live_help import a_switch, ask, backdate

if TYPE_CHECKING:
    from tests.cast import Cast

PAYERS = {"harbour": 100, "alice": 20, "summit": 100, "carol": 50, "pier": 50, "bob": 20}


def fund(cast: Cast) -> Cast:
    for code, amount in PAYERS.items():
        cast.fund(code, amount)
    return cast


def balances(cast: Cast) -> dict[str, Decimal]:
    return {code: cast.wallet(code).posted for code in (*PAYERS, "dave")}


def by_file(cast: Cast, folder: Path, *calls: Call, name: str = "cdr.csv") -> dict[str, int]:
    """Import these calls as the switch's file; the counts that are not 0."""
    made = import_file(write(folder / name, calls), cast.source(), actor=ACTOR)
    return {name: count for name, count in progress_of([made])[made.pk].counts.items() if count}


def cdr(call_id: str, seconds: int, at: datetime | None = None, account: str = "alice") -> Call:
    """The record of a live call, answered five seconds after it was asked for unless said otherwise."""
    asked_at = at or LiveCall.objects.get(call_id=call_id).asked_at
    return Call(call_id, account, "447700900123", seconds, asked_at)


def allowed(cast: Cast, call_id: str, account: str = "alice", *, age_s: int = 600, interims: bool = False) -> LiveCall:
    """A call that was let through some time ago, for 300 seconds, and of which nothing more was heard."""
    switch = a_switch(cast, interims=interims)
    assert ask(switch, call_id, account=f"ACC-{account}", requested_s=300).allow
    call = find(switch, call_id)
    backdate(call, age_s)
    return call
