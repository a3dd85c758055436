"""Prices shown in a currency of the reader's choice, at a rate that is stated. What is charged stays in the list's own.

"shown in HKD at 1 EUR = 8.4512 HKD of 20 Nov 2026": whoever reads a price must see that it was taken over, at which
rate, and how old that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from rating.pricing.exchange import Said
from rating.selectors.exchange import Exchange
from tiers.errors import Invalid
from tiers.services.brands import check_currency

PLACES = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class ShownIn:
    """`base`: what the prices are in; `said`: the rate they are taken over at, None where they stay as they are."""

    base: str
    said: Said | None = None

    @property
    def currency(self) -> str:
        return self.said.quote if self.said else self.base

    def price(self, amount: Decimal) -> Decimal:
        """To 8 places half up, as derived prices are kept."""
        return amount if self.said is None else (amount * self.said.rate).quantize(PLACES, ROUND_HALF_UP)

    @property
    def plainly(self) -> str:
        """The rate for programs: `1 EUR = 8.4512 HKD of 2026-11-20`."""
        if self.said is None:
            return ""
        rate = f"{self.said.rate.normalize():f}"
        return f"1 {self.base} = {rate} {self.said.quote} of {self.said.since.date().isoformat()}"


def shown_in(base: str, wanted: str, at: datetime) -> ShownIn:
    """Prices in `base`, shown in `wanted` ("": as they are). Raises Invalid where no rate leads there."""
    code = wanted.strip().upper()
    if code in ("", base):
        return ShownIn(base)
    check_currency(code, "in")
    said = Exchange(at).said(base, code)
    if said is None:
        raise Invalid(
            "no_rate",
            _("There is no exchange rate from %(base)s to %(wanted)s.") % {"base": base, "wanted": code},
            where="in",
        )
    return ShownIn(base, said)
