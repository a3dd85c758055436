"""A price list of one customer's own, begun as a copy of what it pays now, so that it can be changed for it alone."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from rating.models import ListTerms, PriceList, Rate
from rating.services.lists import ListDetails, Terms, create_list, own_table, set_list_terms
from rating.services.rates import Pricing, RateEntry, set_rates
from tiers.models import Party
from tiers.services.writing import written_by
from tiers.viewer import Actor


def copy_list(
    source: PriceList, buyer: Party, code: str, name: str, *, actor: Actor, at: datetime | None = None
) -> PriceList:
    """The same base, terms and own rates as `source` has at a moment (now), for one buyer alone.

    It does not follow later changes of `source`, only those of the base. Raises Invalid, Conflict as `create_list`.
    """
    moment = at or timezone.now()
    pricing: dict[str, Any] = {one: getattr(source, one) for one in Pricing.__optional_keys__}
    details: ListDetails = {
        **pricing,  # type: ignore[typeddict-item]
        "name": name,
        "buyer": buyer,
        "carrier": source.carrier,
        "base_table": source.base_table,
        "base_list": source.base_list,
    }
    with written_by(actor):
        made = create_list(source.seller, code, source.brand, actor=actor, **details)
        terms = ListTerms.objects.filter(price_list=source, valid_from__lte=moment).order_by("-valid_from").first()
        if terms is not None:
            same: Terms = {one: getattr(terms, one) for one in Terms.__optional_keys__}  # type: ignore[assignment]
            set_list_terms(made, actor=actor, valid_from=moment, **same)
        _copy_rates(source, made, actor, moment)
    return made


def _copy_rates(source: PriceList, made: PriceList, actor: Actor, moment: datetime) -> None:
    """Own rates in force, and those that are to come."""
    if source.own_table is None:
        return
    lasting = Q(effective_to__isnull=True) | Q(effective_to__gt=moment)
    rates = list(Rate.objects.filter(lasting, table=source.own_table))
    names = [one.name for one in fields(RateEntry)]
    entries = [RateEntry(**{name: getattr(rate, name) for name in names}) for rate in rates]
    if entries:
        set_rates(own_table(made, actor=actor), entries, actor=actor)
