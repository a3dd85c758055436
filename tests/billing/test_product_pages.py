"""Products in the portals and by the API: put into the catalogue, subscribed to, changed, ended; paid once a click."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse

from billing.setup import load
from invoicing.models import AllowanceUse, Charge, Product, Subscription
from invoicing.services import allowances
from tests.cast import Cast
from tests.invoicing.products import balance, day, product, subscribed
from tiers.ids import uuid7


def text(client: Client, name: str, *args: Any) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_dealer_puts_a_plan_into_its_catalogue_and_sells_it(cast: Cast) -> None:
    cast.fund("alice", 100)
    bought = product(cast, "northstar-eu", "ns-plan", "4.00")
    harbour = cast.client("harbour")
    form = {
        "name": "Talk 100",
        "code": "talk",
        "brand": str(cast.brand("harbour").pk),
        "price": "9.00",
        "every": "month",
        "timing": "advance",
        "anchor": "calendar",
        "resells": str(bought.pk),
        "included_unit": "seconds",
        "included": "100",
        "active": "on",
    }
    assert harbour.post(reverse("dealer:product_new"), form).status_code == 302
    made = Product.objects.get(code="talk")
    assert (made.included, made.resells_id, made.seller) == (6000, bought.pk, cast.harbour)
    order = {"key": str(uuid7()), "buyer": "alice", "product": "talk", "quantity": "2", "starts_on": "2026-10-01"}
    for _twice in range(2):
        assert harbour.post(reverse("dealer:subscribe"), order).status_code == 302
    row = Subscription.objects.get(product=made)
    assert {one.amount for one in row.charges.all()} == {Decimal(18)}
    page = text(harbour, "dealer:subscription", row.pk)
    assert "18.00" in page
    assert ">8.00<" in page, "what it costs Harbour"
    assert "Talk 100" in text(cast.client("alice"), "customer:subscriptions")
    assert ">8.00<" not in text(cast.client("alice"), "customer:subscriptions"), "and that is Harbour's business alone"


def test_what_is_left_is_shown_to_the_customer(cast: Cast) -> None:
    plan = product(cast, "meadow", "talk", "5.00", name="Talk 60", included=3600, included_unit="seconds")
    subscribed(cast, "dave", plan, "2026-10-01")
    allowances.settle_open()
    assert AllowanceUse.objects.filter(used=0).exists()
    page = text(cast.client("dave"), "customer:subscriptions")
    assert '<progress max="3600" value="0">' in page
    assert "Talk 60" in page


def test_a_charge_that_a_wallet_cannot_pay_is_refused_at_its_field(cast: Cast) -> None:
    harbour = cast.client("harbour")
    form = {"key": str(uuid7()), "buyer": "alice", "what": "charge", "price": "5", "quantity": "1"}
    form |= {"reason": "Visit", "day": "2026-11-02"}
    answer = harbour.post(reverse("dealer:charge"), form)
    assert answer.status_code == 422
    assert "not enough available" in answer.content.decode()
    cast.fund("alice", 10)
    for _twice in range(2):
        assert harbour.post(reverse("dealer:charge"), form).status_code == 302
    assert Charge.objects.count() == 1
    assert balance(cast, "alice") == Decimal("4.05")


def test_who_only_reads_or_supports_sells_nothing(cast: Cast) -> None:
    line = product(cast, "harbour", "line", "9.00")
    for name in ("reader.harbour", "support.harbour"):
        client = cast.client(name)
        assert client.post(reverse("dealer:subscribe"), {}).status_code == 403
        assert client.post(reverse("dealer:product_price", args=[line.code]), {"price": "1"}).status_code == 403


def test_by_the_api(cast: Cast) -> None:
    meadow = cast.client("meadow")

    def post(url: str, body: dict[str, Any], key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return meadow.post(f"/api/v1/{url}", body, content_type="application/json", headers=headers)

    made = post("products/", {"brand": "meadow", "code": "line", "name": "Line", "price": "30.00"})
    assert made.status_code == 201, made.content
    order = {"product": "line", "buyer": "dave", "starts_on": "2026-10-16"}
    assert post("subscriptions/", order).status_code == 400, "it needs a key"
    first, again = (post("subscriptions/", order, "k-1").json() for _twice in range(2))
    assert first["id"] == again["id"]
    ended = post(f"subscriptions/{first['id']}/end/", {"ends_on": "2026-11-01"})
    assert ended.json()["ends_on"] == "2026-11-01"
    assert sum(Charge.objects.values_list("amount", flat=True)) == Decimal("15.48")
    credit = {"buyer": "dave", "day": "2026-10-20", "credit": True, "price": "5", "reason": "Outage"}
    assert {post("charges/", credit, "c-1").json()["id"] for _twice in range(2)} == {
        str(Charge.objects.latest("id").pk)
    }
    dave = cast.client("dave")
    assert [one["product"] for one in dave.get("/api/v1/subscriptions/").json()["results"]] == ["line"]
    refused = dave.post(f"/api/v1/subscriptions/{first['id']}/end/", {"ends_on": None}, content_type="application/json")
    assert refused.status_code == 403


def test_set_up_makes_products_and_subscriptions_once(cast: Cast) -> None:
    data = {
        "products": [{"code": "line", "brand": "meadow", "price": "30", "name": "Line rental"}],
        "subscriptions": [{"product": "line", "buyer": "dave", "starts_on": "2026-10-16", "quantity": 2}],
    }
    assert load(data).to_json() == {"created": 2, "changed": 0, "unchanged": 0}
    assert load(data).to_json() == {"created": 0, "changed": 0, "unchanged": 2}
    assert Subscription.objects.get().charges.first().starts_on == day("2026-10-16")
