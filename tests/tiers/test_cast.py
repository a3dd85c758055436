"""The cast that all other tests stand on: whole, quick to bring, and the same in each kind of test."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from rating.models import PriceList, Rate
from tests.cast import PASSWORD, Cast
from tiers.models import Party, Placement


def whole(cast: Cast) -> None:
    assert Party.objects.count() == 12
    assert Placement.objects.count() == 11
    assert Rate.objects.count() == 29
    assert PriceList.objects.count() == 24
    assert cast.wallet("alice").account.currency == "EUR"
    assert cast.wallet("carol").seller_wallet_id == cast.wallet("summit").pk
    assert cast.wallet("dave").available == Decimal(500)


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_cast_is_whole_each_time(cast: Cast, time: str) -> None:
    whole(cast)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_the_cast_is_whole_in_transactional_tests(cast: Cast, time: str) -> None:
    whole(cast)


def test_without_asking_for_the_cast_the_database_is_empty(db: None) -> None:
    assert not Party.objects.exists()


def test_money_reaches_whom_it_is_given_to(cast: Cast) -> None:
    cast.fund("alice", 50)
    cast.fund("summit", 80)
    cast.fund("carol", 30)
    assert cast.wallet("alice").available == Decimal(50)
    assert cast.wallet("summit").available == Decimal(50), "distribution: what carol has, summit gave"
    assert cast.wallet("carol").available == Decimal(30)


def test_the_members_can_log_in(cast: Cast) -> None:
    assert Client().login(email="alice@cast.example", password=PASSWORD)
    assert cast.viewer("finance.harbour").party == cast.harbour
