"""One object of a set-up file, read key by key.

Each value is asked for by its kind, and whatever nobody asked for is refused: a mistyped key would otherwise be
ignored without a word. Every complaint carries the JSON path of the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from rating.kernel import RateError
from rating.kernel.codec import number
from tiers.errors import Invalid, TollgateError
from tiers.services.parties import ALWAYS

T = TypeVar("T")


class Entry:
    """A JSON object at `where`. Use as a context manager: on leaving, keys not asked for are refused."""

    def __init__(self, value: object, where: str) -> None:
        self.where = where
        if not isinstance(value, Mapping):
            raise Invalid("not_an_object", _("There must be an object here."), where=where)
        self.values: Mapping[str, Any] = value
        self.asked: dict[str, None] = {}

    def __enter__(self) -> Entry:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self.refuse_unknown()
        elif isinstance(error, TollgateError) and not (error.where or "").startswith("$"):
            error.where = self.at(error.where) if error.where else self.where

    def refuse_unknown(self) -> None:
        for key in self.values:
            if key not in self.asked:
                hint = _("Known keys here: %s") % ", ".join(self.asked)
                raise Invalid("unknown_key", _("This key is not known here."), where=self.at(str(key)), hint=hint)

    def at(self, key: str) -> str:
        return f"{self.where}.{key}"

    def has(self, key: str) -> bool:
        self.asked[key] = None
        return self.values.get(key) is not None

    def read(self, key: str, kind: Callable[[Any, str], T]) -> T:
        """The value of a key that must be there."""
        if not self.has(key):
            raise Invalid("missing_key", _("This key is needed."), where=self.at(key))
        return kind(self.values[key], self.at(key))

    def text(self, key: str) -> str:
        return self.read(key, text)

    def get(self, key: str, kind: Callable[[Any, str], T], default: T) -> T:
        return self.read(key, kind) if self.has(key) else default

    def pick(self, **kinds: Callable[[Any, str], Any]) -> dict[str, Any]:
        """The values of those keys that the file gives; null counts as given and stays None."""
        found = {}
        for key, kind in kinds.items():
            self.asked[key] = None
            if key in self.values:
                value = self.values[key]
                found[key] = None if value is None else kind(value, self.at(key))
        return found

    def each(self, key: str, work: Callable[[Entry], T]) -> list[T]:
        """Do `work` with each object of a list; what it refuses is placed at that object."""
        values: list[Any] = self.get(key, listed, [])
        done = []
        for index, value in enumerate(values):
            with Entry(value, f"{self.at(key)}[{index}]") as entry:
                done.append(work(entry))
        return done

    @contextmanager
    def entry(self, key: str) -> Iterator[Entry | None]:
        """The object of a key, None where there is none."""
        if not self.has(key):
            yield None
            return
        with Entry(self.values[key], self.at(key)) as entry:
            yield entry


def text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise Invalid("not_text", _("There must be text here."), where=where)
    return value


def flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid("not_a_flag", _("There must be true or false here."), where=where)
    return value


def decimal(value: object, where: str) -> Decimal:
    try:
        return number(value, "")
    except RateError as error:
        raise Invalid("not_a_number", error.message, where=where, hint=error.hint or None) from None


def whole(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("not_whole", _("There must be a whole number here."), where=where)
    return value


def listed(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid("not_a_list", _("There must be a list here."), where=where)
    return value


def mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("not_an_object", _("There must be an object here."), where=where)
    return value


def moment(value: object, where: str) -> datetime:
    """An ISO time with offset, a date (its midnight in UTC), or an aware datetime from a program."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(text(value, where))
    except ValueError:
        raise Invalid("not_a_time", _("There must be a date or a time with offset."), where=where) from None
    if found.tzinfo is not None:
        return found
    if isinstance(value, str) and len(value) == len("2000-01-01"):
        return found.replace(tzinfo=UTC)
    raise Invalid("not_a_time", _("A time needs its offset from UTC."), where=where, hint="2026-11-01T00:00:00+08:00")


def since(entry: Entry, key: str) -> datetime:
    """A moment from which something holds; always, where the file does not say."""
    return entry.get(key, moment, ALWAYS)
