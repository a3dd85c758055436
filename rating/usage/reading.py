"""From a stored file to its records: detection, parser and lines joined, for whoever works an import.

Why: each worker opens the same file by itself and must come to the same reading of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from rating.usage import registry
from rating.usage.formats import mapped
from rating.usage.formats.mapped import MappedParser
from rating.usage.framing import plan_records, read_records
from rating.usage.halves import Half
from rating.usage.lines import Chunk, TextShape, decode_head, plan_chunks, read_chunk, read_head, sniff_shape
from rating.usage.mapping import MappingError, UsageMapping
from rating.usage.protocol import Parser, UsageRefused
from rating.usage.record import BadRow, UsageRow
from rating.usage.totals import reconcile

AUTO = "auto"
MAPPING = "mapping"


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

    def rows(self, chunk: Chunk) -> Iterator[UsageRow | BadRow | Half]:
        """All records of a chunk and all lines that could not be read; no blank lines, no header."""
        parse, data_from_line, framing = self.parser.parse, self.parser.data_from_line, self.parser.framing
        if framing is None:
            items = read_chunk(self.path, chunk, self.shape)
        else:
            items = read_records(self.path, chunk, framing, self.shape)
        for item in items:
            if isinstance(item, BadRow):
                if item.line >= data_from_line:
                    yield item
                continue
            row = parse(*item)
            if row is not None:
                yield row


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
        by_mapping = _mapped(decode_head(head), mapping, time_zone, not_after)
        return OpenUsage(path, MAPPING, by_mapping, sniff_shape(head))
    name = registry.detect(head, shown) if format == AUTO else registry.get(format).name
    registry.check_text(head, shown)
    parser = registry.get(name).prepare(decode_head(head), time_zone, not_after=not_after)
    shape = sniff_shape(head)
    if parser.framing is not None and shape.unit_bytes > 1:
        raise UsageRefused("encoding", "This format is read as UTF-8, not as UTF-16.", shown, "Save it as UTF-8.")
    return OpenUsage(path, name, parser, shape)


def _mapped(head_lines: Sequence[str], given: Mapping[str, object], time_zone: tzinfo, not_after: datetime) -> Parser:
    try:
        mapping = UsageMapping.from_json(given)
    except MappingError as error:
        raise UsageRefused("mapping", f"The source's mapping: {error.message}", error.where) from error
    if not mapping.order:
        return mapped.prepare(head_lines, mapping, time_zone, not_after=not_after)
    adapter = registry.MAPPABLE[mapping.format]
    return adapter.prepare_mapped(head_lines, time_zone, not_after=not_after, columns=mapping.order)
