"""The tables of money."""

from __future__ import annotations

from accounts.models.account import Account, AccountKind, Billing, Funding, Wallet
from accounts.models.alerts import BLOCKING, AlertEvent, AlertKind, AlertMark, AlertRule
from accounts.models.ledger import BookSnapshot, BookVersion, Hold, HoldStatus, Transfer, TransferKind

__all__ = [
    "BLOCKING",
    "Account",
    "AccountKind",
    "AlertEvent",
    "AlertKind",
    "AlertMark",
    "AlertRule",
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
