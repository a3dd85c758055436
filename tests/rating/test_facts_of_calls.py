"""Facts equal the sums over rated calls, whatever way the calls came in."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from billing.books import violations
from rating.models import Fact, Grain, Rate, RatedCall, RateTable
from rating.services import facts
from rating.services.fact_rebuild import rebuild_facts
from rating.services.imports import import_file
from rating.services.unrated import rate_waiting
from tests.cast import ACTOR, Cast
from tests.rating.calls_help import START, Call, many, write

pytestmark = pytest.mark.django_db
KEPT = (
    *("hour", "seller__code", "buyer__code", "destination", "currency"),
    *("attempts", "answered", "charged", "sale_micro"),
)
TO = {"france": "33612345678", "fiji": "6799999999", "emergency": "911", "extension": "101", "nonsense": "12"}


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path


def load(cast: Cast, folder: Path, *calls: Call, name: str = "usage.csv", source: str = "switch") -> None:
    import_file(write(folder / name, calls), cast.source(source), actor=ACTOR)


def by_hand() -> set[tuple[Any, ...]]:
    """Seller, buyer, destination, currencies, and what its rated calls come to."""
    rows = RatedCall.objects.values_list("seller", "buyer", "destination", "currency", "cost_currency")
    sums = rows.annotate(Count("id"), Sum("duration_s"), Sum("billed_s"), Sum("sale"), Sum("tax"), Sum("cost"))
    return {(*row[:-1], row[-1] or Decimal(0)) for row in sums.order_by()}


def rolled_up() -> set[tuple[Any, ...]]:
    rows = Fact.objects.filter(charged__gt=0, grain__in=[Grain.LOOSE, Grain.HOUR])
    rows = rows.values_list("seller", "buyer", "destination", "currency", "cost_currency")
    money = (Sum(f"{name}_micro") for name in ("sale", "tax", "cost"))
    sums = rows.annotate(Sum("charged"), Sum("duration_s"), Sum("billed_s"), *money).order_by()
    return {(*row[:-3], *(Decimal(amount).scaleb(-6) for amount in row[-3:])) for row in sums}


def test_a_day_of_calls_of_four_customers(cast: Cast, files: Path) -> None:
    cast.fund("summit", 500)
    for code in ("alice", "bob", "carol", "erin"):
        cast.fund(code, 100)
    codes = ("alice", "bob", "carol", "dave", "erin")
    load(cast, files, *(call for code in codes for call in many(40, code, code)))
    assert by_hand() == rolled_up()
    assert list(violations()) == []
    facts.fold()
    assert by_hand() == rolled_up()
    assert list(violations()) == []


def test_the_same_file_again_adds_nothing(cast: Cast, files: Path) -> None:
    load(cast, files, *many(60))
    before = rolled_up()
    load(cast, files, *many(60), name="again.csv")
    assert rolled_up() == before == by_hand()


def test_calls_that_nobody_took_count_where_they_would_have_gone(cast: Cast, files: Path) -> None:
    load(
        cast,
        files,
        *(Call(f"no{at}", to=TO["france"], seconds=0) for at in range(3)),
        Call("yes", to=TO["france"], at=START + timedelta(minutes=20)),
        Call("next-hour", to=TO["france"], seconds=0, at=START + timedelta(minutes=31)),
    )
    facts.fold()
    sold = Fact.objects.filter(seller=cast.harbour, grain=Grain.HOUR).order_by("hour")
    assert [(one.hour.hour, one.destination, one.attempts, one.answered, one.charged) for one in sold] == [
        (9, "France mobile", 4, 1, 1),
        (10, "France mobile", 1, 0, 0),
    ]
    assert {one.currency for one in sold} == {"EUR"}


def test_free_calls_count_and_cost_nothing_and_extensions_are_nobodys_business(cast: Cast, files: Path) -> None:
    load(cast, files, Call("sos", to=TO["emergency"]), Call("room", to=TO["extension"]), Call("odd", to="", seconds=0))
    sold = Fact.objects.filter(seller=cast.harbour).order_by("service_class")
    assert [(one.service_class, one.attempts, one.answered, one.charged, one.sale_micro) for one in sold] == [
        ("", 1, 0, 0, 0),
        ("emergency", 1, 1, 0, 0),
    ]


def test_a_call_without_a_price_has_facts_once_it_is_charged(cast: Cast, files: Path) -> None:
    load(cast, files, Call("early", to=TO["fiji"]))
    assert not Fact.objects.exists()
    for table in RateTable.objects.filter(code__in=["atlas", "boreal"]):
        Rate.objects.create(
            table=table,
            prefix="679",
            destination="Fiji",
            price=Decimal("0.5"),
            effective_from=START - timedelta(days=30),
        )
        RateTable.objects.filter(pk=table.pk).update(version=table.version + 1)
    rate_waiting()
    assert by_hand() == rolled_up()
    assert {one.destination for one in Fact.objects.all()} == {"Fiji"}


def test_a_month_is_rolled_up_again_from_its_calls(cast: Cast, files: Path) -> None:
    calls = (*many(50), Call("sos", to=TO["emergency"]), Call("room", to=TO["extension"]))
    load(cast, files, *calls)
    facts.fold()
    everything = sorted(Fact.objects.values_list(*KEPT))
    Fact.objects.all().delete()
    assert list(violations()) != []
    rebuild_facts(date(2026, 10, 1))
    facts.fold()
    assert sorted(Fact.objects.values_list(*KEPT)) == everything
    assert list(violations()) == []


def test_the_command_rebuilds_what_it_is_told(cast: Cast, files: Path) -> None:
    load(cast, files, *many(10))
    before = Fact.objects.count()
    out = io.StringIO()
    call_command("rebuild_facts", "--all", stdout=out)
    assert out.getvalue() == f"2026-10: {before} facts\n"
    for wrong in ([], ["2026-13"], ["2026-10", "--all"]):
        with pytest.raises(CommandError):
            call_command("rebuild_facts", *wrong)
