"""What `rating_live_authorize` decides, once more, in Python and without locks.

The database's function is the one that counts; this one says plainly what it must say, and a test asks both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rating.live.needs import Curve


@dataclass(frozen=True, slots=True)
class Limit:
    """A party's or carrier's limits, and how much of them is used. None: no limit."""

    max_calls: int | None
    max_per_second: int | None
    active: int
    in_this_second: int


class Day(NamedTuple):
    """What the day of a limited wallet has room for, and what the call takes from it."""

    room_micros: int
    taken: Curve


class Verdict(NamedTuple):
    """`tier` is who is to blame: the place in the chain of parties, limits or wallets; None when allowed."""

    allow: bool
    max_seconds: int
    code: str
    tier: int | None


def decide(
    active: Sequence[bool],
    limits: Sequence[Limit | None],
    available_micros: Sequence[int],
    curves: Sequence[Curve],
    longest_s: int,
    days: Sequence[Day | None] = (),
) -> Verdict:
    """All sequences run from the customer up; the nearest to it is blamed. `days`: None for a wallet without limit."""
    for tier, on in enumerate(active):
        if not on:
            return Verdict(False, 0, "blocked", tier)
    for tier, limit in enumerate(limits):
        if limit is None:
            continue
        if limit.max_calls is not None and limit.active >= limit.max_calls:
            return Verdict(False, 0, "concurrent", tier)
        if limit.max_per_second is not None and limit.in_this_second >= limit.max_per_second:
            return Verdict(False, 0, "rate", tier)
    granted_s = longest_s
    for tier, day in enumerate(days):
        if day is not None:
            most_s = _affords(day.room_micros, day.taken)
            if most_s is None:
                return Verdict(False, 0, "spend", tier)
            granted_s = min(granted_s, most_s)
    for tier, (available, curve) in enumerate(zip(available_micros, curves, strict=True)):
        most_s = _affords(available, curve)
        if most_s is None:
            return Verdict(False, 0, "funds", tier)
        granted_s = min(granted_s, most_s)
    return Verdict(True, granted_s, "", None)


def _affords(available_micros: int, curve: Curve) -> int | None:
    """The longest call that so much affords; what costs nothing, it always does."""
    pairs = zip(curve.seconds, curve.micros, strict=True)
    return max((second for second, micros in pairs if micros <= available_micros or not micros), default=None)
