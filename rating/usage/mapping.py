"""How the files of one source are to be read, said once by a person: which column is what, and in which hand.

Why: there is always a switch that nobody knows. A mapping is plain JSON on the source:

    {"format": "delimited", "delimiter": ";", "skip_lines": 1,
     "columns": {"to": 3, "started_at": [1, 2], "seconds": "Talk time", "account": 7},
     "times": "%d.%m.%Y %H:%M:%S", "unit": "min", "decimal": ",",
     "answered": ["A", "OK"], "directions": {"I": "in", "O": "out"},
     "trailer": {"begins": "T", "count": 2, "seconds": 3}}

`format` is `delimited` (columns by number from 1, or by the name in the header), `fixed` (columns as "10-22", from and
to, in characters from 1), or a switch's own format whose order of columns is set there (`asterisk_custom`, `acc`,
`3cx`): then `columns` is the list of its names in that order. Two columns for one value are joined by a space, as for
date and time. Nothing in a mapping is a pattern or a program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DELIMITED, FIXED = "delimited", "fixed"
ORDERED = ("asterisk_custom", "acc", "3cx")
FORMATS = (DELIMITED, FIXED, *ORDERED)
FIELDS = (
    *("call_id", "leg", "account", "from", "to", "started_at", "answered_at", "ended_at", "seconds", "disposition"),
    *("carrier", "src_ip", "src_port", "user_agent", "reference", "direction"),
)
UNITS = ("s", "ms", "min", "clock")
DIRECTIONS = ("out", "in", "internal")
DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMN = 500
MAX_CHARACTER = 10_000
MAX_SKIPPED = 1000
MAX_WORDS = 50
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_DIRECTIVE = re.compile(r"%(.?)")
_ALLOWED = frozenset("dmYyHMSfIpbBjz%")

Place = int | str | tuple[int, int]
"""A column by number (from 0) or by its header's name, or characters [from, to)."""


class MappingError(ValueError):
    """The mapping cannot be used; `where` is the key in it."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


@dataclass(frozen=True, slots=True)
class Trailer:
    """The line with the totals: how it begins, and where in it the count and the seconds stand."""

    begins: str
    count: Place | None
    seconds: Place | None
    unit: str


@dataclass(frozen=True, slots=True)
class UsageMapping:
    """A mapping that was checked. `order` is for switches' formats, the rest for delimited and fixed files."""

    format: str
    order: tuple[str, ...] = ()
    columns: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    delimiter: str = ""
    skip_lines: int = 0
    times: str = ""
    unit: str = "s"
    decimal: str = "."
    answered: frozenset[str] = frozenset()
    directions: Mapping[str, str] = field(default_factory=dict)
    trailer: Trailer | None = None

    @property
    def by_name(self) -> bool:
        """Whether a header is needed to find the columns."""
        return any(isinstance(place, str) for places in self.columns.values() for place in places)

    @classmethod
    def from_json(cls, given: object) -> UsageMapping:
        """Raises MappingError at the key that is wrong."""
        if not isinstance(given, dict):
            raise MappingError("mapping", "A mapping is an object with a format and columns.")
        kind = given.get("format")
        if kind not in FORMATS:
            raise MappingError("format", f"The format is one of {', '.join(FORMATS)}.")
        known = {"format", "columns"} if kind in ORDERED else set(_KEYS)
        if unknown := sorted(given.keys() - known):
            raise MappingError(unknown[0], f"{unknown[0]} is not part of a mapping of this format.")
        if kind in ORDERED:
            return cls(kind, order=_order(kind, given.get("columns")))
        return cls(
            kind,
            columns=_columns(given.get("columns"), kind),
            delimiter=_one_of(given, "delimiter", ("", *DELIMITERS), ""),
            skip_lines=_number(given.get("skip_lines", 0), "skip_lines", MAX_SKIPPED),
            times=_times(given.get("times", "")),
            unit=_one_of(given, "unit", UNITS, "s"),
            decimal=_one_of(given, "decimal", (".", ","), "."),
            answered=frozenset(word.lower() for word in _words(given.get("answered", []), "answered")),
            directions=_directions(given.get("directions", {})),
            trailer=_trailer(given.get("trailer"), kind, given.get("unit", "s")),
        )


_KEYS = (
    *("format", "columns", "delimiter", "skip_lines", "times", "unit", "decimal", "answered", "directions"),
    "trailer",
)
_NEEDED = {
    "asterisk_custom": ("dst", "start", "billsec", "disposition"),
    "acc": ("method", "callid", "sip_code", "time"),
    "3cx": ("duration", "time_start", "to_no"),
}


