"""Amounts of several currencies as one figure, for overviews only: the ledger never adds two currencies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from rating.models import ExchangeRate
from rating.pricing.exchange import Exchange as Rates


class Exchange:
    """The exchange rates of a moment, as prices use them."""

    def __init__(self, moment: datetime) -> None:
        self._rates = Rates()
        self._moment = moment

    def rate(self, base: str, quote: str) -> Decimal | None:
        """How many `quote` one `base` is; None where nobody entered enough."""
        return self._rates.rate(base, quote, self._moment)

    def total(self, amounts: Mapping[str, Decimal], currency: str) -> tuple[Decimal, list[str]]:
        """(the sum in `currency`, the currencies left out for want of a rate)."""
        known = {code: self.rate(code, currency) for code in amounts}
        total = sum((amounts[code] * rate for code, rate in known.items() if rate is not None), Decimal(0))
        return total, sorted(code for code, rate in known.items() if rate is None)


def history(most: int = 100) -> list[ExchangeRate]:
    """The rates entered, newest first; they are the installation's own, the same for everybody."""
    return list(ExchangeRate.objects.order_by("-valid_from", "base", "quote")[:most])
