"""How a price came about, every number shown: the same walk as `price`, told line by line.

Texts are made of a message and its numbers, so that the application can translate the message.
Lines stay few: equal neighbours are one line, and what would still be too long is summed by price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from math import gcd
from typing import Final, NamedTuple

from rating.kernel.charge import Charge, price
from rating.kernel.codec import plain
from rating.kernel.numbers import POWERS, whole_duration
from rating.kernel.plan import Piece, Plan, pieces, plan_of
from rating.kernel.rate import Rate

MAX_PIECE_LINES: Final = 40
SHOWN_DIGITS: Final = 12


def gettext_noop(message: str) -> str:
    """Mark a message for the translators' catalogue; `translate` of `explain` looks it up."""
    return message


ROUNDING_TEXTS: Final[Mapping[str, str]] = {
    "half_up": gettext_noop("Rounded once to %(decimals)s decimals, half up"),
    "half_even": gettext_noop("Rounded once to %(decimals)s decimals, half to even"),
    "up": gettext_noop("Rounded once to %(decimals)s decimals, up"),
    "down": gettext_noop("Rounded once to %(decimals)s decimals, down"),
}


class Line(NamedTuple):
    """One step of an explanation: which rule, what it did in words, and the figure it gave.

    rule: duration, grace, free, increments, piece, connect_fee, sum, min_charge or rounding.
    """

    rule: str
    text: str
    value: str


Told = tuple[str, str, str, Mapping[str, object]]
"""A line before translation: rule, message, value, and the numbers for the message's places."""


def explain(
    rate: Rate,
    duration_s: int | Decimal,
    answered_at: datetime | None = None,
    translate: Callable[[str], str] = str,
) -> list[Line]:
    """The explanation of price(rate, duration_s, answered_at).

    `translate` gets each message before the numbers go into its places. Raises RateError as `price` does.
    """
    charge = price(rate, duration_s, answered_at)
    whole_s = whole_duration(duration_s)
    told = [*_duration(rate, whole_s, charge)]
    if charge.charged:
        told += _sum(rate, whole_s, answered_at, charge)
    return [Line(rule, translate(message) % numbers, value) for rule, message, value, numbers in told]


def _duration(rate: Rate, whole_s: int, charge: Charge) -> Iterator[Told]:
    """Rule 1 and the free seconds of rule 2."""
    counts = gettext_noop("Duration of the call; a fraction of a second counts as a second")
    yield "duration", counts, f"{whole_s} s", {}
    if not whole_s:
        yield "grace", gettext_noop("Not answered: nothing is charged"), plain(charge.amount), {}
        return
    if not charge.charged:
        nothing = gettext_noop("At most %(grace)s s long: nothing is charged")
        yield "grace", nothing, plain(charge.amount), {"grace": rate.grace_s}
        return
    if rate.grace_s:
        longer = gettext_noop("Longer than the %(grace)s s that cost nothing")
        yield "grace", longer, f"{whole_s} s", {"grace": rate.grace_s}
    if rate.free_s:
        remain = gettext_noop("The first %(free)s s are free; there remain")
        yield "free", remain, f"{max(whole_s - rate.free_s, 0)} s", {"free": rate.free_s}


def _sum(rate: Rate, whole_s: int, answered_at: datetime | None, charge: Charge) -> Iterator[Told]:
    """Rules 2 to 4: the increments, what is added, and the one rounding."""
    plan = plan_of(rate)
    laid = list(pieces(rate, plan, whole_s, answered_at))
    if laid:
        yield _increments(rate, charge)
        yield from _pieces(rate, plan, laid)
    points = sum(piece.points for piece in laid) + plan.connect
    if rate.connect_fee:
        yield "connect_fee", gettext_noop("Connection fee"), plain(rate.connect_fee), {}
    yield "sum", gettext_noop("Exact sum before rounding"), _exact(points, plan.scale), {}
    if plan.least:
        yield _minimum(rate, plan, points if laid else None)
    yield "rounding", ROUNDING_TEXTS[rate.rounding], plain(charge.amount), {"decimals": rate.decimals}


def _increments(rate: Rate, charge: Charge) -> Told:
    if rate.first_s is None:
        message = gettext_noop("Billed in steps of %(step)s s")
    else:
        message = gettext_noop("Billed in a first increment of %(first)s s, then steps of %(step)s s")
    own = [step for steps in (rate.steps, *(band.steps for band in rate.bands)) for step in steps if step.step_s]
    if own and rate.first_s is None:
        message = gettext_noop("Billed in steps of %(step)s s, or of the length that the price in force says")
    elif own:
        message = gettext_noop(
            "Billed in a first increment of %(first)s s, then steps of %(step)s s,"
            " or of the length that the price in force says"
        )
    return "increments", message, f"{charge.billed_s} s", {"first": rate.first_s, "step": rate.step_s}


