"""What most line formats share: one line in, one record or one quarantined line out, and checks on both.

Why: each adapter should say only how its own switch writes a call. What makes a call unbelievable (answered
before it began, billed for longer than it lasted, billed without a number) is the same for all of them.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from rating.usage import fields
from rating.usage.fields import FieldError
from rating.usage.framing import Framing
from rating.usage.halves import Half
from rating.usage.record import OUT, BadRow, UsageRow, bad_row
from rating.usage.table import split_or_none

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class LineParser(ABC):
    """A parser whose every line (or record) stands for itself. What `read` finds wrong goes into the quarantine."""

    framing: Framing | None = None

    def __init__(self, zone: tzinfo, not_after: datetime, *, has_ids: bool = True, data_from_line: int = 1) -> None:
        self.has_ids = has_ids
        self.data_from_line = data_from_line
        self._clock = fields.Clock(zone, not_after)

    def parse(self, line_no: int, text: str) -> UsageRow | BadRow | Half | None:
        if line_no < self.data_from_line or not text.strip():
            return None
        try:
            return self.read(line_no, text)
        except FieldError as error:
            return bad_row(line_no, text, error.field, error.code, error.reason)

    @abstractmethod
    def read(self, line_no: int, text: str) -> UsageRow | Half | None:
        """One line that is not blank; `FieldError` for what cannot be used, None for a repeated header."""

    def started(self, field: str, text: str) -> datetime:
        """The start of the call, which every record needs."""
        found = self._clock.read(field, text)
        if found is None:
            raise FieldError(field, "missing", "The line names no start.")
        return found


def mostly(head_lines: Sequence[str], looks: Callable[[list[str]], bool], delimiter: str = ",") -> bool:
    """Whether at least a third of the lines that are not blank look so; the rest may be damaged."""
    rows = [split_or_none(line, delimiter) for line in head_lines if line.strip()]
    found = sum(1 for cells in rows if cells and looks([cell.strip() for cell in cells]))
    return found > 0 and found * 3 >= len(rows)


def check_order(field: str, earlier: datetime | None, later: datetime | None) -> None:
    """`FieldError` (code `order`) where the later of two times lies before the earlier."""
    if earlier and later and later + timedelta(seconds=fields.CLOCK_SLACK_S) < earlier:
        raise FieldError(field, "order", f"{field} lies before the time that must come first.")


def check_callee(field: str, callee: str, billed_s: int) -> None:
    """`FieldError` (code `missing`) for a call that lasted and went to nobody."""
    if billed_s and not callee:
        raise FieldError(field, "missing", "The call lasted, but the number called is missing.")


def check_within(field: str, billed_s: int, lasted_s: int) -> None:
    """`FieldError` (code `inconsistent`) where more is billed than the call lasted; a second is rounding."""
    if billed_s > lasted_s + 1:
        reason = f"{billed_s} seconds are billed, but the call lasted {lasted_s}."
        raise FieldError(field, "inconsistent", reason)


def check_silent(field: str, billed_s: int) -> None:
    """`FieldError` (code `inconsistent`) for seconds billed on a call that has no time of answer."""
    if billed_s:
        reason = f"{billed_s} seconds are billed, but no time of answer is named."
        raise FieldError(field, "inconsistent", reason)


def told_direction(field: str, text: str) -> str:
    """The direction that a column tells, outgoing where it is empty; `FieldError` for words that are not known."""
    found = fields.direction(text) if text else OUT
    if found is None:
        raise FieldError(field, "direction", f"“{text[:20]}” is not a direction that is understood.")
    return found
