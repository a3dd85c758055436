"""Frozen dataclasses to plain JSON and back, so that what a bill says can be kept for ever.

Amounts travel as strings (JSON numbers would be floats), dates and times as ISO text. A field that an older
context does not have takes its default; a field that this version does not know is an error, never silently
dropped.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

type_hints = cache(get_type_hints)


class BadContext(ValueError):
    """The stored value does not describe a context; the message names the field."""


def dump(value: Any) -> Any:
    """A dataclass as JSON-ready dicts, lists and strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: dump(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [dump(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # datetime too
        return value.isoformat()
    return value


def load(kind: Any, value: Any, where: str = "context") -> Any:
    """The value that `dump` made, as `kind` again. Raises BadContext, which names the field."""
    if dataclasses.is_dataclass(kind):
        return _load_dataclass(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return load(next(item for item in inner if item is not type(None)), value, where)
    if origin is tuple:
        _require(isinstance(value, (list, tuple)), where)
        return tuple(load(inner[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    return _load_scalar(kind, value, where)


def _load_dataclass(kind: Any, value: Any, where: str) -> Any:
    _require(isinstance(value, Mapping), where)
    hints = type_hints(kind)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise BadContext(f"{where} has the unknown field {unknown[0]}")
    loaded = {name: load(hints[name], item, f"{where}.{name}") for name, item in value.items()}
    try:
        return kind(**loaded)
    except TypeError as error:
        raise BadContext(f"{where}: {error}") from error


def _load_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind in (Decimal, date, datetime):
        _require(isinstance(value, str), where)
        try:
            return Decimal(value) if kind is Decimal else kind.fromisoformat(value)
        except (InvalidOperation, ValueError) as error:
            raise BadContext(f"{where} is not a {kind.__name__}: {value!r}") from error
    _require(type(value) is kind, where)
    return value


def _require(condition: bool, where: str) -> None:
    if not condition:
        raise BadContext(f"{where} has the wrong type")
