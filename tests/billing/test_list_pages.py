"""Rules, drafts and changes to come in the portals and by API: what a seller sees and does about its lists."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rating.models import Follows, ListRule, PriceList, Publication
from rating.selectors.drafts import pending
from rating.services.publishing import set_follows
from rating.services.rates import RateEntry, set_rates
from tests.billing.dealer_help import quoted
from tests.cast import ACTOR, Cast

LIST = "/dealer/prices/lists/harbour-atlas"
API = "/api/v1/price-lists/harbour-atlas"
CHINA = "8613800138000"


def text(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().split())


@pytest.fixture
def drafted(cast: Cast) -> Cast:
    """Harbour's list follows by publication; then what it pays for China doubles, from tomorrow on."""
    set_follows(cast.price_list("harbour-atlas"), Follows.PUBLICATION, actor=ACTOR)
    tomorrow = timezone.now() + timedelta(days=1)
    entry = RateEntry("86", Decimal("0.032"), tomorrow, destination="China")
    set_rates(cast.table("atlas"), [entry], actor=ACTOR)
    return cast


def test_a_rule_is_set_shown_and_ended(cast: Cast) -> None:
    harbour = cast.client("harbour")
    before = quoted(cast, CHINA)["sale"]
    answer = harbour.post(f"{LIST}/rules/set/", {"target": "prefix:", "prefix": "+86 13", "percent": "100"})
    assert answer.headers["Location"] == f"{LIST}/rules/"
    assert quoted(cast, CHINA)["sale"] == before / Decimal("1.5") * 2
    shown = text(harbour, f"{LIST}/rules/")
    assert "+8613" in shown
    assert "1 rule sets other terms" in text(harbour, f"{LIST}/")
    rule = ListRule.objects.get()
    assert 'value="100"' in text(harbour, f"{LIST}/rules/set/", rule=str(rule.pk))
    assert harbour.post(f"{LIST}/rules/{rule.pk}/end/").status_code == 302
    assert quoted(cast, CHINA)["sale"] == before


@pytest.mark.parametrize(
    "typed",
    [
        {"target": "prefix:", "percent": "10"},
        {"target": "prefix:", "prefix": "44"},
        {"target": "class:emergency", "percent": "10"},
        {"target": "group:nobody", "percent": "10"},
        {"target": "class:mobile", "percent": "10", "valid_from": "2020-01-01T00:00"},
    ],
)
def test_what_makes_no_rule_is_said_at_the_form(cast: Cast, typed: dict[str, str]) -> None:
    assert cast.client("harbour").post(f"{LIST}/rules/set/", typed).status_code == 422
    assert not ListRule.objects.exists()


def test_a_group_is_made_and_a_rule_set_for_it(cast: Cast) -> None:
    harbour = cast.client("harbour")
    typed = {"name": "Asia", "code": "asia", "destinations": "China\nHong*\n", "prefixes": "91, +92"}
    assert harbour.post("/dealer/prices/groups/new/", typed).status_code == 302
    shown = text(harbour, "/dealer/prices/groups/")
    assert "China, Hong*; +91 +92" in shown
    before = quoted(cast, CHINA)["sale"]
    harbour.post(f"{LIST}/rules/set/", {"target": "group:asia", "percent": "200"})
    assert quoted(cast, CHINA)["sale"] == before * 2
    harbour.post("/dealer/prices/groups/asia/", {**typed, "destinations": "India"})
    assert quoted(cast, CHINA)["sale"] == before
    assert cast.client("outsider").get("/dealer/prices/groups/asia/").status_code == 404


def test_a_draft_waits_is_read_and_published(drafted: Cast) -> None:
    harbour = drafted.client("harbour")
    assert "a draft waits" in text(harbour, "/dealer/")
    shown = text(harbour, f"{LIST}/draft/")
    assert "China" in shown
    assert "100" in shown
    assert "No change is like that" in text(harbour, f"{LIST}/draft/", kind="lowered")
    file = b"".join(harbour.get(f"{LIST}/draft/csv/")).decode()
    assert "86,China,raised" in file
    assert "0.027,0.054,100.00" in file
    assert "1 raised" in text(harbour, f"{LIST}/draft/publish/")
    assert harbour.post(f"{LIST}/draft/publish/", {"valid_from": "2020-01-01T00:00"}).status_code == 422
    assert harbour.post(f"{LIST}/draft/publish/").status_code == 302
    assert pending(drafted.viewer("harbour")) == []
    assert "a draft waits" not in text(harbour, "/dealer/")
    assert "The base and the exchange rates give the prices" in text(harbour, f"{LIST}/draft/")


