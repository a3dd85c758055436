"""What a rate deck becomes, and the three ways in which reading one can stop short.

A deck is a carrier's price file. These are plain values without a database, so that the same reading
serves the import, its dry run and a preview on a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class DeckRow(NamedTuple):
    """One prefix of a deck. Prices per minute in the deck's currency; `price` is None only where `closed`.

    `effective_from` is a UTC instant (local midnight of the deck's zone) or None for "as soon as
    possible", which is in force at the moment of import. `first_s` and `step_s` are the increments in
    seconds. `closed`: the carrier withdraws the code from that date. `blocked`: it is listed but must not
    be called.
    """

    line: int
    prefix: str
    destination: str
    price: Decimal | None
    connect_fee: Decimal
    first_s: int | None
    step_s: int
    grace_s: int
    free_s: int
    min_charge: Decimal
    effective_from: datetime | None
    closed: bool
    blocked: bool


class RejectedLine(NamedTuple):
    """A line that did not go in: its number in the file (from 1), its text as it stands, and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class Question:
    """Something that only a person can decide; the answer is one of `options`, given under `key`.

    `samples` are cells of the very file that can be read in these ways.
    """

    key: str
    text: str
    options: tuple[str, ...]
    samples: tuple[str, ...] = ()


class Remembered(NamedTuple):
    """What was answered for earlier files: it settles what this file leaves open, and never speaks against it."""

    answers: Mapping[str, str]
    mapping: Mapping[str, str]


Progress = Callable[[int, int], None]
"""Told (lines read, lines in all; 0: not known yet) while a long file is read."""


class BadCell(ValueError):
    """A cell that cannot be read; its text is the reason given for rejecting the line."""


class DeckRefused(Exception):
    """The file is no deck at all, or an answer given with it is none: nothing of it can be used."""

    def __init__(self, code: str, message: str, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint


class DeckQuestions(Exception):
    """The file can be read in more than one way; reading goes on when every question has its answer."""

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__("; ".join(question.text for question in questions))
        self.questions = tuple(questions)
