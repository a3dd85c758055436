"""A call as FreeSWITCH tells it in variables, whether it wrote them as JSON or as XML.

Decided here:
- Epoch times in microseconds are taken before those in seconds. `answer` 0 is a call that was not answered.
- Seconds are `billsec`; without it, the span from answer to end. More than the duration is quarantined.
- Values may be percent-encoded (`encode-values`); they are decoded once.
- The far side of a bridged call (its `b` leg) says the same again: it is merged into the near side, not charged.
- `direction` says which way the *channel* went (the near side of every call is inbound), so it is not taken;
  `call_direction`, which FusionPBX sets, says which way the call went.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote

from rating.usage import fields
from rating.usage.base import UUID, LineParser, check_callee, check_order, check_silent, check_within
from rating.usage.fields import FieldError
from rating.usage.halves import Half, half_key
from rating.usage.record import OUT, UsageRow

NEAR = "near"


def decoded(value: object) -> str:
    """A variable's value: text, percent-decoded where it is encoded."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    if "%" in text:
        text = unquote(text, errors="replace")
    return text.strip()


class FreeswitchCallParser(LineParser):
    """Makes the record from variables and the first caller profile."""

    def call(
        self, line_no: int, text: str, variables: Mapping[str, str], profile: Mapping[str, str]
    ) -> UsageRow | Half:
        """`variables` and `profile`: names and values, decoded. Raises FieldError."""
        uuid = variables.get("uuid") or profile.get("uuid", "")
        if not UUID.fullmatch(uuid):
            raise FieldError("uuid", "missing", "The call has no uuid.")
        row = self._row(line_no, text, uuid, variables, profile)
        near_side = _near_side(uuid, variables)
        if near_side:
            told = {"uuid": uuid, "callee": row.callee, "seconds": str(row.duration_s)}
            return Half(line_no, text, uuid, half_key("fs", near_side), f"far:{uuid[:27]}", row.started_at, told)
        key = half_key("fs", uuid)
        return Half(line_no, text, uuid, key, NEAR, row.started_at, {"uuid": uuid}, row=row)

    def _row(
        self, line_no: int, text: str, uuid: str, variables: Mapping[str, str], profile: Mapping[str, str]
    ) -> UsageRow:
        started_at = self._moment("start", variables)
        if started_at is None:
            raise FieldError("start_epoch", "missing", "The call has no start.")
        answered_at = self._moment("answer", variables)
        billed_s = self._billed_s(variables, started_at, answered_at)
        callee = profile.get("destination_number") or variables.get("destination_number", "")
        check_callee("destination_number", callee, billed_s)
        told = variables.get("call_direction", "")
        return UsageRow(
            line=line_no,
            text=text,
            call_id=uuid,
            leg="",
            account=fields.name("accountcode", variables.get("accountcode", "")),
            caller=fields.name(
                "caller_id_number", profile.get("caller_id_number") or variables.get("sip_from_user", "")
            ),
            callee=fields.name("destination_number", callee),
            started_at=started_at,
            answered_at=answered_at,
            duration_s=billed_s,
            answered=answered_at is not None,
            carrier=fields.name("sip_gateway_name", variables.get("sip_gateway_name", "")),
            src_ip=fields.ip_address(variables.get("sip_network_ip") or variables.get("sip_received_ip", "")),
            src_port=fields.port(variables.get("sip_network_port") or variables.get("sip_received_port", "")),
            user_agent=fields.agent(variables.get("sip_user_agent", "")),
            reference=fields.agent(variables.get("nibble_total_billed") or variables.get("cost", "")) or "",
            direction=fields.direction(told) or OUT if told != "local" else "internal",
        )

    def _moment(self, name: str, variables: Mapping[str, str]) -> datetime | None:
        micros = variables.get(f"{name}_uepoch", "")
        if micros.isascii() and micros.isdigit() and len(micros) > 6:
            seconds = micros[:-6].lstrip("0")
            return self._clock.read(f"{name}_uepoch", f"{seconds}.{micros[-6:]}" if seconds else "")
        return self._clock.read(f"{name}_epoch", variables.get(f"{name}_epoch") or variables.get(f"{name}_stamp", ""))

    def _billed_s(self, variables: Mapping[str, str], started_at: datetime, answered_at: datetime | None) -> int:
        ended_at = self._moment("end", variables)
        check_order("answer_epoch", started_at, answered_at)
        check_order("end_epoch", answered_at or started_at, ended_at)
        if "billsec" in variables:
            billed_s = fields.seconds("billsec", variables["billsec"])
        elif answered_at and ended_at:
            billed_s = fields.seconds("billsec", str(fields.whole_seconds(ended_at - answered_at)))
        else:
            billed_s = 0
        if answered_at is None:
            check_silent("billsec", billed_s)
        elif variables.get("duration"):
            check_within("billsec", billed_s, fields.seconds("duration", variables["duration"]))
        return billed_s


def _near_side(uuid: str, variables: Mapping[str, str]) -> str:
    """The uuid of the near side, where this is the far one."""
    for name in ("originating_leg_uuid", "originator", "ent_originate_aleg_uuid"):
        other = variables.get(name, "")
        if UUID.fullmatch(other) and other != uuid:
            return other
    return ""
