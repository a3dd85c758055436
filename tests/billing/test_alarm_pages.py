"""Alarms and their rules on the portals and by the API: who sees them, who may change them, what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AlertEvent, AlertRule
from accounts.services.alert_rules import Applied, Terms, set_rule
from accounts.services.alerts import raise_alarm
from tests.cast import ACTOR, Cast
from tiers.models import Status

SPEND = {"enabled": "on", "currency": "EUR", "threshold": "50", "tell_buyer": "on", "tell_seller": "on", "block": "on"}


@pytest.fixture
def blocked(cast: Cast) -> AlertEvent:
    """Alice spent 62.10 EUR in an hour, and harbour's rule blocked her."""
    harbour, now = cast.party("harbour"), timezone.now()
    rule = set_rule(harbour, None, "spend_hour", Terms(currency="EUR", threshold=Decimal(50), block=True), actor=ACTOR)
    applied = Applied(
        "spend_hour", harbour, Terms(currency="EUR", threshold=Decimal(50), block=True), rule.pk, direct=True
    )
    figures = {"currency": "EUR", "spent": "62.1", "limit": "50", "start": now.isoformat(), "end": now.isoformat()}
    event = raise_alarm(applied, cast.party("alice"), figures, now=now, occasion="now")
    assert event is not None
    return event


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").replace("&#x27;", "'").split())


def test_a_dealer_sets_a_rule_for_all_and_another_for_one(cast: Cast) -> None:
    harbour = cast.client("harbour")
    page = "/dealer/alarms/rules/set/spend_hour/"
    assert harbour.post(page, SPEND).status_code == 302
    assert harbour.post(page + "alice/", SPEND | {"threshold": "9.50"}).status_code == 302
    rules = AlertRule.objects.filter(owner=cast.party("harbour")).order_by("threshold")
    assert [(rule.party and rule.party.code, rule.threshold, rule.block) for rule in rules] == [
        ("alice", Decimal("9.5"), True),
        (None, Decimal(50), True),
    ]
    said = text(harbour.get("/dealer/alarms/rules/"))
    assert "above 50.00 EUR" in said
    assert "mails the buyer, you; blocks" in said
    one = text(harbour.get("/dealer/alarms/rules/for/alice/"))
    assert "above 9.50 EUR" in one
    assert "for it alone" in one
    form = text(harbour.get(page + "alice/?currency=EUR"))
    assert 'value="9.5"' in form
    assert harbour.post(f"/dealer/alarms/rules/{rules[0].pk}/end/").status_code == 302
    assert "above 50.00 EUR" in text(harbour.get("/dealer/alarms/rules/for/alice/"))


def test_what_cannot_be_is_said_at_the_field(cast: Cast) -> None:
    harbour = cast.client("harbour")
    answer = harbour.post("/dealer/alarms/rules/set/usual_day/", SPEND | {"factor": "1"})
    assert answer.status_code == 422
    assert "How many times the usual: more than 1" in text(answer)
    answer = harbour.post("/dealer/alarms/rules/set/risk/", {"enabled": "on", "also_to": "nobody"})
    assert (answer.status_code, "nobody is not an e-mail address." in text(answer)) == (422, True)
    assert harbour.get("/dealer/alarms/rules/set/weather/").status_code == 404


def test_a_customer_has_its_own_rules_and_can_weaken_nothing(cast: Cast, blocked: AlertEvent) -> None:
    alice = cast.client("alice")
    assert alice.post("/customer/alarms/rules/set/spend_hour/", SPEND | {"threshold": "5"}).status_code == 302
    own = AlertRule.objects.get(owner=cast.party("alice"))
    assert (own.party, own.block, own.threshold) == (cast.party("alice"), False, 5)
    theirs = blocked.rule
    assert theirs is not None
    assert alice.post(f"/customer/alarms/rules/{theirs.pk}/end/").status_code == 404
    assert AlertRule.objects.filter(pk=theirs.pk).exists()
    assert alice.get("/customer/alarms/rules/set/risk/").status_code == 404
    page = text(alice.get("/customer/alarms/rules/"))
    assert "above 50.00 EUR" not in page, "her seller's level is not hers to know"
    assert page.count("as your seller's rule says") == 3, "balances and blocks are told without a rule of her own"


def test_a_reader_sees_and_cannot_change(cast: Cast) -> None:
    reader = cast.client("reader.harbour")
    assert reader.get("/dealer/alarms/rules/").status_code == 200
    assert reader.post("/dealer/alarms/rules/set/spend_hour/", SPEND).status_code == 403
    assert AlertRule.objects.count() == 0


def test_a_stranger_sees_nothing(cast: Cast, blocked: AlertEvent) -> None:
    for stranger, portal in (("outsider", "dealer"), ("mallory", "customer")):
        client = cast.client(stranger)
        assert client.get(f"/{portal}/alarms/{blocked.pk}/").status_code == 404
        assert client.get(f"/alarms/{blocked.pk}/", follow=True).status_code == 404
        assert "62.10" not in text(client.get(f"/{portal}/alarms/"))
        assert client.post(f"/{portal}/alarms/rules/set/spend_hour/alice/", SPEND).status_code == 404


