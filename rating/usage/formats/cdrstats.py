"""Plain exports as cdr-stats imports them: commas, no header, epoch seconds; 8 or 16 columns.

    caller, caller's name, number called, duration, billed seconds, cause, uuid, start
    caller, caller's name, number called, duration, billed seconds, cause, direction, uuid, media address,
        start, answer, end, duration in ms, billed in ms, codec read, codec written

Decided here:
- Billed seconds say whether the call was answered (8 columns), or the time of answer (16; 0 is none). The cause
  (Q.850) tells how the call ended: 17 beside billed seconds is a call that was answered and then met a busy line.
- Some exports repeat the start as answer and end. Such an end says nothing; any other must bear out the seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from rating.usage import fields
from rating.usage.base import UUID, LineParser, check_callee, check_order, check_silent, check_within, mostly
from rating.usage.fields import FieldError
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import UsageRow
from rating.usage.table import split_line

CALLER, NAME, CALLEE, DURATION, BILLSEC, CAUSE = range(6)
SHORT, LONG = 8, 16
_EPOCH = re.compile(r"\d{10}", re.ASCII)
_SCORE = 75


def _looks_so(cells: list[str]) -> bool:
    if len(cells) not in (SHORT, LONG) or not all(cells[at].isdigit() for at in (DURATION, BILLSEC, CAUSE)):
        return False
    uuid, start = (cells[6], cells[7]) if len(cells) == SHORT else (cells[7], cells[9])
    return UUID.fullmatch(uuid) is not None and _EPOCH.fullmatch(start) is not None


class CdrStatsPlain:
    """The adapter of this format."""

    name = "cdrstats"
    label = "plain export of cdr-stats with epoch times, 8 or 16 columns"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        return Match(_SCORE if mostly(head_lines, _looks_so) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> CdrStatsParser:
        if not self.recognise(head_lines).score:
            message = "No line has the 8 or 16 columns of a plain cdr-stats export."
            raise UsageRefused("unknown_layout", message, "line 1", "Export as CSV with a header.")
        return CdrStatsParser(time_zone, not_after)


class CdrStatsParser(LineParser):
    """Reads lines of 8 and of 16 columns."""

    def read(self, line_no: int, text: str) -> UsageRow:
        cells = fields.cleaned(split_line(text, ","))
        if len(cells) not in (SHORT, LONG):
            raise FieldError("", "columns", f"The line has {len(cells)} columns; this layout has 8 or 16.")
        billed_s = fields.seconds("billsec", cells[BILLSEC])
        check_within("billsec", billed_s, fields.seconds("duration", cells[DURATION]))
        long = len(cells) == LONG
        direction, uuid, address = cells[6:9] if long else ("", cells[6], "")
        started_at, answered_at = self._long(cells, billed_s) if long else self._short(cells, billed_s)
        callee = fields.name("destination_number", cells[CALLEE])
        check_callee("destination_number", callee, billed_s)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=fields.name("uuid", uuid, fields.MAX_CALL_ID_CHARS) or None,
            leg=fields.name("leg", f"{direction}>{callee}", 2 * fields.MAX_NAME_CHARS),
            account="",
            caller=fields.name("caller_id_number", cells[CALLER]),
            callee=callee,
            started_at=started_at,
            answered_at=answered_at,
            duration_s=billed_s,
            answered=answered_at is not None,
            carrier="",
            src_ip=fields.ip_address(address) if long else None,
            src_port=None,
            user_agent=None,
        )

    def _short(self, cells: Sequence[str], billed_s: int) -> tuple[datetime, datetime | None]:
        started_at = self.started("start", cells[7])
        rang_s = max(0, fields.seconds("duration", cells[DURATION]) - billed_s)
        return started_at, started_at + timedelta(seconds=rang_s) if billed_s else None

    def _long(self, cells: Sequence[str], billed_s: int) -> tuple[datetime, datetime | None]:
        started_at = self.started("start", cells[9])
        answered_at = self._clock.read("answer", cells[10])
        ended_at = self._clock.read("end", cells[11])
        check_order("answer", started_at, answered_at)
        check_order("end", answered_at, ended_at)
        if answered_at is None:
            check_silent("billsec", billed_s)
        elif ended_at and ended_at > started_at:
            check_within("billsec", billed_s, fields.whole_seconds(ended_at - answered_at))
        return started_at, answered_at
