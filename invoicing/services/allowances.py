"""Included calls: what an allowance covers of a month's calls is given back, as one credit beside their charges.

Calls are charged as they come, included or not, so no price waits for a counter. What the allowances of a month cover
follows from all of its calls in order of time; it is reckoned anew whenever the wallet moved, and the difference to
what was given back so far is posted. A late call, a re-rating or an end only makes another difference. The month's
run does it before it bills; in between a beat task does, so that a prepaid wallet has its included calls back within
minutes. (A prepaid call is still held at its price while it lasts.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, Sum

from accounts.models import Wallet
from accounts.services.ledger import lock_wallets
from accounts.services.transactions import in_transaction
from invoicing.charges.allowances import Allowance, Call, use_up
from invoicing.charges.periods import Period
from invoicing.models import AllowanceUse, Charge, ChargeKind, Product, Subscription
from invoicing.services.charge_rows import Sheet, tax_of, write
from invoicing.services.periods import month_before, month_in, next_month, today_in
from invoicing.services.subscribed import Subscribed, subscribed
from tiers.models import Kind, Party
from tiers.viewer import SYSTEM, Actor

ZERO = Decimal(0)
AT_A_TIME = 2000


@dataclass(frozen=True, slots=True)
class Part:
    """An allowance of a month with the subscription and product that it comes from."""

    row: Subscription
    product: Product
    allowance: Allowance


def settle_open(*, actor: Actor = SYSTEM) -> int:
    """This month's and the last one's allowances, where something happened since; how many credits were posted."""
    done = 0
    for wallet in _wallets(Q()):
        this = _today(wallet).replace(day=1)
        done += sum(settle_wallet(wallet, month, actor=actor) for month in (month_before(this), this))
    return done


def settle(seller: Party, month: date, *, actor: Actor = SYSTEM) -> int:
    """A seller's allowances of a month and of the one before, whose late calls are still to be billed."""
    wallets = _wallets(Q(seller=seller))
    return sum(settle_wallet(wallet, each, actor=actor) for wallet in wallets for each in (month_before(month), month))


def settle_wallet(wallet: UUID, month: date, *, actor: Actor = SYSTEM) -> int:
    """Reckon one wallet's month anew; how many credits (or, where calls became cheaper, charges) that made."""

    def work() -> int:
        rows = _rows(wallet, month)
        if not rows:
            return 0
        version = Wallet.objects.values_list("version", flat=True).get(pk=wallet)
        parts = [part for row in rows for part in _parts(row, month)]
        known = {(use.subscription_id, use.product_id): use for use in _uses(parts, month)}
        if all(_stands(known.get((part.row.pk, part.product.pk)), part, version) for part in parts):
            return 0
        use_up([part.allowance for part in parts], _calls(rows[0], month))
        return _settle(parts, month, version, actor)

    return in_transaction(work)


def _stands(use: AllowanceUse | None, part: Part, version: int) -> bool:
    return use is not None and use.seen == version and use.included == part.allowance.included


def _wallets(which: Q) -> list[UUID]:
    rows = Subscription.objects.filter(which, terms__product__included__gt=0).exclude(buyer__status="closed")
    return list(rows.order_by("wallet_id").values_list("wallet_id", flat=True).distinct())


def _today(wallet: UUID) -> date:
    row = Subscription.objects.filter(wallet=wallet).select_related("product__brand").first()
    assert row is not None
    return today_in(row.product.brand.time_zone)


def _rows(wallet: UUID, month: date) -> list[Subscription]:
    """Subscriptions that may include something in the month, locked; the oldest is used up first."""
    locked = Subscription.objects.select_for_update(of=("self",)).filter(wallet=wallet)
    mine = Q(terms__product__included__gt=0, starts_on__lt=next_month(month))
    ends = Q(ends_on__isnull=True) | Q(ends_on__gt=month)
    keys = Subscription.objects.filter(mine, ends, wallet=wallet).values("pk")
    held = Subscription.objects.filter(wallet=wallet, allowances__month=month).values("pk")
    found = locked.filter(Q(pk__in=keys) | Q(pk__in=held)).order_by("starts_on", "pk")
    return list(found.select_related("product__brand", "wallet__account", "buyer", "seller"))


