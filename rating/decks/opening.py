"""Which kind of file a deck is, told by its content: carriers rename what they send, and mail programs do too."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rating.decks import source as text
from rating.decks.layout import find_layout
from rating.decks.ratecard import open_card
from rating.decks.source import Source, open_text, read_head
from rating.decks.values import DeckQuestions, DeckRefused, Question
from rating.decks.workbook import open_zip, unpacked

GZIP, ZIP, OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
SHEET, CARD = "sheet", "card"
Columns = tuple[Mapping[str, str] | None, Mapping[str, str] | None]
"""Columns by role: as given, and as remembered."""
TEXTS = {
    SHEET: "More than one sheet may hold the rates: {names}. Which one?",
    CARD: "The file holds more than one card of rates: {names}. Which one?",
}


@contextmanager
def opened(
    path: Path,
    answers: Mapping[str, str],
    mapping: Mapping[str, str] | None = None,
    remembered: Mapping[str, str] | None = None,
) -> Iterator[Source]:
    """The table of a file, be it text, a workbook, an open rate card in JSON, or one of these in gzip.

    What has to be unpacked lies in a folder that goes when the reading ends. Raises DeckRefused, and DeckQuestions
    where several sheets or cards may be meant.
    """
    with tempfile.TemporaryDirectory(prefix="deck-") as folder:
        head = read_head(path)
        file = path
        if head.startswith(GZIP):
            file = _gunzipped(path, Path(folder))
            head = read_head(file)
        yield _table(path, file, head, Path(folder), answers, (mapping, remembered))


def _table(path: Path, file: Path, head: bytes, folder: Path, answers: Mapping[str, str], columns: Columns) -> Source:
    if head.startswith(ZIP):
        return _one(SHEET, _with_header(open_zip(file, folder), columns), answers, path)
    if head.startswith(OLE):
        return _one(SHEET, _with_header(unpacked(file, folder), columns), answers, path)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[{", b"[[")):
        return _one(CARD, open_card(file), answers, path)
    return open_text(file, head)


def _one(key: str, found: dict[str, Source], answers: Mapping[str, str], path: Path) -> Source:
    """The only one, or the one that was answered."""
    if not found:
        raise DeckRefused("empty", "The file holds no table.", str(path), "Ask the carrier to send it again.")
    if len(found) == 1:
        return next(iter(found.values()))
    if answers.get(key) in found:
        return found[answers[key]]
    raise DeckQuestions([Question(key, TEXTS[key].format(names=", ".join(found)), tuple(found))])


def _with_header(sheets: dict[str, Source], columns: Columns) -> dict[str, Source]:
    """The sheets with a header that is known; where there is none, those that are not blank."""
    known = {}
    for name, sheet in sheets.items():
        try:
            find_layout(sheet, *columns)
        except DeckRefused as refused:
            if refused.code != "no_header":
                raise
            continue
        known[name] = sheet
    if known:
        others = [name for name in sheets if name not in known]
        if others and len(known) == 1:
            next(iter(known.values())).warnings.append(f"Sheets without rates were left out: {', '.join(others)}.")
        return known
    filled = {name: sheet for name, sheet in sheets.items() if any(line.strip() for line in sheet.lines())}
    for sheet in filled.values():
        find_layout(sheet, *columns)
    return filled


def _gunzipped(path: Path, folder: Path) -> Path:
    """The file inside, of at most as many bytes as an unpacked file may have."""
    target, size = folder / "unpacked", 0
    try:
        with gzip.open(path) as packed, target.open("wb") as stream:
            while chunk := packed.read(text.CHUNK_BYTES):
                size += len(chunk)
                if size > text.MAX_BYTES:
                    limit = text.MAX_BYTES // (1024 * 1024)
                    raise DeckRefused("too_large", f"The file unpacks to more than {limit} MB.", str(path))
                stream.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DeckRefused(
            "not_text", "The file is a damaged gzip archive.", str(path), "Ask the carrier to send it again."
        ) from error
    with target.open("rb") as stream:
        if stream.read(2) == GZIP:
            raise DeckRefused("not_text", "The file is a gzip archive in a gzip archive.", str(path))
    return target
