"""FreeRADIUS `detail` files: one block of attributes for each accounting packet of a voice gateway.

    Thu Oct  1 09:01:21 2026
            Acct-Status-Type = Stop
            Acct-Session-Id = "..."
            Called-Station-Id = "00442071838750"
            h323-connect-time = "h323-connect-time=09:00:06.000 UTC Thu Oct 1 2026"
            ...

Decided here:
- The Stop is the record. Start and Interim-Update of the same session are merged into it; what an interim says of the
  duration is never believed. A Stop that tells no duration (SIP proxies) is reckoned from its Start.
- Gateways report both sides of a call. The side towards the caller (`answer`, or no origin at all) is billed; the one
  towards the carrier (`originate`) is merged into it. Sides share `h323-conf-id`, else the session's id.
- Session time, connect and disconnect time must agree; where only the session time is absurd, the clock decides.
- A packet's own time is its Event-Timestamp less its delay, or that of the block's head where these are absurd.
- Accounting-On and -Off are no calls.
- A device asks for a call live by an id that all its legs share, before a unique session id is made of them.
"""

from __future__ import annotations

import re
from calendar import month_abbr
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from rating.usage import fields
from rating.usage.base import LineParser, check_callee, check_order
from rating.usage.fields import FieldError
from rating.usage.framing import Blocks
from rating.usage.halves import BEGIN, END, Half, half_key
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import UsageRow

_HEAD = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:[A-Z]{2,5} )?\d{4}\s*", re.ASCII)
_ATTRIBUTE = re.compile(r"\s+([A-Za-z][\w-]*)\s*[:+]?=\s*(.*?)\s*", re.ASCII)
_CLOCK_FIRST = re.compile(
    r"[*.]?(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))? (\S+) [A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{4})", re.ASCII
)
_DAY_FIRST = re.compile(
    r"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d:\d\d:\d\d)(?: ([A-Z]{2,5}))?(?: (\d{4}))?",
    re.ASCII,
)
_MONTHS = {name: number for number, name in enumerate(month_abbr) if name}
_STATUS = {"start": "start", "1": "start", "stop": "stop", "2": "stop", "interim-update": "interim"} | {
    "alive": "interim",
    "3": "interim",
}
_NO_CALL = frozenset({"accounting-on", "accounting-off", "7", "8"})
_DELAY_LIMIT_S = 24 * 3600
_SCORE = 95


class _Packet(NamedTuple):
    """A packet's attributes by lower-case name, and the time in its head."""

    head: str
    values: Mapping[str, str]

    def get(self, *names: str) -> str:
        return next((self.values[name] for name in names if self.values.get(name)), "")


class RadiusDetail:
    """The adapter of this format."""

    name = "radius"
    label = "FreeRADIUS detail file"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        heads = sum(1 for line in head_lines if _HEAD.fullmatch(line))
        names = {match[1].lower() for line in head_lines if (match := _ATTRIBUTE.fullmatch(line))}
        if not heads or "acct-status-type" not in names:
            return Match(0)
        return Match(_SCORE)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> RadiusParser:
        if not self.recognise(head_lines).score:
            message = "The first lines are no accounting packets as FreeRADIUS writes them to `detail`."
            raise UsageRefused("unknown_layout", message, "line 1")
        return RadiusParser(time_zone, not_after)


