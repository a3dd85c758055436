"""Atlas publishes its rates as an open rate card in JSON; what its schema forbids is refused, not guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rating.decks import Deck, DeckQuestions, DeckRefused, read_deck

from .decks_help import FIELD_DATA, NOW, prices

FIELDS = ["prefix", "name", "rate", "connection_fee", "initial_interval", "billing_interval", "effective_date", "mcc"]
Write = Callable[..., Path]


def card(**more: Any) -> dict[str, Any]:
    rates = [
        ["441", "UK Landline", 0.1, 0.02, 60, 6, "2027-07-08", None],
        ["447", "UK Mobile", 0.028, None, None, None, None, "234"],
    ]
    fields = [{"name": name} for name in FIELDS]
    own = {"name": "Gold", "type": "termination", "currency": "USD", "endpoint": "default"}
    return own | {"fields": fields, "rates": rates} | more


def document(*, cards: Any = None, **more: Any) -> dict[str, Any]:
    head = {"name": "Atlas", "version": "1.0", "schema_version": "1.0.0", "date": "2027-06-01"}
    return head | {"cards": {"gold": card()} if cards is None else cards} | more


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Deck]:
    def reading(content: Any, **given: Any) -> Deck:
        path = tmp_path / "rates.csv"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_deck(path, now=NOW, **given)

    return reading


def test_a_card_reads_with_its_defaults(read: Callable[..., Deck]) -> None:
    rate = {"default_initial": 30, "default_pulse": 6, "connection": 0.01, "precision": 4, "rounding": "up"}
    deck = read(document(cards={"gold": card(rate=rate, tech_prefix="555")}), currency="USD")
    one, two = deck.rows
    assert (one.line, one.prefix, one.destination, one.price) == (1, "441", "UK Landline", Decimal("0.1"))
    assert (one.connect_fee, one.first_s, one.step_s) == (Decimal("0.02"), 60, 6)
    assert one.effective_from == datetime(2027, 7, 8, tzinfo=UTC)
    assert (two.price, two.connect_fee, two.first_s, two.step_s) == (Decimal("0.028"), Decimal("0.01"), 30, 6)
    assert (deck.read, deck.rejected, deck.currency) == (2, [], "USD")
    said = "\n".join(deck.warnings)
    assert all(word in said for word in ("Gold", "mcc", "555", "rounding up"))


def test_prices_are_the_digits_of_the_file(read: Callable[..., Deck]) -> None:
    text = json.dumps(document()).replace("0.028", "0.12345678").replace("0.1,", "1e-2,")
    assert prices(read(text)) == {"441": "0.01", "447": "0.12345678"}


def test_dates_begin_in_the_zone_of_the_card(read: Callable[..., Deck]) -> None:
    more = {"timezone": "Asia/Hong_Kong", "effective_date": "2027-09-01T00:00:00Z"}
    one, two = read(document(**more), time_zone="America/New_York").rows
    assert one.effective_from == datetime(2027, 7, 7, 16, tzinfo=UTC)
    assert two.effective_from == datetime(2027, 9, 1, tzinfo=UTC)


def test_of_several_cards_a_person_chooses(read: Callable[..., Deck]) -> None:
    cards = {"gold": card(), "silver": card(name="Silver"), "sms": card(type="messaging"), "empty": card(rates=[])}
    with pytest.raises(DeckQuestions) as caught:
        read(document(cards=cards))
    (question,) = caught.value.questions
    assert (question.key, question.options) == ("card", ("gold", "silver"))
    assert "Silver" in read(document(cards=cards), answers={"card": "silver"}).warnings[0]


def test_a_wrong_entry_costs_only_itself(read: Callable[..., Deck]) -> None:
    fields = [{"name": "prefix"}, {"name": "rate"}, {"name": "effective_date"}]
    rates = [[44, 0.1, None], ["45", 0.2], ["46", [0.3], None], ["47", 0.4, "03/04/2028"], ["48", None, None], "49"]
    deck = read(document(cards={"gold": card(fields=fields, rates=rates)}))
    assert prices(deck) == {"44": "0.1"}
    assert [line.line for line in deck.rejected] == [2, 3, 4, 5, 6]


def test_two_rates_in_one_entry_are_asked_about(read: Callable[..., Deck]) -> None:
    fields = [{"name": "prefix"}, {"name": "rate"}, {"name": "interstate_rate"}]
    with pytest.raises(DeckQuestions) as caught:
        read(document(cards={"gold": card(fields=fields, rates=[["1", 0.1, 0.2]])}))
    assert [question.key for question in caught.value.questions] == ["price_column"]


def test_another_currency_is_refused(read: Callable[..., Deck]) -> None:
    with pytest.raises(DeckRefused) as caught:
        read(document(), currency="EUR")
    assert caught.value.code == "currency_mismatch"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"name": "x"}, "version"),
        (document(schema_version="2.0.0"), "schema_version"),
        (document(date="1 June"), "date"),
        (document(cards={}), "cards"),
        (document(cards={"gold": {"name": "Gold"}}), "currency"),
        (document(cards={"gold": card(type="gift")}), "cards.gold.type"),
        (document(cards={"gold": card(currency="usd")}), "currency"),
        (document(cards={"gold": card(rate={"default_pulse": 0})}), "default_pulse"),
        (document(cards={"gold": card(rate={"connection": "free"})}), "connection"),
        (document(cards={"gold": card(fields=[{"name": "prefix"}])}), "fields"),
        (document(cards={"gold": card(traffic_type="sms")}), "minutes"),
        (document(timezone="Mars/Olympus"), "Mars"),
        (document(effective_date="2027-06-01"), "effective_date"),
        ([document()], "object"),
    ],
)  # fmt: skip
def test_what_breaks_the_schema_is_refused_with_its_place(read: Callable[..., Deck], content: Any, word: str) -> None:
    with pytest.raises(DeckRefused) as caught:
        read(content)
    assert caught.value.code == "bad_rate_card"
    assert word in caught.value.message


@pytest.mark.parametrize("content", ['{"name": ', '{"a": 1, "a": 2}', '{"a": NaN}', '{"a":' * 100_000])
def test_broken_json_is_refused(read: Callable[..., Deck], content: str) -> None:
    with pytest.raises(DeckRefused) as caught:
        read(content)
    assert caught.value.code == "not_text"


@pytest.mark.skipif(not FIELD_DATA.is_dir(), reason="decks from the field are not here")
def test_the_example_of_the_standard(tmp_path: Path) -> None:
    deck = read_deck(FIELD_DATA / "rates" / "connexcs_open_rate_card_example.json", now=NOW, currency="USD")
    assert prices(deck) == {"441": "0.012", "442": "0.025", "447": "0.028"}
    assert (deck.read, deck.rejected) == (3, [])
    assert any("2024-12-31" in warning for warning in deck.warnings)
