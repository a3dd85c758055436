"""Lines out of a file of any size, in little memory, and none of them able to spoil the next.

Why: real files come in UTF-8, UTF-16 or a Windows code page, with any line end, with NUL bytes and lines
without end. One line is one record here, whatever quotes it holds. Files are cut into chunks at line
ends, so that several workers read one file.

Rules: a BOM or the pattern of zero bytes tells UTF-16. If the first 64 KiB are UTF-8, the whole file is,
and a line that is not goes to quarantine. If they are not, each line is read as UTF-8 or else as cp1252. A
line ends at \\n or \\r\\n, or at \\r where the head has more of these alone than of \\n.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from rating.usage.record import BadRow, bad_row

HEAD_BYTES = 64 * 1024
HEAD_LINES = 50
LINE_LIMIT_BYTES = 64 * 1024
BLOCK_BYTES = 1024 * 1024
LINES_PER_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class TextShape:
    """How bytes become lines: `utf-8`, `utf-16-le`, `utf-16-be` or `cp1252`; bytes of the BOM; \\n or \\r."""

    encoding: str
    bom_bytes: int
    newline: str

    @property
    def unit_bytes(self) -> int:
        return 2 if self.encoding.startswith("utf-16") else 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole lines: bytes [byte_from, byte_to), the number of its first line (from 1), how many."""

    index: int
    byte_from: int
    byte_to: int
    first_line: int
    lines: int


def sniff_shape(head: bytes) -> TextShape:
    """Encoding and line end, told from the first bytes (see the module's rules)."""
    encoding, bom_bytes = _encoding(head)
    text = head[bom_bytes:].decode(encoding, "replace")
    bare_returns = text.count("\r") - text.count("\r\n") - text.endswith("\r")
    return TextShape(encoding, bom_bytes, "\r" if bare_returns > text.count("\n") else "\n")


def _encoding(head: bytes) -> tuple[str, int]:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8", 3
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", 2
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be", 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half >= 4 and odd * 2 > half and even * 10 < half:
        return "utf-16-le", 0
    if half >= 4 and even * 2 > half and odd * 10 < half:
        return "utf-16-be", 0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return "cp1252", 0
    return "utf-8", 0


def read_head(path: Path | str) -> bytes:
    """The first 64 KiB, for `registry.detect` and `sniff_shape`."""
    with Path(path).open("rb") as file:
        return file.read(HEAD_BYTES)


def decode_head(head: bytes) -> list[str]:
    """Up to 50 first lines. What cannot be decoded is replaced: this is for recognising, not for rating."""
    shape = sniff_shape(head)
    text = head[shape.bom_bytes :].decode(shape.encoding, "replace")
    lines = text.split(shape.newline)
    if len(head) >= HEAD_BYTES and len(lines) > 1:
        lines.pop()
    return [_trim(line, shape) for line in lines[:HEAD_LINES]]


def plan_chunks(path: Path | str, lines_per_chunk: int = LINES_PER_CHUNK) -> list[Chunk]:
    """Cuts the file at line ends. Reads it once, block by block; an empty file gives no chunk."""
    shape = sniff_shape(read_head(path))
    chunks: list[Chunk] = []
    chunk_from = position = shape.bom_bytes
    first_line, lines, ends_open = 1, 0, False
    with Path(path).open("rb") as file:
        file.seek(position)
        while block := file.read(BLOCK_BYTES):
            ends = _line_ends(block, shape)
            taken = 0
            while lines + len(ends) - taken >= lines_per_chunk:
                taken += lines_per_chunk - lines
                cut = position + int(ends[taken - 1])
                chunks.append(Chunk(len(chunks), chunk_from, cut, first_line, lines_per_chunk))
                chunk_from, first_line, lines = cut, first_line + lines_per_chunk, 0
            lines += len(ends) - taken
            position += len(block)
            ends_open = not len(ends) or int(ends[-1]) != len(block)
        if position > chunk_from:
            lines += int(ends_open)
            chunks.append(Chunk(len(chunks), chunk_from, position, first_line, lines))
    return chunks


