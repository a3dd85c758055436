"""Writing a charge beside calls: its row, its transfer, and for a prepaid wallet its tax in a transfer beside it.

Tax is cut by the day as the price is: running sums, each rounded once. So what a period was taxed in parts, and what
was given back of it, come to the tax of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from accounts.models import AccountKind, TransferKind, Wallet
from accounts.services.accounts import book, counter_account
from accounts.services.ledger import Draft, post
from invoicing.charges.periods import ONE_DAY, Period
from invoicing.charges.plan import Stretch, Terms
from invoicing.charges.proration import places_of, up_to
from invoicing.models import Charge, ChargeKind, Product, Subscription
from invoicing.services.amounts import currency_decimals
from invoicing.services.terms import terms_of_buyers
from rating.pricing.directory import Tax as TaxLaw
from rating.pricing.engine import split_tax
from tiers.ids import uuid7
from tiers.models import Party
from tiers.viewer import Actor


@dataclass(frozen=True, slots=True)
class Tax:
    """Of a wallet: percent, whether prices include it, and whether it is charged at once (prepaid)."""

    rate: Decimal
    included: bool
    prepaid: bool

    def split(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        """A listed amount as what is posted at once: (charge, tax)."""
        return split_tax(amount, TaxLaw(self.rate, self.included), self.prepaid)


@dataclass(slots=True)
class Sheet:
    """A charge to be written; negative gives back. Days from `start` to before `end` of `period`."""

    kind: str
    period: Period
    start: date
    end: date
    quantity: int
    unit_price: Decimal
    amount: Decimal
    tax: Decimal
    law: Tax
    label: str
    key: str = ""
    unit: str = ""
    product: Product | None = None
    subscription: Subscription | None = None
    gives_back: Charge | None = None
    reason: str = ""
    due_on: date = date.min
    for_month: date = date.min
    id: UUID = field(default_factory=uuid7)


def tax_of(wallet: Wallet, seller: Party) -> Tax:
    """The tax that holds for charges of this wallet now."""
    terms = terms_of_buyers(seller, [wallet], timezone.now())[wallet.pk].price
    return Tax(terms.tax_rate, terms.prices_include_tax, wallet.is_prepaid)


def recurring(row: Subscription, product: Product, period: Period, stretch: Stretch, law: Tax) -> Sheet:
    amount, tax = _of_days(period, stretch, law, row.wallet.account.currency)
    return Sheet(
        kind=ChargeKind.RECURRING,
        period=period,
        start=stretch.start,
        end=stretch.end,
        quantity=stretch.terms.quantity,
        unit_price=stretch.terms.unit_price,
        amount=amount,
        tax=tax,
        law=law,
        label=f"{product.name}: {row.note}" if row.note else product.name,
        unit=product.unit,
        product=product,
        subscription=row,
    )


def returned(charge: Charge, start: date, end: date) -> Sheet:
    """Days of a charge given back, on the terms it was charged on."""
    period = Period(charge.period_start, charge.period_end)
    law = Tax(charge.tax_rate, charge.tax_included, charge.prepaid)
    stretch = Stretch(start, end, Terms(charge.product_id, charge.quantity, charge.unit_price))
    amount, tax = _of_days(period, stretch, law, charge.currency)
    return Sheet(
        kind=ChargeKind.RECURRING,
        period=period,
        start=start,
        end=end,
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        amount=-amount,
        tax=-tax,
        law=law,
        label=charge.label,
        unit=charge.unit,
        product=charge.product,
        subscription=charge.subscription,
        gives_back=charge,
    )


def _of_days(period: Period, stretch: Stretch, law: Tax, currency: str) -> tuple[Decimal, Decimal]:
    """(charge, tax) of these days: the split of the price up to the last less that up to the first."""
    whole = stretch.terms.amount
    places = places_of(whole, currency_decimals(currency))
    before = law.split(up_to(whole, period, stretch.start, places))
    after = law.split(up_to(whole, period, stretch.end, places))
    return after[0] - before[0], after[1] - before[1]


def write(wallet: Wallet, sheets: Sequence[Sheet], *, actor: Actor) -> list[Charge]:
    """Post and keep them, under the lock of what they belong to. A charge of nothing has no transfer."""
    _number(sheets)
    drafts = [draft for sheet in sheets for draft in _drafts(wallet, sheet)]
    made = {transfer.key: transfer for transfer in post(drafts, actor=actor)} if drafts else {}
    rows = [_row(wallet, sheet, actor) for sheet in sheets]
    for row in rows:
        row.transfer, row.tax_transfer = made.get(f"charge:{row.key}"), made.get(f"charge-tax:{row.key}")
    return Charge.objects.bulk_create(rows)


def _number(sheets: Sequence[Sheet]) -> None:
    """Give the charges of a subscription their numbers, and keys that follow from them."""
    last: dict[UUID, int] = {}
    for sheet in sheets:
        row = sheet.subscription
        if row is not None:
            last[row.pk] = (last[row.pk] if row.pk in last else _last_number(row)) + 1
            sheet.key = f"{row.pk}:{last[row.pk]}"


def _last_number(subscription: Subscription) -> int:
    last = subscription.charges.order_by("-number").values_list("number", flat=True).first()
    return int(last or 0)


def _drafts(wallet: Wallet, sheet: Sheet) -> Iterator[Draft]:
    back = sheet.gives_back
    if sheet.amount:
        other = counter_account(wallet, AccountKind.REVENUE)
        named = back.transfer_id if back is not None else None
        yield _draft(wallet, sheet, (TransferKind.CHARGE, "charge", other), sheet.amount, named)
    if sheet.tax:
        other = book(wallet.seller, AccountKind.TAX, wallet.account.currency).pk
        named = back.tax_transfer_id if back is not None else None
        yield _draft(wallet, sheet, (TransferKind.CHARGE_TAX, "charge-tax", other), sheet.tax, named)


def _draft(wallet: Wallet, sheet: Sheet, how: tuple[str, str, UUID], amount: Decimal, reverses: UUID | None) -> Draft:
    """From the wallet to the other side; a negative amount the other way."""
    kind, prefix, other = how
    pair = (wallet.pk, other) if amount > 0 else (other, wallet.pk)
    return Draft(
        payer=pair[0],
        payee=pair[1],
        amount=abs(amount),
        currency=wallet.account.currency,
        kind=kind,
        key=f"{prefix}:{sheet.key}",
        reason=_told(sheet),
        for_month=sheet.for_month,
        reverses=reverses,
        details={"charge": str(sheet.id)},
    )


def _told(sheet: Sheet) -> str:
    """What the ledger says of it."""
    if sheet.kind != ChargeKind.RECURRING:
        return sheet.reason or sheet.label
    return f"{sheet.label}, {sheet.start} - {sheet.end - ONE_DAY}"


def _row(wallet: Wallet, sheet: Sheet, actor: Actor) -> Charge:
    return Charge(
        id=sheet.id,
        kind=sheet.kind,
        seller=wallet.seller,
        buyer=wallet.account.owner,
        wallet=wallet,
        subscription=sheet.subscription,
        number=int(sheet.key.rpartition(":")[2]) if sheet.subscription is not None else 0,
        product=sheet.product,
        label=sheet.label[:200],
        unit=sheet.unit,
        period_start=sheet.period.start,
        period_end=sheet.period.end,
        starts_on=sheet.start,
        ends_on=sheet.end,
        quantity=sheet.quantity,
        unit_price=sheet.unit_price,
        currency=wallet.account.currency,
        amount=sheet.amount,
        tax=sheet.tax,
        tax_rate=sheet.law.rate,
        tax_included=sheet.law.included,
        prepaid=sheet.law.prepaid,
        gives_back=sheet.gives_back,
        due_on=sheet.due_on,
        for_month=sheet.for_month,
        reason=sheet.reason[:500],
        actor=actor.label[:254],
        key=sheet.key,
    )
