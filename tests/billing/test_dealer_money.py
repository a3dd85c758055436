"""Money in the dealer's portal: a click moves it once, both sides are shown, and what is not there is not given."""

from __future__ import annotations

from accounts.models import Transfer, TransferKind
from billing.books import violations
from tests.billing.dealer_help import PLACES, once, page
from tests.cast import Cast


def test_the_same_click_twice_allocates_once(cast: Cast) -> None:
    harbour = cast.client("harbour")
    wallet = cast.wallet("alice")
    click = once("50", reason="first funds")
    for _click in range(2):
        answer = harbour.post(f"/dealer/money/wallets/{wallet.pk}/allocate/", click)
        assert answer.headers["Location"] == f"/dealer/money/wallets/{wallet.pk}/"
    assert cast.wallet("alice").posted == 50
    text = page(harbour, f"money/wallets/{wallet.pk}/")
    assert "Alice" in text
    assert "50.00 EUR" in text
    assert "harbour@cast.example" in text


def test_both_sides_stand_before_and_after(cast: Cast) -> None:
    cast.fund("summit", 5000)
    summit = cast.client("summit")
    wallet = cast.wallet("carol").pk
    text = page(summit, f"money/wallets/{wallet}/sides/", purpose="allocate", amount="1200.50")
    assert "5,000.00" in text
    assert "3,799.50" in text
    assert "1,200.50" in text
    for typed in ("", "abc", "-5", "NaN", "1e99", "0"):
        assert "5,000.00" in page(summit, f"money/wallets/{wallet}/sides/", purpose="allocate", amount=typed)


def test_what_is_not_there_is_not_given_and_the_page_says_so(cast: Cast) -> None:
    summit = cast.client("summit")
    cast.fund("summit", 100)
    wallet = cast.wallet("carol")
    count = Transfer.objects.count()
    for amount, said in (("500", "not enough"), ("-5", "more than zero"), ("0", "more than zero"), ("x", "number")):
        answer = summit.post(f"/dealer/money/wallets/{wallet.pk}/allocate/", once(amount))
        assert answer.status_code == 422
        assert said in answer.content.decode(), amount
    assert Transfer.objects.count() == count
    assert "At most 0 can be withdrawn" in (
        summit.post(f"/dealer/money/wallets/{wallet.pk}/withdraw/", once("5")).content.decode()
    )


def test_payments_refunds_and_limits(cast: Cast) -> None:
    harbour = cast.client("harbour")
    wallet = cast.wallet("alice").pk
    paid = once("80", received_on="2026-11-02", method="Bank transfer", reference="RF18")
    assert harbour.post(f"/dealer/money/wallets/{wallet}/payment/", paid).status_code == 302
    assert Transfer.objects.get(payee=wallet).kind == TransferKind.PAYMENT
    assert harbour.post(f"/dealer/money/wallets/{wallet}/refund/", once("5")).status_code == 422, "a reason is needed"
    assert harbour.post(f"/dealer/money/wallets/{wallet}/refund/", once("5", reason="overpaid")).status_code == 302
    assert cast.wallet("alice").posted == 75
    limits = {"billing": "postpaid", "credit_limit": "200", "warn_below": "10"}
    assert harbour.post(f"/dealer/money/wallets/{wallet}/limits/", limits).status_code == 302
    assert (cast.wallet("alice").credit_limit, cast.wallet("alice").warn_below) == (200, 10)
    refused = harbour.post(f"/dealer/money/wallets/{wallet}/limits/", {"billing": "prepaid", "credit_limit": "200"})
    assert refused.status_code == 422
    assert list(violations()) == []


def test_roles_decide_what_may_be_done(cast: Cast) -> None:
    wallet = cast.wallet("alice").pk
    reader, support, finance = (cast.client(f"{role}.harbour") for role in ("reader", "support", "finance"))
    assert reader.get(f"/dealer/money/wallets/{wallet}/allocate/").status_code == 403
    assert support.post(f"/dealer/money/wallets/{wallet}/allocate/", once("5")).status_code == 403
    assert finance.post(f"/dealer/money/wallets/{wallet}/allocate/", once("5")).status_code == 302
    assert finance.get("/dealer/customers/new/").status_code == 403
    assert "Allocate funds" not in page(reader, f"money/wallets/{wallet}/")
    for path in PLACES:
        page(reader, path)
