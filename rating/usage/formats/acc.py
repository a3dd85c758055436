"""Accounting of Kamailio and OpenSIPS: module acc, written flat to files (`|` or `,`, no header) or exported by name.

    method, from_tag, to_tag, callid, sip_code, sip_reason, time, src_user, src_domain, src_ip, dst_ouser, dst_user,
        dst_domain                                             (Kamailio's own configuration; others add and leave out)

Why in halves: each process of the proxy writes its own file, so the INVITE and the BYE of a call stand in two of them,
and the BYE may come first.

Decided here:
- The INVITE with 2xx is the answer, the BYE of the same dialog (call id and both tags, in either order) its end.
- An INVITE that was refused is a call that nobody answered, complete by itself.
- Where the proxy reckons the duration itself (dialog-based accounting), the record is complete by itself.
- Without columns for the numbers a file says nothing that can be charged: refused, and asked which columns they are.
- Other methods make no call: ACK, CANCEL and in-dialog requests are passed over, anything else is quarantined.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from rating.usage import fields
from rating.usage.base import LineParser, check_callee, mostly
from rating.usage.columns import Header, find_header
from rating.usage.fields import FieldError
from rating.usage.halves import BEGIN, END, Half, half_key
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import UsageRow
from rating.usage.table import DELIMITERS, best_delimiter, split_or_none

FIXED = ("method", "from_tag", "to_tag", "callid", "sip_code", "sip_reason", "time")
KAMAILIO = (*FIXED, "src_user", "src_domain", "src_ip", "dst_ouser", "dst_user", "dst_domain")
NAMES: Mapping[str, tuple[str, ...]] = {
    "method": ("method",),
    "from_tag": ("from_tag", "sip_from_tag"),
    "to_tag": ("to_tag", "sip_to_tag"),
    "call_id": ("callid", "sip_call_id", "call_id"),
    "code": ("sip_code",),
    "time": ("time", "call_start_time", "start_time", "created"),
    "account": ("account", "accountcode", "auth_user", "auth_username", "src_user", "src_username", "caller_id"),
    "caller": ("caller", "src_user", "src_username", "from_user", "caller_id"),
    "callee": ("dst_ouser", "dst_ousername", "dst_user", "dst_username", "callee", "callee_id", "to_user"),
    "carrier": ("carrier", "gateway", "gw", "trunk"),
    "src_ip": ("src_ip", "source_ip"),
    "src_port": ("src_port",),
    "user_agent": ("user_agent", "ua"),
    "reference": ("cost",),
    "direction": ("direction",),
    "duration": ("duration",),
    "setup_s": ("setuptime",),
    "created": ("created",),
}
METHODS = frozenset({"INVITE", "BYE", "ACK", "CANCEL", "PRACK", "UPDATE", "INFO", "REFER", "MESSAGE", "OPTIONS"})
PASSED_OVER = frozenset({"ACK", "CANCEL", "PRACK", "UPDATE", "INFO"})
_BY_METHOD = frozenset({"method", "callid", "sip_code", "time"})
_WHOLE = (frozenset({"sip_call_id", "call_start_time", "duration"}), frozenset({"callid", "start_time", "duration"}))
_CODE = re.compile(r"[1-6]\d\d", re.ASCII)
_TIME = re.compile(r"\d{9,10}(\.\d+)?|'?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d.*", re.ASCII)
_SCORE = 95


def _looks_so(cells: list[str]) -> bool:
    return (
        len(cells) >= len(FIXED)
        and cells[0] in METHODS
        and _CODE.fullmatch(cells[4]) is not None
        and _TIME.fullmatch(cells[6]) is not None
    )


def _delimiter(head_lines: Sequence[str]) -> str:
    """That of a flat file, or empty."""
    return next((mark for mark in DELIMITERS if mostly(head_lines, _looks_so, mark)), "")


def _named(head_lines: Sequence[str]) -> Header | None:
    for needed in (_BY_METHOD, *_WHOLE):
        found = find_header(head_lines, needed)
        if found:
            return found
    return None


class Acc:
    """The adapter of this format."""

    name = "acc"
    label = "Kamailio or OpenSIPS acc"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        return Match(_SCORE if _delimiter(head_lines) or _named(head_lines) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> AccParser:
        header = _named(head_lines)
        if header is None:
            delimiter = _delimiter(head_lines)
            if not delimiter:
                message = "No line has the columns of the module acc: method, tags, call id, code, reason, time."
                raise UsageRefused("unknown_layout", message, "line 1", "Export as CSV with a header.")
            widths = {len(cells) for line in head_lines if (cells := split_or_none(line, delimiter)) and line.strip()}
            if len(KAMAILIO) not in widths:
                raise _unknown_columns(min(widths))
            header = Header(0, delimiter, KAMAILIO)
        return AccParser(header, time_zone, not_after)

    def prepare_mapped(
        self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime, columns: Sequence[str]
    ) -> AccParser:
        """With the columns in the order that the proxy's configuration gives them."""
        delimiter = _delimiter(head_lines) or best_delimiter(next((line for line in head_lines if line.strip()), ""))
        return AccParser(Header(0, delimiter, tuple(columns)), time_zone, not_after)


