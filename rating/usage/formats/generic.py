"""CSV with a header, columns in any order: the format to ask for when a switch can export what it likes.

Columns: call_id, leg, account, from, to, started_at, answered_at, ended_at, seconds, disposition, carrier,
src_ip, src_port, user_agent, reference, direction (and some synonyms). Needed are `to`, one of started_at and
answered_at, and either seconds or both answered_at and ended_at.

Was it answered? The disposition decides; where it is silent, a filled answer time (if there is such a
column), else a duration above 0. What is not answered has 0 seconds, whatever the file says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from rating.usage import fields
from rating.usage.base import told_direction
from rating.usage.fields import FieldError
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import BadRow, UsageRow, bad_row
from rating.usage.table import DELIMITERS, split_line, split_or_none

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    field: tuple(synonyms.split())
    for field, synonyms in {
        "call_id": "call_id callid uniqueid unique_id call_uuid uuid cdr_id record_id",
        "leg": "leg leg_id sequence seq",
        "account": "account account_code accountcode account_id customer customer_code",
        "from": "from caller src source calling_number caller_number from_number ani cli",
        "to": "to callee dst called_number callee_number to_number dialed_number dialled_number dnis"
        " destination_number called destination",
        "started_at": "started_at start start_time start_at calldate call_date setup_time datetime",
        "answered_at": "answered_at answer answer_time connected_at connect_time",
        "ended_at": "ended_at end end_time hangup_time disconnect_time stop_time",
        "seconds": "seconds billsec billed_seconds bill_seconds duration_s duration_seconds duration",
        "disposition": "disposition status call_status result",
        "carrier": "carrier carrier_code trunk gateway provider vendor",
        "src_ip": "src_ip source_ip ip ip_address remote_ip caller_ip",
        "src_port": "src_port source_port port remote_port",
        "user_agent": "user_agent useragent agent ua",
        "reference": "reference pbx_cost external_cost",
        "direction": "direction call_direction",
    }.items()
}
PREAMBLE_LINES = 10
_Times = tuple[datetime | None, datetime | None, datetime | None]
_SCORE = 90
_SLACK = timedelta(seconds=fields.CLOCK_SLACK_S)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the header stands, how it is cut, and which column holds which field."""

    header_line: int
    delimiter: str
    width: int
    columns: Mapping[str, int]

    @property
    def missing(self) -> str:
        """What the header lacks, in words; empty when it will do."""
        has = self.columns.keys()
        lacks = []
        if "to" not in has:
            lacks.append("to (the number called)")
        if not has & {"started_at", "answered_at"}:
            lacks.append("started_at or answered_at")
        if "seconds" not in has and not {"answered_at", "ended_at"} <= has:
            lacks.append("seconds (or answered_at and ended_at)")
        return "; ".join(lacks)


def _header_name(text: str) -> str:
    return re.sub(r"[\s\-.]+", "_", text.strip().lower()).strip("_")


def _columns(names: Sequence[str]) -> dict[str, int]:
    """Field to column. Of several synonyms the first in our list wins."""
    return {
        field: names.index(known[0])
        for field, synonyms in SYNONYMS.items()
        if (known := [synonym for synonym in synonyms if synonym in names])
    }


def _find_layout(head_lines: Sequence[str]) -> Layout | None:
    """The best header among the first lines: the one that names most fields, at least three."""
    best: Layout | None = None
    for number, line in enumerate(head_lines[:PREAMBLE_LINES], 1):
        for delimiter in DELIMITERS:
            cells = split_or_none(line, delimiter)
            if cells is None or len(cells) < 3:
                continue
            columns = _columns([_header_name(cell) for cell in cells])
            found = Layout(number, delimiter, len(cells), columns)
            if len(columns) >= 3 and (best is None or len(columns) > len(best.columns)):
                best = found
    return best


class GenericCsv:
    """The adapter of this format."""

    name = "generic"
    label = "CSV with a header"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        layout = _find_layout(head_lines)
        if layout is None:
            return Match(0)
        if layout.missing:
            found = ", ".join(layout.columns)
            return Match(0, f"The header names {found}, but these are missing: {layout.missing}.")
        return Match(_SCORE)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> GenericParser:
        layout = _find_layout(head_lines)
        if layout is None or layout.missing:
            message = self.recognise(head_lines).near_miss or "No header was found in the first lines."
            hint = "Needed: to; started_at or answered_at; seconds or answered_at and ended_at."
            raise UsageRefused("missing_columns", message, f"line {layout.header_line if layout else 1}", hint)
        names = [_header_name(cell) for cell in split_line(head_lines[layout.header_line - 1], layout.delimiter)]
        twice = sorted({names[at] for at in layout.columns.values() if names.count(names[at]) > 1})
        if twice:
            message = f"The header names a column twice: {', '.join(twice)}."
            raise UsageRefused("column_twice", message, f"line {layout.header_line}", "Rename or drop one.")
        return GenericParser(layout, time_zone, not_after)


