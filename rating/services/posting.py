"""From sorted records to rows and money: records and rated calls in COPY's own form, and the transfers they name.

Used wherever calls become charges: imports, and calls rated later. All is laid out before the transaction begins;
within it the rows are COPYed sorted by id, which is by time, and the wallets are locked last, by the ledger's door.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from uuid import UUID

import numpy as np
import polars as pl
from django.db import connection
from numpy.typing import NDArray

from accounts.models import TransferKind
from accounts.services.ledger import Draft, post
from rating.batch.times import NO_TIME
from rating.numbers.columns import NONE
from rating.pricing import Engine
from rating.services.binary import (
    NULL,
    Column,
    Flags,
    Texts,
    amounts,
    copy_binary,
    inet_piece,
    int4,
    int8,
    moments,
    new_ids,
    order_of,
    pack,
    repeated,
    text_piece,
    texts,
    uuid_table,
)
from rating.services.charges import Books, Charges, Route, months
from rating.services.fact_rows import FactRows
from rating.services.facts import write_facts
from rating.services.sales import Sales, sales_of
from rating.services.sorting import CLASS_NAMES, RATED, STATUSES, Sorted
from rating.services.terms import Rates
from tiers.viewer import Actor

RECORD_COLUMNS = (
    "id, source_id, import_id, line, customer_id, carrier_id, started_at, answered_at, duration_s, src_port,"
    " call_id, account, caller, callee, user_agent, direction, reference, number, src_ip, status, service_class, reason"
)
CALL_COLUMNS = (
    "id, record_id, seller_id, buyer_id, customer_id, carrier_id, price_list_id, terms_id, cost_terms_id,"
    " started_at, answered_at, duration_s, billed_s, sale, tax, cost, transfer_id, tax_transfer_id, cost_transfer_id,"
    " caller, number, service_class, prefix, destination, currency, cost_currency"
)
"""The columns of fixed width first, as `binary.pack` lays them out."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What becomes of some records: their rated calls in COPY's form, the transfers that these name, and the facts."""

    calls: bytes
    drafts: list[Draft]
    facts: pl.DataFrame

    def write(self, actor: Actor) -> None:
        """Into the open transaction. Wallets are locked from the last line to commit."""
        self.write_calls()
        self.post(actor)

    def write_calls(self) -> None:
        """All but the money."""
        copy_binary("rating_ratedcall", CALL_COLUMNS, self.calls)
        write_facts(self.facts)

    def post(self, actor: Actor) -> None:
        """The transfers. Wallets are locked from here to commit."""
        if self.drafts:
            post(self.drafts, actor=actor)

    def accounts(self) -> set[UUID]:
        """Between which the transfers move money."""
        return {account for draft in self.drafts for account in (draft.payer, draft.payee)}


class Poster:
    """Lays out the batches of one run, priced by one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._books = Books(engine)
        self._facts = FactRows(engine)
        self._rates: Rates | None = None
        self._turn = Lock()

    def lay_out(self, sorted_: Sorted, batch: str, kept: Flags | None = None) -> Batch:
        """All that follows from the kept records. Stores rate terms at once (see `terms`); writes nothing else.

        May be called by several threads.
        """
        with self._turn:
            return self._lay_out(sorted_, batch, np.ones(len(sorted_.ids), dtype=np.bool_) if kept is None else kept)

    def _lay_out(self, sorted_: Sorted, batch: str, kept: Flags) -> Batch:
        charges, calls = Charges(batch, {}), b""
        sales = sales_of(sorted_, kept)
        rates = self._learn(sorted_, sales)
        rated = sales.take(np.flatnonzero(sorted_.status[sales.row] == RATED))
        if len(rated):
            ids = new_ids(sorted_.keyed.column("started_us")[rated.row])
            order = order_of(ids)
            calls = self._calls(sorted_, rated.take(order), ids[order], rates, charges)
        return Batch(calls, charges.ordered(), self._facts.frame(sorted_, kept, sales, rates))

    def _learn(self, sorted_: Sorted, sales: Sales) -> Rates:
        if self._rates is None or self._rates.founds is not sorted_.priced.founds:
            self._rates = Rates(sorted_.priced.founds)
        self._rates.learn(_used(sales))
        return self._rates

    def _calls(self, sorted_: Sorted, sales: Sales, ids: NDArray[np.void], rates: Rates, charges: Charges) -> bytes:
        rates.store(_used(sales))
        priced, keyed, row = sorted_.priced, sorted_.keyed, sales.row
        costed = sales.cost_found != NONE
        fixed = [
            Column(ids),
            Column(sorted_.ids[row]),
            Column(uuid_table(link.seller for link in priced.links)[sales.link]),
            Column(uuid_table(link.buyer for link in priced.links)[sales.link]),
            Column(uuid_table(keyed.customers)[keyed.column("customer")[row]]),
            _carriers(sorted_, sales),
            Column(uuid_table(priced.lists)[sales.price_list]),
            int8(rates.terms[sales.found]),
            int8(rates.terms[sales.cost_found], costed),
            moments(keyed.column("started_us")[row]),
            moments(sorted_.answered_us[row]),
            int4(keyed.column("duration_s")[row]),
            int4(sales.billed_s),
            amounts(sales.sale),
            amounts(sales.tax),
            amounts(sales.cost, costed),
            *self._transfers(sorted_, sales, rates, charges),
        ]
        shared, cost_currency = _shared_texts(sorted_), [*map(text_piece, rates.currencies), NULL]
        currency = np.where(costed, rates.currency[sales.cost_found], NONE)
        variable = [
            Texts([shared[at] for at in row.tolist()], fields=3),
            Texts([rates.piece[at] for at in sales.found.tolist()], fields=3),
            Texts([cost_currency[at] for at in currency.tolist()]),
        ]
        return pack(fixed, variable)

    def _transfers(self, sorted_: Sorted, sales: Sales, rates: Rates, charges: Charges) -> Iterable[Column]:
        """Those of the charge, its tax and the carrier's cost; the latter two only where they are not nothing."""
        month = months(self._engine, sorted_.priced.links, sales.link, sorted_.answered_us[sales.row])
        purses, purse = np.unique(sales.purse, return_inverse=True)
        owners = [sorted_.priced.purses[at] for at in purses.tolist()]
        yield charges.add(TransferKind.USAGE, list(map(self._books.usage, owners)), purse, month, sales.sale)
        at = np.flatnonzero(sales.tax)
        taxes = list(map(self._books.tax, owners)) if len(at) else []
        yield charges.add(TransferKind.USAGE_TAX, taxes, purse[at], month[at], sales.tax[at]).spread(at, len(sales))
        at = np.flatnonzero((sales.cost_carrier != NONE) & (sales.cost_found != NONE) & (sales.cost > 0))
        routes, route = self._cost_routes(sorted_, sales.take(at), rates)
        yield charges.add(TransferKind.CARRIER_COST, routes, route, month[at], sales.cost[at]).spread(at, len(sales))

    def _cost_routes(self, sorted_: Sorted, sales: Sales, rates: Rates) -> tuple[list[Route], NDArray[np.intp]]:
        """Distinct routes, and which of them each sale's cost takes."""
        priced, routes = sorted_.priced, dict[Route, int]()
        told = np.stack([sales.link, sales.cost_carrier, rates.currency[sales.cost_found]])
        kinds, place = np.unique(told, axis=1, return_inverse=True)
        route_of = np.zeros(kinds.shape[1], dtype=np.intp)
        for at, (link, carrier, currency) in enumerate(kinds.T.tolist()):
            found = self._books.cost(priced.links[link].seller, priced.carriers[carrier], rates.currencies[currency])
            route_of[at] = routes.setdefault(found, len(routes))
        return list(routes), route_of[place.reshape(-1)]


