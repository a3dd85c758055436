"""3CX call records, as its CDR service writes them to a file or a socket: commas, an order that is set there.

    historyid, callid, duration, time-start, time-answered, time-end, reason-terminated, from-no, to-no, from-dn,
    to-dn, dial-no, reason-changed, final-number, final-dn, bill-code, bill-rate, bill-cost, bill-name, chain,
    from-type, to-type, final-type, from-dispname, to-dispname, final-dispname [, missed-queue-calls]

With a header the columns go by their names, with or without hyphens; so do objects of JSON with these names. The order
above is what 3CX offers; in any other the source's mapping names the columns.

Decided here:
- Answered is what has a time of answer. The duration is talk time, and must fit between answer and end.
- From and to an extension is internal, from a line to an extension incoming. A call to a line is outgoing, and so is an
  incoming one that was passed on to a line: the number charged is the final one then.
- `Ext.10016` is the extension 10016. The bill cost of 3CX is kept as the reference, never charged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from rating.usage import fields
from rating.usage.base import LineParser, check_callee, check_order, check_silent, check_within, mostly
from rating.usage.columns import Header, find_header, normal_name
from rating.usage.fields import FieldError
from rating.usage.framing import Objects
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import IN, INTERNAL, OUT, UsageRow
from rating.usage.table import DELIMITERS

ORDER = (
    *("historyid", "callid", "duration", "time_start", "time_answered", "time_end", "reason_terminated", "from_no"),
    *("to_no", "from_dn", "to_dn", "dial_no", "reason_changed", "final_number", "final_dn", "bill_code", "bill_rate"),
    *("bill_cost", "bill_name", "chain", "from_type", "to_type", "final_type", "from_dispname", "to_dispname"),
    *("final_dispname", "missed_queue_calls"),
)
WIDTHS = (len(ORDER) - 1, len(ORDER))
NAMES = {name: (name, name.replace("_", "")) for name in ORDER}
NEEDED = (
    frozenset({"time_start", "time_answered", "duration", "to_no"}),
    frozenset({"timestart", "timeanswered", "duration", "tono"}),
)
_HISTORY = re.compile(r"(Call )?\w{1,40}", re.ASCII)
_CLOCK = re.compile(r"(\d{1,3}\.)?\d{1,3}:\d\d:\d\d(\.\d+)?", re.ASCII)
_STAMP = re.compile(r"\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\d.*", re.ASCII)
_EXTENSION = re.compile(r"ext\.?\s*(\d+)", re.ASCII | re.IGNORECASE)
_LINES = frozenset({"line", "externalline", "external_line", "provider", "bridge", "outbound_rule", "outboundrule"})
_JSON_NAMES = re.compile(r'"(historyid|time[-_]?start|time[-_]?answered|from[-_]?no|to[-_]?no)"\s*:', re.IGNORECASE)
_SCORE = 95


def _looks_so(cells: list[str]) -> bool:
    return (
        len(cells) in WIDTHS
        and _HISTORY.fullmatch(cells[0]) is not None
        and (not cells[2] or _CLOCK.fullmatch(cells[2]) is not None)
        and _STAMP.fullmatch(cells[3]) is not None
        and (not cells[4] or _STAMP.fullmatch(cells[4]) is not None)
        and _STAMP.fullmatch(cells[5]) is not None
    )


def _named(head_lines: Sequence[str]) -> Header | None:
    return next((found for needed in NEEDED if (found := find_header(head_lines, needed))), None)


def _is_json(head_lines: Sequence[str]) -> bool:
    text = "\n".join(head_lines)
    found = {name.lower() for name in _JSON_NAMES.findall(text)}
    return text.lstrip()[:1] in ("{", "[") and len(found) >= 4


def _delimiter(head_lines: Sequence[str]) -> str:
    return next((mark for mark in DELIMITERS if mostly(head_lines, _looks_so, mark)), "")


class ThreeCx:
    """The adapter of this format."""

    name = "3cx"
    label = "3CX call records, CSV or JSON"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        return Match(_SCORE if _is_json(head_lines) or _named(head_lines) or _delimiter(head_lines) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> ThreeCxParser:
        if _is_json(head_lines):
            return ThreeCxJsonParser(Header(0, ",", ORDER), time_zone, not_after)
        header = _named(head_lines)
        if header is None:
            delimiter = _delimiter(head_lines)
            if not delimiter:
                message = "No line has the columns of 3CX in its usual order, and there is no header that names them."
                raise UsageRefused("which_columns", message, "line 1", "Name the columns in the source's mapping.")
            header = Header(0, delimiter, ORDER)
        return ThreeCxParser(header, time_zone, not_after)

    def prepare_mapped(
        self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime, columns: Sequence[str]
    ) -> ThreeCxParser:
        """With the columns in the order that is set in 3CX."""
        names = tuple(normal_name(name) for name in columns)
        marks = {mark: sum(line.count(mark) for line in head_lines) for mark in DELIMITERS}
        return ThreeCxParser(Header(0, max(marks, key=lambda mark: marks[mark]), names), time_zone, not_after)


class ThreeCxParser(LineParser):
    """Reads lines of one order of columns."""

    def __init__(self, header: Header, zone: tzinfo, not_after: datetime) -> None:
        self._header = header
        self._places = header.places(NAMES)
        has_ids = self._places["historyid"] >= 0 or self._places["callid"] >= 0
        super().__init__(zone, not_after, has_ids=has_ids, data_from_line=header.line + 1)

    def read(self, line_no: int, text: str) -> UsageRow | None:
        cells = self._header.cells(text)
        if not any(cells[3:]) and len(cells) > 4:
            raise FieldError("", "columns", "The line holds nothing behind its first columns.")
        return self.call(line_no, text, {field: cells[place] for field, place in self._places.items()})

    def call(self, line_no: int, text: str, value: Mapping[str, str]) -> UsageRow:
        """`value` has every name of `ORDER`, empty where the file lacks it. Raises FieldError."""
        started_at = self.started("time-start", value["time_start"])
        answered_at = self._clock.read("time-answered", value["time_answered"], started_at)
        ended_at = self._clock.read("time-end", value["time_end"], answered_at or started_at)
        check_order("time-answered", started_at, answered_at)
        check_order("time-end", answered_at or started_at, ended_at)
        duration_s = fields.seconds("duration", value["duration"])
        if answered_at is None:
            check_silent("duration", duration_s)
        elif ended_at:
            check_within("duration", duration_s, fields.whole_seconds(ended_at - answered_at))
        direction = _direction(value)
        callee = _callee(value, direction)
        check_callee("to-no", callee, duration_s)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=fields.name("historyid", _id(value), fields.MAX_CALL_ID_CHARS) or None,
            leg=fields.name("callid", value["callid"]) if value["historyid"] else "",
            account=fields.name("bill-code", value["bill_code"].lstrip("*")),
            caller=fields.name("from-no", _number(value["from_no"] or value["from_dn"])),
            callee=fields.name("to-no", callee),
            started_at=started_at,
            answered_at=answered_at,
            duration_s=duration_s,
            answered=answered_at is not None,
            carrier=fields.name("to-dn", _trunk(value)),
            src_ip=None,
            src_port=None,
            user_agent=None,
            reference=fields.agent(" ".join(filter(None, (value["bill_cost"], value["bill_name"])))) or "",
            direction=direction,
        )


class ThreeCxJsonParser(ThreeCxParser):
    """Reads one object."""

    framing = Objects("historyid")

    def read(self, line_no: int, text: str) -> UsageRow | None:
        try:
            found = json.loads(text, strict=False)
        except (ValueError, RecursionError) as error:
            raise FieldError("", "json", "This is not a whole JSON object.") from error
        if not isinstance(found, dict):
            raise FieldError("", "json", "This is not an object of a call.")
        named = {normal_name(name): value for name, value in found.items()}
        texts = {name: _text(named.get(name, named.get(name.replace("_", "")))) for name in ORDER}
        return self.call(line_no, text, texts)


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else fields.cleaned([str(value)])[0]


def _id(value: Mapping[str, str]) -> str:
    return value["historyid"].removeprefix("Call ").strip() or value["callid"]


def _number(text: str) -> str:
    """`Ext.10016` -> `10016`; a number in a SIP address stands before the @."""
    match = _EXTENSION.fullmatch(text)
    return match[1] if match else text.removeprefix("sip:").partition("@")[0]


def _is_line(kind: str) -> bool:
    return kind.lower().replace(" ", "") in _LINES


def _is_extension(number: str, kind: str) -> bool:
    return kind.lower() == "extension" if kind else _EXTENSION.fullmatch(number) is not None


def _direction(value: Mapping[str, str]) -> str:
    if _is_line(value["to_type"]) or _is_line(value["final_type"]):
        return OUT
    to_house = value["to_type"] or _is_extension(value["to_no"], "")
    if not to_house:
        return OUT
    return INTERNAL if _is_extension(value["from_no"], value["from_type"]) else IN


def _callee(value: Mapping[str, str], direction: str) -> str:
    """The number dialled; where the call was passed on to a line, that line's number."""
    if direction == OUT and _is_line(value["final_type"]) and not _is_line(value["to_type"]):
        return _number(value["final_number"])
    return _number(value["to_no"] or value["dial_no"])


def _trunk(value: Mapping[str, str]) -> str:
    if _is_line(value["final_type"]) and value["final_dn"]:
        return value["final_dn"]
    return value["to_dn"] if _is_line(value["to_type"]) else ""
