"""Funds down and up the tree: allocations, withdrawals, payments, refunds, credit limits.

A seller allocates to its own buyer. Whoever stands above may allocate to anybody below: then the amount goes down
hop by hop in one transaction, and every hop names the same cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from accounts.figures import plain
from accounts.models import AccountKind, Billing, Transfer, TransferKind, Wallet
from accounts.services.accounts import counter_account, wallet_of
from accounts.services.ledger import Draft, check_amount, lock_wallets, post
from accounts.services.overcommit import check_overcommit, promiser_of
from accounts.services.transactions import in_transaction
from tiers.errors import Conflict, Invalid, NotFound
from tiers.ids import uuid7
from tiers.models import Party
from tiers.viewer import Actor


@dataclass(frozen=True, slots=True)
class Move:
    """What somebody wants to do with money. `key` comes from the form or the API's Idempotency-Key."""

    amount: Decimal
    currency: str
    key: str
    actor: Actor
    reason: str = ""


def allocate(giver: Party, receiver: Party, move: Move) -> list[Transfer]:
    """Give funds to a party below, through every tier between. Top-down, so that each hop has what it passes on."""
    return _chain(giver, receiver, move, TransferKind.ALLOCATION)


def withdraw(taker: Party, giver: Party, move: Move) -> list[Transfer]:
    """Take back unspent allocations from a party below, bottom-up. What the buyer paid itself is refunded instead."""
    return _chain(taker, giver, move, TransferKind.WITHDRAWAL)


def record_payment(
    seller: Party, buyer: Party, move: Move, *, received_on: date, method: str = "", reference: str = ""
) -> Transfer:
    """A payment that reached the seller. Never refused for want of funds."""
    wallet = _direct_wallet(seller, buyer, move.currency)
    details = {"received_on": received_on.isoformat(), "method": method, "reference": reference}
    draft = Draft(
        payer=counter_account(wallet, AccountKind.CASH),
        payee=wallet.pk,
        amount=check_amount(move.amount),
        currency=move.currency,
        kind=TransferKind.PAYMENT,
        key=f"payment:{move.key}",
        reason=move.reason,
        details=details,
    )
    return in_transaction(lambda: post([draft], actor=move.actor))[0]


def refund(seller: Party, buyer: Party, move: Move) -> Transfer:
    """Money paid back to the buyer, out of what is available. A reason is required: it stands on the statement."""
    if not move.reason.strip():
        raise Invalid("reason", _("Say why this is refunded; the buyer reads it."), where="reason")
    wallet = _direct_wallet(seller, buyer, move.currency)
    draft = Draft(
        payer=wallet.pk,
        payee=counter_account(wallet, AccountKind.CASH),
        amount=check_amount(move.amount),
        currency=move.currency,
        kind=TransferKind.REFUND,
        key=f"refund:{move.key}",
        reason=move.reason,
    )
    return in_transaction(lambda: post([draft], actor=move.actor))[0]


def set_credit(wallet_id: UUID, *, billing: str, credit_limit: Decimal) -> Wallet:
    """Change how a wallet pays and its limit, under its lock and its seller's. Raises Conflict("overcommit")."""
    if credit_limit < 0 or not credit_limit.is_finite():
        raise Invalid("credit_limit", _("A credit limit cannot be negative."), where="credit_limit")
    if billing == Billing.PREPAID and credit_limit > 0:
        raise Invalid("prepaid_credit", _("A prepaid wallet has no credit limit."), where="credit_limit")

    def work() -> Wallet:
        known = Wallet.objects.select_related("account", "seller").get(pk=wallet_id)
        promiser = promiser_of(known)
        wallet = lock_wallets([wallet_id, *([promiser] if promiser else [])])[wallet_id]
        if wallet.seller_wallet_id and billing != Billing.PREPAID:
            raise Invalid("distribution_prepaid", _("A wallet funded by distribution is prepaid."), where="billing")
        rises = credit_limit > wallet.credit_limit
        wallet.billing, wallet.credit_limit = billing, credit_limit
        wallet.save(update_fields=["billing", "credit_limit"])
        if promiser and rises:
            check_overcommit(promiser)
        return wallet

    return in_transaction(work)


