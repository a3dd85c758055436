"""Money as a viewer may see it: wallets, the book, transfers, what flowed down, what was earned in a month."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from accounts import books
from accounts.models import Account, AccountKind, Transfer, TransferKind, Wallet
from tiers.errors import NotFound
from tiers.models import Party
from tiers.viewer import Viewer

AVAILABLE = F("posted") - F("held") - F("owed_below") + F("credit_limit")
DOWN = (TransferKind.ALLOCATION, TransferKind.PAYMENT)
UP = (TransferKind.WITHDRAWAL, TransferKind.REFUND)


def wallets(viewer: Viewer) -> QuerySet[Wallet]:
    """Wallets of the viewer's party and of all below it, with owner, seller and what is available."""
    rows = Wallet.visible.for_viewer(viewer).select_related("account__owner", "seller")
    found: QuerySet[Wallet] = rows.annotate(spendable=AVAILABLE).order_by("account__owner__path", "account__currency")
    return found


def wallets_of(viewer: Viewer, party: Party) -> QuerySet[Wallet]:
    return wallets(viewer).filter(account__owner=party)


def wallet_by_id(viewer: Viewer, key: UUID) -> Wallet:
    """Raises NotFound for what is not the viewer's to see."""
    found = wallets(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_wallet", _("There is no such wallet here."))
    return found


def low_wallets(viewer: Viewer) -> QuerySet[Wallet]:
    """Wallets below their warning balance, or with nothing available."""
    return wallets(viewer).filter(Q(spendable__lt=F("warn_below")) | Q(spendable__lte=0, posted__lt=0))


@dataclass(frozen=True)
class BookBalance:
    """What one account of a book holds: received minus paid. `label` names a carrier."""

    account: Account
    balance: Decimal


def book(viewer: Viewer, party: Party | None = None) -> list[BookBalance]:
    """The book of a seller (the viewer's own unless said), by currency and kind."""
    rows = Account.visible.for_viewer(viewer).filter(owner=party or viewer.party)
    accounts = list(rows.exclude(kind=AccountKind.WALLET).order_by("currency", "kind", "label"))
    known = books.balances([account.pk for account in accounts])
    return [BookBalance(account, known.get(account.pk, Decimal(0))) for account in accounts]


def transfers(viewer: Viewer) -> QuerySet[Transfer]:
    """Every transfer that touches the viewer's part of the tree."""
    found: QuerySet[Transfer] = Transfer.visible.for_viewer(viewer).select_related("payer__owner", "payee__owner")
    return found


def transfers_of(viewer: Viewer, party: Party) -> QuerySet[Transfer]:
    """Those in or out of a party's accounts."""
    mine = Account.visible.for_viewer(viewer).filter(owner=party).values("pk")
    return transfers(viewer).filter(Q(payer__in=mine) | Q(payee__in=mine))


def transfers_of_wallet(viewer: Viewer, wallet: Wallet) -> QuerySet[Transfer]:
    return transfers(viewer).filter(Q(payer=wallet.pk) | Q(payee=wallet.pk))


@dataclass(frozen=True)
class FundsDown:
    """What a seller's buyer got in a currency: allocated and paid in, less what was taken back or refunded."""

    seller: UUID
    seller_name: str
    buyer: UUID
    buyer_name: str
    currency: str
    amount: Decimal


def funds_down(viewer: Viewer) -> list[FundsDown]:
    """Per wallet below the viewer, what came in net, largest first; only what is above 0."""
    rows = wallets(viewer).exclude(account__owner=viewer.party).filter(seller__path__startswith=viewer.path)
    keys = list(rows.values_list("pk", flat=True))
    came = _sums(Transfer.visible.for_viewer(viewer).filter(payee__in=keys, kind__in=DOWN), "payee")
    went = _sums(Transfer.visible.for_viewer(viewer).filter(payer__in=keys, kind__in=UP), "payer")
    found = [
        FundsDown(
            row.seller_id,
            row.seller.name,
            row.account.owner_id,
            row.account.owner.name,
            row.account.currency,
            came.get(row.pk, Decimal(0)) - went.get(row.pk, Decimal(0)),
        )
        for row in rows
    ]
    return sorted((one for one in found if one.amount > 0), key=lambda one: -one.amount)


def _sums(rows: QuerySet[Transfer], side: str) -> dict[UUID, Decimal]:
    return dict(rows.order_by().values_list(side).annotate(sum=Sum("amount")))


@dataclass
class Earned:
    """A month's sales and cost of a seller, by currency. A dealer's cost is what it was charged itself."""

    month: date
    sale: dict[str, Decimal] = field(default_factory=dict)
    cost: dict[str, Decimal] = field(default_factory=dict)


def earned(viewer: Viewer, since: date) -> list[Earned]:
    """What the viewer's party sold and what that cost it, by billing month from `since` on, months with calls only."""
    rows = Transfer.visible.for_viewer(viewer).filter(for_month__gte=since)
    mine, its = Q(payee__owner=viewer.party), Q(payer__owner=viewer.party)
    back = Q(reverses__isnull=False, reverses__payer=F("payee"))
    charged = rows.filter(kind__in=[TransferKind.USAGE, TransferKind.CARRIER_COST])
    months: dict[date, Earned] = {}
    sides = (
        ("sale", 1, charged.filter(mine, kind=TransferKind.USAGE).exclude(back)),
        ("sale", -1, charged.filter(its, back, kind=TransferKind.USAGE)),
        ("cost", 1, charged.filter(its).exclude(back)),
        ("cost", -1, charged.filter(mine, back)),
    )
    for name, sign, found in sides:
        sums = found.order_by().values_list("for_month", "currency").annotate(sum=Sum("amount"))
        for month, currency, amount in sums:
            assert month is not None
            held = getattr(months.setdefault(month, Earned(month)), name)
            held[currency] = held.get(currency, Decimal(0)) + sign * amount
    return [months[month] for month in sorted(months)]
