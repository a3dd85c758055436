"""Exchange rates by moment: the one stored, its inverse, or the way through one currency that both stand to."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from rating.models import ExchangeRate

ONE = Decimal(1)
PLACES = Decimal("0.00000001")


class Exchange:
    """All stored rates, read once."""

    def __init__(self) -> None:
        self._dated: dict[tuple[str, str], tuple[list[datetime], list[Decimal]]] = {}
        rows = ExchangeRate.objects.order_by("valid_from").values_list("base", "quote", "valid_from", "rate")
        for base, quote, valid_from, rate in rows:
            starts, rates = self._dated.setdefault((base, quote), ([], []))
            starts.append(valid_from)
            rates.append(rate)
        self._currencies = sorted({code for pair in self._dated for code in pair})

    def rate(self, base: str, quote: str, moment: datetime) -> Decimal | None:
        """How much `quote` one `base` was at `moment`, to 8 places half up; None where nobody said.

        Where several currencies could stand between the two, the first by name does, so that it is always the same.
        """
        direct = self._step(base, quote, moment)
        if direct is not None:
            return direct.quantize(PLACES, ROUND_HALF_UP)
        for middle in self._currencies:
            first, second = self._step(base, middle, moment), self._step(middle, quote, moment)
            if first is not None and second is not None:
                return (first * second).quantize(PLACES, ROUND_HALF_UP)
        return None

    def moments(self, base: str, quote: str) -> frozenset[datetime]:
        """All instants at which `rate` between the two may change, by whatever way."""
        if base == quote:
            return frozenset()
        pairs = (starts for pair, (starts, _) in self._dated.items() if base in pair or quote in pair)
        return frozenset(start for starts in pairs for start in starts)

    def _step(self, base: str, quote: str, moment: datetime) -> Decimal | None:
        if base == quote:
            return ONE
        stored = self._at(base, quote, moment)
        if stored is not None:
            return stored
        inverse = self._at(quote, base, moment)
        return None if inverse is None else ONE / inverse

    def _at(self, base: str, quote: str, moment: datetime) -> Decimal | None:
        starts, rates = self._dated.get((base, quote), ([], []))
        position = bisect_right(starts, moment)
        return rates[position - 1] if position else None
