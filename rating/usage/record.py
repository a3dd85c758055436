"""What a usage file says, line by line, in one shape for every format.

Why: the pipeline must see the same record from every switch, know a record again when it comes a second
time (the key), and know whether it still says the same (the content hash).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

KEY_BYTES = 16
QUARANTINE_TEXT_CHARS = 2000
OUT, IN, INTERNAL = "out", "in", "internal"


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One call as a source reported it. Times are aware and in UTC.

    `duration_s` is the billed duration, fractions of a second rounded up, 0 when not answered. An answered
    call always has `answered_at` (the start stands in when the file names no answer time).
    `caller` and `callee` are as dialled: a dial plan makes them E.164 later. `carrier` is the trunk's name.
    `reference` is what the switch itself reckoned the call to cost, kept to look at and never charged.
    `direction`: `out`, `in` (to a number of the house) or `internal` (it never left the house); only `out` is charged.
    `session` is the id by which the switch asked for the call live, where that is not `call_id`.
    """

    line: int
    text: str
    call_id: str | None
    leg: str
    account: str
    caller: str
    callee: str
    started_at: datetime
    answered_at: datetime | None
    duration_s: int
    answered: bool
    carrier: str
    src_ip: str | None
    src_port: int | None
    user_agent: str | None
    reference: str = ""
    direction: str = OUT
    session: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line for the quarantine: number from 1, text (cut, no NUL), the field, a code and a reason."""

    line: int
    text: str
    field: str
    code: str
    reason: str


def bad_row(line: int, text: str, field: str, code: str, reason: str) -> BadRow:
    """A `BadRow` whose text a database can hold: at most 2,000 characters, NUL bytes made visible."""
    shown = text[:QUARANTINE_TEXT_CHARS].replace("\0", "\\x00")
    return BadRow(line, shown + ("…" if len(text) > QUARANTINE_TEXT_CHARS else ""), field, code, reason)


def _digest(kind: str, *parts: str) -> bytes:
    """16 bytes over the parts; each is led by its length, so that no two lists of parts read alike."""
    body = kind + "".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(body.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def _stamp(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat()


def content_hash(row: UsageRow) -> bytes:
    """16 bytes over all that matters for money: who, to whom, when, how long, answered or not, which trunk.

    Line number, text, addresses and agents are left out: the same call exported again hashes alike.
    """
    return _digest(
        "content",
        row.account,
        row.caller,
        row.callee,
        _stamp(row.started_at),
        _stamp(row.answered_at),
        str(row.duration_s),
        "1" if row.answered else "0",
        row.carrier,
    )


def record_key(row: UsageRow, occurrence: int = 0) -> bytes:
    """16 bytes that name the record within its source: call id and leg, or else content and occurrence.

    `occurrence` counts rows of equal content without an id in one file, from 0; with an id it is ignored.
    """
    if row.call_id:
        return _digest("id", row.call_id, row.leg)
    return _digest("nth", content_hash(row).hex(), str(occurrence))
