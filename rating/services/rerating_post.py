"""Corrections into the books: a row for each, and transfers that move the differences and name what they correct.

Increases and decreases of one original transfer are posted apart, so that every correction names a transfer and a
transfer is worth exactly its corrections. Facts take away what the call was and add what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

import polars as pl
from django.utils import timezone

from accounts.models import AccountKind, TransferKind
from accounts.services.accounts import book
from accounts.services.ledger import Draft, post
from rating.models import RerateRun
from rating.pricing import Engine
from rating.services.copying import copy_fields, copy_rows
from rating.services.facts import write_facts
from rating.services.rerating_calls import Charged
from rating.services.rerating_compare import After, Change, Terms
from rating.services.rerating_price import Tier
from rating.services.terms import store_terms
from tiers.ids import uuid7
from tiers.models import Party
from tiers.viewer import Actor

NOTHING = Decimal(0)
CORRECTION_COLUMNS = (
    "id, rated_call_id, number, run_id, record_id, seller_id, buyer_id, currency, sale_before, tax_before,"
    " billed_s_before, duration_s_before, cost_before, cost_currency_before, withdrawn_before, sale, tax, billed_s,"
    " duration_s, cost, cost_currency, withdrawn, price_list_id, carrier_id, prefix, destination, service_class,"
    " created_at, terms_id, cost_terms_id, transfer_id, tax_transfer_id, cost_transfer_id, cost_back_transfer_id"
)
CALL_COLUMNS = (
    "id, record_id, seller_id, buyer_id, customer_id, carrier_id, price_list_id, prefix, destination, service_class,"
    " caller, number, started_at, answered_at, duration_s, billed_s, currency, sale, tax, cost, cost_currency,"
    " terms_id, cost_terms_id, transfer_id, tax_transfer_id, cost_transfer_id"
)


class Way(NamedTuple):
    """What one correcting transfer is about; differences of a kind and way are one transfer."""

    payer: UUID
    payee: UUID
    kind: str
    currency: str
    month: date
    corrects: UUID | None


@dataclass(slots=True)
class Sum:
    """A transfer in the making."""

    id: UUID = field(default_factory=uuid7)
    total: Decimal = NOTHING


class Moves(NamedTuple):
    """The transfers that a change made, None where nothing moved."""

    sale: UUID | None
    tax: UUID | None
    cost: UUID | None
    cost_back: UUID | None


class Side(NamedTuple):
    """Between which accounts a difference moves, for which month, and which transfer it corrects."""

    payer: UUID
    payee: UUID
    currency: str
    month: date
    corrects: UUID | None


class Corrector:
    """Collects the changes of some calls, then writes and posts them in the open transaction."""

    def __init__(self, engine: Engine, run: RerateRun, charged: dict[UUID, Charged]) -> None:
        self._directory = engine.directory
        self._run = run
        self._charged = charged
        self._sums: dict[Way, Sum] = {}
        self._books: dict[tuple[UUID, str, str, str], UUID] = {}
        self._made: list[tuple[Change, Moves]] = []

    def add(self, change: Change) -> None:
        self._made.append((change, self._moves(change)))

    def write(self, actor: Actor, batch: str) -> int:
        """Write what was collected; returns how many transfers. Wallets are locked from here to commit."""
        if not self._made:
            return 0
        now = timezone.now()
        ids = store_terms({one.digest: one for one in self._new_terms()})
        keyed = {True: [], False: []}  # type: dict[bool, list[tuple[str, str]]]
        for change, moves in self._made:
            terms = [_stored(term, ids) for term in (change.after.terms, change.after.cost_terms)]
            key, line = _correction(change, self._run.pk, now) if change.call else _call(change)
            named = moves if change.call else moves[:3]
            keyed[change.call is not None].append((key, f"{line}\t{copy_fields((*terms, *named))}\n"))
        copy_rows("rating_ratedcall", CALL_COLUMNS, [line for _key, line in sorted(keyed[False])])
        copy_rows("rating_ratedcorrection", CORRECTION_COLUMNS, [line for _key, line in sorted(keyed[True])])
        write_facts(facts_of(change for change, _moves in self._made))
        drafts = [self._draft(way, self._sums[way], batch) for way in sorted(self._sums, key=str)]
        if drafts:
            post(drafts, actor=actor)
        return len(drafts)

    def _new_terms(self) -> Iterator[Any]:
        for change, _moves in self._made:
            for term in (change.after.terms, change.after.cost_terms):
                if term is not None and not isinstance(term, int):
                    yield term

    def _moves(self, change: Change) -> Moves:
        call, after = change.call, change.after
        more = after.sale - (call.sale if call else NOTHING)
        tax = after.tax - (call.tax if call else NOTHING)
        cost, back = self._cost(change) if change.carrier_cost else (None, None)
        return Moves(
            self._move(self._sale_side(change), TransferKind.USAGE, more) if more else None,
            self._move(self._tax_side(change), TransferKind.USAGE_TAX, tax) if tax else None,
            cost,
            back,
        )

    def _move(self, side: Side, kind: str, amount: Decimal) -> UUID:
        payer, payee = (side.payer, side.payee) if amount > 0 else (side.payee, side.payer)
        way = Way(payer, payee, kind, side.currency, side.month, side.corrects)
        found = self._sums.setdefault(way, Sum())
        found.total += abs(amount)
        return found.id

    def _sale_side(self, change: Change) -> Side:
        if change.call is not None and change.call.transfer is not None:
            return self._as_charged(change.call.transfer, change)
        tier = _tier(change)
        payee = tier.purse.counter or self._book(tier.link.seller, AccountKind.REVENUE, change.key[2])
        return Side(tier.purse.id, payee, change.key[2], self._month(change), None)

    def _tax_side(self, change: Change) -> Side:
        if change.call is not None and change.call.tax_transfer is not None:
            return self._as_charged(change.call.tax_transfer, change)
        if change.call is not None and change.call.transfer is not None:
            payer = self._charged[change.call.transfer].payer
        else:
            payer = _tier(change).purse.id
        payee = self._book(change.key[0], AccountKind.TAX, change.key[2])
        return Side(payer, payee, change.key[2], self._month(change), None)

    def _cost(self, change: Change) -> tuple[UUID | None, UUID | None]:
        """What moves a carrier's cost: the difference, or all of it back and anew where the carrier is another."""
        call, after = change.call, change.after
        before = call.cost or NOTHING if call else NOTHING
        cost = after.cost or NOTHING
        if (cost, after.cost_currency) == (before, call.cost_currency if call else None):
            return None, None
        side = self._carrier_side(change) if after.cost and not after.withdrawn else None
        was = self._as_charged(call.cost_transfer, change) if call and call.cost_transfer else None
        if was is None:
            return (self._move(side, TransferKind.CARRIER_COST, cost) if side else None), None
        if side is None or (side.payer, side.payee) == (was.payer, was.payee):
            return (self._move(was, TransferKind.CARRIER_COST, cost - before) if cost != before else None), None
        back = self._move(was, TransferKind.CARRIER_COST, -before) if before else None
        return self._move(side, TransferKind.CARRIER_COST, cost), back

    def _carrier_side(self, change: Change) -> Side | None:
        carrier, currency = change.made.cost_carrier, change.after.cost_currency
        if carrier is None or change.made.cost_found is None or currency is None:
            return None
        operator, code = change.key[0], self._directory.carriers_by_id[carrier].code
        payer = self._book(operator, AccountKind.COST, currency)
        payee = self._book(operator, AccountKind.CARRIER, currency, code)
        return Side(payer, payee, currency, self._month(change), None)

    def _as_charged(self, transfer: UUID, change: Change) -> Side:
        was = self._charged[transfer]
        return Side(was.payer, was.payee, was.currency, was.month or self._month(change), transfer)

    def _month(self, change: Change) -> date:
        """The month in which the call is billed: of its answer, in the zone of the seller's brand."""
        row = change.made.record
        known = change.call.transfer if change.call else None
        if known is not None and (month := self._charged[known].month) is not None:
            return month
        zone = self._directory.zones[_tier(change).link.brand]
        return (row.answered_at or row.started_at).astimezone(zone).date().replace(day=1)

    def _book(self, owner: UUID, kind: str, currency: str, label: str = "") -> UUID:
        key = (owner, kind, currency, label)
        if key not in self._books:
            self._books[key] = book(Party.objects.get(pk=owner), kind, currency, label).pk
        return self._books[key]

    def _draft(self, way: Way, made: Sum, batch: str) -> Draft:
        name = blake2b(repr(way).encode(), digest_size=16).hexdigest()
        return Draft(
            payer=way.payer,
            payee=way.payee,
            amount=made.total,
            currency=way.currency,
            kind=way.kind,
            key=f"rerate:{batch}:{name}",
            reason=self._run.reason,
            for_month=way.month,
            reverses=way.corrects,
            details={"rerating": str(self._run.pk)},
            id=made.id,
        )


