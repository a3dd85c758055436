"""A base rate changes from a date: an automatic list moves on that date, one that publishes when it is published."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from rating.models import Follows, PriceList, Publication
from rating.pricing import Engine
from rating.selectors.differences import Kind
from rating.selectors.drafts import Draft, pending
from rating.services.exchange import set_exchange_rate
from rating.services.list_rules import Target, set_list_rule
from rating.services.lists import create_list, set_list_terms, set_own_rate, update_list
from rating.services.publishing import cancel_publication, publish, set_follows
from rating.services.rates import RateEntry, end_rate, set_rates
from tests.cast import ACTOR
from tiers.errors import Conflict, Invalid
from tiers.services.parties import ALWAYS

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
D = Decimal
DAY, EDGE = timedelta(days=1), timedelta(microseconds=1)
UK, CHINA = "442071838750", "8613800138000"


def price(code: str, number: str = UK, at: datetime | None = None) -> Decimal | None:
    """What a list charges for a number a minute."""
    engine = Engine()
    book = engine.shelf.book(PriceList.objects.get(code=code).pk)
    assert book is not None
    found = (book.at(number[:length], at or timezone.now()) for length in range(len(number), 0, -1))
    return next((one.row.price for one in found if one is not None), None)


def base_rate(cast: Cast, value: str, since: datetime, prefix: str = "44") -> None:
    set_rates(cast.table("atlas"), [RateEntry(prefix, D(value), since, destination="Somewhere")], actor=ACTOR)


@pytest.fixture
def published(cast: Cast) -> PriceList:
    """Northstar's list on Atlas for Erin alone, by publication: the base and a quarter."""
    made = create_list(
        cast.northstar, "for-erin", cast.brand("northstar"), actor=ACTOR, buyer=cast.erin,
        carrier=cast.carrier("atlas"), base_table=cast.table("atlas"),
    )  # fmt: skip
    set_list_terms(made, actor=ACTOR, markup=D("0.25"), valid_from=ALWAYS)
    return made


def test_an_automatic_list_moves_from_the_date_and_not_before_a_publishing_one_when_published(
    cast: Cast, published: PriceList
) -> None:
    change = timezone.now() + 10 * DAY
    base_rate(cast, "0.02", change)
    automatic = [price("northstar-atlas", at=at) for at in (change - EDGE, change)]
    assert automatic == [D("0.0125"), D("0.025")]
    assert [price("for-erin", at=at) for at in (change - EDGE, change, change + 99 * DAY)] == [D("0.0125")] * 3
    since = timezone.now()
    publish(published, actor=ACTOR)
    assert [price("for-erin", at=at) for at in (since - DAY, change - EDGE, change)] == [
        D("0.0125"), D("0.0125"), D("0.025")
    ]  # fmt: skip


def test_a_list_published_from_a_later_day_keeps_its_prices_until_then(cast: Cast, published: PriceList) -> None:
    base_rate(cast, "0.02", timezone.now())
    later = timezone.now() + 5 * DAY
    publish(published, actor=ACTOR, valid_from=later)
    assert [price("for-erin", at=at) for at in (later - EDGE, later)] == [D("0.0125"), D("0.025")]
    cancel_publication(published, later, actor=ACTOR)
    assert price("for-erin", at=later) == D("0.0125")
    with pytest.raises(Conflict):
        cancel_publication(published, later, actor=ACTOR)


def test_publishing_never_goes_backwards(cast: Cast, published: PriceList) -> None:
    """Neither into the past, nor later to what was known when an earlier one was planned."""
    with pytest.raises(Invalid) as refused:
        publish(published, actor=ACTOR, valid_from=timezone.now() - DAY)
    assert refused.value.where == "valid_from"
    later = timezone.now() + 5 * DAY
    publish(published, actor=ACTOR, valid_from=later)
    base_rate(cast, "0.02", timezone.now())
    publish(published, actor=ACTOR)
    assert [price("for-erin", at=at) for at in (later - EDGE, later)] == [D("0.025"), D("0.025")]


