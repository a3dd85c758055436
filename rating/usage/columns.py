"""Reading by column name: where each wanted column stands in a file with a header.

Why: exports of one switch differ in the order and number of their columns from release to release; names stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rating.usage import fields
from rating.usage.fields import FieldError
from rating.usage.table import best_delimiter, split_line, split_or_none

PREAMBLE_LINES = 10


@dataclass(frozen=True, slots=True)
class Header:
    """A header as found: its line (from 1; 0 for none), its delimiter and its names, normalised, in order."""

    line: int
    delimiter: str
    names: tuple[str, ...]

    def places(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Field to column, by the first of its names that is there; -1 where none is."""
        at = {name: place for place, name in reversed(list(enumerate(self.names)))}
        return {field: next((at[name] for name in names if name in at), -1) for field, names in wanted.items()}

    def cells(self, text: str) -> list[str]:
        """The values of one line and "" at the end, for columns that are not there (place -1)."""
        found = fields.cleaned(split_line(text, self.delimiter))
        width = len(self.names)
        if len(found) < width or any(found[width:]):
            raise FieldError("", "columns", f"The line has {len(found)} columns, the header {width}.")
        return [*found[:width], ""]


def normal_name(text: str) -> str:
    """`Src. Channel` -> `src_channel`."""
    return re.sub(r"[\s\-./]+", "_", text.strip().lower()).strip("_")


def find_header(head_lines: Sequence[str], needed: frozenset[str]) -> Header | None:
    """The first of the first lines that has all the names needed."""
    for number, line in enumerate(head_lines[:PREAMBLE_LINES], 1):
        delimiter = best_delimiter(line)
        names = tuple(normal_name(cell) for cell in split_or_none(line, delimiter) or ())
        if needed <= set(names):
            return Header(number, delimiter, names)
    return None
