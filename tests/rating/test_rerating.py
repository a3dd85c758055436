"""Re-rating a past week after a late correction, told by what each tier paid before and pays after."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Transfer, Wallet
from accounts.services.accounts import open_wallet
from billing.books import violations
from rating.models import PriceList, RatedCall, RatedCorrection, RerateStatus, UsageRecord
from rating.pricing.tables import TableCache
from rating.services import rerating
from rating.services.imports import import_file
from rating.services.lists import set_list_terms, set_price_terms
from rating.services.unrated import rate_waiting
from tests.cast import ACTOR
from tests.rating.calls_help import START, Call, write
from tests.rating.rerating_help import UK, WHY, a_week, correct_rate, rerate, sales, selection
from tiers.errors import Conflict, Invalid
from tiers.services.parties import move_party

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db

# 90 s to London at 0.01 USD a minute, by the second, then at 0.02. Northstar sells at cost x 1.25, Harbour at x 1.5,
# Pier at x 1.4; 1 USD = 0.90 EUR = 0.80 GBP; four decimals, half up; alice and pier pay Harbour's 19 % on top.
#   harbour: 0.01125 EUR x 1.5 = 0.0169, then 0.0338    alice, pier: 0.0253 + 0.004807, then 0.0506 + 0.009614
#   bob: 0.0354 with Pier's tax in it, then 0.0709      meadow: 0.0188 USD, then 0.0375
MORE = {
    "harbour": 6 * Decimal("0.0169"),
    "alice": 3 * Decimal("0.030107"),
    "pier": 3 * Decimal("0.030107"),
    "bob": 3 * Decimal("0.0355"),
    "meadow": 3 * Decimal("0.0187"),
    "dave": 3 * Decimal("0.0217"),
    "carol": Decimal(0),
}


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rolled back tables come back with other rates under the same version: each test reads its own."""
    monkeypatch.setattr("rating.pricing.shelf.CACHE", TableCache())
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path


def posted(cast: Cast) -> dict[str, Decimal]:
    return {code: cast.wallet(code).posted for code in MORE}


def test_a_late_correction_posts_exactly_the_difference_at_every_tier(cast: Cast, files: Path) -> None:
    a_week(cast, files)
    before, first = posted(cast), Transfer.objects.count()
    correct_rate(cast, "0.02")
    run = rerate(cast)
    assert {code: before[code] - now for code, now in posted(cast).items()} == MORE
    assert run.status == RerateStatus.DONE
    assert run.counts == {"looked": 12, "up": 9, "inside": 3}
    atlas = Account.objects.get(kind="carrier", label="atlas", currency="USD")
    costs = Transfer.objects.filter(payee=atlas).order_by("id").values_list("amount", "reverses__amount")
    assert list(costs) == [(Decimal("0.18"), None), (Decimal("0.18"), Decimal("0.18"))]
    for made in Transfer.objects.order_by("id")[first:]:
        assert made.reverses is not None
        assert (made.kind, made.for_month) == (made.reverses.kind, made.reverses.for_month)
        assert (made.reason, made.details) == (WHY, {"rerating": str(run.pk)})
    assert list(violations()) == []


def test_the_same_week_again_posts_nothing_more(cast: Cast, files: Path) -> None:
    a_week(cast, files)
    correct_rate(cast, "0.02")
    rerate(cast)
    transfers, corrections, now = Transfer.objects.count(), RatedCorrection.objects.count(), posted(cast)
    again = rerate(cast)
    assert again.counts == {"looked": 12, "unchanged": 12}
    assert (Transfer.objects.count(), RatedCorrection.objects.count(), posted(cast)) == (transfers, corrections, now)


def test_back_to_the_first_price_everything_is_as_it_was(cast: Cast, files: Path) -> None:
    """Decreases flow back, also out of wallets that have nothing: what happened is never refused."""
    a_week(cast, files)
    before = posted(cast)
    correct_rate(cast, "0.02")
    rerate(cast)
    correct_rate(cast, "0.01")
    down = rerate(cast)
    assert down.counts["down"] == 9
    assert posted(cast) == before
    call = RatedCall.objects.filter(buyer=cast.alice).first()
    assert [k.number for k in RatedCorrection.objects.filter(rated_call=call).order_by("number")] == [1, 2]
    assert list(violations()) == []


def test_distribution_flows_through_the_sellers_own_wallet(cast: Cast, files: Path) -> None:
    """Carol's difference arrives in summit's wallet, summit's own leaves it; her list is by boreal."""
    cast.fund("summit", 100)
    cast.fund("carol", 40)
    a_week(cast, files, ["carol"], each=1)
    sold, bought = sales(cast, "carol"), sales(cast, "summit")
    correct_rate(cast, "0.05", table="boreal")
    rerate(cast)
    more, dearer = sales(cast, "carol")[0] - sold[0], sales(cast, "summit")[0] - bought[0]
    assert more > dearer > 0
    assert cast.wallet("carol").posted == 40 - sold[0] - more
    assert cast.wallet("summit").posted == 100 - 40 + sold[0] - bought[0] + more - dearer
    assert list(violations()) == []


