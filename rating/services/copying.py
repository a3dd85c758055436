"""Many rows to PostgreSQL at once: lines of COPY's text format, and arrays as one literal.

A list given to the driver becomes an expression of thousands of constants, which the server parses one by one; one
literal is read by the type's own input function.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

NULL = "\\N"
_SPECIAL = re.compile(r"[\\\t\n\r\0]")
_ESCAPES = str.maketrans({"\0": "", "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_text(value: str) -> str:
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value


_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: NULL,
    str: copy_text,
    int: str,
    Decimal: str,
    UUID: lambda value: value.hex,
    datetime: datetime.isoformat,
}


def text_array(values: Iterable[str]) -> str:
    """A literal of type text[]."""
    quoted = (value.replace("\0", "").replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def copy_fields(values: Sequence[Any]) -> str:
    """Values parted by tabs, as COPY reads them. Types: None, text (enumerations too), int, Decimal, UUID, datetime."""
    return "\t".join([_WRITERS.get(type(value), _other)(value) for value in values])


def _other(value: Any) -> str:
    """Enumerations of text are written as their value."""
    assert isinstance(value, str), type(value)
    return copy_text(str(value))


def copy_rows(table: str, columns: str, lines: Sequence[str]) -> None:
    """Lines, each with its line end, into a table."""
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO("".join(lines)))


def bytea_array(values: Iterable[bytes]) -> str:
    """For `%s::bytea[]`."""
    return "{" + ",".join([f'"\\\\x{value.hex()}"' for value in values]) + "}"


def uuid_array(values: Iterable[UUID]) -> str:
    """For `%s::uuid[]`."""
    return "{" + ",".join([value.hex for value in values]) + "}"
