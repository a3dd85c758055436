"""What a format must offer, so that the pipeline need not know which one it reads.

Why: a new switch is a new file beside the others. An adapter looks at the first lines and says whether
they are its own; a parser, made from the same lines, turns one line into one record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from rating.usage.framing import Framing
from rating.usage.halves import Half
from rating.usage.record import BadRow, UsageRow

QUESTIONS = frozenset({"which_format", "which_columns"})
"""Codes of refusals that an answer resolves: the format to be chosen, the columns to be named."""


class UsageRefused(Exception):
    """The file as a whole cannot be read. Nothing of it is taken.

    `code` is for programs, `message` says what was seen, `where` in which place, `hint` what to do.
    """

    def __init__(self, code: str, message: str, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Match:
    """How sure an adapter is (0: not mine), and, where it is not, what it came near to (for the refusal)."""

    score: int
    near_miss: str = ""


class Parser(Protocol):
    """Reads the records of one file. No state is kept between them: several workers may share a file."""

    @property
    def has_ids(self) -> bool:
        """Whether the layout names each call; if not, records are known again by content and occurrence."""

    @property
    def data_from_line(self) -> int:
        """The number, from 1, of the first line that may hold a record."""

    @property
    def framing(self) -> Framing | None:
        """How records are told apart; None: each line is one."""

    def parse(self, line_no: int, text: str) -> UsageRow | BadRow | Half | None:
        """One record. None: no record and nothing wrong (blank, header, comment)."""


class Adapter(Protocol):
    """One format."""

    @property
    def name(self) -> str:
        """The code that a person types and a source stores, e.g. `asterisk`."""

    @property
    def label(self) -> str:
        """The name for people."""

    def recognise(self, head_lines: Sequence[str]) -> Match:
        """Looks at content, never at the file's name."""

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> Parser:
        """A parser for the file with these first lines, or `UsageRefused`.

        `time_zone` reads times without an offset; a time after `not_after` is quarantined.
        """


class Mappable(Protocol):
    """A format whose columns come in an order that its user set."""

    def prepare_mapped(
        self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime, columns: Sequence[str]
    ) -> Parser:
        """A parser for these columns, in this order; names that are not known are passed over."""