def _line_ends(block: bytes, shape: TextShape) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each line end in the block, the offset just behind it."""
    width = shape.unit_bytes
    kind = {"utf-16-le": "<u2", "utf-16-be": ">u2"}.get(shape.encoding, "u1")
    units = np.frombuffer(block[: len(block) // width * width], dtype=kind)
    found = np.flatnonzero(units == ord(shape.newline))
    return (found.astype(np.int64) + 1) * width


def read_chunk(path: Path | str, chunk: Chunk, shape: TextShape | None = None) -> Iterator[tuple[int, str] | BadRow]:
    """The chunk's lines in order: (line number, text without its end), or a `BadRow` for what is no text.

    Codes: `line_too_long` (over 64 KiB; reading goes on behind it), `encoding`, `nul_byte`.
    """
    shape = shape or sniff_shape(read_head(path))
    with Path(path).open("rb") as file:
        file.seek(chunk.byte_from)
        size = chunk.byte_to - chunk.byte_from
        for number, (raw, too_long) in enumerate(_raw_lines(file, size, shape), chunk.first_line):
            yield _too_long(number, raw, shape) if too_long else _decoded(number, raw, shape)


def bytes_of(path: Path | str, chunk: Chunk) -> list[bytes]:
    """The chunk's lines as they are, for a file of bytes that ends its lines with \\n."""
    with Path(path).open("rb") as file:
        file.seek(chunk.byte_from)
        lines = file.read(chunk.byte_to - chunk.byte_from).split(b"\n")
    return lines if lines[-1] else lines[:-1]


def one_line(number: int, raw: bytes, shape: TextShape) -> tuple[int, str] | BadRow:
    """One of `bytes_of`, as `read_chunk` gives it."""
    return _too_long(number, raw, shape) if len(raw) > LINE_LIMIT_BYTES else _decoded(number, raw, shape)


def _raw_lines(file: BinaryIO, size: int, shape: TextShape) -> Iterator[tuple[bytes, bool]]:
    """(bytes of a line, whether it was over the limit: then only its beginning)."""
    tail, cut_long = b"", False
    while size > 0 and (block := file.read(min(BLOCK_BYTES, size))):
        size -= len(block)
        parts = _split(tail + block, shape) if not cut_long else _split(block, shape)
        if cut_long and len(parts) == 1:
            continue
        if cut_long:
            yield tail, True
            parts, cut_long = parts[1:], False
        for part in parts[:-1]:
            yield part, len(part) > LINE_LIMIT_BYTES
        tail = parts[-1]
        if len(tail) > LINE_LIMIT_BYTES:
            cut_long = True
    if tail:
        yield tail, cut_long


def _split(data: bytes, shape: TextShape) -> list[bytes]:
    """Like `bytes.split` at line ends; in UTF-16 only at whole units."""
    if shape.unit_bytes == 1:
        return data.split(shape.newline.encode())
    parts, start = [], 0
    for end in _line_ends(data, shape).tolist():
        parts.append(data[start : end - shape.unit_bytes])
        start = end
    parts.append(data[start:])
    return parts


def _trim(text: str, shape: TextShape) -> str:
    if shape.newline == "\n":
        return text[:-1] if text.endswith("\r") else text
    return text[1:] if text.startswith("\n") else text


def _decoded(number: int, raw: bytes, shape: TextShape) -> tuple[int, str] | BadRow:
    try:
        text = raw.decode("utf-8" if shape.encoding == "cp1252" else shape.encoding)
    except UnicodeDecodeError:
        if shape.encoding != "cp1252":
            return _undecodable(number, raw, shape.encoding)
        try:
            text = raw.decode("cp1252")
        except UnicodeDecodeError:
            return _undecodable(number, raw, "cp1252")
    if "\0" in text:
        return bad_row(number, text, "", "nul_byte", "The line holds a zero byte, so it may be damaged.")
    return number, _trim(text, shape)


def _undecodable(number: int, raw: bytes, encoding: str) -> BadRow:
    shown = raw.decode("utf-8", "backslashreplace")
    return bad_row(number, shown, "", "encoding", f"The line holds bytes that are not {encoding} text.")


def _too_long(number: int, raw: bytes, shape: TextShape) -> BadRow:
    shown = raw[:8000].decode(shape.encoding, "replace")
    return bad_row(number, shown, "", "line_too_long", f"The line is longer than {LINE_LIMIT_BYTES} bytes.")
