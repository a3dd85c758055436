"""Exchange rates by moment: what was said last holds, be it directly, the other way round, or through a third currency.

A bank's daily file must not lose against a pair that somebody typed last year, and what is typed today must not lose
against the file of yesterday. So the way between two currencies is the one with the newest rate; where rates are of
equal date, the nearest: direct, inverse, through a third. The date of a way through a third is that of its older leg.

The rates are the installation's own and change rarely: a process keeps them until there is a newer row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Max

from rating.models import ExchangeRate

ONE = Decimal(1)
PLACES = Decimal("0.00000001")
ALWAYS = datetime.min.replace(tzinfo=UTC)
Series = tuple[list[datetime], list[Decimal]]
Row = tuple[str, str, datetime, Decimal]
Leg = tuple[datetime, Decimal]
"""Since when, and the rate, unrounded."""


@dataclass(frozen=True, slots=True)
class Said:
    """1 `base` = `rate` `quote`, to 8 places half up, from `since` on; `through`: the third currency, or ""."""

    base: str
    quote: str
    rate: Decimal
    since: datetime
    through: str = ""


def _stored() -> Iterable[Row]:
    rows = ExchangeRate.objects.order_by("valid_from").values_list("base", "quote", "valid_from", "rate")
    return rows.iterator(chunk_size=20_000)


class Rates:
    """All stored rates at one version, and the ways between currencies as far as somebody asked for them.

    Or those of other `rows`: base, quote, since when, rate, by their beginning.
    """

    def __init__(self, version: int | None, rows: Iterable[Row] | None = None) -> None:
        self.version = version
        self.stored: dict[tuple[str, str], Series] = {}
        for base, quote, valid_from, rate in _stored() if rows is None else rows:
            starts, rates = self.stored.setdefault((base, quote), ([], []))
            starts.append(valid_from)
            rates.append(rate)
        self._currencies = sorted({code for pair in self.stored for code in pair})
        self._ways: dict[tuple[str, str], tuple[list[datetime], list[Said]]] = {}

    def way(self, base: str, quote: str) -> tuple[list[datetime], list[Said]]:
        """All that was said between two currencies: the moments, and what holds from each on."""
        found = self._ways.get((base, quote))
        if found is None:
            found = self._ways[base, quote] = self._follow(base, quote)
        return found

    def _follow(self, base: str, quote: str) -> tuple[list[datetime], list[Said]]:
        middles = [one for one in self._currencies if self._starts(base, one) and self._starts(one, quote)]
        moments = {*self._starts(base, quote)}
        for middle in middles:
            moments.update(self._starts(base, middle), self._starts(middle, quote))
        starts: list[datetime] = []
        said: list[Said] = []
        for moment in sorted(moments):
            one = self._newest(base, quote, middles, moment)
            if one is not None and (not said or (one.rate, one.through) != (said[-1].rate, said[-1].through)):
                starts.append(moment)
                said.append(one)
        return starts, said

    def _starts(self, base: str, quote: str) -> list[datetime]:
        return [start for pair in ((base, quote), (quote, base)) for start in self.stored.get(pair, ((), ()))[0]]

    def _newest(self, base: str, quote: str, middles: list[str], moment: datetime) -> Said | None:
        direct = self._leg(base, quote, moment)
        best = None if direct is None else (direct, "")
        for middle in middles:
            first, second = self._leg(base, middle, moment), self._leg(middle, quote, moment)
            if first is None or second is None:
                continue
            through = (min(first[0], second[0]), first[1] * second[1])
            if best is None or through[0] > best[0][0]:
                best = (through, middle)
        if best is None:
            return None
        (since, rate), middle = best
        return Said(base, quote, rate.quantize(PLACES, ROUND_HALF_UP), since, middle)

    def _leg(self, base: str, quote: str, moment: datetime) -> Leg | None:
        """Directly or the other way round, whichever was said later."""
        stored, inverse = self._at(base, quote, moment), self._at(quote, base, moment)
        if inverse is None or (stored is not None and stored[0] >= inverse[0]):
            return stored
        return inverse[0], ONE / inverse[1]

    def _at(self, base: str, quote: str, moment: datetime) -> Leg | None:
        starts, rates = self.stored.get((base, quote), ([], []))
        position = bisect_right(starts, moment)
        return (starts[position - 1], rates[position - 1]) if position else None


class Exchange:
    """The rates as they stand now; another one sees what was entered since. Or those given."""

    def __init__(self, rates: Rates | None = None) -> None:
        self._rates = rates or _current()

    def rate(self, base: str, quote: str, moment: datetime) -> Decimal | None:
        """How much `quote` one `base` was at `moment`, to 8 places half up; None where nobody said."""
        if base == quote:
            return ONE
        found = self.said(base, quote, moment)
        return None if found is None else found.rate

    def said(self, base: str, quote: str, moment: datetime) -> Said | None:
        """The rate with its date and its way; None where nobody said."""
        if base == quote:
            return Said(base, quote, ONE, ALWAYS)
        starts, said = self._rates.way(base, quote)
        position = bisect_right(starts, moment)
        return said[position - 1] if position else None

    def moments(self, base: str, quote: str) -> frozenset[datetime]:
        """All instants at which `rate` between the two changes, by whatever way."""
        return frozenset() if base == quote else frozenset(self._rates.way(base, quote)[0])

    def pairs(self) -> list[tuple[str, str]]:
        """The pairs that were entered, as they were entered."""
        return sorted(self._rates.stored)

    def stored(self, base: str, quote: str, moment: datetime) -> tuple[Said | None, Said | None]:
        """What was entered for just this pair: (in force at a moment, the one before it)."""
        starts, rates = self._rates.stored.get((base, quote), ([], []))
        position = bisect_right(starts, moment)
        now, before = (
            Said(base, quote, rates[at], starts[at]) if at >= 0 else None for at in (position - 1, position - 2)
        )
        return now, before

    def currencies(self) -> list[str]:
        """Every currency that an exchange rate names."""
        return sorted({code for pair in self._rates.stored for code in pair})


_kept: list[Rates] = []


def _current() -> Rates:
    """The process's copy, read anew where there is a newer row. (Writers take turns, so rows commit by their ids.)"""
    newest: int | None = ExchangeRate.objects.aggregate(newest=Max("id"))["newest"]
    for one in _kept:
        if one.version == newest:
            return one
    fresh = Rates(newest)
    _kept[:] = [fresh]
    return fresh
