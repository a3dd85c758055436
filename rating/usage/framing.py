"""Where one record ends and the next begins, in formats whose records are not lines.

Why: a call is a block of lines (FreeRADIUS detail), an element (XML) or an object (JSON), perhaps with a million of
them in one line. Files are cut into chunks at the ends of records, so that several workers read one file, and a record
that is damaged costs itself only: reading goes on where the next one visibly begins.

Bytes are looked at as latin-1, one character each, so that places are places in the file; all marks are ASCII.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from rating.usage.lines import BLOCK_BYTES, Chunk, TextShape, read_head, sniff_shape
from rating.usage.record import BadRow, bad_row

RECORD_LIMIT_BYTES = 1024 * 1024
CHUNK_LIMIT_BYTES = 32 * 1024 * 1024
"""Records may be large: a chunk ends here, however few it holds."""


class Span(NamedTuple):
    """A piece of the text looked at: from, to (behind it)."""

    start: int
    end: int


class Framing(Protocol):
    """Finds the next record."""

    def find(self, text: str, at: int) -> Span | None:
        """The next record, or the next stretch that is none but says something. None: nothing but filling is left.

        The text goes on for at least a record's greatest length, or is the rest of the file.
        """


class Blocks:
    """A block begins at the margin; the lines of its body are indented. Blank lines part blocks, or nothing does."""

    _filling = re.compile(r"\s*")
    _end = re.compile(r"(?:\r\n|\n|\r(?!\n))(?=\S|[ \t]*[\r\n])")

    def find(self, text: str, at: int) -> Span | None:
        start = _behind(self._filling, text, at)
        if start >= len(text):
            return None
        found = self._end.search(text, start)
        return Span(start, found.end() if found else len(text))


class Elements:
    """XML elements of one name, with or without an element around all of them, each perhaps with its own prologue."""

    def __init__(self, name: str) -> None:
        self._filling = re.compile(rf"(?:\s+|\ufeff|ï»¿|<\?[^>]{{0,500}}\?>|</?{name}s(?:\s[^>]{{0,500}})?>)*")
        self._begin = re.compile(rf"<{name}(?=[\s>/])")
        self._close = f"</{name}>"

    def find(self, text: str, at: int) -> Span | None:
        start = _behind(self._filling, text, at)
        if start >= len(text):
            return None
        following = self._begin.search(text, start + 1)
        limit = following.start() if following else len(text)
        if not self._begin.match(text, start):
            return Span(start, limit)
        close = text.find(self._close, start, limit)
        return Span(start, close + len(self._close) if close >= 0 else limit)


class Objects:
    """JSON objects: one a line, one a file over many lines, or as the members of an array.

    Behind an object that is damaged the next is looked for at the margin, or by the name it begins with.
    """

    _filling = re.compile(r"(?:[\s,\[\]\x1e]|ï»¿)*")
    _line_end = re.compile(r"\r\n|\n|\r")

    def __init__(self, first_name: str) -> None:
        self._decode = json.JSONDecoder(strict=False).raw_decode
        self._begin = re.compile(rf'(?<=[\r\n])\{{|\{{\s{{0,40}}"{first_name}"')

    def find(self, text: str, at: int) -> Span | None:
        start = _behind(self._filling, text, at)
        if start >= len(text):
            return None
        if text[start] == "{":
            try:
                return Span(start, self._decode(text, start)[1])
            except (ValueError, RecursionError):
                pass
        following = self._begin.search(text, start + 1)
        limit = following.start() if following else len(text)
        if text[start] == "{":
            return Span(start, limit)
        line_end = self._line_end.search(text, start, limit)
        return Span(start, line_end.end() if line_end else limit)


def _behind(filling: re.Pattern[str], text: str, at: int) -> int:
    found = filling.match(text, at)
    return found.end() if found else at


def plan_records(path: Path | str, framing: Framing, records_per_chunk: int) -> list[Chunk]:
    """Cuts the file at the ends of records. `Chunk.lines` counts records; reads the file once."""
    shape = sniff_shape(read_head(path))
    chunks: list[Chunk] = []
    size = Path(path).stat().st_size
    begin, first_line, line, count, position = shape.bom_bytes, 1, 1, 0, shape.bom_bytes
    with Path(path).open("rb") as file:
        for found in _records(file, Span(shape.bom_bytes, size), framing, shape):
            if count == records_per_chunk or (count and found.end - begin > CHUNK_LIMIT_BYTES):
                chunks.append(Chunk(len(chunks), begin, position, first_line, count))
                begin, first_line, count = position, line, 0
            count += 1
            position = found.end
            line = found.line + found.text.count(shape.newline)
    if count:
        chunks.append(Chunk(len(chunks), begin, size, first_line, count))
    return chunks


def read_records(
    path: Path | str, chunk: Chunk, framing: Framing, shape: TextShape | None = None
) -> Iterator[tuple[int, str] | BadRow]:
    """The chunk's records in order: (number of the first line, text), or a `BadRow` for what is no text.

    Codes: `record_too_long` (over 1 MiB), `encoding`, `nul_byte`.
    """
    shape = shape or sniff_shape(read_head(path))
    with Path(path).open("rb") as file:
        for found in _records(file, Span(chunk.byte_from, chunk.byte_to), framing, shape):
            yield _decoded(found, chunk.first_line - 1, shape.encoding)


class _Found(NamedTuple):
    """A record: where it ends in the file, the line it begins in (from 1, within what is read), its latin-1 text."""

    end: int
    line: int
    text: str


def _records(file: BinaryIO, where: Span, framing: Framing, shape: TextShape) -> Iterator[_Found]:
    file.seek(where.start)
    base, left = where.start, where.end - where.start
    text, at, line = "", 0, 1
    while True:
        if left and len(text) - at <= RECORD_LIMIT_BYTES:
            block = file.read(min(left, BLOCK_BYTES * 4))
            left = left - len(block) if block else 0
            text, base, at = text[at:] + block.decode("latin-1"), base + at, 0
            continue
        span = framing.find(text, at)
        if span is None:
            if not left:
                return
            span = Span(len(text), len(text))
        if left and span.start > at and len(text) - span.start <= RECORD_LIMIT_BYTES:
            line += text.count(shape.newline, at, span.start)
            at = span.start
            continue
        end = min(span.end, span.start + RECORD_LIMIT_BYTES + 1) if left else span.end
        line += text.count(shape.newline, at, span.start)
        if end > span.start:
            yield _Found(base + end, line, text[span.start : end])
            line += text.count(shape.newline, span.start, end)
        at = end


def _decoded(found: _Found, lines_before: int, encoding: str) -> tuple[int, str] | BadRow:
    number = found.line + lines_before
    if len(found.text) > RECORD_LIMIT_BYTES:
        reason = f"The record is longer than {RECORD_LIMIT_BYTES} bytes."
        return bad_row(number, found.text[:8000], "", "record_too_long", reason)
    raw = found.text.encode("latin-1")
    try:
        text = _text(raw, encoding)
    except UnicodeDecodeError:
        shown = raw.decode("utf-8", "backslashreplace")
        return bad_row(number, shown, "", "encoding", f"The record holds bytes that are not {encoding} text.")
    if "\0" in text:
        return bad_row(number, text, "", "nul_byte", "The record holds a zero byte, so it may be damaged.")
    return number, text


def _text(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(encoding)
