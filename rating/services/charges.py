"""From amounts of calls to transfers: one for each wallet, counter-account, kind and billing month of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray

from accounts.models import AccountKind
from accounts.services.accounts import book
from accounts.services.ledger import Draft
from rating.pricing import Engine
from rating.pricing.directory import Link, Purse
from rating.services.binary import Column, uuid_table
from tiers.ids import uuid7
from tiers.models import Party

AMOUNT_PLACES = 6
MOST_SUMMED = 1 << 62
"""Sums that might come near 64 bits are made of Python's integers."""
MONTHS = 1_000_000
"""More than any calendar has."""
NOBODY = UUID(int=0)
Ints = NDArray[np.int64]
Key = tuple[UUID, UUID, str, date]


class Route(NamedTuple):
    """From which account to which, in which currency."""

    payer: UUID
    payee: UUID
    currency: str


class Books:
    """The accounts on the other side of purses, opened at first use and remembered."""

    def __init__(self, engine: Engine) -> None:
        self._carriers = engine.directory.carriers_by_id
        self._books: dict[tuple[UUID, str, str, str], UUID] = {}
        self._sellers: dict[UUID, Party] = {}

    def usage(self, purse: Purse) -> Route:
        """A charge: to the seller's wallet where it is funded from there, else to the seller's revenue."""
        payee = purse.counter or self._book(purse.seller, AccountKind.REVENUE, purse.currency)
        return Route(purse.id, payee, purse.currency)

    def tax(self, purse: Purse) -> Route:
        return Route(purse.id, self._book(purse.seller, AccountKind.TAX, purse.currency), purse.currency)

    def cost(self, operator: UUID, carrier: UUID, currency: str) -> Route:
        payer = self._book(operator, AccountKind.COST, currency)
        payee = self._book(operator, AccountKind.CARRIER, currency, self._carriers[carrier].code)
        return Route(payer, payee, currency)

    def _book(self, owner: UUID, kind: str, currency: str, label: str = "") -> UUID:
        key = (owner, kind, currency, label)
        if key not in self._books:
            if owner not in self._sellers:
                self._sellers[owner] = Party.objects.get(pk=owner)
            self._books[key] = book(self._sellers[owner], kind, currency, label).pk
        return self._books[key]


def months(engine: Engine, links: Sequence[Link], link: NDArray[np.int32], at_us: Ints) -> Ints:
    """The billing month of each sale in its brand's zone, as months since the year 0."""
    used, place = np.unique(link, return_inverse=True)
    zones = [engine.directory.zones[links[at].brand].key for at in used.tolist()]
    found = np.zeros(len(link), dtype=np.int64)
    for zone in sorted(set(zones)):
        rows = np.flatnonzero(np.array([one == zone for one in zones])[place])
        local = pl.Series(at_us[rows]).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
        found[rows] = local.dt.year().cast(pl.Int64).to_numpy() * 12 + local.dt.month().to_numpy() - 1
    return found


@dataclass(slots=True)
class Charges:
    """The transfers of one batch in the making. `batch` makes their keys this batch's own."""

    batch: str
    drafts: dict[Key, Draft]

    def add(self, kind: str, routes: Sequence[Route], route: NDArray[np.intp], month: Ints, amount: Ints) -> Column:
        """Sum amounts (10**-6, 0: nothing) by route and month; gives for each row the id of its transfer, or NULL."""
        groups, place = np.unique(route * MONTHS + month, return_inverse=True)
        totals = _sums(amount, place, len(groups))
        ids = []
        for group, total in zip(groups.tolist(), totals, strict=True):
            ids.append(self._draft(kind, routes[group // MONTHS], group % MONTHS, total) if total else NOBODY)
        charged = np.array([total > 0 for total in totals], dtype=np.bool_)
        return Column(uuid_table(ids)[place], charged[place])

    def _draft(self, kind: str, route: Route, month: int, total: int) -> UUID:
        first = date(month // 12, month % 12 + 1, 1)
        key, pk = (route.payer, route.payee, kind, first), uuid7()
        assert key not in self.drafts, "two sums for one transfer"
        self.drafts[key] = Draft(
            payer=route.payer,
            payee=route.payee,
            amount=Decimal(total).scaleb(-AMOUNT_PLACES),
            currency=route.currency,
            kind=kind,
            key=f"{kind}:{self.batch}:{route.payer.hex}:{route.payee.hex}:{first:%Y%m}",
            for_month=first,
            id=pk,
        )
        return pk

    def ordered(self) -> list[Draft]:
        """In one order, whoever posts."""
        return [self.drafts[key] for key in sorted(self.drafts, key=_order)]


def _order(key: Key) -> tuple[str, str, str, date]:
    payer, payee, kind, month = key
    return (payer.hex, payee.hex, kind, month)


def _sums(amount: Ints, place: NDArray[Any], count: int) -> list[int]:
    """Exact sums of whole numbers by place."""
    small = not len(amount) or int(amount.max()) * len(amount) < MOST_SUMMED
    totals = np.zeros(count, dtype=np.int64 if small else object)
    np.add.at(totals, place, amount if small else amount.astype(object))
    return totals.tolist()
