"""Mitel SMDR: lines of text by columns of characters, or the same values parted by single spaces.

    %02/04 13:13:16  0000:16:38 7411    0003 7406                      I 7406
    02/17 13:35:10 00:02:14 1011 918005551200 T001 A
    021726 183045 000231 4001 918005551212 T002 ACC:4401 A CID:77 OLI:01

A mark for long calls, date, start, duration, who called (an extension, or a trunk such as T3), seconds until the
answer (`****`: never), digits, how it ended, who was called (an extension or a trunk), and more by option.

Decided here:
- A date without a year is the latest such day that is not in the future; of two years only.
- A, I, T or nothing as the end is an answered call if it lasted; B (busy), E (error), D (do not disturb) and `****`
  are not answered, and nothing is billed. Any other letter on a call that lasted is quarantined.
- A start by the 12-hour clock (`01:30p`) is quarantined: lines without the letter could be of either clock.
- Two numbers as digits are the caller's and the one dialled. Where the first is neither the caller's nor that of
  an incoming trunk, or a third differs, the line is quarantined: which number was called is not guessed.
- A call from a trunk that took no other trunk is incoming; I as the end is an internal call.
- Ids come again after a while, so the start belongs to the id; the parts of a call are told apart by the
  sequence and the parties.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from rating.usage import fields
from rating.usage.base import LineParser, check_callee
from rating.usage.fields import FieldError
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import IN, INTERNAL, OUT, UsageRow

_HEAD = re.compile(
    r"[ %+-]*(?P<date>\d{4}-\d\d-\d\d|\d\d/\d\d(?:/\d\d(?:\d\d)?)?|\d{6}|\d{8})"
    r" +(?P<time>\d\d:\d\d(?::\d\d)?|\d{6}|\d{4})"
    r" +(?P<duration>-?\d{1,4}:\d\d:\d\d|-?\d{6})(?: +(?P<rest>\S.*))?\s*",
    re.ASCII,
)
_COLUMNS = re.compile(r"[ %+-]\d\d/\d\d \d\d:\d\d:\d\d  \d{4}:\d\d:\d\d .{39}", re.ASCII)
CALLER, ANSWER_AFTER, DIGITS, ENDING, CALLED, REST = (
    slice(*ends) for ends in ((28, 35), (36, 40), (41, 67), (67, 68), (69, 76), (76, None))
)
_TRUNK = re.compile(r"[TX]\d{1,4}", re.ASCII)
_NUMBER = re.compile(r"\+?[\d*#]+", re.ASCII)
_UNTIL_ANSWER = re.compile(r"\*{3,4}|0\d{2,3}", re.ASCII)
_OPTION = re.compile(r"(ACC|ACCT|ACCOUNT|CID|CALLID|SEQ|OLI|[A-Z]{2,12})[:=](\S*)", re.ASCII)
_CALL_ID = re.compile(r"[A-Z]\d{7}", re.ASCII)
_ANSWERED = frozenset(("", "A", "I", "T"))
_NOT_ANSWERED = frozenset("BDE")
_ENDS = _ANSWERED | _NOT_ANSWERED | frozenset("OSU")
_SCORE = 70


@dataclass(slots=True)
class _Parts:
    """What a line says after the duration. `numbers` are the digits, one or two; `called` may be a trunk."""

    caller: str
    never: bool
    numbers: list[str]
    ending: str = ""
    called: str = ""
    options: dict[str, str] = field(default_factory=dict)


class MitelSmdr:
    """The adapter of this format."""

    name = "mitel"
    label = "Mitel SMDR"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        filled = [line for line in head_lines if line.strip()]
        found = sum(1 for line in filled if (match := _HEAD.fullmatch(line)) and match["rest"])
        return Match(_SCORE if found and found * 2 >= len(filled) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> MitelParser:
        if not self.recognise(head_lines).score:
            message = "The lines do not begin with date, start and duration, as Mitel's SMDR does."
            raise UsageRefused("unknown_layout", message, "line 1", "Export as CSV with a header.")
        return MitelParser(time_zone, not_after)


class MitelParser(LineParser):
    """Reads lines of all shapes. A file may mix lines with and without an id, so it counts as one without."""

    def __init__(self, zone: tzinfo, not_after: datetime) -> None:
        super().__init__(zone, not_after, has_ids=False)
        self._today = not_after.astimezone(zone).replace(tzinfo=None)

    def read(self, line_no: int, text: str) -> UsageRow:
        match = _HEAD.fullmatch(text)
        if match is None or not match["rest"]:
            reason = "The line does not begin with date, start, duration and who called."
            raise FieldError("", "layout", reason)
        started_at = self.started("start", self._moment(match["date"], match["time"]))
        duration_s = fields.seconds("duration", _clock(match["duration"]))
        parts = _by_columns(text) if _COLUMNS.match(text) else _by_spaces(match["rest"].split())
        caller, callee = _numbers(parts)
        answered = duration_s > 0 and _answered(parts)
        check_callee("called", callee, duration_s if answered else 0)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=_call_id(parts, started_at),
            leg=fields.name("leg", f"{parts.options.get('SEQ', '')}:{caller}>{callee}", 2 * fields.MAX_NAME_CHARS),
            account=fields.name("account", parts.options.get("ACC", "")),
            caller=fields.name("caller", caller),
            callee=fields.name("called", callee),
            started_at=started_at,
            answered_at=started_at if answered else None,
            duration_s=duration_s if answered else 0,
            answered=answered,
            carrier=parts.called if _TRUNK.fullmatch(parts.called) else "",
            src_ip=None,
            src_port=None,
            user_agent=None,
            direction=_direction(parts),
        )

    def _moment(self, date: str, time: str) -> str:
        """Date and start as ISO text."""
        clock = time if ":" in time else ":".join(time[at : at + 2] for at in range(0, len(time), 2))
        if date[4:5] == "-":
            return f"{date} {clock}"
        if len(date) == 8 and date.isdigit():
            return f"{date[:4]}-{date[4:6]}-{date[6:]} {clock}"
        plain = date.replace("/", "")
        month, day, year = plain[:2], plain[2:4], plain[4:]
        if year:
            return f"{year if len(year) == 4 else '20' + year}-{month}-{day} {clock}"
        return f"{self._year(month, day, clock)}-{month}-{day} {clock}"

    def _year(self, month: str, day: str, clock: str) -> int:
        """This year, unless that day and time are still to come."""
        this = self._today.year
        try:
            moment = datetime.fromisoformat(f"{this}-{month}-{day} {clock}")
        except ValueError:
            return this if (month, day) != ("02", "29") else this - 1
        return this if moment <= self._today else this - 1


def _clock(text: str) -> str:
    """`000231` -> `00:02:31`. A sign stays in front, so that a negative duration is seen as one."""
    if text.startswith("-"):
        return "-1"
    return text if ":" in text else f"{text[:2]}:{text[2:4]}:{text[4:]}"


def _answered(parts: _Parts) -> bool:
    if parts.never or parts.ending in _NOT_ANSWERED:
        return False
    if parts.ending not in _ANSWERED:
        reason = f"“{parts.ending}” does not tell whether the call was answered."
        raise FieldError("ending", "disposition", reason)
    return True


def _by_columns(text: str) -> _Parts:
    parts = _Parts(text[CALLER].strip(), "*" in text[ANSWER_AFTER], text[DIGITS].split())
    parts.ending, parts.called = text[ENDING].strip(), text[CALLED].strip()
    _take_options(parts, text[REST].split())
    return parts


def _by_spaces(words: list[str]) -> _Parts:
    caller, *rest = words
    never = False
    if len(rest) > 1 and _UNTIL_ANSWER.fullmatch(rest[0]) and _NUMBER.fullmatch(rest[1]):
        never = "*" in rest[0]
        rest = rest[1:]
    count = next((at for at, word in enumerate(rest) if not _NUMBER.fullmatch(word)), len(rest))
    parts = _Parts(caller, never, rest[:count])
    _take_end(parts, _take_options(parts, rest[count:]))
    return parts


def _take_options(parts: _Parts, words: Sequence[str]) -> list[str]:
    """Account code and ids into `options`; what is left. A letter after a call's id is its sequence, not its end."""
    left: list[str] = []
    for before, word in itertools.pairwise(("", *words)):
        if match := _OPTION.fullmatch(word):
            name = {"ACCT": "ACC", "ACCOUNT": "ACC", "CALLID": "CID"}.get(match[1], match[1])
            parts.options[name] = match[2]
        elif _CALL_ID.fullmatch(word):
            parts.options["CID"] = word
        elif _CALL_ID.fullmatch(before) and len(word) == 1:
            parts.options["SEQ"] = word
        else:
            left.append(word)
    return left


