"""From a stored file to its records: detection, parser and lines joined, for whoever works an import.

Why: each worker opens the same file by itself and must come to the same reading of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from rating.usage import registry
from rating.usage.framing import plan_records, read_records
from rating.usage.halves import Half
from rating.usage.lines import Chunk, TextShape, decode_head, plan_chunks, read_chunk, read_head, sniff_shape
from rating.usage.protocol import Parser, UsageRefused
from rating.usage.record import BadRow, UsageRow

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class OpenUsage:
    """A file that is understood: its format's name, its parser, its encoding and line ends."""

    path: Path
    format: str
    parser: Parser
    shape: TextShape

    def chunks(self, records_per_chunk: int) -> list[Chunk]:
        """The file cut into chunks of whole lines, or of whole records where they are not lines."""
        framing = self.parser.framing
        if framing is None:
            return plan_chunks(self.path, records_per_chunk)
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
) -> OpenUsage:
    """Opens a usage file, or raises `UsageRefused`.

    `format` is a name of the registry, or `auto`: the content decides. `time_zone` reads times without an
    offset; times after `not_after` are quarantined. `filename` is the name to show, if not the path's.
    """
    path = Path(path)
    head = read_head(path)
    shown = filename or path.name
    name = registry.detect(head, shown) if format == AUTO else registry.get(format).name
    registry.check_text(head, shown)
    parser = registry.get(name).prepare(decode_head(head), time_zone, not_after=not_after)
    shape = sniff_shape(head)
    if parser.framing is not None and shape.unit_bytes > 1:
        raise UsageRefused("encoding", "This format is read as UTF-8, not as UTF-16.", shown, "Save it as UTF-8.")
    return OpenUsage(path, name, parser, shape)