def test_a_prepaid_increase_without_a_yes_is_left_out_and_said(cast: Cast, files: Path) -> None:
    a_week(cast, files, ["alice", "dave"])
    before = posted(cast)
    correct_rate(cast, "0.02")
    shown = rerating.preview(selection(cast), actor=ACTOR)
    asked = {row["code"]: Decimal(row["amount"]) for row in shown.increases}
    assert asked == {"alice": MORE["alice"], "harbour": 3 * Decimal("0.0169")}
    assert posted(cast) == before, "comparing moves nothing"
    run = rerating.apply(shown, actor=ACTOR)
    assert {code: before[code] - now for code, now in posted(cast).items() if before[code] != now} == {
        "meadow": MORE["meadow"],
        "dave": MORE["dave"],
    }
    assert run.counts["prepaid"] == 3
    assert [row["done"] for row in run.increases] == [False, False]
    assert sales(cast, "alice") == [Decimal("0.030107")] * 3
    assert list(violations()) == []
    later = rerate(cast, increases=[cast.alice.pk])
    assert before["alice"] - cast.wallet("alice").posted == MORE["alice"]
    assert cast.wallet("harbour").posted == before["harbour"]
    assert {row["code"]: row["done"] for row in later.increases} == {"alice": True, "harbour": False}
    assert list(violations()) == []


def test_a_prepaid_decrease_needs_no_yes(cast: Cast, files: Path) -> None:
    a_week(cast, files, ["alice"])
    before = cast.wallet("alice").posted
    correct_rate(cast, "0.005")
    rerate(cast, increases=())
    assert cast.wallet("alice").posted - before == 3 * (Decimal("0.030107") - Decimal("0.015113"))
    assert list(violations()) == []


def test_the_tax_is_that_of_the_charge_whatever_the_brand_says_since(cast: Cast, files: Path) -> None:
    a_week(cast, files, ["alice"])
    set_price_terms(cast.brand("harbour"), actor=ACTOR, tax_rate=Decimal(7))
    assert rerate(cast).counts == {"looked": 3, "unchanged": 3}
    correct_rate(cast, "0.02")
    rerate(cast)
    assert sales(cast, "alice") == [Decimal("0.060214")] * 3


def test_a_call_that_cost_nothing_is_charged_and_corrected_again(cast: Cast, files: Path) -> None:
    """There is no transfer to name the first time; the second names the one made then."""
    correct_rate(cast, "0")
    a_week(cast, files, ["alice"], each=1)
    assert not Transfer.objects.filter(kind="usage").exists()
    correct_rate(cast, "0.01")
    rerate(cast)
    first = Transfer.objects.get(kind="usage", payer=cast.wallet("alice").pk)
    assert (first.reverses, first.amount) == (None, Decimal("0.0253"))
    correct_rate(cast, "0.02")
    rerate(cast)
    second = Transfer.objects.exclude(pk=first.pk).get(kind="usage", payer=cast.wallet("alice").pk)
    assert (second.reverses, second.amount) == (first, Decimal("0.0253"))
    assert list(violations()) == []


def test_what_has_no_price_any_more_keeps_the_one_it_was_charged(cast: Cast, files: Path) -> None:
    a_week(cast, files, ["alice"])
    before = posted(cast)
    PriceList.objects.filter(seller=cast.harbour).update(active=False)
    run = rerate(cast)
    assert run.counts == {"looked": 3, "unpriced": 3, "unchanged": 3}
    assert posted(cast) == before


def test_a_call_whose_chain_was_corrected_goes_from_the_old_pair_to_the_new(cast: Cast, files: Path) -> None:
    """Alice was Pier's customer from the first of October on; that was entered only afterwards."""
    a_week(cast, files, ["alice"])
    old = cast.wallet("alice").pk
    with_pier = move_party(
        cast.alice, cast.pier, cast.brand("pier"), actor=ACTOR, from_moment=datetime(2026, 10, 1, tzinfo=UTC)
    )
    assert with_pier.seller == cast.pier
    open_wallet(cast.alice, cast.pier, "EUR")
    run = rerate(cast)
    assert run.counts["looked"] == 3
    assert Wallet.objects.get(pk=old).posted == 0
    assert cast.wallet("alice").posted == -3 * Decimal("0.0354")
    withdrawn = RatedCorrection.objects.filter(buyer=cast.alice, seller=cast.harbour)
    assert {(one.withdrawn, one.sale, one.tax) for one in withdrawn} == {(True, 0, 0)}
    fresh = RatedCall.objects.filter(buyer=cast.alice, seller=cast.pier)
    assert [call.sale + call.tax for call in fresh] == [Decimal("0.0354")] * 3
    assert [call.cost for call in fresh] == [Decimal("0.0253")] * 3
    assert cast.wallet("pier").posted == -3 * Decimal("0.030107")
    assert list(violations()) == []
    assert rerate(cast).counts == {"looked": 3, "unchanged": 3}
    assert list(violations()) == []


