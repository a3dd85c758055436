"""The tax of a call that is priced again: by the law by which it was charged, whatever the brand's terms say today.

A call that was charged with its tax stays so, one that was charged without (postpaid: the invoice taxes it) stays so
too; then the same price is always the same charge, and rating twice finds nothing. Of a brand's terms, as they were
over time, those hold that give the first charge again; among such, the newest of before it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.apps import apps

from rating.pricing import Directory
from rating.pricing.directory import Purse, Tax
from rating.pricing.engine import NOTHING, split_tax
from rating.services.rerating_calls import Standing

Dated = tuple[datetime, Tax]


class TaxThen:
    """Splits amounts into sale and tax as they were split when the call was charged."""

    def __init__(self, directory: Directory) -> None:
        self._now = directory.taxes
        self._ever: dict[UUID, list[Dated]] = defaultdict(list)
        events = apps.get_model("rating", "PriceTermsEvent")._default_manager.order_by("pgh_id")
        for brand, at, rate, included in events.values_list(
            "brand", "pgh_created_at", "tax_rate", "prices_include_tax"
        ):
            self._ever[brand].append((at, Tax(rate, included)))

    def split(
        self, amount: Decimal, call: Standing, brand: UUID, purse: Purse, at: datetime | None
    ) -> tuple[Decimal, Decimal]:
        """A list's amount as (sale, tax). `at`: when the call was charged; None: it cost nothing then."""
        if call.first_sale == 0 and call.first_tax == 0:
            return split_tax(amount, self._now.get(brand), purse.prepaid)
        if call.first_tax == 0 or at is None:
            return amount, NOTHING
        return split_tax(amount, self._law(brand, at, call.first_sale, call.first_tax), True)

    def _law(self, brand: UUID, at: datetime, sale: Decimal, tax: Decimal) -> Tax | None:
        laws = self._ever[brand]
        before = [law for since, law in reversed(laws) if since <= at]
        after = [law for since, law in laws if since > at]
        known = [*before, *after, *filter(None, [self._now.get(brand)])]
        return next((law for law in known if _gives(law, sale, tax)), known[0] if known else None)


def _gives(law: Tax, sale: Decimal, tax: Decimal) -> bool:
    return split_tax(sale + tax if law.included else sale, law, True) == (sale, tax)
