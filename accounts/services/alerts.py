"""The warning balance: whose wallet has fallen below it, told once until it is refilled."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from accounts.models import Wallet


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
