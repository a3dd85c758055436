"""Posting what recurs: each subscription's days as they should be charged, less those that are.

A beat task, the month's run and every change come here. Each subscription is one transaction under its row's lock, so
two at once, twice, or a week late all end in the same charges. A prepaid wallet that cannot pay is not charged: the
charge stays due, its buyer is told once, and it is tried again until there are funds.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.services.ledger import lock_wallets
from accounts.services.transactions import in_transaction
from invoicing.charges.periods import ONE_DAY, Period, period_after, period_of
from invoicing.charges.plan import Item, items
from invoicing.models import Charge, Subscription, Timing
from invoicing.services import charge_notices
from invoicing.services.charge_rows import Sheet, write
from invoicing.services.periods import today_in
from invoicing.services.subscribed import Subscribed, subscribed
from tiers.errors import TollgateError
from tiers.models import Party, Status
from tiers.viewer import SYSTEM, Actor

log = logging.getLogger(__name__)

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Posted:
    """How many charges and give-backs were made, and how many subscriptions wait for funds."""

    charges: int = 0
    short: int = 0

    def __add__(self, other: Posted) -> Posted:
        return Posted(self.charges + other.charges, self.short + other.short)


@dataclass(frozen=True, slots=True)
class Due:
    """An item of a period, and the day on which it is to be posted."""

    on: date
    period: Period
    item: Item


def post_due(
    *, seller: Party | None = None, today: date | None = None, actor: Actor = SYSTEM, most: int | None = None
) -> Posted:
    """Post all that is due, buyers before their sellers. `today` is each brand's own day unless given."""
    latest = today or (timezone.now() + timedelta(days=1)).date()
    waiting = Subscription.objects.filter(next_due__lte=latest).exclude(buyer__status=Status.CLOSED)
    if seller is not None:
        waiting = waiting.filter(seller=seller)
    keys = list(waiting.order_by("-seller__depth", "next_due", "pk").values_list("pk", flat=True)[:most])
    done = Posted()
    for key in keys:
        try:
            done += post_these([key], today=today, actor=actor)
        except TollgateError:
            log.exception("subscription %s could not be charged; the others go on", key)
    return done


def post_these(keys: Collection[UUID], *, today: date | None = None, actor: Actor = SYSTEM) -> Posted:
    done = Posted()
    for key in keys:
        done += in_transaction(lambda pk=key: _post(pk, today, actor))  # type: ignore[misc]
    return done


def due_now(subscription: Subscription, today: date | None = None) -> list[Sheet]:
    """What would be posted today, unsaved: the same code as the posting."""
    case = subscribed(subscription)
    day = today or today_in(case.brand.time_zone)
    return [case.sheet(one.period, one.item, one.on) for one in _all(case, day) if one.on <= day]


def _post(pk: UUID, today: date | None, actor: Actor) -> Posted:
    rows = Subscription.objects.select_for_update(of=("self",))
    subscription = rows.select_related("product__brand", "wallet__account", "buyer", "seller").get(pk=pk)
    case = subscribed(subscription)
    day = today or today_in(case.brand.time_zone)
    found = _all(case, day)
    due = [one for one in found if one.on <= day]
    posted, left = _pay(case, due, actor)
    _remember(case, day, [*left, *(one for one in found if one.on > day)], short=bool(left))
    return Posted(posted, int(bool(left)))


def _all(case: Subscribed, day: date) -> list[Due]:
    """Whatever differs in the periods begun, due now or later; by due day."""
    known = _charged(case)
    found = []
    for period in _periods(case, day):
        here = [charge for charge in known if charge.period_start == period.start]
        differing = items(period, case.wanted(period), case.charged(here))
        found += [Due(case.due_on(period, item), period, item) for item in differing]
    return sorted(found, key=lambda one: (one.on, one.item.gives_back is None, one.item.stretch.start))


def _charged(case: Subscribed) -> list[Charge]:
    row = case.row
    since = period_of(max(row.check_from, row.starts_on), row.product.every, case.anchor).start
    return list(row.charges.filter(~Q(kind="included"), period_start__gte=since).order_by("number"))


def _periods(case: Subscribed, day: date) -> list[Period]:
    every, begin = case.row.product.every, max(case.row.check_from, case.row.starts_on)
    period, found = period_of(begin, every, case.anchor), []
    while period.start <= day:
        found.append(period)
        period = period_after(period, every, case.anchor)
    return found


def _pay(case: Subscribed, due: list[Due], actor: Actor) -> tuple[int, list[Due]]:
    """Post period by period, as far as a prepaid wallet reaches; how many, and what is left due."""
    if not due:
        return 0, []
    wallet = lock_wallets([case.wallet.pk])[case.wallet.pk]
    available, posted = wallet.available, 0
    periods = list(dict.fromkeys(one.period for one in due))
    for at, period in enumerate(periods):
        sheets = [case.sheet(one.period, one.item, one.on) for one in due if one.period == period]
        cost = sum((sheet.amount + sheet.tax for sheet in sheets), ZERO)
        if wallet.is_prepaid and cost > 0 and cost > available:
            case.row.short_by = cost - max(available, ZERO)
            return posted, [one for one in due if one.period in periods[at:]]
        write(case.wallet, sheets, actor=actor)
        available -= cost
        posted += len(sheets)
    return posted, []


def _remember(case: Subscribed, day: date, left: list[Due], *, short: bool) -> None:
    """From where to look the next time, and when."""
    row = case.row
    current = period_of(max(day, row.starts_on), row.product.every, case.anchor)
    row.check_from = min([one.period.start for one in left] + [current.start])
    row.next_due = day if short else _next_due(case, current, day, left)
    row.product = case.product_on(day)
    if not short:
        row.short_since, row.short_by = None, ZERO
    elif row.short_since is None:
        row.short_since = min(one.on for one in left)
        charge_notices.tell_short(row)
    row.save(update_fields=["check_from", "next_due", "short_since", "short_by", "product"])


def _next_due(case: Subscribed, current: Period, day: date, left: list[Due]) -> date | None:
    row, days = case.row, [one.on for one in left if one.on > day]
    first_of_next = current.start if current.start > day else current.end
    if row.ends_on is None or first_of_next < row.ends_on:
        late = row.product.timing == Timing.ARREARS
        days.append(max(first_of_next, row.starts_on, day + ONE_DAY) if not late else max(current.end, day + ONE_DAY))
    return min(days, default=None)