class RadiusParser(LineParser):
    """Reads one block."""

    framing = Blocks()

    def __init__(self, zone: tzinfo, not_after: datetime) -> None:
        super().__init__(zone, not_after)

    def read(self, line_no: int, text: str) -> UsageRow | Half | None:
        packet = _packet(text)
        status = packet.get("acct-status-type").lower()
        if status in _NO_CALL:
            return None
        kind = _STATUS.get(status)
        if kind is None:
            raise FieldError("Acct-Status-Type", "record_type", f"“{status[:20]}” is no part of a call.")
        session = packet.get("acct-unique-session-id", "acct-session-id")
        if not session:
            raise FieldError("Acct-Session-Id", "missing", "The packet names no session.")
        session = fields.name("Acct-Session-Id", session, fields.MAX_CALL_ID_CHARS)
        key = half_key("radius", packet.get("h323-conf-id", "call-id") or session)
        far = packet.get("h323-call-origin").lower() == "originate"
        at = self._sent_at(packet)
        if far or kind == "interim":
            side = f"{'far' if far else 'near'}:{kind}:{half_key('', session, _said(packet)).hex()[:16]}"
            return Half(line_no, text, session, key, side, at, {"said": _said(packet)})
        told = self._told(packet, session)
        if kind == "start":
            connected_at = self._moment(packet, "h323-connect-time") or at
            return Half(line_no, text, session, key, BEGIN, connected_at, {"at": connected_at.isoformat(), **told})
        if not packet.get("acct-session-time") and not packet.get("h323-disconnect-time"):
            return Half(line_no, text, session, key, END, at, {"at": at.isoformat()})
        row = self._row(line_no, text, packet, told, at)
        side = f"whole:{half_key('', session).hex()[:16]}"
        return Half(line_no, text, session, key, side, at, {"said": _said(packet)}, row=row)

    def _row(self, line_no: int, text: str, packet: _Packet, told: Mapping[str, str], sent_at: datetime) -> UsageRow:
        setup_at, answered_at, ended_at = (
            self._moment(packet, f"h323-{name}-time") for name in ("setup", "connect", "disconnect")
        )
        check_order("h323-connect-time", setup_at, answered_at)
        check_order("h323-disconnect-time", answered_at or setup_at, ended_at)
        duration_s = _duration_s(packet, answered_at, ended_at)
        check_callee("Called-Station-Id", told["callee"], duration_s)
        if answered_at is None and duration_s:
            answered_at = (ended_at or sent_at) - timedelta(seconds=duration_s)
        return UsageRow(
            line=line_no,
            text=text,
            call_id=told["call_id"],
            leg=told["leg"],
            account=told["account"],
            caller=told["caller"],
            callee=told["callee"],
            started_at=setup_at or answered_at or ended_at or sent_at,
            answered_at=answered_at if duration_s else None,
            duration_s=duration_s,
            answered=duration_s > 0,
            carrier="",
            src_ip=told["src_ip"] or None,
            src_port=fields.port(told["src_port"]),
            user_agent=told["user_agent"] or None,
            session=told.get("session", ""),
        )

    def _told(self, packet: _Packet, session: str) -> dict[str, str]:
        user = packet.get("user-name")
        address = fields.ip_address(packet.get("h323-remote-address", "sip-remote-ip", "framed-ip-address")) or ""
        user_address = fields.ip_address(user) or ""
        agent = packet.get("sip-user-agent", "useragent") or packet.get("h323-ivr-out").removeprefix("sip_ua:")
        asked_as = packet.get("call-id", "h323-conf-id", "acct-session-id")[: fields.MAX_CALL_ID_CHARS]
        return {
            **({"session": asked_as} if asked_as != session else {}),
            "call_id": session,
            "leg": packet.get("h323-call-origin").lower()[:32],
            "account": "" if user_address else fields.name("User-Name", user),
            "caller": fields.name("Calling-Station-Id", packet.get("calling-station-id", "sip-from-user")),
            "callee": fields.name("Called-Station-Id", packet.get("called-station-id", "sip-to-user")),
            "src_ip": user_address or address,
            "src_port": packet.get("sip-remote-port", "remote-sip-port"),
            "user_agent": fields.agent(agent) or "",
        }

    def _moment(self, packet: _Packet, name: str) -> datetime | None:
        text = packet.get(name)
        return self._clock.read(name, _iso(name, text)) if text else None

    def _sent_at(self, packet: _Packet) -> datetime:
        """When the gateway sent it: never an absurd time, for a delay may hold an epoch."""
        delay = packet.get("acct-delay-time")
        delay_s = int(delay) if delay.isascii() and delay.isdigit() and int(delay) < _DELAY_LIMIT_S else 0
        for text, less_s in ((packet.get("event-timestamp"), delay_s), (packet.head, delay_s)):
            try:
                found = self._clock.read("Event-Timestamp", _iso("Event-Timestamp", text)) if text else None
            except FieldError:
                continue
            if found is not None:
                return found - timedelta(seconds=less_s)
        raise FieldError("Event-Timestamp", "missing", "The packet has no time that can be believed.")


