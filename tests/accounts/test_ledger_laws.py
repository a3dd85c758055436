"""The ledger's laws, asked of the database itself: no code of ours stands between these tests and the tables."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts import books
from accounts.models import Account, Hold, Transfer, Wallet
from accounts.services import holds
from accounts.services.accounts import book, counter_account, open_wallet, wallet_of
from accounts.services.ledger import Draft, post
from tests.cast import ACTOR
from tiers.errors import Conflict, Invalid
from tiers.ids import uuid7

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def transfer(payer: Account, payee: Account, amount: str = "1", currency: str = "EUR", kind: str = "usage") -> Transfer:
    """A row written past the one door."""
    return Transfer.objects.create(
        payer=payer,
        payee=payee,
        amount=Decimal(amount),
        currency=currency,
        kind=kind,
        key=str(uuid7()),
        cause=uuid7(),
        actor="nobody",
        created_at=timezone.now(),
    )


def refused(law: str) -> pytest.RaisesExc[DatabaseError]:
    return pytest.raises(DatabaseError, match=f"law {law}")


def test_a_transfer_is_never_changed_or_deleted(cast: Cast) -> None:
    cast.fund("alice", "10")
    made = Transfer.objects.latest("created_at")
    with refused("append-only"), transaction.atomic():
        Transfer.objects.filter(pk=made.pk).update(amount=1)
    with refused("append-only"), transaction.atomic():
        made.delete()
    with refused("append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_transfer SET reason = 'better'")


def test_an_account_keeps_its_owner_and_currency(cast: Cast) -> None:
    with refused("append-only"), transaction.atomic():
        Account.objects.filter(pk=wallet_of(cast.alice).pk).update(currency="USD")


def test_a_balance_moves_by_transfers_alone(cast: Cast) -> None:
    wallet = wallet_of(cast.alice)
    for column in ("posted", "held", "owed_below", "version"):
        with refused("balance"), transaction.atomic():
            Wallet.objects.filter(pk=wallet.pk).update(**{column: 5})
    stale = wallet_of(cast.alice)
    cast.fund("alice", "10")
    with refused("balance"), transaction.atomic():
        stale.save()
    assert wallet_of(cast.alice).posted == 10


def test_a_wallet_opens_empty(cast: Cast) -> None:
    account = Account.objects.create(owner=cast.alice, kind="wallet", currency="CHF")
    with refused("balance"), transaction.atomic():
        Wallet.objects.create(account=account, seller=cast.harbour, posted=Decimal(100))


def test_money_never_changes_its_currency_on_the_way(cast: Cast) -> None:
    alice, revenue = wallet_of(cast.alice).account, book(cast.harbour, "revenue", "USD")
    with refused("currency"), transaction.atomic():
        transfer(alice, revenue, currency="EUR")


def test_a_buyer_pays_nobody_but_its_own_seller(cast: Cast) -> None:
    alice = wallet_of(cast.alice).account
    strangers = book(cast.outsider, "revenue", "EUR")
    grandparents = book(cast.northstar, "revenue", "EUR")
    for payee in (strangers, grandparents, wallet_of(cast.bob).account, wallet_of(cast.harbour).account):
        with refused("counter-account"), transaction.atomic():
            transfer(alice, payee)


def test_distribution_pays_the_sellers_wallet_and_only_taxes_its_book(cast: Cast) -> None:
    carol = wallet_of(cast.carol)
    summit = wallet_of(cast.summit, carol.account.currency)
    assert carol.seller_wallet_id == summit.pk
    currency = carol.account.currency
    with refused("counter-account"), transaction.atomic():
        transfer(carol.account, book(cast.summit, "revenue", currency), currency=currency)
    transfer(carol.account, summit.account, currency=currency)
    transfer(carol.account, book(cast.summit, "tax", currency), currency=currency, kind="usage_tax")
    assert list(books.violations()) == []


def test_books_of_two_sellers_do_not_mix(cast: Cast) -> None:
    with refused("counter-account"), transaction.atomic():
        transfer(book(cast.harbour, "revenue", "EUR"), book(cast.meadow, "revenue", "EUR"))


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_an_amount_is_more_than_nothing(cast: Cast, amount: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        transfer(wallet_of(cast.alice).account, book(cast.harbour, "revenue", "EUR"), amount)


def test_a_charge_for_what_happened_is_never_refused(cast: Cast) -> None:
    cast.fund("alice", "1")
    transfer(wallet_of(cast.alice).account, book(cast.harbour, "revenue", "EUR"), "3.5")
    assert wallet_of(cast.alice).available == Decimal("-2.5")


@pytest.mark.parametrize("kind", ["allocation", "withdrawal", "refund"])
def test_what_somebody_decides_stops_at_nothing_available(cast: Cast, kind: str) -> None:
    cast.fund("alice", "5")
    alice, cash = wallet_of(cast.alice).account, book(cast.harbour, "cash", "EUR")
    with refused("funds"), transaction.atomic():
        transfer(alice, cash, "5.000001", kind=kind)
    transfer(alice, cash, "5", kind=kind)


def test_what_is_on_the_other_side_is_fixed_at_the_first_transfer(cast: Cast) -> None:
    cast.fund("summit", "100")
    cast.fund("carol", "5")
    with refused("funding"), transaction.atomic():
        Wallet.objects.filter(pk=wallet_of(cast.carol).pk).update(funding="wholesale", seller_wallet=None)


def test_prepaid_has_no_credit_and_distribution_is_prepaid(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="wallet_prepaid_without_credit"), transaction.atomic():
        Wallet.objects.filter(pk=wallet_of(cast.alice).pk).update(credit_limit=1)
    with pytest.raises(IntegrityError, match="wallet_distribution_prepaid"), transaction.atomic():
        Wallet.objects.filter(pk=wallet_of(cast.carol).pk).update(billing="postpaid")


def test_a_debt_below_lowers_what_the_seller_has_available(cast: Cast) -> None:
    """Carol owes 3; summit cannot spend the 3 that came up from her, for nobody has paid them yet."""
    cast.fund("summit", "100")
    cast.fund("carol", "2")
    currency = wallet_of(cast.carol).account.currency
    before = wallet_of(cast.summit, currency).available
    transfer(wallet_of(cast.carol).account, wallet_of(cast.summit, currency).account, "5", currency)
    summit = wallet_of(cast.summit, currency)
    assert (summit.posted - before, summit.owed_below, summit.available - before) == (5, 3, 2)
    cast.fund("carol", "1")
    assert wallet_of(cast.summit, currency).owed_below == 2
    assert list(books.violations()) == []


def test_a_hold_counts_at_once_and_comes_back_once(cast: Cast) -> None:
    cast.fund("alice", "10")
    alice = wallet_of(cast.alice).pk
    with transaction.atomic():
        hold = holds.place(alice, Decimal(8), key="order-1")
        again = holds.place(alice, Decimal(8), key="order-1")
    assert hold == again
    assert wallet_of(cast.alice).available == 2
    with pytest.raises(Conflict, match="not enough"), transaction.atomic():
        holds.place(alice, Decimal("2.000001"), key="order-2")
    with transaction.atomic():
        assert holds.release(hold.pk)
        assert not holds.release(hold.pk)
    assert wallet_of(cast.alice).available == 10
    with refused("hold"), transaction.atomic():
        Hold.objects.filter(pk=hold.pk).update(status="open")
    with refused("append-only"), transaction.atomic():
        hold.delete()


def test_settling_charges_what_was_used_and_frees_the_rest(cast: Cast) -> None:
    cast.fund("alice", "10")
    wallet = wallet_of(cast.alice)
    used = Draft(wallet.pk, counter_account(wallet, "revenue"), Decimal("4.2"), "EUR", "charge", "order-3")
    with transaction.atomic():
        hold = holds.place(wallet.pk, Decimal(8), key="order-3")
    for _twice in range(2):
        with transaction.atomic():
            assert [made.amount for made in holds.settle(hold.pk, [used], actor=ACTOR)] == [Decimal("4.2")]
    wallet = wallet_of(cast.alice)
    assert (wallet.posted, wallet.held) == (Decimal("5.8"), 0)
    assert list(books.violations()) == []


def test_the_same_key_again_is_the_same_transfer_and_other_figures_are_refused(cast: Cast) -> None:
    wallet = wallet_of(cast.alice)
    draft = Draft(wallet.pk, counter_account(wallet, "revenue"), Decimal(2), "EUR", "charge", "click-1")
    other = Draft(wallet.pk, counter_account(wallet, "revenue"), Decimal(3), "EUR", "charge", "click-1")
    with transaction.atomic():
        first = post([draft], actor=ACTOR)
        assert post([draft], actor=ACTOR) == first
        with pytest.raises(Conflict, match="other figures"):
            post([other], actor=ACTOR)
    assert wallet_of(cast.alice).posted == -2


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-1", "0", "0.0000001", "1e20"])
def test_an_odd_amount_is_refused_in_words(cast: Cast, amount: str) -> None:
    wallet = wallet_of(cast.alice)
    draft = Draft(wallet.pk, counter_account(wallet, "revenue"), Decimal(amount), "EUR", "charge", "odd")
    with pytest.raises(Invalid), transaction.atomic():
        post([draft], actor=ACTOR)
    assert not Transfer.objects.filter(key="odd").exists()


def test_snapshots_change_no_balance_and_can_be_cut_at_any_time(cast: Cast) -> None:
    revenue, alice = book(cast.harbour, "revenue", "EUR"), wallet_of(cast.alice).account
    total = Decimal(0)
    for amount in ("1.5", "2.25", "0.000001"):
        transfer(alice, revenue, amount)
        total += Decimal(amount)
        assert books.snapshot_books() >= 1
        assert books.balances([revenue.pk])[revenue.pk] == total
        transfer(alice, revenue, amount)
        total += Decimal(amount)
        assert books.balances([revenue.pk])[revenue.pk] == total
    assert list(books.violations()) == []


def test_the_webs_role_can_add_to_the_ledger_but_edit_nothing(cast: Cast) -> None:
    """Privileges, as PostgreSQL itself tells them: the web may post, and may not touch a balance or a transfer."""
    with connection.cursor() as cursor:

        def may(right: str, table: str) -> bool:
            cursor.execute("SELECT has_table_privilege('tollgate_web', %s, %s)", [table, right])
            return bool(cursor.fetchone()[0])

        def may_column(column: str) -> bool:
            cursor.execute("SELECT has_column_privilege('tollgate_web', 'accounts_wallet', %s, 'UPDATE')", [column])
            return bool(cursor.fetchone()[0])

        assert may("INSERT", "accounts_transfer")
        for table in ("accounts_transfer", "accounts_account", "rating_ratedcall", "accounts_wallet"):
            for right in ("UPDATE", "DELETE", "TRUNCATE"):
                assert not may(right, table), (table, right)
        assert not may("INSERT", "rating_ratedcall")
        assert may_column("credit_limit")
        assert not may_column("posted")
        assert not may_column("held")


def test_a_second_wallet_in_the_same_currency_is_refused(cast: Cast) -> None:
    same = open_wallet(cast.alice, cast.harbour, "EUR")
    assert same == wallet_of(cast.alice)
    with pytest.raises(Conflict):
        open_wallet(cast.alice, cast.outsider, "EUR")
