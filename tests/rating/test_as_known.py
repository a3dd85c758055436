"""What prices were known to be, against a replay: after each of many random changes all prices are written down.

Whatever was changed later, corrected, ended or taken back: a list asked as it was known then gives what was written
down, and a list published then goes on being derived from just that.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.utils import timezone

from rating.models import Follows, PastRate, PriceList, Publication, Rate
from rating.pricing import Engine
from rating.pricing.lists import ListBook
from rating.services.exchange import set_exchange_rate
from rating.services.list_rules import Target, create_group, end_list_rule, set_group, set_list_rule
from rating.services.lists import create_list, end_own_rate, set_list_terms, set_own_rate
from rating.services.publishing import publish, set_follows
from rating.services.rates import RateEntry, end_rate, set_rates, update_table
from tests.cast import ACTOR
from tiers.errors import TollgateError
from tiers.services.parties import ALWAYS

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
D = Decimal
DAY = timedelta(days=1)
TODAY = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
MOMENTS = [TODAY + days * DAY for days in (-9, -2, 1, 3, 6)]
PREFIXES = ("44", "442", "4420", "44207", "33", "86", "861")
Prices = dict[tuple[str, datetime], Decimal | None]


def clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def prices(book: ListBook | None) -> Prices:
    assert book is not None
    found: Prices = {}
    for prefix in PREFIXES:
        for moment in MOMENTS:
            ways = (book.at(prefix[:length], moment) for length in range(len(prefix), 0, -1))
            found[prefix, moment] = next((one.row.price for one in ways if one is not None), None)
    return found


def known(code: str, at: datetime | None = None) -> Prices:
    return prices(Engine().shelf.book(PriceList.objects.get(code=code).pk, known=at))


def changes(cast: Cast, random: Random) -> list[Callable[[], object]]:
    """One of each way to change what a list is made of, with what is thrown for it."""
    table, upper = cast.table("atlas"), cast.price_list("northstar-eu-atlas")
    price = D(random.randint(1, 99)) / 1000
    prefix, since = random.choice(PREFIXES), random.choice([*MOMENTS, ALWAYS, timezone.now()])
    target = random.choice([Target(prefix=prefix), Target(service_class="mobile")])
    group = upper.seller.destination_groups.first()
    names = random.sample(["united*", "France", "China"], 2)
    return [
        lambda: set_rates(table, [RateEntry(prefix, price, since, destination="United Kingdom")], actor=ACTOR),
        lambda: set_rates(table, [RateEntry(prefix, price, since, blocked=True)], actor=ACTOR),
        lambda: end_rate(table, prefix, actor=ACTOR, at=since),
        lambda: update_table(table, actor=ACTOR, name=f"Atlas {price}"),
        lambda: set_exchange_rate("USD", "EUR", price * 10, actor=ACTOR, valid_from=since, replace=True),
        lambda: set_list_terms(upper, actor=ACTOR, valid_from=since, markup=price * 20),
        lambda: set_list_rule(upper, target, actor=ACTOR, valid_from=since, markup=price * 30, addon=price),
        lambda: end_list_rule(upper, target, actor=ACTOR, at=since),
        lambda: set_list_rule(upper, Target(group=group), actor=ACTOR, valid_from=since, markup=price * 40),
        lambda: set_group(group, actor=ACTOR, destinations=names, prefixes=[prefix], valid_from=since),
        lambda: set_own_rate(upper, prefix, price, actor=ACTOR, effective_from=since),
        lambda: end_own_rate(upper, prefix, actor=ACTOR, at=since),
        lambda: set_follows(upper, random.choice(Follows.values), actor=ACTOR),
        lambda: publish(upper, actor=ACTOR, valid_from=timezone.now() + random.randint(0, 4) * DAY),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_a_list_as_it_was_known_is_what_was_written_down_then(cast: Cast, seed: int) -> None:
    random = Random(seed)
    create_group(cast.northstar, "near", "Near", actor=ACTOR, destinations=["France"], valid_from=ALWAYS)
    upper = cast.price_list("northstar-eu-atlas")
    written: list[tuple[datetime, Prices]] = []
    for _ in range(24):
        try:
            random.choice(changes(cast, random))()
        except TollgateError:
            continue
        written.append((clock(), known("northstar-eu-atlas")))
        if len(written) in (5, 12):
            number = len(written)
            made = create_list(
                cast.harbour, f"then-{number}", cast.brand("harbour"), actor=ACTOR, base_list=upper,
                buyer={5: cast.alice, 12: cast.pier}[number],
            )  # fmt: skip
            set_list_terms(made, actor=ACTOR, markup=D(1), valid_from=ALWAYS)
    for at, noted in written:
        assert known("northstar-eu-atlas", at) == noted
    for number in (5, 12):
        expected = {place: None if one is None else twice(one) for place, one in written[number - 1][1].items()}
        assert known(f"then-{number}") == expected


def twice(price: Decimal) -> Decimal:
    return (price * 2).quantize(D("1e-8"), ROUND_HALF_UP)


def test_what_is_remembered_of_a_rate_is_all_of_it() -> None:
    """A field that rates get later must be kept as well."""
    kept = {field.attname for field in PastRate._meta.fields}
    assert {field.attname for field in Rate._meta.fields} - {"id"} <= kept


def test_the_web_cannot_edit_what_was(cast: Cast) -> None:
    with connection.cursor() as cursor:
        for table in ("rating_pastrate", "rating_pastrow", "rating_tableversion"):
            for right, given in (("INSERT", True), ("UPDATE", False), ("DELETE", False), ("TRUNCATE", False)):
                cursor.execute("SELECT has_table_privilege('tollgate_web', %s, %s)", [table, right])
                assert cursor.fetchone() == (given,), (table, right)


def test_the_web_can_enter_prices_and_publish_them(cast: Cast) -> None:
    """What triggers keep, they keep for the role that owns nothing too."""
    price_list = cast.price_list("northstar-atlas")
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE tollgate_web")
        set_rates(cast.table("atlas"), [RateEntry("44", D("0.5"), timezone.now())], actor=ACTOR)
        set_follows(price_list, Follows.PUBLICATION, actor=ACTOR)
        publish(price_list, actor=ACTOR)
        cursor.execute("RESET ROLE")
    assert Publication.objects.filter(price_list=price_list).count() == 3
