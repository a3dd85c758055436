"""The mail that a wallet runs low: what is left, what that means, and how to fill it. Once, until it is filled again.

Marking a wallet as warned and queueing its mail are one transaction: a mail that could not be queued is tried again at
the next round, one that was queued is never queued twice.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import Wallet
from accounts.services.alerts import newly_low
from accounts.services.transactions import in_transaction
from billing.formatting import money_text
from invoicing.services.notices import Notice, queue
from tiers.models import Party
from tiers.selectors.look import brand_of_party
from tiers.selectors.people import placed_under


def warn_low_balances() -> int:
    """Queue a mail for each wallet that crossed its warning balance; how many were queued."""

    def work() -> int:
        return sum(_warn(wallet) for wallet in newly_low())

    return in_transaction(work)


def _warn(wallet: Wallet) -> bool:
    owner = wallet.account.owner
    addresses = _addresses(owner)
    if not addresses or wallet.warn_below is None:
        return False
    brand = placed_under(owner) or brand_of_party(wallet.seller)
    with override(owner.language or None):
        notice = Notice(
            key=f"low:{wallet.pk}:{wallet.version}",
            seller=wallet.seller,
            to=addresses,
            copy=[wallet.seller.email] if wallet.seller.email else [],
            sender=brand.sender if brand else "",
            sender_name=brand.name if brand else wallet.seller.name,
            subject=_subject(wallet, brand.name if brand else wallet.seller.name),
            text=_text(wallet),
        )
    return queue(notice)


def _addresses(owner: Party) -> list[str]:
    """The address for bills, else the owners that log in for it."""
    if owner.email:
        return [owner.email]
    return list(owner.members.filter(role="owner", is_active=True).order_by("email").values_list("email", flat=True))


def _subject(wallet: Wallet, brand: str) -> str:
    left = money_text(wallet.available, wallet.account.currency)
    return _("%(amount)s left with %(brand)s") % {"amount": left, "brand": brand}


def _text(wallet: Wallet) -> str:
    currency = wallet.account.currency
    said = {
        "name": wallet.account.owner.name,
        "left": money_text(wallet.available, currency),
        "below": money_text(wallet.warn_below or Decimal(0), currency),
        "limit": money_text(wallet.credit_limit, currency),
        "link": f"{settings.PUBLIC_URL}/",
    }
    if wallet.available <= 0:
        stop = _("Nothing is left, so new calls are refused. They go again once it is filled.")
    elif wallet.is_prepaid:
        stop = _("Calls stop at 0.")
    else:
        stop = _("Calls stop when the credit of %(limit)s is used up.") % said
    first = _("%(name)s has %(left)s. That is below the warning balance of %(below)s.") % said
    last = _("See what it was spent on, or change the warning balance: %(link)s") % said
    return f"{first} {stop}\n\n{last}\n"
