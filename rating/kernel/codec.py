"""The wire form of a rate: plain JSON values in, checked fields out, and back.

Strict on purpose: a mistyped key or a float would otherwise price calls wrongly without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rating.kernel.errors import RateError
from rating.kernel.numbers import exact
from rating.kernel.terms import Band, Step, clock

if TYPE_CHECKING:
    from rating.kernel.rate import Rate

T = TypeVar("T")
Readers = Mapping[str, Callable[[object, str], Any]]
NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
NUMBER_LENGTH: Final = 64
TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})")
DAYS: Final = re.compile(r"([1-7])(?:-([1-7]))?")
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MAX_ITEMS: Final = 5000


def number(value: object, field: str) -> Decimal:
    """An exact number from an int, a Decimal or text in ASCII digits. Raises RateError."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise RateError(field, "must be a number or a number in quotes")
    if isinstance(value, str) and not (len(value) <= NUMBER_LENGTH and NUMBER.fullmatch(value)):
        raise RateError(field, "is not a plain number", "for example 0.0125")
    try:
        return exact(Decimal(value), field)
    except InvalidOperation:
        raise RateError(field, "is not a plain number") from None


def whole(value: object, field: str) -> int:
    """A whole number from an int, a Decimal or text without a fraction. Raises RateError."""
    found = number(value, field)
    if found != found.to_integral_value():
        raise RateError(field, "must be a whole number")
    return int(found)


def text(value: object, field: str) -> str:
    """Text as it is. Raises RateError."""
    if not isinstance(value, str):
        raise RateError(field, "must be text")
    return value


def rate_fields(mapping: Mapping[str, object]) -> dict[str, Any]:
    """The fields of a Rate from its wire form; absent or null keys are left out. Raises RateError."""
    found = _fields(mapping, "rate", RATE_READERS)
    _need(found, "price")
    return found


def _fields(mapping: object, what: str, readers: Readers) -> dict[str, Any]:
    if not isinstance(mapping, Mapping):
        raise RateError("", f"a {what} must be an object")
    for key in mapping:
        if key not in readers:
            raise RateError(str(key)[:64], f"is not a key of a {what}", f"known keys: {', '.join(readers)}")
    return {key: readers[key](value, key) for key, value in mapping.items() if value is not None}


def _list_of(read: Callable[[object], T]) -> Callable[[object, str], tuple[T, ...]]:
    def reader(value: object, field: str) -> tuple[T, ...]:
        if not isinstance(value, (list, tuple)):
            raise RateError(field, "must be a list")
        if len(value) > MAX_ITEMS:
            raise RateError(field, f"at most {MAX_ITEMS} entries")
        return tuple(_item(read, item, f"{field}[{i}]") for i, item in enumerate(value))

    return reader


def _item(read: Callable[[object], T], item: object, field: str) -> T:
    try:
        return read(item)
    except RateError as error:
        raise error.under(field) from None


def _step(value: object) -> Step:
    found = _fields(value, "step", STEP_READERS)
    _need(found, "from_s", "price")
    return Step(**found)


def _band(value: object) -> Band:
    found = _fields(value, "band", BAND_READERS)
    _need(found, "days", "from", "to")
    days, holiday = found["days"]
    return Band(days, holiday, found["from"], found["to"], found.get("price"), found.get("steps", ()))


def _need(found: Mapping[str, object], *keys: str) -> None:
    for key in keys:
        if key not in found:
            raise RateError(key, "is missing")


def _days(value: object, field: str) -> tuple[frozenset[int], bool]:
    """`1-5,h`: days from 1 (Monday) to 7, single or as ranges, and `h` for holidays."""
    days: set[int] = set()
    holiday = False
    for part in text(value, field)[:200].split(","):
        match = DAYS.fullmatch(part.strip(" "))
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if part.strip(" ") == "h":
            holiday = True
        elif first <= last:
            days.update(range(first, last + 1))
        else:
            raise RateError(field, "must name days from 1 (Monday) to 7 and h (holidays)", "for example 1-5,h")
    return frozenset(days), holiday


def _minute(value: object, field: str) -> int:
    match = TIME.fullmatch(text(value, field))
    if not match or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > 1440:
        raise RateError(field, "must be a time from 00:00 to 24:00", "for example 08:00")
    return int(match[1]) * 60 + int(match[2])


def _date(value: object) -> date:
    written = text(value, "")
    try:
        if DATE.fullmatch(written):
            return date.fromisoformat(written)
    except ValueError:
        pass
    raise RateError("", "must be a date", "for example 2026-12-25")


def _dates(value: object, field: str) -> frozenset[date]:
    return frozenset(_list_of(_date)(value, field))


STEP_READERS: Final[Readers] = {"from_s": whole, "price": number, "step_s": whole}
BAND_READERS: Final[Readers] = {
    "days": _days,
    "from": _minute,
    "to": _minute,
    "price": number,
    "steps": _list_of(_step),
}
RATE_READERS: Final[Readers] = {
    "price": number,
    "connect_fee": number,
    "first_s": whole,
    "step_s": whole,
    "grace_s": whole,
    "free_s": whole,
    "min_charge": number,
    "decimals": whole,
    "rounding": text,
    "time_zone": text,
    "band_rule": text,
    "steps": _list_of(_step),
    "bands": _list_of(_band),
    "holidays": _dates,
}


def plain(value: Decimal) -> str:
    """A number as people write it: no exponent."""
    return format(value, "f")


def rate_json(rate: Rate) -> dict[str, object]:
    """The wire form of a rate, JSON values only; what is at its default is left out, but never the price."""
    default = {each.name: each.default for each in fields(rate)}
    wire: dict[str, object] = {"price": plain(rate.price)}
    for key in ("connect_fee", "min_charge"):
        if getattr(rate, key):
            wire[key] = plain(getattr(rate, key))
    for key in ("first_s", "step_s", "grace_s", "free_s", "decimals", "rounding", "time_zone", "band_rule"):
        if getattr(rate, key) != default[key]:
            wire[key] = getattr(rate, key)
    if rate.steps:
        wire["steps"] = _steps_json(rate.steps)
    if rate.bands:
        wire["bands"] = [_band_json(band) for band in rate.bands]
    if rate.holidays:
        wire["holidays"] = [day.isoformat() for day in sorted(rate.holidays)]
    return wire


def _steps_json(steps: tuple[Step, ...]) -> list[dict[str, object]]:
    return [
        {"from_s": step.from_s, "price": plain(step.price)} | ({"step_s": step.step_s} if step.step_s else {})
        for step in steps
    ]


def _band_json(band: Band) -> dict[str, object]:
    wire: dict[str, object] = {
        "days": band.days_text,
        "from": clock(band.from_minute),
        "to": clock(band.to_minute),
    }
    if band.price is not None:
        wire["price"] = plain(band.price)
    if band.steps:
        wire["steps"] = _steps_json(band.steps)
    return wire