def test_what_was_changed_closed_or_corrected_since_is_not_known_to_the_list(cast: Cast, published: PriceList) -> None:
    now = timezone.now()
    base_rate(cast, "9", ALWAYS, "86")
    base_rate(cast, "0.5", now, "4420")
    end_rate(cast.table("atlas"), "33", actor=ACTOR, at=now)
    moment = now + DAY
    assert price("for-erin", CHINA, moment) == D("0.02"), "the past of the base was corrected, not the list's"
    assert price("for-erin", UK, moment) == D("0.0125")
    assert price("for-erin", "33142685300", moment) == D("0.01125")
    publish(published, actor=ACTOR)
    assert [price("for-erin", number, moment) for number in (CHINA, UK, "33142685300")] == [
        D("11.25"),
        D("0.625"),
        None,
    ]
    assert price("for-erin", CHINA, now - DAY) == D("0.02"), "calls of before the publication keep their prices"


def test_an_exchange_rate_is_frozen_with_the_publication(cast: Cast) -> None:
    own = cast.price_list("northstar-eu-atlas")
    set_follows(own, Follows.PUBLICATION, actor=ACTOR)
    before = price(own.code)
    day = timezone.now() + 3 * DAY
    set_exchange_rate("USD", "EUR", D("0.45"), actor=ACTOR, valid_from=day)
    assert price(own.code, at=day) == before
    publish(own, actor=ACTOR)
    assert before is not None
    assert [price(own.code, at=at) for at in (day - EDGE, day)] == [before, before / 2]


def test_terms_rules_and_own_prices_of_the_list_itself_need_no_publication(cast: Cast, published: PriceList) -> None:
    base_rate(cast, "0.02", timezone.now())
    set_list_terms(published, actor=ACTOR, markup=D(1))
    assert price("for-erin") == D("0.02"), "the new mark-up, on the base as published"
    set_list_rule(published, Target(prefix="4420"), actor=ACTOR, markup=D(2))
    assert price("for-erin") == D("0.03")
    set_own_rate(published, "4420", D("0.7"), actor=ACTOR)
    assert price("for-erin") == D("0.7")


def test_a_chain_moves_link_by_link(cast: Cast) -> None:
    """Harbour's list stands on what it buys by; both by publication. A change reaches it when both have published."""
    upper, lower = cast.price_list("northstar-eu-atlas"), cast.price_list("harbour-atlas")
    for one in (upper, lower):
        set_follows(one, Follows.PUBLICATION, actor=ACTOR)
    pier = price("pier-atlas")
    base_rate(cast, "0.02", timezone.now())
    publish(lower, actor=ACTOR)
    assert price("harbour-atlas") == D("0.016875"), "what it buys by has not moved"
    publish(upper, actor=ACTOR)
    assert [price("northstar-eu-atlas"), price("harbour-atlas")] == [D("0.0225"), D("0.016875")]
    publish(lower, actor=ACTOR)
    assert price("harbour-atlas") == D("0.03375")
    assert price("pier-atlas") == pier * 2 if pier else None, "Pier's follows automatically"


def test_a_chain_knows_the_terms_and_rules_of_its_base_as_they_were(cast: Cast) -> None:
    upper, lower = cast.price_list("northstar-eu-atlas"), cast.price_list("harbour-atlas")
    set_follows(lower, Follows.PUBLICATION, actor=ACTOR)
    set_list_terms(upper, actor=ACTOR, markup=D(1))
    set_list_rule(upper, Target(prefix="4420"), actor=ACTOR, markup=D(3))
    set_own_rate(upper, "86", D("5"), actor=ACTOR)
    assert [price("harbour-atlas", number) for number in (UK, CHINA)] == [D("0.016875"), D("0.027")]
    publish(lower, actor=ACTOR)
    assert [price("harbour-atlas", number) for number in (UK, CHINA, "4416")] == [D("0.054"), D("7.5"), D("0.027")]


