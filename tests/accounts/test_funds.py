"""Funds down and up the tree, as an operator and its dealers move them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from accounts import books
from accounts.models import Transfer, Wallet
from accounts.services import funds
from accounts.services.accounts import book, open_wallet, wallet_of
from accounts.services.funds import Move
from accounts.services.overcommit import set_overcommit
from tests.cast import ACTOR
from tiers.errors import Conflict, Invalid, NotFound, TollgateError
from tiers.services.parties import move_party

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
DAY = date(2026, 10, 5)


def move(amount: str, currency: str, key: str = "k", reason: str = "") -> Move:
    return Move(Decimal(amount), currency, key, ACTOR, reason)


def posted(cast: Cast, code: str) -> Decimal:
    return wallet_of(cast.party(code)).posted


def test_the_operator_allocates_to_a_customer_through_its_distribution_dealer(cast: Cast) -> None:
    """50 to carol in two hops of one cause; summit passes on what it was given, and keeps nothing of it."""
    currency = wallet_of(cast.carol).account.currency
    made = funds.allocate(cast.northstar, cast.carol, move("50", currency))
    assert [(t.payer.kind, t.payee.owner.code) for t in made] == [("adjustments", "summit"), ("wallet", "carol")]
    assert len({t.cause for t in made}) == 1
    assert (posted(cast, "carol"), wallet_of(cast.summit, currency).posted) == (50, 0)


def test_a_double_click_allocates_once(cast: Cast) -> None:
    first = funds.allocate(cast.harbour, cast.alice, move("50", "EUR", "click"))
    assert funds.allocate(cast.harbour, cast.alice, move("50", "EUR", "click")) == first
    assert posted(cast, "alice") == 50
    with pytest.raises(Conflict, match="other figures"):
        funds.allocate(cast.harbour, cast.alice, move("51", "EUR", "click"))


def test_a_distribution_dealer_cannot_give_what_it_has_not(cast: Cast) -> None:
    currency = wallet_of(cast.carol).account.currency
    cast.fund("summit", "100")
    funds.allocate(cast.summit, cast.carol, move("60", currency, "a"))
    with pytest.raises(Conflict, match="not enough"):
        funds.allocate(cast.summit, cast.carol, move("40.000001", currency, "b"))
    funds.allocate(cast.summit, cast.carol, move("40", currency, "c"))
    assert wallet_of(cast.summit, currency).posted == 0


def test_what_is_refused_writes_nothing(cast: Cast) -> None:
    before = Transfer.objects.count()
    cases: list[tuple[str, str, Move, type[TollgateError]]] = [
        ("harbour", "alice", move("-5", "EUR"), Invalid),
        ("harbour", "alice", move("0", "EUR"), Invalid),
        ("harbour", "alice", move("NaN", "EUR"), Invalid),
        ("harbour", "alice", move("5", "USD"), Invalid),
        ("harbour", "dave", move("5", "GBP"), NotFound),
        ("harbour", "mallory", move("5", "USD"), NotFound),
        ("alice", "harbour", move("5", "EUR"), NotFound),
        ("alice", "alice", move("5", "EUR"), NotFound),
    ]
    for giver, receiver, asked, error in cases:
        with pytest.raises(error):
            funds.allocate(cast.party(giver), cast.party(receiver), asked)
    assert Transfer.objects.count() == before


def test_a_withdrawal_takes_back_only_unspent_allocations(cast: Cast) -> None:
    """Alice was given 30 and paid 20: at most 30 can be taken back, the rest leaves as a refund with a reason."""
    cast.fund("alice", "30")
    funds.record_payment(cast.harbour, cast.alice, move("20", "EUR"), received_on=DAY, method="bank")
    with pytest.raises(Conflict, match="At most 30"):
        funds.withdraw(cast.harbour, cast.alice, move("31", "EUR", "w1"))
    funds.withdraw(cast.harbour, cast.alice, move("30", "EUR", "w2"))
    with pytest.raises(Invalid, match="Say why"):
        funds.refund(cast.harbour, cast.alice, move("20", "EUR", "r1"))
    funds.refund(cast.harbour, cast.alice, move("20", "EUR", "r2", "left the hotel"))
    assert posted(cast, "alice") == 0
    assert book(cast.harbour, "cash", "EUR").pk in {t.payee_id for t in Transfer.objects.filter(kind="refund")}


def test_a_withdrawal_climbs_the_tree_again(cast: Cast) -> None:
    currency = wallet_of(cast.carol).account.currency
    funds.allocate(cast.northstar, cast.carol, move("50", currency, "down"))
    made = funds.withdraw(cast.northstar, cast.carol, move("20", currency, "up"))
    assert [t.payer.owner.code for t in made] == ["carol", "summit"]
    assert (posted(cast, "carol"), wallet_of(cast.summit, currency).posted) == (30, 0)


def test_a_payment_is_recorded_once_and_never_refused(cast: Cast) -> None:
    for _twice in range(2):
        funds.record_payment(cast.harbour, cast.alice, move("25", "EUR", "pay"), received_on=DAY, reference="INV-1")
    assert posted(cast, "alice") == 25
    with pytest.raises(NotFound):
        funds.record_payment(cast.northstar, cast.alice, move("25", "EUR", "x"), received_on=DAY)


def test_a_payment_to_a_distribution_customer_comes_out_of_its_sellers_wallet(cast: Cast) -> None:
    """Carol pays summit in cash; summit passes the funds on even when it has none: a payment is never refused."""
    currency = wallet_of(cast.carol).account.currency
    funds.record_payment(cast.summit, cast.carol, move("10", currency), received_on=DAY)
    assert (posted(cast, "carol"), wallet_of(cast.summit, currency).posted) == (10, -10)
    assert list(books.violations()) == []


def test_a_credit_limit_is_the_postpaid_customers_alone(cast: Cast) -> None:
    dave, alice = wallet_of(cast.dave), wallet_of(cast.alice)
    assert funds.set_credit(dave.pk, billing="postpaid", credit_limit=Decimal(800)).available == 800
    with pytest.raises(Invalid, match="no credit limit"):
        funds.set_credit(alice.pk, billing="prepaid", credit_limit=Decimal(1))
    with pytest.raises(Invalid, match="negative"):
        funds.set_credit(dave.pk, billing="postpaid", credit_limit=Decimal(-1))
    with pytest.raises(Invalid, match="prepaid"):
        funds.set_credit(wallet_of(cast.carol).pk, billing="postpaid", credit_limit=Decimal(1))


def test_an_overcommit_cap_stops_promises_beyond_the_sellers_own_funds(cast: Cast) -> None:
    """Harbour has 100 and may promise one and a half times that to its buyers, pier's among them."""
    cast.fund("harbour", "100")
    Wallet.objects.filter(pk=wallet_of(cast.harbour).pk).update(overcommit=Decimal("1.5"))
    funds.allocate(cast.harbour, cast.alice, move("150", "EUR", "a"))
    with pytest.raises(Conflict, match="promise"):
        funds.allocate(cast.harbour, cast.pier, move("0.01", "EUR", "b"))
    assert posted(cast, "pier") == 0
    cast.fund("harbour", "100")
    funds.allocate(cast.harbour, cast.pier, move("0.01", "EUR", "b"))


