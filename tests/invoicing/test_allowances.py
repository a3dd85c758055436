"""Included minutes and calls: used in order of time, given back to the last fraction, what is left is shown."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Transfer
from billing.books import violations
from invoicing.charges.allowances import Allowance, Call, use_up
from invoicing.models import AllowanceUse, Product
from invoicing.services import allowances
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, issue
from invoicing.services.subscriptions import end
from rating.models import RatedCall
from tests.cast import ACTOR, Cast
from tests.invoicing.month import OCTOBER, bill_of, load_calls
from tests.invoicing.products import balance, day, product, subscribed

WHOLE = date(2026, 10, 1), date(2026, 11, 1)
ALICE = UUID(int=7)
calls = st.lists(
    st.builds(
        Call,
        day=st.dates(date(2026, 9, 28), date(2026, 11, 3)),
        customer=st.just(ALICE),
        service_class=st.sampled_from(["local", "mobile", "international"]),
        billed_s=st.integers(1, 7200),
        charge=st.decimals(min_value=0, max_value=500, places=6, allow_nan=False),
        tax=st.decimals(min_value=0, max_value=100, places=6, allow_nan=False),
    ),
    max_size=30,
)


def allowance(included: int, *classes: str, unit: str = "seconds") -> Allowance:
    return Allowance(unit, included, frozenset(classes), *WHOLE)


@given(calls, st.integers(0, 20_000), st.integers(0, 20_000))
def test_two_allowances_never_give_back_more_than_was_charged(made: list[Call], one: int, other: int) -> None:
    pair = [allowance(one, "local"), allowance(other)]
    use_up(pair, made)
    october = [call for call in made if WHOLE[0] <= call.day < WHOLE[1]]
    assert sum(each.worth for each in pair) <= sum((call.charge for call in october), Decimal(0))
    assert all(0 <= each.used <= each.included for each in pair)
    if one + other and pair[1].left > 0:
        assert sum(each.worth for each in pair) == sum((call.charge for call in october), Decimal(0))


def test_the_call_that_uses_up_the_rest_pays_for_what_is_beyond() -> None:
    """100 seconds included: of a call of 60 and one of 80 seconds, the second pays for 40 of its 80."""
    made = [
        Call(date(2026, 10, 2), ALICE, "local", 60, Decimal("0.60"), Decimal("0.06")),
        Call(date(2026, 10, 2), ALICE, "local", 80, Decimal("0.80"), Decimal("0.08")),
        Call(date(2026, 10, 3), ALICE, "local", 80, Decimal("0.80"), Decimal("0.08")),
    ]
    hundred, two = allowance(100), allowance(2, unit="calls")
    use_up([hundred], made)
    assert (hundred.used, hundred.worth, hundred.worth_tax) == (100, Decimal("1.00"), Decimal("0.10"))
    use_up([two], made)
    assert (two.used, two.worth) == (2, Decimal("1.40"))


def plan(cast: Cast, brand: str, code: str, **values: object) -> Product:
    known = {"included": 10 * 60, "included_unit": "seconds", "name": "Talk 10"}
    return product(cast, brand, code, "5.00", **{**known, **values})


def in_order(cast: Cast, buyer: str) -> list[RatedCall]:
    return list(RatedCall.objects.filter(buyer=cast.party(buyer), sale__gt=0).order_by("answered_at", "id"))


def test_the_first_minutes_of_the_month_are_given_back_on_its_bill(cast: Cast, tmp_path: Path) -> None:
    row = subscribed(cast, "dave", plan(cast, "meadow", "talk"), "2026-10-01")
    load_calls(cast, tmp_path, ["dave"])
    run(cast.meadow, OCTOBER, actor=ACTOR)
    run(cast.meadow, OCTOBER, actor=ACTOR)
    left, worth = 600, Decimal(0)
    for call in in_order(cast, "dave"):
        taken = min(left, call.billed_s)
        worth += (call.sale * taken / call.billed_s).quantize(Decimal("0.000001"))
        left -= taken
    use = AllowanceUse.objects.get(subscription=row, month=OCTOBER)
    assert (use.used, use.left, use.worth) == (600, 0, worth)
    bill = bill_of(cast, "dave")
    credit = bill.lines.get(kind="credit")
    assert (credit.label, credit.net) == ("Included calls: Talk 10", -worth)
    issued = issue(approve(bill, actor=ACTOR), actor=ACTOR)
    assert issued.context is not None
    assert "Talk 10: 10 of 10 included minutes used, 0 left." in issued.context["notes"]
    assert list(violations()) == []


def test_calls_that_come_late_use_what_is_left_and_a_second_reckoning_finds_nothing(cast: Cast, tmp_path: Path) -> None:
    subscribed(cast, "dave", plan(cast, "meadow", "talk", included=3600), "2026-10-01")
    load_calls(cast, tmp_path, ["dave"], 3)
    assert allowances.settle(cast.meadow, OCTOBER) == 1
    assert allowances.settle(cast.meadow, OCTOBER) == 0
    first = AllowanceUse.objects.get()
    load_calls(cast, tmp_path, ["dave"], 2, day=date(2026, 10, 9), tag="late")
    assert allowances.settle(cast.meadow, OCTOBER) == 1
    assert AllowanceUse.objects.get().used > first.used
    spent = sum(call.sale for call in in_order(cast, "dave"))
    assert balance(cast, "dave") == -5, f"all {spent} of calls were included; the plan costs 5.00"
    assert list(violations()) == []


def test_a_prepaid_wallet_has_calls_and_their_tax_back_as_they_come(cast: Cast, tmp_path: Path) -> None:
    cast.fund("alice", 100)
    subscribed(cast, "alice", plan(cast, "harbour", "talk", included=36000), "2026-10-01")
    load_calls(cast, tmp_path, ["alice"], 5)
    assert balance(cast, "alice") < Decimal("94.05")
    assert allowances.settle(cast.harbour, OCTOBER) == 1
    assert balance(cast, "alice") == Decimal("94.05")
    before = Transfer.objects.count()
    assert allowances.settle(cast.harbour, OCTOBER) == 0
    assert Transfer.objects.count() == before
    assert list(violations()) == []


def test_only_its_classes_its_days_and_half_of_it_for_half_a_month(cast: Cast, tmp_path: Path) -> None:
    load_calls(cast, tmp_path, ["dave"], 12)
    mobile = plan(cast, "meadow", "mobile", included=36000, included_classes=["premium"])
    subscribed(cast, "dave", mobile, "2026-10-01")
    half = subscribed(cast, "dave", plan(cast, "meadow", "half", included=3100), "2026-10-17")
    assert allowances.settle(cast.meadow, OCTOBER) == 0, "no such class was called, and nothing after the 17th"
    assert AllowanceUse.objects.get(subscription=half).included == 1500
    assert AllowanceUse.objects.get(product=mobile).left == 36000


def test_a_dealer_has_back_what_it_bought_for_its_customer(cast: Cast, tmp_path: Path) -> None:
    """Northstar's plan, resold by Meadow to Dave: Dave's calls are given back to both, each at its own price."""
    at_northstar = plan(cast, "northstar", "ns-talk", included=36000)
    row = subscribed(cast, "dave", plan(cast, "meadow", "talk", included=36000, resells=at_northstar), "2026-10-01")
    load_calls(cast, tmp_path, ["dave"], 6)
    allowances.settle(cast.meadow, OCTOBER)
    allowances.settle(cast.northstar, OCTOBER)
    assert (balance(cast, "dave"), balance(cast, "meadow")) == (-5, -5)
    assert list(violations()) == []
    end(row, day("2026-10-01"), actor=ACTOR, today=day("2026-10-20"))
    allowances.settle(cast.meadow, OCTOBER)
    sold = sum(call.sale for call in in_order(cast, "dave"))
    assert balance(cast, "dave") == -sold, "a plan that never was includes nothing"
    assert list(violations()) == []


@pytest.mark.parametrize("buyer", ["bob", "carol"])
def test_tax_inside_and_distribution_come_out_even(cast: Cast, tmp_path: Path, buyer: str) -> None:
    for code, amount in (("harbour", 500), ("summit", 5000), ("pier", 100), (buyer, 100)):
        cast.fund(code, amount)
    seller = cast.wallet(buyer).seller.code
    before = balance(cast, buyer)
    subscribed(cast, buyer, plan(cast, seller, "talk", included=36000), "2026-10-01")
    load_calls(cast, tmp_path, [buyer], 5)
    allowances.settle(cast.party(seller), OCTOBER)
    assert before - balance(cast, buyer) == 5
    assert list(violations()) == []
