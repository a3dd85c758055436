"""Prices as a viewer may see them: rate tables and the rates in force, price lists with their terms, carriers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from rating.models import Carrier, DestinationGroup, GroupMembers, ListRule, ListTerms, PriceList, Rate, RateTable
from tiers.errors import NotFound
from tiers.viewer import Viewer


def tables(viewer: Viewer) -> QuerySet[RateTable]:
    """Rate tables of the viewer's party and of sellers below."""
    found: QuerySet[RateTable] = RateTable.visible.for_viewer(viewer).select_related("owner").order_by("code")
    return found


def table_by_code(viewer: Viewer, code: str) -> RateTable:
    found = tables(viewer).filter(code=code).first()
    if found is None:
        raise NotFound("no_table", _("There is no such rate table here."), where="table")
    return found


def rate_counts(found: Iterable[RateTable], at: datetime) -> dict[UUID, int]:
    """How many rates are in force in each of these tables."""
    rows = Rate.objects.filter(in_force(at), table__in=list(found)).order_by().values_list("table")
    return dict(rows.annotate(count=Count("id")))


def in_force(at: datetime) -> Q:
    return Q(effective_from__lte=at) & (Q(effective_to__isnull=True) | Q(effective_to__gt=at))


def begins_after(at: datetime) -> Q:
    return Q(effective_from__gt=at)


def rates(table: RateTable, *, at: datetime | None = None, text: str = "") -> QuerySet[Rate]:
    """Rates of a table that the viewer was shown, in force at a moment or all; `text`: a prefix or a destination."""
    found = Rate.objects.filter(table=table)
    if at is not None:
        found = found.filter(in_force(at))
    digits = text.lstrip("+").replace(" ", "")
    if digits.isdigit():
        return found.filter(prefix__startswith=digits)
    return found.filter(destination__icontains=text) if text else found


def lists(viewer: Viewer) -> QuerySet[PriceList]:
    """Price lists of the viewer's party and of sellers below."""
    rows = PriceList.visible.for_viewer(viewer)
    related = ("seller", "brand", "buyer", "carrier", "own_table", "base_table", "base_list")
    found: QuerySet[PriceList] = rows.select_related(*related).defer("brand__logo").order_by("seller__path", "code")
    return found


def list_by_code(viewer: Viewer, code: str) -> PriceList:
    found = lists(viewer).filter(code=code).first()
    if found is None:
        raise NotFound("no_list", _("There is no such price list here."), where="list")
    return found


def terms_now(found: Iterable[PriceList], at: datetime) -> dict[UUID, ListTerms]:
    """The terms in force of each list: the newest that have begun."""
    rows = ListTerms.objects.filter(price_list__in=list(found), valid_from__lte=at).order_by("valid_from")
    return {row.price_list_id: row for row in rows}


def terms_history(price_list: PriceList) -> list[ListTerms]:
    return list(ListTerms.objects.filter(price_list=price_list).order_by("-valid_from"))


def carriers(viewer: Viewer) -> QuerySet[Carrier]:
    found: QuerySet[Carrier] = Carrier.visible.for_viewer(viewer).select_related("cost_table").order_by("code")
    return found


def carrier_by_code(viewer: Viewer, code: str) -> Carrier:
    found = carriers(viewer).filter(code=code).first()
    if found is None:
        raise NotFound("no_carrier", _("There is no such carrier here."), where="carrier")
    return found


def offered_carriers() -> QuerySet[Carrier]:
    """Carriers that end users may choose. Their names are for everybody; what they cost is the operator's."""
    return Carrier.objects.filter(offered=True, active=True).order_by("code")


def rules(viewer: Viewer, price_list: PriceList) -> list[ListRule]:
    """All rules of a list that the viewer was shown, the newest of each target first."""
    rows = ListRule.visible.for_viewer(viewer).filter(price_list=price_list).select_related("group")
    return list(rows.order_by("-valid_from"))


def rules_at(found: Iterable[ListRule], at: datetime) -> list[ListRule]:
    """Of a list's rules those in force at a moment: by class, by group, by prefix."""
    newest: dict[tuple[str, object], ListRule] = {}
    for rule in sorted(found, key=lambda one: one.valid_from):
        if rule.valid_from <= at:
            newest[rule.target] = rule
    held = [rule for rule in newest.values() if not rule.off]
    return sorted(
        held, key=lambda one: (one.prefix or "", one.group.name if one.group else "", one.service_class or "")
    )


def groups(viewer: Viewer) -> QuerySet[DestinationGroup]:
    """Groups of destinations of the viewer's party and of sellers below."""
    found: QuerySet[DestinationGroup] = DestinationGroup.visible.for_viewer(viewer)
    return found.select_related("seller").order_by("name", "code")


def own_group(viewer: Viewer, code: str) -> DestinationGroup:
    """A group of the viewer's own party."""
    found = groups(viewer).filter(code=code, seller=viewer.party).first()
    if found is None:
        raise NotFound("no_group", _("There is no such group here."), where="group")
    return found


def members_of(found: Iterable[DestinationGroup], at: datetime) -> dict[UUID, GroupMembers]:
    """Who belongs to each group at a moment."""
    rows = GroupMembers.objects.filter(group__in=list(found), valid_from__lte=at).order_by("valid_from")
    return {row.group_id: row for row in rows}
