"""The line protocol of `./manage price`: one JSON object in, one JSON object out, whatever the line holds.

    {"rate": {"price": "0.12", ...}, "seconds": 75, "answered_at": "2026-12-25T08:00:00+01:00"}
    -> {"amount": "0.1500", "billed_s": 75}   or   {"error": {"code", "message", "where", "hint"}}

Lines come from strangers: duplicate keys, NaN, giant numbers and deep nesting are refused for that line, at
once, and the next line is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Final, Never

from rating.kernel.charge import price
from rating.kernel.codec import NUMBER_LENGTH, number, plain
from rating.kernel.errors import RateError
from rating.kernel.rate import Rate

MAX_LINE_BYTES: Final = 1 << 20
KEYS: Final = ("rate", "seconds", "answered_at")
ISO_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
)


class NotJson(ValueError):
    """The line is not JSON as this protocol takes it."""


def answer(line: str) -> dict[str, object]:
    """Price one line. Never raises: what is wrong comes back as {"error": ...}."""
    try:
        return _priced(_parsed(line))
    except RateError as error:
        return _error("invalid", error.message, error.field or None, error.hint or None)
    except NotJson as error:
        return _error("not_json", str(error), None, 'one JSON object a line: {"rate": {...}, "seconds": 75}')
    except Exception as error:  # noqa: BLE001 - one line must never stop the next
        return _error("failed", f"could not be priced ({type(error).__name__})", None, None)


def answers(stream: IO[bytes]) -> Iterator[str]:
    """The answers to all lines of a stream as JSON texts, one for each line, empty ones included."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        yield json.dumps(_answer_bytes(line, stream))


def _answer_bytes(line: bytes, stream: IO[bytes]) -> dict[str, object]:
    if len(line) > MAX_LINE_BYTES:
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES)
        return _error("too_long", f"the line is longer than {MAX_LINE_BYTES} bytes", None, None)
    try:
        return answer(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _error("not_json", "the line is not UTF-8", None, None)


def _priced(request: dict[str, object]) -> dict[str, object]:
    for key in request:
        if key not in KEYS:
            raise RateError(key[:64], "is not a known key", f"known keys: {', '.join(KEYS)}")
    for key in ("rate", "seconds"):
        if request.get(key) is None:
            raise RateError(key, "is missing")
    try:
        rate = Rate.from_json(_object(request["rate"]))
    except RateError as error:
        raise error.under("rate") from None
    seconds = number(request["seconds"], "seconds")
    answered_at = _time(request.get("answered_at"))
    try:
        charge = price(rate, seconds, answered_at)
    except RateError as error:
        field = "seconds" if error.field == "duration_s" else error.field
        raise RateError(field, error.message, error.hint) from None
    return {"amount": plain(charge.amount), "billed_s": charge.billed_s}


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise RateError("", "must be an object")
    return value


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and ISO_TIME.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise RateError("answered_at", "must be a time with its offset from UTC", "for example 2026-12-25T08:00:00+01:00")


def _parsed(line: str) -> dict[str, object]:
    try:
        value = json.loads(
            line,
            parse_float=_json_number,
            parse_int=_json_number,
            parse_constant=_no_constant,
            object_pairs_hook=_object_once,
        )
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at column {error.colno}") from None
    except RecursionError:
        raise NotJson("nested too deeply") from None
    if not isinstance(value, dict):
        raise NotJson("must be a JSON object")
    return value


def _json_number(written: str) -> Decimal:
    try:
        if len(written) <= NUMBER_LENGTH:
            return Decimal(written)
    except InvalidOperation:
        pass
    raise NotJson("a number is too long or has too large an exponent")


def _no_constant(name: str) -> Never:
    raise NotJson(f"{name} is not a number in JSON")


def _object_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("a key is given twice")
    return found


def _error(code: str, message: str, where: str | None, hint: str | None) -> dict[str, object]:
    return {"error": {"code": code, "message": message, "where": where, "hint": hint}}
