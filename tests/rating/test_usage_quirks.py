"""What usage files of the field do to their readers: each quirk has a file of ours, imported to the books."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine

from billing.books import violations
from rating.models import Quarantined, RatedCall, Source, UsageRecord
from rating.services.imports import counts, import_file
from rating.services.sources import create_source
from tests.cast import ACTOR
from tiers.errors import Invalid

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
FIXTURES = Path(__file__).parent / "fixtures" / "quirks"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "usage"
PLAN = {"home_country": "HK", "access_codes": ["9"], "extension_lengths": [3, 4, 5]}
TRAILER = {
    "format": "delimited",
    "columns": {"account": 1, "to": 2, "started_at": 3, "seconds": 4},
    "trailer": {"begins": "9;", "count": 2, "seconds": 3},
}


@pytest.fixture(autouse=True)
def house(settings: Any, tmp_path: Path, cast: Cast) -> Source:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner, zone = cast.northstar, "Asia/Hong_Kong"
    return create_source(
        owner, "house", "A switch in Alice's house", actor=ACTOR, time_zone=zone, dial_plan=PLAN, customer=cast.alice
    )


def bring(house: Source, name: str, format: str = "", folder: Path = FIXTURES) -> dict[str, int]:
    found = counts(import_file(folder / name, house, actor=ACTOR, format=format))
    assert found["read"] == sum(count for name, count in found.items() if name != "read")
    assert list(violations()) == []
    return {name: count for name, count in found.items() if count and name != "read"}


def codes() -> list[str]:
    return list(Quarantined.objects.order_by("line").values_list("code", flat=True))


def test_two_layouts_of_one_name_are_told_apart_by_content(house: Source, tmp_path: Path) -> None:
    for name, calls, seconds in (("master_cdr_csv.csv", 2, 75), ("master_cdr_custom.csv", 1, 75)):
        path = tmp_path / name.removesuffix(".csv") / "Master.csv"
        path.parent.mkdir()
        path.write_bytes((FIXTURES / name).read_bytes())
        assert counts(import_file(path, house, actor=ACTOR))["rated"] == calls
        assert set(UsageRecord.objects.values_list("duration_s", flat=True)) == {seconds}


def test_the_answer_decides_not_the_seconds(house: Source) -> None:
    """Not answered with 30 billed seconds, answered with none, and one that is as it should be."""
    assert bring(house, "unanswered_with_seconds.csv") == {"rated": 1, "free": 2}
    assert sorted(UsageRecord.objects.values_list("call_id", "duration_s")) == [("a.1", 0), ("a.2", 0), ("a.3", 75)]


def test_forked_calls_share_an_id_and_are_three_records(house: Source) -> None:
    assert bring(house, "forked.csv") == {"rated": 2, "free": 1}
    assert bring(house, "forked.csv") == {"duplicate": 3}


def test_a_key_again_is_a_duplicate_and_with_other_figures_a_conflict(house: Source) -> None:
    assert bring(house, "key_again.csv") == {"rated": 1, "duplicate": 1, "quarantined": 1}
    assert codes() == ["conflict"]


def test_a_call_cannot_last_less_than_nothing(house: Source) -> None:
    assert bring(house, "negative.csv") == {"rated": 1, "quarantined": 2}
    assert codes() == ["negative", "negative"]


def test_more_billed_than_the_call_lasted_needs_the_clock_to_bear_it_out(house: Source) -> None:
    assert bring(house, "duration_below_billed.csv") == {"rated": 2, "quarantined": 1}
    assert codes() == ["inconsistent"]


@pytest.mark.parametrize("name", ["not_utf8.csv", "cr_only.csv"])
def test_other_bytes_and_line_ends_lose_no_line(house: Source, name: str) -> None:
    assert bring(house, name) == {"rated": 2 if name == "not_utf8.csv" else 3}


def test_an_unclosed_quote_spoils_its_own_line(house: Source) -> None:
    assert bring(house, "unclosed_quote.csv") == {"rated": 2, "quarantined": 1}
    assert codes() == ["quotes"]


def test_a_literal_null_is_nothing(house: Source) -> None:
    assert bring(house, "literal_null.csv") == {"rated": 1, "free": 1}
    assert set(UsageRecord.objects.values_list("caller", "carrier_id")) == {("", None), ("201", None)}


def test_a_whole_line_in_quotes_is_unwrapped(house: Source) -> None:
    assert bring(house, "line_in_quotes.csv") == {"rated": 2}


def test_a_date_without_a_year_is_the_latest_that_can_be(house: Source) -> None:
    with time_machine.travel(datetime(2026, 11, 22, tzinfo=UTC), tick=False):
        assert sum(bring(house, "no_year.txt").values()) == 2
    years = sorted(UsageRecord.objects.values_list("started_at__year", "started_at__month"))
    assert years == [(2025, 11), (2026, 10)]


def test_an_answer_at_epoch_zero_is_none(house: Source) -> None:
    assert bring(house, "epoch_zero.txt") == {"rated": 1, "free": 1}


def test_a_bye_before_its_invite_in_another_file(house: Source) -> None:
    assert bring(house, "bye_first_8.log") == {"waiting": 1}
    assert bring(house, "bye_first_3.log") == {"rated": 1}
    assert RatedCall.objects.filter(buyer__code="alice").get().duration_s == 75


def test_numbers_as_people_dial_them(house: Source) -> None:
    """Of `*203`, `Ext.10016` and `203` nobody pays; three ways abroad are dialled, one of them not from here."""
    house.dial_plan = {**PLAN, "international_prefixes": ["00", "8~10"]}
    house.save()
    found = bring(house, "numbers.csv")
    assert found == {"free": 3, "rated": 3, "quarantined": 1}
    numbers = set(RatedCall.objects.filter(buyer__code="alice").values_list("number", flat=True))
    assert numbers == {"447700900123"}


@pytest.mark.parametrize(("country", "prefix"), [("US", "011"), ("RU", "8~10"), ("DE", "00")])
def test_each_country_dials_abroad_in_its_own_way(house: Source, tmp_path: Path, country: str, prefix: str) -> None:
    house.dial_plan = {"home_country": country}
    house.save()
    path = tmp_path / "calls.csv"
    path.write_text(
        f"call_id,to,started_at,seconds\nc1,{prefix}447700900123,2026-10-05 09:30:00,60\n", encoding="utf-8"
    )
    assert counts(import_file(path, house, actor=ACTOR))["read"] == 1
    assert UsageRecord.objects.get().number == "447700900123"


def test_a_file_without_a_header_is_known_by_its_columns(house: Source) -> None:
    assert bring(house, "no_header.txt") == {"rated": 2}


def test_totals_are_reconciled_before_anything_is_charged(house: Source, tmp_path: Path) -> None:
    house.mapping = TRAILER
    house.save()
    path = tmp_path / "cut.csv"
    path.write_text("".join((FIXTURES / "trailer.csv").read_text().splitlines(keepends=True)[1:]), encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        import_file(path, house, actor=ACTOR)
    assert "2 calls, the file holds 1" in refused.value.message
    assert not UsageRecord.objects.exists()
    assert bring(house, "trailer.csv") == {"rated": 2}


def test_every_quirk_s_file_is_imported_by_a_test_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert {path.name for path in FIXTURES.iterdir() if f'"{path.name}"' not in source} == set()


FIELD_COUNTS = {  # where the switch stands, and what becomes of the lines there once Alice is known to own it
    "asterisk_kelysaina_Master.csv": ("US", {"free": 14}),
    "cdrstats_import_cdr.txt": ("BE", {"unrated": 3, "quarantined": 2}),
    "cdrstats_import_cdr_100.txt": ("ES", {"unrated": 99, "quarantined": 1}),
    "cucm_sieteunoseis_cdr.txt": ("US", {"free": 3}),
    "cucm_sieteunoseis_fixture_sample_cdr.txt": ("US", {"rated": 1}),
    "mitel_smdr_gabaelmer_parser_tests.txt": ("US", {"rated": 3, "free": 11, "quarantined": 1}),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of field data is not there")
def test_every_file_of_the_field_comes_in_whole_and_only_once(house: Source) -> None:
    seen = {}
    for name, (country, _counts) in FIELD_COUNTS.items():
        house.dial_plan = {"home_country": country, "access_codes": ["9"], "extension_lengths": [2, 3, 4, 5]}
        house.save()
        seen[name] = (country, bring(house, name, folder=SHARED))
        assert set(bring(house, name, folder=SHARED)) <= {"duplicate", "quarantined"}, name
    assert seen == FIELD_COUNTS
    assert {path.name for path in SHARED.iterdir()} == set(FIELD_COUNTS)