def _used(sales: Sales) -> NDArray[np.int32]:
    used = np.unique(np.concatenate([sales.found, sales.cost_found]))
    return used[used != NONE]


def _carriers(sorted_: Sorted, sales: Sales) -> Column:
    """The carrier that the record names at the top of the chain, else the one chosen."""
    named = sales.trunk != NONE
    chosen = uuid_table(sorted_.priced.carriers)[np.maximum(sales.chosen, 0)]
    known = uuid_table(sorted_.keyed.carriers)[np.maximum(sales.trunk, 0)]
    return Column(np.where(named, known, chosen), named | (sales.chosen != NONE))


def _shared_texts(sorted_: Sorted) -> list[bytes]:
    """Caller, number and service class of each record, for all its rated calls."""
    classes = [text_piece(name) for name in CLASS_NAMES]
    parts = zip(
        texts(sorted_.keyed.records.frame["caller"].to_list()).pieces,
        texts(sorted_.number).pieces,
        [classes[at] for at in sorted_.service_class.tolist()],
        strict=True,
    )
    return list(map(b"".join, parts))


def records_of(sorted_: Sorted, source: UUID, import_id: UUID | None, kept: Flags | None = None) -> bytes:
    """The kept records in COPY's form, sorted by id."""
    at = np.arange(len(sorted_.ids)) if kept is None else np.flatnonzero(kept)
    at = at[order_of(sorted_.ids[at])]
    frame, keyed = sorted_.keyed.records.frame[at], sorted_.keyed
    trunk, here = frame["trunk"].to_numpy(), np.full(len(at), import_id is not None)
    port = frame["src_port"]
    fixed = [
        Column(sorted_.ids[at]),
        Column(repeated(source, len(at))),
        Column(repeated(import_id or source, len(at)), here),
        int8(frame["line"].to_numpy()),
        Column(uuid_table(keyed.customers)[frame["customer"].to_numpy()]),
        Column(uuid_table(keyed.carriers)[np.maximum(trunk, 0)], trunk != NONE),
        moments(frame["started_us"].to_numpy()),
        moments(frame["answered_us"].fill_null(NO_TIME).to_numpy()),
        int4(frame["duration_s"].to_numpy()),
        int4(port.fill_null(0).to_numpy(), port.is_not_null().to_numpy()),
    ]
    named = ("call_id", "account", "caller", "callee", "user_agent", "direction", "reference")
    variable = [
        *(texts(frame[name].to_list()) for name in named),
        texts([sorted_.number[row] for row in at.tolist()]),
        texts(frame["src_ip"].to_list(), inet_piece),
        texts([STATUSES[one] for one in sorted_.status[at].tolist()]),
        texts([CLASS_NAMES[one] for one in sorted_.service_class[at].tolist()]),
        texts([sorted_.reasons.get(row, "") for row in at.tolist()]),
    ]
    return pack(fixed, variable)


def write_records(rows: bytes) -> None:
    """COPY what `records_of` made."""
    copy_binary("rating_usagerecord", RECORD_COLUMNS, rows)


def make_partitions(moments: Iterable[datetime]) -> None:
    """The monthly partitions that these calls need, made before any transaction writes into them."""
    months = sorted({(moment.year, moment.month) for moment in moments})
    with connection.cursor() as cursor:
        for year, month in months:
            cursor.execute("SELECT rating_make_partitions(%s)", [date(year, month, 1)])