@pytest.mark.parametrize(
    ("chosen", "looked"),
    [
        (lambda cast: {"customer": cast.harbour}, 6),
        (lambda cast: {"customer": cast.alice}, 3),
        (lambda cast: {"price_list": cast.price_list("harbour-atlas")}, 6),
        (lambda cast: {"price_list": cast.price_list("northstar-boreal")}, 0),
        (lambda cast: {"source": cast.source("pbx")}, 0),
        (lambda cast: {"source": cast.source("switch")}, 12),
        (lambda cast: {"start": START.replace(day=6, hour=0, minute=0)}, 8),
    ],
    ids=["dealer", "customer", "list", "another list", "another source", "source", "from the second day"],
)
def test_only_what_was_chosen_is_looked_at(cast: Cast, files: Path, chosen: Any, looked: int) -> None:
    a_week(cast, files)
    assert rerating.preview(selection(cast, **chosen(cast)), actor=ACTOR).counts.get("looked", 0) == looked


def test_a_dealer_corrects_its_own_sales_and_not_what_it_buys(cast: Cast, files: Path) -> None:
    """Harbour's mark-up was 60 percent from the first on. What it pays itself stays Northstar's to correct."""
    a_week(cast, files)
    before = posted(cast)
    correct_rate(cast, "0.02")
    set_list_terms(
        cast.price_list("harbour-atlas"), actor=ACTOR, valid_from=START.replace(day=1), markup=Decimal("0.6")
    )
    run = rerate(cast, party=cast.harbour)
    assert run.counts["looked"] == 6
    now = posted(cast)
    assert {code for code in MORE if now[code] != before[code]} == {"alice", "pier", "bob"}
    assert [call.sale for call in RatedCorrection.objects.filter(buyer=cast.alice)] == [Decimal("0.0540")] * 3
    assert list(violations()) == []


def test_calls_without_a_price_are_rated_with_the_rest(cast: Cast, files: Path) -> None:
    import_file(write(files / "x.csv", [Call("c1", to="37120000000")]), cast.source(), actor=ACTOR)
    assert rerating.preview(selection(cast), actor=ACTOR).counts == {"unrated": 1}
    correct_rate(cast, "0.1", prefix="371")
    run = rerate(cast)
    assert run.counts == {"rated": 1}
    assert rate_waiting() == 0
    assert UsageRecord.objects.get().status == "rated"


def test_a_run_is_posted_once_and_only_after_it_was_compared(cast: Cast, files: Path) -> None:
    a_week(cast, files, ["dave"])
    correct_rate(cast, "0.02")
    run = rerating.open_run(selection(cast), actor=ACTOR)
    with pytest.raises(Conflict):
        rerating.accept(run, actor=ACTOR)
    rerating.work(run.pk)
    rerating.apply(run, actor=ACTOR)
    with pytest.raises(Conflict):
        rerating.apply(run, actor=ACTOR)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"end": START.replace(day=1)}, "end"),
        ({"start": START.replace(year=2020)}, "end"),
        ({"reason": " "}, "reason"),
        ({"party": "harbour", "customer": "dave"}, "customer"),
        ({"party": "harbour", "price_list": "northstar-atlas"}, "price_list"),
        ({"party": "alice"}, "party"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_selection_that_is_wrong_is_refused_where_it_is_wrong(cast: Cast, wrong: dict[str, Any], where: str) -> None:
    asked = {
        name: cast.price_list(value)
        if name == "price_list"
        else cast.party(value)
        if name in ("party", "customer")
        else value
        for name, value in wrong.items()
    }
    with pytest.raises(Invalid) as refused:
        rerating.open_run(selection(cast, **asked), actor=ACTOR)
    assert refused.value.where == where


prices = st.decimals(min_value=0, max_value=2, places=6)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(prices, min_size=2, max_size=4))
def test_what_wallets_paid_is_always_what_their_calls_cost_now(files: Path, cast: Cast, steps: list[Decimal]) -> None:
    """Whatever the price was and became, in whatever order; wallets that were funded with nothing."""
    correct_rate(cast, str(steps[0]))
    name = "-".join(map(str, steps))
    calls = [Call(f"{name}-{who}", who, UK, 61) for who in ("alice", "bob", "carol", "dave")]
    import_file(write(files / "c.csv", calls), cast.source(), actor=ACTOR)
    for price in steps[1:]:
        correct_rate(cast, str(price))
        rerate(cast)
    for code in ("alice", "bob", "dave", "pier", "harbour", "meadow"):
        assert cast.wallet(code).posted == -sum(sales(cast, code), Decimal(0))
    assert cast.wallet("summit").posted == sum(sales(cast, "carol"), -sum(sales(cast, "summit"), Decimal(0)))
    assert list(violations()) == []
