"""A new buyer in one step: the party under its seller, and the wallet it pays with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Unpack

from accounts.models import Billing, Funding, Wallet
from accounts.services.accounts import open_wallet
from accounts.services.transactions import in_transaction
from tiers.models import Brand, Party
from tiers.services.parties import PartyDetails, create_party
from tiers.viewer import Actor


@dataclass(frozen=True, slots=True)
class WalletTerms:
    """How the buyer pays. `warn_below`: at what it is warned, None for never."""

    funding: str = Funding.WHOLESALE
    billing: str = Billing.PREPAID
    credit_limit: Decimal = Decimal(0)
    warn_below: Decimal | None = None


def add_buyer(
    seller: Party,
    kind: str,
    code: str,
    name: str,
    brand: Brand,
    terms: WalletTerms,
    *,
    actor: Actor,
    **details: Unpack[PartyDetails],
) -> tuple[Party, Wallet]:
    """A dealer or customer with a wallet in its brand's currency; both or neither. Raises Invalid, Conflict."""

    def work() -> tuple[Party, Wallet]:
        party = create_party(seller, kind, code, name, brand=brand, actor=actor, **details)
        wallet = open_wallet(
            party,
            seller,
            brand.currency,
            funding=terms.funding,
            billing=terms.billing,
            credit_limit=terms.credit_limit,
        )
        if terms.warn_below is not None:
            wallet.warn_below = terms.warn_below
            wallet.save(update_fields=["warn_below"])
        return party, wallet

    return in_transaction(work)
