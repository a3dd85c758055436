"""Facts: written beside calls, folded later, and never counted twice or lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from django.db.models import Sum

from rating.models import Fact, Grain
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
    of_hours = Fact.objects.filter(grain=Grain.HOUR)
    assert sorted(of_hours.values_list("charged", flat=True)) == [3, 3, 3, 4]
    assert of_hours.filter(destination='a "b", c\\N', carrier=cast.carrier("atlas")).count() == 1


def test_a_call_is_folded_once_into_each_grain(cast: Cast) -> None:
    rows = [{"hour": NINE + timedelta(hours=at), "destination": f"D{at % 2}"} for at in (0, 1, 2, 20)]
    facts.write_facts(frame(cast, *rows, {"buyer": str(cast.bob.pk)}))
    facts.fold()
    found = {grain: Fact.objects.filter(grain=grain).order_by("-charged") for grain in Grain}
    assert {grain: rows.aggregate(Sum("charged"))["charged__sum"] for grain, rows in found.items()} == {
        Grain.LOOSE: None,
        **dict.fromkeys((Grain.HOUR, Grain.DAY, Grain.CLOCK), 5),
    }
    assert {(one.hour.day, one.destination, one.charged) for one in found[Grain.DAY]} == {
        *((5, "D0", 2), (5, "D1", 1), (6, "D0", 1), (5, "France", 1))
    }
    first = found[Grain.CLOCK][0]
    assert (first.buyer_id, first.destination, first.hour, first.charged) == (cast.harbour.pk, "", NINE, 2)
