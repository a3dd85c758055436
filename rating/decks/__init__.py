"""Carriers' rate decks in, plain rows out. No database, no clock, no guess.

A deck is read by `read_deck`. What has two readings becomes a question; a line that cannot be read is
rejected with its number, its text and the reason, and the others go in.
"""

from __future__ import annotations

from rating.decks.deckrows import Deck, DeckRows
from rating.decks.reader import read_deck
from rating.decks.sample import Sample, sample
from rating.decks.values import (
    DeckQuestions,
    DeckRefused,
    DeckRow,
    Progress,
    Question,
    RejectedLine,
    Remembered,
)

__all__ = [
    "Deck",
    "DeckQuestions",
    "DeckRefused",
    "DeckRow",
    "DeckRows",
    "Progress",
    "Question",
    "RejectedLine",
    "Remembered",
    "Sample",
    "read_deck",
    "sample",
]
