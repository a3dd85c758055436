"""What a re-rating looks at: usage records of the selection, and what each of their rated calls costs now.

Rated calls are found by their record's id: both carry the call's start, so a record's calls lie within a millisecond
or two of it and no index on the record is needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from rating.models import PriceList, RatedCorrection, RerateRun, UsageRecord
from rating.services.copying import uuid_array
from tiers.models import Kind, Party, Placement

Key = tuple[UUID, UUID, str]
"""Seller, buyer, currency: of one record there is one rated call for each."""


@dataclass(slots=True)
class Standing:
    """A rated call as it stands, its corrections followed. `transfer` and the like are those that charged it first.

    `first_sale` and `first_tax` are the first charge that was not nothing; `number` counts its corrections, `run` made
    the last one (None: no re-rating did).
    """

    id: UUID
    record_id: UUID
    seller: UUID
    buyer: UUID
    currency: str
    sale: Decimal
    tax: Decimal
    billed_s: int
    cost: Decimal | None
    cost_currency: str | None
    terms: int
    cost_terms: int | None
    price_list: UUID
    carrier: UUID | None
    prefix: str
    destination: str
    service_class: str
    transfer: UUID | None
    tax_transfer: UUID | None
    cost_transfer: UUID | None
    first_sale: Decimal
    first_tax: Decimal
    duration_s: int
    withdrawn: bool = False
    number: int = 0
    run: UUID | None = None

    @property
    def key(self) -> Key:
        return (self.seller, self.buyer, self.currency)

    def follow(self, later: RatedCorrection) -> None:
        """Take over what a correction says."""
        self.sale, self.tax, self.billed_s = later.sale, later.tax, later.billed_s
        self.cost, self.cost_currency = later.cost, later.cost_currency
        self.terms, self.cost_terms = later.terms_id, later.cost_terms_id
        self.price_list, self.carrier = later.price_list_id, later.carrier_id
        self.prefix, self.destination, self.service_class = later.prefix, later.destination, later.service_class
        self.transfer = self.transfer or later.transfer_id
        self.tax_transfer = self.tax_transfer or later.tax_transfer_id
        if later.cost_back_transfer_id is not None:
            self.cost_transfer = None
        self.cost_transfer = self.cost_transfer or later.cost_transfer_id
        self.withdrawn, self.number, self.run = later.withdrawn, later.number, later.run_id
        self.duration_s = self.duration_s if later.duration_s is None else later.duration_s
        if self.first_sale == self.first_tax == 0:
            self.first_sale, self.first_tax = later.sale, later.tax


class Charged(NamedTuple):
    """What is needed of a transfer to correct it."""

    payer: UUID
    payee: UUID
    currency: str
    month: date | None
    at: datetime


@dataclass(slots=True)
class Slice:
    """Some records of the selection with their calls, and the transfers that charged these first."""

    records: list[UsageRecord]
    calls: dict[UUID, list[Standing]] = field(default_factory=dict)
    charged: dict[UUID, Charged] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Within:
    """A run's selection as far as the database narrows it. None: everybody."""

    records: QuerySet[UsageRecord]
    lists: frozenset[UUID] | None


