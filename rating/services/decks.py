"""A carrier's deck into a rate table: all of it or nothing, and the same deck again changes nothing.

Each row of the deck is set against the rate that is in force when it begins. A new price closes the one before it at
that moment and ends where a later one, entered before, begins. A closed code is blocked from its date, or ends there
where the carrier's profile says that calls then go by the shorter code.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.decks import Deck, DeckRefused, DeckRows, RejectedLine, read_deck
from rating.models import Carrier, RateTable
from rating.services.carriers import create_carrier, update_carrier
from rating.services.rates import create_table, raise_version
from rating.sql import read as read_sql
from tiers.errors import Conflict, Invalid, NotFound
from tiers.models import Party
from tiers.services.writing import written_by
from tiers.viewer import Actor

BATCH_ROWS = 50_000
DECK_ROW = """
DROP TABLE IF EXISTS pg_temp.deck_row, pg_temp.deck_seen, pg_temp.deck_outcome;
CREATE TEMP TABLE deck_row (
    prefix text NOT NULL, destination text NOT NULL, price numeric(18,8), connect_fee numeric(18,8) NOT NULL,
    first_s integer, step_s integer NOT NULL, grace_s integer NOT NULL, free_s integer NOT NULL,
    min_charge numeric(18,8) NOT NULL, begins timestamptz NOT NULL, closed boolean NOT NULL, blocked boolean NOT NULL
) ON COMMIT DROP;
"""
COPY = "COPY deck_row FROM STDIN (FORMAT csv, FORCE_NOT_NULL (destination))"


@dataclass(frozen=True, slots=True)
class NewTable:
    """What a table is made with where there is none: who owns it, its currency, and whose costs it holds (or "")."""

    owner: str
    currency: str
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class DeckImport:
    """What became of a deck: `read` and `rejected` count lines, the others prefixes."""

    read: int
    added: int
    changed: int
    closed: int
    unchanged: int
    rejected: list[RejectedLine] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The shape that `import_rates --json` prints."""
        return {
            "read": self.read,
            "added": self.added,
            "changed": self.changed,
            "closed": self.closed,
            "unchanged": self.unchanged,
            "rejected": [line._asdict() for line in self.rejected],
            "warnings": self.warnings,
        }


def import_deck(
    table: RateTable,
    path: Path,
    *,
    actor: Actor,
    now: datetime | None = None,
    effective: datetime | None = None,
    answers: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> DeckImport:
    """Bring a deck into a table; dates in it begin at midnight of the table's zone.

    `effective` replaces the deck's dates, even into the past. `answers` go before those kept with the carrier.
    A dry run tells what would happen. Raises Invalid for a file that is no deck, DeckQuestions where it has two
    readings: nothing is written then.
    """
    moment = now or timezone.now()
    deck = _read(table, path, moment, effective, answers or {})
    with written_by(actor):
        RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
        result = _merge(table, deck, moment)
        if dry_run:
            transaction.set_rollback(True)
    return result


def import_deck_by_code(
    code: str, path: Path, *, actor: Actor, create: NewTable | None = None, dry_run: bool = False, **given: Any
) -> DeckImport:
    """`import_deck` into the table of this code; with `create`, into a new one where there is none yet.

    Raises NotFound, Conflict (the table stands with other terms), and what `import_deck` raises.
    """
    with written_by(actor):
        table: RateTable | None = RateTable.objects.select_related("owner").filter(code=code).first()
        if create is not None:
            table = _created(code, table, create, actor)
        if table is None:
            raise NotFound(
                "no_table",
                _("There is no rate table %s.") % code,
                where="table",
                hint=_("Give --create with --owner and --currency to make it."),
            )
        result = import_deck(table, path, actor=actor, **given)
        if dry_run:
            transaction.set_rollback(True)
    return result


def _read(table: RateTable, path: Path, now: datetime, effective: datetime | None, answers: Mapping[str, str]) -> Deck:
    kept: dict[str, str] = {}
    for carrier in Carrier.objects.filter(cost_table=table).order_by("pk"):
        kept |= carrier.deck_answers
    try:
        return read_deck(
            path,
            now=now,
            time_zone=table.time_zone,
            answers={**kept, **answers},
            currency=table.currency,
            effective=effective,
        )
    except DeckRefused as refused:
        raise Invalid(
            refused.code, refused.message, where=refused.where or None, hint=refused.hint or None
        ) from refused


def _merge(table: RateTable, deck: Deck, now: datetime) -> DeckImport:
    reverts = Carrier.objects.filter(cost_table=table, closed_reverts=True).exists()
    with connection.cursor() as cursor:
        cursor.execute(DECK_ROW)
        _copy(cursor, deck.rows, now)
        cursor.execute(read_sql("deck_import.sql"), {"table": table.pk, "reverts": reverts})
        added, changed, closed, unchanged, stand, renamed = cursor.fetchone()
    if added or changed or closed or renamed:
        raise_version(table)
    warnings = list(deck.warnings)
    if stand:
        warnings.append(f"{stand} codes have a later price entered before, which stands from its date on.")
    return DeckImport(deck.read, added, changed, closed, unchanged, deck.rejected, warnings, deck.columns)


def _copy(cursor: Any, rows: DeckRows, now: datetime) -> None:
    """Send the rows in batches, so that a large deck does not stand in memory twice."""
    for at in range(0, len(rows), BATCH_ROWS):
        lines = rows[at : at + BATCH_ROWS].csv(now)
        cursor.copy_expert(COPY, io.StringIO("\n".join(lines)))


def _created(code: str, table: RateTable | None, create: NewTable, actor: Actor) -> RateTable:
    """The table, made if need be, and its carrier."""
    owner = Party.objects.filter(code=create.owner).first()
    if owner is None:
        raise NotFound("no_party", _("There is no party %s.") % create.owner, where="owner")
    if table is None:
        table = create_table(owner, code, code, create.currency, actor=actor)
    elif (table.owner_id, table.currency) != (owner.pk, create.currency):
        raise Conflict(
            "table_differs",
            _("The rate table %(code)s stands already, in %(currency)s and owned by %(owner)s.")
            % {"code": code, "currency": table.currency, "owner": table.owner.code},
            where="table",
        )
    if create.carrier:
        _supply(create.carrier, table, owner, actor)
    return table


def _supply(code: str, table: RateTable, owner: Party, actor: Actor) -> None:
    """Make the table the cost table of the carrier of this code, made if need be."""
    carrier: Carrier | None = Carrier.objects.filter(code=code).first()
    if carrier is None:
        create_carrier(owner, code, code, actor=actor, cost_table=table)
    elif carrier.cost_table_id is None:
        update_carrier(carrier, actor=actor, cost_table=table)
    elif carrier.cost_table_id != table.pk:
        raise Conflict(
            "carrier_has_table",
            _("The carrier %s has another cost table.") % code,
            where="carrier",
            hint=_("Import into that table, or leave the carrier away."),
        )
