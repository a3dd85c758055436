"""Codes, prices, increments and dates as they are typed: each read as one thing, rejected with its reason, or asked."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.decks import DeckQuestions
from rating.decks.codes import CodeReader
from rating.decks.prices import COMMA, POINT, PriceReader
from rating.decks.values import BadCell

from .decks_help import Reader, prices, reader

HEAD = "Prefix,Destination,Rate\n"


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return reader(tmp_path)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("+93", ["93"]), ("^93.*", ["93"]), ("336 07", ["33607"]), ("0044", ["0044"]), ('="0047"', ["0047"]),
        ('"44,45;46"', ["44", "45", "46"]), ("49172-49174", ["49172", "49173", "49174"]), ("44*", ["44"]),
    ],
)  # fmt: skip
def test_codes_as_people_write_them(read: Reader, cell: str, wanted: list[str]) -> None:
    assert [row.prefix for row in read(f"{HEAD}{cell},x,0.1\n").rows] == wanted


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("٤٤", "not a code"), ("\uff14\uff14", "not a code"), ("4x", "not a code"), ("=1+1", "not a code"),
        ("4.474E+11", "not a code"), ("1234567890123456", "longer than 15"), ("49152 49162", "one code or several"),
        ("447400000-447499999", "at most 10000"),
    ],
)  # fmt: skip
def test_what_is_no_code_is_rejected_with_line_text_and_reason(read: Reader, cell: str, reason: str) -> None:
    deck = read(f"{HEAD}44,good,0.1\n{cell},bad,0.1\n45,good,0.1\n")
    assert [row.prefix for row in deck.rows] == ["44", "45"]
    (rejected,) = deck.rejected
    assert (rejected.line, rejected.text) == (3, f"{cell},bad,0.1")
    assert reason in rejected.reason
    assert deck.read == 3


def test_one_bad_code_takes_its_whole_line_with_it(read: Reader) -> None:
    deck = read(f'{HEAD}"44,4x",x,0.1\n45,y,0.1\n')
    assert prices(deck) == {"45": "0.1"}


def test_mixed_hyphens_are_asked_and_what_the_answer_makes_impossible_is_rejected(read: Reader) -> None:
    text = "Code,Rate\n4912-4914,0.01\n52-334217,0.02\n"
    with pytest.raises(DeckQuestions) as caught:
        read(text)
    assert caught.value.questions[0].options == ("range", "join", "each")
    as_range = read(text, answers={"hyphen": "range"})
    assert (sorted(prices(as_range)), [line.line for line in as_range.rejected]) == (["4912", "4913", "4914"], [3])
    as_join = read(text, answers={"hyphen": "join"})
    assert (sorted(prices(as_join)), [line.line for line in as_join.rejected]) == (["52334217"], [2])
    assert sorted(prices(read(text, answers={"hyphen": "each"}))) == ["4912", "4913", "4914", "52334217"]


def test_a_hyphen_that_fits_both_follows_the_rest_of_the_file_or_is_asked(read: Reader) -> None:
    assert "9394" in prices(read("Code,Rate\n93-94,0.01\n52-334,0.02\n"))
    assert "94" in prices(read("Code,Rate\n93-94,0.01\n4912-4914,0.02\n"))
    with pytest.raises(DeckQuestions):
        read("Code,Rate\n93-94,0.01\n")


@given(st.integers(1000, 99_000_000), st.integers(0, 300))
def test_a_range_holds_each_code_between_its_ends(first: int, more: int) -> None:
    last = first + more
    if len(str(first)) != len(str(last)):
        return
    cell = f"{first}-{last}"
    assert CodeReader("range").read(cell) == [str(code) for code in range(first, last + 1)]


@pytest.mark.parametrize(
    "cell",
    [
        "NaN",
        "inf",
        "-0.1",
        "1e400",
        "$0.377-$0.604",
        "0.3 - 0.4",
        "٠.٥",
        "10%",
        "(0.1)",
        "0.01x",
        "",
        "99999999999",
        "=1+1",
    ],
)
def test_what_is_not_plainly_one_price_is_rejected(read: Reader, cell: str) -> None:
    deck = read(f"{HEAD}44,a,0.1\n45,b,{cell}\n")
    assert prices(deck) == {"44": "0.1"}
    assert deck.rejected[0].reason


def test_a_range_of_prices_is_called_one(read: Reader) -> None:
    assert "range of prices" in read(f"{HEAD}44,a,$0.377-$0.604\n").rejected[0].reason


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("$0.5", "0.5"),
        (".05", "0.05"),
        ("5E-05", "0.00005"),
        ('"1,234.5"', "1234.5"),
        ("0.05 USD", "0.05"),
        ("1 234.5", "1234.5"),
    ],
)
def test_prices_as_people_write_them(read: Reader, cell: str, wanted: str) -> None:
    assert prices(read(f"{HEAD}44,a,{cell}\n")) == {"44": wanted}


def test_a_decimal_comma_shows_in_the_column_and_a_thousand_stays_a_thousand(read: Reader) -> None:
    deck = read("Prefix;Destination;Rate\n44;a;0,0120\n45;b;1.234,5\n46;c;1.234\n47;d;2\n")
    assert prices(deck) == {"44": "0.012", "45": "1234.5", "46": "1234", "47": "2"}
    deck = read('Prefix,Rate\n44,0.012\n45,"1,234"\n')
    assert prices(deck) == {"44": "0.012", "45": "1234"}


def test_a_comma_that_may_be_either_is_asked(read: Reader) -> None:
    text = "Prefix;Rate\n44;1,234\n"
    with pytest.raises(DeckQuestions) as caught:
        read(text)
    assert caught.value.questions[0].key == "decimal_mark"
    assert prices(read(text, answers={"decimal_mark": "comma"})) == {"44": "1.234"}
    assert prices(read(text, answers={"decimal_mark": "point"})) == {"44": "1234"}


def test_an_unquoted_decimal_comma_is_not_read_as_zero(read: Reader) -> None:
    deck = read(f"{HEAD}34,Spain,0,01\n44,UK,0.01\n")
    assert prices(deck) == {"44": "0.01"}
    assert "more cells than the header" in deck.rejected[0].reason


@given(st.decimals(min_value=0, max_value=999_999, places=8))
def test_a_price_written_in_either_style_is_the_same_exact_number(value: Decimal) -> None:
    text = f"{value:,.8f}"
    assert PriceReader(POINT).read(text) == value
    swapped = text.translate(str.maketrans(",.", ".,"))
    assert PriceReader(COMMA).read(swapped) == value


def test_cents_are_divided_exactly_and_said_or_asked(read: Reader) -> None:
    deck = read("Prefix,Rate (cents)\n44,1.55\n")
    assert prices(deck) == {"44": "0.0155"}
    assert "divided by 100" in deck.warnings[0]
    with pytest.raises(DeckQuestions) as caught:
        read("All prices in cents\nPrefix,Rate\n44,1.55\n")
    assert caught.value.questions[0].key == "price_unit"
    whole = "Prefix,Rate\n" + "".join(f"{code},{code * 30}\n" for code in range(40, 50))
    with pytest.raises(DeckQuestions):
        read(whole)
    assert prices(read(whole, answers={"price_unit": "cent_100"}))["40"] == "0.12"


def test_increments_in_one_column(read: Reader) -> None:
    text = "Prefix,Rate,Billing\n44,0.1,60/1\n45,0.1,30\n46,0.1,0\n47,0.1,\n48,0.1,1-Jan\n49,0.1,60/0\n"
    deck = read(text)
    assert [(row.prefix, row.first_s, row.step_s) for row in deck.rows] == [
        ("44", 60, 1), ("45", 30, 30), ("46", 1, 1), ("47", 1, 1),
    ]  # fmt: skip
    assert "2 lines give no increment" in deck.warnings[0]
    assert [line.line for line in deck.rejected] == [6, 7]


def test_increments_and_prices_in_two_columns_must_agree(read: Reader) -> None:
    text = "Prefix,Price 1,Price N,Interval 1,Interval N\n44,1,1,60,1\n45,1,1,30/6,30/6\n46,1,1,30/6,1\n47,1,2,1,1\n"
    deck = read(text)
    assert [(row.prefix, row.first_s, row.step_s) for row in deck.rows] == [("44", 60, 1), ("45", 30, 6)]
    assert [line.line for line in deck.rejected] == [4, 5]


@pytest.mark.parametrize(
    "cell",
    [
        "2027-09-21",
        "21/09/2027",
        "21.09.2027",
        "21-Sep-27",
        "Sep 21 2027",
        "20270921",
        "21 September 2027",
        "2027-09-21 00:00:00",
    ],
)
def test_dates_as_people_write_them(read: Reader, cell: str) -> None:
    deck = read(f"Prefix,Rate,Effective Date\n44,0.1,{cell}\n")
    assert deck.rows[0].effective_from == datetime(2027, 9, 21, tzinfo=UTC)


def test_one_date_decides_the_order_for_its_whole_column(read: Reader) -> None:
    deck = read("Prefix,Rate,Effective Date\n44,0.1,03/04/2028\n45,0.1,12/31/2027 12:00:00 AM\n46,0.1,ASAP\n47,0.1,\n")
    assert [row.effective_from for row in deck.rows] == [
        datetime(2028, 3, 4, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC), None, None,
    ]  # fmt: skip


def test_dates_that_contradict_each_other_are_asked_and_the_impossible_ones_rejected(read: Reader) -> None:
    text = "Prefix,Rate,Effective Date\n44,0.1,31/12/2027\n45,0.1,12/31/2027\n46,0.1,never\n"
    with pytest.raises(DeckQuestions):
        read(text)
    deck = read(text, answers={"date_order": "day_first"})
    assert (sorted(prices(deck)), [line.line for line in deck.rejected]) == (["44"], [3, 4])


@given(st.text(max_size=40))
def test_no_text_at_all_crashes_a_reader(text: str) -> None:
    for attempt in (CodeReader("each").read, PriceReader(POINT).read, PriceReader(None).read):
        with suppress(BadCell):
            attempt(text)
