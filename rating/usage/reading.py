"""From a stored file to its records: detection, parser and lines joined, for whoever works an import.

Why: each worker opens the same file by itself and must come to the same reading of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple

import polars as pl

from rating.usage import registry
from rating.usage.formats import mapped
from rating.usage.formats.generic import GenericParser
from rating.usage.formats.generic_quick import GenericQuick
from rating.usage.formats.mapped import MappedParser
from rating.usage.framing import plan_records, read_records
from rating.usage.halves import Half
from rating.usage.lines import (
    Chunk,
    TextShape,
    bytes_of,
    decode_head,
    one_line,
    plan_chunks,
    read_chunk,
    read_head,
    sniff_shape,
)
from rating.usage.mapping import MappingError, UsageMapping
from rating.usage.protocol import Parser, UsageRefused
from rating.usage.quick import Quick, read_clean
from rating.usage.record import BadRow, UsageRow, bad_row
from rating.usage.totals import reconcile

log = logging.getLogger(__name__)
AUTO = "auto"
MAPPING = "mapping"


class Read(NamedTuple):
    """A chunk's records: clean lines as columns (see `quick.SCHEMA`), the others as they were parsed.

    `text`: the line behind a clean record, by its number.
    """

    clean: pl.DataFrame | None
    rest: list[UsageRow | BadRow | Half]
    text: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class OpenUsage:
    """A file that is understood: its format's name, its parser, its encoding and line ends."""

    path: Path
    format: str
    parser: Parser
    shape: TextShape

    def chunks(self, records_per_chunk: int) -> list[Chunk]:
        """The file cut into chunks of whole lines, or of whole records where they are not lines.

        Raises UsageRefused where the file ends with totals that disagree with it.
        """
        framing = self.parser.framing
        if framing is None:
            chunks = plan_chunks(self.path, records_per_chunk)
            if isinstance(self.parser, MappedParser) and self.parser.expects_totals:
                reconcile(self.parser, (item for one in chunks for item in read_chunk(self.path, one, self.shape)))
            return chunks
        return plan_records(self.path, framing, records_per_chunk)

    def read(self, chunk: Chunk) -> Read:
        """All records of a chunk, the clean lines among them read at once where the format can."""
        quick, zone, not_after = _quick_of(self.parser)
        if quick is None or self.shape.unit_bytes > 1 or self.shape.newline != "\n":
            return Read(None, list(self.rows(chunk)), _no_text)
        lines, first, parser = bytes_of(self.path, chunk), chunk.first_line, self.parser
        skipped = max(0, parser.data_from_line - first)
        portion = read_clean([line.decode("latin-1") for line in lines[skipped:]], quick, zone, not_after)
        rest = []
        for place in portion.odd:
            number = first + skipped + place
            row = self._parsed(one_line(number, lines[number - first], self.shape))
            if row is not None:
                rest.append(row)
        frame = portion.frame.with_columns(pl.col("line") + first + skipped)
        return Read(frame, rest, lambda line: lines[line - first].decode().removesuffix("\r"))

    def _parsed(self, item: tuple[int, str] | BadRow) -> UsageRow | BadRow | Half | None:
        if isinstance(item, BadRow):
            return item if item.line >= self.parser.data_from_line else None
        try:
            return self.parser.parse(*item)
        except Exception as error:  # One line that a parser stumbles over must not keep the others out.
            log.exception("line %s of %s", item[0], self.path.name)
            return bad_row(*item, "", "not_understood", f"{type(error).__name__}: {error}")

    def rows(self, chunk: Chunk) -> Iterator[UsageRow | BadRow | Half]:
        """All records of a chunk and all lines that could not be read; no blank lines, no header."""
        framing = self.parser.framing
        if framing is None:
            items = read_chunk(self.path, chunk, self.shape)
        else:
            items = read_records(self.path, chunk, framing, self.shape)
        for item in items:
            row = self._parsed(item)
            if row is not None:
                yield row


def _quick_of(parser: Parser) -> tuple[Quick | None, tzinfo, datetime]:
    """How a file's clean lines are read at once, if they can be. Formats made from these have rules of their own."""
    if type(parser) is GenericParser:
        return GenericQuick(parser.layout), parser.clock.zone, parser.clock.not_after
    return None, UTC, datetime.now(UTC)


def _no_text(line: int) -> str:
    raise LookupError(line)


def open_usage(
    path: Path | str,
    time_zone: tzinfo,
    *,
    not_after: datetime,
    format: str = AUTO,
    filename: str = "",
    mapping: Mapping[str, object] | None = None,
) -> OpenUsage:
    """Opens a usage file, or raises `UsageRefused`.

    `format` is a name of the registry, or `auto`: the content decides. `time_zone` reads times without an
    offset; times after `not_after` are quarantined. `filename` is the name to show, if not the path's. A
    `mapping` (see `rating.usage.mapping`) holds where no other format is asked for.
    """
    path = Path(path)
    head = read_head(path)
    shown = filename or path.name
    if mapping and format in (AUTO, MAPPING):
        registry.check_text(head, shown)
        by_mapping = mapped_parser(decode_head(head), mapping, time_zone, not_after)
        return OpenUsage(path, MAPPING, by_mapping, sniff_shape(head))
    name = registry.detect(head, shown) if format == AUTO else registry.get(format).name
    registry.check_text(head, shown)
    parser = registry.get(name).prepare(decode_head(head), time_zone, not_after=not_after)
    shape = sniff_shape(head)
    if parser.framing is not None and shape.unit_bytes > 1:
        raise UsageRefused("encoding", "This format is read as UTF-8, not as UTF-16.", shown, "Save it as UTF-8.")
    return OpenUsage(path, name, parser, shape)


def mapped_parser(
    head_lines: Sequence[str], given: Mapping[str, object], time_zone: tzinfo, not_after: datetime
) -> Parser:
    """A parser by a source's mapping, for the file with these first lines. Raises UsageRefused."""
    try:
        mapping = UsageMapping.from_json(given)
    except MappingError as error:
        raise UsageRefused("mapping", f"The source's mapping: {error.message}", error.where) from error
    if not mapping.order:
        return mapped.prepare(head_lines, mapping, time_zone, not_after=not_after)
    adapter = registry.MAPPABLE[mapping.format]
    return adapter.prepare_mapped(head_lines, time_zone, not_after=not_after, columns=mapping.order)
