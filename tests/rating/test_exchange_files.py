"""The European Central Bank's files come in as they are; twice the same adds nothing; nothing is replaced unasked."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from rating.exchange import read_rate_file
from rating.models import ExchangeRate, RatedCall
from rating.pricing.exchange import Exchange
from rating.services.exchange import set_exchange_rate
from rating.services.exchange_files import RatesAsked, import_rates
from rating.services.imports import import_file
from tests.cast import ACTOR
from tests.rating.calls_help import Call, write
from tests.rating.ecb_help import daily_csv, daily_xml, hist_csv, hist_xml, zipped
from tiers.errors import Conflict, Invalid

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db

FRIDAY, THURSDAY = date(2026, 11, 20), date(2026, 11, 19)
TODAY = {"USD": "1.0852", "JPY": "163.41", "HKD": "8.4512"}
YESTERDAY = {"USD": "1.0790", "HKD": "8.4010"}
HISTORY = [(FRIDAY, TODAY), (THURSDAY, YESTERDAY)]


@pytest.mark.parametrize(
    "content",
    [
        daily_xml(FRIDAY, TODAY),
        daily_csv(FRIDAY, TODAY),
        hist_csv([(FRIDAY, TODAY)]),
        zipped("eurofxref.csv", daily_csv(FRIDAY, TODAY)),
        b"\xef\xbb\xbf" + daily_csv(FRIDAY, TODAY).replace(b"\n", b"\r\n"),
    ],
    ids=["daily.xml", "daily.csv", "hist.csv", "zip", "bom-crlf"],
)
def test_every_shape_of_the_file_says_the_same(content: bytes) -> None:
    found = read_rate_file(content)
    assert {one.quote: one.rate for one in found.rates} == {name: Decimal(rate) for name, rate in TODAY.items()}
    assert {(one.day, one.base) for one in found.rates} == {(FRIDAY, "EUR")}


@pytest.mark.parametrize("content", [hist_xml(HISTORY), hist_csv(HISTORY)], ids=["xml", "csv"])
def test_a_history_holds_every_day_and_na_is_no_rate(content: bytes) -> None:
    result = import_rates(content, actor=ACTOR)
    assert (result.days, result.read, result.added) == (2, 5, 5)
    exchange = Exchange()
    assert exchange.rate("EUR", "USD", datetime(2026, 11, 19, tzinfo=UTC)) == Decimal("1.0790")
    assert exchange.rate("EUR", "USD", datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC)) == Decimal("1.0790")
    assert exchange.rate("EUR", "USD", datetime(2026, 11, 20, tzinfo=UTC)) == Decimal("1.0852")
    assert exchange.rate("EUR", "JPY", datetime(2026, 11, 19, 12, tzinfo=UTC)) is None
    assert exchange.rate("EUR", "USD", datetime(2026, 11, 18, 23, 59, 59, tzinfo=UTC)) is None


def test_only_the_days_asked_for_come_in() -> None:
    result = import_rates(hist_csv(HISTORY), actor=ACTOR, since=FRIDAY)
    assert (result.days, result.read, result.added) == (1, 3, 3)
    assert not ExchangeRate.objects.filter(valid_from__lt=datetime(2026, 11, 20, tzinfo=UTC)).exists()


def test_the_same_file_twice_adds_nothing_and_a_longer_one_adds_the_rest() -> None:
    import_rates(daily_xml(FRIDAY, TODAY), actor=ACTOR)
    again = import_rates(daily_csv(FRIDAY, TODAY), actor=ACTOR)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 3)
    longer = import_rates(hist_csv(HISTORY), actor=ACTOR)
    assert (longer.added, longer.changed, longer.unchanged) == (2, 0, 3)


def test_a_preview_writes_nothing_and_shows_what_stands() -> None:
    import_rates(daily_xml(THURSDAY, YESTERDAY), actor=ACTOR)
    shown = import_rates(daily_xml(FRIDAY, TODAY), actor=ACTOR, dry_run=True)
    assert (shown.added, ExchangeRate.objects.count()) == (3, 2)
    steps = {step.quote: (step.before, step.after) for step in shown.steps}
    assert steps["USD"] == (Decimal("1.0790"), Decimal("1.0852"))
    assert steps["JPY"] == (None, Decimal("163.41"))
    assert shown.warnings == []


def test_a_leap_is_said_aloud() -> None:
    import_rates(daily_xml(THURSDAY, YESTERDAY), actor=ACTOR)
    result = import_rates(daily_xml(FRIDAY, {"USD": "1.0852", "HKD": "84.512"}), actor=ACTOR)
    assert result.warnings == ["EUR to HKD leaps from 8.401 to 84.512."]


def test_a_rate_that_no_call_was_rated_by_is_corrected() -> None:
    import_rates(daily_xml(FRIDAY, TODAY), actor=ACTOR)
    result = import_rates(daily_xml(FRIDAY, {**TODAY, "USD": "1.0900"}), actor=ACTOR)
    assert (result.changed, result.unchanged) == (1, 2)
    assert Exchange().rate("EUR", "USD", datetime(2026, 11, 20, 8, tzinfo=UTC)) == Decimal("1.09")


class TestUsed:
    """On 5 October Alice called; Harbour's list follows the dollar."""

    DAY = date(2026, 10, 5)
    NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)

    @pytest.fixture
    def called(self, cast: Cast, tmp_path: Path) -> Cast:
        cast.fund("harbour", 100)
        cast.fund("alice", 50)
        import_rates(daily_xml(self.DAY, {"USD": "1.0000", "HKD": "8.0000"}), actor=ACTOR)
        import_file(write(tmp_path / "calls.csv", [Call("a")]), cast.source(), actor=ACTOR)
        return cast

    def test_calls_are_rated_by_the_newest_rate_and_keep_it(self, called: Cast) -> None:
        """The set-up file said USD to EUR 0.90 long ago; the bank's euro of 1.0000 dollars is newer."""
        call = RatedCall.objects.get(seller=called.harbour)
        origins = [call.terms.body["origin"], called_cost(called)["origin"]]
        assert "1" in {origin.get("exchange_rate") for origin in origins}
        before = call.sale
        with pytest.raises(RatesAsked):
            import_rates(daily_xml(self.DAY, {"USD": "1.2500"}), actor=ACTOR)
        import_rates(daily_xml(self.DAY, {"USD": "1.2500"}), actor=ACTOR, differing="replace")
        call.refresh_from_db()
        assert (call.sale, called_cost(called)["origin"]["exchange_rate"]) == (before, "1")

    def test_another_rate_for_that_day_takes_an_answer(self, called: Cast) -> None:
        other = daily_xml(self.DAY, {"USD": "1.2500", "HKD": "8.0000"})
        with pytest.raises(RatesAsked) as asked:
            import_rates(other, actor=ACTOR)
        assert asked.value.result.used == 1
        kept = import_rates(other, actor=ACTOR, differing="keep")
        assert (kept.changed, kept.kept, kept.unchanged) == (0, 1, 1)
        assert Exchange().rate("EUR", "USD", self.NOON) == 1
        replaced = import_rates(other, actor=ACTOR, differing="replace")
        assert (replaced.changed, replaced.kept) == (1, 0)
        assert Exchange().rate("EUR", "USD", self.NOON) == Decimal("1.25")

    def test_a_day_after_the_call_may_be_corrected_without_asking(self, called: Cast) -> None:
        import_rates(daily_xml(date(2026, 10, 6), {"USD": "1.1000"}), actor=ACTOR)
        result = import_rates(daily_xml(date(2026, 10, 6), {"USD": "1.2000"}), actor=ACTOR)
        assert result.changed == 1

    def test_who_types_one_is_refused_too(self, called: Cast) -> None:
        moment = datetime(2026, 10, 5, tzinfo=UTC)
        with pytest.raises(Conflict) as refused:
            set_exchange_rate("EUR", "USD", Decimal("1.3"), actor=ACTOR, valid_from=moment)
        assert refused.value.code == "rate_used"
        set_exchange_rate("EUR", "USD", Decimal("1.3"), actor=ACTOR, valid_from=moment, replace=True)
        assert Exchange().rate("EUR", "USD", self.NOON) == Decimal("1.3")

    def test_the_command_asks_and_takes_the_answer(self, called: Cast, tmp_path: Path) -> None:
        path = tmp_path / "eurofxref-daily.xml"
        path.write_bytes(daily_xml(self.DAY, {"USD": "1.2500"}))
        out = io.StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("import_exchange", str(path), "--json", stdout=out)
        assert ended.value.code == 3
        assert json.loads(out.getvalue())["questions"][0]["options"] == ["keep", "replace"]
        out = io.StringIO()
        call_command("import_exchange", str(path), "--json", "--answer", "changed=replace", stdout=out)
        assert json.loads(out.getvalue())["changed"] == 1


