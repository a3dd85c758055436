"""Parties come, are blocked, close and move; the tree of today and the dated truth stay one."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pghistory.models
import pytest
from django.db import connection
from django.utils import timezone

from tests.cast import ACTOR, Cast
from tiers.errors import Conflict, Invalid
from tiers.models import Kind, Party, Placement, Status
from tiers.selectors.tree import chain_at
from tiers.services.parties import create_operator, create_party, move_party, set_status, update_party
from tiers.viewer import Actor


def codes(party: Party, moment: object = None) -> list[str]:
    return [tier.seller.code for tier in chain_at(party, moment or timezone.now())]  # type: ignore[arg-type]


def status_of(code: str) -> str:
    return str(Party.objects.values_list("status", flat=True).get(code=code))


def test_a_dealer_takes_a_customer_under_its_brand(cast: Cast) -> None:
    frank = create_party(
        cast.pier,
        Kind.CUSTOMER,
        "frank",
        "Frank's Bakery",
        brand=cast.brand("pier"),
        actor=ACTOR,
        email="frank@x.example",
    )
    assert frank.is_at_or_below(cast.pier)
    assert frank.is_at_or_below(cast.harbour)
    assert codes(frank) == ["pier", "harbour", "northstar"]
    last_year = timezone.now() - timedelta(days=400)
    assert codes(frank, last_year) == ["pier", "harbour", "northstar"], "older calls are its calls too"


def test_a_customer_placed_from_a_moment_bought_from_nobody_before(cast: Cast) -> None:
    since = timezone.now() - timedelta(days=10)
    frank = create_party(
        cast.harbour, Kind.CUSTOMER, "frank", "Frank", brand=cast.brand("harbour"), actor=ACTOR, since=since
    )
    assert codes(frank, since) == ["harbour", "northstar"]
    assert chain_at(frank, since - timedelta(seconds=1)) == []


def test_the_trail_names_who_made_the_party(cast: Cast) -> None:
    create_party(
        cast.harbour, Kind.CUSTOMER, "frank", "Frank", brand=cast.brand("harbour"), actor=Actor("lena@harbour.example")
    )
    event = pghistory.models.Events.objects.filter(pgh_model="tiers.PartyEvent", pgh_data__code="frank").get()
    assert event.pgh_context["actor"] == "lena@harbour.example"


@pytest.mark.parametrize("code", ["Frank", "", "a b", "x" * 33, "ünder"])
def test_a_code_that_nobody_could_type_is_refused(cast: Cast, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_party(cast.harbour, Kind.CUSTOMER, code, "Frank", brand=cast.brand("harbour"), actor=ACTOR)
    assert refused.value.where == "code"


def test_codes_are_unique_in_the_installation(cast: Cast) -> None:
    with pytest.raises(Conflict, match="alice"):
        create_party(cast.outsider, Kind.CUSTOMER, "alice", "Another", brand=cast.brand("quarry"), actor=ACTOR)


def test_only_a_seller_sells_and_only_under_its_own_brand(cast: Cast) -> None:
    with pytest.raises(Invalid) as customer:
        create_party(cast.alice, Kind.CUSTOMER, "frank", "F", brand=cast.brand("harbour"), actor=ACTOR)
    assert customer.value.where == "seller"
    with pytest.raises(Invalid) as brand:
        create_party(cast.pier, Kind.CUSTOMER, "frank", "F", brand=cast.brand("harbour"), actor=ACTOR)
    assert brand.value.where == "brand"
    with pytest.raises(Invalid):
        create_party(cast.harbour, Kind.OPERATOR, "frank", "F", brand=cast.brand("harbour"), actor=ACTOR)
    with pytest.raises(Conflict):
        create_operator("second", "Second Operator", actor=ACTOR)
    assert not Party.objects.filter(code__in=["frank", "second"]).exists()


def test_a_party_is_renamed_and_nothing_else_changes(cast: Cast) -> None:
    before = cast.alice.email
    update_party(cast.alice, actor=ACTOR, name="Alice's Grand Hotel")
    assert (cast.alice.name, cast.alice.email) == ("Alice's Grand Hotel", before)
    with pytest.raises(Invalid) as refused:
        update_party(cast.alice, actor=ACTOR, email="not an address")
    assert refused.value.where == "email"


def test_blocking_and_closing(cast: Cast) -> None:
    set_status(cast.alice, Status.BLOCKED, actor=ACTOR)
    assert status_of("alice") == Status.BLOCKED
    set_status(cast.alice, Status.ACTIVE, actor=ACTOR)
    assert status_of("alice") == Status.ACTIVE
    with pytest.raises(Conflict, match="still has buyers"):
        set_status(cast.pier, Status.CLOSED, actor=ACTOR)
    set_status(cast.bob, Status.CLOSED, actor=ACTOR)
    set_status(cast.pier, Status.CLOSED, actor=ACTOR)
    with pytest.raises(Conflict, match="closed"):
        create_party(cast.pier, Kind.CUSTOMER, "late", "Late", brand=cast.brand("pier"), actor=ACTOR)
    with pytest.raises(Conflict):
        set_status(cast.northstar, Status.BLOCKED, actor=ACTOR)


def test_a_moved_customer_keeps_its_past(cast: Cast) -> None:
    moved_at = timezone.now() - timedelta(hours=1)
    move_party(cast.alice, cast.pier, cast.brand("pier"), actor=ACTOR, from_moment=moved_at)
    assert codes(cast.alice, moved_at - timedelta(seconds=1)) == ["harbour", "northstar"]
    assert codes(cast.alice, moved_at) == ["pier", "harbour", "northstar"]
    assert cast.alice.is_at_or_below(cast.pier)
    assert cast.alice.depth == cast.pier.depth + 1
    assert Party.objects.find_problems() == ([], [], [], [], [])


def test_a_moved_dealer_takes_all_below_along(cast: Cast) -> None:
    before = timezone.now() - timedelta(minutes=1)
    move_party(cast.pier, cast.meadow, cast.brand("meadow"), actor=ACTOR)
    assert codes(cast.bob) == ["pier", "meadow", "northstar"]
    assert codes(cast.bob, before) == ["pier", "harbour", "northstar"]
    assert cast.bob.is_at_or_below(cast.meadow)
    assert not cast.bob.is_at_or_below(cast.harbour)
    assert Party.objects.find_problems() == ([], [], [], [], [])


def test_a_move_that_makes_no_sense_is_refused(cast: Cast) -> None:
    with pytest.raises(Conflict, match="below itself"):
        move_party(cast.harbour, cast.pier, cast.brand("pier"), actor=ACTOR)
    with pytest.raises(Invalid, match="in the future"):
        move_party(
            cast.alice, cast.pier, cast.brand("pier"), actor=ACTOR, from_moment=timezone.now() + timedelta(days=1)
        )
    with pytest.raises(Invalid, match="began later"):
        move_party(
            cast.alice, cast.pier, cast.brand("pier"), actor=ACTOR, from_moment=timezone.now() - timedelta(days=20_000)
        )
    assert Placement.objects.filter(party=cast.alice).count() == 1
    assert cast.alice.is_at_or_below(cast.harbour)


def test_moving_where_one_stands_changes_nothing(cast: Cast) -> None:
    move_party(cast.alice, cast.harbour, cast.brand("harbour"), actor=ACTOR)
    assert Placement.objects.filter(party=cast.alice).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clerks_create_customers_under_one_dealer_at_once(cast: Cast) -> None:
    """Each finds a place of its own in the tree."""
    harbour, brand, together = cast.harbour, cast.brand("harbour"), Barrier(6)
    failed: list[Exception] = []

    def create(number: int) -> None:
        try:
            together.wait(10)
            create_party(harbour, Kind.CUSTOMER, f"new-{number}", f"New {number}", brand=brand, actor=ACTOR)
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connection.close()

    clerks = [Thread(target=create, args=(number,)) for number in range(6)]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join(30)
    assert failed == []
    assert Party.objects.filter(code__startswith="new-").count() == 6
    assert Party.objects.find_problems() == ([], [], [], [], [])
