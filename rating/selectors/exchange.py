"""Amounts of several currencies as one figure, for overviews only: the ledger never adds two currencies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from rating.models import ExchangeRate


class Exchange:
    """The exchange rates of a moment, read once; converts directly, inverted, or through a currency both stand to."""

    def __init__(self, moment: datetime) -> None:
        rows = ExchangeRate.objects.filter(valid_from__lte=moment).order_by("valid_from")
        self.rates: dict[tuple[str, str], Decimal] = {(row.base, row.quote): row.rate for row in rows}

    def rate(self, base: str, quote: str) -> Decimal | None:
        """How many `quote` one `base` is; None where nobody entered enough."""
        direct = self._step(base, quote)
        if direct is not None:
            return direct
        for middle in {code for pair in self.rates for code in pair}:
            first, second = self._step(base, middle), self._step(middle, quote)
            if first is not None and second is not None:
                return first * second
        return None

    def total(self, amounts: Mapping[str, Decimal], currency: str) -> tuple[Decimal, list[str]]:
        """(the sum in `currency`, the currencies left out for want of a rate)."""
        known = {code: self.rate(code, currency) for code in amounts}
        total = sum((amounts[code] * rate for code, rate in known.items() if rate is not None), Decimal(0))
        return total, sorted(code for code, rate in known.items() if rate is None)

    def _step(self, base: str, quote: str) -> Decimal | None:
        if base == quote:
            return Decimal(1)
        if (base, quote) in self.rates:
            return self.rates[base, quote]
        back = self.rates.get((quote, base))
        return None if back is None else 1 / back


def history(most: int = 100) -> list[ExchangeRate]:
    """The rates entered, newest first; they are the installation's own, the same for everybody."""
    return list(ExchangeRate.objects.order_by("-valid_from", "base", "quote")[:most])
