"""eurofxref.csv and eurofxref-hist.csv: a line a day, a column a currency, a comma too many at the end of each line.

The daily file writes `20 November 2026` and blanks after commas, the history `2026-11-20` and `N/A`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext as _

from tiers.errors import Invalid

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
LONG_DAY = re.compile(r"^(\d{1,2})\s+([A-Za-z]+)\s+(\d{4})$")
MOST_COLUMNS = 400


def csv_cells(content: bytes) -> Iterator[tuple[date, str, str]]:
    """(day, currency, rate as written) of every cell. Raises Invalid at a line that is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("encoding", _("The file is not written in UTF-8."), where="file") from error
    lines = csv.reader(io.StringIO(text), skipinitialspace=True)
    try:
        head = [name.strip().upper() for name in next(lines)]
        if len(head) > MOST_COLUMNS:
            raise Invalid("columns", _("The file has too many columns."), where="line 1")
        for line in lines:
            if any(cell.strip() for cell in line):
                yield from _line(head, line, lines.line_num)
    except csv.Error as error:
        raise Invalid("csv", _("The file is not a CSV file."), where=f"line {lines.line_num}") from error


def _line(head: list[str], line: list[str], number: int) -> Iterator[tuple[date, str, str]]:
    cells = [cell.strip() for cell in line]
    if len(cells) > len(head) and any(cells[len(head) :]):
        raise Invalid("columns", _("The line has more rates than the first line names."), where=f"line {number}")
    day = read_day(cells[0])
    if day is None:
        raise Invalid("day", _("%s is not a day.") % cells[0][:40], where=f"line {number}")
    for currency, text in zip(head[1:], cells[1:], strict=False):
        if currency:
            yield day, currency, text


def read_day(text: str) -> date | None:
    """`2026-11-20` or `20 November 2026` (the bank writes English, whatever the reader's language)."""
    try:
        long = LONG_DAY.match(text)
        if long is None:
            return date.fromisoformat(text)
        names = [name for name in MONTHS if len(long[2]) >= 3 and name.startswith(long[2].lower())]
        return date(int(long[3]), MONTHS.index(names[0]) + 1, int(long[1])) if names else None
    except ValueError:
        return None
