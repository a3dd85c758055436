"""A workbook to CSV files, one for each sheet, in a process of its own with bounds on memory, time and disk.

A small workbook can name its last cell in row 1,048,576 and make a reader ask for more memory than there is, which ends
the process that reads it. So it is not the worker's process: see `rating.decks.workbook`.
"""

from __future__ import annotations

import csv
import json
import resource
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from rating.decks.exact import float_text

MAX_MEMORY_BYTES = 2 << 30
MAX_WRITTEN_BYTES = 512 << 20
MAX_SECONDS = 120
MAX_CELL_LETTERS = 32_767
MAX_COLUMNS = 500
MAX_SHEETS = 100
INDEX = "sheets.json"

BROKEN, PASSWORD, TOO_LARGE = 10, 11, 12


def main(file: str, folder: str) -> int:
    """Write `0.csv`, `1.csv`... and `sheets.json` (name, hidden, file) into the folder; the exit code says why not."""
    _bound()
    try:
        _unpack(file, Path(folder))
    except PasswordError:
        return PASSWORD
    except (MemoryError, OSError):
        return TOO_LARGE
    except CalamineError:
        return BROKEN
    return 0


def cell_text(value: Any) -> str:
    """A cell as text. A date keeps its time, so that no code or increment that became a date is taken for one."""
    if isinstance(value, str):
        return value[:MAX_CELL_LETTERS]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return float_text(value)
    if isinstance(value, datetime):
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat()
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00"
    if isinstance(value, time):
        return value.replace(microsecond=0).isoformat()
    return str(value)


def _bound() -> None:
    for what, limit in (
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MAX_SECONDS),
        (resource.RLIMIT_FSIZE, MAX_WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def _unpack(file: str, folder: Path) -> None:
    book = CalamineWorkbook.from_path(file)
    found: list[dict[str, Any]] = []
    written = 0
    for place, sheet in enumerate(book.sheets_metadata[:MAX_SHEETS]):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        name = f"{place}.csv"
        with (folder / name).open("w", encoding="utf-8", errors="replace", newline="") as stream:
            csv.writer(stream).writerows(_rows(book, place))
        written += (folder / name).stat().st_size
        if written > MAX_WRITTEN_BYTES:
            raise MemoryError(written)
        found.append({"name": sheet.name, "hidden": sheet.visible != SheetVisibleEnum.Visible, "file": name})
    (folder / INDEX).write_text(json.dumps(found), encoding="utf-8")


def _rows(book: CalamineWorkbook, place: int) -> Iterator[list[str]]:
    """Every row from the first of the sheet on, so that the count of rows is the number a person sees."""
    for row in book.get_sheet_by_index(place).iter_rows():
        cells = [cell_text(value) for value in row[:MAX_COLUMNS]]
        while cells and not cells[-1].strip():
            cells.pop()
        yield cells