def test_a_list_may_change_between_the_two_and_the_past_stays(cast: Cast, published: PriceList) -> None:
    base_rate(cast, "0.02", timezone.now())
    held = timezone.now()
    set_follows(published, Follows.AUTOMATIC, actor=ACTOR)
    assert price("for-erin") == D("0.025")
    assert price("for-erin", at=held) == D("0.0125")
    base_rate(cast, "0.04", timezone.now())
    assert price("for-erin") == D("0.05")
    set_follows(published, Follows.PUBLICATION, actor=ACTOR)
    base_rate(cast, "0.08", timezone.now())
    assert price("for-erin") == D("0.05")
    with pytest.raises(Invalid):
        set_follows(published, "sometimes", actor=ACTOR)
    assert not set_follows(published, Follows.PUBLICATION, actor=ACTOR)


def test_only_what_follows_by_publication_is_published(cast: Cast) -> None:
    with pytest.raises(Conflict, match="automatically"):
        publish(cast.price_list("harbour-atlas"), actor=ACTOR)
    own = create_list(cast.harbour, "own", cast.brand("harbour"), actor=ACTOR, buyer=cast.alice)
    with pytest.raises(Conflict, match="no base"):
        publish(own, actor=ACTOR)
    assert not Publication.objects.exists()


def test_another_base_is_published_at_once(cast: Cast, published: PriceList) -> None:
    update_list(published, actor=ACTOR, base_table=cast.table("boreal"))
    assert price("for-erin", at=timezone.now() - 30 * DAY) == D("0.015625")


# -- drafts ---------------------------------------------------------------------------------------------------------
def test_a_draft_shows_what_would_change_and_from_when(cast: Cast, published: PriceList) -> None:
    now = timezone.now()
    base_rate(cast, "0.02", now, "44")
    base_rate(cast, "0.008", now + 3 * DAY, "86")
    base_rate(cast, "0.07", now, "4420")
    base_rate(cast, "0.3", now, "370")
    end_rate(cast.table("atlas"), "33", actor=ACTOR, at=now)
    draft = Draft(published, timezone.now())
    told = {one.prefix: (one.kind, one.old, one.new) for one in draft.changes}
    assert told == {
        "33": (Kind.CLOSED, D("0.01125"), None),
        "370": (Kind.ADDED, None, D("0.375")),
        "44": (Kind.RAISED, D("0.0125"), D("0.025")),
        "4420": (Kind.RAISED, D("0.0125"), D("0.0875")),
        "86": (Kind.LOWERED, D("0.02"), D("0.01")),
    }
    shares = {one.prefix: (one.share, one.since) for one in draft.changes}
    assert shares["86"] == (D("-0.5"), now + 3 * DAY)
    assert draft.counts == {"added": 1, "closed": 1, "raised": 2, "lowered": 1, "otherwise": 0}
    assert [one.prefix for one in draft.filtered(kind="raised", text="442")] == ["4420"]
    publish(published, actor=ACTOR)
    assert Draft(published, timezone.now()).changes == []


def test_a_draft_from_a_later_day_leaves_out_what_is_over_by_then(cast: Cast, published: PriceList) -> None:
    now = timezone.now()
    entry = RateEntry("44", D("0.02"), now, effective_to=now + DAY)
    set_rates(cast.table("atlas"), [entry, RateEntry("44", D("0.01"), now + DAY)], actor=ACTOR)
    assert len(Draft(published, now + EDGE).changes) == 1
    assert Draft(published, now + 2 * DAY).changes == []


def test_lists_with_a_draft_are_named_to_their_seller_alone(cast: Cast, published: PriceList) -> None:
    operator, harbour = cast.viewer("northstar"), cast.viewer("harbour")
    assert pending(operator) == []
    base_rate(cast, "0.02", timezone.now())
    assert pending(operator) == [published]
    assert pending(harbour) == []
    publish(published, actor=ACTOR)
    assert pending(operator) == []
    lower = cast.price_list("harbour-atlas")
    set_follows(lower, Follows.PUBLICATION, actor=ACTOR)
    set_exchange_rate("USD", "EUR", D("0.8"), actor=ACTOR)
    assert pending(harbour) == [lower], "the list below it follows automatically, so the exchange rate has moved it"
