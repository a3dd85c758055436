"""From priced calls to money: one transfer per wallet, counter-account, kind and month, and the calls that name it.

Used wherever calls become charges: imports, and calls rated later. The rows are COPYed sorted by id, which is by
time; wallets are locked last, by the ledger's door.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import AccountKind, TransferKind
from accounts.services.accounts import book
from accounts.services.ledger import Draft, post
from rating.models import RecordStatus
from rating.pricing import Engine, PricedCall, TierPrice
from rating.pricing.lists import Found
from rating.services.copying import bytea_array, copy_fields, copy_rows
from rating.services.fact_rows import FactRows
from rating.services.sorting import Sorted
from tiers.ids import uuid7
from tiers.models import Party
from tiers.viewer import Actor

RECORD_COLUMNS = (
    "id, source_id, import_id, line, call_id, status, customer_id, carrier_id, account, caller, callee, number,"
    " service_class, started_at, answered_at, duration_s, src_ip, src_port, user_agent, reason, direction, reference"
)
CALL_COLUMNS = (
    "id, terms_id, cost_terms_id, transfer_id, tax_transfer_id, cost_transfer_id,"
    " seller_id, buyer_id, carrier_id, price_list_id, prefix, destination, currency, billed_s, sale, tax,"
    " cost_currency, cost, record_id, customer_id, caller, number, service_class, started_at, answered_at, duration_s"
)


@dataclass(slots=True)
class Group:
    """A transfer in the making."""

    payer: UUID
    payee: UUID
    kind: str
    currency: str
    month: date
    id: UUID = field(default_factory=uuid7)
    total: Decimal = Decimal(0)

    def add(self, amount: Decimal) -> Group:
        self.total += amount
        return self


GroupKey = tuple[UUID, UUID, str, date]


class Row(NamedTuple):
    """A rated call as far as it is known before the terms are stored and the transfers summed."""

    id: str
    terms: bytes
    cost_terms: bytes | None
    groups: tuple[Group | None, Group | None, Group | None]
    rest: str


class Poster:
    """Collects the rated calls of one batch, then writes them and posts their transfers in the open transaction."""

    def __init__(self, engine: Engine, batch: str) -> None:
        self._directory = engine.directory
        self._batch = batch
        self._groups: dict[GroupKey, Group] = {}
        self._books: dict[tuple[UUID, str, str, str], UUID] = {}
        self._sellers: dict[UUID, Party] = {}
        self._rows: list[Row] = []
        self._terms: dict[bytes, Found] = {}
        self._facts = FactRows(engine)

    def free(self, record: Sorted) -> None:
        """A call that is charged nowhere still counts: tried, and perhaps answered."""
        if record.counted:
            self._facts.add_free(record)

    def add(self, record: Sorted, priced: PricedCall) -> None:
        """One call, at all its tiers."""
        self._facts.add(record, priced)
        row, tiers = record.row, priced.tiers
        answered_at = row.answered_at or row.started_at
        shared = copy_fields(
            (
                record.id,
                record.customer,
                row.caller,
                record.number,
                record.service_class,
                row.started_at,
                answered_at,
                row.duration_s,
            )
        )
        for position, tier in enumerate(tiers):
            above = tiers[position + 1] if position + 1 < len(tiers) else None
            made = self._row(record, priced, tier, above)
            self._rows.append(made._replace(rest=f"{made.rest}\t{shared}\n"))

    def write(self, actor: Actor) -> int:
        """COPY the calls, then post; returns how many transfers. Wallets are locked from here to commit."""
        ids = store_terms(self._terms)
        lines = []
        for row in sorted(self._rows, key=itemgetter(0)):
            transfers = [group.id if group is not None and group.total else None for group in row.groups]
            cost_terms = ids[row.cost_terms] if row.cost_terms else None
            known = copy_fields((ids[row.terms], cost_terms, *transfers))
            lines.append(f"{row.id}\t{known}\t{row.rest}")
        copy_rows("rating_ratedcall", CALL_COLUMNS, lines)
        self._facts.write()
        drafts = [self._draft(key, group) for key, group in sorted(self._groups.items(), key=_order) if group.total]
        if drafts:
            post(drafts, actor=actor)
        return len(drafts)

    def _row(self, record: Sorted, priced: PricedCall, tier: TierPrice, above: TierPrice | None) -> Row:
        found, cost = tier.found, priced.cost
        cost_found = above.found if above else (cost.found if cost else None)
        cost_amount = above.sale if above else (cost.amount if cost else None)
        month = self._month(tier.link.brand, record.row.answered_at or record.row.started_at)
        groups = (
            self._charge(tier, TransferKind.USAGE, tier.sale, month),
            self._charge(tier, TransferKind.USAGE_TAX, tier.tax, month) if tier.tax else None,
            self._carrier(tier, priced, month) if above is None else None,
        )
        rest = copy_fields(
            (
                tier.link.seller,
                tier.link.buyer,
                record.trunk or priced.carrier if above is None else priced.carrier,
                tier.list_id,
                found.row.prefix,
                found.row.destination,
                found.measure.currency,
                tier.charge.billed_s,
                tier.sale,
                tier.tax,
                cost_found.measure.currency if cost_found is not None else None,
                cost_amount,
            )
        )
        cost_terms = self._term(cost_found) if cost_found is not None else None
        return Row(uuid7(record.row.started_at).hex, self._term(found), cost_terms, groups, rest)

    def _charge(self, tier: TierPrice, kind: str, amount: Decimal, month: date) -> Group:
        purse, currency = tier.purse, tier.found.measure.currency
        if kind == TransferKind.USAGE and purse.counter is not None:
            payee = purse.counter
        else:
            account = AccountKind.REVENUE if kind == TransferKind.USAGE else AccountKind.TAX
            payee = self._book(tier.link.seller, account, currency)
        return self._group(purse.id, payee, kind, currency, month).add(amount)

    def _carrier(self, tier: TierPrice, priced: PricedCall, month: date) -> Group | None:
        cost = priced.cost
        if cost is None or cost.found is None or not cost.amount:
            return None
        operator, currency = tier.link.seller, cost.found.measure.currency
        payer = self._book(operator, AccountKind.COST, currency)
        code = self._directory.carriers_by_id[cost.carrier].code
        payee = self._book(operator, AccountKind.CARRIER, currency, code)
        return self._group(payer, payee, TransferKind.CARRIER_COST, currency, month).add(cost.amount)

    def _group(self, payer: UUID, payee: UUID, kind: str, currency: str, month: date) -> Group:
        key = (payer, payee, kind, month)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(payer, payee, kind, currency, month)
        return group

    def _draft(self, key: GroupKey, group: Group) -> Draft:
        payer, payee, kind, month = key
        return Draft(
            payer=payer,
            payee=payee,
            amount=group.total,
            currency=group.currency,
            kind=kind,
            key=f"{kind}:{self._batch}:{payer.hex}:{payee.hex}:{month:%Y%m}",
            for_month=month,
            id=group.id,
        )

    def _book(self, owner: UUID, kind: str, currency: str, label: str = "") -> UUID:
        key = (owner, kind, currency, label)
        if key not in self._books:
            if owner not in self._sellers:
                self._sellers[owner] = Party.objects.get(pk=owner)
            self._books[key] = book(self._sellers[owner], kind, currency, label).pk
        return self._books[key]

    def _month(self, brand: UUID, moment: datetime) -> date:
        return moment.astimezone(self._directory.zones[brand]).date().replace(day=1)

    def _term(self, found: Found) -> bytes:
        self._terms[found.digest] = found
        return found.digest


def store_terms(terms: Mapping[bytes, Found]) -> dict[bytes, int]:
    """Rate terms are shared: insert those that are new, in one order, and read all ids."""
    known = _known_terms(terms)
    new = sorted(terms.keys() - known)
    if new:
        bodies = [{"digest": digest.hex(), "body": terms[digest].terms} for digest in new]
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO rating_rateterms (digest, body) SELECT decode(one->>'digest', 'hex'), one->'body'"
                " FROM jsonb_array_elements(%s::jsonb) one ON CONFLICT (digest) DO NOTHING RETURNING digest, id",
                [json.dumps(bodies)],
            )
            known |= {bytes(digest): pk for digest, pk in cursor.fetchall()}
    others = terms.keys() - known
    return known | _known_terms(others) if others else known


def _known_terms(digests: Iterable[bytes]) -> dict[bytes, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT digest, id FROM rating_rateterms WHERE digest = ANY(%s::bytea[])", [bytea_array(digests)]
        )
        return {bytes(digest): pk for digest, pk in cursor.fetchall()}


def write_records(records: Iterable[Sorted], source: UUID, import_id: UUID | None) -> None:
    """COPY usage records, sorted by id."""
    lines = [_record_line(record, source, import_id) for record in sorted(records, key=lambda one: one.id.int)]
    copy_rows("rating_usagerecord", RECORD_COLUMNS, lines)


def _record_line(record: Sorted, source: UUID, import_id: UUID | None) -> str:
    row = record.row
    values = (
        record.id,
        source,
        import_id,
        row.line,
        row.call_id or "",
        record.status,
        record.customer,
        record.trunk,
        row.account,
        row.caller,
        row.callee,
        record.number,
        record.service_class,
        row.started_at,
        row.answered_at,
        row.duration_s,
        row.src_ip,
        row.src_port,
        row.user_agent or "",
        record.reason,
        row.direction,
        row.reference,
    )
    return copy_fields(values) + "\n"


def make_partitions(moments: Iterable[datetime]) -> None:
    """The monthly partitions that these calls need, made before any transaction writes into them."""
    months = sorted({(moment.year, moment.month) for moment in moments})
    with connection.cursor() as cursor:
        for year, month in months:
            cursor.execute("SELECT rating_make_partitions(%s)", [date(year, month, 1)])


def _order(item: tuple[GroupKey, Group]) -> tuple[str, str, str, date]:
    payer, payee, kind, month = item[0]
    return (payer.hex, payee.hex, kind, month)


def rated(records: Iterable[Sorted]) -> list[Sorted]:
    return [record for record in records if record.status == RecordStatus.RATED]


def free(records: Iterable[Sorted]) -> list[Sorted]:
    return [record for record in records if record.status == RecordStatus.FREE]