def test_an_overcommit_cap_counts_credit_that_rises_or_is_opened_with_a_wallet(cast: Cast) -> None:
    """Harbour may promise as much as it has: 100. A limit that comes down is never refused."""
    cast.fund("harbour", "100")
    harbour, alice = wallet_of(cast.harbour), wallet_of(cast.alice)
    funds.set_credit(alice.pk, billing="postpaid", credit_limit=Decimal(150))
    set_overcommit(harbour.pk, Decimal(1), actor=ACTOR)
    with pytest.raises(Conflict, match="promise"):
        funds.set_credit(alice.pk, billing="postpaid", credit_limit=Decimal(151))
    funds.set_credit(alice.pk, billing="postpaid", credit_limit=Decimal(120))
    move_party(cast.bob, cast.harbour, cast.brand("harbour"), actor=ACTOR)
    with pytest.raises(Conflict, match="promise"):
        open_wallet(cast.bob, cast.harbour, "EUR", billing="postpaid", credit_limit=Decimal(1))
    funds.set_credit(alice.pk, billing="postpaid", credit_limit=Decimal(90))
    opened = open_wallet(cast.bob, cast.harbour, "EUR", billing="postpaid", credit_limit=Decimal(10))
    assert opened.credit_limit == 10
    set_overcommit(harbour.pk, None, actor=ACTOR)
    funds.set_credit(alice.pk, billing="postpaid", credit_limit=Decimal(900))
    for share in ("-1", "100", "NaN", "0.00001"):
        with pytest.raises(Invalid):
            set_overcommit(harbour.pk, Decimal(share), actor=ACTOR)


def test_a_new_seller_moves_no_money_of_the_one_before(cast: Cast) -> None:
    """Alice left harbour for pier: until pier opens a wallet with her, it cannot touch what she has with harbour."""
    cast.fund("alice", "30")
    move_party(cast.alice, cast.pier, cast.brand("pier"), actor=ACTOR)
    for deed in (funds.allocate, funds.withdraw):
        with pytest.raises(Invalid, match="seller it left"):
            deed(cast.pier, cast.alice, move("5", "EUR", deed.__name__))
    old = wallet_of(cast.alice)
    new = open_wallet(cast.alice, cast.pier, "EUR")
    funds.allocate(cast.pier, cast.alice, move("5", "EUR", "now"))
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.posted, new.posted) == (30, 5)
