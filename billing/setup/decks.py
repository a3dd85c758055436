"""A carrier's deck beside a set-up file, into a table that is still empty. Later decks come by `import_rates`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from billing.setup.reading import Entry, mapping, moment
from billing.setup.who import path_beside
from rating.decks import DeckQuestions, DeckRefused, DeckRow, read_deck
from rating.models import RateTable
from rating.services.rates import RateEntry
from tiers.errors import Invalid
from tiers.services.parties import ALWAYS


def deck_entries(table: RateTable, folder: Path | None, entry: Entry) -> list[RateEntry]:
    """The rates of the deck that `entry` names. Raises Invalid where it cannot be read in one way and whole."""
    path = path_beside(folder, entry, "file")
    answers: dict[str, Any] = entry.get("answers", mapping, {})
    effective = entry.get("effective", moment, None)
    try:
        deck = read_deck(path, now=timezone.now(), answers=answers, currency=table.currency, effective=effective)
    except DeckRefused as refused:
        raise Invalid(refused.code, refused.message, where="file", hint=refused.hint or None) from refused
    except DeckQuestions as questions:
        keys = ", ".join(f"{question.key} ({', '.join(question.options)})" for question in questions.questions)
        raise Invalid("deck_questions", str(questions), where="answers", hint=_("Answer: %s") % keys) from questions
    if deck.rejected:
        line = deck.rejected[0]
        raise Invalid(
            "deck_line", _("Line %(line)s: %(reason)s") % {"line": line.line, "reason": line.reason}, where="file"
        )
    return [_rate(row) for row in deck.rows]


def _rate(row: DeckRow) -> RateEntry:
    begin: datetime = row.effective_from or ALWAYS
    return RateEntry(
        prefix=row.prefix,
        price=Decimal(0) if row.price is None else row.price,
        effective_from=begin,
        destination=row.destination,
        connect_fee=row.connect_fee,
        first_s=row.first_s,
        step_s=row.step_s,
        grace_s=row.grace_s,
        free_s=row.free_s,
        min_charge=row.min_charge,
        blocked=row.closed or row.blocked,
    )