def test_a_publication_planned_for_later_can_be_taken_back(drafted: Cast) -> None:
    harbour = drafted.client("harbour")
    later = (timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    harbour.post(f"{LIST}/draft/publish/", {"valid_from": later})
    planned = Publication.objects.latest("valid_from")
    assert "Publication" in text(harbour, f"{LIST}/coming/")
    assert harbour.post(f"{LIST}/draft/{planned.pk}/cancel/").status_code == 302
    assert not Publication.objects.filter(pk=planned.pk).exists()


def test_changes_to_come_are_listed_and_taken_back(cast: Cast) -> None:
    harbour = cast.client("harbour")
    later = (timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    harbour.post(f"{LIST}/rate/", {"digits": "86", "price": "0.07"})
    harbour.post(f"{LIST}/rate/", {"digits": "86", "price": "0.5", "effective_from": later})
    harbour.post(f"{LIST}/markup/", {"percent": "99", "addon": "0", "valid_from": later})
    shown = text(harbour, f"{LIST}/coming/")
    assert "0.5000 EUR" in shown
    assert "99 %" in shown
    own = PriceList.objects.get(code="harbour-atlas").own_table
    assert own is not None
    row = own.rates.get(price="0.5")
    terms = cast.price_list("harbour-atlas").terms.latest("valid_from")
    assert harbour.post(f"{LIST}/coming/rate/{row.pk}/").status_code == 302
    assert harbour.post(f"{LIST}/coming/terms/{terms.pk}/").status_code == 302
    assert "Nothing to come" in text(harbour, f"{LIST}/coming/")
    assert own.rates.get().effective_to is None, "the price before it goes on"
    assert harbour.get(f"{LIST}/coming/rate/{own.rates.get().pk}/").status_code == 404


def test_prices_of_any_day_and_the_history_of_one(drafted: Cast) -> None:
    harbour, operator = drafted.client("harbour"), drafted.client("northstar")
    day = (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    upper = "/operator/prices/lists/northstar-eu-atlas"
    assert "0.0180" in text(operator, f"{upper}/day/", q="China")
    assert "0.0360" in text(operator, f"{upper}/day/", q="China", at=day)
    assert "0.0270" in text(harbour, f"{LIST}/day/", q="86", at=day)
    assert "No price" in text(harbour, f"{LIST}/day/", q="Atlantis")
    history = text(operator, f"{upper}/day/history/", prefix="86")
    assert history.index("0.0360") < history.index("0.0180"), "the newest first"
    assert "to come" in history
    assert "never had a price" in text(harbour, f"{LIST}/day/history/", prefix="999")


def test_a_customer_gets_prices_of_its_own_from_its_page(cast: Cast) -> None:
    harbour = cast.client("harbour")
    assert "Own prices and rules" in text(harbour, "/dealer/customers/alice/")
    typed = {"source": "harbour-atlas", "name": "Alice", "code": "alice-own"}
    answer = harbour.post("/dealer/customers/alice/prices/", typed)
    assert answer.headers["Location"] == "/dealer/prices/lists/alice-own/"
    harbour.post("/dealer/prices/lists/alice-own/rate/", {"digits": "86", "price": "0.07"})
    assert quoted(cast, CHINA)["sale"] == Decimal("0.07")
    assert harbour.get("/dealer/customers/bob/prices/").status_code == 404, "Bob buys from Pier"


def test_a_list_is_made_to_follow_automatically(drafted: Cast) -> None:
    harbour = drafted.client("harbour")
    assert harbour.post(f"{LIST}/follows/", {"follows": "automatic"}).status_code == 302
    assert drafted.price_list("harbour-atlas").follows == Follows.AUTOMATIC
    assert "nothing to publish" in text(harbour, f"{LIST}/draft/")


def test_a_reader_sees_and_changes_nothing(cast: Cast) -> None:
    reader = cast.client("reader.harbour")
    assert "New rule" not in text(reader, f"{LIST}/rules/")
    for path in ("rules/set/", "draft/publish/", "follows/"):
        assert reader.post(f"{LIST}/{path}", {}).status_code == 403, path


# -- by API ---------------------------------------------------------------------------------------------------------
def call(client: Client, method: str, path: str, status: int = 200, **body: Any) -> Any:
    answer = getattr(client, method)(path, body, **({} if method == "get" else {"content_type": "application/json"}))
    assert answer.status_code == status, answer.content
    return answer.json()


def test_the_api_sets_rules_and_publishes(drafted: Cast) -> None:
    harbour = drafted.client("harbour")
    draft = call(harbour, "get", f"{API}/draft/")
    assert (draft["counts"]["raised"], draft["changes"][0]["share"]) == (1, "1.000000")
    [made] = call(harbour, "post", f"{API}/rules/", prefix="8613", markup="1")
    assert (made["prefix"], made["markup"], made["off"]) == ("8613", "1.000000", False)
    last = call(harbour, "get", f"{API}/history/", prefix="8613")[-1]
    assert (last["price"], last["origin"]["markup_by"]) == ("0.03600000", "prefix:8613")
    assert call(harbour, "post", f"{API}/rules/end/", prefix="8613")[0]["off"] is True
    call(harbour, "post", f"{API}/publish/")
    assert call(harbour, "get", f"{API}/draft/")["changes"] == []
    assert len(call(harbour, "get", f"{API}/publications/")) == 3
    assert call(harbour, "post", f"{API}/follow/", follows="automatic")["follows"] == "automatic"
    later = (timezone.now() + timedelta(days=3)).isoformat()
    call(harbour, "post", f"{API}/rates/", 201, prefix="86", price="0.5", effective_from=later)
    call(harbour, "post", f"{API}/terms/", markup="0.7", valid_from=later)
    assert [one["kind"] for one in call(harbour, "get", f"{API}/coming/")] == ["terms", "rate"]


def test_the_api_keeps_groups(cast: Cast) -> None:
    harbour = cast.client("harbour")
    groups = "/api/v1/destination-groups/"
    call(harbour, "post", groups, 201, code="asia", name="Asia", destinations=["China"])
    call(harbour, "put", f"{groups}asia/", destinations=["India"], prefixes=["86"])
    assert call(harbour, "get", groups)["results"] == [
        {"code": "asia", "name": "Asia", "destinations": ["India"], "prefixes": ["86"]}
    ]
    [rule] = call(harbour, "post", f"{API}/rules/", group="asia", addon="0.01")
    assert rule["group"] == "asia"


def test_the_api_changes_lists_of_its_own_party_alone(cast: Cast) -> None:
    operator = cast.client("northstar")
    assert call(operator, "get", f"{API}/rules/") == []
    call(operator, "post", f"{API}/rules/", 404, prefix="44", markup="1")
    call(cast.client("reader.harbour"), "post", f"{API}/rules/", 403, prefix="44", markup="1")
    call(cast.client("harbour"), "post", f"{API}/rules/", 400, prefix="44")
