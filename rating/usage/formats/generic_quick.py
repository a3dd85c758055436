"""The clean lines of a CSV with a header, read by columns: the rules are those of `generic.GenericParser`."""

from __future__ import annotations

import polars as pl

from rating.usage import fields
from rating.usage.formats.generic import SYNONYMS, Layout
from rating.usage.quick import SECOND_US, Cells


class GenericQuick:
    """For one header."""

    def __init__(self, layout: Layout) -> None:
        self._places = {field: layout.columns.get(field, -1) for field in SYNONYMS}
        self.delimiter = layout.delimiter
        self.width = layout.width

    def read(self, cells: Cells) -> dict[str, pl.Series]:
        at = self._places
        started, answered, ended = (cells.moment(at[name]) for name in ("started_at", "answered_at", "ended_at"))
        begin, callee = answered.zip_with(started.is_null(), started), cells.name(at["to"])
        reported_s = self._reported_s(cells, answered, ended)
        told = self._answered(cells, answered, reported_s)
        slack_us = fields.CLOCK_SLACK_S * SECOND_US
        cells.mark(begin.is_null())
        cells.mark(answered < started - slack_us)
        cells.mark(ended < answered - slack_us)
        cells.mark(told & (reported_s > 0) & (callee == ""))
        direction = cells.told(at["direction"], lambda text: fields.direction(text or "out"), pl.String)
        cells.mark(direction.is_null())
        return {
            "call_id": cells.name(at["call_id"], fields.MAX_CALL_ID_CHARS),
            "leg": cells.name(at["leg"]),
            "account": cells.name(at["account"]),
            "caller": cells.name(at["from"]),
            "callee": callee,
            "started_us": begin,
            "answered_us": begin.zip_with(answered.is_null(), answered).set(~told, None),
            "duration_s": reported_s * told.cast(pl.Int64),
            "answered": told,
            "carrier": cells.name(at["carrier"]),
            "src_ip": cells.told(at["src_ip"], fields.ip_address, pl.String),
            "src_port": cells.told(at["src_port"], fields.port, pl.Int32),
            "user_agent": cells.agent(at["user_agent"]),
            "reference": cells.agent(at["reference"]),
            "direction": direction,
        }

    def _reported_s(self, cells: Cells, answered: pl.Series, ended: pl.Series) -> pl.Series:
        """As the file says; where it is silent, what the times say. (Clean times are whole seconds.)"""
        spans = (ended - answered) // SECOND_US
        spans = spans.clip(0).fill_null(0)
        if self._places["seconds"] < 0:
            cells.mark(spans > fields.MAX_DURATION_S)
            return spans
        given, silent = cells.seconds(self._places["seconds"]), cells.text(self._places["seconds"]) == ""
        by_times = silent & ended.is_not_null()
        cells.mark(by_times & (spans > fields.MAX_DURATION_S))
        return spans.zip_with(by_times, given)

    def _answered(self, cells: Cells, answered: pl.Series, reported_s: pl.Series) -> pl.Series:
        word = cells.text(self._places["disposition"])
        told = cells.told(self._places["disposition"], fields.disposition, pl.Boolean)
        cells.mark(told.is_null() & (word != "") & (reported_s > 0))
        by_times = answered.is_not_null() if self._places["answered_at"] >= 0 else reported_s > 0
        return by_times.zip_with(told.is_null(), told)
