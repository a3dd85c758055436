"""Writers, folders and readers of facts at once: nothing is counted twice, lost, or seen by halves."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Q, Sum

from rating.models import Fact, Grain
from rating.services import facts
from tests.cast import Cast
from tests.rating.test_facts import NINE, NUMBERS, frame

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, WRITES, HOURS = 3, 40, 3
DESTINATIONS = ("France", "Germany", "Fiji")


class Undone(Exception):
    """A batch that fails after its facts were written."""


def write_some(cast: Cast, seed: int) -> dict[str, int]:
    """Batches of facts, one in four rolled back; each adds as much to Harbour's sales as to Pier's. What was kept."""
    chance, kept = random.Random(seed), dict.fromkeys(DESTINATIONS, 0)
    for _batch in range(WRITES):
        written: dict[str, int] = dict.fromkeys(DESTINATIONS, 0)
        rows = []
        for _row in range(chance.randint(1, 6)):
            destination, amount = chance.choice(DESTINATIONS), chance.randint(-3, 9)
            hour = NINE + timedelta(hours=chance.randrange(HOURS))
            row = {"destination": destination, "hour": hour, **dict.fromkeys(NUMBERS, amount)}
            rows += [row, row | {"seller": str(cast.pier.pk)}]
            written[destination] += amount
        try:
            with transaction.atomic():
                facts.write_facts(frame(cast, *rows))
                if chance.random() < 0.25:
                    raise Undone
        except Undone:
            continue
        kept = {name: kept[name] + written[name] for name in DESTINATIONS}
    return kept


@contextmanager
def meanwhile(work: Callable[[], None], threads: int) -> Iterator[None]:
    """`work` over and over in threads of its own; what goes wrong there is raised here."""
    enough = threading.Event()

    def again() -> None:
        with closing(connection):
            while not enough.is_set():
                work()

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(again) for _thread in range(threads)]
        try:
            yield
        finally:
            enough.set()
        for one in running:
            one.result()


def test_folding_beside_writers_and_readers(cast: Cast) -> None:
    sides = [
        Sum("sale_micro", filter=Q(seller=seller, grain__in=[Grain.LOOSE, grain]))
        for seller, grain in ((cast.harbour, Grain.CLOCK), (cast.pier, Grain.HOUR))
    ]

    def read() -> None:
        both = Fact.objects.aggregate(harbour=sides[0], pier=sides[1])
        assert both["harbour"] == both["pier"]

    def write(seed: int) -> dict[str, int]:
        with closing(connection):
            return write_some(cast, seed)

    with meanwhile(lambda: void(facts.fold()), 2), meanwhile(read, 1), ThreadPoolExecutor(WRITERS) as pool:
        kept = list(pool.map(write, range(WRITERS)))
    facts.fold()
    assert not Fact.objects.filter(grain=Grain.LOOSE).exists()
    for destination, grain in itertools.product(DESTINATIONS, (Grain.HOUR, Grain.DAY)):
        of_it = Fact.objects.filter(destination=destination, seller=cast.harbour, grain=grain)
        expected = sum(one[destination] for one in kept)
        assert {of_it.aggregate(found=Sum(name))["found"] for name in ("charged", "tax_micro")} == {expected}
    assert Fact.objects.filter(grain=Grain.HOUR).count() <= 2 * HOURS * len(DESTINATIONS)


def void(_result: object) -> None:
    """For what is called for its effect."""
