"""A price list of one customer's own, begun as a copy of what it pays now, so that it can be changed for it alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from rating.models import ListRule, ListTerms, PriceList, Publication, Rate
from rating.services.list_rules import Target, end_list_rule, set_list_rule
from rating.services.lists import ListDetails, Terms, create_list, own_table, set_list_terms
from rating.services.publishing import BEGINNING
from rating.services.rates import Pricing, RateEntry, set_rates
from tiers.models import Party
from tiers.services.writing import written_by
from tiers.viewer import Actor


def copy_list(
    source: PriceList, buyer: Party, code: str, name: str, *, actor: Actor, at: datetime | None = None
) -> PriceList:
    """The same base, terms, rules and own rates as `source` has from a moment (now) on, for one buyer alone.

    What is announced in `source` comes in the copy too. Of the base it knows what `source` knows; it does not follow
    later changes of `source`, only those of the base. Raises Invalid, Conflict as `create_list`.
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
        "follows": source.follows,
    }
    with written_by(actor):
        made = create_list(source.seller, code, source.brand, actor=actor, **details)
        _copy_publications(source, made, moment)
        _copy_terms(source, made, actor, moment)
        _copy_rules(source, made, actor, moment)
        _copy_rates(source, made, actor, moment)
    return made


def _copy_publications(source: PriceList, made: PriceList, moment: datetime) -> None:
    """The copy stands on the base as the source does, until somebody publishes either."""
    rows = list(Publication.objects.filter(price_list=source).order_by("valid_from"))
    if not rows:
        return
    Publication.objects.filter(price_list=made).delete()
    begun = [row for row in rows if row.valid_from <= moment]
    for row in (*begun[-1:], *(row for row in rows if row.valid_from > moment)):
        begins = row.valid_from if row.valid_from > moment else BEGINNING
        Publication.objects.create(price_list=made, valid_from=begins, known_at=row.known_at, actor=row.actor)


def _copy_terms(source: PriceList, made: PriceList, actor: Actor, moment: datetime) -> None:
    rows = ListTerms.objects.filter(price_list=source)
    for row in _lasting(rows.order_by("valid_from"), moment):
        same: Terms = {one: getattr(row, one) for one in Terms.__optional_keys__}  # type: ignore[assignment]
        set_list_terms(made, actor=actor, valid_from=max(row.valid_from, moment), **same)


def _copy_rules(source: PriceList, made: PriceList, actor: Actor, moment: datetime) -> None:
    rows = list(ListRule.objects.filter(price_list=source).select_related("group").order_by("valid_from"))
    for target in {row.target: row for row in rows}:
        for row in _lasting([row for row in rows if row.target == target], moment):
            begins = max(row.valid_from, moment)
            if row.off:
                end_list_rule(made, Target.of(row), actor=actor, at=begins)
                continue
            same: Terms = {one: getattr(row, one) for one in Terms.__optional_keys__}  # type: ignore[assignment]
            set_list_rule(made, Target.of(row), actor=actor, valid_from=begins, **same)


def _lasting(rows: Iterable[Any], moment: datetime) -> list[Any]:
    """Of dated rows in order the one in force, and those to come."""
    listed = list(rows)
    begun = [row for row in listed if row.valid_from <= moment]
    return [*begun[-1:], *(row for row in listed if row.valid_from > moment)]


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
