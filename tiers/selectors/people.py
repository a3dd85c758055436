"""The tree as a viewer may see it: parties, where each is placed, their brands, members and keys."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from tiers.errors import NotFound
from tiers.models import ApiKey, Brand, Member, Party, Placement
from tiers.viewer import Viewer


def parties(viewer: Viewer) -> QuerySet[Party]:
    """The viewer's party and all below it, as the tree stands."""
    found: QuerySet[Party] = Party.visible.for_viewer(viewer).order_by("path")
    return found


def parties_below(viewer: Viewer) -> QuerySet[Party]:
    return parties(viewer).exclude(pk=viewer.party.pk)


def party_by_code(viewer: Viewer, code: str) -> Party:
    """The party of this code in the viewer's part of the tree. Raises NotFound for all others alike."""
    found: Party | None = parties(viewer).filter(code=code).first()
    if found is None:
        raise NotFound("no_party", _("There is no such party here."), where="party")
    return found


def matching(found: QuerySet[Party], text: str) -> QuerySet[Party]:
    """Those whose name, code or e-mail contains what somebody typed."""
    return found.filter(Q(name__icontains=text) | Q(code__icontains=text) | Q(email__icontains=text))


def placements_now(viewer: Viewer, of: Iterable[Party]) -> dict[UUID, Placement]:
    """Under which seller and brand each of these buys now."""
    rows = Placement.visible.for_viewer(viewer).filter(party__in=list(of), valid_to__isnull=True)
    return {row.party_id: row for row in rows.select_related("brand", "seller").defer("brand__logo")}


def placements_of(viewer: Viewer, party: Party) -> QuerySet[Placement]:
    """Where a party stood since when, newest first."""
    rows = Placement.visible.for_viewer(viewer).filter(party=party).select_related("brand", "seller")
    found: QuerySet[Placement] = rows.defer("brand__logo").order_by("-valid_from")
    return found


def brands(viewer: Viewer) -> QuerySet[Brand]:
    """Brands of the viewer's party and of the sellers below it."""
    found: QuerySet[Brand] = Brand.visible.for_viewer(viewer).defer("logo").select_related("owner").order_by("code")
    return found


def own_brands(viewer: Viewer) -> QuerySet[Brand]:
    return brands(viewer).filter(owner=viewer.party)


def brand_by_code(viewer: Viewer, code: str) -> Brand:
    """A brand that the viewer may see. Raises NotFound."""
    found = brands(viewer).filter(code=code).first()
    if found is None:
        raise NotFound("no_brand", _("There is no such brand here."), where="brand")
    return found


def members(viewer: Viewer, party: Party | None = None) -> QuerySet[Member]:
    """Who logs in for a party (the viewer's own unless said)."""
    rows = Member.visible.for_viewer(viewer).filter(party=party or viewer.party)
    found: QuerySet[Member] = rows.select_related("party").order_by("email")
    return found


def member_by_id(viewer: Viewer, key: UUID) -> Member:
    found: Member | None = Member.visible.for_viewer(viewer).select_related("party").filter(pk=key).first()
    if found is None:
        raise NotFound("no_member", _("There is no such member here."))
    return found


def keys(viewer: Viewer, party: Party | None = None) -> QuerySet[ApiKey]:
    """API keys of a party (the viewer's own unless said), newest first."""
    found: QuerySet[ApiKey] = ApiKey.visible.for_viewer(viewer).filter(party=party or viewer.party)
    return found.order_by("-created")


def key_by_prefix(viewer: Viewer, prefix: str) -> ApiKey:
    """Keys are named by their public first part. Raises NotFound."""
    found: ApiKey | None = ApiKey.visible.for_viewer(viewer).filter(prefix=prefix).first()
    if found is None:
        raise NotFound("no_key", _("There is no such key here."))
    return found


def names_above_seller(viewer: Viewer) -> list[str]:
    """Names the viewer may not meet in a text, of those above its own seller: for striking out, not for showing."""
    paths = viewer.party.ancestor_paths()[:-2]
    return list(Party.objects.filter(path__in=paths).values_list("name", flat=True)) if paths else []


def placed_under(party: Party) -> Brand | None:
    """The brand that a party buys under now; for mails to it, which no viewer asks for."""
    found = Placement.objects.filter(party=party, valid_to__isnull=True).select_related("brand").first()
    return found.brand if found else None
