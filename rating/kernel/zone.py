"""Time zones: which there are, and how far local clocks are from UTC, remembered by day.

A time-zone lookup costs more than the rest of a price, so each zone keeps the offset of every UTC day on which it
does not change. No zone of the database changes twice within two days, so equal ends mean an equal day.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from rating.kernel.errors import RateError

DAY_S: Final = 86_400
MAX_DAYS: Final = 20_000
CHANGES: Final = 10 * DAY_S
"""Kept in place of an offset for a day within which the offset changes."""


class LocalClock:
    """The offset of one zone from UTC, in seconds, at any UTC second."""

    __slots__ = ("_days", "_name", "_zone")

    def __init__(self, name: str, zone: ZoneInfo) -> None:
        self._name = name
        self._zone = zone
        self._days: dict[int, int] = {}

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return clock_named, (self._name,)

    def offset(self, instant: int) -> int:
        """Seconds to add to UTC at this instant (seconds since 1970)."""
        day = instant // DAY_S
        known = self._days.get(day)
        if known is None:
            known = self._remember(day)
        return self._look_up(instant) if known == CHANGES else known

    def same_until(self, instant: int, end: int) -> int:
        """The first instant after this one with another offset, or `end`, at most a day later, if there is none."""
        offset = self.offset(instant)
        if self.offset(end - 1) == offset:
            return end
        before, after = instant, end - 1
        while after - before > 1:
            middle = (before + after) // 2
            if self.offset(middle) == offset:
                before = middle
            else:
                after = middle
        return after

    def _remember(self, day: int) -> int:
        if len(self._days) >= MAX_DAYS:
            self._days = {}
        first, last = self._look_up(day * DAY_S), self._look_up(day * DAY_S + DAY_S - 1)
        self._days[day] = known = first if first == last else CHANGES
        return known

    def _look_up(self, instant: int) -> int:
        local = datetime.fromtimestamp(instant, self._zone).utcoffset()
        assert local is not None
        return local.days * DAY_S + local.seconds


@lru_cache(maxsize=1024)
def _known(name: str) -> LocalClock | None:
    if not name or name.split("/")[0] in ("right", "posix", "posixrules", "localtime"):
        return None
    try:
        return LocalClock(name, ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        return None


def clock_named(name: object) -> LocalClock:
    """The one clock of an IANA time zone. Raises RateError."""
    clock = _known(name) if isinstance(name, str) and len(name) <= 64 else None
    if clock is None:
        raise RateError("time_zone", "is not a known time zone", "for example Europe/Berlin")
    return clock
