"""A wholesale seller may promise its buyers only so much of what it has itself: its wallet's overcommit cap.

Checked, under the lock of the seller's wallet, whenever a promise grows: an allocation, a credit limit that rises, a
wallet opened with credit. Calls need no check of it: each of them needs the seller's own funds too, whatever its buyers
were promised. A cap counts promises in the currency of the seller's own wallet.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from accounts.models import Wallet
from accounts.services.ledger import lock_wallets
from accounts.services.transactions import in_transaction
from tiers.errors import Conflict, Invalid
from tiers.services.writing import written_by
from tiers.viewer import Actor

MOST_SHARE = Decimal(100)


def set_overcommit(wallet_id: UUID, share: Decimal | None, *, actor: Actor) -> Wallet:
    """The owner of this wallet may promise its buyers `share` times what the wallet has available; None: no cap.

    What was promised before stays. Raises Invalid.
    """
    if share is not None and not (share.is_finite() and 0 <= share < MOST_SHARE and share == round(share, 4)):
        raise Invalid("overcommit", _("A share is from 0 to below 100, with at most 4 decimals."), where="overcommit")

    def work() -> Wallet:
        wallet = lock_wallets([wallet_id])[wallet_id]
        wallet.overcommit = share
        wallet.save(update_fields=["overcommit"])
        return wallet

    with written_by(actor):
        return in_transaction(work)


def promiser_of(wallet: Wallet) -> UUID | None:
    """The wholesale seller's own wallet in this currency, if it has an overcommit cap to keep."""
    if wallet.seller_wallet_id is not None:
        return None
    capped = Wallet.objects.filter(
        account__owner=wallet.seller_id, account__currency=wallet.account.currency, overcommit__isnull=False
    )
    return capped.values_list("pk", flat=True).first()


def check_overcommit(seller_wallet: UUID) -> None:
    """A wholesale seller may promise its buyers at most `overcommit` times what it has available itself.

    Call with the seller's wallet locked. Raises Conflict("overcommit").
    """
    wallet = Wallet.objects.select_related("account").get(pk=seller_wallet)
    if wallet.overcommit is None:
        return
    promised = (
        Wallet.objects.filter(seller=wallet.account.owner_id, account__currency=wallet.account.currency)
        .filter(seller_wallet__isnull=True)
        .values_list(Greatest(Decimal(0), F("posted") + F("credit_limit")), flat=True)
    )
    cap = wallet.overcommit * max(Decimal(0), wallet.available)
    if sum(promised, Decimal(0)) > cap:
        raise Conflict("overcommit", _("This would promise buyers more than the seller's own funds allow."))
