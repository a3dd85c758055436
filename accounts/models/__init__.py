"""The tables of money."""

from __future__ import annotations

from accounts.models.account import Account, AccountKind, Billing, Funding, Wallet
from accounts.models.ledger import BookSnapshot, BookVersion, Hold, HoldStatus, Transfer, TransferKind

__all__ = [
    "Account",
    "AccountKind",
    "Billing",
    "BookSnapshot",
    "BookVersion",
    "Funding",
    "Hold",
    "HoldStatus",
    "Transfer",
    "TransferKind",
    "Wallet",
]