def test_the_page_of_a_blocked_customer_says_why_and_unblocks(cast: Cast, blocked: AlertEvent) -> None:
    harbour = cast.client("harbour")
    assert "Blocked by an alarm:" in text(harbour.get("/dealer/customers/alice/"))
    assert "Alice's Hotel: 62.10 EUR spent in an hour" in text(harbour.get("/dealer/"))
    page = text(harbour.get(f"/alarms/{blocked.pk}/", follow=True))
    assert "Alice's Hotel is blocked: new calls are refused until somebody unblocks it." in page
    assert "/dealer/customers/alice/status/active/" in page
    assert harbour.post("/dealer/customers/alice/status/active/").status_code == 302
    assert cast.party("alice").status == Status.ACTIVE
    alice = text(cast.client("alice").get(f"/customer/alarms/{blocked.pk}/"))
    assert "accounts@harbour.example" not in alice, "whom else her seller told is its own"
    operator = cast.client("northstar")
    assert "Alice's Hotel" in text(operator.get("/operator/alarms/?party=alice"))


def test_what_the_operator_watches_of_a_dealers_customer_stays_unseen_below(cast: Cast) -> None:
    operator, alice = cast.party("northstar"), cast.party("alice")
    applied = Applied("risk", operator, Terms())
    event = raise_alarm(applied, alice, {"destination": "Cuba", "number": "5312345"}, now=timezone.now(), occasion="53")
    assert event is not None
    assert (event.to, event.copy) == (["accounts@northstar.example"], [])
    assert cast.client("northstar").get(f"/operator/alarms/{event.pk}/").status_code == 200
    assert cast.client("harbour").get(f"/dealer/alarms/{event.pk}/").status_code == 404
    assert cast.client("alice").get(f"/customer/alarms/{event.pk}/").status_code == 404


def test_alarms_by_state_and_kind(cast: Cast, blocked: AlertEvent) -> None:
    harbour = cast.client("harbour")
    assert "62.10 EUR" in text(harbour.get("/dealer/alarms/?state=open"))
    assert "No alarm is like that" in text(harbour.get("/dealer/alarms/?kind=places"))
    AlertEvent.objects.update(ended_at=timezone.now())
    assert "No alarm is like that" in text(harbour.get("/dealer/alarms/?state=open"))


def test_the_operators_ranges(cast: Cast) -> None:
    operator = cast.client("northstar")
    assert "Satellite telephones" in text(operator.get("/operator/alarms/ranges/"))
    assert operator.post("/operator/alarms/ranges/new/", {"begins": "4470", "name": "Personal"}).status_code == 302
    assert operator.post("/operator/alarms/ranges/881/switch/").status_code == 302
    page = text(operator.get("/operator/alarms/ranges/"))
    assert ("+4470" in page, page.count("not watched")) == (True, 1)
    assert operator.post("/operator/alarms/ranges/new/", {"begins": "0044", "name": "No"}).status_code == 422
    assert operator.get("/operator/alarms/ranges/999/switch/").status_code == 404
    assert cast.client("harbour").get("/operator/alarms/ranges/").status_code == 404


def test_the_same_by_api(cast: Cast, blocked: AlertEvent) -> None:
    harbour = cast.client("harbour")
    found = harbour.get("/api/v1/alarms/?open=1&party=alice&kind=spend_hour").json()["results"]
    assert [(one["party"], one["rule_of"], one["blocked"], one["figures"]["spent"]) for one in found] == [
        ("alice", "harbour", True, "62.1")
    ]
    asked = {"kind": "places", "party": "alice", "most_countries": 5, "block": True}
    made = harbour.post("/api/v1/alarm-rules/", asked, content_type="application/json")
    assert (made.status_code, made.json()["party"], made.json()["block"]) == (201, "alice", True)
    rule = made.json()["id"]
    wrong = harbour.post("/api/v1/alarm-rules/", asked | {"kind": "low"}, content_type="application/json")
    assert (wrong.status_code, wrong.headers["Content-Type"]) == (400, "application/problem+json")
    assert cast.client("outsider").delete(f"/api/v1/alarm-rules/{rule}/").status_code == 404
    reader = cast.client("reader.harbour")
    assert reader.post("/api/v1/alarm-rules/", asked, content_type="application/json").status_code == 403
    assert harbour.delete(f"/api/v1/alarm-rules/{rule}/").status_code == 204
    own = cast.client("alice").post("/api/v1/alarm-rules/", {"kind": "low", "also_to": ["a@b.example"]},
                                    content_type="application/json")  # fmt: skip
    assert (own.status_code, own.json()["party"]) == (201, "alice")
    block = {"kind": "risk", "block": True}
    assert cast.client("alice").post("/api/v1/alarm-rules/", block, content_type="application/json").status_code == 403
