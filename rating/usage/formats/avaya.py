"""Avaya IP Office SMDR: commas, a fixed order, with or without a header; 16 to 35 columns by release.

    Call Start, Connected Time, Ring Time, Caller, Direction, Called Number, Dialled Number, Account,
    Is Internal, Call ID, Continuation, Party1Device, Party1Name, Party2Device, Party2Name, Hold Time
    [, Park Time, AuthValid, AuthCode, User Charged, Call Charge, Currency, ...]

Decided here:
- Connected time above 0 is an answered call. What it lasted is connected, held and parked time together: the
  connected time leaves out the others, while the line stays taken.
- A transferred call is written in parts that share id and start; each part is a leg. Ids begin anew after a
  restart, so the start belongs to the id.
- An incoming call is one to the extension or voice mail that took it: the number dialled there is the house's own.
- Advice of charge (call charge, currency) is kept as the reference, never charged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from rating.usage import fields, record
from rating.usage.base import LineParser, check_callee, mostly
from rating.usage.columns import normal_name
from rating.usage.fields import FieldError
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import UsageRow
from rating.usage.table import split_line, split_or_none

(START, CONNECTED, RING, CALLER, DIRECTION, CALLED, DIALLED, ACCOUNT, INTERNAL, CALL_ID, CONTINUATION) = range(11)
PARTY1, PARTY2, HOLD, PARK, CHARGE, CURRENCY = 11, 13, 15, 16, 20, 21
MIN_WIDTH, FULL_WIDTH = 16, 35
_STAMP = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", re.ASCII)
_CLOCK = re.compile(r"\d{2,4}:\d\d:\d\d", re.ASCII)
_INSIDE = re.compile(r"[EV](\d+)(\.\d+)?", re.ASCII)
_HEADER = ("call_start", "connected_time", "ring_time")
_SCORE = 85


def _looks_so(cells: list[str]) -> bool:
    return (
        len(cells) >= MIN_WIDTH
        and _STAMP.fullmatch(cells[START]) is not None
        and _CLOCK.fullmatch(cells[CONNECTED]) is not None
        and cells[RING].isdigit()
        and cells[DIRECTION] in ("I", "O")
        and cells[CALL_ID].isdigit()
        and cells[CONTINUATION] in ("0", "1")
    )


def _is_header(cells: Sequence[str]) -> bool:
    return tuple(normal_name(cell) for cell in cells[:3]) == _HEADER


def _has_header(head_lines: Sequence[str]) -> bool:
    return any(_is_header(cells) for line in head_lines[:3] if (cells := split_or_none(line, ",")))


class AvayaSmdr:
    """The adapter of this format."""

    name = "avaya"
    label = "Avaya IP Office SMDR as CSV"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        return Match(_SCORE if _has_header(head_lines) or mostly(head_lines, _looks_so) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> AvayaParser:
        if not self.recognise(head_lines).score:
            message = "No line has the columns of Avaya's SMDR."
            raise UsageRefused("unknown_layout", message, "line 1", "Export as CSV with a header.")
        return AvayaParser(time_zone, not_after)


class AvayaParser(LineParser):
    """Reads lines of any release: columns that a release lacks are empty."""

    def read(self, line_no: int, text: str) -> UsageRow | None:
        cells = fields.cleaned(split_line(text, ","))
        if _is_header(cells):
            return None
        if len(cells) < MIN_WIDTH:
            raise FieldError("", "columns", f"The line has {len(cells)} columns; SMDR has at least {MIN_WIDTH}.")
        cells += [""] * (FULL_WIDTH - len(cells))
        started_at = self.started("Call Start", cells[START])
        ring_s = fields.seconds("Ring Time", cells[RING])
        connected_s = fields.seconds("Connected Time", cells[CONNECTED])
        waiting_s = fields.seconds("Hold Time", cells[HOLD]) + fields.seconds("Park Time", cells[PARK])
        duration_s = fields.seconds("duration", str(connected_s + waiting_s)) if connected_s else 0
        callee = _callee(cells)
        check_callee("Called Number", callee, duration_s)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=_call_id(cells, started_at),
            leg=_leg(cells),
            account=fields.name("Account", cells[ACCOUNT]),
            caller=fields.name("Caller", cells[CALLER].partition("@")[0]),
            callee=callee,
            started_at=started_at,
            answered_at=started_at + timedelta(seconds=ring_s) if connected_s else None,
            duration_s=duration_s,
            answered=connected_s > 0,
            carrier=_trunk(cells),
            src_ip=fields.ip_address(cells[CALLER].partition("@")[2]),
            src_port=None,
            user_agent=None,
            reference=fields.agent(f"{cells[CHARGE]} {cells[CURRENCY]}".strip()) or "" if cells[CHARGE] else "",
            direction=_direction(cells),
        )


def _incoming(cells: Sequence[str]) -> bool:
    if cells[DIRECTION] not in ("I", "O"):
        reason = f"“{cells[DIRECTION][:20]}” is not a direction: I is incoming, O is outgoing."
        raise FieldError("Direction", "direction", reason)
    return cells[DIRECTION] == "I"


def _direction(cells: Sequence[str]) -> str:
    if cells[INTERNAL] == "1":
        return record.INTERNAL
    return record.IN if _incoming(cells) else record.OUT


def _callee(cells: Sequence[str]) -> str:
    if not _incoming(cells):
        return fields.name("Dialled Number", cells[DIALLED] or cells[CALLED])
    match = _INSIDE.fullmatch(cells[PARTY1])
    return match.group(1) if match else fields.name("Called Number", cells[CALLED])


def _trunk(cells: Sequence[str]) -> str:
    """The line that an outgoing call took, such as `T9001`."""
    device = cells[PARTY2]
    return fields.name("Party2Device", device) if device.startswith("T") and not _incoming(cells) else ""


def _call_id(cells: Sequence[str], started_at: datetime) -> str | None:
    if not cells[CALL_ID]:
        return None
    return fields.name("Call ID", f"{started_at:%Y%m%dT%H%M%S}-{cells[CALL_ID]}", fields.MAX_CALL_ID_CHARS)


def _leg(cells: Sequence[str]) -> str:
    parts = (cells[PARTY1], cells[PARTY2], cells[CONNECTED], cells[RING], cells[HOLD], cells[PARK], cells[CONTINUATION])
    return fields.name("leg", "/".join(parts), 2 * fields.MAX_NAME_CHARS)
