"""Which of several equal records is this?

Why: some switches give calls no id. Two calls that agree in everything are then told apart by their order
in the file, and the count must come out alike whichever worker reads which chunk, and again the next time.

A row with an id has occurrence 0. In a layout with ids, a row that lacks one is counted within its chunk.
In a layout without ids (`Parser.has_ids` false), `repeats_before` counts over the whole file beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rating.usage.lines import Chunk
from rating.usage.reading import OpenUsage
from rating.usage.record import KEY_BYTES, UsageRow, content_hash


class Occurrences:
    """Counts equal records of one chunk, in the order of its lines."""

    def __init__(self, before: Mapping[bytes, int] | None = None) -> None:
        """`before`: how often a content came in earlier chunks, from `repeats_before`."""
        self._seen = dict(before or {})

    def number(self, row: UsageRow) -> int:
        """0 for the first row of its content without an id, 1 for the second, and so on."""
        if row.call_id:
            return 0
        content = content_hash(row)
        number = self._seen.get(content, 0)
        self._seen[content] = number + 1
        return number


def repeats_before(usage: OpenUsage, chunks: Sequence[Chunk]) -> list[dict[bytes, int]]:
    """For each chunk: the contents in it that came in chunks before, and how often.

    Reads the whole file once and keeps some 30 bytes a row. Usually all the mappings are empty.
    """
    hashes: list[bytes] = []
    sizes: list[int] = []
    for chunk in chunks:
        rows = [content_hash(row) for row in usage.rows(chunk) if isinstance(row, UsageRow) and not row.call_id]
        hashes.append(b"".join(rows))
        sizes.append(len(rows))
    found: list[dict[bytes, int]] = [{} for _chunk in chunks]
    for content, places in _repeated(b"".join(hashes), sizes):
        for at, place in enumerate(places):
            if place != places[0] and content not in found[place]:
                found[place][content] = at
    return found


def _repeated(joined: bytes, sizes: Sequence[int]) -> list[tuple[bytes, list[int]]]:
    """(content, positions of the chunks it is in, ascending) for contents that are in the file twice or more."""
    words = np.frombuffer(joined, dtype=">u8").reshape(-1, 2)
    place = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    order = np.lexsort((place, words[:, 1], words[:, 0]))
    ordered = words[order]
    same = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1))
    groups: list[tuple[bytes, list[int]]] = []
    last = -2
    for at in same.tolist():
        content = joined[int(order[at]) * KEY_BYTES : (int(order[at]) + 1) * KEY_BYTES]
        if at != last + 1:
            groups.append((content, [int(place[order[at]])]))
        groups[-1][1].append(int(place[order[at + 1]]))
        last = at
    return groups
