"""Exchange rates by moment: the one stored, or its inverse where only the other direction was stored."""

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

    def rate(self, base: str, quote: str, moment: datetime) -> Decimal | None:
        """How much `quote` one `base` was at `moment`, to 8 places; None where nobody said."""
        if base == quote:
            return ONE
        stored = self._at(base, quote, moment)
        if stored is not None:
            return stored
        inverse = self._at(quote, base, moment)
        return None if inverse is None else (ONE / inverse).quantize(PLACES, ROUND_HALF_UP)

    def _at(self, base: str, quote: str, moment: datetime) -> Decimal | None:
        starts, rates = self._dated.get((base, quote), ([], []))
        position = bisect_right(starts, moment)
        return rates[position - 1] if position else None