def called_cost(cast: Cast) -> dict[str, dict[str, str]]:
    """What the operator charged Harbour, or Harbour Alice: whichever was derived at an exchange rate."""
    for call in RatedCall.objects.filter(customer=cast.alice).select_related("terms"):
        body: dict[str, dict[str, str]] = call.terms.body
        if body["origin"].get("base_currency", call.currency) != call.currency:
            return body
    raise AssertionError("no call was rated at an exchange rate")


BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>'
    b"<Cube time='2026-11-20'><Cube currency='USD' rate='&lol2;'/></Cube>"
)
FETCHING = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    b"<Cube time='2026-11-20'><Cube currency='USD' rate='&e;'/></Cube>"
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (BILLION_LAUGHS, "xml"),
        (FETCHING, "xml"),
        (daily_xml(FRIDAY, TODAY)[:-40], "xml"),
        (b"Date,USD\n2026-13-40,1.08\n", "day"),
        (b"prefix,price\n44,0.01\n", "format"),
        (b"", "format"),
        (b"Date, USD, \n", "no_rates"),
        (b"Date,USD\n2026-11-20,1.08\n2026-11-20,1.09\n", "two_rates"),
        (zipped("a.csv", b"x" * (33 * 1024 * 1024)), "too_large"),
        (b"PK\x03\x04 no zip at all", "zip"),
        (b"Date,USD\n2026-11-20,\xff\xfe\n", "encoding"),
    ],
    ids=[
        "entities",
        "outside",
        "cut",
        "no-day",
        "deck",
        "empty",
        "no-line",
        "two-rates",
        "bomb",
        "no-zip",
        "not-utf8",
    ],
)
def test_what_is_no_such_file_is_refused_whole(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        import_rates(content, actor=ACTOR)
    assert refused.value.code == code
    assert not ExchangeRate.objects.exists()


def test_cells_that_are_no_rates_are_named_and_the_others_come_in() -> None:
    text = "Date, USD, QQQ, HKD, GBP, JPY, \n20 November 2026, 1.0852, 4.1, -8.4, N/A, one, \n"
    result = import_rates(text.encode(), actor=ACTOR)
    assert (result.added, result.empty, result.bad) == (1, 1, 3)
    assert [one.where for one in result.skipped] == ["2026-11-20 QQQ", "2026-11-20 HKD", "2026-11-20 JPY"]


def test_what_was_said_last_holds_whichever_way_round() -> None:
    """A pair typed in January does not stand above the bank's rates of November; what is typed today does."""
    january, today = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
    set_exchange_rate("USD", "EUR", Decimal("0.90"), actor=ACTOR, valid_from=january)
    set_exchange_rate("USD", "HKD", Decimal("7.80"), actor=ACTOR, valid_from=january)
    import_rates(daily_xml(FRIDAY, TODAY), actor=ACTOR)
    friday_noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    exchange = Exchange()
    assert exchange.rate("USD", "EUR", january) == Decimal("0.90")
    assert exchange.rate("USD", "EUR", friday_noon) == Decimal("0.92148913")
    assert exchange.rate("USD", "HKD", friday_noon) == Decimal("7.78768891")
    said = exchange.said("USD", "HKD", friday_noon)
    assert said is not None
    assert (said.through, said.since) == ("EUR", datetime(2026, 11, 20, tzinfo=UTC))
    set_exchange_rate("USD", "HKD", Decimal("7.75"), actor=ACTOR, valid_from=today)
    assert Exchange().rate("USD", "HKD", today) == Decimal("7.75")
    assert sorted(Exchange().moments("USD", "HKD")) == [january, datetime(2026, 11, 20, tzinfo=UTC), today]