def _minimum(rate: Rate, plan: Plan, points: int | None) -> Told:
    """Whether the minimum (rule 4) had a say; `points` is None when free seconds cover the whole call."""
    numbers = {"minimum": plain(rate.min_charge)}
    if points is None:
        return (
            "min_charge",
            gettext_noop("The minimum is waived: all seconds are free"),
            plain(rate.min_charge),
            {},
        )
    if points < plan.least:
        message = gettext_noop("Less than the minimum, which is charged instead")
        return "min_charge", message, plain(rate.min_charge), {}
    message = gettext_noop("Not less than the minimum of %(minimum)s")
    return "min_charge", message, _exact(points, plan.scale), numbers


def _pieces(rate: Rate, plan: Plan, laid: Iterable[Piece]) -> Iterator[Told]:
    """One line for each run of equal increments; by price alone where those would be too many."""
    runs: list[Piece] = []
    for piece in laid:
        last = runs[-1] if runs else None
        if last and (last.terms, last.length_s) == (piece.terms, piece.length_s):
            runs[-1] = last._replace(increments=last.increments + piece.increments)
        else:
            runs.append(piece)
    many = len(runs) > MAX_PIECE_LINES
    for run in _by_terms(runs) if many else runs:
        yield _piece(rate, plan, run, many)


def _by_terms(runs: Iterable[Piece]) -> list[Piece]:
    totals: dict[object, Piece] = {}
    for run in runs:
        key = (run.terms, run.length_s)
        seen = totals.get(key)
        totals[key] = run if seen is None else seen._replace(increments=seen.increments + run.increments)
    return list(totals.values())


def _piece(rate: Rate, plan: Plan, run: Piece, many: bool) -> Told:
    band, step = run.terms.band, run.terms.step
    numbers = {
        "count": run.increments,
        "length": run.length_s,
        "start": run.start_s,
        "price": plain(run.terms.price),
        "band": rate.bands[band].label if band >= 0 else "",
        "zone": rate.time_zone,
        "step": run.terms.from_s,
    }
    return "piece", PIECE_TEXTS[many, band >= 0, step >= 0], _exact(run.points, plan.scale), numbers


PIECE_TEXTS: Final[Mapping[tuple[bool, bool, bool], str]] = {
    (False, False, False): gettext_noop("From second %(start)s: %(count)s x %(length)s s at %(price)s a minute"),
    (False, False, True): gettext_noop(
        "From second %(start)s: %(count)s x %(length)s s at %(price)s a minute (step from second %(step)s)"
    ),
    (False, True, False): gettext_noop(
        "From second %(start)s: %(count)s x %(length)s s at %(price)s a minute (band %(band)s, %(zone)s)"
    ),
    (False, True, True): gettext_noop(
        "From second %(start)s: %(count)s x %(length)s s at %(price)s a minute"
        " (band %(band)s, %(zone)s, step from second %(step)s)"
    ),
    (True, False, False): gettext_noop("In all: %(count)s x %(length)s s at %(price)s a minute"),
    (True, False, True): gettext_noop(
        "In all: %(count)s x %(length)s s at %(price)s a minute (step from second %(step)s)"
    ),
    (True, True, False): gettext_noop(
        "In all: %(count)s x %(length)s s at %(price)s a minute (band %(band)s, %(zone)s)"
    ),
    (True, True, True): gettext_noop(
        "In all: %(count)s x %(length)s s at %(price)s a minute (band %(band)s, %(zone)s, step from second %(step)s)"
    ),
}


def _exact(points: int, scale: int) -> str:
    """points / (60 * 10**scale) in full: a decimal, or where none ends, its beginning and the fraction."""
    one = 60 * POWERS[scale]
    if points * POWERS[scale + 2] % one == 0:
        shown = Decimal(f"{points * POWERS[scale + 2] // one}E-{scale + 2}")
        return _trimmed(plain(shown))
    digits = max(SHOWN_DIGITS, scale)
    begun = plain(Decimal(f"{points * POWERS[digits] // one}E-{digits}"))
    common = gcd(points, one)
    return f"{begun}... ({points // common}/{one // common})"


def _trimmed(written: str) -> str:
    return written.rstrip("0").rstrip(".") if "." in written else written
