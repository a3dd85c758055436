"""A part of a call, where a switch writes one call in several records, in any order and in several files.

Why: a proxy writes the INVITE when the call is answered and the BYE when it ends, each process into its own file; a
gateway reports a call's start, its progress and its end, and that for both of its sides. A part is either `whole` (it
says all that the record needs; the others add nothing) or becomes a record only together with its other half: what
began the call and what ended it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from rating.usage import fields as values
from rating.usage.fields import FieldError
from rating.usage.record import KEY_BYTES, OUT, UsageRow

BEGIN, END = "begin", "end"


@dataclass(frozen=True, slots=True)
class Half:
    """One part. `key` names the call, `side` the part of it; `fields` is what it said, as text by name.

    Two parts with the sides BEGIN and END make a record. Any other side waits for a part that is whole: one with a
    `row`. `call_id` is for people, `at` the moment that the part tells of.
    """

    line: int
    text: str
    call_id: str
    key: bytes
    side: str
    at: datetime
    fields: Mapping[str, str] = field(default_factory=dict)
    row: UsageRow | None = None

    @property
    def content(self) -> bytes:
        """16 bytes by which the same part is known when it comes again."""
        body = "\0".join(f"{name}={self.fields[name]}" for name in sorted(self.fields))
        return blake2b(body.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def half_key(kind: str, *parts: str) -> bytes:
    """16 bytes that name the call within its source."""
    body = kind + "".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(body.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def span_row(line: int, text: str, begin: Mapping[str, str], end: Mapping[str, str]) -> UsageRow:
    """The record of a call that was answered when `begin` says and was over when `end` says.

    Fields of `begin`: `at` (ISO with offset) and, where known, started_at, call_id, leg, account, caller, callee,
    carrier, src_ip, src_port, user_agent, reference, direction, session. Of `end`: `at`. Raises FieldError.
    """
    answered_at, ended_at = datetime.fromisoformat(begin["at"]), datetime.fromisoformat(end["at"])
    if ended_at + timedelta(seconds=values.CLOCK_SLACK_S) < answered_at:
        raise FieldError("time", "order", "The call ended before it was answered.")
    lasted_s = max(0, values.whole_seconds(ended_at - answered_at))
    duration_s = values.seconds("duration", str(lasted_s))
    callee = begin.get("callee", "")
    if duration_s and not callee:
        raise FieldError("callee", "missing", "The call lasted, but the number called is missing.")
    return UsageRow(
        line=line,
        text=text,
        call_id=begin.get("call_id") or None,
        leg=begin.get("leg", ""),
        account=begin.get("account", ""),
        caller=begin.get("caller", ""),
        callee=callee,
        started_at=datetime.fromisoformat(begin.get("started_at") or begin["at"]),
        answered_at=answered_at,
        duration_s=duration_s,
        answered=True,
        carrier=begin.get("carrier", ""),
        src_ip=begin.get("src_ip") or None,
        src_port=values.port(begin.get("src_port", "")),
        user_agent=begin.get("user_agent") or None,
        reference=begin.get("reference", ""),
        direction=begin.get("direction", OUT),
        session=begin.get("session", ""),
    )
