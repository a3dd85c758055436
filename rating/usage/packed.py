"""gz and zip: what is in them, unpacked as a stream and within bounds.

Why: a few kilobytes can unpack to all the space there is. What a header claims about sizes is not believed: bytes are
counted as they come, and unpacking stops at the bound. Names inside an archive are shown and never used as paths.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rating.usage.protocol import UsageRefused

GZ, ZIP, PLAIN = "gz", "zip", ""
BLOCK_BYTES = 1024 * 1024
RATIO_FROM_BYTES = 16 * 1024 * 1024
"""Small files may shrink as they like: the ratio is looked at from here on."""
_OFFICE = "[Content_Types].xml"
_ENCRYPTED = 0x1
BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class Readable(Protocol):
    """What is read in blocks."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a file may unpack to: bytes in all, times its own size, files in it."""

    bytes: int
    ratio: int
    files: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name there, and its bytes in blocks."""

    name: str
    blocks: Iterator[bytes]


def kind_of(path: Path) -> str:
    """gz, zip or plain, by content. An Excel workbook is a zip too, and left as it is."""
    with path.open("rb") as file:
        head = file.read(4)
    if head[:2] == b"\x1f\x8b":
        return GZ
    if head == b"PK\x03\x04" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return PLAIN if _OFFICE in archive.namelist() else ZIP
    return PLAIN


def unpack(path: Path, name: str, bounds: Bounds) -> Iterator[Member]:
    """The files in a gz or zip, one after the other; read each one's blocks before the next. Raises UsageRefused.

    Codes: `unpacked_too_large`, `too_many_files`, `nested_archive`, `encrypted`, `broken_archive`, `empty`.
    """
    counter = _Counter(bounds, path.stat().st_size, name)
    try:
        if kind_of(path) == GZ:
            with gzip.open(path) as stream:
                yield Member(name, _blocks(stream, counter, name))
        else:
            yield from _zip_members(path, name, counter)
    except BROKEN as error:
        raise _broken(name, error) from error


def _broken(name: str, error: BaseException) -> UsageRefused:
    return UsageRefused("broken_archive", f"{name} cannot be unpacked: {error}.", name, "Fetch it again.")


def _zip_members(path: Path, name: str, counter: _Counter) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        wanted = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info.filename)]
        if not wanted:
            raise UsageRefused("empty", f"There is no file in {name}.", name, "Nothing was read.")
        if len(wanted) > counter.bounds.files:
            message = f"{name} holds {len(wanted)} files; at most {counter.bounds.files} are taken at once."
            raise UsageRefused("too_many_files", message, name, "Send them in several archives.")
        for info in wanted:
            if info.flag_bits & _ENCRYPTED:
                raise UsageRefused("encrypted", f"{info.filename} in {name} is encrypted.", name, "Send it unlocked.")
            with archive.open(info) as stream:
                yield Member(info.filename, _blocks(stream, counter, f"{info.filename} in {name}"))


def _is_litter(name: str) -> bool:
    """What a desktop puts beside the files."""
    parts = name.split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1] in ("Thumbs.db", "desktop.ini")


@dataclass(slots=True)
class _Counter:
    bounds: Bounds
    packed_bytes: int
    name: str
    unpacked: int = 0

    def add(self, size: int) -> None:
        self.unpacked += size
        ratio = self.unpacked > RATIO_FROM_BYTES and self.unpacked > self.packed_bytes * self.bounds.ratio
        if self.unpacked > self.bounds.bytes or ratio:
            message = f"{self.name} unpacks to more than {self._most() // 2**20} MB."
            raise UsageRefused("unpacked_too_large", message, self.name, "Split it, or send it by day.")

    def _most(self) -> int:
        return min(self.bounds.bytes, max(RATIO_FROM_BYTES, self.packed_bytes * self.bounds.ratio))


def _blocks(stream: Readable, counter: _Counter, name: str) -> Iterator[bytes]:
    first = True
    while block := _read(stream, name):
        if first and (block[:2] == b"\x1f\x8b" or block[:4] == b"PK\x03\x04"):
            raise UsageRefused("nested_archive", f"{name} is an archive itself.", counter.name, "Unpack it first.")
        first = False
        counter.add(len(block))
        yield block


def _read(stream: Readable, name: str) -> bytes:
    try:
        return stream.read(BLOCK_BYTES)
    except BROKEN as error:
        raise _broken(name, error) from error
