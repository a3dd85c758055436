"""A carrier's deck beside a set-up file, into a table that is still empty. Later decks come by `import_rates`.

Dates in it count as they stand, also past ones; rows without a date hold always.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from billing.setup.reading import Entry, mapping, moment
from billing.setup.tally import Tally
from billing.setup.who import path_beside
from rating.decks import DeckQuestions
from rating.models import RateTable
from rating.services.decks import import_deck
from tiers.errors import Invalid
from tiers.services.parties import ALWAYS
from tiers.viewer import Actor


def bring_deck(table: RateTable, folder: Path | None, entry: Entry, tally: Tally, actor: Actor) -> None:
    """Import the deck that `entry` names. Raises Invalid where it cannot be read in one way and whole."""
    path = path_beside(folder, entry, "file")
    answers: dict[str, Any] = entry.get("answers", mapping, {})
    effective = entry.get("effective", moment, None)
    if table.rates.exists():
        return
    try:
        deck = import_deck(table, path, actor=actor, now=ALWAYS, effective=effective, answers=answers)
    except DeckQuestions as asked:
        keys = ", ".join(f"{question.key} ({', '.join(question.options)})" for question in asked.questions)
        raise Invalid("deck_questions", str(asked), where="answers", hint=_("Answer: %s") % keys) from asked
    if deck.rejected:
        line = deck.rejected[0]
        message = _("Line %(line)s: %(reason)s") % {"line": line.line, "reason": line.reason}
        raise Invalid("deck_line", message, where="file")
    tally.created += deck.added
