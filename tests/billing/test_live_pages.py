"""Live calls on the pages and by API: each reader sees its own tier, and what to do about a call."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from rating.live.cutting import Cut
from rating.live.ending import ended, find, started
from rating.live.limits import set_limits
from rating.live.switches import switch_of
from rating.models import Bar, CallCut, CallLimit, LiveCall, SpendLimit
from rating.selectors import live
from rating.services import call_cuts
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, a_switch, ask, backdate, talk

if TYPE_CHECKING:
    from rating.live.switches import Switch
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def switch(cast: Cast) -> Switch:
    """The operator's, with reports during the call; Harbour and Alice have money."""
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    return a_switch(cast, interims=True)


def talking(switch: Switch, call_id: str = "one", seconds: int = 65) -> LiveCall:
    """A call of Alice that was answered so many seconds ago."""
    ask(switch, call_id, requested_s=600)
    started(switch, find(switch, call_id))
    call = find(switch, call_id)
    backdate(call, seconds)
    return call


def page(client: Client, url: str, **params: Any) -> str:
    answer = client.get(url, params)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode()


def amounts(text: str) -> set[str]:
    return set(re.findall(r'tg-money[^>]*>([\d.,]+)<span class="tg-unit">\s*(?:EUR|USD)', text.replace("\xa0", "")))


