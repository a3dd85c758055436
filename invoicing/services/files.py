"""Where papers lie under MEDIA_ROOT, and how they get there: whole or not at all.

A file is written beside its place and moved there when it is complete, so a reader never meets half of one and two
writers of the same bill end with the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

LOGOS = "logos"


def root() -> Path:
    return Path(settings.MEDIA_ROOT)


@contextmanager
def written_whole(relative: str) -> Iterator[BinaryIO]:
    """A file to write to; it appears at its place when the block ends well, readable by this installation only."""
    target = root() / relative
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def digest_of(relative: str) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a stored file."""
    sha, size = hashlib.sha256(), 0
    with (root() / relative).open("rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
            size += len(block)
    return size, sha.hexdigest()


def keep_logo(data: bytes) -> str:
    """Keep a logo as it is now, under a name made of its content; the name, "" for no logo."""
    if not data:
        return ""
    name = hashlib.sha256(data).hexdigest()[:32] + ".png"
    relative = f"{LOGOS}/{name}"
    if not (root() / relative).exists():
        with written_whole(relative) as file:
            file.write(data)
    return name


def logo_bytes(name: str) -> bytes | None:
    """A kept logo; None where it is gone, and the paper prints the name instead."""
    try:
        return (root() / LOGOS / Path(name).name).read_bytes() if name else None
    except FileNotFoundError:
        return None
