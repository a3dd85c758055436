"""The demo's A-Z deck: large, real in its prefixes, the same each time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from billing.demo.deck import DeckRow, az_deck, write_csv

DAY = date(2026, 10, 1)


@pytest.fixture(scope="module")
def atlas() -> list[DeckRow]:
    return list(az_deck("atlas", 7, DAY))


def test_over_twenty_thousand_prefixes_each_once(atlas: list[DeckRow]) -> None:
    prefixes = [row.prefix for row in atlas]
    assert len(prefixes) == len(set(prefixes)) > 20_000
    assert all(prefix.isascii() and prefix.isdigit() and len(prefix) <= 9 for prefix in prefixes)
    assert all(Decimal("0.001") <= row.rate < 10 and row.effective <= DAY for row in atlas)
    assert {row.billing for row in atlas} <= {"1/1", "6/6", "30/6", "60/1", "60/60"}
    names = {row.prefix: row.destination for row in atlas}
    assert (names["49"], names["4930"], names["1876"]) == ("Germany - Fixed", "Germany - Berlin", "Jamaica - Fixed")
    assert "Mobile - " in names["37369"]


def test_one_destination_has_one_price(atlas: list[DeckRow]) -> None:
    prices: dict[str, set[tuple[Decimal, str]]] = {}
    for row in atlas:
        prices.setdefault(row.destination, set()).add((row.rate, row.billing))
    assert {name for name, found in prices.items() if len(found) > 1} == set()


def test_the_same_again_and_the_premium_carrier_is_dearer(atlas: list[DeckRow], tmp_path: Path) -> None:
    assert list(az_deck("atlas", 7, DAY)) == atlas
    dearer = {row.prefix: row.rate for row in az_deck("boreal", 7, DAY)}
    assert all(dearer[row.prefix] > row.rate for row in atlas)
    assert write_csv(tmp_path / "deck.csv", atlas) == len(atlas)
    first, second, *_rest = (tmp_path / "deck.csv").read_text(encoding="utf-8").splitlines()
    assert first == "Destination,Prefix,Rate/Min,Effective,Billing"
    assert second.startswith(f"{atlas[0].destination},{atlas[0].prefix},{atlas[0].rate},")