def withdrawable(wallet: Wallet) -> Decimal:
    """What of the wallet was allocated, is not spent, and is available without credit.

    Charges use up allocations first, so what a buyer paid is touched last.
    """
    mine = Q(payer=wallet.pk) | Q(payee=wallet.pk)
    sums = Transfer.objects.filter(mine).aggregate(
        given=Sum("amount", filter=Q(payee=wallet.pk, kind=TransferKind.ALLOCATION)),
        taken=Sum("amount", filter=Q(payer=wallet.pk, kind=TransferKind.WITHDRAWAL)),
        spent=Sum("amount", filter=Q(payer=wallet.pk, kind__in=SPENDING)),
        given_back=Sum("amount", filter=Q(payee=wallet.pk, reverses__payer=wallet.pk, kind__in=SPENDING)),
    )
    spent = (sums["spent"] or 0) - (sums["given_back"] or 0)
    unspent = (sums["given"] or 0) - (sums["taken"] or 0) - spent
    return max(Decimal(0), min(Decimal(unspent), wallet.available - wallet.credit_limit))


SPENDING = (
    TransferKind.USAGE,
    TransferKind.USAGE_TAX,
    TransferKind.TAX,
    TransferKind.CHARGE,
    TransferKind.CHARGE_TAX,
    TransferKind.ROUNDING,
)


def _chain(above: Party, below: Party, move: Move, kind: str) -> list[Transfer]:
    amount = check_amount(move.amount)
    hops = _hops(above, below, move.currency)
    if kind == TransferKind.WITHDRAWAL:
        hops.reverse()

    def work() -> list[Transfer]:
        promisers = [p for p in map(promiser_of, hops) if p is not None]
        accounts = [counter_account(hop, AccountKind.ADJUSTMENTS) for hop in hops]
        locked = lock_wallets([*(hop.pk for hop in hops), *accounts, *promisers])
        drafts = [_hop_draft(hop, account, amount, move, kind) for hop, account in zip(hops, accounts, strict=True)]
        replay = Transfer.objects.filter(key=drafts[0].key).exists()
        if kind == TransferKind.WITHDRAWAL and not replay:
            _check_withdrawable(locked[hops[0].pk], amount)
        made = post(drafts, actor=move.actor, cause=uuid7())
        if kind == TransferKind.ALLOCATION and not replay:
            for promiser in promisers:
                check_overcommit(promiser)
        return made

    return in_transaction(work)


def _hop_draft(hop: Wallet, other: UUID, amount: Decimal, move: Move, kind: str) -> Draft:
    down = kind == TransferKind.ALLOCATION
    return Draft(
        payer=other if down else hop.pk,
        payee=hop.pk if down else other,
        amount=amount,
        currency=move.currency,
        kind=kind,
        key=f"{kind}:{move.key}:{hop.pk}",
        reason=move.reason,
    )


def _check_withdrawable(wallet: Wallet, amount: Decimal) -> None:
    most = withdrawable(wallet)
    if amount > most:
        raise Conflict(
            "withdrawal",
            _("At most %s can be withdrawn: only allocations that are not spent.") % plain(most),
            where="amount",
            hint=_("What the buyer paid leaves as a refund, with a reason."),
        )


def _hops(above: Party, below: Party, currency: str) -> list[Wallet]:
    """The wallets between a party and one below it, from the top. Raises NotFound or Invalid."""
    if above.pk == below.pk or not below.is_at_or_below(above):
        raise NotFound("not_below", _("There is no such party below yours."), where="party")
    paths = [path for path in below.ancestor_paths() if len(path) > len(str(above.path))]
    parties = Party.objects.filter(path__in=paths).order_by("path")
    hops = []
    for party in parties:
        try:
            wallet = wallet_of(party, currency)
        except NotFound as missing:
            raise Invalid("currency", missing.message, where="currency", hint=missing.hint) from missing
        if wallet.seller.path != party.parent_path:
            raise Invalid(
                "wallet_left_behind",
                _("%s has a wallet in this currency only with the seller it left.") % party.name,
                where="party",
                hint=_("Open a wallet with its present seller first."),
            )
        hops.append(wallet)
    return hops


def _direct_wallet(seller: Party, buyer: Party, currency: str) -> Wallet:
    wallet = wallet_of(buyer, currency)
    if wallet.seller_id != seller.pk:
        raise NotFound("not_yours", _("There is no such buyer of yours."), where="party")
    return wallet