class GenericParser:
    """Reads the lines below one header."""

    framing = None

    def __init__(self, layout: Layout, zone: tzinfo, not_after: datetime) -> None:
        self.layout = layout
        self.clock = fields.Clock(zone, not_after)
        self._columns = layout.columns.keys()
        self._places = [layout.columns.get(field, -1) for field in SYNONYMS]
        self.has_ids = "call_id" in layout.columns
        self.data_from_line = layout.header_line + 1

    def parse(self, line_no: int, text: str) -> UsageRow | BadRow | None:
        if line_no < self.data_from_line or not text.strip():
            return None
        try:
            return self._row(line_no, text, self._cells(text))
        except FieldError as error:
            return bad_row(line_no, text, error.field, error.code, error.reason)

    def _cells(self, text: str) -> list[str]:
        """The line's values in the order of `SYNONYMS`; "" for a column that the file lacks."""
        cells = fields.cleaned(split_line(text, self.layout.delimiter))
        width = self.layout.width
        if len(cells) != width and (len(cells) < width or any(cells[width:])):
            reason = f"The line has {len(cells)} columns, the header {width}."
            raise FieldError("", "columns", reason)
        cells.append("")
        return [cells[place] for place in self._places]

    def _row(self, line_no: int, text: str, cells: list[str]) -> UsageRow:
        (call_id, leg, account, caller, callee, start, answer, end, lasted, word) = cells[:10]
        (carrier, src_ip, src_port, user_agent, reference, direction) = cells[10:]
        started_at, answered_at, ended_at = self._times(start, answer, end)
        reported_s = self._reported_s(lasted, answered_at, ended_at)
        answered = self._answered(word, answered_at, reported_s)
        if answered and reported_s and not callee:
            raise FieldError("to", "missing", "The call lasted, but the number called is missing.")
        begin = started_at or answered_at
        if begin is None:
            raise FieldError("started_at", "missing", "The line names no time.")
        return UsageRow(
            line=line_no,
            text=text,
            call_id=fields.name("call_id", call_id, fields.MAX_CALL_ID_CHARS) or None,
            leg=fields.name("leg", leg),
            account=fields.name("account", account),
            caller=fields.name("from", caller),
            callee=fields.name("to", callee),
            started_at=begin,
            answered_at=(answered_at or begin) if answered else None,
            duration_s=reported_s if answered else 0,
            answered=answered,
            carrier=fields.name("carrier", carrier),
            src_ip=fields.ip_address(src_ip),
            src_port=fields.port(src_port),
            user_agent=fields.agent(user_agent),
            reference=fields.agent(reference) or "",
            direction=told_direction("direction", direction),
        )

    def _times(self, start: str, answer: str, end: str) -> tuple[datetime | None, datetime | None, datetime | None]:
        read = self.clock.read
        started_at = read("started_at", start)
        answered_at = read("answered_at", answer, started_at)
        ended_at = read("ended_at", end, answered_at or started_at)
        if started_at and answered_at and answered_at < started_at - _SLACK:
            raise FieldError("answered_at", "order", "The call was answered before it began.")
        if answered_at and ended_at and ended_at < answered_at - _SLACK:
            raise FieldError("ended_at", "order", "The call ended before it was answered.")
        return started_at, answered_at, ended_at

    def _reported_s(self, text: str, answered_at: datetime | None, ended_at: datetime | None) -> int:
        if "seconds" in self._columns and (text or ended_at is None):
            return fields.seconds("seconds", text)
        if answered_at is None or ended_at is None:
            return 0
        return fields.seconds("ended_at", str(max(0, fields.whole_seconds(ended_at - answered_at))))

    def _answered(self, word: str, answered_at: datetime | None, reported_s: int) -> bool:
        told = fields.disposition(word)
        if told is not None:
            return told
        if word and reported_s:
            reason = f"“{word[:40]}” does not tell whether the call was answered."
            raise FieldError("disposition", "disposition", reason)
        if "answered_at" in self._columns:
            return answered_at is not None
        return reported_s > 0
