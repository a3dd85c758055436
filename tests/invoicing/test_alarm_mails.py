"""Whose wallet runs low is told: once, in its words, with a copy to its seller, and again only after it was filled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AlertEvent, Wallet
from accounts.services import funds
from accounts.services.alert_rules import Terms, set_rule
from accounts.services.alerts import set_warning
from accounts.services.funds import Move, withdraw
from accounts.services.holds import place, release
from accounts.services.transactions import in_transaction
from accounts.services.watching import watch_balances
from invoicing.models import OutboxMail
from invoicing.services.alarms import mail_alarms
from invoicing.services.outbox import send_due
from tests.cast import ACTOR, Cast
from tiers.errors import Invalid
from tiers.models import Party, Status
from tiers.services.parties import set_status


def fall(cast: Cast, amount: str, key: str, *, seller: str = "harbour", buyer: str = "alice") -> None:
    currency = cast.wallet(buyer).account.currency
    withdraw(cast.party(seller), cast.party(buyer), Move(Decimal(amount), currency, key, ACTOR))


def mails() -> int:
    """A round of the watch and of the mails: how many new mails lie in the outbox."""
    watch_balances()
    return mail_alarms()


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


@pytest.fixture
def watched(cast: Cast) -> Cast:
    """Alice has 100 EUR and wants to know when it is less than 20. Nobody else is watched."""
    Wallet.objects.update(warn_below=None)
    cast.fund("alice", 100)
    set_warning(cast.wallet("alice").pk, Decimal(20))
    return cast


def test_a_wallet_above_its_warning_is_left_alone(watched: Cast) -> None:
    assert mails() == 0
    fall(watched, "80", "to the cent")
    assert mails() == 0, "20.00 is not below 20"


def test_one_mail_to_the_owner_with_a_copy_to_the_seller(watched: Cast) -> None:
    fall(watched, "87.60", "down")
    assert mails() == 1
    assert mails() == 0
    mail = OutboxMail.objects.get()
    assert (mail.to, mail.bcc) == (["bills@alice.example"], ["accounts@harbour.example"])
    assert (mail.sender, mail.sender_name) == ("rechnung@harbour.example", "Harbour Voice")
    assert plain(mail.subject) == "12.40 EUR left with Harbour Voice"
    for body in (plain(mail.text), plain(mail.html).replace("&#x27;", "'")):
        assert "Alice's Hotel has 12.40 EUR. That is below the warning balance of 20.00 EUR. Calls stop at 0." in body
    event = AlertEvent.objects.get()
    assert mail.text.count(f"/alarms/{event.pk}/") == 1
    assert event.mailed_at is not None


def test_it_is_told_again_only_after_it_was_filled(watched: Cast) -> None:
    fall(watched, "90", "first")
    assert mails() == 1
    fall(watched, "5", "still low")
    assert mails() == 0
    watched.fund("alice", 10)
    assert mails() == 0, "15.00 is still below 20"
    fall(watched, "1", "still low, again")
    assert mails() == 0
    watched.fund("alice", 50)
    assert mails() == 0
    fall(watched, "50", "second")
    assert mails() == 1
    assert [event.is_open for event in AlertEvent.objects.order_by("id")] == [False, True]


def test_what_live_calls_hold_is_no_crossing(watched: Cast) -> None:
    """A call that sets 90 aside and costs 0.10 would cross the line and come back; it is told of with the rest."""
    hold = in_transaction(lambda: place(watched.wallet("alice").pk, Decimal(90), key="call"))
    assert mails() == 0
    in_transaction(lambda: release(hold.pk))
    fall(watched, "85", "spent")
    in_transaction(lambda: place(watched.wallet("alice").pk, Decimal(3), key="another call"))
    assert mails() == 1
    assert "Held by live calls, not yet spent: 3.00 EUR" in plain(OutboxMail.objects.get().text)


def test_an_empty_wallet_is_told_that_calls_stop_in_one_mail(watched: Cast) -> None:
    fall(watched, "100", "all")
    assert mails() == 1
    mail = OutboxMail.objects.get()
    assert plain(mail.subject) == "Nothing left with Harbour Voice: new calls are refused"
    assert {event.kind for event in AlertEvent.objects.all()} == {"low", "empty"}
    watched.fund("alice", 5)
    assert mails() == 0
    assert [event.kind for event in AlertEvent.objects.filter(ended_at__isnull=True)] == ["low"]


def test_a_dealer_is_warned_like_anybody(cast: Cast) -> None:
    Wallet.objects.update(warn_below=None)
    cast.fund("harbour", 500)
    set_warning(cast.wallet("harbour").pk, Decimal(250))
    assert mails() == 0
    fall(cast, "300", "down", seller="northstar", buyer="harbour")
    assert mails() == 1
    mail = OutboxMail.objects.get()
    assert (mail.to, mail.sender_name) == (["accounts@harbour.example"], "Northstar Europe")


def test_a_seller_sets_the_line_for_all_its_buyers_and_another_for_one(cast: Cast) -> None:
    Wallet.objects.update(warn_below=None)
    harbour = cast.party("harbour")
    set_rule(harbour, None, "low", Terms(currency="EUR", threshold=Decimal(30)), actor=ACTOR)
    cast.fund("alice", 25)
    assert mails() == 1
    set_rule(harbour, cast.party("alice"), "low", Terms(currency="EUR", threshold=Decimal(10)), actor=ACTOR)
    assert mails() == 0
    assert AlertEvent.objects.filter(ended_at__isnull=True).count() == 0, "25 is not below 10"
    set_warning(cast.wallet("alice").pk, Decimal(28))
    assert mails() == 1, "her own line holds before her seller's"


def test_the_credit_of_a_postpaid_customer_is_used_up(cast: Cast) -> None:
    wallet = cast.wallet("dave")
    cast.fund("dave", 10)
    funds.set_credit(wallet.pk, billing="postpaid", credit_limit=Decimal(0))
    fall(cast, "10", "all", seller="meadow", buyer="dave")
    assert mails() == 1
    assert plain(OutboxMail.objects.get().subject).startswith("Credit limit reached with")
    funds.set_credit(wallet.pk, billing="postpaid", credit_limit=Decimal(50))
    assert mails() == 0
    assert AlertEvent.objects.get().ended_at is not None


def test_who_is_blocked_is_told_and_again_after_it_was_unblocked(cast: Cast) -> None:
    alice = cast.party("alice")
    set_status(alice, Status.BLOCKED, actor=ACTOR)
    assert (mails(), mails()) == (1, 0)
    assert OutboxMail.objects.get().subject == "Alice's Hotel is blocked: new calls are refused"
    set_status(alice, Status.ACTIVE, actor=ACTOR)
    assert mails() == 0
    set_status(alice, Status.BLOCKED, actor=ACTOR)
    assert mails() == 1


def test_a_buyer_without_an_address_is_told_by_its_owners(watched: Cast) -> None:
    alice = watched.party("alice")
    alice.email = ""
    alice.save(update_fields=["email"])
    fall(watched, "90", "down")
    mails()
    assert OutboxMail.objects.get().to == ["alice@cast.example"]


def test_named_persons_are_told_too_and_the_sellers_stay_unseen(watched: Cast) -> None:
    alice, harbour = watched.party("alice"), watched.party("harbour")
    set_rule(alice, alice, "low", Terms(also_to=["night@alice.example"]), actor=ACTOR)
    set_rule(harbour, None, "low", Terms(also_to=["desk@harbour.example"]), actor=ACTOR)
    fall(watched, "90", "down")
    mails()
    mail = OutboxMail.objects.get()
    assert mail.to == ["bills@alice.example", "night@alice.example"]
    assert mail.bcc == ["accounts@harbour.example", "desk@harbour.example"]


def test_the_buyers_language_is_spoken_and_the_mail_goes_out(cast: Cast, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    cast.fund("summit", 1000)
    Wallet.objects.update(warn_below=None)
    cast.fund("carol", 100)
    set_warning(cast.wallet("carol").pk, Decimal(500))
    assert mails() == 1
    assert "低於警戒餘額" in OutboxMail.objects.get().text
    assert send_due().sent == 1
    from django.core import mail

    assert mail.outbox[0].to == ["bills@carol.example"]


@pytest.mark.parametrize("amount", ["NaN", "0.0000001", "1e30"])
def test_a_warning_balance_that_is_no_amount_is_refused(watched: Cast, amount: str) -> None:
    with pytest.raises(Invalid):
        set_warning(watched.wallet("alice").pk, Decimal(amount))
    assert watched.wallet("alice").warn_below == 20


def test_a_wallet_that_never_moved_is_not_news(cast: Cast) -> None:
    assert Wallet.objects.filter(warn_below__isnull=False).exists()
    assert mails() == 0
    assert Party.objects.exclude(status=Status.ACTIVE).count() == 0
