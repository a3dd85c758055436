"""Who sees whom, and what it costs to look: the same number of queries for five parties as for fifty."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.cast import ACTOR, Cast
from tiers.models import Kind
from tiers.selectors.tree import chain_at, search_parties, tree
from tiers.services.parties import create_party


def test_the_chain_runs_from_the_customer_up_to_the_operator(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bob = cast.bob
    with django_assert_num_queries(2):
        chain = chain_at(bob, timezone.now())
        told = [(tier.seller.code, tier.buyer.code, tier.brand.code) for tier in chain]
    assert told == [
        ("pier", "bob", "pier"),
        ("harbour", "pier", "harbour"),
        ("northstar", "harbour", "northstar-eu"),
    ]
    assert chain_at(cast.northstar, timezone.now()) == []
    assert chain_at(bob, datetime(1999, 1, 1, tzinfo=UTC)) == []


def test_everybody_sees_itself_and_what_is_below(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    now = timezone.now()
    shown = [(branch.party.code, branch.level) for branch in tree(cast.viewer("harbour"), now)]
    assert shown == [("harbour", 0), ("pier", 1), ("bob", 2), ("alice", 1)]
    assert [branch.party.code for branch in tree(cast.viewer("mallory"), now)] == ["mallory"]
    viewer = cast.viewer("harbour")
    for number in range(20):
        create_party(cast.harbour, Kind.CUSTOMER, f"c{number}", "C", brand=cast.brand("harbour"), actor=ACTOR)
    with django_assert_num_queries(2):
        branches = tree(viewer, now)
        brands = {branch.brand.code for branch in branches if branch.brand}
    assert len(branches) == 24
    assert brands == {"northstar-eu", "harbour", "pier"}


def test_search_finds_in_ones_own_part_of_the_tree_only(cast: Cast) -> None:
    assert [party.code for party in search_parties(cast.viewer("northstar"), "mallory")] == ["mallory"]
    assert search_parties(cast.viewer("harbour"), "mallory") == []
    assert [party.code for party in search_parties(cast.viewer("harbour"), "hotel alice")] == ["alice"]
    assert search_parties(cast.viewer("harbour"), "  ") == []
    assert search_parties(cast.viewer("harbour"), "%") == []
