"""Files that are no decks are refused clearly; of those that are, one bad line never costs another."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rating.decks import DeckQuestions, DeckRefused, read_deck
from rating.decks import source as deck_source

from .decks_help import NOW, Reader, prices, reader

HEAD = "Prefix,Destination,Rate\n"


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return reader(tmp_path)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"), (b"  \r\n\n", "empty"), (b"\xef\xbb\xbf", "empty"),
        (b"%PDF-1.7\n%\xe2\xe3", "not_text"), (b"PK\x03\x04\x14\x00", "not_text"), (b"\x1f\x8b\x08", "not_text"),
        (b"Prefix,Rate\n44,0.1\n45,\x00\n", "not_text"), (random.Random(5).randbytes(4000), "not_text"),
        (b"<!DOCTYPE html><html></html>", "not_text"), (b"44,UK,0.01\n45,DK,0.02\n", "no_header"),
        (b"Dear partner,\nplease find our rates attached.\n", "no_header"),
    ],
)  # fmt: skip
def test_what_is_no_deck_is_refused(read: Reader, content: bytes, code: str) -> None:
    with pytest.raises(DeckRefused) as caught:
        read(content)
    assert (caught.value.code, bool(caught.value.message)) == (code, True)


def test_a_file_beyond_the_bound_is_refused_unread(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deck_source, "MAX_BYTES", 20)
    with pytest.raises(DeckRefused) as caught:
        read(f"{HEAD}44,UK,0.01\n")
    assert caught.value.code == "too_large"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeckRefused) as caught:
        read_deck(tmp_path / "nothing.csv", now=NOW)
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(read: Reader, encoding: str, ending: str) -> None:
    deck = read(f"{HEAD}599,Curaçao,0.01\n45,Denmark,0.02\n".replace("\n", ending).encode(encoding))
    assert prices(deck) == {"599": "0.01", "45": "0.02"}
    assert deck.rows[0].destination == "Curaçao"
    assert any("Windows-1252" in warning for warning in deck.warnings) == (encoding == "latin-1")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiters(read: Reader, mark: str) -> None:
    assert prices(read(f"{HEAD}44,UK,0.01\n".replace(",", mark))) == {"44": "0.01"}


def test_an_unclosed_quote_costs_only_its_own_line(read: Reader) -> None:
    deck = read(f'{HEAD}44,"open,0.1\n45,b,0.1\n46,"q, r",0.2\n47,5" pipe,0.3\n48,"two\nlines",0.4\n49,e,0.5\n')
    assert prices(deck) == {"45": "0.1", "46": "0.2", "47": "0.3", "48": "0.4", "49": "0.5"}
    assert [(line.line, line.text) for line in deck.rejected] == [(2, '44,"open,0.1')]
    assert [row.line for row in deck.rows] == [3, 4, 5, 6, 8]


def test_whole_lines_in_quotes(read: Reader) -> None:
    deck = read('"Prefix,Destination,Rate"\n"44,UK,0.01"\n"45,""Faroes, mobile"",0.02"\n')
    assert [(row.prefix, row.destination) for row in deck.rows] == [("44", "UK"), ("45", "Faroes, mobile")]


def test_footers_headings_and_repeated_headers_are_not_data(read: Reader) -> None:
    deck = read(f"{HEAD}44,UK,0.1\n,,\n,Africa,\n{HEAD}254,Kenya,0.2\nAll rates exclude taxes.\n\n")
    assert (deck.read, deck.rejected) == (2, [])
    assert "taken for notes (line 7 first)" in deck.warnings[0]


def test_a_line_with_a_code_but_no_price_is_rejected_not_taken_for_a_footer(read: Reader) -> None:
    deck = read(f"{HEAD}44,UK,0.1\n45,,\n")
    assert (deck.read, deck.rejected[0].line, deck.rejected[0].reason) == (2, 3, "no price")


def test_the_same_code_twice(read: Reader) -> None:
    deck = read(f'{HEAD}44,UK,0.1\n44,UK,0.1\n"43,44",UK,0.2\n45,DK,0.3\n')
    assert prices(deck) == {"44": "0.1", "45": "0.3"}
    assert "line 2" in deck.rejected[0].reason
    assert "1 codes stand twice" in deck.warnings[0]


def test_of_two_prices_that_have_begun_the_later_holds(read: Reader) -> None:
    deck = read("Prefix,Rate,Effective\n44,0.1,2027-01-01\n44,0.2,2027-02-01\n44,0.3,2027-12-01\n")
    assert [(f"{row.price:.1f}", row.effective_from is None) for row in deck.rows] == [("0.2", True), ("0.3", False)]


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("Code,Rate Peak,Rate Off-peak", ("Rate Peak", "Rate Off-peak")),
        ("Code,Buy Rate,Sell Rate", ("Buy Rate", "Sell Rate")),
        ("Code,Rate,Rate", ("Rate #2", "Rate #3")),
        ("Code,Rate,New Rate", ("Rate", "New Rate")),
    ],
)
def test_several_prices_are_asked(read: Reader, header: str, options: tuple[str, ...]) -> None:
    with pytest.raises(DeckQuestions) as caught:
        read(f"{header}\n44,0.01,0.02\n")
    (question,) = caught.value.questions
    assert (question.key, question.options) == ("price_column", options)
    deck = read(f"{header}\n44,0.01,0.02\n", answers={"price_column": options[1]})
    assert prices(deck) == {"44": "0.02"}


def test_all_questions_are_asked_at_once(read: Reader) -> None:
    with pytest.raises(DeckQuestions) as caught:
        read("Code,Buy Rate,Sell Rate,Date\n4912-4914,1,2,03/04/2028\n52-3342,1,2,\n")
    assert [question.key for question in caught.value.questions] == ["price_column", "hyphen", "date_order"]


@pytest.mark.parametrize("answers", [{"colour": "red"}, {"hyphen": "maybe"}])
def test_an_answer_to_nothing_is_refused(read: Reader, answers: dict[str, str]) -> None:
    with pytest.raises(DeckRefused) as caught:
        read(f"{HEAD}44,UK,0.1\n", answers=answers)
    assert caught.value.code == "bad_answer"


def test_closed_barred_and_unclear_flags(read: Reader) -> None:
    deck = read("Prefix,Rate,Forbidden,Discontinued\n44,,1,\n45,0.1,0,1\n46,,,1\n47,0.1,maybe,\n48,Closed,,\n")
    assert [(row.prefix, row.blocked, row.closed) for row in deck.rows] == [
        ("44", True, False), ("45", False, True), ("46", False, True), ("48", False, True),
    ]  # fmt: skip
    assert "neither yes nor no" in deck.rejected[0].reason


def test_another_currency_is_not_taken(read: Reader) -> None:
    text = "Prefix,Rate,Currency\n44,0.1,USD\n45,0.1,EUR\n"
    deck = read(text, currency="USD")
    assert (prices(deck), deck.rejected[0].reason) == ({"44": "0.1"}, "the price is in EUR, not in USD")
    with pytest.raises(DeckRefused) as caught:
        read("Prefix,Rate EUR\n44,0.1\n", currency="USD")
    assert caught.value.code == "currency_mismatch"


def test_codes_beside_a_country_code(read: Reader) -> None:
    deck = read('Country Code,Area Code,Rate\n34,"6, 7",0.1\n34,,0.2\n49,15-17,0.3\n')
    assert list(prices(deck)) == ["346", "347", "34", "4915", "4916", "4917"]
    with pytest.raises(DeckQuestions) as caught:
        read("Country Code,Area Code,Rate\n34,346,0.1\n49,4915,0.3\n")
    assert caught.value.questions[0].key == "codes"
    deck = read("Country Code,Prefix,Rate\n34,346,0.1\n")
    assert list(prices(deck)) == ["346"]


def test_fees_and_free_time_are_read(read: Reader) -> None:
    deck = read("Prefix,Rate,Connect Fee,Min Charge,Grace,Free seconds\n44,0.1,0.02,0.05,3,10\n45,0.1,,,,\n46,1,x,,,\n")
    fees = [(str(row.connect_fee.normalize()), str(row.min_charge.normalize())) for row in deck.rows]
    assert fees == [("0.02", "0.05"), ("0", "0")]
    assert [(row.grace_s, row.free_s) for row in deck.rows] == [(3, 10), (0, 0)]
    assert deck.rejected[0].line == 4


def test_a_price_far_above_the_others_is_pointed_out(read: Reader) -> None:
    deck = read(HEAD + "".join(f"{code},x,0.0{code}\n" for code in range(40, 60)) + "99,y,500\n")
    assert "lines 22" in deck.warnings[0]


def test_columns_can_be_named_where_names_are_strange_or_missing(read: Reader) -> None:
    assert prices(read("Zona,Tarifazo\n44,0.1\n", mapping={"code": "Zona", "price": "Tarifazo"})) == {"44": "0.1"}
    assert prices(read("44,UK,0.01\n", mapping={"code": "#1", "name": "#2", "price": "#3"})) == {"44": "0.01"}