def _parts(row: Subscription, month: date) -> Iterator[Part]:
    """By product: what its days of the month include, whole seconds or calls."""
    case = subscribed(row)
    period = Period(month, next_month(month))
    sums: dict[UUID, int] = {}
    for stretch in case.wanted(period):
        product = case.product_on(stretch.start)
        days = (stretch.end - stretch.start).days
        sums[product.pk] = sums.get(product.pk, 0) + product.included * stretch.terms.quantity * days
    held = AllowanceUse.objects.filter(subscription=row, month=month).values_list("product_id", flat=True)
    for pk in {**sums, **dict.fromkeys(pk for pk in held if pk in case.products)}:
        product = case.products[pk]
        if product.included:
            yield Part(row, product, _allowance(case, product, period, sums.get(pk, 0) // period.days))


def _allowance(case: Subscribed, product: Product, period: Period, included: int) -> Allowance:
    days = [one for one in case.wanted(period) if case.product_on(one.start).pk == product.pk]
    return Allowance(
        unit=product.included_unit,
        included=included,
        classes=frozenset(product.included_classes),
        start=min((one.start for one in days), default=period.start),
        end=max((one.end for one in days), default=period.start),
        customer=_for_whom(case.row),
    )


def _for_whom(row: Subscription) -> UUID | None:
    """The customer at the bottom, for which a dealer bought it; None where it is the buyer's own."""
    bottom = row
    while bottom.serves_id is not None:
        bottom = Subscription.objects.select_related("buyer").get(pk=bottom.serves_id)
    return bottom.buyer_id if bottom is not row and bottom.buyer.kind == Kind.CUSTOMER else None


def _uses(parts: Sequence[Part], month: date) -> Iterable[AllowanceUse]:
    return AllowanceUse.objects.filter(month=month, subscription__in=[part.row.pk for part in parts])


# What holds of each call now, by its newest correction; in order of time.
_CALLS = """
    SELECT (c.answered_at AT TIME ZONE %(zone)s)::date, c.customer_id, COALESCE(k.service_class, c.service_class),
        COALESCE(k.billed_s, c.billed_s), COALESCE(k.sale, c.sale), COALESCE(k.tax, c.tax)
    FROM rating_ratedcall c
    LEFT JOIN LATERAL (
        SELECT * FROM rating_ratedcorrection r WHERE r.rated_call_id = c.id ORDER BY r.number DESC LIMIT 1) k ON true
    WHERE c.buyer_id = %(buyer)s AND c.seller_id = %(seller)s AND c.currency = %(currency)s
        AND c.id >= rating_id_floor(%(since)s) AND c.id < rating_id_floor(%(until)s)
        AND c.answered_at >= %(start)s AND c.answered_at < %(end)s
        AND k.withdrawn IS NOT TRUE AND COALESCE(k.sale, c.sale) > 0
    ORDER BY c.answered_at, c.id
"""


def _calls(row: Subscription, month: date) -> Iterator[Call]:
    zone = row.product.brand.time_zone
    runs = month_in(month, zone)
    values: dict[str, Any] = {
        "zone": zone,
        "buyer": row.buyer_id,
        "seller": row.seller_id,
        "currency": row.wallet.account.currency,
        "since": month - timedelta(days=2),
        "until": next_month(month) + timedelta(days=2),
        "start": runs.start,
        "end": runs.end,
    }
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_CALLS, values)
        while rows := cursor.fetchmany(AT_A_TIME):
            for found in rows:
                yield Call(*found)


def _settle(parts: Sequence[Part], month: date, version: int, actor: Actor) -> int:
    """Post the differences; `version` is the wallet's from before its calls were read."""
    posted = transfers = 0
    wallet = parts[0].row.wallet
    lock_wallets([wallet.pk])
    for part in parts:
        before, before_tax = _given_back(part, month)
        change = before - part.allowance.worth, before_tax - part.allowance.worth_tax
        if any(change):
            write(wallet, [_sheet(part, month, change)], actor=actor)
            posted += 1
            transfers += sum(map(bool, change))
    moved = Wallet.objects.values_list("version", flat=True).get(pk=wallet.pk)
    for part in parts:
        _remember(part, month, moved if moved == version + transfers else version)
    return posted


def _remember(part: Part, month: date, seen: int) -> None:
    allowance = part.allowance
    AllowanceUse.objects.update_or_create(
        subscription=part.row,
        product=part.product,
        month=month,
        defaults={
            "unit": allowance.unit,
            "included": allowance.included,
            "used": allowance.used,
            "worth": allowance.worth,
            "worth_tax": allowance.worth_tax,
            "seen": seen,
        },
    )


def _given_back(part: Part, month: date) -> tuple[Decimal, Decimal]:
    rows = Charge.objects.filter(
        kind=ChargeKind.INCLUDED, subscription=part.row, product=part.product, period_start=month
    )
    sums = rows.aggregate(amount=Sum("amount"), tax=Sum("tax"))
    return -(sums["amount"] or ZERO), -(sums["tax"] or ZERO)


def _sheet(part: Part, month: date, change: tuple[Decimal, Decimal]) -> Sheet:
    period = Period(month, next_month(month))
    return Sheet(
        kind=ChargeKind.INCLUDED,
        period=period,
        start=period.start,
        end=period.end,
        quantity=1,
        unit_price=ZERO,
        amount=change[0],
        tax=change[1],
        law=tax_of(part.row.wallet, part.row.seller),
        label=part.product.name,
        product=part.product,
        subscription=part.row,
        due_on=period.start,
        for_month=month,
    )
