"""Facts: written beside calls, folded later, and never counted twice or lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from rating.models import Fact
from rating.services import facts
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 10, 5, 9, tzinfo=UTC)
NUMBERS = dict.fromkeys(("attempts", "answered", "charged", "duration_s", "billed_s", "sale", "tax", "cost"), pl.Int64)


def frame(cast: Cast, *rows: dict[str, Any]) -> pl.DataFrame:
    """Facts of calls that Harbour sold to Alice; a row says what differs."""
    ordinary = {
        "hour": NINE,
        "seller": str(cast.harbour.pk),
        "buyer": str(cast.alice.pk),
        "carrier": str(cast.carrier("atlas").pk),
        "service_class": "international",
        "destination": "France",
        "currency": "EUR",
        "cost_currency": "USD",
        **dict.fromkeys(NUMBERS, 1),
    }
    schema = dict.fromkeys(ordinary, pl.Utf8) | {"hour": pl.Datetime("us", "UTC")} | NUMBERS
    return pl.DataFrame([ordinary | row for row in rows], schema=schema)


def test_rows_of_a_key_are_summed_and_what_comes_to_nothing_is_not_written(cast: Cast) -> None:
    back = dict.fromkeys(NUMBERS, -1)
    facts.write_facts(frame(cast, {"sale": 1_250_000}, {}, {"destination": "Fiji"}, {"destination": "Fiji", **back}))
    only = Fact.objects.get()
    assert (only.destination, only.charged, only.sale_micro) == ("France", 2, 1_250_001)


def test_folding_makes_one_row_of_a_key_and_keeps_the_rest_apart(cast: Cast) -> None:
    for _time in range(3):
        facts.write_facts(frame(cast, {}, {"carrier": None}, {"cost_currency": None}, {"destination": 'a "b", c\\N'}))
    assert facts.fold() == 12
    facts.write_facts(frame(cast, {}))
    assert facts.fold() == 1
    assert facts.fold() == 0
    found = sorted(Fact.objects.values_list("charged", flat=True))
    assert found == [3, 3, 3, 4]
    assert Fact.objects.filter(destination='a "b", c\\N', carrier=cast.carrier("atlas")).count() == 1
