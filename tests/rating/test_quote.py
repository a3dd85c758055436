"""`./manage quote`: what a call would cost at every tier, and every number that the price was made of."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from rating.models import RatedCall
from rating.services.imports import import_file
from tests.cast import ACTOR
from tests.rating.calls_help import START, Call, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def quote(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("quote", "--json", *arguments, stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def asked(customer: str, **more: str) -> list[str]:
    given = {"customer": customer, "to": "+447700900123", "seconds": "90", "at": START.isoformat(), **more}
    return [f"--{name}={value}" for name, value in given.items()]


@pytest.mark.parametrize(
    ("customer", "chain", "carrier", "cost"),
    [
        ("alice", [("harbour", "EUR"), ("northstar", "EUR")], "atlas", "0.045"),
        ("carol", [("summit", "HKD"), ("northstar", "HKD")], "boreal", "0.0563"),
        ("dave", [("meadow", "GBP"), ("northstar", "USD")], "atlas", "0.045"),
        ("bob", [("pier", "EUR"), ("harbour", "EUR"), ("northstar", "EUR")], "atlas", "0.045"),
    ],
)
def test_a_call_has_its_price_at_each_tier_and_its_cost(
    cast: Cast, customer: str, chain: list[Any], carrier: str, cost: str
) -> None:
    """Wholesale and distribution alike: each seller in its currency, and 1.5 minutes by the customer's carrier."""
    found = quote(*asked(customer))
    assert [(tier["seller"], tier["currency"]) for tier in found["tiers"]] == chain
    assert found["tiers"][0]["buyer"] == customer
    paid = found["carrier_cost"]
    assert (paid["carrier"], paid["currency"], Decimal(paid["amount"])) == (carrier, "USD", Decimal(cost))
    assert (paid["prefix"], paid["billed_s"]) == ("447", 90)


def test_each_explanation_leads_from_the_base_to_the_amount(cast: Cast) -> None:
    """From the figures that it shows, the amount can be worked out again by hand."""
    tier = quote(*asked("alice"))["tiers"][0]
    told = {line["rule"]: line for line in tier["explanation"]}
    derivation = told["derivation"]["text"]
    for part in ("mark-up", "exchange rate", "add-on"):
        assert part in derivation
    pieces = [line for line in tier["explanation"] if line["rule"] == "piece"]
    assert sum(Decimal(line["value"]) for line in pieces) == Decimal(told["sum"]["value"])
    places = Decimal(1).scaleb(-4)
    assert Decimal(tier["amount"]) == Decimal(told["sum"]["value"]).quantize(places, "ROUND_HALF_UP")
    assert "half up" in told["rounding"]["text"]


@pytest.mark.parametrize("customer", ["alice", "bob", "carol", "dave"])
def test_a_quote_is_what_the_call_then_costs(cast: Cast, customer: str, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    import_file(write(tmp_path / "c.csv", [Call("c1", customer)]), cast.source(), actor=ACTOR)
    answered = RatedCall.objects.values_list("answered_at", flat=True)[0]
    quoted = quote(*asked(customer, at=answered.isoformat()))
    for tier in quoted["tiers"]:
        call = RatedCall.objects.get(buyer__code=tier["buyer"])
        assert Decimal(tier["amount"]) in (call.sale, call.sale + call.tax)
        assert (tier["billed_s"], tier["prefix"], tier["destination"]) == (call.billed_s, call.prefix, call.destination)


def test_another_carrier_another_price(cast: Cast) -> None:
    atlas, boreal = quote(*asked("alice")), quote(*asked("alice", carrier="boreal"))
    assert atlas["tiers"][0]["amount"] != boreal["tiers"][0]["amount"]
    assert boreal["carrier_cost"]["carrier"] == "boreal"


def test_a_call_without_a_price_names_the_tier(cast: Cast) -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("quote", "--json", *asked("alice", to="+37120000000"), stdout=out, stderr=io.StringIO())
    error = json.loads(out.getvalue())["error"]
    assert (stopped.value.code, error["code"], error["where"]) == (1, "unrated", "harbour")


@pytest.mark.parametrize(
    "wrong",
    [{"customer": "nobody"}, {"to": "call me"}, {"seconds": "-1"}, {"carrier": "nobody"}, {"seconds": "9999999"}],
)
def test_what_cannot_be_asked_is_refused_in_words(cast: Cast, wrong: dict[str, str]) -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("quote", "--json", *asked(**{"customer": "alice", **wrong}), stdout=out, stderr=io.StringIO())
    error = json.loads(out.getvalue())["error"]
    assert stopped.value.code == 1
    assert error["message"]
    assert error["where"]