def _order(kind: str, given: object) -> tuple[str, ...]:
    names = tuple(re.sub(r"[\s.-]+", "_", name.strip().lower()) for name in _words(given, "columns", MAX_COLUMN))
    if missing := [name for name in _NEEDED[kind] if name not in names]:
        raise MappingError("columns", f"The columns lack {', '.join(missing)}.")
    twice = sorted({name for name in names if name and names.count(name) > 1 and name not in ("-", "_")})
    if twice:
        raise MappingError("columns", f"{twice[0]} is named twice.")
    return names


def _columns(given: object, kind: str) -> dict[str, tuple[Place, ...]]:
    if not isinstance(given, dict):
        raise MappingError("columns", "columns says for each value in which column it stands.")
    found = {}
    for name, value in given.items():
        if name not in FIELDS:
            raise MappingError("columns", f"There is no value {str(name)[:40]}; there are {', '.join(FIELDS)}.")
        several = value if isinstance(value, list) else [value]
        if not 1 <= len(several) <= 3:
            raise MappingError(f"columns.{name}", "One to three columns make a value.")
        found[name] = tuple(_place(one, f"columns.{name}", kind) for one in several)
    if "to" not in found:
        raise MappingError("columns.to", "Which column holds the number called?")
    if not {"started_at", "answered_at"} & found.keys():
        raise MappingError("columns.started_at", "Which column holds the start, or the time of answer?")
    if "seconds" not in found and not {"answered_at", "ended_at"} <= found.keys():
        raise MappingError("columns.seconds", "Which column holds the duration?")
    return found


def _place(given: object, where: str, kind: str) -> Place:
    if kind == FIXED:
        match = _RANGE.fullmatch(given) if isinstance(given, str) else None
        if match is None:
            raise MappingError(where, "Say from which to which character, as 10-22.")
        start, end = int(match[1]), int(match[2] or match[1])
        if not 1 <= start <= end <= MAX_CHARACTER:
            raise MappingError(where, "Characters count from 1, and the last is not before the first.")
        return (start - 1, end)
    if isinstance(given, int) and not isinstance(given, bool):
        if not 1 <= given <= MAX_COLUMN:
            raise MappingError(where, f"Columns count from 1 to {MAX_COLUMN}.")
        return given - 1
    if isinstance(given, str) and 0 < len(given.strip()) <= 128:
        return given.strip()
    raise MappingError(where, "A column is its number from 1, or its name in the header.")


def _one_of(given: Mapping[str, Any], key: str, allowed: Sequence[str], default: str) -> str:
    value = given.get(key, default)
    if value not in allowed:
        shown = ", ".join({"\t": "tab", "": "nothing"}.get(one, one) for one in allowed)
        raise MappingError(key, f"{key} is one of {shown}.")
    return str(value)


def _number(given: object, where: str, most: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= most:
        raise MappingError(where, f"{where} is a number from 0 to {most}.")
    return given


def _words(given: object, where: str, most: int = MAX_WORDS) -> list[str]:
    if not isinstance(given, list) or len(given) > most or not all(isinstance(w, str) and len(w) < 65 for w in given):
        raise MappingError(where, f"{where} is a list of at most {most} words.")
    return list(given)


def _times(given: object) -> str:
    if given == "":
        return ""
    if not isinstance(given, str) or len(given) > 64:
        raise MappingError("times", "The form of times is text such as %d.%m.%Y %H:%M:%S.")
    used = set(_DIRECTIVE.findall(given))
    if not used <= _ALLOWED or not ({"Y", "y"} & used and {"d", "j"} & used and {"H", "I"} & used):
        raise MappingError("times", "Times need at least day, month, year and hour, as in %d.%m.%Y %H:%M:%S.")
    return given


def _directions(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or len(given) > MAX_WORDS:
        raise MappingError("directions", "directions says which word is out, in or internal.")
    if not all(isinstance(word, str) and value in DIRECTIONS for word, value in given.items()):
        raise MappingError("directions", "A direction is out, in or internal.")
    return {word.strip().lower(): value for word, value in given.items()}


def _trailer(given: object, kind: str, unit: object) -> Trailer | None:
    if given is None:
        return None
    if not isinstance(given, dict) or given.keys() - {"begins", "count", "seconds", "unit"}:
        raise MappingError("trailer", "A trailer has begins, count, seconds and unit.")
    begins = given.get("begins")
    if not isinstance(begins, str) or not 0 < len(begins) <= 64:
        raise MappingError("trailer.begins", "How does the line with the totals begin?")
    places: dict[str, Place | None] = {}
    for name in ("count", "seconds"):
        place = _place(given[name], f"trailer.{name}", kind) if given.get(name) is not None else None
        if isinstance(place, str):
            raise MappingError(f"trailer.{name}", "In the line with the totals a column is its number from 1.")
        places[name] = place
    if places["count"] is None and places["seconds"] is None:
        raise MappingError("trailer", "Where in the line with the totals do the count or the seconds stand?")
    return Trailer(
        begins, places["count"], places["seconds"], _one_of({"unit": given.get("unit", unit)}, "unit", UNITS, "s")
    )
