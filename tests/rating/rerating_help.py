"""A week of calls for the cast, and the rates that were wrong in it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from rating.models import RatedCall, RatedCorrection, RerateRun
from rating.services import rerating
from rating.services.imports import import_file
from rating.services.rates import RateEntry, set_rates
from tests.cast import ACTOR, Cast
from tests.rating.calls_help import START, Call, write

WEEK = (datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 12, tzinfo=UTC))
WHY = "Atlas named a wrong rate for the United Kingdom"
UK = "442079460000"


def a_week(cast: Cast, folder: Path, who: Collection[str] = ("alice", "bob", "carol", "dave"), each: int = 3) -> None:
    """So many calls of 90 s to London for each, one a day, by atlas."""
    calls = [Call(f"{name}-{day}", name, UK, 90, START + timedelta(days=day)) for name in who for day in range(each)]
    import_file(write(folder / "week.csv", calls), cast.source(), actor=ACTOR)


def correct_rate(cast: Cast, price: str, *, table: str = "atlas", prefix: str = "44") -> None:
    """The rate of the United Kingdom, as it was from the first of the month on."""
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    entry = RateEntry(prefix, Decimal(price), begin, destination="United Kingdom")
    set_rates(cast.table(table), [entry], actor=ACTOR)


def selection(cast: Cast, **more: Any) -> rerating.Selection:
    return rerating.Selection(**{"party": cast.northstar, "start": WEEK[0], "end": WEEK[1], "reason": WHY, **more})


def rerate(cast: Cast, increases: Any = rerating.ALL, **more: Any) -> RerateRun:
    run = rerating.preview(selection(cast, **more), actor=ACTOR)
    return rerating.apply(run, actor=ACTOR, increases=increases)


def sales(cast: Cast, buyer: str) -> list[Decimal]:
    """What each call of a buyer costs it now, tax included, oldest first."""
    found = []
    for call in RatedCall.objects.filter(buyer=cast.party(buyer)).order_by("id"):
        last = RatedCorrection.objects.filter(rated_call=call).order_by("number").last()
        found.append((last.sale + last.tax) if last else call.sale + call.tax)
    return found
