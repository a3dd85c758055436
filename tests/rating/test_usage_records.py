"""When is a record the same record, and does it still say the same?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from rating.usage.lines import plan_chunks
from rating.usage.occurrence import Occurrences, repeats_before
from rating.usage.reading import open_usage
from rating.usage.record import UsageRow, content_hash, record_key

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
ROW = UsageRow(
    line=1,
    text="as it stood",
    call_id="h-1",
    leg="a",
    account="alice-hotel",
    caller="201",
    callee="+442071838750",
    started_at=NOON,
    answered_at=NOON + timedelta(seconds=5),
    duration_s=75,
    answered=True,
    carrier="atlas",
    src_ip="10.0.0.1",
    src_port=5060,
    user_agent="phone",
)


@pytest.mark.parametrize(
    "change",
    [
        {"account": "bob-office"},
        {"caller": "202"},
        {"callee": "+442071838751"},
        {"started_at": NOON + timedelta(seconds=1)},
        {"answered_at": None},
        {"duration_s": 76},
        {"answered": False},
        {"carrier": "boreal"},
        {"account": "alice-hotel2", "caller": "01"},
    ],
)
def test_whatever_touches_the_charge_changes_the_content(change: dict[str, object]) -> None:
    assert content_hash(replace(ROW, **change)) != content_hash(ROW)  # type: ignore[arg-type]


def test_what_does_not_touch_the_charge_leaves_the_content_alone() -> None:
    hong_kong = timezone(timedelta(hours=8))
    again = replace(
        ROW, line=9, text="exported again", src_ip=None, user_agent=None, started_at=NOON.astimezone(hong_kong)
    )
    assert content_hash(again) == content_hash(ROW)
    assert len(content_hash(ROW)) == 16


def test_the_key_is_id_and_leg_or_else_content_and_occurrence() -> None:
    assert record_key(replace(ROW, duration_s=1)) == record_key(ROW, 3)
    assert record_key(replace(ROW, leg="b")) != record_key(ROW)
    assert record_key(replace(ROW, call_id="h-", leg="1a")) != record_key(ROW)
    nameless = replace(ROW, call_id=None)
    assert record_key(nameless, 0) != record_key(nameless, 1)
    assert record_key(nameless) == record_key(replace(nameless, line=7))


def test_hashes_are_the_same_on_every_machine_and_day() -> None:
    assert content_hash(ROW).hex() == "732991411dbe9ad5235572cb5b3e673b"
    assert record_key(ROW).hex() == "5948ef04e03ac7e401895c303194a41e"


def test_equal_calls_without_an_id_are_counted_alike_however_the_file_is_cut(tmp_path: Path) -> None:
    equal, other = "+442071838750,2026-10-01 09:00:00,5", "+442071838750,2026-10-01 09:00:00,6"
    path = tmp_path / "calls.csv"
    path.write_text("\n".join(["to,started_at,seconds", *[equal, other, equal, equal, other, equal] * 3]) + "\n")
    usage = open_usage(path, UTC, not_after=datetime(2027, 1, 1, tzinfo=UTC))
    assert not usage.parser.has_ids
    seen = []
    for size in (2, 3, 5, 100):
        chunks = plan_chunks(path, size)
        keys = []
        for chunk, before in zip(chunks, repeats_before(usage, chunks), strict=True):
            count = Occurrences(before)
            keys += [record_key(row, count.number(row)) for row in usage.rows(chunk) if isinstance(row, UsageRow)]
        assert len(set(keys)) == len(keys) == 18
        seen.append(keys)
    assert seen[0] == seen[1] == seen[2] == seen[3]
