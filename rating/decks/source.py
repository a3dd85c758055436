"""From bytes to records: encodings, line ends, quotes and delimiters of files that people mail around.

A file that is no text is refused before anything is parsed. What is text is streamed line by line, so
that a deck of 300,000 lines needs little memory, and an unclosed quote costs its own line and not the
rest of the file. What came in cells (`RowSource`) joins the same way from here on.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rating.decks.values import DeckRefused

MAX_BYTES = 200 * 1024 * 1024
MAX_RECORD_LINES = 20
CHUNK_BYTES = 1 << 20
DELIMITERS = (",", ";", "\t", "|")
CONTROL = re.compile(rb"[\x01-\x08\x0b\x0e-\x19\x1b-\x1f]")

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x89PNG", "a picture"),
    (b"GIF8", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a program"),
)
MARKUP = re.compile(rb"\s*<(?:!doctype|html|\?xml|table)", re.IGNORECASE)


class Record(NamedTuple):
    """One record: the line it starts on, its text, its cells, and what is wrong with it (or "")."""

    line: int
    text: str
    cells: list[str]
    error: str


class Batch(NamedTuple):
    """Some records of a file: lines that only need cutting (their numbers and texts), and records that are cut."""

    numbers: list[int]
    lines: list[str]
    records: list[Record]


@dataclass
class Source:
    """A readable text file: its path, its encoding, and what had to be assumed to read it."""

    path: Path
    encoding: str
    errors: str = "strict"
    warnings: list[str] = field(default_factory=list)
    most_lines: int | None = field(default=None, kw_only=True)

    @property
    def shapes(self) -> tuple[tuple[str, bool], ...]:
        """The ways in which its lines may be cut: delimiter, and whether whole lines may stand in quotes."""
        return tuple((delimiter, unwrap) for delimiter in DELIMITERS for unwrap in (False, True))

    def opening(self, delimiter: str, count: int) -> Iterator[Record]:
        """The records of the first `count` lines, in which the header is looked for."""
        return cut_records(islice(self.lines(), count), delimiter)

    def lines(self) -> Iterator[str]:
        """The file's lines without their ends; LF, CRLF and CR alike."""
        with self.path.open(encoding=self.encoding, errors=self.errors, newline=None) as stream:
            for line in islice(stream, self.most_lines):
                yield line.rstrip("\n")

    def records(self, delimiter: str, *, unwrap: bool = False) -> Iterator[Record]:
        """The file's records, cut at `delimiter`; `unwrap` where each whole line stands in quotes."""
        for record in cut_records(self.lines(), delimiter):
            yield _unwrapped(record, delimiter) if unwrap else record

    def batches(self, delimiter: str, count: int, *, unwrap: bool = False) -> Iterator[Batch]:
        """The same records, some `count` at a time; lines without a quote are left to be cut many at once."""
        if unwrap:
            yield from _batched(self.records(delimiter, unwrap=True), count)
            return
        batch = Batch([], [], [])
        number, ahead, parser = 0, _Ahead(self.lines()), _LineParser(delimiter)
        for line in ahead:
            number += 1
            if '"' not in line:
                batch.numbers.append(number)
                batch.lines.append(line)
            else:
                batch.records.append(record := _quoted(parser, ahead, number, line))
                number += record.text.count("\n")
            if len(batch.lines) + len(batch.records) >= count:
                yield batch
                batch = Batch([], [], [])
        yield batch


@dataclass
class RowSource(Source):
    """A table that came in cells, from a workbook or JSON: nothing is left to cut. `read` begins it anew."""

    read: Callable[[], Iterator[Record]] = field(kw_only=True)

    @property
    def shapes(self) -> tuple[tuple[str, bool], ...]:
        """One: as it came."""
        return (("\t", False),)

    def opening(self, delimiter: str, count: int) -> Iterator[Record]:
        """The first `count` rows."""
        return islice(self._rows(), count)

    def lines(self) -> Iterator[str]:
        """The rows with tabs between the cells."""
        return ("\t".join(record.cells) for record in self._rows())

    def records(self, delimiter: str, *, unwrap: bool = False) -> Iterator[Record]:
        """The rows as they came."""
        return self._rows()

    def batches(self, delimiter: str, count: int, *, unwrap: bool = False) -> Iterator[Batch]:
        """The rows, some at a time."""
        return _batched(self._rows(), count)

    def _rows(self) -> Iterator[Record]:
        return islice(self.read(), self.most_lines)


def _batched(records: Iterator[Record], count: int) -> Iterator[Batch]:
    while found := list(islice(records, count)):
        yield Batch([], [], found)


