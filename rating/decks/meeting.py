"""Lines of a deck that name the same codes from the same date: which of them holds, and which is rejected."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from rating.decks.deckrows import DeckRows, Entry
from rating.decks.rows import Tally

_TWICE = "{n} codes stand twice with the same terms (line {line} first)."
_LATER = "{n} codes have two prices that have begun; the later holds (line {line} first)."


class Collector:
    """Sets lines against each other in order, so that a code has one price from one date.

    A line goes in whole or not at all: `rows` are entries taken, `refused` lines with the reason.
    """

    def __init__(self, tally: Tally, known: DeckRows) -> None:
        self.rows: list[Entry] = []
        self.refused: list[tuple[int, str]] = []
        self._places: dict[tuple[str, datetime | None], int] = {}
        self._tally, self._known = tally, known

    def add_all(self, frame: pl.DataFrame) -> None:
        """Take lines in the order of the frame."""
        for _line, rows in frame.group_by("line", maintain_order=True):
            self.add([(row[0], row[1], row[2], row[3], row[4]) for row in rows.iter_rows()])

    def add(self, entries: list[Entry]) -> None:
        """Take a line's codes, all or none. Of two prices that have begun, the later holds."""
        terms = self._known.terms[entries[0][4]]
        begins = terms.effective.begins
        for entry in entries:
            place = self._places.get((entry[1], begins))
            if place is not None and self._contradict(entry, self.rows[place]):
                other = self.rows[place][0]
                reason = f"the code {entry[1]} stands on line {other} with other terms from the same date"
                self.refused.append((entry[0], reason))
                return
        for note in terms.notes:
            self._tally.note(note, entries[0][0])
        for entry in entries:
            place = self._places.setdefault((entry[1], begins), len(self.rows))
            if place == len(self.rows):
                self.rows.append(entry)
            else:
                self._repeat(entry, place)

    def _contradict(self, one: Entry, other: Entry) -> bool:
        same_date = self._stated(one) == self._stated(other)
        return same_date and self._known.row(one)[3:] != self._known.row(other)[3:]

    def _stated(self, entry: Entry) -> datetime:
        return self._known.terms[entry[4]].effective.stated

    def _repeat(self, entry: Entry, place: int) -> None:
        stated, standing = self._stated(entry), self._stated(self.rows[place])
        self._tally.note(_TWICE if stated == standing else _LATER, entry[0])
        if stated > standing:
            self.rows[place] = entry
