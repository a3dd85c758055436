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
) -> Verdict:
    """`active`, `limits`, `available_micros` and `curves` run from the customer up; the nearest to it is blamed."""
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
    for tier, (available, curve) in enumerate(zip(available_micros, curves, strict=True)):
        affordable = [
            second
            for second, micros in zip(curve.seconds, curve.micros, strict=True)
            if micros <= available or not micros
        ]
        if not affordable:
            return Verdict(False, 0, "funds", tier)
        granted_s = min(granted_s, affordable[-1])
    return Verdict(True, granted_s, "", None)
