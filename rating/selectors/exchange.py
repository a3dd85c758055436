"""Exchange rates for people: what holds now, how it went, and amounts of several currencies as one figure.

The rates are the installation's own, the same for everybody. Sums over currencies are for overviews only: the ledger
never adds two currencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from rating.models import ExchangeRate
from rating.pricing.exchange import Exchange as Rates
from rating.pricing.exchange import Said


class Exchange:
    """The exchange rates of a moment, as prices use them."""

    def __init__(self, moment: datetime) -> None:
        self._rates = Rates()
        self._moment = moment

    def rate(self, base: str, quote: str) -> Decimal | None:
        """How many `quote` one `base` is; None where nobody entered enough."""
        return self._rates.rate(base, quote, self._moment)

    def said(self, base: str, quote: str) -> Said | None:
        """The rate with its date and its way."""
        return self._rates.said(base, quote, self._moment)

    def total(self, amounts: Mapping[str, Decimal], currency: str) -> tuple[Decimal, list[str]]:
        """(the sum in `currency`, the currencies left out for want of a rate)."""
        known = {code: self.rate(code, currency) for code in amounts}
        total = sum((amounts[code] * rate for code, rate in known.items() if rate is not None), Decimal(0))
        return total, sorted(code for code, rate in known.items() if rate is None)


@dataclass(frozen=True, slots=True)
class PairNow:
    """What holds for a pair as it was entered. `change`: the step from the rate before it, 0.01 for one percent.

    `superseded`: another way between the two has a newer rate, by which prices go.
    """

    said: Said
    change: Decimal | None
    superseded: bool


def pairs_now(moment: datetime) -> list[PairNow]:
    """Every pair that was entered and has begun, by name."""
    rates, found = Rates(), []
    for base, quote in rates.pairs():
        now, before = rates.stored(base, quote, moment)
        if now is None:
            continue
        holds = rates.said(base, quote, moment)
        newer = holds is not None and holds.since > now.since
        found.append(PairNow(now, now.rate / before.rate - 1 if before else None, newer))
    return found


def currencies() -> list[str]:
    """Currencies that an exchange rate leads to or from."""
    return Rates().currencies()


def rows(base: str = "", quote: str = "") -> QuerySet[ExchangeRate]:
    """The rates entered, of one pair or of all, newest first."""
    found: QuerySet[ExchangeRate] = ExchangeRate.objects.order_by("-valid_from", "base", "quote")
    if base:
        found = found.filter(base=base)
    return found.filter(quote=quote) if quote else found
