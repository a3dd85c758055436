"""Alarms of calls: spend beyond a level set or learned, first calls to dear places, a telephone system broken into."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pghistory
import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.models import AlertEvent, AlertMark
from accounts.services.alert_rules import BUILT_IN, Applied, Terms, rules_for, set_rule
from accounts.services.alerts import raise_alarm
from accounts.services.watching import watch_balances
from invoicing.models import OutboxMail
from invoicing.services.alarms import mail_alarms
from rating.alerts.risk import Watched, drop_range, ranges, set_range
from rating.alerts.spending import Buyer, Period, usual_spend, week_before
from rating.alerts.watching import watch_calls
from rating.models import Fact
from tests.cast import ACTOR, Cast
from tests.rating.live_help import a_switch, ask, talk
from tiers.errors import Forbidden, Invalid
from tiers.models import Status
from tiers.selectors.trail import trail
from tiers.services.parties import set_status

BERLIN = "Europe/Berlin"
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
"""A Wednesday."""
PREMIUM = "19005550123"
TRINIDAD = "18682345678"
EVERYWHERE = (
    *("442079460000", "33142278186", "4940123456", "85225550123", "8613800138000", "919812345678", "61255501234"),
    *(TRINIDAD, "12125550177"),
)


def fact(cast: Cast, buyer: str, hour: datetime, spent: str, **more: Any) -> None:
    """What a buyer's calls cost in an hour, tax included, in its wallet's currency."""
    party = cast.party(buyer)
    wallet = cast.wallet(buyer)
    values = {
        "hour": hour,
        "seller": wallet.seller,
        "buyer": party,
        "service_class": "international",
        "destination": "United Kingdom",
        "currency": wallet.account.currency,
        **dict.fromkeys(("attempts", "answered", "charged"), 1),
        **dict.fromkeys(("duration_s", "billed_s"), 60),
        "sale_micro": int(Decimal(spent) * 1_000_000),
        "tax_micro": 0,
        "cost_micro": 0,
    }
    Fact.objects.create(**(values | more))


def charge(cast: Cast, buyer: str, key: str) -> None:
    """A charge now: what makes the watch look at a buyer."""
    from accounts.services.accounts import counter_account
    from accounts.services.ledger import Draft, post
    from accounts.services.transactions import in_transaction

    wallet = cast.wallet(buyer)
    draft = Draft(
        wallet.pk, counter_account(wallet, "revenue"), Decimal("0.01"), wallet.account.currency, "usage", f"test:{key}"
    )
    in_transaction(lambda: post([draft], actor=ACTOR))


def alarms(kind: str = "") -> list[AlertEvent]:
    found = AlertEvent.objects.order_by("id")
    return list(found.filter(kind=kind) if kind else found)


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


# -- spend ----------------------------------------------------------------------------------------------------------
def test_more_than_a_set_amount_in_an_hour_is_told_once_and_again_the_next_hour(cast: Cast) -> None:
    harbour = cast.party("harbour")
    set_rule(harbour, None, "spend_hour", Terms(currency="EUR", threshold=Decimal(50)), actor=ACTOR)
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    cast.fund("alice", 10)
    charge(cast, "alice", "one")
    fact(cast, "alice", hour, "50")
    assert watch_calls(now) == 0, "50.00 is not above 50"
    fact(cast, "alice", hour, "12.10")
    assert (watch_calls(now), watch_calls(now)) == (1, 0)
    fact(cast, "alice", hour, "100")
    assert watch_calls(now) == 0, "the hour was told of"
    (event,) = alarms()
    assert (event.figures["spent"], event.figures["limit"], event.is_open) == ("62.1", "50", True)
    assert mail_alarms() == 1
    mail = OutboxMail.objects.get()
    assert plain(mail.subject) == "Alice's Hotel: 62.10 EUR spent in an hour"
    assert (mail.to, mail.bcc) == (["bills@alice.example"], ["accounts@harbour.example"])
    later = now + timedelta(hours=1)
    fact(cast, "alice", hour + timedelta(hours=1), "60")
    assert watch_calls(later) == 1
    assert [one.is_open for one in alarms()] == [False, True]


def test_a_day_is_that_of_the_brand_and_a_file_of_yesterday_is_still_news(cast: Cast) -> None:
    harbour = cast.party("harbour")
    set_rule(harbour, None, "spend_day", Terms(currency="EUR", threshold=Decimal(20)), actor=ACTOR)
    cast.fund("alice", 10)
    charge(cast, "alice", "one")
    now = timezone.now()
    midnight = now.astimezone(Buyer(harbour, zone()).zone).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = (midnight - timedelta(hours=1)).astimezone(UTC)
    fact(cast, "alice", yesterday, "15")
    fact(cast, "alice", midnight.astimezone(UTC), "15")
    assert watch_calls(now) == 0, "15 on each of two days"
    fact(cast, "alice", yesterday - timedelta(hours=2), "6")
    assert watch_calls(now) == 1
    (event,) = alarms()
    assert (event.figures["spent"], event.is_open) == ("21", False)


def zone() -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(BERLIN)


def test_what_is_usual_is_the_median_of_four_weeks(cast: Cast) -> None:
    buyer = Buyer(cast.party("alice"), zone())
    for week, spent in ((1, "10"), (2, "12"), (3, "90"), (4, "8")):
        fact(cast, "alice", NOON - timedelta(weeks=week), spent)
    hour = Period(NOON, NOON + timedelta(hours=1), Decimal(0))
    assert usual_spend(buyer, hour, "EUR", by_hour=True) == Decimal(11), "one wild week changes little"
    assert usual_spend(buyer, hour, "USD", by_hour=True) == 0
    start, _end = week_before(hour, 4, buyer.zone, by_hour=True)
    assert start == datetime(2026, 10, 21, 11, tzinfo=UTC), "the same hour on the wall, in summer time"


def test_more_than_usual_is_told_and_a_floor_keeps_pennies_quiet(cast: Cast) -> None:
    terms = Terms(currency="EUR", threshold=Decimal(5), factor=Decimal(3))
    set_rule(cast.party("harbour"), cast.party("alice"), "usual_hour", terms, actor=ACTOR)
    cast.fund("alice", 10)
    charge(cast, "alice", "one")
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    for week in (1, 2, 3, 4):
        fact(cast, "alice", hour - timedelta(weeks=week), "10")
    fact(cast, "alice", hour, "30")
    assert watch_calls(now) == 0, "three times the usual is not above three times"
    fact(cast, "alice", hour, "0.01")
    assert watch_calls(now) == 1
    (event,) = alarms()
    assert {name: event.figures[name] for name in ("spent", "usual", "limit")} == {
        "spent": "30.01",
        "usual": "10",
        "limit": "30",
    }
    mail_alarms()
    text = plain(OutboxMail.objects.get().text)
    assert "Usual is 10.00 EUR: the middle of what was spent in the same hour of the last four weeks." in text


def test_a_customers_own_rule_tells_it_alone_and_changes_nothing_of_its_sellers(cast: Cast) -> None:
    harbour, alice = cast.party("harbour"), cast.party("alice")
    set_rule(harbour, None, "spend_hour", Terms(currency="EUR", threshold=Decimal(50), block=True), actor=ACTOR)
    set_rule(alice, alice, "spend_hour", Terms(currency="EUR", threshold=Decimal(10)), actor=ACTOR)
    cast.fund("alice", 10)
    charge(cast, "alice", "one")
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    fact(cast, "alice", hour, "11")
    assert watch_calls(now) == 1
    assert (alarms()[0].owner, alarms()[0].copy) == (alice, [])
    assert cast.party("alice").status == Status.ACTIVE
    set_rule(alice, alice, "spend_hour", Terms(enabled=False, currency="EUR", threshold=Decimal(9999)), actor=ACTOR)
    fact(cast, "alice", hour, "40")
    watch_calls(now)
    assert cast.party("alice").status == Status.BLOCKED


# -- where to -------------------------------------------------------------------------------------------------------
def test_summits_customer_calls_premium_for_the_first_time(cast: Cast) -> None:
    cast.fund("summit", 5000)
    cast.fund("carol", 500)
    switch = a_switch(cast)
    now = timezone.now()
    assert ask(switch, "uk", "ACC-carol").allow
    assert watch_calls(now) == 0
    assert ask(switch, "premium", "ACC-carol", PREMIUM).allow
    assert (watch_calls(now), watch_calls(now)) == (1, 0)
    (event,) = alarms()
    assert (event.kind, event.party.code, event.owner.code, event.occasion) == ("risk", "carol", "summit", "premium")
    talk(switch, "premium", 30)
    assert ask(switch, "premium again", "ACC-carol", PREMIUM).allow
    assert watch_calls(now) == 0, "it is not the first any more"
    mail_alarms()
    mail = OutboxMail.objects.get()
    assert (mail.to, mail.sender_name) == (["bills@carol.example"], "Summit Networks")


def test_who_calls_there_all_the_time_is_no_news(cast: Cast) -> None:
    cast.fund("harbour", 900)
    cast.fund("alice", 50)
    long_ago = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=30)
    switch = a_switch(cast)
    assert ask(switch, "there", to=TRINIDAD).allow
    from rating.models import LiveCall

    live = LiveCall.objects.get()
    fact(cast, "alice", long_ago, "1", grain="day", destination=live.destination, service_class=live.service_class)
    assert watch_calls() == 0
    Fact.objects.all().delete()
    assert watch_calls() == 1
    assert alarms()[0].figures["range"] == "+1868"


def test_the_operators_list_decides_what_is_risky(cast: Cast) -> None:
    operator = cast.party("northstar")
    assert Watched().range_of("881612345678", "international") is not None
    assert Watched().range_of("442079460000", "international") is None
    row = set_range(operator, "4420", "London for a while", True, actor=ACTOR)
    off = set_range(operator, "881", "", False, actor=ACTOR)
    found = Watched().range_of("442079460000", "international")
    assert found is not None
    assert (found.prefix, found.name, found.own) == ("4420", "London for a while", False)
    assert Watched().range_of("881612345678", "international") is None
    drop_range(row, actor=ACTOR)
    drop_range(off, actor=ACTOR)
    assert {one.prefix for one in ranges() if not one.watched or not one.own} == set()
    with pytest.raises(Forbidden):
        set_range(cast.party("harbour"), "44", "UK", True, actor=ACTOR)
    with pytest.raises(Invalid):
        set_range(operator, "0044", "UK", True, actor=ACTOR)


def test_a_hacked_telephone_system_is_blocked_and_the_next_call_refused(cast: Cast) -> None:
    harbour = cast.party("harbour")
    set_rule(harbour, None, "places", Terms(most_countries=8, block=True), actor=ACTOR)
    cast.fund("harbour", 900)
    cast.fund("alice", 200)
    switch = a_switch(cast)
    for number in range(30):
        assert ask(switch, f"hack-{number}", to=EVERYWHERE[number % 8]).allow
    assert [event.kind for event in alarms("places")] == []
    watch_calls()
    assert alarms("places") == [], "eight countries are not more than eight"
    assert ask(switch, "the ninth", to=EVERYWHERE[8]).allow
    watch_calls()
    watch_balances()
    (event,) = alarms("places")
    assert event.blocked
    assert len(event.figures["countries"]) == 9
    refused = ask(switch, "one more")
    assert (refused.allow, refused.sip_code, refused.code) == (False, 403, "blocked")
    mail_alarms()
    mail = OutboxMail.objects.get(subject__contains="9 countries")
    assert (mail.to, mail.bcc) == (["bills@alice.example"], ["accounts@harbour.example"])
    assert "Alice's Hotel is blocked: new calls are refused until somebody unblocks it." in mail.text
    assert OutboxMail.objects.filter(subject__contains="is blocked").count() == 0, "one mail says both"
    entries, _more = trail(cast.viewer("harbour"))
    assert any(entry.actor == "alarm rule: places (Harbour Voice)" and entry.which == "Alice's Hotel"
               for entry in entries)  # fmt: skip
    set_status(cast.party("alice"), Status.ACTIVE, actor=ACTOR)
    watch_calls()
    watch_balances()
    assert cast.party("alice").status == Status.ACTIVE, "unblocked by a person: the same alarm blocks no second time"


def test_calls_from_many_addresses(cast: Cast) -> None:
    terms = Terms(most_addresses=2)
    set_rule(cast.party("harbour"), cast.party("alice"), "places", terms, actor=ACTOR)
    cast.fund("harbour", 900)
    cast.fund("alice", 50)
    switch = a_switch(cast)
    for number in (1, 2, 3):
        assert ask(switch, f"from-{number}", src_ip=f"203.0.113.{number}").allow
    assert watch_calls() == 1
    (event,) = alarms()
    assert (event.figures["by_address"], len(event.figures["addresses"])) == (True, 3)
    now = timezone.now() + timedelta(minutes=90)
    watch_calls(now)
    assert not alarms()[0].is_open, "an hour later the calls are over"


def test_calls_refused_for_want_of_funds_say_that_nothing_is_left(cast: Cast) -> None:
    cast.fund("harbour", 900)
    cast.fund("alice", "0.0001")
    switch = a_switch(cast)
    refused = ask(switch, "too dear")
    assert (refused.allow, refused.sip_code) == (False, 402)
    assert (watch_calls(), watch_calls()) == (1, 0)
    assert alarms()[0].kind == "empty"
    mail_alarms()
    assert "What is left is too little for a call." in OutboxMail.objects.get().text
    cast.fund("alice", 5)
    watch_balances()
    assert not alarms()[0].is_open


# -- whose rule -----------------------------------------------------------------------------------------------------
def test_rules_of_sellers_for_all_for_one_and_from_further_up(cast: Cast) -> None:
    operator, harbour, alice, bob = (cast.party(code) for code in ("northstar", "harbour", "alice", "bob"))
    kinds = ["spend_day", "places"]

    def held(code: str) -> list[tuple[str, str, Decimal | None]]:
        party = cast.party(code)
        found = rules_for([party], kinds)[party.pk]
        return [(one.kind, one.owner.code, one.terms.threshold) for one in found]

    assert held("alice") == [("places", "harbour", None)]
    assert rules_for([alice], kinds)[alice.pk][0].terms == BUILT_IN["places"]
    day = Terms(currency="EUR", threshold=Decimal(50))
    set_rule(harbour, None, "spend_day", day, actor=ACTOR)
    assert ("spend_day", "harbour", Decimal(50)) in held("alice")
    assert [one for one in held("bob") if one[0] == "spend_day"] == [], "bob buys from pier"
    set_rule(harbour, alice, "spend_day", Terms(currency="EUR", threshold=Decimal(9)), actor=ACTOR)
    assert ("spend_day", "harbour", Decimal(9)) in held("alice")
    set_rule(operator, bob, "spend_day", day, actor=ACTOR)
    assert ("spend_day", "northstar", Decimal(50)) in held("bob")
    set_rule(harbour, alice, "places", Terms(enabled=False), actor=ACTOR)
    assert [one for one in held("alice") if one[0] == "places"] == []


@pytest.mark.parametrize(
    ("code", "kind", "terms"),
    [
        ("alice", "spend_day", Terms(currency="EUR", threshold=Decimal(5), block=True)),
        ("mallory", "spend_day", Terms(currency="EUR", threshold=Decimal(5))),
        ("harbour", "low", Terms(block=True)),
        ("harbour", "spend_day", Terms(currency="euro", threshold=Decimal(5))),
        ("harbour", "spend_day", Terms(currency="EUR")),
        ("harbour", "usual_day", Terms(currency="EUR", threshold=Decimal(5), factor=Decimal(1))),
        ("harbour", "places", Terms()),
        ("harbour", "risk", Terms(also_to=("not an address",))),
        ("harbour", "weather", Terms()),
    ],
    ids=["own-block", "stranger", "low-blocks", "currency", "amount", "factor", "places", "address", "kind"],
)
def test_rules_that_cannot_be(cast: Cast, code: str, kind: str, terms: Terms) -> None:
    owner = cast.party("alice" if code in ("alice", "mallory") else code)
    party = cast.party(code) if code in ("alice", "mallory") else None
    with pytest.raises((Invalid, Forbidden)):
        set_rule(owner, party, kind, terms, actor=ACTOR)


def test_the_trail_tells_who_changed_a_rule(cast: Cast) -> None:
    harbour = cast.party("harbour")
    with pghistory.context(actor="test"):
        set_rule(harbour, None, "risk", Terms(block=True), actor=ACTOR)
        set_rule(harbour, None, "risk", Terms(block=False), actor=ACTOR)
    entries, _more = trail(cast.viewer("harbour"))
    assert [change.field for change in entries[0].changes] == ["block"]


# -- many hands -----------------------------------------------------------------------------------------------------
def together(work: Callable[[], int], hands: int = 8) -> list[int]:
    """What each of so many threads, let go at once, came back with."""
    gate, found = threading.Barrier(hands), []

    def one() -> None:
        try:
            gate.wait()
            found.append(work())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _hand in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_many_watches_and_mailers_at_once_make_one_alarm_and_one_mail(cast: Cast) -> None:
    cast.fund("alice", 5)
    from accounts.services.alerts import set_warning

    set_warning(cast.wallet("alice").pk, Decimal(10))
    set_rule(cast.party("harbour"), None, "spend_hour", Terms(currency="EUR", threshold=Decimal(1)), actor=ACTOR)
    charge(cast, "alice", "one")
    now = timezone.now()
    fact(cast, "alice", now.replace(minute=0, second=0, microsecond=0), "2")
    assert sum(together(lambda: watch_balances(now))) == 1
    assert sum(together(lambda: watch_calls(now))) == 1
    assert sum(together(mail_alarms)) == 2
    assert OutboxMail.objects.count() == AlertEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_database_keeps_an_alarm_one_even_without_the_watchs_lock(cast: Cast) -> None:
    from django.db import transaction

    alice, harbour = cast.party("alice"), cast.party("harbour")
    applied = Applied("risk", harbour, Terms(block=True), direct=True)

    def work() -> int:
        with transaction.atomic():
            return raise_alarm(applied, alice, {"destination": "x"}, now=NOON, occasion="881 x") is not None

    assert sum(together(work)) == 1
    assert [event.kind for event in alarms()].count("risk") == 1
    assert cast.party("alice").status == Status.BLOCKED
    assert AlertMark.objects.count() == 0


def test_a_quiet_minute_asks_little(cast: Cast) -> None:
    from django.test.utils import CaptureQueriesContext

    watch_calls()
    with CaptureQueriesContext(connection) as asked:
        watch_calls()
    assert len(asked) <= 12
