"""Excel workbooks, old and new: unpacked by another process, and read from there as rows of text."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rating.decks import unpack_sheets as child
from rating.decks.source import Record, RowSource, Source
from rating.decks.values import DeckRefused

MAX_UNPACKED_BYTES = 1 << 30
MAX_WAIT_S = 180
RUN = f"import sys; from {child.__name__} import main; sys.exit(main(*sys.argv[1:]))"
AS_CSV = "Save the sheet as CSV and import that."


def open_zip(path: Path, folder: Path) -> dict[str, Source]:
    """The sheets of an `.xlsx` file by name. Raises DeckRefused where the archive is none, or unpacks to too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DeckRefused(
            "not_text", "The file is a zip archive or an Excel workbook, and damaged.", str(path), AS_CSV
        ) from error
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        raise DeckRefused("not_text", f"The file is {_what_zip(entries)}, not a rate deck.", str(path), AS_CSV)
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise _too_large(path)
    return unpacked(path, folder)


def unpacked(path: Path, folder: Path) -> dict[str, Source]:
    """The sheets of a workbook by name, hidden ones only where none is visible; their rows lie in `folder`."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(path.absolute()), str(folder)],
            cwd=Path(__file__).parents[2],
            env={"PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MAX_WAIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_large(path) from error
    if done.returncode == child.PASSWORD:
        raise DeckRefused("password", "The workbook is protected by a password.", str(path), "Save it without one.")
    if done.returncode < 0 or done.returncode == child.TOO_LARGE:
        raise _too_large(path)
    if done.returncode:
        raise DeckRefused(
            "not_text", "The file is an Office document in which no table can be read.", str(path), AS_CSV
        )
    sheets = json.loads((folder / child.INDEX).read_text(encoding="utf-8"))
    shown = [sheet for sheet in sheets if not sheet["hidden"]] or sheets
    return {sheet["name"]: RowSource(path, "utf-8", read=partial(_records, folder / sheet["file"])) for sheet in shown}


def _records(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8", newline="") as stream:
        for number, cells in enumerate(csv.reader(stream), start=1):
            yield Record(number, " | ".join(cells), cells, "")


def _what_zip(entries: list[zipfile.ZipInfo]) -> str:
    names = {entry.filename for entry in entries}
    if any(name.startswith("word/") for name in names):
        return "a Word document"
    if "mimetype" in names:
        return "an OpenDocument file"
    return "a binary Excel workbook" if "xl/workbook.bin" in names else "a zip archive"


def _too_large(path: Path) -> DeckRefused:
    return DeckRefused(
        "too_large", "The workbook unpacks to more than can be read.", str(path), "Save its sheet as CSV."
    )