def read_head(path: Path) -> bytes:
    """The first bytes of a file within bounds. Raises DeckRefused where it is too large, empty or unreadable."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            limit = MAX_BYTES // (1024 * 1024)
            raise DeckRefused(
                "too_large",
                f"The file has {size // (1024 * 1024)} MB; at most {limit} MB are read.",
                str(path),
                "Split the deck into several files.",
            )
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise DeckRefused("unreadable", f"The file cannot be read: {error.strerror}.", str(path)) from error
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise DeckRefused("empty", "The file is empty.", str(path), "Ask the carrier to send it again.")
    return head


def open_text(path: Path, head: bytes) -> Source:
    """Check that a file is text and find its encoding. Raises DeckRefused where it is not."""
    _refuse_other_formats(head, path)
    return _with_encoding(path, head)


def _refuse_other_formats(head: bytes, path: Path) -> None:
    hint = "Decks are read as CSV, XLSX, XLS or JSON (open rate card)."
    for magic, name in MAGIC:
        if head.startswith(magic):
            raise DeckRefused("not_text", f"The file is {name}, not a rate deck.", str(path), hint)
    if MARKUP.match(head):
        raise DeckRefused("not_text", "The file is a web page or XML, not a rate deck.", str(path), hint)


def _with_encoding(path: Path, head: bytes) -> Source:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked_utf16(Source(path, "utf-16"))
    if head[1::2].count(0) > len(head) // 3 and head[::2].count(0) == 0:
        return _checked_utf16(Source(path, "utf-16-le"))
    if head[::2].count(0) > len(head) // 3 and head[1::2].count(0) == 0:
        return _checked_utf16(Source(path, "utf-16-be"))
    bad_line = _scan_bytes(path)
    if bad_line is None:
        return Source(path, "utf-8-sig")
    warning = f"Not all of the file is UTF-8 (line {bad_line} first): those letters were read as Windows-1252."
    return Source(path, "utf-8-sig", "tollgate_cp1252", [warning])


def _checked_utf16(source: Source) -> Source:
    try:
        for line in source.lines():
            if "\x00" in line:
                raise _binary(source.path)
    except UnicodeError as error:
        raise _binary(source.path) from error
    return source


def _scan_bytes(path: Path) -> int | None:
    """Refuse bytes that no text has; return the line of the first that is not UTF-8, or None."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, bad_line, controls, size = 1, None, 0, 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            controls += len(CONTROL.findall(chunk))
            size += len(chunk)
            if b"\x00" in chunk or controls * 50 > size:
                raise _binary(path)
            if bad_line is None:
                bad_line = _first_bad_line(decoder, chunk, lines)
            lines += chunk.count(b"\n")
    return bad_line


def _first_bad_line(decoder: codecs.IncrementalDecoder, chunk: bytes, line: int) -> int | None:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as error:
        return line + error.object[: error.start].count(b"\n")
    return None


def _binary(path: Path) -> DeckRefused:
    return DeckRefused(
        "not_text", "The file holds bytes that no text has.", str(path), "Export the deck as CSV in UTF-8."
    )


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Decode what is not UTF-8 as Windows-1252, so that one old line does not spoil the others."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(_cp1252_letter(byte) for byte in wrong), error.end


def _cp1252_letter(byte: int) -> str:
    return bytes([byte]).decode("cp1252", errors="ignore") or chr(byte)


codecs.register_error("tollgate_cp1252", _as_cp1252)


def cut_records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    """Cut lines into records. A quoted cell may span lines; a quote never closed spoils only its own line."""
    number = 0
    ahead = _Ahead(lines)
    parser = _LineParser(delimiter)
    for line in ahead:
        number += 1
        if '"' not in line:
            yield Record(number, line, line.split(delimiter), "")
            continue
        record = _quoted(parser, ahead, number, line)
        yield record
        number += record.text.count("\n")


def _quoted(parser: _LineParser, ahead: _Ahead, number: int, line: str) -> Record:
    """The record that begins with a line in which a quote stands."""
    cells, used = parser.parse(line, ahead)
    text = "\n".join((line, *ahead.take(used))) if used else line
    return Record(number, text, cells, "" if cells else "a quote is not closed or stands in the wrong place")


class _Ahead:
    """Lines that can be looked at before they are taken."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._seen: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return self._seen.pop(0) if self._seen else next(self._lines)

    def peek(self, place: int) -> str | None:
        """The line at `place` (0: the next) without taking it, or None at the end of the file."""
        while len(self._seen) <= place:
            line = next(self._lines, None)
            if line is None:
                return None
            self._seen.append(line)
        return self._seen[place]

    def take(self, count: int) -> list[str]:
        """Take the next `count` lines, which were looked at before."""
        taken, self._seen = self._seen[:count], self._seen[count:]
        return taken


class _LineParser:
    """A strict CSV parser fed line by line, so that it can stop where a quote stays open and begin anew."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._text: str | None = None
        self._reader = csv.reader(self, delimiter=delimiter, strict=True, skipinitialspace=True)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._text is None:
            raise StopIteration
        text, self._text = self._text, None
        return text

    def parse(self, line: str, ahead: _Ahead) -> tuple[list[str], int]:
        """The cells of a record that begins with `line` (none: broken quotes), and its number of further lines."""
        text = line
        for used in range(MAX_RECORD_LINES):
            self._text = text
            try:
                return next(self._reader), used
            except csv.Error as error:
                following = ahead.peek(used) if "unexpected end of data" in str(error) else None
            if following is None:
                break
            text = f"{text}\n{following}"
        return self._loosely(line), 0

    def _loosely(self, line: str) -> list[str]:
        """The cells of a line whose quotes are mere inch marks inside words; none if a cell begins with one."""
        cells = line.split(self._delimiter)
        return [] if any(cell.lstrip().startswith('"') for cell in cells) else cells


def _unwrapped(record: Record, delimiter: str) -> Record:
    if len(record.cells) != 1 or delimiter not in record.cells[0]:
        return record
    inner = next(cut_records(iter([record.cells[0]]), delimiter))
    return Record(record.line, record.text, inner.cells, inner.error)
