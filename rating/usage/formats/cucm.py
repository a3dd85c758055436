"""Cisco Unified Communications Manager (CUCM) call records: a header, a line of SQL types, then calls.

Why by name: releases differ in the number of columns (112, 129, 133, ...); what is there keeps its name. Some
exports lost the header and begin with the types; new columns were only ever added at the end, so the order of
Cisco's documentation is taken then.

Decided here:
- `dateTimeConnect` 0 (epoch) is a call that was not answered. Seconds on such a call are quarantined, and so are
  more seconds than lie between connection and end.
- The id is `pkid`, which no two records share; `globalCallID_callId` is shared by all legs of a call and comes
  again after a restart.
- The number called is the final one; the caller stays the one that dialled. The trunk is the device called,
  unless that is a telephone.
- From telephone to telephone is internal, from a trunk to a telephone incoming.
- Only call records are read (type 1). The quality records of the same switch (CMR) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from ipaddress import IPv4Address

from rating.usage import fields
from rating.usage.base import UUID, LineParser, check_callee, check_order, check_silent, check_within
from rating.usage.columns import Header, find_header
from rating.usage.fields import FieldError
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import IN, INTERNAL, OUT, UsageRow
from rating.usage.table import split_or_none

NEEDED = frozenset({"cdrrecordtype", "datetimeorigination", "datetimeconnect", "finalcalledpartynumber", "duration"})
_COLUMNS = {
    field: (field.lower(),)
    for field in (
        "cdrRecordType",
        "globalCallID_callManagerId",
        "globalCallID_callId",
        "globalCallId_ClusterID",
        "origLegCallIdentifier",
        "dateTimeOrigination",
        "origIpAddr",
        "callingPartyNumber",
        "originalCalledPartyNumber",
        "finalCalledPartyNumber",
        "dateTimeConnect",
        "dateTimeDisconnect",
        "pkid",
        "duration",
        "origDeviceName",
        "destDeviceName",
        "clientMatterCode",
        "origIpv4v6Addr",
    )
}
DOCUMENTED = {
    "cdrRecordType": 0,
    "globalCallID_callManagerId": 1,
    "globalCallID_callId": 2,
    "origLegCallIdentifier": 3,
    "dateTimeOrigination": 4,
    "origIpAddr": 7,
    "callingPartyNumber": 8,
    "originalCalledPartyNumber": 29,
    "finalCalledPartyNumber": 30,
    "dateTimeConnect": 47,
    "dateTimeDisconnect": 48,
    "pkid": 50,
    "duration": 55,
    "origDeviceName": 56,
    "destDeviceName": 57,
    "globalCallId_ClusterID": 65,
    "clientMatterCode": 70,
    "origIpv4v6Addr": 80,
}
MIN_UNNAMED_WIDTH = 94
MAX_DEVICE_CHARS = 129
CALL_RECORD = "1"
_TYPE = re.compile(r"[A-Z]+(\(\d+\))?", re.ASCII)
_PHONE = re.compile(r"SEP|ATA|CSF|CIPC|TCT|BOT|TAB|VGC|AN[0-9A-F]{12}", re.ASCII)
_SCORE = 95


def _is_types(cells: Sequence[str]) -> bool:
    return len(cells) > 2 and all(_TYPE.fullmatch(cell.strip()) for cell in cells)


def _unnamed(head_lines: Sequence[str]) -> Header | None:
    """A file that begins with the types: a header of its width with the names where documentation has them."""
    filled = [line for line in head_lines if line.strip()]
    rows = [cells for line in filled[:2] if (cells := split_or_none(line, ","))]
    if len(rows) < 2 or not _is_types(rows[0]) or not MIN_UNNAMED_WIDTH <= len(rows[0]) == len(rows[1]):
        return None
    if rows[1][0].strip() != CALL_RECORD or not UUID.fullmatch(rows[1][DOCUMENTED["pkid"]].strip()):
        return None
    names = {place: field.lower() for field, place in DOCUMENTED.items()}
    return Header(0, ",", tuple(names.get(at, "") for at in range(len(rows[0]))))


def _find(head_lines: Sequence[str]) -> Header | None:
    return find_header(head_lines, NEEDED) or _unnamed(head_lines)


class CucmCdr:
    """The adapter of this format."""

    name = "cucm"
    label = "Cisco Unified CM call records, read by column name"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        if _find(head_lines):
            return Match(_SCORE)
        if find_header(head_lines, frozenset({"cdrrecordtype", "globalcallid_callid"})):
            lacks = (
                "columns of a call are missing: dateTimeOrigination, dateTimeConnect, finalCalledPartyNumber, duration"
            )
            return Match(
                0, f"This looks like records of Cisco Unified CM, but {lacks}. Quality records (CMR) hold no calls."
            )
        return Match(0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> CucmParser:
        header = _find(head_lines)
        if header is None:
            message = self.recognise(head_lines).near_miss or "No header of CUCM call records was found."
            raise UsageRefused("missing_columns", message, "line 1", "Export the call records (cdr_...), not cmr_...")
        return CucmParser(header, time_zone, not_after)


class CucmParser(LineParser):
    """Reads the lines below one header. The header and the types may come again where files were joined."""

    def __init__(self, header: Header, zone: tzinfo, not_after: datetime) -> None:
        super().__init__(zone, not_after, data_from_line=header.line + 1)
        self._header = header
        self._places = header.places(_COLUMNS)

    def read(self, line_no: int, text: str) -> UsageRow | None:
        cells = self._header.cells(text)
        value = {field: cells[place] for field, place in self._places.items()}
        if value["cdrRecordType"] == "cdrRecordType" or _is_types(cells[:3]):
            return None
        if value["cdrRecordType"] != CALL_RECORD:
            reason = f"Record type “{value['cdrRecordType'][:20]}” is no finished call; those have type 1."
            raise FieldError("cdrRecordType", "record_type", reason)
        started_at = self.started("dateTimeOrigination", value["dateTimeOrigination"])
        answered_at = self._clock.read("dateTimeConnect", value["dateTimeConnect"])
        duration_s = self._duration_s(value, started_at, answered_at)
        callee = value["finalCalledPartyNumber"] or value["originalCalledPartyNumber"]
        check_callee("finalCalledPartyNumber", callee, duration_s)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=_call_id(value),
            leg=fields.name("origLegCallIdentifier", value["origLegCallIdentifier"]),
            account=fields.name("clientMatterCode", value["clientMatterCode"]),
            caller=fields.name("callingPartyNumber", value["callingPartyNumber"]),
            callee=fields.name("finalCalledPartyNumber", callee),
            started_at=started_at,
            answered_at=answered_at,
            duration_s=duration_s,
            answered=answered_at is not None,
            carrier=_trunk(value["destDeviceName"]),
            src_ip=fields.ip_address(value["origIpv4v6Addr"]) or _address(value["origIpAddr"]),
            src_port=None,
            user_agent=None,
            direction=_direction(value["origDeviceName"], value["destDeviceName"]),
        )

    def _duration_s(self, value: dict[str, str], started_at: datetime, answered_at: datetime | None) -> int:
        duration_s = fields.seconds("duration", value["duration"])
        ended_at = self._clock.read("dateTimeDisconnect", value["dateTimeDisconnect"])
        check_order("dateTimeConnect", started_at, answered_at)
        check_order("dateTimeDisconnect", answered_at or started_at, ended_at)
        if answered_at is None:
            check_silent("duration", duration_s)
        elif ended_at:
            check_within("duration", duration_s, fields.whole_seconds(ended_at - answered_at))
        return duration_s


def _call_id(value: dict[str, str]) -> str:
    if value["pkid"]:
        return fields.name("pkid", value["pkid"], fields.MAX_CALL_ID_CHARS)
    names = ("globalCallId_ClusterID", "globalCallID_callManagerId", "globalCallID_callId", "dateTimeOrigination")
    return fields.name("globalCallID_callId", "-".join(value[name] for name in names), fields.MAX_CALL_ID_CHARS)


def _direction(origin: str, destination: str) -> str:
    if not _PHONE.match(destination):
        return OUT
    return INTERNAL if _PHONE.match(origin) else IN


def _trunk(device: str) -> str:
    return "" if _PHONE.match(device) else fields.name("destDeviceName", device, MAX_DEVICE_CHARS)


def _address(text: str) -> str | None:
    """CUCM writes an IPv4 address as one signed number with the first octet lowest; 0 is none."""
    if not re.fullmatch(r"-?\d{1,10}", text, re.ASCII) or not int(text):
        return None
    number = int(text) & 0xFFFFFFFF
    return str(IPv4Address(number.to_bytes(4, "little")))
