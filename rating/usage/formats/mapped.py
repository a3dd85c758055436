"""Delimited and fixed-width files, read as the source's mapping says.

Values are brought into the one hand that the CSV with a header is read in, and by its rules: the same checks, the same
quarantine. So a mapping can say where something stands, and never that something unbelievable is to be charged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from rating.usage import fields
from rating.usage.columns import PREAMBLE_LINES, normal_name
from rating.usage.fields import FieldError
from rating.usage.formats.generic import SYNONYMS, GenericParser, Layout
from rating.usage.mapping import FIXED, Place, UsageMapping
from rating.usage.protocol import UsageRefused
from rating.usage.record import BadRow, UsageRow
from rating.usage.table import best_delimiter, split_line, split_or_none

_SECONDS_PER = {"s": Decimal(1), "ms": Decimal("0.001"), "min": Decimal(60)}
ANSWERED, NOT_ANSWERED = "answered", "no answer"


class Totals(NamedTuple):
    """What the line with the totals says; None for what it does not say. Seconds are exact."""

    line: int
    calls: int | None
    seconds: Decimal | None


def prepare(
    head_lines: Sequence[str], mapping: UsageMapping, time_zone: tzinfo, *, not_after: datetime
) -> MappedParser:
    """A parser for the file with these first lines. Raises UsageRefused where the mapping does not fit them."""
    body = [line for line in head_lines[mapping.skip_lines :] if line.strip()]
    delimiter = mapping.delimiter or best_delimiter(body[0] if body else "")
    header_line, names = _header(head_lines, mapping, delimiter)
    parser = MappedParser(mapping, delimiter, header_line, names, time_zone, not_after)
    _check_fit(parser, head_lines)
    return parser


def _header(head_lines: Sequence[str], mapping: UsageMapping, delimiter: str) -> tuple[int, list[str]]:
    """The line of the header (0 for none) and its names."""
    if not mapping.by_name:
        return mapping.skip_lines, []
    wanted = {normal_name(place) for places in mapping.columns.values() for place in places if isinstance(place, str)}
    best: list[str] = []
    for number, line in enumerate(head_lines, 1):
        if not mapping.skip_lines < number <= mapping.skip_lines + PREAMBLE_LINES:
            continue
        names = [normal_name(cell) for cell in split_or_none(line, delimiter) or ()]
        if wanted <= set(names):
            return number, names
        best = max(best, names, key=lambda found: len(wanted & set(found)))
    missing = ", ".join(sorted(wanted - set(best)))
    message = f"The header lacks what the source's mapping names: {missing}."
    raise UsageRefused("missing_columns", message, f"line {mapping.skip_lines + 1}", "Change the mapping or the file.")


def _check_fit(parser: MappedParser, head_lines: Sequence[str]) -> None:
    """Refuse a file of which no line can be read this way: it is another file, or another mapping."""
    first: BadRow | None = None
    for number, line in enumerate(head_lines, 1):
        found = parser.parse(number, line)
        if isinstance(found, UsageRow):
            return
        first = first or found
    if first is not None:
        message = f"None of the first lines can be read by the source's mapping: {first.reason}"
        raise UsageRefused("mapping", message, f"line {first.line}", "Look at the mapping with this file as a sample.")


class MappedParser(GenericParser):
    """Reads lines by a mapping."""

    def __init__(
        self,
        mapping: UsageMapping,
        delimiter: str,
        header_line: int,
        names: Sequence[str],
        zone: tzinfo,
        not_after: datetime,
    ) -> None:
        self._mapping = mapping
        self._delimiter = delimiter
        self._places_of = {
            field: tuple(names.index(normal_name(place)) if isinstance(place, str) else place for place in places)
            for field, places in mapping.columns.items()
        }
        columns = dict.fromkeys(self._places_of, 0)
        super().__init__(Layout(header_line, delimiter, 0, columns), zone, not_after)

    def parse(self, line_no: int, text: str) -> UsageRow | BadRow | None:
        if self.is_trailer(text):
            return None
        return super().parse(line_no, text)

    def is_trailer(self, text: str) -> bool:
        trailer = self._mapping.trailer
        return trailer is not None and text.lstrip('" ').startswith(trailer.begins)

    def totals(self, line_no: int, text: str) -> Totals:
        """What a trailer says. Raises UsageRefused where it cannot be read."""
        trailer = self._mapping.trailer
        assert trailer is not None
        try:
            cells = self._split(text)
            count, seconds = (
                "" if place is None else self._value(cells, text, place) for place in (trailer.count, trailer.seconds)
            )
            found_count = int(_decimal("count", count, self._mapping.decimal)) if count else None
            found_s = exact_s("seconds", seconds, trailer.unit, self._mapping.decimal) if seconds else None
        except FieldError as error:
            raise UsageRefused("trailer", f"The totals cannot be read: {error.reason}", f"line {line_no}") from error
        return Totals(line_no, found_count, found_s)

    def told_s(self, text: str) -> Decimal:
        """The seconds that a line says, exact; 0 where it says none. Raises FieldError."""
        if "seconds" not in self._places_of:
            return Decimal(0)
        cells = self._split(text)
        return exact_s("seconds", self._field(cells, text, "seconds"), self._mapping.unit, self._mapping.decimal)

    @property
    def expects_totals(self) -> bool:
        return self._mapping.trailer is not None

    @property
    def tells_seconds(self) -> bool:
        return "seconds" in self._places_of

    def _cells(self, text: str) -> list[str]:
        cells = self._split(text)
        value = {field: self._field(cells, text, field) for field in self._places_of}
        for field in ("started_at", "answered_at", "ended_at"):
            if value.get(field) and self._mapping.times:
                value[field] = _moment(field, value[field], self._mapping.times)
        if value.get("seconds"):
            exact = exact_s("seconds", value["seconds"], self._mapping.unit, self._mapping.decimal)
            value["seconds"] = format(exact, "f")
        if "disposition" in value and self._mapping.answered:
            value["disposition"] = ANSWERED if value["disposition"].lower() in self._mapping.answered else NOT_ANSWERED
        if value.get("direction") and self._mapping.directions:
            value["direction"] = self._mapping.directions.get(value["direction"].lower(), value["direction"])
        return [value.get(field, "") for field in SYNONYMS]

    def _split(self, text: str) -> list[str]:
        return [] if self._mapping.format == FIXED else fields.cleaned(split_line(text, self._delimiter))

    def _field(self, cells: Sequence[str], text: str, field: str) -> str:
        found = [self._value(cells, text, place) for place in self._places_of[field]]
        return " ".join(part for part in found if part)

    def _value(self, cells: Sequence[str], text: str, place: Place) -> str:
        if isinstance(place, tuple):
            return fields.cleaned([text[place[0] : place[1]]])[0]
        assert isinstance(place, int)
        if place >= len(cells):
            raise FieldError("", "columns", f"The line has {len(cells)} columns; the mapping names column {place + 1}.")
        return cells[place]


def _moment(field: str, text: str, form: str) -> str:
    """A time written as the mapping says, as ISO text. Zeros and nothing are no time."""
    if not text.strip("0:/.- "):
        return ""
    try:
        found = datetime.strptime(text, form)  # noqa: DTZ007 - the source's zone reads it, by the clock's rules
        return found.isoformat()
    except ValueError:
        raise FieldError(field, "time", f"{field} “{text[:40]}” is not written as {form}.") from None


def _decimal(field: str, text: str, decimal: str) -> Decimal:
    plain = text.replace(",", ".") if decimal == "," else text
    try:
        found = Decimal(plain)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or "e" in plain.lower() or "_" in plain or abs(found) > 10**15:
        raise FieldError(field, "number", f"{field} “{text[:40]}” is not a plain number.")
    return found


def exact_s(field: str, text: str, unit: str, decimal: str) -> Decimal:
    """A duration as the mapping says, in seconds. A clock is h:mm:ss or mm:ss. Raises FieldError."""
    if not text:
        return Decimal(0)
    if unit != "clock":
        return _decimal(field, text, decimal) * _SECONDS_PER[unit]
    parts = text.split(":")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
        raise FieldError(field, "number", f"{field} “{text[:40]}” is not written as h:mm:ss or mm:ss.")
    found = 0
    for part in parts:
        found = found * 60 + int(part)
    return Decimal(found)
