"""Whose dial plan reads a number: the source's own, else the brand's; and how a brand's is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from rating.models import PriceTerms, Source
from rating.numbers import DialPlan
from rating.services.lists import set_price_terms
from rating.services.sources import update_source
from tiers.errors import Invalid
from tiers.models import Brand, Party, Placement
from tiers.viewer import Actor


def plan_of_source(source: Source) -> DialPlan:
    """How numbers in its records are read: its own plan, else that of the customer in whose house it stands, else of
    its owner's brand.
    """
    if source.dial_plan:
        return DialPlan.from_json(source.dial_plan)
    if source.customer is not None and (plan := _brand_plan_above(source.customer)) is not None:
        return plan
    return _of_brands(Brand.objects.filter(owner=source.owner)) or DialPlan()


def dial_plan_of(party: Party) -> DialPlan:
    """How a party's own numbers are read, in a quote and on a live call: its own switch's plan, else that of the brand
    it buys under or the nearest one above, else of the nearest source above.
    """
    own = Source.objects.filter(customer=party, active=True).exclude(dial_plan={}).order_by("code").first()
    if own is not None:
        return DialPlan.from_json(own.dial_plan)
    if (plan := _brand_plan_above(party)) is not None:
        return plan
    sources = Source.objects.filter(owner__path__in=party.ancestor_paths(), active=True).exclude(dial_plan={})
    source = sources.order_by("-owner__depth", "code").first()
    return DialPlan.from_json(source.dial_plan) if source else DialPlan()


def set_brand_plan(brand: Brand, plan: Mapping[str, Any], *, actor: Actor) -> None:
    """The dial plan of a brand in the wire form of `DialPlan`; empty: none of its own. Raises Invalid."""
    check_plan(plan)
    set_price_terms(brand, actor=actor, dial_plan=dict(plan))


def set_source_plan(source: Source, plan: Mapping[str, Any], *, actor: Actor) -> None:
    """The dial plan of a source, from its next file on; empty: the brand's. Raises Invalid."""
    check_plan(plan)
    update_source(source, actor=actor, dial_plan=dict(plan))


def check_plan(plan: Mapping[str, Any]) -> None:
    """Raise Invalid where nothing could be read by it."""
    try:
        DialPlan.from_json(plan)
    except ValueError as error:
        raise Invalid("dial_plan", _("The dial plan: %s") % error, where="dial_plan") from error


def _brand_plan_above(party: Party) -> DialPlan | None:
    """Of the brand the party buys under, else of the nearest above."""
    placed = Placement.objects.filter(party__path__in=party.ancestor_paths(), valid_to=None)
    return _of_brands(Brand.objects.filter(placements__in=placed).order_by("-placements__party__depth"))


def _of_brands(brands: Any) -> DialPlan | None:
    terms = {one.brand_id: one.dial_plan for one in PriceTerms.objects.filter(brand__in=brands).exclude(dial_plan={})}
    first = next((brand.pk for brand in brands if brand.pk in terms), None)
    return DialPlan.from_json(terms[first]) if first is not None else None
