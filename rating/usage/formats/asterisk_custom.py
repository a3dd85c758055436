"""Asterisk's `Master.csv` as module cdr_custom writes it in the order of its sample configuration: 19 columns.

    clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, start, answer, end, duration, billsec,
    disposition, amaflags, accountcode, uniqueid, userfield, sequence

Why: this file bears the same name as that of cdr_csv. It is told apart by content; each line is put into the
standard order and read by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rating.usage import fields
from rating.usage.base import mostly
from rating.usage.fields import FieldError
from rating.usage.formats import asterisk
from rating.usage.formats.asterisk import AsteriskParser
from rating.usage.protocol import Match, UsageRefused
from rating.usage.table import split_line

WIDTH = 19
STANDARD = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start"),
    *("answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "peeraccount"),
    *("linkedid", "sequence"),
)
_SCORE = 80


def _standard(cells: Sequence[str]) -> list[str]:
    """The 19 columns in the order of the 21 of cdr_csv; peer account and linked id are not in the file."""
    clid, src, dst, dcontext, *rest = cells
    middle, (account, unique_id, user_field, sequence) = rest[:11], rest[11:]
    return [account, src, dst, dcontext, clid, *middle, unique_id, user_field, "", "", sequence]


def _looks_so(cells: list[str]) -> bool:
    return len(cells) == WIDTH and asterisk.looks_standard(_standard(cells)) and (cells[18].isdigit() or not cells[18])


class AsteriskCustom:
    """The adapter of this format."""

    name = "asterisk_custom"
    label = "Asterisk cdr_custom, 19 columns in the order of its sample, caller's name first"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        return Match(_SCORE if mostly(head_lines, _looks_so) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> AsteriskCustomParser:
        if not self.recognise(head_lines).score:
            message = f"No line has the {WIDTH} columns of Asterisk's cdr_custom sample."
            raise UsageRefused("unknown_layout", message, "line 1", "Export as CSV with a header.")
        return AsteriskCustomParser(True, time_zone, not_after)

    def prepare_mapped(
        self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime, columns: Sequence[str]
    ) -> AsteriskMappedParser:
        """With the columns in the order of `cdr_custom.conf`, by the names of its variables."""
        return AsteriskMappedParser(columns, time_zone, not_after)


class AsteriskCustomParser(AsteriskParser):
    """Reads lines in that order."""

    def cells(self, text: str) -> list[str]:
        found = fields.cleaned(split_line(text, ","))
        if len(found) != WIDTH:
            raise FieldError("", "columns", f"The line has {len(found)} columns; this layout has {WIDTH}.")
        return _standard(found)


class AsteriskMappedParser(AsteriskParser):
    """Reads lines in an order that was said; what a line lacks of the standard is empty."""

    def __init__(self, columns: Sequence[str], zone: tzinfo, not_after: datetime) -> None:
        self._columns = len(columns)
        self._places = [columns.index(name) if name in columns else -1 for name in STANDARD]
        super().__init__("uniqueid" in columns, zone, not_after)

    def cells(self, text: str) -> list[str]:
        found = fields.cleaned(split_line(text, ","))
        if len(found) != self._columns:
            reason = f"The line has {len(found)} columns; the source's mapping names {self._columns}."
            raise FieldError("", "columns", reason)
        found.append("")
        return [found[place] for place in self._places]
