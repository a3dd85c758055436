"""Decks on their way in, as a viewer may see them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rating.models import Carrier, DeckFile, RateTable
from rating.services.deck_memory import Memory, memory_of
from tiers.errors import NotFound
from tiers.viewer import Viewer

RECENT = 5


def decks(viewer: Viewer) -> QuerySet[DeckFile]:
    """Newest first by id."""
    found: QuerySet[DeckFile] = DeckFile.visible.for_viewer(viewer).select_related("table__owner")
    return found


def deck_by_id(viewer: Viewer, key: UUID | str) -> DeckFile:
    """Raises NotFound for what is not the viewer's."""
    found = decks(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_deck", _("There is no such deck here."))
    return found


def recent(viewer: Viewer, table: RateTable) -> list[DeckFile]:
    """The last decks of a table."""
    return list(decks(viewer).filter(table=table).order_by("-id")[:RECENT])


def remembered(viewer: Viewer, table: RateTable) -> list[tuple[Carrier, Memory]]:
    """The carriers that the table prices, with what is kept of their decks."""
    carriers = Carrier.visible.for_viewer(viewer).filter(cost_table=table).order_by("code")
    return [(carrier, memory_of(carrier)) for carrier in carriers]
