"""The first lines of a file as a mapping would read them, for the person who is making it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from rating.usage.halves import Half
from rating.usage.mapping import FIXED
from rating.usage.protocol import UsageRefused
from rating.usage.reading import mapped_parser
from rating.usage.record import BadRow, UsageRow
from rating.usage.table import best_delimiter, split_or_none

SHOWN_LINES = 12
SHOWN_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class Preview:
    """Lines as they would be read, or `refused`: why the file would not be taken at all."""

    rows: Sequence[UsageRow | BadRow | Half]
    refused: str = ""


def preview(lines: Sequence[str], mapping: Mapping[str, object], time_zone: tzinfo, *, not_after: datetime) -> Preview:
    """`lines` are the first of the file; totals at its end are not looked at."""
    try:
        parser = mapped_parser(lines, mapping, time_zone, not_after)
    except UsageRefused as refused:
        return Preview([], " ".join(filter(None, (refused.message, refused.hint))))
    found = [row for number, line in enumerate(lines, 1) if (row := parser.parse(number, line)) is not None]
    return Preview(found[:SHOWN_LINES])


def columns_of(lines: Sequence[str], kind: str, delimiter: str = "", skip: int = 0) -> list[list[str]]:
    """The first lines cut into columns, all of one length; of a fixed-width file, no columns."""
    filled = [line for line in lines[skip:] if line.strip()]
    if kind == FIXED or not filled:
        return []
    mark = delimiter or best_delimiter(filled[min(1, len(filled) - 1)])
    rows = [(split_or_none(line, mark) or [line])[:SHOWN_COLUMNS] for line in filled[:SHOWN_LINES]]
    width = max(len(row) for row in rows)
    return [row + [""] * (width - len(row)) for row in rows]


def ruler(lines: Sequence[str]) -> str:
    """Tens and ones above a fixed-width file, to count characters by."""
    width = min(max((len(line) for line in lines), default=0), 250)
    tens = "".join(str(at // 10 % 10) if at % 10 == 0 else " " for at in range(1, width + 1))
    return tens + "\n" + "".join(str(at % 10) for at in range(1, width + 1))
