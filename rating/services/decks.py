"""A carrier's deck into a rate table: all of it or nothing, and the same deck again changes nothing.

Each row of the deck is set against the rate that is in force when it begins. A new price closes the one before it at
that moment and ends where a later one, entered before, begins. A closed code is blocked from its date, or ends there
where the carrier's profile says that calls then go by the shorter code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.decks import Deck, DeckRefused, Progress, RejectedLine, Remembered, read_deck
from rating.models import Carrier, RateTable
from rating.services.carriers import create_carrier, update_carrier
from rating.services.deck_compare import DeckDiff, compared, diff
from rating.services.deck_memory import memory_for, remember
from rating.services.rates import create_table, raise_version
from rating.sql import read as read_sql
from tiers.errors import Conflict, Invalid, NotFound
from tiers.models import Party
from tiers.services.writing import written_by
from tiers.viewer import Actor


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


@dataclass(frozen=True, slots=True)
class DeckPreview:
    """A deck as read, and what it would change."""

    deck: Deck
    diff: DeckDiff

    def to_json(self) -> dict[str, Any]:
        """The shape that `import_rates --preview --json` prints."""
        return {
            "read": self.deck.read,
            "rejected": [line._asdict() for line in self.deck.rejected],
            "warnings": self.deck.warnings,
            "columns": self.deck.columns,
            **self.diff.to_json(),
        }


def import_deck(
    table: RateTable,
    path: Path,
    *,
    actor: Actor,
    now: datetime | None = None,
    effective: datetime | None = None,
    answers: Mapping[str, str] | None = None,
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> DeckImport:
    """Bring a deck into a table; dates in it begin at midnight of the table's zone.

    `effective` replaces the deck's dates, even into the past. `answers` and `mapping` (columns by role) go before
    those kept with the carrier. A dry run tells what would happen. Raises Invalid for a file that is no deck,
    DeckQuestions where it has two readings: nothing is written then.
    """
    moment = now or timezone.now()
    deck = read_for(table, path, moment, effective=effective, answers=answers, mapping=mapping, progress=progress)
    with written_by(actor):
        return merge_deck(table, deck, moment, write=not dry_run)


def import_deck_by_code(
    code: str,
    path: Path,
    *,
    actor: Actor,
    create: NewTable | None = None,
    dry_run: bool = False,
    keep: bool = False,
    **given: Any,
) -> DeckImport:
    """`import_deck` into the table of this code; with `create`, into a new one where there is none yet.

    `keep`: remember answers and columns with the carrier. Raises NotFound, Conflict (the table stands with other
    terms), and what `import_deck` raises.
    """
    with written_by(actor):
        table = _found_or_created(code, create, actor)
        result = import_deck(table, path, actor=actor, dry_run=dry_run, **given)
        if keep:
            remember(table, given.get("answers") or {}, given.get("mapping") or {}, actor=actor)
        if dry_run:
            transaction.set_rollback(True)
    return result


def preview_deck_by_code(
    code: str, path: Path, *, actor: Actor, create: NewTable | None = None, now: datetime | None = None, **given: Any
) -> DeckPreview:
    """What `import_deck_by_code` would do, price by price; nothing is written."""
    moment = now or timezone.now()
    wanted = {name: given.get(name) for name in ("effective", "answers", "mapping")}
    with written_by(actor):
        table = _found_or_created(code, create, actor)
        deck = read_for(table, path, moment, **wanted)
        found = DeckPreview(deck, diff(table, deck, moment))
        transaction.set_rollback(True)
    return found


def _found_or_created(code: str, create: NewTable | None, actor: Actor) -> RateTable:
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
    return table


def read_for(
    table: RateTable,
    path: Path,
    now: datetime,
    *,
    effective: datetime | None = None,
    answers: Mapping[str, str] | None = None,
    mapping: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    most_lines: int | None = None,
) -> Deck:
    """A file as a deck of this table: in its currency and zone, with what is remembered of its carrier.

    Raises Invalid for a file that is no deck, DeckQuestions where it has two readings.
    """
    kept = memory_for(table)
    try:
        return read_deck(
            path,
            now=now,
            time_zone=table.time_zone,
            answers=answers,
            mapping=mapping,
            remembered=Remembered(kept.answers, kept.mapping),
            currency=table.currency,
            effective=effective,
            progress=progress,
            most_lines=most_lines,
        )
    except DeckRefused as refused:
        raise Invalid(
            refused.code, refused.message, where=refused.where or None, hint=refused.hint or None
        ) from refused


def merge_deck(table: RateTable, deck: Deck, now: datetime, *, write: bool = True) -> DeckImport:
    """The rows of a deck into the table, under its lock; the caller's transaction."""
    RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    with compared(table, deck, now) as (cursor, found):
        if write:
            cursor.execute(read_sql("deck_write.sql"), {"table": table.pk})
    if write and (found.added or found.changed or found.closed or found.renamed):
        raise_version(table)
    warnings = list(deck.warnings)
    if found.stand:
        warnings.append(f"{found.stand} codes have a later price entered before, which stands from its date on.")
    return DeckImport(
        deck.read, found.added, found.changed, found.closed, found.unchanged, deck.rejected, warnings, deck.columns
    )


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
