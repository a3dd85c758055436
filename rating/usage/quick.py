"""The clean lines of a chunk read at once, by columns; whatever is odd in the least is left to the line parser.

Why: a line parser takes some 25 us a line, and nearly all lines of a large file are plain. A line is clean where it is
ASCII, its quotes pair and it has as many fields as wanted; a value is clean where it can be read in one way only. The
two ways must come to the same record for every line: a test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Protocol

import polars as pl

from rating.batch.times import epoch_us
from rating.usage import fields
from rating.usage.lines import LINE_LIMIT_BYTES

SCHEMA: dict[str, Any] = {
    "line": pl.Int64,
    "call_id": pl.String,
    "leg": pl.String,
    "account": pl.String,
    "caller": pl.String,
    "callee": pl.String,
    "started_us": pl.Int64,
    "answered_us": pl.Int64,
    "duration_s": pl.Int64,
    "answered": pl.Boolean,
    "carrier": pl.String,
    "src_ip": pl.String,
    "src_port": pl.Int32,
    "user_agent": pl.String,
    "reference": pl.String,
    "direction": pl.String,
    "session": pl.String,
}
"""Records as columns, as in UsageRow: times in microseconds since 1970; null: answered_us, src_ip, src_port."""
SECOND_US = 1_000_000
_MOMENT = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:[0-5]\d$"
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):?([0-5]\d)", re.ASCII)


class Quick(Protocol):
    """How one file's clean lines are read."""

    @property
    def delimiter(self) -> str:
        """One character."""

    @property
    def width(self) -> int:
        """How many fields a clean line has."""

    def read(self, cells: Cells) -> dict[str, pl.Series]:
        """The columns of SCHEMA but `line` and `session`; rows that are marked odd may hold anything."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What was read: `frame` with the columns of SCHEMA, and the places (from 0) of the lines left to the parser."""

    frame: pl.DataFrame
    odd: list[int]


class Cells:
    """The fields of clean lines, stripped, with literal NULLs emptied; marks what cannot be read in one way only."""

    def __init__(self, frame: pl.DataFrame, zone: tzinfo, not_after: datetime) -> None:
        self._frame = frame
        self._zone = zone
        self._latest_us = epoch_us(not_after)
        self.odd = pl.Series([False]).new_from_index(0, len(frame))

    def mark(self, odd: pl.Series) -> None:
        """These rows too are left to the parser (null: not)."""
        self.odd |= odd.fill_null(False)

    def text(self, place: int) -> pl.Series:
        """A field as it stands; empty where the file has none (place -1)."""
        if place < 0:
            return pl.Series([""]).new_from_index(0, len(self._frame))
        return self._frame.to_series(place)

    def name(self, place: int, limit: int = fields.MAX_NAME_CHARS) -> pl.Series:
        found = self.text(place)
        self.mark(found.str.len_bytes() > limit)
        return found

    def agent(self, place: int) -> pl.Series:
        return self.text(place).str.slice(0, fields.MAX_AGENT_CHARS)

    def told(self, place: int, tell: Callable[[str], Any], kind: Any) -> pl.Series:
        """What `tell` makes of each field, asked once for each different text."""
        found = self.text(place)
        return told(found, tell, kind)

    def seconds(self, place: int) -> pl.Series:
        """Whole seconds; nothing is 0."""
        found = self.text(place)
        plain = found.str.contains(r"^\d{1,9}$")
        value = found.cast(pl.Int64, strict=False).fill_null(0)
        self.mark((found != "") & (~plain | (value > fields.MAX_DURATION_S)))
        return value

    def moment(self, place: int) -> pl.Series:
        """Microseconds since 1970, null for nothing."""
        found = self.text(place)
        wall = found.str.slice(0, 19)
        shaped = wall.str.contains(_MOMENT)
        at = wall.str.replace("T", " ", literal=True).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
        tail = found.str.slice(19)
        offset_s = told(tail, _offset_s, pl.Int64)
        local = tail == ""
        if local.any():
            here = told(wall.str.slice(0, 13), self._local_offset_s, pl.Int64)
            offset_s = here.zip_with(local, offset_s)
        us = at.to_physical() - offset_s * SECOND_US
        within = (us >= epoch_us(fields.EARLIEST)) & (us <= self._latest_us)
        self.mark((found != "") & ~(shaped & within).fill_null(False))
        return us.set(found == "", None)

    def _local_offset_s(self, hour: str) -> int | None:
        """Seconds east of UTC throughout this hour (`2026-10-31 23`); None where clocks are set within it."""
        try:
            start = datetime(int(hour[:4]), int(hour[5:7]), int(hour[8:10]), int(hour[11:13]), tzinfo=self._zone)
        except ValueError:
            return None
        ends = (start, start.replace(minute=59, second=59))
        offsets = {moment.replace(fold=fold).utcoffset() for moment in ends for fold in (0, 1)}
        offset = offsets.pop()
        return None if offsets or offset is None else offset // timedelta(seconds=1)


def told(values: pl.Series, tell: Callable[[str], Any], kind: Any) -> pl.Series:
    """A column made from text, asked once for each different one."""
    if values.is_empty():
        return pl.Series(values.name, dtype=kind)
    known = values.unique()
    return values.replace_strict(known, pl.Series([tell(one) for one in known], dtype=kind), return_dtype=kind)


def _offset_s(text: str) -> int | None:
    if text in ("Z", "UTC"):
        return 0
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    size = int(match[2]) * 3600 + int(match[3]) * 60
    return -size if match[1] == "-" else size


def read_clean(lines: Sequence[str], quick: Quick, zone: tzinfo, not_after: datetime) -> Portion:
    """Reads lines (without their ends; characters that are no ASCII may be wrong: such lines are odd).

    `frame` has the place of each line in `line`.
    """
    series = pl.Series(lines, dtype=pl.String).str.strip_suffix("\r")
    clean = series.str.contains(_line_pattern(quick.delimiter, quick.width)) & (
        series.str.len_bytes() < LINE_LIMIT_BYTES
    )
    places = clean.arg_true()
    cells = Cells(_split(series.filter(clean), quick), zone, not_after)
    unnamed = pl.Series([""]).new_from_index(0, len(places))
    columns: Mapping[str, pl.Series] = {"line": places.cast(pl.Int64), "session": unnamed, **quick.read(cells)}
    good = ~cells.odd
    frame = pl.DataFrame(columns, schema=SCHEMA).filter(good)
    left = (~clean).arg_true().to_list() + places.filter(cells.odd).to_list()
    return Portion(frame, sorted(left))


def _line_pattern(delimiter: str, width: int) -> str:
    mark = re.escape(delimiter)
    plain = "".join(f"\\x{code:02x}" for code in range(0x20, 0x7F) if chr(code) not in (delimiter, '"'))
    field = f'(?:"(?:[ !#-~]|"")*"|[{plain}]*)'
    return f"^{field}(?:{mark}{field}){{{width - 1}}}$"


def _split(lines: pl.Series, quick: Quick) -> pl.DataFrame:
    if lines.is_empty():
        return pl.DataFrame({f"column_{at}": [] for at in range(quick.width)}, schema_overrides=None).cast(pl.String)
    text = lines.str.join("\n").item() + "\n"
    frame = pl.read_csv(
        text.encode(),
        has_header=False,
        infer_schema=False,
        separator=quick.delimiter,
        quote_char='"',
    )
    nulls = list(fields.NULLS)
    cells = pl.all().fill_null("").str.strip_chars(" ")
    return frame.select(pl.when(cells.is_in(nulls)).then(pl.lit("")).otherwise(cells).name.keep())
