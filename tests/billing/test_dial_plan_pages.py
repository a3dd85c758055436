"""Northstar and Harbour set up how numbers are read, and try some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing.portals.forms.dial_plans import DialPlanForm
from rating.models import PriceTerms, Source

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
FULL = {
    "home_country": "DE",
    "area_code": "40",
    "access_codes": "0, 9",
    "on_net": "494055510-494055519\n200 - 299\n7",
    "emergency": "115",
    "international_prefixes": "00 010",
    "trunk_prefix": "-",
    "extension_lengths": "3",
    "plain_e164": "on",
}


def test_a_plan_goes_through_its_form_unchanged() -> None:
    form = DialPlanForm({**FULL, "on_net": "494055510-494055519\n200-299"})
    assert form.is_valid(), form.errors
    plan = form.plan()
    assert plan["trunk_prefix"] == ""
    assert plan["on_net"] == [["494055510", "494055519"], ["200", "299"]]
    again = DialPlanForm(DialPlanForm.initial_of(plan))
    assert again.is_valid()
    assert again.plan() == plan
    empty = DialPlanForm({"home_country": "FR"})
    assert empty.is_valid()
    assert empty.plan() == {"home_country": "FR"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("on_net", "5-44"), ("access_codes", "nine"), ("extension_lengths", "x"), ("home_country", "ZZ")],
)
def test_what_cannot_be_dialled_is_refused_in_words(field: str, value: str) -> None:
    assert not DialPlanForm({"home_country": "DE", field: value}).is_valid()


def test_northstar_gives_its_switch_a_plan_and_harbour_its_brand(cast: Cast) -> None:
    operator, dealer = cast.client("northstar"), cast.client("harbour")
    page = operator.get("/operator/usage/sources/switch/dial/").content.decode()
    assert "911" in page
    answer = operator.post("/operator/usage/sources/switch/dial/", {"home_country": "US", "access_codes": "9"})
    assert answer.status_code == 302
    assert Source.objects.get(code="switch").dial_plan == {"home_country": "US", "access_codes": ["9"]}
    refused = dealer.post("/dealer/brand/harbour/dial/", {"home_country": "NL", "on_net": "5-44"})
    assert refused.status_code == 422
    assert "must run upwards" in refused.content.decode()
    assert dealer.post("/dealer/brand/harbour/dial/", {"home_country": "NL", "area_code": "10"}).status_code == 302
    assert PriceTerms.objects.get(brand__code="harbour").dial_plan == {"home_country": "NL", "area_code": "10"}
    assert dealer.get("/dealer/brand/northstar/dial/").status_code == 404
    assert cast.client("outsider").post("/dealer/brand/harbour/dial/", {"home_country": "NL"}).status_code == 404


def test_numbers_are_read_aloud_and_priced_for_a_customer(cast: Cast) -> None:
    operator, dealer = cast.client("northstar"), cast.client("harbour")
    asked = {"plan": "source:switch", "customer": "alice", "numbers": "+85223456789\n911\nnobody"}
    page = operator.get("/operator/usage/numbers/", asked).content.decode()
    for words in ("Hong Kong", "emergency, always free", "other signs than digits", "the country code is 852"):
        assert words in page
    page = dealer.get("/dealer/prices/numbers/", {"plan": "brand:harbour", "numbers": "112"}).content.decode()
    assert "is an emergency number here" in page
    assert "switch" not in page, "the operator's switch is not the dealer's"
    many = {"plan": "source:switch", "numbers": "\n".join("1" * 60 for _line in range(51))}
    assert "At most 50 numbers" in operator.get("/operator/usage/numbers/", many).content.decode()
