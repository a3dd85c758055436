"""Date cells: when a price begins.

`03/04/2027` is one day in London and another in New York. One date of the column that fits only one order
decides for the whole column; where none does, a person is asked. A date that has passed means "in force
now".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from rating.decks.deckrows import Effective
from rating.decks.values import BadCell

DAY_FIRST, MONTH_FIRST = "day_first", "month_first"
EARLIEST_YEAR, LATEST_YEAR = 1990, 2100

ASAP_WORDS = frozenset(
    {"", "asap", "immediate", "immediately", "now", "current", "today", "with immediate effect", "-"}
)
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        start=1,
    )
    for name in names.split()
}

_TIME = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/. ](?P<month>\d{1,2})[-/. ](?P<day>\d{1,2})" + _TIME, re.ASCII)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})" + _TIME, re.ASCII)
_NUMERIC = re.compile(r"(?P<one>\d{1,2})[-/. ](?P<two>\d{1,2})[-/. ](?P<year>\d{4}|\d{2})" + _TIME, re.ASCII)
_DAY_NAME = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[-/. ]*(?P<name>[A-Za-z]{3,9})\.?[-/., ]*(?P<year>\d{4}|\d{2})" + _TIME,
    re.ASCII,
)
_NAME_DAY = re.compile(
    r"(?P<name>[A-Za-z]{3,9})\.?[- ]*(?P<day>\d{1,2})(?:st|nd|rd|th)?[-, ]+(?P<year>\d{4}|\d{2})" + _TIME,
    re.ASCII,
)


class DateReader:
    """Reads the date cells of one column: its order, its zone, and the moment of import."""

    def __init__(self, order: str, zone: ZoneInfo, now: datetime) -> None:
        self.order = order
        self.zone = zone
        self.now = now

    def read(self, cell: str) -> Effective:
        """Raises BadCell where the cell is no date under this order."""
        if cell.strip().lower() in ASAP_WORDS:
            return Effective(None, self.now)
        stated = self._instant(cell.strip())
        return Effective(None if stated <= self.now else stated, stated)

    def _instant(self, text: str) -> datetime:
        match = _match(text)
        if match is None:
            raise BadCell(f"{text!r} is not a date")
        year, month, day = self._year_month_day(match)
        if not EARLIEST_YEAR <= year <= LATEST_YEAR:
            raise BadCell(f"the year of {text!r} cannot be right")
        try:
            local = datetime.combine(date(year, month, day), _clock(match))
        except ValueError as error:
            raise BadCell(f"{text!r} is not a date when read {self._said()}") from error
        if match["zone"]:
            return local.replace(tzinfo=_offset(match["zone"])).astimezone(UTC)
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def _year_month_day(self, match: re.Match[str]) -> tuple[int, int, int]:
        parts = match.groupdict()
        year = int(parts["year"])
        year = year + 2000 if len(parts["year"]) == 2 else year
        if "name" in parts:
            month = MONTHS.get(parts["name"].lower(), 0)
            return year, month, int(parts["day"])
        if "one" not in parts:
            return year, int(parts["month"]), int(parts["day"])
        one, two = int(parts["one"]), int(parts["two"])
        return (year, two, one) if self.order == DAY_FIRST else (year, one, two)

    def _said(self) -> str:
        return self.order.replace("_", " ")


def date_orders(cells: Iterable[str]) -> tuple[set[str], str]:
    """What a column tells of its order: the orders some value forces, and an example of both (or "")."""
    forced: set[str] = set()
    undecided = ""
    for cell in cells:
        match = _NUMERIC.fullmatch(cell.strip())
        if match is None:
            continue
        one, two = int(match["one"]), int(match["two"])
        if one > 12 >= two:
            forced.add(DAY_FIRST)
        elif two > 12 >= one:
            forced.add(MONTH_FIRST)
        elif one != two and one <= 12 and two <= 12:
            undecided = undecided or cell.strip()
    return forced, undecided


def _match(text: str) -> re.Match[str] | None:
    for pattern in (_YEAR_FIRST, _COMPACT, _NUMERIC, _DAY_NAME, _NAME_DAY):
        if match := pattern.fullmatch(text):
            return match
    return None


def _clock(match: re.Match[str]) -> time:
    hour = int(match["hour"] or 0)
    half = (match["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError(hour)
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return time(hour, int(match["minute"] or 0), int(match["second"] or 0))


def _offset(text: str) -> tzinfo | None:
    return datetime.fromisoformat(f"2000-01-01T00:00:00{text}").tzinfo
