"""A damaged line costs itself and nothing else, whichever switch wrote it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rating.usage import registry
from rating.usage.fields import MAX_DURATION_S
from rating.usage.halves import Half
from rating.usage.lines import decode_head, read_head
from rating.usage.record import BadRow, UsageRow, content_hash, record_key

FIXTURES = Path(__file__).parent / "fixtures" / "usage"
ZONE = ZoneInfo("Europe/Berlin")
LATEST = datetime(2026, 12, 1, tzinfo=UTC)
SAMPLES = sorted(
    path.name
    for path in FIXTURES.iterdir()
    if path.suffix not in (".json", ".xml") and path.name not in ("asterisk_own_order.csv", "radius_detail.txt")
)
BITS = st.sampled_from(
    ["", " ", ",", ";", '"', "-", "0", "9" * 12, "NULL", "\0", "\t", "٣", "é", ":", "/", "T1", "****"]
)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_a_line_says_it_is_a_call_or_a_quarantined_line(name: str, data: st.DataObject) -> None:
    head = read_head(FIXTURES / name)
    lines = decode_head(head)
    parser = registry.get(registry.detect(head, name)).prepare(lines, ZONE, not_after=LATEST)
    line = data.draw(st.sampled_from([line for line in lines[parser.data_from_line - 1 :] if line.strip()]))
    at = data.draw(st.integers(0, len(line)))
    cut = data.draw(st.integers(0, 12))
    damaged = line[:at] + data.draw(BITS) + line[at + cut :]
    found = parser.parse(99, damaged)
    assert parser.parse(99, damaged) == found
    if isinstance(found, UsageRow):
        assert 0 <= found.duration_s <= MAX_DURATION_S
        assert found.answered == (found.answered_at is not None)
        assert found.answered or found.duration_s == 0
        assert found.callee or found.duration_s == 0
        assert len(record_key(found)) == len(content_hash(found)) == 16
    else:
        assert isinstance(found, (BadRow, Half)) or found is None
