"""Opening accounts: a buyer's wallet with its seller, and the seller's book beside it."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db.models import Case, When
from django.utils.translation import gettext as _

from accounts.models import Account, AccountKind, Billing, Funding, Wallet
from accounts.services.ledger import lock_wallets
from accounts.services.overcommit import check_overcommit, promiser_of
from accounts.services.transactions import in_transaction
from tiers.errors import Conflict, Invalid, NotFound
from tiers.models import Party


def book(owner: Party, kind: str, currency: str, label: str = "") -> Account:
    """The seller's account of this kind and currency, opened at first use. `label` names a carrier's account."""
    if kind == AccountKind.WALLET:
        raise ValueError("a wallet is opened by open_wallet")
    account, _made = Account.objects.get_or_create(owner=owner, kind=kind, currency=currency, label=label)
    return account


def wallet_of(buyer: Party, currency: str | None = None) -> Wallet:
    """The buyer's wallet, in `currency` or its oldest; with its present seller before one left behind by a move.

    Raises NotFound.
    """
    wallets = Wallet.objects.select_related("account", "seller").filter(account__owner=buyer)
    if currency is not None:
        wallets = wallets.filter(account__currency=currency)
    with_present_seller = Case(When(seller__path=buyer.parent_path or "", then=0), default=1)
    found = wallets.order_by(with_present_seller, "account__created_at").first()
    if found is None:
        raise NotFound(
            "no_wallet",
            _("%(name)s has no wallet in %(currency)s.")
            % {"name": buyer.name, "currency": currency or _("any currency")},
            hint=_("Open one, or use the currency of the wallet it has."),
        )
    return found


def open_wallet(
    buyer: Party,
    seller: Party,
    currency: str,
    *,
    funding: str = Funding.WHOLESALE,
    billing: str = Billing.PREPAID,
    credit_limit: Decimal = Decimal(0),
) -> Wallet:
    """Open the buyer's wallet with its seller; the same call again returns the wallet that stands.

    A distribution wallet hangs on the seller's own wallet of the same currency and is prepaid. A party that moved gets
    a wallet with its new seller beside the old one. Raises Invalid where the terms contradict each other, Conflict
    where the wallet stands on other terms, or the buyer does not buy from this seller.
    """
    _check_terms(funding, billing, credit_limit)

    def work() -> Wallet:
        wallets = Wallet.objects.filter(account__owner=buyer, account__currency=currency)
        standing = wallets.filter(seller=seller).first()
        if standing is not None:
            if standing.funding != funding:
                raise Conflict("wallet_exists", _("%s already has a wallet in this currency.") % buyer.name)
            return standing
        if wallets.exists() and buyer.parent_path != seller.path:
            raise Conflict("wallet_exists", _("%s has its wallet in this currency with its own seller.") % buyer.name)
        seller_wallet = wallet_of(seller, currency) if funding == Funding.DISTRIBUTION else None
        label = seller.code if wallets.exists() else ""
        account = Account.objects.create(owner=buyer, kind=AccountKind.WALLET, currency=currency, label=label)
        wallet = Wallet.objects.create(
            account=account,
            seller=seller,
            seller_wallet=seller_wallet,
            funding=funding,
            billing=billing,
            credit_limit=credit_limit,
        )
        promiser = promiser_of(wallet) if credit_limit else None
        if promiser:
            lock_wallets([promiser])
            check_overcommit(promiser)
        return wallet

    return in_transaction(work)


def counter_account(wallet: Wallet, kind: str) -> UUID:
    """What stands on the wallet's other side: the seller's book account of `kind`, or the seller's own wallet."""
    if wallet.funding == Funding.DISTRIBUTION and kind not in (AccountKind.TAX, AccountKind.ROUNDING):
        assert wallet.seller_wallet_id is not None
        return wallet.seller_wallet_id
    return book(wallet.seller, kind, wallet.account.currency).pk


def _check_terms(funding: str, billing: str, credit_limit: Decimal) -> None:
    if funding == Funding.DISTRIBUTION and billing != Billing.PREPAID:
        raise Invalid("distribution_prepaid", _("A wallet funded by distribution is prepaid."), where="billing")
    if billing == Billing.PREPAID and credit_limit != 0:
        raise Invalid("prepaid_credit", _("A prepaid wallet has no credit limit."), where="credit_limit")
    if credit_limit < 0:
        raise Invalid("negative", _("A credit limit cannot be negative."), where="credit_limit")