def _unknown_columns(width: int) -> UsageRefused:
    seen = f"This is accounting of Kamailio or OpenSIPS with {width} columns, and nothing says which hold the numbers."
    if width == len(FIXED):
        hint = "Let the proxy write caller and callee too (db_extra), then name the columns in the source's mapping."
    else:
        hint = "Name the columns in the source's mapping, in the order of the proxy's configuration (db_extra)."
    return UsageRefused("which_columns", seen, "line 1", hint)


class AccParser(LineParser):
    """Reads lines of one order of columns."""

    def __init__(self, header: Header, zone: tzinfo, not_after: datetime) -> None:
        super().__init__(zone, not_after, data_from_line=header.line + 1)
        self._header = header
        self._places = header.places(NAMES)

    def read(self, line_no: int, text: str) -> UsageRow | Half | None:
        cells = self._header.cells(text)
        value = {field: cells[place] for field, place in self._places.items()}
        method = value["method"].upper()
        if method in PASSED_OVER:
            return None
        if method not in ("INVITE", "BYE", ""):
            raise FieldError("method", "method", f"“{value['method'][:20]}” makes no call; INVITE and BYE do.")
        at = self.started("time", value["time"].strip("'"))
        call_id = fields.name("callid", value["call_id"], fields.MAX_CALL_ID_CHARS)
        if not call_id:
            raise FieldError("callid", "missing", "The line has no call id.")
        key = half_key("sip", call_id, *sorted((value["from_tag"], value["to_tag"])))
        if method == "BYE":
            return Half(line_no, text, call_id, key, END, at, {"at": at.isoformat()})
        told = self._told(value, call_id)
        if value["duration"]:
            return self._whole(line_no, text, at, told, value)
        if not value["code"].startswith("2"):
            return _row(line_no, text, at, told, 0, answered_at=None)
        check_callee("dst_ouser", told["callee"], 1)
        return Half(line_no, text, call_id, key, BEGIN, at, {"at": at.isoformat(), **told})

    def _told(self, value: Mapping[str, str], call_id: str) -> dict[str, str]:
        told = {name: fields.name(name, value[name]) for name in ("account", "caller", "callee", "carrier")}
        direction = fields.direction(value["direction"]) if value["direction"] else "out"
        if direction is None:
            raise FieldError("direction", "direction", f"“{value['direction'][:20]}” is not a direction.")
        return {
            **told,
            "call_id": call_id,
            "leg": fields.name("to_tag", value["to_tag"]),
            "src_ip": fields.ip_address(value["src_ip"]) or "",
            "src_port": value["src_port"] if fields.port(value["src_port"]) else "",
            "user_agent": fields.agent(value["user_agent"]) or "",
            "reference": fields.agent(value["reference"]) or "",
            "direction": direction,
        }

    def _whole(
        self, line_no: int, text: str, at: datetime, told: Mapping[str, str], value: Mapping[str, str]
    ) -> UsageRow:
        """The proxy reckoned the duration; the call began when the dialog was made, and `setuptime` is what it rang."""
        at = self._clock.read("created", value["created"].strip("'")) or at
        duration_s = fields.seconds("duration", value["duration"])
        check_callee("callee", told["callee"], duration_s)
        code = value["code"]
        if duration_s == 0 and not code.startswith("2"):
            return _row(line_no, text, at, told, 0, answered_at=None)
        rang_s = fields.seconds("setuptime", value["setup_s"])
        return _row(line_no, text, at, told, duration_s, answered_at=at + timedelta(seconds=rang_s))


def _row(
    line_no: int, text: str, at: datetime, told: Mapping[str, str], duration_s: int, *, answered_at: datetime | None
) -> UsageRow:
    return UsageRow(
        line=line_no,
        text=text,
        call_id=told["call_id"],
        leg=told["leg"],
        account=told["account"],
        caller=told["caller"],
        callee=told["callee"],
        started_at=at.astimezone(UTC),
        answered_at=answered_at,
        duration_s=duration_s,
        answered=answered_at is not None,
        carrier=told["carrier"],
        src_ip=told["src_ip"] or None,
        src_port=fields.port(told["src_port"]),
        user_agent=told["user_agent"] or None,
        reference=told["reference"],
        direction=told["direction"],
    )
