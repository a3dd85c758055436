"""The warning balance: whose wallet has fallen below it, told once until it is refilled."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Wallet
from accounts.services.ledger import LARGEST, PLACES
from tiers.errors import Invalid


def newly_low() -> list[Wallet]:
    """Wallets that crossed their warning balance since they were last above it; marks them as warned."""
    spendable = F("posted") - F("held") - F("owed_below") + F("credit_limit")
    watched = Wallet.objects.filter(warn_below__isnull=False).annotate(spendable=spendable)
    watched.filter(warned_at__isnull=False, spendable__gte=F("warn_below")).update(warned_at=None)
    low = list(
        watched.filter(warned_at__isnull=True, spendable__lt=F("warn_below")).select_related("account__owner", "seller")
    )
    now = timezone.now()
    return [w for w in low if Wallet.objects.filter(pk=w.pk, warned_at__isnull=True).update(warned_at=now)]


def set_warning(wallet_id: UUID, warn_below: Decimal | None) -> None:
    """At what available amount the wallet's owner is warned; None: never. Raises Invalid."""
    if warn_below is not None:
        bounded = warn_below.is_finite() and abs(warn_below) <= LARGEST
        if not bounded or warn_below != warn_below.quantize(PLACES):
            raise Invalid("warn_below", _("A warning balance has at most six decimals."), where="warn_below")
    Wallet.objects.filter(pk=wallet_id).update(warn_below=warn_below, warned_at=None)