def _take_end(parts: _Parts, words: Sequence[str]) -> None:
    """How it ended and who was called, in either order; what follows those is of no use here."""
    for at, word in enumerate(words):
        if word in _ENDS and not parts.ending:
            parts.ending = word
        elif not parts.called and (_TRUNK.fullmatch(word) or (at < 2 and _NUMBER.fullmatch(word))):
            parts.called = word


def _numbers(parts: _Parts) -> tuple[str, str]:
    """Who called and which number, or `FieldError` (code `unclear`)."""
    incoming = _TRUNK.fullmatch(parts.caller) is not None
    numbers = parts.numbers
    if len(numbers) > 2 and numbers[2:] == numbers[1:2]:
        numbers = numbers[:2]
    if len(numbers) == 2 and (incoming or numbers[0] in (parts.caller, numbers[1])):
        return (numbers[0] if incoming else parts.caller), numbers[1]
    if len(numbers) > 1:
        raise FieldError("called", "unclear", f"Which number was called is not clear: {' '.join(numbers)[:80]}.")
    called = "" if _TRUNK.fullmatch(parts.called) else parts.called
    if incoming:
        return parts.caller, called or "".join(numbers)
    return parts.caller, "".join(numbers) or called


def _direction(parts: _Parts) -> str:
    if _TRUNK.fullmatch(parts.called):
        return OUT
    if _TRUNK.fullmatch(parts.caller):
        return IN
    return INTERNAL if parts.ending == "I" else OUT


def _call_id(parts: _Parts, started_at: datetime) -> str | None:
    number = parts.options.get("CID", "")
    if not number:
        return None
    return fields.name("CID", f"{started_at:%Y%m%dT%H%M%S}-{number}", fields.MAX_CALL_ID_CHARS)
