"""A seller's chart of accounts: the code of each account of its books, its own where it mapped one."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import AccountKind
from invoicing.models import ChartCode, Position
from tiers.models import Party

DEFAULTS: dict[str, str] = {
    Position.CASH: "1000",
    Position.RECEIVABLES: "1100",
    Position.OWN_FUNDS: "1300",
    Position.CARRIER: "2000",
    Position.DEPOSITS: "2100",
    Position.PASSED_ON: "2150",
    Position.TAX: "2200",
    Position.REVENUE: "4000",
    Position.ADJUSTMENTS: "4800",
    Position.ROUNDING: "4900",
    Position.COST: "5000",
}
SEVERAL = frozenset({Position.RECEIVABLES, Position.DEPOSITS, Position.CARRIER})
"""Positions with an account for each customer or carrier, which may each have a code of its own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An account as the accountant knows it: its code, its name, and whose it is (empty for the seller's own)."""

    position: str
    code: str
    name: str
    party_code: str = ""
    party: str = ""


class Chart:
    """The codes of one seller, read once."""

    def __init__(self, seller: Party) -> None:
        rows = ChartCode.objects.filter(seller=seller).values_list("position", "of", "code")
        self._own = {(position, of): code for position, of, code in rows}

    def code(self, position: str, of: str = "") -> str:
        default = self._own.get((position, "")) or DEFAULTS[position]
        return (self._own.get((position, of)) if of else None) or default

    def entry(self, position: str, party_code: str = "", party: str = "") -> Entry:
        of = party_code if position in SEVERAL else ""
        return Entry(position, self.code(position, of), str(Position(position).label), party_code, party)


def position_of(kind: str, *, prepaid: bool) -> str:
    """Where an account of the seller's book, or a wallet that it sells to, stands."""
    if kind != AccountKind.WALLET:
        return str(Position(kind))
    return str(Position.DEPOSITS if prepaid else Position.RECEIVABLES)