class TestGoingOn:
    def test_each_tier_sees_what_it_sells_and_pays_and_no_other(self, cast: Cast, switch: Switch) -> None:
        call = talking(switch)
        with time_machine.travel(timezone.now(), tick=False):
            self.look(cast, call)

    def look(self, cast: Cast, call: LiveCall) -> None:
        views = {who: live.lines(cast.viewer(who), [call])[0] for who in ("northstar", "harbour", "alice")}
        alice, harbour, operator = (views[who] for who in ("alice", "harbour", "northstar"))
        assert alice.sold is None
        assert alice.bought is not None
        assert harbour.sold is not None
        assert harbour.bought is not None
        assert operator.sold is not None
        assert operator.bought is not None
        assert alice.bought.amount >= harbour.sold.amount > harbour.bought.amount
        assert harbour.bought.amount == operator.sold.amount > operator.bought.amount > 0
        text = page(cast.client("alice"), "/customer/calls/live/")
        assert "Talking" in text
        hers = amounts(text)
        for amount in (harbour.sold.amount, harbour.bought.amount, operator.bought.amount):
            assert amount == alice.bought.amount or f"{amount:.4f}" not in hers
        assert f"{harbour.bought.amount:.4f}" in amounts(page(cast.client("harbour"), "/dealer/live/"))
        assert f"{operator.bought.amount:.4f}" in amounts(page(cast.client("northstar"), "/operator/live/"))

    def test_what_it_shows_at_the_end_is_what_is_charged(self, cast: Cast, switch: Switch) -> None:
        call = talk(switch, self.asked(switch), 95)
        for who in ("northstar", "harbour", "alice"):
            viewer = cast.viewer(who)
            [line] = live.lines(viewer, [call])
            [*rated] = live.rated_calls(viewer, call)
            if who == "alice":
                assert line.bought is not None
                assert line.bought.amount == rated[0].sale + rated[0].tax
            else:
                own = next(row for row in rated if row.seller_id == viewer.party.pk)
                assert line.sold is not None
                assert line.bought is not None
                assert (line.sold.amount, line.bought.amount) == (own.sale, own.cost)

    def asked(self, switch: Switch) -> str:
        ask(switch, "whole", requested_s=600)
        return "whole"

    def test_a_call_that_rings_costs_nothing_yet_and_an_unreported_one_at_most(
        self, cast: Cast, switch: Switch
    ) -> None:
        ask(switch, "rings")
        [line] = live.lines(cast.viewer("alice"), [find(switch, "rings")])
        assert line.bought is not None
        assert (line.state, line.bought.amount) == ("ringing", 0)
        quiet = a_switch(cast)
        ask(quiet, "quiet")
        call = find(quiet, "quiet")
        backdate(call, 30)
        [line] = live.lines(cast.viewer("alice"), [call])
        assert line.bought is not None
        assert line.at_most
        assert line.bought.amount > 0
        assert "at most" in page(cast.client("alice"), "/customer/calls/live/")

    def test_strangers_see_none_of_it(self, cast: Cast, switch: Switch) -> None:
        call = talking(switch)
        for who, portal in (("outsider", "/dealer/live/"), ("mallory", "/customer/calls/live/")):
            for url in (portal, f"{portal}now/", f"{portal}attempts/"):
                text = page(cast.client(who), url)
                assert str(call.pk) not in text
                assert "700900" not in text.replace(" ", "")

    def test_the_list_is_narrowed_and_a_name_that_nobody_has_is_said_at_its_field(
        self, cast: Cast, switch: Switch
    ) -> None:
        call = talking(switch)
        operator = cast.client("northstar")
        assert str(call.pk) in page(operator, "/operator/live/", party="harbour", switch="switch")
        assert str(call.pk) not in page(operator, "/operator/live/", party="summit")
        assert "There is no such party here." in page(operator, "/operator/live/", party="nobody")
        assert "There is no such party here." in page(cast.client("harbour"), "/dealer/live/", party="erin")

    def test_a_part_asked_for_after_the_logout_sends_the_page_to_the_login(self, cast: Cast) -> None:
        answer = Client().get("/operator/live/now/", headers={"HX-Request": "true"})
        assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")

    def test_the_page_of_a_call_is_shown_anew_when_its_state_changed(self, cast: Cast, switch: Switch) -> None:
        call = talking(switch)
        client, url = cast.client("alice"), f"/customer/calls/live/{call.pk}/now/"
        moving = client.get(url, {"state": "talking"}, headers={"HX-Request": "true"})
        assert "HX-Refresh" not in moving.headers
        ended(call, 65)
        assert client.get(url, {"state": "talking"}, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


class TestAttempts:
    def test_a_sellers_trouble_is_told_to_it_and_above_only(self, cast: Cast) -> None:
        cast.fund("alice", 20)
        ask(a_switch(cast), "poor dealer")
        told = "Not enough funds or credit."
        assert told in page(cast.client("harbour"), "/dealer/live/attempts/")
        assert told in page(cast.client("northstar"), "/operator/live/attempts/", outcome="funds")
        hers = page(cast.client("alice"), "/customer/calls/live/attempts/")
        assert told not in hers.partition("<table")[2]
        assert "The service is not available at the moment." in hers
        for outcome, found in (("funds", False), ("unavailable", True), ("refused", True)):
            text = page(cast.client("alice"), "/customer/calls/live/attempts/", outcome=outcome)
            assert ("<table" in text) is found, outcome

    def test_her_own_empty_wallet_is_told_to_her(self, cast: Cast) -> None:
        cast.fund("harbour", 100)
        ask(a_switch(cast), "poor customer")
        assert "Not enough funds or credit." in page(
            cast.client("alice"), "/customer/calls/live/attempts/", outcome="funds"
        )

    def test_the_audit_trail_of_a_call_names_address_port_and_device(self, cast: Cast, switch: Switch) -> None:
        call = talk(switch, TestGoingOn().asked(switch), 30)
        for who, url in (
            ("northstar", "/operator/live/"),
            ("harbour", "/dealer/live/"),
            ("alice", "/customer/calls/live/"),
        ):
            client = cast.client(who)
            text = page(client, f"{url}{call.pk}/")
            rated = live.rated_calls(cast.viewer(who), call)[0]
            portal = url.split("/")[1]
            for shown in (text, page(client, f"/{portal}/calls/{rated.pk}/")):
                plain = shown.replace(" : ", ":")
                assert "198.51.100.7:5062" in plain, (who, url)
                assert "Yealink T54W" in plain, (who, url)
            assert f"/{portal}/calls/{rated.pk}/" in text

    def test_pages_go_on_by_key(self, cast: Cast) -> None:
        switch = a_switch(cast)
        for number in range(55):
            ask(switch, f"n{number}", account="nobody", to=MOBILE)
        client = cast.client("northstar")
        first = page(client, "/operator/live/attempts/", outcome="unknown")
        following = re.search(r"\?([^\"]*after=[0-9a-f-]+)", first)
        assert following is not None
        second = page(client, f"/operator/live/attempts/?{following.group(1).replace('&amp;', '&')}")
        assert (first.count('class="tg-open"'), second.count('class="tg-open"')) == (50, 5)


class TestEnding:
    @pytest.fixture(autouse=True)
    def _obeys(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        settings.SWITCH_CONTROLS = (
            '{"switch": {"kind": "asterisk", "url": "http://127.0.0.1:9/ari", "user": "t", "password": "p"}}'
        )
        monkeypatch.setattr(call_cuts, "cut", lambda call: Cut(True, "The switch has hung up."))

    def test_support_ends_a_call_and_the_trail_names_who_did(self, cast: Cast, switch: Switch) -> None:
        call = talking(switch)
        support = cast.client("support.harbour")
        url = f"/dealer/live/{call.pk}/"
        assert f"{url}end/" in page(support, url)
        assert "End the call to +44 7700 900123?" in page(support, f"{url}end/")
        answer = support.post(f"{url}end/", follow=True)
        assert "The switch has hung up." in answer.content.decode()
        cut = CallCut.objects.get()
        assert (cut.actor, cut.done, cut.call_id) == ("support.harbour@cast.example", True, call.pk)
        assert "support.harbour@cast.example told the switch to end it" in answer.content.decode()
        assert "Your seller told the switch to end it" in page(cast.client("alice"), f"/customer/calls/live/{call.pk}/")
        trail = page(cast.client("northstar"), "/operator/settings/trail/")
        assert "support.harbour@cast.example" in trail
        assert "+447700900123 " in trail

    def test_a_reader_ends_nothing_and_a_customer_her_own(self, cast: Cast, switch: Switch) -> None:
        call = talking(switch)
        reader = cast.client("reader.harbour")
        url = f"/dealer/live/{call.pk}/end/"
        assert f"{url}" not in page(reader, f"/dealer/live/{call.pk}/")
        assert (reader.get(url).status_code, reader.post(url).status_code) == (403, 403)
        assert not CallCut.objects.exists()
        assert cast.client("alice").post(f"/customer/calls/live/{call.pk}/end/").status_code == 302
        assert CallCut.objects.get().actor == "alice@cast.example"

    def test_a_switch_that_takes_no_orders_says_so(self, cast: Cast, switch: Switch, settings: Any) -> None:
        settings.SWITCH_CONTROLS = ""
        call = talking(switch)
        client = cast.client("northstar")
        assert "End the call" not in page(client, f"/operator/live/{call.pk}/")
        answer = client.post(f"/operator/live/{call.pk}/end/", follow=True)
        assert "takes no orders from here" in answer.content.decode()
        by_api = client.post(f"/api/v1/live-calls/{call.pk}/end/")
        assert (by_api.status_code, by_api.json()["code"]) == (409, "no_orders")


class TestHolds:
    def test_what_is_set_aside_names_its_call_and_goes_with_it(self, cast: Cast, switch: Switch) -> None:
        call = talking(switch)
        harbour = cast.client("harbour")
        url = f"/dealer/money/wallets/{cast.wallet('alice').pk}/holds/"
        for shown in (page(harbour, "/dealer/live/holds/"), page(harbour, url)):
            assert f"/dealer/live/{call.pk}/" in shown
            assert "its call is over" not in shown
        assert cast.client("outsider").get(url).status_code == 404
        backdate(call, 3000)
        assert "its call is over" in page(harbour, "/dealer/live/holds/")
        ended(find(switch, "one"), 65)
        assert "Nothing is set aside" in page(harbour, "/dealer/live/holds/")


class TestSwitches:
    GIVEN = {"source": "pbx", "name": "Kamailio", "networks": "203.0.113.0/24\n198.51.100.7", "interims": "on"}

    def test_an_owner_makes_a_key_that_opens_the_door_until_it_is_revoked(self, cast: Cast) -> None:
        owner = cast.client("harbour")
        shown = owner.post("/dealer/live/switches/new/", self.GIVEN)
        assert shown["Cache-Control"] == "no-store"
        key = re.search(r"sw_[\w-]+", shown.content.decode())
        assert key is not None
        found = switch_of(key.group())
        assert found is not None
        assert found.interims
        assert found.slice_s == 300
        listed = page(owner, "/dealer/live/switches/")
        assert "203.0.113.0/24 198.51.100.7/32" in listed
        assert key.group() not in listed
        assert owner.post(f"/dealer/live/switches/{found.key_id}/revoke/").status_code == 302
        assert "Revoked" in page(owner, "/dealer/live/switches/")

    @pytest.mark.parametrize("networks", ["203.0.113.0/33", "anywhere"])
    def test_what_is_no_network_is_said_at_its_field(self, cast: Cast, networks: str) -> None:
        answer = cast.client("harbour").post("/dealer/live/switches/new/", {**self.GIVEN, "networks": networks})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["networks"])

    def test_only_owners_make_keys(self, cast: Cast) -> None:
        for who in ("finance.harbour", "support.harbour", "reader.harbour"):
            client = cast.client(who)
            assert client.post("/dealer/live/switches/new/", self.GIVEN).status_code == 403, who
            assert "/switches/new/" not in page(client, "/dealer/live/switches/"), who

    def test_a_new_switch_is_made_with_its_key(self, cast: Cast) -> None:
        given = {**self.GIVEN, "source": "", "code": "pier-front"}
        assert cast.client("pier").post("/dealer/live/switches/new/", given).status_code == 200
        assert cast.source("pier-front").owner == cast.pier
        foreign = cast.client("pier").post("/dealer/live/switches/new/", self.GIVEN)
        assert foreign.status_code == 422, "Harbour's switch is not Pier's to open"


class TestLimits:
    def test_a_dealer_limits_its_customer_and_sees_what_is_in_use(self, cast: Cast, switch: Switch) -> None:
        talking(switch)
        harbour = cast.client("harbour")
        answer = harbour.post("/dealer/customers/alice/calls/limits/", {"max_calls": 1, "max_per_second": ""})
        assert answer.status_code == 302
        limit = CallLimit.objects.get(party=cast.alice)
        assert (limit.max_calls, limit.max_per_second, limit.active) == (1, None, 1)
        assert ask(switch, "second").code == "concurrent"
        assert "In use now" in page(harbour, "/dealer/customers/alice/calls/")
        assert harbour.get("/dealer/customers/harbour/calls/").status_code == 404, "its own are its seller's to set"

    def test_a_day_s_spend_and_closed_destinations_hold_at_the_door(self, cast: Cast, switch: Switch) -> None:
        harbour = cast.client("harbour")
        assert harbour.post("/dealer/customers/alice/calls/spend/", {"per_day": "0"}).status_code == 302
        assert SpendLimit.objects.get().per_day == Decimal(0)
        assert ask(switch, "spent").code == "spend"
        given = {"kind": "prefix", "digits": "+44 7"}
        assert harbour.post("/dealer/customers/alice/calls/closed/", given).status_code == 302
        assert ask(switch, "closed").code == "barred"
        bar = Bar.objects.get()
        assert "+447" in page(harbour, "/dealer/customers/alice/calls/")
        url = f"/dealer/customers/alice/calls/closed/{bar.pk}/"
        assert cast.client("finance.harbour").post(url).status_code == 403
        assert harbour.post(url).status_code == 302
        assert not Bar.objects.exists()

    def test_what_the_operator_closed_a_dealer_does_not_open(self, cast: Cast) -> None:
        operator = cast.client("northstar")
        operator.post("/operator/parties/alice/calls/closed/", {"kind": "premium"})
        bar = Bar.objects.get()
        text = page(cast.client("harbour"), "/dealer/customers/alice/calls/")
        assert "by your seller" in text
        assert f"/closed/{bar.pk}/" not in text
        assert cast.client("harbour").post(f"/dealer/customers/alice/calls/closed/{bar.pk}/").status_code == 404

    def test_a_carrier_takes_so_many(self, cast: Cast) -> None:
        operator = cast.client("northstar")
        assert operator.post("/operator/prices/carriers/atlas/calls/", {"max_calls": -1}).status_code == 422
        assert operator.post("/operator/prices/carriers/atlas/calls/", {"max_calls": 200}).status_code == 302
        assert CallLimit.objects.get().max_calls == 200


class TestApi:
    def test_calls_are_listed_with_own_figures_and_filtered(self, cast: Cast, switch: Switch) -> None:
        call = talking(switch)
        ask(switch, "unknown", account="nobody")
        operator, alice = cast.client("northstar"), cast.client("alice")
        [row] = operator.get("/api/v1/live-calls/", {"open": "true"}).json()["results"]
        assert (row["id"], row["state"], row["customer"], row["src_port"]) == (str(call.pk), "talking", "alice", 5062)
        assert row["sold"]["currency"] == "EUR"
        assert row["bought"]["currency"] == "USD"
        [row] = operator.get("/api/v1/live-calls/", {"refused": "any"}).json()["results"]
        assert (row["code"], row["customer"]) == ("unknown", None)
        one = alice.get(f"/api/v1/live-calls/{call.pk}/").json()
        assert one["sold"] is None
        assert Decimal(one["bought"]["amount"]) > 0
        holds = alice.get("/api/v1/holds/").json()["results"]
        assert [(hold["party"], hold["live_call"]) for hold in holds] == [("alice", str(call.pk))]

    def test_keys_and_limits_are_made_by_api(self, cast: Cast) -> None:
        harbour = cast.client("harbour")
        made = harbour.post(
            "/api/v1/switch-keys/",
            {"from_source": "pbx", "name": "front", "networks": ["203.0.113.7"]},
            content_type="application/json",
        )
        assert made.status_code == 201
        assert switch_of(made.json()["key"]) is not None
        assert harbour.delete(f"/api/v1/switch-keys/{made.json()['id']}/").status_code == 204
        body = {"party": "alice", "max_calls": 3}
        limit = harbour.post("/api/v1/call-limits/", body, content_type="application/json").json()
        assert (limit["party"], limit["max_calls"], limit["max_per_second"]) == ("alice", 3, None)
        own = harbour.post("/api/v1/call-limits/", {"party": "harbour"}, content_type="application/json")
        assert own.status_code == 404
        set_limits(cast.party("erin"), 1, 1, actor=ACTOR)
        assert len(harbour.get("/api/v1/call-limits/").json()["results"]) == 1