def _tier(change: Change) -> Tier:
    assert change.tier is not None, "what has no price now moves nothing that was not charged before"
    return change.tier


def _stored(term: Terms | None, ids: dict[bytes, int]) -> int | None:
    return term if term is None or isinstance(term, int) else ids[term.digest]


def _flag(value: bool) -> str:
    return "t" if value else "f"


def _correction(change: Change, run: UUID, now: datetime) -> tuple[str, str]:
    call, after = change.call, change.after
    assert call is not None
    key = uuid7(change.made.record.started_at).hex
    seconds = (call.billed_s, call.duration_s)
    before = (call.sale, call.tax, *seconds, call.cost, call.cost_currency, _flag(call.withdrawn))
    whose = (call.id, call.number + 1, run, call.record_id, *call.key)
    return key, f"{key}\t{copy_fields((*whose, *before))}\t{copy_fields((*_after(after), now))}"


def _after(after: After) -> tuple[Any, ...]:
    seconds = (after.billed_s, after.duration_s)
    money = (after.sale, after.tax, *seconds, after.cost, after.cost_currency, _flag(after.withdrawn))
    return (*money, after.price_list, after.carrier, after.prefix, after.destination, after.service_class)


def _call(change: Change) -> tuple[str, str]:
    """A rated call of a pair that is charged for this record for the first time."""
    row, after = change.made.record, change.after
    key = uuid7(row.started_at).hex
    seller, buyer, currency = change.key
    whose = (row.pk, seller, buyer, row.customer_id, after.carrier, after.price_list, after.prefix)
    what = (after.destination, after.service_class, row.caller, change.made.number, row.started_at)
    times = (row.answered_at or row.started_at, row.charged_s, after.billed_s, currency)
    money = (after.sale, after.tax, after.cost, after.cost_currency)
    return key, f"{key}\t{copy_fields((*whose, *what, *times, *money))}"


