"""The API as a program uses it: with a key, exact numbers, and errors that say what to do."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from accounts.models import Transfer
from accounts.services.accounts import wallet_of
from rating.services.imports import import_file
from tests.cast import ACTOR
from tests.rating.calls_help import many, write
from tiers.models import ApiKey
from tiers.services.keys import create_key, revoke_key
from tiers.services.parties import move_party

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


class Program:
    """A program with a key of its own."""

    def __init__(self, cast: Cast, code: str, role: str = "owner") -> None:
        self.key, plain = create_key(cast.party(code), "program", role, actor=ACTOR)
        self.client = Client(headers={"authorization": f"Api-Key {plain}"})

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def test_a_key_is_shown_once_and_gone_when_revoked(cast: Cast) -> None:
    owner = Program(cast, "harbour")
    made = owner.post("api-keys/", {"name": "crm", "role": "reader"})
    assert made.status_code == 201
    crm = Client(headers={"authorization": f"Api-Key {made.json()['key']}"})
    assert crm.get("/api/v1/me/").json()["party"]["code"] == "harbour"
    assert made.json()["key"] not in json.dumps(owner.get("api-keys/").json())
    revoke_key(ApiKey.objects.get(prefix=made.json()["prefix"]), actor=ACTOR)
    refused = crm.get("/api/v1/me/")
    assert (refused.status_code, refused["Content-Type"]) == (401, "application/problem+json")


def test_nobody_without_a_key(cast: Cast) -> None:
    assert Client().get("/api/v1/parties/").status_code == 401
    assert Client(headers={"authorization": "Api-Key nonsense"}).get("/api/v1/parties/").status_code == 401


def test_a_dealer_allocates_by_api_once_per_key(cast: Cast) -> None:
    harbour = Program(cast, "harbour")
    asked = {"party": "alice", "amount": "12.50", "currency": "EUR"}
    first = harbour.post("funds/allocate/", asked, key="order-77")
    again = harbour.post("funds/allocate/", asked, key="order-77")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert wallet_of(cast.alice).posted == Decimal("12.5")
    other = harbour.post("funds/allocate/", {**asked, "amount": "13"}, key="order-77")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


def test_two_parties_may_use_the_same_idempotency_key(cast: Cast) -> None:
    cast.fund("pier", "50")
    assert Program(cast, "harbour").post("funds/allocate/", move("alice"), key="1").status_code == 201
    assert Program(cast, "pier").post("funds/allocate/", move("bob"), key="1").status_code == 201
    assert wallet_of(cast.bob).posted == 5


def move(party: str, amount: Any = "5", currency: str = "EUR") -> dict[str, Any]:
    return {"party": party, "amount": amount, "currency": currency}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (move("alice", "-5"), 400, "amount"),
        (move("alice", "0"), 400, "amount"),
        (move("alice", "1e400"), 400, "invalid"),
        (move("alice", "NaN"), 400, "invalid"),
        (move("alice", "0.0000001"), 400, "invalid"),
        (move("alice", "5", "USD"), 400, "currency"),
        (move("mallory"), 404, "no_party"),
        (move("dave", "5", "GBP"), 404, "no_party"),
        ({"party": "alice"}, 400, "invalid"),
        ([], 400, "invalid"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(cast: Cast, body: Any, status: int, code: str) -> None:
    before = Transfer.objects.count()
    answer = Program(cast, "harbour").post("funds/allocate/", body, key="k")
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["title"]
    assert said["code"] == code
    assert Transfer.objects.count() == before


def test_money_needs_a_key_that_names_the_request(cast: Cast) -> None:
    answer = Program(cast, "harbour").post("funds/allocate/", move("alice"))
    assert (answer.status_code, answer.json()["where"]) == (400, "Idempotency-Key")


def test_json_numbers_stay_exact(cast: Cast) -> None:
    harbour = Program(cast, "harbour")
    raw = '{"party": "alice", "amount": 0.1, "currency": "EUR"}'
    for number in range(3):
        assert harbour.post("funds/allocate/", raw, key=f"n{number}").status_code == 201
    assert wallet_of(cast.alice).posted == Decimal("0.3")


@pytest.mark.parametrize("body", ["{", "nonsense", '{"amount": NaN}', "[" * 100_000])
def test_what_is_no_json_is_refused_in_words(cast: Cast, body: str) -> None:
    answer = Program(cast, "harbour").post("funds/allocate/", body, key="k")
    assert answer.status_code == 400
    assert "JSON" in answer.json()["title"]


def test_a_reader_reads_and_moves_nothing(cast: Cast) -> None:
    reader = Program(cast, "harbour", "reader")
    assert reader.get("wallets/").status_code == 200
    assert reader.post("funds/allocate/", move("alice"), key="k").status_code == 403


def test_each_sees_its_own_part_of_the_tree(cast: Cast) -> None:
    def codes(who: str) -> set[str]:
        return {row["code"] for row in Program(cast, who).get("parties/", page_size=500).json()["results"]}

    assert {"harbour", "pier", "alice", "bob"} == codes("harbour")
    assert codes("alice") == {"alice"}
    assert {"northstar", "harbour", "dave", "mallory"} < codes("northstar")
    assert Program(cast, "harbour").get("parties/dave/").status_code == 404
    assert Program(cast, "harbour").get("parties/northstar/").status_code == 404


def test_a_buyer_never_sees_its_sellers_cost(cast: Cast, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    import_file(write(tmp_path / "c.csv", many(5, "bob")), cast.source(), actor=ACTOR)
    bobs = Program(cast, "bob").get("calls/").json()["results"]
    assert bobs
    assert {row["cost"] for row in bobs} == {None}
    assert {row["cost_currency"] for row in bobs} == {None}
    sold = Program(cast, "pier").get("calls/").json()["results"]
    bought = Program(cast, "pier").get("calls/", side="bought").json()["results"]
    assert all(row["cost"] for row in sold)
    assert {row["cost"] for row in bought} == {None}
    assert Program(cast, "harbour").get(f"calls/{sold[0]['id']}/").json()["cost"] == sold[0]["cost"]
    assert Program(cast, "mallory").get(f"calls/{sold[0]['id']}/").status_code == 404
    told = Program(cast, "bob").get(f"calls/{bobs[0]['id']}/explanation/").json()
    assert told
    assert not [line for line in told if line["rule"] in {"rate", "derivation"}]


def test_a_quote_shows_each_its_own_side(cast: Cast) -> None:
    asked = {"to": "+447700900123", "seconds": 90}
    whole = Program(cast, "northstar").get("quote/", **asked, customer="bob").json()
    assert [tier["seller"] for tier in whole["tiers"]] == ["pier", "harbour", "northstar"]
    assert whole["carrier_cost"]["carrier"] == "atlas"
    bobs = Program(cast, "bob").get("quote/", **asked).json()
    assert [tier["seller"] for tier in bobs["tiers"]] == ["pier"]
    assert bobs["carrier_cost"] is None
    assert not [line for line in bobs["tiers"][0]["explanation"] if line["rule"] in {"rate", "derivation"}]
    unpriced = Program(cast, "bob").get("quote/", to="+37120000000", seconds=60)
    assert (unpriced.status_code, unpriced.json()["code"]) == (409, "unrated")
    assert Program(cast, "bob").get("quote/", to="", seconds=60).status_code == 400


def test_a_customer_chooses_its_carrier(cast: Cast) -> None:
    alice = Program(cast, "alice")
    assert {row["code"] for row in alice.get("carriers/").json()["results"]} == {"atlas", "boreal"}
    assert alice.post("carriers/choose/", {"carrier": "boreal"}).json()["carrier"] == "boreal"
    assert alice.post("carriers/choose/", {"carrier": "nobody"}).status_code == 404
    assert alice.post("carriers/choose/", {"carrier": "atlas", "party": "bob"}).status_code == 404


def test_a_dealer_creates_and_blocks_a_customer_but_not_itself(cast: Cast) -> None:
    harbour = Program(cast, "harbour")
    made = harbour.post("parties/", {"kind": "customer", "code": "newcomer", "name": "New", "brand": "harbour"})
    assert made.status_code == 201, made.content
    assert harbour.post("wallets/", {"party": "newcomer", "currency": "EUR"}).status_code == 201
    assert harbour.post("parties/newcomer/status/", {"status": "blocked"}).json()["status"] == "blocked"
    assert harbour.post("parties/harbour/status/", {"status": "blocked"}).status_code == 403
    taken = harbour.post("parties/", {"kind": "customer", "code": "alice", "name": "X", "brand": "harbour"})
    assert (taken.status_code, taken.json()["code"]) == (409, "code_taken")
    foreign = harbour.post("parties/", {"kind": "customer", "code": "x", "name": "X", "brand": "northstar"})
    assert foreign.status_code == 404


def test_usage_comes_in_by_upload(cast: Cast, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    asked: list[str] = []
    monkeypatch.setattr("rating.api.work_import.delay", asked.append)
    operator = Program(cast, "northstar")
    with write(tmp_path / "c.csv", many(5)).open("rb") as file:
        made = operator.client.post("/api/v1/usage-imports/", {"source": "switch", "file": file})
    assert made.status_code == 202, made.content
    assert asked == [made.json()["id"]]
    assert operator.get(f"usage-imports/{made.json()['id']}/").json()["counts"]["read"] == 0
    assert Program(cast, "harbour").get(f"usage-imports/{made.json()['id']}/").status_code == 404


def test_pages_go_on_by_key_and_lose_nothing(cast: Cast) -> None:
    for number in range(7):
        cast.fund("alice", number + 1)
    harbour = Program(cast, "harbour")
    seen: list[str] = []
    answer = harbour.get("transfers/", page_size=3).json()
    while True:
        seen += [row["id"] for row in answer["results"]]
        if not answer["next"]:
            break
        cast.fund("alice", 1)
        answer = harbour.client.get(answer["next"]).json()
    assert len(seen) == len(set(seen)) == 7


def test_the_schema_describes_every_resource_and_the_viewer_shows_it(cast: Cast) -> None:
    schema = Client().get(reverse("api_schema"), headers={"accept": "application/json"})
    paths = schema.json()["paths"]
    for name in ("parties", "wallets", "transfers", "funds/allocate", "calls", "quote", "invoices", "usage-imports"):
        assert f"/api/v1/{name}/" in paths
    assert Client().get(reverse("api_docs")).status_code == 200


def test_a_bug_shows_no_traceback(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any) -> None:
        raise RuntimeError("secret detail")

    program = Program(cast, "harbour")
    program.client.raise_request_exception = False
    monkeypatch.setattr("accounts.selectors.money.wallets", broken)
    answer = program.get("wallets/")
    assert answer.status_code == 500
    assert b"secret detail" not in answer.content


def test_the_trail_names_the_key_and_forgets_it_with_the_request(cast: Cast) -> None:
    from pghistory import runtime

    PartyEvent: Any = apps.get_model("tiers", "PartyEvent")
    harbour, pier = Program(cast, "harbour"), Program(cast, "pier")
    harbour.post("parties/alice/status/", {"status": "blocked"})
    pier.post("parties/bob/status/", {"status": "blocked"})
    for code in ("alice", "bob"):
        event = PartyEvent.objects.filter(pgh_obj=cast.party(code)).latest("pgh_id")
        assert event.pgh_context.metadata["actor"] == "API key program"
        assert event.pgh_context.metadata["url"] == f"/api/v1/parties/{code}/status/"
    assert getattr(runtime._tracker, "value", None) is None


def test_a_payment_is_recorded_once_by_its_key(cast: Cast) -> None:
    harbour = Program(cast, "harbour")
    asked = {**move("alice", "20.00"), "received_on": "2026-10-05", "method": "bank", "reference": "INV 7"}
    assert harbour.post("payments/", asked, key="p1").json() == harbour.post("payments/", asked, key="p1").json()
    assert wallet_of(cast.alice).posted == 20
    assert harbour.post("payments/", {**asked, "received_on": "yesterday"}, key="p2").status_code == 400
    assert Program(cast, "northstar").post("payments/", asked, key="p3").status_code == 404


def test_a_wallet_left_behind_is_not_the_new_sellers_to_change(cast: Cast) -> None:
    left = wallet_of(cast.alice)
    move_party(cast.alice, cast.meadow, cast.brand("meadow"), actor=ACTOR)
    meadow = Program(cast, "meadow")
    asked = {"billing": "postpaid", "credit_limit": "100"}
    assert meadow.post(f"wallets/{left.pk}/credit/", asked).status_code == 404
    left.refresh_from_db()
    assert (left.billing, left.credit_limit) == ("prepaid", 0)
