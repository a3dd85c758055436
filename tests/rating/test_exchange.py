"""Exchange rates: dated, read either way, or through a currency that both stand to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from rating.models import ExchangeRate
from rating.pricing.exchange import Exchange

pytestmark = pytest.mark.django_db
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def store(base: str, quote: str, rate: str, since: datetime = MAY) -> None:
    ExchangeRate.objects.create(base=base, quote=quote, rate=Decimal(rate), valid_from=since)


def test_a_rate_holds_from_its_moment_until_the_next() -> None:
    store("USD", "EUR", "0.9")
    store("USD", "EUR", "0.8", MAY + timedelta(days=10))
    rates = Exchange()
    assert rates.rate("USD", "EUR", MAY - timedelta(microseconds=1)) is None
    assert rates.rate("USD", "EUR", MAY) == Decimal("0.9")
    assert rates.rate("USD", "EUR", MAY + timedelta(days=10)) == Decimal("0.8")


def test_the_other_direction_and_the_way_through_a_third() -> None:
    store("USD", "EUR", "0.9")
    store("USD", "HKD", "7.8")
    rates = Exchange()
    assert rates.rate("EUR", "USD", MAY) == Decimal("1.11111111")
    assert rates.rate("EUR", "HKD", MAY) == Decimal("8.66666667")
    assert rates.rate("EUR", "EUR", MAY) == 1
    assert rates.rate("EUR", "JPY", MAY) is None
