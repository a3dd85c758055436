"""Alarms and their rules as a viewer may see them.

A viewer sees alarms of its party and of all below it: those by its own rules and by rules below it, and what its own
seller's rules say of itself. What stands higher watches further down stays unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import AlertEvent, AlertKind, AlertRule
from accounts.services.alert_rules import Applied, rules_for
from tiers.errors import NotFound
from tiers.models import Party
from tiers.viewer import Viewer

IN_THE_WALLET = (AlertKind.LOW, AlertKind.EMPTY)
"""Kinds that pages tell of beside the balance itself."""


def events(viewer: Viewer) -> QuerySet[AlertEvent]:
    """Newest first where paged by id."""
    seller = viewer.party.parent_path
    by_seller = Q(owner__path=seller, party=viewer.party) if seller else Q(pk__in=[])
    seen = Q(owner__path__startswith=viewer.path) | by_seller
    rows: QuerySet[AlertEvent] = AlertEvent.visible.for_viewer(viewer).filter(seen)
    return rows.select_related("party", "owner")


def open_events(viewer: Viewer) -> QuerySet[AlertEvent]:
    """What still holds."""
    return events(viewer).filter(ended_at__isnull=True)


def needing(viewer: Viewer) -> QuerySet[AlertEvent]:
    """Open alarms that a home page tells of, newest first: not those that stand in the wallet's figures already."""
    return open_events(viewer).exclude(kind__in=IN_THE_WALLET).order_by("-id")


def of_party(viewer: Viewer, party: Party) -> list[AlertEvent]:
    """A party's open alarms, newest first; while it is blocked, also the one that blocked it."""
    rows = events(viewer).filter(party=party)
    shown = Q(ended_at__isnull=True)
    if not party.is_active:
        shown |= Q(pk__in=rows.filter(blocked=True).order_by("-id").values("pk")[:1])
    return list(rows.filter(shown).exclude(kind__in=IN_THE_WALLET).order_by("-id")[:5])


def event_by_id(viewer: Viewer, key: UUID) -> AlertEvent:
    """Raises NotFound for what is not the viewer's to see."""
    found = events(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_alarm", _("There is no such alarm here."))
    return found


def rules(viewer: Viewer) -> QuerySet[AlertRule]:
    """Rules that the viewer's own party has written, for all, for one, for itself."""
    rows: QuerySet[AlertRule] = AlertRule.visible.for_viewer(viewer).filter(owner=viewer.party)
    return rows.select_related("party", "owner").order_by("party__name", "kind", "currency")


def rule_by_id(viewer: Viewer, key: UUID) -> AlertRule:
    """Raises NotFound."""
    found = rules(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_rule", _("There is no such rule here."))
    return found


def held_for(viewer: Viewer, party: Party, kinds: Sequence[str] = AlertKind.values) -> list[Applied]:
    """The viewer's own rules as they hold for a party, the product's own among them where it is the seller."""
    return [one for one in rules_for([party], kinds)[party.pk] if one.owner.pk == viewer.party.pk]
