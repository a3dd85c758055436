"""Asterisk's `Master.csv` as module cdr_csv writes it: 16, 17, 18 or 21 columns in a fixed order, no header.

    accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer, end,
    duration, billsec, disposition, amaflags [, uniqueid] [, userfield] [, peeraccount, linkedid, sequence]

A custom order (cdr_custom) is also called Master.csv; it is told apart by content. The one of its sample has an
adapter of its own, any other is refused.

Decided here:
- The disposition says whether the call was answered; billed seconds of an unanswered call are not billed.
- Forked calls share a unique id. The leg is the sequence where there is one, else `channel>dstchannel`.
- The carrier is the peer in dstchannel: `PJSIP/atlas-0000002a` went by the trunk `atlas`.
- A call is incoming where its context is one of trunks and it ended in the house (at an extension, a menu, a mail
  box), internal where it ended at the telephone of the number dialled. All else went out, forwards too.
- Billed seconds above the duration: taken where answer and end times bear them out, else quarantined.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from rating.usage import fields
from rating.usage.fields import FieldError
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import IN, INTERNAL, OUT, BadRow, UsageRow, bad_row
from rating.usage.table import split_line, split_or_none

WIDTHS = (16, 17, 18, 21)
ACCOUNT, SRC, DST, DCONTEXT, CLID, CHANNEL, DSTCHANNEL = range(7)
START, ANSWER, END, DURATION, BILLSEC, DISPOSITION, AMAFLAGS, UNIQUEID, USERFIELD = range(9, 18)
SEQUENCE = 20
_DISPOSITIONS = frozenset({"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "UNKNOWN"})
_AMAFLAGS = frozenset({"DOCUMENTATION", "BILLING", "OMIT", "DEFAULT", "UNKNOWN", "", "0", "1", "2", "3"})
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d.*|\d{9,10}(\.\d+)?", re.ASCII)
_UNIQUEID = re.compile(r"(.*-)?\d{9,10}\.\d+", re.ASCII)
_FROM_OUTSIDE = re.compile(r"from-(trunk|pstn|did|dahdi|zaptel|external|outside)|ext-did", re.ASCII | re.IGNORECASE)
_EXTENSION = re.compile(r"\d{2,6}", re.ASCII)
_HOUSE = re.compile(r"s|i|t|h|\*\d*|\d{2,6}|[a-z_-]+", re.ASCII | re.IGNORECASE)
_CLID_NUMBER = re.compile(r"<([^<>]*)>\s*$")
_SCORE = 80


def looks_standard(cells: Sequence[str]) -> bool:
    """Whether these values can be a call in the standard order."""
    return (
        len(cells) in WIDTHS
        and cells[DISPOSITION].strip().upper() in _DISPOSITIONS
        and cells[AMAFLAGS].strip().upper() in _AMAFLAGS
        and _TIME.fullmatch(cells[START].strip()) is not None
        and not _TIME.fullmatch(cells[START - 1].strip())
    )


def _looks_custom(cells: Sequence[str]) -> bool:
    upper = {cell.strip().upper() for cell in cells}
    return bool(upper & _DISPOSITIONS) and sum(bool(_TIME.fullmatch(cell.strip())) for cell in cells) >= 2


class AsteriskCsv:
    """The adapter of this format."""

    name = "asterisk"
    label = "Asterisk cdr_csv, 16 to 18 or 21 columns in the standard order"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        rows = [cells for line in head_lines if line.strip() and (cells := split_or_none(line, ","))]
        standard = sum(looks_standard(cells) for cells in rows)
        if standard and standard * 3 >= len(rows):
            return Match(_SCORE)
        custom = next((cells for cells in rows if _looks_custom(cells) and not looks_standard(cells)), None)
        if custom is None:
            return Match(0)
        place = next(at for at, cell in enumerate(custom, 1) if cell.strip().upper() in _DISPOSITIONS)
        seen = f"{len(custom)} columns with the disposition in column {place}"
        usual = "the standard has 16, 17, 18 or 21 with the disposition in column 15"
        return Match(0, f"This looks like Asterisk call records in an order of their own: {seen}; {usual}.")

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> AsteriskParser:
        match = self.recognise(head_lines)
        if not match.score:
            message = match.near_miss or "No line has the columns of Asterisk's cdr_csv."
            hint = "Export with the standard columns, or as CSV with a header."
            raise UsageRefused("unknown_layout", message, "line 1", hint)
        rows = [cells for line in head_lines if (cells := split_or_none(line, ",")) and looks_standard(cells)]
        return AsteriskParser(any(_unique_id(cells) for cells in rows), time_zone, not_after)


class AsteriskParser:
    """Reads lines in the standard order."""

    framing = None

    data_from_line = 1

    def __init__(self, has_ids: bool, zone: tzinfo, not_after: datetime) -> None:
        self.has_ids = has_ids
        self._clock = fields.Clock(zone, not_after)

    def parse(self, line_no: int, text: str) -> UsageRow | BadRow | None:
        if not text.strip():
            return None
        try:
            return self._row(line_no, text, self.cells(text))
        except FieldError as error:
            return bad_row(line_no, text, error.field, error.code, error.reason)

    def cells(self, text: str) -> list[str]:
        """The values of one line in the standard order."""
        cells = fields.cleaned(split_line(text, ","))
        if len(cells) not in WIDTHS:
            reason = f"The line has {len(cells)} columns; Asterisk writes 16, 17, 18 or 21."
            raise FieldError("", "columns", reason)
        return cells

    def _row(self, line_no: int, text: str, cells: list[str]) -> UsageRow:
        read = self._clock.read
        started_at = read("start", cells[START])
        if started_at is None:
            raise FieldError("start", "missing", "The line names no start.")
        answered = _answered(cells)
        answered_at = read("answer", cells[ANSWER], started_at)
        ended_at = read("end", cells[END], answered_at or started_at)
        billed_s = _billed_s(cells, answered_at, ended_at) if answered else 0
        callee = fields.name("dst", cells[DST])
        if answered:
            _check(started_at, answered_at, billed_s, callee)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=fields.name("uniqueid", _unique_id(cells), fields.MAX_CALL_ID_CHARS) or None,
            leg=_leg(cells),
            account=fields.name("accountcode", cells[ACCOUNT]),
            caller=_caller(cells),
            callee=callee,
            started_at=started_at,
            answered_at=(answered_at or started_at) if answered else None,
            duration_s=billed_s,
            answered=answered,
            carrier=peer(cells[DSTCHANNEL]),
            src_ip=None,
            src_port=None,
            user_agent=None,
            reference=fields.agent(_user_field(cells)) or "",
            direction=direction(callee, cells[DSTCHANNEL], cells[DCONTEXT]),
        )


def _answered(cells: Sequence[str]) -> bool:
    told = fields.disposition(cells[DISPOSITION])
    if told is None and fields.seconds("billsec", cells[BILLSEC]) > 0:
        reason = f"“{cells[DISPOSITION][:40]}” does not tell whether the call was answered."
        raise FieldError("disposition", "disposition", reason)
    return bool(told)


def _check(started_at: datetime, answered_at: datetime | None, billed_s: int, callee: str) -> None:
    if answered_at and answered_at + timedelta(seconds=fields.CLOCK_SLACK_S) < started_at:
        raise FieldError("answer", "order", "The call was answered before it began.")
    if billed_s and not callee:
        raise FieldError("dst", "missing", "The call lasted, but the number called is missing.")


def _billed_s(cells: Sequence[str], answered_at: datetime | None, ended_at: datetime | None) -> int:
    """Billed seconds; where they exceed the duration, the times must bear them out."""
    billed_s = fields.seconds("billsec", cells[BILLSEC])
    duration_s = fields.seconds("duration", cells[DURATION])
    if billed_s <= duration_s + 1:
        return billed_s
    if answered_at and ended_at:
        clock_s = fields.whole_seconds(ended_at - answered_at)
        if abs(clock_s - billed_s) <= fields.CLOCK_SLACK_S:
            return billed_s
    reason = f"{billed_s} seconds are billed, but the call lasted {duration_s}."
    raise FieldError("billsec", "inconsistent", reason)


def _unique_id(cells: Sequence[str]) -> str:
    """The id, where the layout has one; a 17th column alone may also be the user field."""
    if len(cells) < 17:
        return ""
    unique_id = cells[UNIQUEID]
    return unique_id if len(cells) > 17 or _UNIQUEID.fullmatch(unique_id) else ""


def _user_field(cells: Sequence[str]) -> str:
    if len(cells) == 17:
        return "" if _unique_id(cells) else cells[UNIQUEID]
    return cells[USERFIELD] if len(cells) > 17 else ""


def _leg(cells: Sequence[str]) -> str:
    if len(cells) > SEQUENCE and cells[SEQUENCE]:
        return fields.name("sequence", cells[SEQUENCE])
    pair = f"{cells[CHANNEL]}>{cells[DSTCHANNEL]}"
    return "" if pair == ">" else fields.name("channel", pair, 2 * fields.MAX_NAME_CHARS)


def _caller(cells: Sequence[str]) -> str:
    src = fields.name("src", cells[SRC])
    if src:
        return src
    match = _CLID_NUMBER.search(cells[CLID])
    return fields.name("clid", match.group(1)) if match else ""


def peer(channel: str) -> str:
    """`PJSIP/atlas-0000002a` -> `atlas`; `Local/...` names no trunk."""
    technology, _slash, rest = channel.partition("/")
    if not rest or technology.lower() == "local":
        return ""
    return fields.name("dstchannel", rest.rpartition("-")[0] or rest)


def direction(callee: str, dstchannel: str, dcontext: str, did: str = "") -> str:
    """`out`, `in` or `internal`, from the context, the number that was dialled in, and where the call ended."""
    ended_at = peer(dstchannel)
    if did or _FROM_OUTSIDE.match(dcontext):
        at_home = _EXTENSION.fullmatch(ended_at) if ended_at else callee == did or _HOUSE.fullmatch(callee)
        return IN if at_home else OUT
    return INTERNAL if ended_at == callee and _EXTENSION.fullmatch(callee) else OUT
