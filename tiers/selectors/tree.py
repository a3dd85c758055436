"""Reads of the tree: who stood under whom at a moment, what a viewer sees of it today, and finding somebody in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from tiers.models import Brand, Kind, Party, Placement
from tiers.viewer import Viewer

UPWARDS = """
WITH RECURSIVE up(id, seller_id, step) AS (
    SELECT id, seller_id, 1 FROM tiers_placement
     WHERE party_id = %(party)s AND valid_from <= %(at)s AND (valid_to IS NULL OR valid_to > %(at)s)
    UNION ALL
    SELECT p.id, p.seller_id, up.step + 1 FROM tiers_placement p JOIN up ON p.party_id = up.seller_id
     WHERE p.valid_from <= %(at)s AND (p.valid_to IS NULL OR p.valid_to > %(at)s) AND up.step < 64
)
SELECT id FROM up ORDER BY step
"""


@dataclass(frozen=True, slots=True)
class Tier:
    """One sale: `seller` sells to `buyer` under `brand`."""

    seller: Party
    buyer: Party
    brand: Brand


@dataclass(frozen=True, slots=True)
class Branch:
    """A party in a tree as a person sees it: `level` 0 is the viewer's own; `brand` the one it buys under now."""

    party: Party
    level: int
    brand: Brand | None


def chain_at(customer: Party, moment: datetime) -> list[Tier]:
    """The tiers by which a call of this moment is sold, from the customer's seller up to the operator.

    By the placements in force then, not by today's tree. Empty where they do not lead up to the operator (the party
    was not placed yet, or is the operator itself). Two queries, at any depth.
    """
    with connection.cursor() as cursor:
        cursor.execute(UPWARDS, {"party": customer.pk, "at": moment})
        keys = [row[0] for row in cursor.fetchall()]
    rows = Placement.objects.select_related("party", "seller", "brand").in_bulk(keys)
    tiers = [Tier(rows[key].seller, rows[key].party, rows[key].brand) for key in keys]
    return tiers if tiers and tiers[-1].seller.kind == Kind.OPERATOR else []


def placements_at(parties: Iterable[Party], moment: datetime) -> dict[UUID, Placement]:
    """By party id: where each of them stood at the moment. One query."""
    rows = Placement.objects.select_related("seller", "brand").filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=moment), party__in=list(parties), valid_from__lte=moment
    )
    return {row.party_id: row for row in rows}


def tree(viewer: Viewer, moment: datetime, parties: QuerySet[Party] | None = None) -> list[Branch]:
    """The viewer's party and all below it, each parent before its children. Two queries, whatever the size."""
    rows = list((Party.visible.for_viewer(viewer) if parties is None else parties).order_by("path"))
    placed = placements_at(rows, moment)
    top = viewer.party.depth
    return [Branch(row, row.depth - top, placed[row.pk].brand if row.pk in placed else None) for row in rows]


def search_parties(viewer: Viewer, text: str, limit: int = 20) -> list[Party]:
    """Parties below the viewer by code, name, e-mail or telephone; a code that begins so comes first. One query."""
    words = text.split()
    if not words:
        return []
    rows = Party.visible.for_viewer(viewer)
    for word in words[:5]:
        fields = ("code", "name", "email", "phone", "contact")
        condition = Q()
        for field in fields:
            condition |= Q(**{f"{field}__icontains": word})
        rows = rows.filter(condition)
    found = list(rows.order_by("name")[: limit * 5])
    found.sort(key=lambda party: not party.code.startswith(words[0].lower()))
    return found[:limit]
