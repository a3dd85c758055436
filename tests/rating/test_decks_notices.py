"""Carriers mail their prices in every shape; read as their authors meant them, or asked about."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rating.decks import DeckQuestions, DeckRow, read_deck

from .decks_help import FIELD_DATA, HERE, NOW, prices

FIELD_NOW = datetime(2026, 9, 17, tzinfo=UTC)
needs_field_data = pytest.mark.skipif(not FIELD_DATA.is_dir(), reason="decks from the field are not here")


def question_keys(path: Path, **given: dict[str, str]) -> list[str]:
    with pytest.raises(DeckQuestions) as caught:
        read_deck(path, now=NOW, **given)  # type: ignore[arg-type]
    return [question.key for question in caught.value.questions]


def test_boreal_mails_a_notice_with_preamble_lists_ranges_and_a_closed_code() -> None:
    deck = read_deck(HERE / "boreal_notice.csv", now=NOW)
    rows = {row.prefix: row for row in deck.rows}
    assert list(rows) == ["43664", "43676", "43680", "43681", "43682", "43", "4790", "4791", "519",
                          "254733", "254738", "25477"]  # fmt: skip
    assert (deck.read, deck.rejected, deck.warnings) == (6, [], [])
    assert rows["43681"].effective_from == datetime(2027, 6, 14, tzinfo=UTC)
    assert (rows["43681"].first_s, rows["43681"].step_s) == (60, 1)
    assert rows["43"].effective_from is None, "a date that has passed means: in force now"
    assert rows["4790"].effective_from is None
    assert (rows["4790"].first_s, rows["4790"].step_s) == (30, 6)
    assert rows["519"].effective_from == datetime(2027, 7, 1, tzinfo=UTC)
    assert rows["25477"].closed
    assert rows["25477"].effective_from == datetime(2027, 6, 20, tzinfo=UTC)
    assert [row.prefix for row in deck.rows if row.closed] == ["25477"]
    assert rows["254738"].destination == "Kenya - Mobile - Airtel"


def test_dates_begin_at_midnight_of_the_carriers_zone() -> None:
    deck = read_deck(HERE / "boreal_notice.csv", now=NOW, time_zone="Asia/Hong_Kong")
    assert deck.rows[0].effective_from == datetime(2027, 6, 13, 16, tzinfo=UTC)


def test_one_date_for_all_replaces_the_dates_of_the_file() -> None:
    whole = datetime(2027, 8, 1, tzinfo=UTC)
    assert {row.effective_from for row in read_deck(HERE / "boreal_notice.csv", now=NOW, effective=whole).rows} == {
        whole
    }
    deck = read_deck(HERE / "semicolons.csv", now=NOW, effective=whole)
    assert [row.effective_from for row in deck.rows] == [whole] * 2, "nothing to ask about dates that are not used"


def test_a_deck_of_our_own_format_edited_by_hand() -> None:
    deck = read_deck(HERE / "own_format_crlf.csv", now=NOW)
    assert [(row.prefix, row.first_s, row.step_s, row.blocked, row.closed) for row in deck.rows] == [
        ("4366", 30, 6, False, False),
        ("4930", 1, 1, False, False),
    ]


def test_country_and_area_are_joined_and_the_new_rate_is_taken_once_the_date_is_settled() -> None:
    assert question_keys(HERE / "semicolons.csv") == ["date_order"]
    deck = read_deck(HERE / "semicolons.csv", now=NOW, answers={"date_order": "day_first"})
    assert prices(deck) == {"35191": "0.024", "35193": "0.024"}
    assert deck.rows[0].effective_from == datetime(2028, 6, 5, tzinfo=UTC)
    deck = read_deck(HERE / "semicolons.csv", now=NOW, answers={"date_order": "month_first"})
    assert deck.rows[0].effective_from == datetime(2028, 5, 6, tzinfo=UTC)
    assert "Current Rate" in deck.warnings[0]


def test_hyphens_that_can_only_join_are_joins_and_the_price_dates_win_over_the_increments_dates() -> None:
    deck = read_deck(HERE / "bi_type.csv", now=NOW)
    assert [(row.prefix, row.first_s, row.step_s, row.effective_from) for row in deck.rows] == [
        ("97798", 1, 1, None),
        ("97797", 60, 1, None),
    ]


def as_wanted(row: DeckRow) -> tuple[str, str, str, str, int | None, int]:
    begins = f"{row.effective_from:%Y-%m-%d %H:%M:%S}" if row.effective_from else "ASAP"
    price = f"{row.price.normalize():f}" if row.price is not None else ""
    return row.prefix, begins, "1" if row.closed else "0", price, row.first_s, row.step_s


@needs_field_data
def test_the_acme_notice_gives_exactly_what_is_expected() -> None:
    deck = read_deck(FIELD_DATA / "rates" / "tcxc_acme_rate_notice.csv", now=FIELD_NOW)
    with (FIELD_DATA / "expected" / "tcxc_acme_rate_notice_expected.csv").open() as stream:
        wanted = [
            (row["Prefix"], row["Effective from"], row["Discontinued"], row["Price N"],
             int(row["Interval 1"]), int(row["Interval N"]))
            for row in csv.DictReader(stream)
        ]  # fmt: skip
    assert [as_wanted(row) for row in deck.rows] == wanted
    assert (deck.read, deck.rejected) == (8, [])


@needs_field_data
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("tcxc_test_semicolon_decimal_comma", "date_order"),
        ("tcxc_test_two_price_columns", "price_column"),
        ("tcxc_test_mixed_hyphens", "hyphen"),
    ],
)
def test_decks_of_the_field_that_must_stop_and_ask(name: str, key: str) -> None:
    with pytest.raises(DeckQuestions) as caught:
        read_deck(FIELD_DATA / "rates" / f"{name}.csv", now=FIELD_NOW)
    assert [question.key for question in caught.value.questions] == [key]


@needs_field_data
@pytest.mark.parametrize(
    ("name", "answers", "wanted"),
    [
        ("tcxc_test_country_area_hyphen", {}, {"8210": "0.03", "511": "0.004"}),
        ("tcxc_test_bi_type", {}, {"9376": "0.15", "9370": "0.14", "8435": "0.05"}),
        ("tcxc_test_hand_edited_crlf", {}, {"5531": "0.017", "4930": "0.012"}),
        ("tcxc_test_semicolon_decimal_comma", {"date_order": "day_first"}, {"346": "0.012", "347": "0.012"}),
        ("tcxc_test_two_price_columns", {"price_column": "Rate Peak"}, {"44": "0.01"}),
        ("tcxc_test_two_price_columns", {"price_column": "Rate Off-peak"}, {"44": "0.005"}),
        ("tcxc_test_mixed_hyphens", {"hyphen": "join"}, {"52334217": "0.02"}),
    ],
)
def test_decks_of_the_field_once_answered(name: str, answers: dict[str, str], wanted: dict[str, str]) -> None:
    deck = read_deck(FIELD_DATA / "rates" / f"{name}.csv", now=FIELD_NOW, answers=answers)
    assert prices(deck) == wanted
    assert deck.read == len(deck.rejected) + len({row.line for row in deck.rows})
