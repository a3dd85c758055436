"""Single values out of usage files: times, seconds, names, addresses.

Why: every format reports these in its own hand, and each way of reading them wrongly costs somebody money.
What money hangs on is read strictly and refused when unclear (`FieldError`); what is only kept for looking
up (address, port, user agent) is dropped when it is broken, so that no charge is lost over it.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from rating.usage.record import IN, INTERNAL, OUT

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_DURATION_S = 31 * 24 * 3600
MAX_NAME_CHARS = 128
MAX_CALL_ID_CHARS = 255
MAX_AGENT_CHARS = 255
CLOCK_SLACK_S = 2
MINUTES_KEPT = 100_000

NULLS = frozenset(
    writing
    for word in ("null", "(null)", "<null>", "none", "nil", "\\n")
    for writing in (word, word.upper(), word.capitalize())
)
_NO_MOMENT = frozenset({"", "0", "0.0", "0000-00-00 00:00:00", "1970-01-01 00:00:00", "1970-01-01T00:00:00Z"})
_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[ T]+(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s*(Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?",
    re.ASCII,
)
_EPOCH = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?|(\d{12,13})", re.ASCII)
_SECONDS = re.compile(r"\+?(\d{1,12})(?:\.(\d*))?", re.ASCII)
_SECONDS_COMMA = re.compile(r"\+?(\d{1,12}),(\d{1,2}|\d{4,6})", re.ASCII)
_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)", re.ASCII)
_UNIX_START = datetime(1970, 1, 1, tzinfo=UTC)

ANSWERED_WORDS = frozenset({"answered", "answer", "ok", "success", "successful", "completed", "connected", "200"})
NOT_ANSWERED_WORDS = frozenset(
    {
        "no answer",
        "noanswer",
        "no_answer",
        "not answered",
        "unanswered",
        "busy",
        "failed",
        "failure",
        "cancel",
    }
    | {"cancelled", "canceled", "congestion", "chanunavail", "rejected", "declined", "missed", "timeout"}
    | {"abandoned", "originator_cancel", "user_busy", "no_user_response", "call_rejected"}
)
DIRECTIONS = {
    **dict.fromkeys(("in", "inbound", "incoming", "i", "received", "terminating", "terminated"), IN),
    **dict.fromkeys(("out", "outbound", "outgoing", "o", "originating", "originated", "external"), OUT),
    **dict.fromkeys(("internal", "intern", "int", "extension", "on-net", "onnet", "intercom"), INTERNAL),
}
_SIP_REFUSAL = re.compile(r"[3-6]\d\d", re.ASCII)


class FieldError(Exception):
    """One value of one line cannot be used: the field, a code for programs, a reason for people."""

    def __init__(self, field: str, code: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.code = code
        self.reason = reason


def cleaned(cells: list[str]) -> list[str]:
    """The fields of a line without surrounding space; literal NULLs of database exports are nothing.

    All functions below take text that went through here.
    """
    cells = [cell.strip() for cell in cells]
    if NULLS.isdisjoint(cells):
        return cells
    return ["" if cell in NULLS else cell for cell in cells]


def name(field: str, text: str, limit: int = MAX_NAME_CHARS) -> str:
    """A number, account, carrier or id: any printable text up to `limit` characters."""
    if len(text) > limit:
        raise FieldError(field, "too_long", f"{field} has {len(text)} characters; at most {limit} are taken.")
    if not text.isprintable():
        raise FieldError(field, "control_characters", f"{field} holds characters that cannot be printed.")
    return text


class Clock:
    """Reads the times of one file: in UTC, from ISO text or epoch seconds or milliseconds.

    Text without an offset is read in `zone`. A local time that came twice (clocks set back) is its first
    coming, unless that lies before `not_before` and the second does not; one that never came (clocks set
    forward) is read with the offset that held before the change.
    """

    def __init__(self, zone: tzinfo, not_after: datetime) -> None:
        self.zone = zone
        self.not_after = not_after
        self._minutes: dict[str, datetime] = {}

    def read(self, field: str, text: str, not_before: datetime | None = None) -> datetime | None:
        """None for nothing, zero or NULL. Outside [2000, not_after], or unreadable: `FieldError`."""
        if text in _NO_MOMENT:
            return None
        if ":" in text:
            found = self._plain(text) or _from_iso(field, text, self.zone, None)
            if not_before is not None and found < not_before:
                found = _from_iso(field, text, self.zone, not_before)
        else:
            found = _from_epoch(field, text)
        if not EARLIEST <= found <= self.not_after:
            span = f"{EARLIEST:%Y-%m-%d} to {self.not_after:%Y-%m-%d %H:%M} UTC"
            reason = f"{field} is {found.isoformat()}; taken are times from {span}."
            raise FieldError(field, "time_range", reason)
        return found

    def _plain(self, text: str) -> datetime | None:
        """`2026-10-31 23:59:58` by the minutes seen before: neighbours in a file share them."""
        if len(text) != 19 or text[16] != ":" or not text.isascii():
            return None
        second = text[17:]
        if not second.isdigit() or second > "59":
            return None
        minute = self._minutes.get(text[:16])
        if minute is None:
            if len(self._minutes) >= MINUTES_KEPT:
                self._minutes.clear()
            try:
                minute = _from_iso("", text[:16] + ":00", self.zone, None)
            except FieldError:
                return None
            self._minutes[text[:16]] = minute
        return minute.replace(second=int(second))


def _unreadable(field: str, text: str) -> FieldError:
    hint = "write it as 2026-10-31 23:59:59, with or without offset, or as epoch seconds"
    return FieldError(field, "time", f"{field} “{text[:40]}” is not a time that is understood: {hint}.")


def _from_iso(field: str, text: str, zone: tzinfo, not_before: datetime | None) -> datetime:
    match = _ISO.fullmatch(text)
    if match is None:
        raise _unreadable(field, text)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if not 1980 <= int(year) <= 9000:
        raise FieldError(field, "time_range", f"{field} is in the year {year}.")
    try:
        wall = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
        if fraction:
            wall = wall.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        if offset:
            return wall - _offset(offset)
    except ValueError:
        raise _unreadable(field, text) from None
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if not_before is not None and found < not_before:
        again = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        return again if again >= not_before else found
    return found


def _offset(text: str) -> timedelta:
    if text in ("Z", "UTC"):
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 14 or minutes > 59:
        raise ValueError(text)
    size = timedelta(hours=hours, minutes=minutes)
    return -size if text[0] == "-" else size


def _from_epoch(field: str, text: str) -> datetime:
    match = _EPOCH.fullmatch(text)
    if match is None:
        raise _unreadable(field, text)
    seconds, fraction, millis = match.groups()
    if millis:
        return _UNIX_START + timedelta(milliseconds=int(millis))
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return _UNIX_START + timedelta(seconds=int(seconds), microseconds=micros)


def seconds(field: str, text: str) -> int:
    """Whole seconds, fractions rounded up: `90`, `89.2`, `89,2`, `0:01:30`. Nothing or NULL is 0.

    Refused: a sign below zero, an exponent, a thousands mark, digits of other scripts, more than 31 days.
    """
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return _bounded(field, int(text), text)
    if match := _SECONDS.fullmatch(text) or _SECONDS_COMMA.fullmatch(text):
        whole, fraction = match.groups()
        return _bounded(field, int(whole) + (1 if (fraction or "").strip("0") else 0), text)
    if match := _CLOCK.fullmatch(text):
        hours, minutes, rest = (int(part) for part in match.groups())
        return _bounded(field, hours * 3600 + minutes * 60 + rest, text)
    if re.fullmatch(r"-\d+(\.\d*)?", text, re.ASCII):
        raise FieldError(field, "negative", f"{field} is {text[:40]}: a call cannot last less than nothing.")
    raise FieldError(field, "number", f"{field} “{text[:40]}” is not a plain number of seconds.")


def _bounded(field: str, value: int, text: str) -> int:
    if value > MAX_DURATION_S:
        raise FieldError(field, "too_long", f"{field} is {text[:40]}: more than 31 days.")
    return value


def whole_seconds(span: timedelta) -> int:
    """A span in seconds, fractions rounded up."""
    return -(-span // timedelta(seconds=1))


def disposition(text: str) -> bool | None:
    """True: answered; False: not answered; None: the word (or its absence) does not tell."""
    word = text.lower()
    if word in ANSWERED_WORDS:
        return True
    if word in NOT_ANSWERED_WORDS or _SIP_REFUSAL.fullmatch(word):
        return False
    return None


def direction(text: str) -> str | None:
    """`out`, `in` or `internal` for the words that switches use; None: it does not tell."""
    return DIRECTIONS.get(text.lower())


@lru_cache(maxsize=65536)
def ip_address(text: str) -> str | None:
    """An IPv4 or IPv6 address in its usual writing, or None for anything else."""
    try:
        return str(ipaddress.ip_address(text.strip("[]").partition("%")[0]))
    except ValueError:
        return None


def port(text: str) -> int | None:
    """1 to 65535, or None."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return value if 0 < value < 65536 else None


def agent(text: str) -> str | None:
    """A User-Agent cut to 255 characters, unprintable ones left out, or None."""
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable())
    return text[:MAX_AGENT_CHARS] or None
