"""Rules of a list in the story: other mark-ups for mobiles, a group of countries and one city, each from its date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from rating.models import ListRule
from rating.numbers import Number, ServiceClass
from rating.pricing import CallFacts, Engine, PricedCall
from rating.services.list_rules import Target, create_group, end_list_rule, rename_group, set_group, set_list_rule
from rating.services.lists import set_own_rate
from tests.cast import ACTOR
from tiers.errors import Conflict, Invalid

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
D = Decimal
JAN = datetime(2026, 1, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 5, 9, 30, tzinfo=UTC)
MOBILE_UK, LONDON, PARIS = "447700900123", "442071838750", "33142685300"


def sold(
    cast: Cast, number: str, at: datetime = OCTOBER, kind: ServiceClass = ServiceClass.INTERNATIONAL
) -> tuple[Decimal, dict[str, str]]:
    """What Alice pays Harbour a minute, and how that came about."""
    facts = CallFacts(cast.alice.pk, Number(number, kind), kind is ServiceClass.INTERNATIONAL, at, 60)
    priced = Engine().price(facts)
    assert isinstance(priced, PricedCall)
    found = priced.tiers[0].found
    return found.row.price, dict(found.origin)


def test_the_longest_prefix_goes_before_the_group_and_the_group_before_the_class(cast: Cast) -> None:
    """Harbour buys the United Kingdom at 0.01125 EUR and sells at one half more, until its rules say otherwise."""
    harbour, price_list = cast.harbour, cast.price_list("harbour-atlas")
    assert sold(cast, LONDON)[0] == D("0.016875")
    set_list_rule(price_list, Target(service_class="international"), actor=ACTOR, valid_from=JAN, markup=D(1))
    assert sold(cast, LONDON)[0] == D("0.0225")
    group = create_group(
        harbour, "british", "British Isles", actor=ACTOR, destinations=["united kingdom*"], valid_from=JAN
    )
    set_list_rule(price_list, Target(group=group), actor=ACTOR, valid_from=JAN, markup=D(2))
    assert sold(cast, LONDON)[0] == D("0.03375")
    assert sold(cast, PARIS)[0] == D("0.02025"), "France stays with its class"
    set_list_rule(price_list, Target(prefix="4420"), actor=ACTOR, valid_from=JAN, markup=D(3), addon=D("0.001"))
    price, origin = sold(cast, LONDON)
    assert price == D("0.046")
    assert (origin["markup_by"], origin["addon_by"], origin["cut_from"]) == ("prefix:4420", "prefix:4420", "44")
    assert sold(cast, MOBILE_UK)[0] == D("0.10125"), "by the group: the rule is for London alone"


def test_a_rule_leaves_to_the_less_specific_what_it_does_not_set(cast: Cast) -> None:
    price_list = cast.price_list("harbour-atlas")
    set_list_rule(price_list, Target(prefix="44"), actor=ACTOR, valid_from=JAN, connect_fee=D("0.05"), step_s=60)
    facts = CallFacts(cast.alice.pk, Number(LONDON, ServiceClass.INTERNATIONAL), True, OCTOBER, 61)
    priced = Engine().price(facts)
    assert isinstance(priced, PricedCall)
    tier = priced.tiers[0]
    assert (tier.found.row.price, tier.charge.billed_s) == (D("0.016875"), 120)
    assert tier.amount == D("0.0838"), "0.05 for connecting and two minutes by the list's own mark-up"


def test_a_rule_holds_from_its_date_until_it_is_ended(cast: Cast) -> None:
    price_list, target = cast.price_list("harbour-atlas"), Target(prefix="44")
    november, december = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    set_list_rule(price_list, target, actor=ACTOR, valid_from=november, markup=D(1))
    assert end_list_rule(price_list, target, actor=ACTOR, at=december)
    edge = timedelta(microseconds=1)
    assert [sold(cast, LONDON, at)[0] for at in (november - edge, november, december - edge, december)] == [
        D("0.016875"), D("0.0225"), D("0.0225"), D("0.016875")
    ]  # fmt: skip
    assert not end_list_rule(price_list, target, actor=ACTOR, at=december + edge)
    set_list_rule(price_list, target, actor=ACTOR, valid_from=december, markup=D(2))
    assert sold(cast, LONDON, december)[0] == D("0.03375"), "set again at the moment of its end"


def test_the_class_of_the_call_decides_not_its_number(cast: Cast) -> None:
    """At home the same list prices by class: a call to a mobile costs more."""
    at_home = cast.price_list("harbour-domestic")
    set_list_rule(at_home, Target(service_class="mobile"), actor=ACTOR, valid_from=JAN, addon=D("0.10"))
    fixed = sold(cast, "4930123456", kind=ServiceClass.LONG_DISTANCE)[0]
    mobile, origin = sold(cast, "4915112345678", kind=ServiceClass.MOBILE)
    assert mobile == fixed + D("0.10")
    assert origin["addon_by"] == "class:mobile"


def test_a_dealer_below_derives_from_what_the_rules_made(cast: Cast) -> None:
    """Bob buys from Pier, which buys by Harbour's list: the rule of Harbour reaches him, with Pier's mark-up on it."""
    set_list_rule(cast.price_list("harbour-atlas"), Target(prefix="4420"), actor=ACTOR, valid_from=JAN, markup=D(1))
    facts = CallFacts(cast.bob.pk, Number(LONDON, ServiceClass.INTERNATIONAL), True, OCTOBER, 60)
    priced = Engine().price(facts)
    assert isinstance(priced, PricedCall)
    assert [tier.found.row.price for tier in priced.tiers] == [D("0.0315"), D("0.0225"), D("0.01125")]
    assert [tier.found.row.prefix for tier in priced.tiers] == ["4420", "4420", "44"]


def test_an_own_price_goes_before_a_rule_of_equal_length(cast: Cast) -> None:
    price_list = cast.price_list("harbour-atlas")
    set_own_rate(price_list, "4420", D("0.5"), actor=ACTOR, effective_from=JAN)
    set_list_rule(price_list, Target(prefix="4420"), actor=ACTOR, valid_from=JAN, markup=D(3))
    assert sold(cast, LONDON)[0] == D("0.5")


def test_who_belongs_to_a_group_is_dated_too(cast: Cast) -> None:
    price_list = cast.price_list("harbour-atlas")
    group = create_group(cast.harbour, "near", "Near", actor=ACTOR, destinations=["France"], valid_from=JAN)
    set_list_rule(price_list, Target(group=group), actor=ACTOR, valid_from=JAN, markup=D(0))
    november = datetime(2026, 11, 1, tzinfo=UTC)
    assert set_group(group, actor=ACTOR, destinations=[], prefixes=["+44"], valid_from=november)
    assert not set_group(group, actor=ACTOR, destinations=[], prefixes=["44"], valid_from=november)
    assert [sold(cast, number)[0] for number in (PARIS, LONDON)] == [D("0.010125"), D("0.016875")]
    assert [sold(cast, number, november)[0] for number in (PARIS, LONDON)] == [D("0.0151875"), D("0.01125")]
    assert rename_group(group, "Neighbours", actor=ACTOR)
    assert sold(cast, LONDON, november)[1]["markup_by"] == "group:Neighbours"


@pytest.mark.parametrize(
    ("target", "terms", "where"),
    [
        (Target(), {"markup": D(1)}, "target"),
        (Target(service_class="mobile", prefix="44"), {"markup": D(1)}, "target"),
        (Target(service_class="emergency"), {"markup": D(1)}, "service_class"),
        (Target(prefix="+44"), {"markup": D(1)}, "prefix"),
        (Target(prefix="44"), {}, "rule"),
        (Target(prefix="44"), {"markup": D("-1")}, "markup"),
        (Target(prefix="44"), {"min_charge": D("-1")}, "min_charge"),
        (Target(prefix="44"), {"step_s": 0}, "step_s"),
    ],
)
def test_what_cannot_be_a_rule_is_refused_at_its_field(
    cast: Cast, target: Target, terms: dict[str, Any], where: str
) -> None:
    with pytest.raises(Invalid) as refused:
        set_list_rule(cast.price_list("harbour-atlas"), target, actor=ACTOR, **terms)
    assert refused.value.where == where
    assert not ListRule.objects.exists()


def test_a_group_is_its_sellers_alone(cast: Cast) -> None:
    group = create_group(cast.meadow, "near", "Near", actor=ACTOR, destinations=["France"])
    with pytest.raises(Invalid) as refused:
        set_list_rule(cast.price_list("harbour-atlas"), Target(group=group), actor=ACTOR, markup=D(1))
    assert refused.value.where == "group"
    with pytest.raises(Conflict):
        create_group(cast.meadow, "near", "Near", actor=ACTOR)
    many = [str(number) for number in range(3000)]
    for names, prefixes in (([" * "], []), ([], ["4a"]), ([], many)):
        with pytest.raises(Invalid):
            set_group(group, actor=ACTOR, destinations=names, prefixes=prefixes)


def test_the_same_rule_again_changes_nothing(cast: Cast) -> None:
    price_list, target = cast.price_list("harbour-atlas"), Target(prefix="44")
    now = timezone.now()
    _rule, changed = set_list_rule(price_list, target, actor=ACTOR, valid_from=now, markup=D(1))
    assert changed
    _rule, changed = set_list_rule(price_list, target, actor=ACTOR, valid_from=now, markup=D(1))
    assert not changed
    assert ListRule.objects.count() == 1
