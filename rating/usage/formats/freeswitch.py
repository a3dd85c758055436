"""FreeSWITCH's `Master.csv` as module cdr_csv writes it by its default template: 13 or 15 columns, no header.

    caller_id_name, caller_id_number, destination_number, context, start_stamp, answer_stamp, end_stamp,
    duration, billsec, hangup_cause, uuid, bleg_uuid, accountcode [, read_codec, write_codec [, own columns]]

Decided here:
- The time of answer says whether the call was answered: the hangup cause tells how it ended, and an answered
  call may end by any cause. Seconds billed without a time of answer are quarantined.
- The id is the uuid, the leg the uuid of the other side. Export with `legs` set to `a`: a file of both sides
  holds each call twice, and nothing in a line tells which side it is.
- Billed seconds above the duration are quarantined, unless answer and end times bear them out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo

from rating.usage import fields
from rating.usage.base import UUID, LineParser, check_callee, check_order, check_silent, check_within, mostly
from rating.usage.fields import FieldError
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import UsageRow
from rating.usage.table import split_line

(CALLER, CALLEE, START, ANSWER, END, DURATION, BILLSEC, CAUSE, UUID_AT, OTHER_UUID, ACCOUNT) = (1, 2, *range(4, 13))
MIN_WIDTH = 13
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]+", re.ASCII)
_SCORE = 85


def _looks_so(cells: list[str]) -> bool:
    return (
        len(cells) >= MIN_WIDTH
        and all(_STAMP.fullmatch(cells[at]) for at in (START, END))
        and (not cells[ANSWER] or _STAMP.fullmatch(cells[ANSWER]) is not None)
        and _CAUSE.fullmatch(cells[CAUSE]) is not None
        and UUID.fullmatch(cells[UUID_AT]) is not None
    )


class FreeswitchCsv:
    """The adapter of this format."""

    name = "freeswitch"
    label = "FreeSWITCH cdr_csv, default template"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        return Match(_SCORE if mostly(head_lines, _looks_so) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> FreeswitchParser:
        if not self.recognise(head_lines).score:
            hint = "Set the template `example` in cdr_csv.conf.xml, or export as CSV with a header."
            raise UsageRefused("unknown_layout", "No line has the columns of FreeSWITCH's cdr_csv.", "line 1", hint)
        return FreeswitchParser(time_zone, not_after)


class FreeswitchParser(LineParser):
    """Reads lines of the default template."""

    def read(self, line_no: int, text: str) -> UsageRow:
        cells = fields.cleaned(split_line(text, ","))
        if len(cells) < MIN_WIDTH:
            reason = f"The line has {len(cells)} columns; the default template writes 13 or 15."
            raise FieldError("", "columns", reason)
        started_at = self.started("start_stamp", cells[START])
        answered_at = self._clock.read("answer_stamp", cells[ANSWER], started_at)
        check_order("answer_stamp", started_at, answered_at)
        ended_at = self._clock.read("end_stamp", cells[END], answered_at or started_at)
        check_order("end_stamp", answered_at or started_at, ended_at)
        billed_s = _billed_s(cells, answered_at, ended_at)
        callee = fields.name("destination_number", cells[CALLEE])
        check_callee("destination_number", callee, billed_s)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=fields.name("uuid", cells[UUID_AT], fields.MAX_CALL_ID_CHARS) or None,
            leg=fields.name("bleg_uuid", cells[OTHER_UUID]),
            account=fields.name("accountcode", cells[ACCOUNT]),
            caller=fields.name("caller_id_number", cells[CALLER]),
            callee=callee,
            started_at=started_at,
            answered_at=answered_at,
            duration_s=billed_s,
            answered=answered_at is not None,
            carrier="",
            src_ip=None,
            src_port=None,
            user_agent=None,
        )


def _billed_s(cells: Sequence[str], answered_at: datetime | None, ended_at: datetime | None) -> int:
    billed_s = fields.seconds("billsec", cells[BILLSEC])
    lasted_s = fields.seconds("duration", cells[DURATION])
    if answered_at is None:
        check_silent("billsec", billed_s)
    clock_s = fields.whole_seconds(ended_at - answered_at) if answered_at and ended_at else -1
    if abs(clock_s - billed_s) > fields.CLOCK_SLACK_S:
        check_within("billsec", billed_s, lasted_s)
    return billed_s
