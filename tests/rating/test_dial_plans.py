"""Whose dial plan reads a number, how it is told, and what the forms make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.models import PriceTerms, Source
from rating.numbers import DialPlan, Number
from rating.numbers.trace import emergency_numbers, read_aloud
from rating.services.dial_plans import dial_plan_of, plan_of_source, set_brand_plan, set_source_plan
from rating.services.sources import create_source
from tests.cast import ACTOR
from tiers.errors import Invalid
from tiers.models import Brand

if TYPE_CHECKING:
    from tests.cast import Cast

HAMBURG = DialPlan(home_country="DE", area_code="40", access_codes=("0",), on_net=(("494055510", "494055519"),))
PLANS = [HAMBURG, DialPlan(home_country="US", plain_e164=True), DialPlan(home_country="RU", access_codes=("8~10",))]


@pytest.mark.parametrize(
    ("plan", "raw", "rules", "details"),
    [
        (HAMBURG, "110", ["emergency"], ["110"]),
        (HAMBURG, "203", ["extension"], ["203"]),
        (HAMBURG, "494055512", ["range"], ["494055512"]),
        (HAMBURG, "00085223456789", ["access_code", "abroad", "country_code"], ["0", "00", "852"]),
        (DialPlan(home_country="DE", area_code="40"), "030123456", ["national"], ["-0"]),
        (DialPlan(home_country="DE", area_code="40"), "32123456", ["national"], ["+40"]),
        (PLANS[2], "81049301234567", ["abroad", "country_code"], ["810", "49"]),
        (DialPlan(home_country="DE"), "+4930123456", ["country_code"], ["49"]),
    ],
    ids=["emergency", "extension", "range", "out-and-abroad", "trunk", "area", "dial-tone", "plus"],
)
def test_how_a_number_is_read_is_told(plan: DialPlan, raw: str, rules: list[str], details: list[str]) -> None:
    reading = read_aloud(plan, raw)
    assert [step.rule for step in reading.steps] == rules
    assert [step.detail for step in reading.steps] == details


@given(st.sampled_from(PLANS), st.text("0123456789+*# -x", max_size=16))
def test_telling_changes_nothing(plan: DialPlan, raw: str) -> None:
    reading = read_aloud(plan, raw)
    assert reading.number == plan.normalise(raw)
    assert isinstance(reading.number, Number) or not reading.steps


@pytest.mark.parametrize(
    ("region", "numbers"),
    [("DE", {"110", "112"}), ("GB", {"999", "112"}), ("US", {"911", "112"}), ("HK", {"999", "112", "992"}),
     ("FR", {"15", "17", "18", "112"}), ("CN", {"110", "119", "120", "112"}), ("JP", {"110", "119", "112"}),
     ("AU", {"000", "106", "112"}), ("BR", {"190", "192", "193"}), ("IN", {"100", "101", "102", "112"}),
     ("ZA", {"10111", "10177", "112"}), ("MX", {"911"}), ("CH", {"117", "118", "144", "112"})],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_emergency_numbers_of_a_country(region: str, numbers: set[str]) -> None:
    assert numbers <= set(emergency_numbers(region))
    plan = DialPlan(home_country=region)
    for number in numbers:
        found = plan.normalise(number)
        assert isinstance(found, Number)
        assert found.service_class == "emergency"


@pytest.mark.django_db
def test_a_brands_plan_reads_its_customers_numbers_and_those_of_sources_without_one(cast: Cast) -> None:
    brand = Brand.objects.get(code="harbour")
    before = dial_plan_of(cast.alice)
    assert before.home_country == "DE", "the nearest source's, while the brand has none"
    set_brand_plan(brand, {"home_country": "NL", "area_code": "10"}, actor=ACTOR)
    assert dial_plan_of(cast.alice).area_code == "10"
    bare = create_source(cast.harbour, "bare", "Bare", actor=ACTOR)
    assert plan_of_source(bare).home_country == "NL"
    set_source_plan(bare, {"home_country": "FR"}, actor=ACTOR)
    assert plan_of_source(Source.objects.get(code="bare")).home_country == "FR"
    create_source(cast.harbour, "alices-pbx", "Alice's PBX", actor=ACTOR, customer=cast.alice,
                  dial_plan={"home_country": "AT"})  # fmt: skip
    assert dial_plan_of(cast.alice).home_country == "AT", "the switch in her own house goes first"
    set_brand_plan(brand, {}, actor=ACTOR)
    assert PriceTerms.objects.get(brand=brand).dial_plan == {}


@pytest.mark.django_db
@pytest.mark.parametrize("plan", [{"home_country": "ZZ"}, {"colour": "red"}, {"on_net": [["5", "44"]]}])
def test_a_plan_that_reads_nothing_is_refused(cast: Cast, plan: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        set_brand_plan(Brand.objects.get(code="harbour"), plan, actor=ACTOR)