def id_at(moment: datetime) -> UUID:
    """The smallest id of a call that began at this moment or later."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (0x7 << 76) | (0x8 << 60))


def within(run: RerateRun) -> Within:
    """The records of a run, and the lists of which one must price a call (a list's run)."""
    found = UsageRecord.objects.filter(id__gte=id_at(run.period_from), id__lt=id_at(run.period_to))
    if run.source_id is not None:
        found = found.filter(source_id=run.source_id)
    below = [party for party in (run.party, run.customer) if party is not None and party.kind != Kind.OPERATOR]
    lists = None
    if run.price_list is not None:
        lists = lists_on(run.price_list)
        below += [run.price_list.seller] if run.price_list.seller.kind != Kind.OPERATOR else []
    for party in below:
        found = found.filter(customer_id__in=ever_below(party))
    return Within(found, lists)


def ever_below(party: Party) -> set[UUID]:
    """The party and all that were placed under it at any time: who moved away was charged there before."""
    sold: dict[UUID, set[UUID]] = defaultdict(set)
    for seller, buyer in Placement.objects.values_list("seller", "party"):
        sold[seller].add(buyer)
    found, waiting = {party.pk}, [party.pk]
    while waiting:
        fresh = sold[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found


def lists_on(price_list: PriceList) -> frozenset[UUID]:
    """A price list and those derived from it."""
    bases = dict(PriceList.objects.values_list("pk", "base_list"))
    found = {price_list.pk}
    while fresh := {pk for pk, base in bases.items() if base in found} - found:
        found |= fresh
    return frozenset(found)


def read(records: Sequence[UsageRecord]) -> Slice:
    """The calls of these records, as they stand."""
    found = Slice(list(records))
    if not records:
        return found
    standing = {one.id: one for one in _calls(records)}
    corrections = RatedCorrection.objects.filter(rated_call__in=list(standing)).order_by("rated_call", "number")
    for correction in corrections:
        standing[correction.rated_call_id].follow(correction)
    for one in standing.values():
        found.calls.setdefault(one.record_id, []).append(one)
    found.charged = charged_by(
        {
            key
            for one in standing.values()
            for key in (one.transfer, one.tax_transfer, one.cost_transfer)
            if key is not None
        }
    )
    return found


_CALLS = """
    SELECT c.id, c.record_id::text, c.seller_id::text, c.buyer_id::text, c.currency, c.sale, c.tax, c.billed_s, c.cost,
        c.cost_currency, c.terms_id, c.cost_terms_id, c.price_list_id::text, c.carrier_id::text, c.prefix,
        c.destination, c.service_class, c.transfer_id::text, c.tax_transfer_id::text, c.cost_transfer_id::text,
        c.sale, c.tax, c.duration_s
    FROM unnest(%(ids)s::uuid[], %(low)s::uuid[], %(high)s::uuid[]) AS r(id, low, high)
    JOIN rating_ratedcall c ON c.id >= r.low AND c.id < r.high AND c.record_id = r.id
    WHERE c.id >= %(least)s AND c.id < %(most)s
"""


def _calls(records: Iterable[UsageRecord]) -> list[Standing]:
    ids = [record.pk for record in records]
    low, high = [_moved(key, -1) for key in ids], [_moved(key, 2) for key in ids]
    values: dict[str, Any] = {
        "ids": uuid_array(ids),
        "low": uuid_array(low),
        "high": uuid_array(high),
        "least": min(low),
        "most": max(high),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, values)
        keys = _Keys()
        return [
            Standing(
                row[0],
                *keys.of(row[1:4]),
                *row[4:12],
                *keys.of(row[12:14]),
                *row[14:17],
                *keys.of(row[17:20]),
                *row[20:],
            )
            for row in cursor.fetchall()
        ]


class _Keys(dict[str | None, Any]):
    """Keys from text, each made once: thousands of calls share their sellers, lists and transfers."""

    def __missing__(self, text: str | None) -> UUID | None:
        self[text] = made = None if text is None else UUID(text)
        return made

    def of(self, texts: Sequence[str | None]) -> list[Any]:
        return [self[text] for text in texts]


def _moved(key: UUID, millis: int) -> UUID:
    """Where ids of so many milliseconds later begin."""
    return UUID(int=((key.int >> 80) + millis) << 80)


def charged_by(transfers: Collection[UUID]) -> dict[UUID, Charged]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, payer_id, payee_id, currency, for_month, created_at FROM accounts_transfer"
            " WHERE id = ANY(%s::uuid[])",
            [uuid_array(transfers)],
        )
        return {row[0]: Charged(*row[1:]) for row in cursor.fetchall()}
