"""Identifiers that sort by time.

Every row gets its id here, before it is written, so that a retry can carry the same one. A rated call's id carries
the call's start, so that ids and monthly partitions run the same way.
"""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime


def uuid7(at: datetime | None = None) -> uuid.UUID:
    """A version 7 UUID (RFC 9562): 48 bits of Unix milliseconds, of `at` or of now, then 74 random bits."""
    millis = time.time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    if not 0 <= millis < 1 << 48:
        raise ValueError(f"{at} is outside what an id can carry")
    value = (millis << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
