"""What live calls may take from a wallet in a day: set, read, and made known to the functions that judge.

Only a wallet that has a limit has rows that calls must lock. The engine knows which those are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Wallet
from accounts.services.transactions import in_transaction
from rating.live.needs import Curve, takings
from rating.live.terms import ANSWERED_WITHIN, TierTerms
from rating.models import DaySpend, SpendLimit
from rating.pricing import Engine
from tiers.errors import Invalid
from tiers.models import Placement
from tiers.services.writing import written_by
from tiers.viewer import Actor

MOST = Decimal(10) ** 13


@dataclass(frozen=True, slots=True)
class Spending:
    """A wallet's day: at most `per_day` (None: no limit), `spent` by calls that are over, `held` for those going on."""

    per_day: Decimal | None
    spent: Decimal
    held: Decimal
    day: date
    currency: str

    @property
    def left(self) -> Decimal | None:
        return None if self.per_day is None else max(Decimal(0), self.per_day - self.spent - self.held)


def set_spend_limit(wallet: Wallet, per_day: Decimal | None, *, actor: Actor) -> SpendLimit | None:
    """At most so much a day, in the wallet's currency; None: no limit. Raises Invalid.

    A new limit reckons the day so far, by what was charged and what is held; it holds for calls from now on, and for
    those that go on when they ask for more time.
    """
    if per_day is not None and not (per_day.is_finite() and 0 <= per_day < MOST and per_day == round(per_day, 6)):
        raise Invalid("per_day", _("A limit is an amount from 0, with at most 6 decimals."), where="per_day")

    def work() -> SpendLimit | None:
        kept = SpendLimit.objects.select_for_update().filter(wallet=wallet).first()
        if per_day is None:
            if kept is not None:
                kept.delete()
            return None
        if kept is None:
            kept = SpendLimit.objects.create(wallet=wallet, per_day=per_day)
            _reckon(wallet)
        elif kept.per_day != per_day:
            kept.per_day = per_day
            kept.save(update_fields=["per_day"])
        return kept

    with written_by(actor):
        return in_transaction(work)


def spending_of(wallet: Wallet, *, at: datetime | None = None) -> Spending:
    """The wallet's limit and its day. Without a limit nothing is counted."""
    day = day_of(zone_of(wallet), at or timezone.now())
    limit = SpendLimit.objects.filter(wallet=wallet).first()
    counted = DaySpend.objects.filter(wallet=wallet, day=day).first()
    return Spending(
        limit.per_day if limit else None,
        counted.spent if counted else Decimal(0),
        counted.held if counted else Decimal(0),
        day,
        wallet.account.currency,
    )


def zone_of(wallet: Wallet) -> ZoneInfo:
    """The time zone of the brand under which the wallet's owner buys from its seller."""
    placed = Placement.objects.filter(party_id=wallet.account.owner_id, seller_id=wallet.seller_id)
    zone = placed.order_by("-valid_from").values_list("brand__time_zone", flat=True).first()
    return ZoneInfo(zone or "UTC")


def day_of(zone: ZoneInfo, moment: datetime) -> date:
    return moment.astimezone(zone).date()


def _reckon(wallet: Wallet) -> None:
    zone = zone_of(wallet)
    day = day_of(zone, timezone.now())
    begins, ends = (
        datetime.combine(one, time(), tzinfo=zone).astimezone(UTC) for one in (day, day + timedelta(days=1))
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT rating_live_reckon_day(%s, %s, %s, %s)", [wallet.pk, day, begins, ends])


# -- what the functions are told ------------------------------------------------------------------------------------
def asked(tiers: Sequence[TierTerms], longest_s: int, engine: Engine, at: datetime) -> list[dict[str, Any]]:
    """The limited wallets among those of a call that is asked for, with their day and what it takes from them."""
    limited = engine.directory.limited
    days = {
        tier.wallet: day_of(engine.directory.zones[tier.brand], at).isoformat()
        for tier in tiers
        if tier.wallet in limited
    }
    return _told(days, takings(_among(tiers, days), longest_s, at, at + ANSWERED_WITHIN)) if days else []


def asked_again(
    spends: Iterable[Mapping[str, Any]], tiers: Sequence[TierTerms], longest_s: int, answered_at: datetime
) -> list[dict[str, Any]]:
    """The same for a call that goes on: it counts to the days that it counted to before."""
    days = {UUID(one["wallet"]): str(one["day"]) for one in spends}
    return _told(days, takings(_among(tiers, days), longest_s, answered_at, answered_at)) if days else []


def _among(tiers: Sequence[TierTerms], days: Mapping[UUID, str]) -> list[TierTerms]:
    return [tier for tier in tiers if tier.wallet in days]


def _told(days: Mapping[UUID, str], taken: Sequence[Curve]) -> list[dict[str, Any]]:
    return [
        {"wallet": str(curve.wallet), "day": days[curve.wallet], "s": curve.seconds, "m": curve.micros}
        for curve in taken
    ]