def _duration_s(packet: _Packet, answered_at: datetime | None, ended_at: datetime | None) -> int:
    text = packet.get("acct-session-time")
    clock_s = fields.whole_seconds(ended_at - answered_at) if answered_at and ended_at else None
    if not text:
        return fields.seconds("h323-disconnect-time", str(max(0, clock_s or 0)))
    try:
        told_s = fields.seconds("Acct-Session-Time", text)
    except FieldError as error:
        if clock_s is None or error.code != "too_long":
            raise
        return fields.seconds("h323-disconnect-time", str(max(0, clock_s)))
    if clock_s is not None and abs(clock_s - told_s) > fields.CLOCK_SLACK_S:
        reason = f"The session lasted {told_s} s, but {clock_s} s lie between connection and end."
        raise FieldError("Acct-Session-Time", "inconsistent", reason)
    return told_s


def _packet(text: str) -> _Packet:
    first, *rest = text.splitlines()
    if not _HEAD.fullmatch(first):
        raise FieldError("", "layout", "The block does not begin with a time, as FreeRADIUS writes it.")
    values: dict[str, str] = {}
    for line in rest:
        match = _ATTRIBUTE.fullmatch(line)
        if match is None:
            if line.strip():
                raise FieldError("", "layout", f"“{line.strip()[:60]}” is no attribute with a value.")
            continue
        name, value = match[1].lower(), _unquoted(match[2])
        for one, said in _split_pair(name, value):
            values.setdefault(one, said)
    return _Packet(first.strip(), values)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\").strip()
    return text


def _split_pair(name: str, value: str) -> list[tuple[str, str]]:
    """`h323-gw-id = "h323-gw-id=x"` names itself; a Cisco-AVPair carries an attribute of another name."""
    inner, equals, said = value.partition("=")
    if equals and inner.strip().lower() == name:
        return [(name, said.strip())]
    if name == "cisco-avpair" and equals:
        return [(inner.strip().lower(), said.strip())]
    return [(name, value)]


def _said(packet: _Packet) -> str:
    """What makes two packets of one session different ones: all but how often and how late they were sent."""
    left_out = {"acct-delay-time", "event-timestamp", "timestamp", "packet-src-ip-address"}
    kept = sorted((name, value) for name, value in packet.values.items() if name not in left_out)
    return half_key("", *(f"{name}={value}" for name, value in kept)).hex()


def _iso(field: str, text: str) -> str:
    """`09:00:06.123 UTC Thu Oct 1 2026` and `Thu Oct  1 09:00:06 2026` as ISO text; other text as it is."""
    if match := _CLOCK_FIRST.fullmatch(text):
        clock, fraction, zone, month, day, year = match.groups()
    elif match := _DAY_FIRST.fullmatch(text):
        month, day, year_before, clock, zone, year_after = match.groups()
        fraction, year = "", year_before or year_after
    else:
        return text
    if month not in _MONTHS or not year:
        raise FieldError(field, "time", f"{field} “{text[:40]}” is not a time that is understood.")
    offset = "Z" if zone in ("UTC", "GMT", "Z") else ""
    return f"{year}-{_MONTHS[month]:02}-{int(day):02} {clock}{'.' + fraction if fraction else ''}{offset}"
