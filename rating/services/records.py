"""The records of a chunk side by side: what a source reported, as columns, and by what each is known again.

The content and the key of a record are those of `rating.usage.record`, worked out for all rows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import polars as pl

from rating.batch.times import epoch_us
from rating.usage.quick import SCHEMA
from rating.usage.record import KEY_BYTES, UsageRow


@dataclass(frozen=True, slots=True)
class Records:
    """`frame` has the columns of SCHEMA; `text` gives the line behind a row, for the quarantine."""

    frame: pl.DataFrame
    text: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.frame)


def of_rows(rows: Sequence[UsageRow]) -> Records:
    """What a line parser made."""
    columns: dict[str, list[Any]] = {
        "line": [row.line for row in rows],
        "call_id": [row.call_id or "" for row in rows],
        "leg": [row.leg for row in rows],
        "account": [row.account for row in rows],
        "caller": [row.caller for row in rows],
        "callee": [row.callee for row in rows],
        "started_us": [epoch_us(row.started_at) for row in rows],
        "answered_us": [row.answered_at and epoch_us(row.answered_at) for row in rows],
        "duration_s": [row.duration_s for row in rows],
        "answered": [row.answered for row in rows],
        "carrier": [row.carrier for row in rows],
        "src_ip": [row.src_ip for row in rows],
        "src_port": [row.src_port for row in rows],
        "user_agent": [row.user_agent or "" for row in rows],
        "reference": [row.reference for row in rows],
        "direction": [row.direction for row in rows],
        "session": [row.session for row in rows],
    }
    return Records(pl.DataFrame(columns, schema=SCHEMA), lambda at: rows[at].text)


def merged(clean: pl.DataFrame | None, rows: Sequence[UsageRow], text: Callable[[int], str]) -> Records:
    """Records that were read at once and others, in the order of their lines."""
    others = of_rows(rows)
    if clean is None:
        return others
    if not rows:
        lines = clean["line"]
        return Records(clean, lambda at: text(lines[at]))
    frame = pl.concat([clean, others.frame]).sort("line", maintain_order=True)
    places = {row.line: at for at, row in enumerate(rows)}

    def text_of(at: int) -> str:
        line = frame["line"][at]
        return rows[places[line]].text if line in places else text(line)

    return Records(frame, text_of)


def contents(frame: pl.DataFrame) -> list[bytes]:
    """`content_hash` of each row: 16 bytes over all that matters for money."""
    moments = [_stamp(pl.col(name)) for name in ("started_us", "answered_us")]
    answered = pl.when("answered").then(pl.lit("1")).otherwise(pl.lit("0"))
    parts = [pl.col("account"), pl.col("caller"), pl.col("callee"), *moments]
    parts += [pl.col("duration_s").cast(pl.String), answered, pl.col("carrier")]
    return _digests(frame, "content", parts)


def keys(frame: pl.DataFrame, content: Sequence[bytes], before: Mapping[bytes, int] | None = None) -> list[bytes]:
    """`record_key` of each row: by call id and leg, else by content and how often it came before.

    `before`: how often a content without an id came in earlier chunks (see `rating.usage.occurrence`).
    """
    made = _digests(frame, "id", [pl.col("call_id"), pl.col("leg")])
    nameless = frame.select(pl.arg_where(pl.col("call_id") == "")).to_series().to_list()
    seen = dict(before or {})
    for row in nameless:
        occurrence = seen.get(content[row], 0)
        seen[content[row]] = occurrence + 1
        made[row] = _digest(f"nth32:{content[row].hex()}{len(str(occurrence))}:{occurrence}")
    return made


def _stamp(us: pl.Expr) -> pl.Expr:
    """`isoformat` in UTC; nothing for no time."""
    whole = pl.from_epoch(us, time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S")
    micros = us % 1_000_000
    fraction = pl.when(micros == 0).then(pl.lit("")).otherwise("." + micros.cast(pl.String).str.zfill(6))
    return pl.concat_str([whole, fraction, pl.lit("+00:00")]).fill_null("")


def _digests(frame: pl.DataFrame, kind: str, parts: Iterable[pl.Expr]) -> list[bytes]:
    """As `rating.usage.record._digest`: each part is led by its length."""
    led = [piece for part in parts for piece in (part.str.len_chars().cast(pl.String), pl.lit(":"), part)]
    bodies: list[str] = frame.select(pl.concat_str([pl.lit(kind), *led])).to_series().to_list()
    return [_digest(body) for body in bodies]


def _digest(body: str) -> bytes:
    return blake2b(body.encode(), digest_size=KEY_BYTES).digest()
