"""What decks of the field do, one small file for each: read as a person would read it, or asked, or refused by line."""

from __future__ import annotations

from typing import Any

import pytest

from rating.decks import Deck, DeckQuestions, DeckRefused, read_deck

from .decks_help import FIELD_DATA, HERE, NOW, prices

QUIRKS = HERE / "quirks"
TOLD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "no_header": ({"mapping": {"code": "#1", "name": "#2", "price": "#3"}}, {"4930": "0.021", "8190": "0.15"}),
    "preamble_and_footer": ({}, {"4930": "0.021"}),
    "semicolon_decimal_comma": ({}, {"4930": "0.021", "88216": "1234.5"}),
    "hundredths_of_a_cent": (
        {"answers": {"price_unit": "cent_100"}},
        {"4930": "0.021", "8190": "0.15", "33": "0.009", "34": "0.0095", "39": "0.011"},
    ),
    "price_range": ({}, {"4930": "0.021"}),
    "dressed_codes": ({}, {"93": "0.2", "355": "0.3", "33607": "0.04"}),
    "code_lists": ({}, {"4930": "0.02", "4931": "0.02", "33": "0.03", "34": "0.03"}),
    "join_beside_range": (
        {"answers": {"hyphen": "each"}},
        {"9370": "0.25", "447400": "0.02", "447401": "0.02", "447402": "0.02"},
    ),
    "increments": ({}, {"44": "0.01", "45": "0.01", "46": "0.01", "47": "0.01"}),
    "buy_and_sell": ({"answers": {"price_column": "Buy Rate"}}, {"44": "0.01"}),
    "current_and_new": ({}, {"44": "0.02"}),
    "rate_and_new": ({"answers": {"price_column": "Rate"}}, {"44": "0.01"}),
    "closed_rows": ({}, {"44": "0.01", "45": "closed", "46": "closed"}),
    "ambiguous_dates": ({"answers": {"date_order": "day_first"}}, {"44": "0.01", "45": "0.02"}),
    "same_prefix_twice": ({}, {"44": "0.01", "45": "0.02"}),
    "outlier": ({}, {"44": "0.02", "45": "0.021", "46": "0.019", "881": "1200"}),
    "cents_in_the_header": ({}, {"44": "0.0125"}),
}
ASKED = {
    "hundredths_of_a_cent": "price_unit",
    "join_beside_range": "hyphen",
    "buy_and_sell": "price_column",
    "rate_and_new": "price_column",
    "ambiguous_dates": "date_order",
}


def deck(name: str, **given: Any) -> Deck:
    return read_deck(QUIRKS / f"{name}.csv", now=NOW, **given)


def test_every_file_here_is_a_story() -> None:
    assert {path.stem for path in QUIRKS.iterdir()} == set(TOLD)


@pytest.mark.parametrize("name", TOLD)
def test_a_quirk_reads_as_a_person_would_read_it(name: str) -> None:
    given, wanted = TOLD[name]
    assert prices(deck(name, **given)) == wanted


@pytest.mark.parametrize("name", ASKED)
def test_what_has_two_readings_is_asked_and_never_guessed(name: str) -> None:
    with pytest.raises(DeckQuestions) as caught:
        deck(name)
    (question,) = caught.value.questions
    assert question.key == ASKED[name]
    assert len(question.options) > 1


def test_without_a_header_nothing_is_guessed() -> None:
    with pytest.raises(DeckRefused) as caught:
        deck("no_header")
    assert caught.value.code == "no_header"


def test_a_range_of_prices_and_a_second_price_cost_their_own_line() -> None:
    (ranged,) = deck("price_range").rejected
    assert (ranged.line, "is a range of prices" in ranged.reason) == (3, True)
    twice = deck("same_prefix_twice")
    assert [(line.line, "other terms" in line.reason) for line in twice.rejected] == [(4, True)]
    assert "1 codes stand twice with the same terms (line 5 first)." in twice.warnings


def test_beside_a_current_price_the_new_one_is_taken_and_said() -> None:
    assert deck("current_and_new").warnings == ["The price is taken from 'New Rate'; not used: Current Rate."]


def test_increments_of_one_number_of_none_and_of_two() -> None:
    read = deck("increments")
    assert [(row.first_s, row.step_s) for row in read.rows] == [(60, 1), (6, 6), (1, 1), (1, 1)]
    assert read.warnings == ["2 lines give no increment and are charged by the second, 1/1 (line 4 first)."]


def test_a_price_of_1200_beside_0_02_is_pointed_out() -> None:
    assert deck("outlier").warnings == ["1 lines cost over 100 times the middle price (lines 5): please check."]


@pytest.mark.parametrize("order", ["day_first", "month_first"])
def test_a_date_is_the_day_that_was_answered(order: str) -> None:
    first = deck("ambiguous_dates", answers={"date_order": order}).rows[0].effective_from
    assert first is not None
    assert (first.day, first.month) == ((3, 4) if order == "day_first" else (4, 3))


def test_every_rate_file_of_the_field_is_read_or_asks() -> None:
    """All files of the folder of real ones, where it is there; what each becomes stands in its own story."""
    outcomes: dict[str, str] = {}
    for path in sorted((FIELD_DATA / "rates").glob("*")) if FIELD_DATA.is_dir() else []:
        try:
            read = read_deck(path, now=NOW)
            outcomes[path.name] = "rows" if read.rows and not read.rejected else f"rejected {len(read.rejected)}"
        except DeckQuestions as asked:
            outcomes[path.name] = "asks " + ", ".join(question.key for question in asked.questions)
        except DeckRefused as refused:
            outcomes[path.name] = refused.code
    if outcomes:
        assert {name for name, what in outcomes.items() if what == "bad_rate_card"} == {
            "connexcs_open_rate_card.schema.json"
        }, "the schema itself is no card"
        assert not [name for name, what in outcomes.items() if what in ("no_header", "not_text", "empty")]