# -- facts ---------------------------------------------------------------------------------------------------------
_FACTS: dict[str, Any] = {
    "hour": pl.Datetime("us", "UTC"),
    **dict.fromkeys(("seller", "buyer", "carrier", "service_class", "destination", "currency"), pl.String),
    "cost_currency": pl.String,
    **dict.fromkeys(("attempts", "answered", "charged", "duration_s", "billed_s", "sale", "tax", "cost"), pl.Int64),
}


def facts_of(changes: Iterable[Change]) -> pl.DataFrame:
    """What the calls were, taken away, and what they are, added; as `write_facts` takes it."""
    rows = [row for change in changes for row in _both(change)]
    return pl.DataFrame(rows, schema=_FACTS, orient="row")


def _both(change: Change) -> Iterator[tuple[Any, ...]]:
    if change.call is not None and not change.call.withdrawn:
        yield _fact(change, change.call, -1)
    if not change.after.withdrawn:
        yield _fact(change, change.after, 1)


def _fact(change: Change, state: Any, sign: int) -> tuple[Any, ...]:
    row, (seller, buyer, currency) = change.made.record, change.key
    hour = row.started_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    key = (hour, str(seller), str(buyer), str(state.carrier) if state.carrier else None)
    what = (state.service_class, state.destination, currency, state.cost_currency)
    counts = (sign, sign, sign, sign * state.duration_s, sign * state.billed_s)
    return (*key, *what, *counts, *(sign * _micro(amount) for amount in (state.sale, state.tax, state.cost)))


def _micro(amount: Decimal | None) -> int:
    return int((amount or NOTHING).scaleb(6))
