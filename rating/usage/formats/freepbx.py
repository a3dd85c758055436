"""The call report of FreePBX and of Elastix or Issabel as CSV, read by the names in its header.

    calldate, clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, duration, billsec, disposition,
        amaflags, accountcode, uniqueid, userfield [, did, ..., linkedid, peeraccount, sequence]     (FreePBX)
    Date, Source, Ring Group, Destination, Src. Channel, Account Code, Dst. Channel, Status, Duration
        [, UniqueID, ...]                                                                  (Elastix, Issabel)

Why not the CSV with a header for everyone: the legs of a forked call share a unique id here, only the channels
(or the sequence) keep them apart, and the trunk has to be cut out of a channel's name.

Decided here:
- The disposition says whether the call was answered; what is not answered has 0 seconds.
- Elastix shows the billed seconds under "Duration", as `75`, `75s (1m 15s)` or `1h 2m 3s`.
- The time of answer is the start plus what the call lasted beyond the billed seconds.
- A cost that the switch worked out is kept as the reference, never charged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from rating.usage import fields
from rating.usage.base import LineParser, check_callee, check_within
from rating.usage.columns import Header, find_header
from rating.usage.fields import FieldError
from rating.usage.formats.asterisk import direction, peer
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import UsageRow

FREEPBX = frozenset({"calldate", "src", "dst", "dstchannel", "disposition", "billsec"})
ELASTIX = frozenset({"date", "source", "destination", "dst_channel", "status", "duration"})
_COLUMNS = {
    "start": ("calldate", "date"),
    "clid": ("clid",),
    "src": ("src", "source"),
    "dst": ("dst", "destination"),
    "dcontext": ("dcontext",),
    "did": ("did",),
    "channel": ("channel", "src_channel"),
    "dstchannel": ("dstchannel", "dst_channel"),
    "account": ("accountcode", "account_code"),
    "disposition": ("disposition", "status"),
    "billsec": ("billsec", "duration"),
    "duration": ("duration",),
    "uniqueid": ("uniqueid", "unique_id"),
    "sequence": ("sequence",),
    "reference": ("cost", "call_cost", "price", "userfield", "user_field"),
}
_SPOKEN = re.compile(r"(?:(\d{1,3})h )?(?:(\d{1,2})m )?(\d{1,7})s(?: \([^)]*\))?", re.ASCII)
_CLID_NUMBER = re.compile(r"<([^<>]*)>\s*$")
_SCORE = 95


def _find(head_lines: Sequence[str]) -> Header | None:
    return find_header(head_lines, FREEPBX) or find_header(head_lines, ELASTIX)


class FreepbxCsv:
    """The adapter of this format."""

    name = "freepbx"
    label = "call report of FreePBX, Elastix or Issabel as CSV"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        return Match(_SCORE if _find(head_lines) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> FreepbxParser:
        header = _find(head_lines)
        if header is None:
            message = "No header of a FreePBX or Elastix call report was found in the first lines."
            raise UsageRefused("missing_columns", message, "line 1", "Export the call report with its header.")
        return FreepbxParser(header, time_zone, not_after)


class FreepbxParser(LineParser):
    """Reads the lines below one header."""

    def __init__(self, header: Header, zone: tzinfo, not_after: datetime) -> None:
        self._header = header
        self._places = header.places(_COLUMNS)
        super().__init__(zone, not_after, has_ids=self._places["uniqueid"] >= 0, data_from_line=header.line + 1)

    def read(self, line_no: int, text: str) -> UsageRow:
        cells = self._header.cells(text)
        value = {field: cells[place] for field, place in self._places.items()}
        started_at = self.started("start", value["start"])
        billed_s = _spoken_s("billsec", value["billsec"])
        lasted_s = _spoken_s("duration", value["duration"]) if value["duration"] else billed_s
        answered = _answered(value["disposition"], billed_s)
        callee = fields.name("dst", value["dst"])
        if answered:
            check_within("billsec", billed_s, lasted_s)
            check_callee("dst", callee, billed_s)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=fields.name("uniqueid", value["uniqueid"], fields.MAX_CALL_ID_CHARS) or None,
            leg=_leg(value),
            account=fields.name("accountcode", value["account"]),
            caller=_caller(value),
            callee=callee,
            started_at=started_at,
            answered_at=started_at + timedelta(seconds=max(0, lasted_s - billed_s)) if answered else None,
            duration_s=billed_s if answered else 0,
            answered=answered,
            carrier=peer(value["dstchannel"]),
            src_ip=None,
            src_port=None,
            user_agent=None,
            reference=fields.agent(value["reference"]) or "",
            direction=direction(callee, value["dstchannel"], value["dcontext"], value["did"]),
        )


def _spoken_s(field: str, text: str) -> int:
    """`75`, `75s`, `75s (1m 15s)`, `1m 15s` or `1h 2m 3s` in seconds."""
    match = _SPOKEN.fullmatch(text)
    if match is None:
        return fields.seconds(field, text)
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return fields.seconds(field, str(hours * 3600 + minutes * 60 + rest))


def _answered(word: str, billed_s: int) -> bool:
    told = fields.disposition(word)
    if told is None and billed_s:
        reason = f"“{word[:40]}” does not tell whether the call was answered."
        raise FieldError("disposition", "disposition", reason)
    return bool(told)


def _leg(value: dict[str, str]) -> str:
    if value["sequence"]:
        return fields.name("sequence", value["sequence"])
    pair = f"{value['channel']}>{value['dstchannel']}"
    return "" if pair == ">" else fields.name("channel", pair, 2 * fields.MAX_NAME_CHARS)


def _caller(value: dict[str, str]) -> str:
    match = None if value["src"] else _CLID_NUMBER.search(value["clid"])
    return fields.name("src", match.group(1) if match else value["src"])
