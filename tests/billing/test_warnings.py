"""Whose wallet runs low is told: once, in its words, with a copy to its seller, and again only after it was filled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.services.alerts import set_warning
from accounts.services.funds import Move, withdraw
from billing.tasks import warn_low_balances
from invoicing.models import OutboxMail
from invoicing.services.outbox import send_due
from tests.cast import ACTOR, Cast
from tiers.errors import Invalid


def fall(cast: Cast, amount: str, key: str) -> None:
    withdraw(cast.party("harbour"), cast.party("alice"), Move(Decimal(amount), "EUR", key, ACTOR))


@pytest.fixture
def watched(cast: Cast) -> Cast:
    """Alice has 100 EUR and wants to know when it is less than 20. Nobody else is watched."""
    from accounts.models import Wallet

    Wallet.objects.update(warn_below=None)
    cast.fund("alice", 100)
    set_warning(cast.wallet("alice").pk, Decimal(20))
    return cast


def test_a_wallet_above_its_warning_is_left_alone(watched: Cast) -> None:
    assert warn_low_balances() == 0
    fall(watched, "80", "to the cent")
    assert warn_low_balances() == 0, "20.00 is not below 20"


def test_one_mail_to_the_owner_with_a_copy_to_the_seller(watched: Cast) -> None:
    fall(watched, "87.60", "down")
    assert warn_low_balances() == 1
    assert warn_low_balances() == 0
    mail = OutboxMail.objects.get()
    assert (mail.to, mail.bcc) == (["bills@alice.example"], ["accounts@harbour.example"])
    assert (mail.sender, mail.sender_name) == ("rechnung@harbour.example", "Harbour Voice")
    assert mail.subject.replace("\xa0", " ") == "12.40 EUR left with Harbour Voice"
    text = mail.text.replace("\xa0", " ")
    assert "has 12.40 EUR. That is below the warning balance of 20.00 EUR. Calls stop at 0." in text


def test_it_is_told_again_only_after_it_was_filled(watched: Cast) -> None:
    fall(watched, "90", "first")
    assert warn_low_balances() == 1
    fall(watched, "5", "still low")
    assert warn_low_balances() == 0
    watched.fund("alice", 50)
    assert warn_low_balances() == 0
    fall(watched, "50", "second")
    assert warn_low_balances() == 1
    assert OutboxMail.objects.count() == 2


def test_an_empty_wallet_is_told_that_calls_stop(watched: Cast) -> None:
    fall(watched, "100", "all")
    warn_low_balances()
    assert "Nothing is left, so new calls are refused." in OutboxMail.objects.get().text


def test_a_buyer_without_an_address_is_told_by_its_owners(watched: Cast) -> None:
    alice = watched.party("alice")
    alice.email = ""
    alice.save(update_fields=["email"])
    fall(watched, "90", "down")
    warn_low_balances()
    assert OutboxMail.objects.get().to == ["alice@cast.example"]


def test_the_buyers_language_is_spoken_and_the_mail_goes_out(watched: Cast, settings: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
    fall(watched, "90", "down")
    warn_low_balances()
    assert send_due().sent == 1
    from django.core import mail

    assert mail.outbox[0].to == ["bills@alice.example"]


@pytest.mark.parametrize("amount", ["NaN", "0.0000001", "1e30"])
def test_a_warning_balance_that_is_no_amount_is_refused(watched: Cast, amount: str) -> None:
    with pytest.raises(Invalid):
        set_warning(watched.wallet("alice").pk, Decimal(amount))
    assert watched.wallet("alice").warn_below == 20
