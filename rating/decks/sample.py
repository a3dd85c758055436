"""The first lines of a file as cells, for a person to say which column is which where no header tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rating.decks import headers as h
from rating.decks.layout import find_layout
from rating.decks.opening import opened
from rating.decks.source import Source
from rating.decks.values import DeckRefused

ROWS, COLUMNS, LETTERS = 12, 30, 60
LOOK_AT_LINES = 100
ANY_COLUMNS = {h.CODE: "#1", h.PRICE: "#1"}


class Sample(NamedTuple):
    """`rows`: (line, cells); `roles`: what the names of columns (from 0) tell; `known`: a header was found."""

    rows: list[tuple[int, list[str]]]
    roles: dict[int, str]
    known: bool

    @property
    def width(self) -> int:
        """The number of columns."""
        return max((len(cells) for _line, cells in self.rows), default=0)


def sample(path: Path, answers: Mapping[str, str] | None = None) -> Sample:
    """The first lines from the header on, or of the whole file. Raises DeckRefused, DeckQuestions (which sheet)."""
    with opened(path, answers or {}, ANY_COLUMNS) as source:
        try:
            layout = find_layout(source)
        except DeckRefused:
            return Sample(_rows(source, _delimiter(source), 0), {}, known=False)
        roles = {column: role for role, column in layout.roles.items()}
        if layout.prices:
            roles |= {layout.prices[0].column: h.PRICE}
        first = max(layout.header_line - 1, 0)
        return Sample(_rows(source, layout.delimiter, first), roles, known=True)


def _rows(source: Source, delimiter: str, after_line: int) -> list[tuple[int, list[str]]]:
    records = (one for one in source.opening(delimiter, LOOK_AT_LINES + after_line) if one.line > after_line)
    filled = (one for one in records if any(cell.strip() for cell in one.cells))
    return [(one.line, [cell.strip()[:LETTERS] for cell in one.cells[:COLUMNS]]) for one in islice(filled, ROWS)]


def _delimiter(source: Source) -> str:
    """The mark by which most lines are cut into equally many cells."""
    marks = list(dict.fromkeys(delimiter for delimiter, _unwrap in source.shapes))
    lines = [line for line in islice(source.lines(), LOOK_AT_LINES) if line.strip()]

    def evenness(mark: str) -> tuple[int, int]:
        (count, size), *_others = Counter(line.count(mark) for line in lines).most_common(1) or [(0, 0)]
        return (size if count else 0, count)

    return max(marks, key=evenness)
