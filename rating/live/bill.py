"""What the end of a live call writes: transfers at every tier, the usage record, rated calls, facts. As plain values.

The figures are those that the same call would get from a file: the kernel, by the frozen terms, for the seconds
allowed; the carrier's cost for all that it carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.models import AccountKind, TransferKind
from accounts.services.accounts import book
from rating.kernel import Charge, price
from rating.live.memory import Memory
from rating.live.terms import CallTerms, Priced, TierTerms, from_json
from rating.models import Carrier, LiveCall, LiveStatus, RecordStatus
from rating.pricing.engine import split_tax
from rating.services.posting import make_partitions
from tiers.ids import uuid7
from tiers.models import Brand, Party


class Outcome(NamedTuple):
    """How a call ended: as which status, after how many seconds (as reported and believed), answered when."""

    status: str
    duration_s: int
    answered_at: datetime | None
    ended_at: datetime
    oddity: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """The arguments of rating_live_settle: values that JSON can carry, amounts as text."""

    outcome: dict[str, Any]
    transfers: list[dict[str, Any]]
    usage: dict[str, Any]
    rated: list[dict[str, Any]]
    facts: list[dict[str, Any]]


class TierBill(NamedTuple):
    tier: TierTerms
    held: Priced
    charge: Charge
    sale: Decimal
    tax: Decimal


def settlement(call: LiveCall, outcome: Outcome, record_id: UUID | None = None) -> Settlement:
    """Work out what is to be written, by the usage record's id where it is given.

    Opens book accounts and monthly partitions where they are missing.
    """
    charged_s = min(outcome.duration_s, call.max_seconds)
    terms = from_json(call.tiers, call.cost, call.carrier_id)
    answered_at = outcome.answered_at
    bills: list[TierBill] = []
    cost: tuple[Priced, Charge] | None = None
    if answered_at is not None and charged_s:
        bills = [_bill(tier, charged_s, answered_at) for tier in terms.tiers]
        if terms.cost is not None and terms.cost.rates:
            held = terms.cost.rates[0]
            for one in terms.cost.rates:
                held = one if one.since <= answered_at else held
            cost = held, price(held.rate, outcome.duration_s, answered_at)
    rated = any(bill.charge.charged for bill in bills)
    _partitions(call.asked_at.year, call.asked_at.month)
    record = str(record_id or uuid7(call.asked_at))
    writer = Writer(call, terms, outcome, charged_s, record)
    transfers, rows = writer.charges(bills, cost) if rated else ([], [])
    return Settlement(
        outcome={
            "status": outcome.status,
            "answered_at": answered_at.isoformat() if answered_at else None,
            "ended_at": outcome.ended_at.isoformat(),
            "duration_s": charged_s,
            "overrun_s": outcome.duration_s - charged_s,
            "oddity": outcome.oddity,
            "actor": f"live call {call.call_id}"[:254],
        },
        transfers=transfers,
        usage=writer.usage(RecordStatus.RATED if rated else RecordStatus.FREE),
        rated=rows,
        facts=writer.facts(bills if rated else [], rows),
    )


def _bill(tier: TierTerms, charged_s: int, answered_at: datetime) -> TierBill:
    held = tier.at(answered_at)
    charge = price(held.rate, charged_s, answered_at)
    sale, tax = split_tax(charge.amount, tier.tax, tier.prepaid)
    return TierBill(tier, held, charge, sale, tax)


class Writer:
    """Makes the rows of one call."""

    def __init__(self, call: LiveCall, terms: CallTerms, outcome: Outcome, charged_s: int, record: str) -> None:
        self._call, self._terms, self._outcome = call, terms, outcome
        self._charged_s, self._record = charged_s, record
        self._transfers: list[dict[str, Any]] = []

    def charges(
        self, bills: list[TierBill], cost: tuple[Priced, Charge] | None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """(transfers, rated calls)."""
        rows = [self._rated(position, bills, cost) for position in range(len(bills))]
        return self._transfers, rows

    def _rated(self, position: int, bills: list[TierBill], cost: tuple[Priced, Charge] | None) -> dict[str, Any]:
        call, (tier, held, charge, sale, tax) = self._call, bills[position]
        above = bills[position + 1] if position + 1 < len(bills) else None
        assert self._outcome.answered_at is not None
        month = _month(tier.brand, self._outcome.answered_at)
        payee = tier.counter or _book(tier.seller, AccountKind.REVENUE, tier.currency)
        charged = self._transfer(TransferKind.USAGE, tier, tier.wallet, payee, sale, month)
        taxed = None
        if tax:
            taxes = _book(tier.seller, AccountKind.TAX, tier.currency)
            taxed = self._transfer(TransferKind.USAGE_TAX, tier, tier.wallet, taxes, tax, month)
        row = {
            "id": str(uuid7(call.asked_at)),
            "record_id": self._record,
            "seller_id": str(tier.seller),
            "buyer_id": str(tier.buyer),
            "customer_id": str(call.customer_id),
            "carrier_id": self._carried_by(position),
            "price_list_id": str(tier.price_list),
            "terms_id": held.terms_id,
            "caller": call.caller,
            "number": call.number,
            "prefix": tier.prefix,
            "destination": tier.destination,
            "service_class": call.service_class,
            "started_at": call.asked_at.isoformat(),
            "answered_at": self._outcome.answered_at.isoformat(),
            "duration_s": self._charged_s,
            "billed_s": charge.billed_s,
            "currency": tier.currency,
            "sale": str(sale),
            "tax": str(tax),
            "transfer_id": charged,
            "tax_transfer_id": taxed,
            "cost_terms_id": None,
            "cost_currency": None,
            "cost": None,
            "cost_transfer_id": None,
        }
        if above is not None:
            return row | {
                "cost_terms_id": above.held.terms_id,
                "cost_currency": above.tier.currency,
                "cost": str(above.sale),
            }
        return row | self._carrier(tier, cost, month)

    def _carried_by(self, position: int) -> str | None:
        """At the top of the chain who carried the call, below it who was chosen."""
        top = position == len(self._terms.tiers) - 1
        return _text(self._call.carrier_id if top else self._terms.carrier)

    def _carrier(self, tier: TierTerms, cost: tuple[Priced, Charge] | None, month: date) -> dict[str, Any]:
        """The operator's cost: all seconds that were carried, those beyond the allowed ones too."""
        terms = self._terms.cost
        if terms is None or cost is None:
            return {}
        held, charge = cost
        payer = _book(tier.seller, AccountKind.COST, terms.currency)
        payee = _book(tier.seller, AccountKind.CARRIER, terms.currency, _carrier_code(terms.carrier))
        paid = self._transfer(
            TransferKind.CARRIER_COST, tier._replace(currency=terms.currency), payer, payee, charge.amount, month
        )
        return {
            "cost_terms_id": held.terms_id,
            "cost_currency": terms.currency,
            "cost": str(charge.amount),
            "cost_transfer_id": paid,
        }

    def _transfer(
        self, kind: str, tier: TierTerms, payer: UUID, payee: UUID, amount: Decimal, month: date
    ) -> str | None:
        if not amount:
            return None
        made = str(uuid7())
        self._transfers.append(
            {
                "id": made,
                "payer": str(payer),
                "payee": str(payee),
                "amount": str(amount),
                "currency": tier.currency,
                "kind": str(kind),
                "key": f"{kind}:live:{self._call.pk.hex}:{tier.seller.hex}",
                "for_month": month.isoformat(),
            }
        )
        return made

    def usage(self, status: str) -> dict[str, Any]:
        """The usage record, as a file would have brought it."""
        call, answered = self._call, self._outcome.answered_at
        return {
            "id": self._record,
            "source_id": str(call.source_id),
            "import_id": None,
            "line": None,
            "call_id": call.call_id,
            "status": str(status),
            "customer_id": str(call.customer_id),
            "carrier_id": str(call.carrier_id) if call.carrier_id else None,
            "account": call.account,
            "caller": call.caller,
            "callee": call.callee,
            "number": call.number or call.callee,
            "service_class": call.service_class,
            "started_at": call.asked_at.isoformat(),
            "answered_at": answered.isoformat() if answered and self._outcome.duration_s else None,
            "duration_s": self._outcome.duration_s,
            "overrun_s": self._outcome.duration_s - self._charged_s,
            "src_ip": call.src_ip,
            "src_port": call.src_port,
            "user_agent": call.user_agent,
            "reason": "",
            "direction": "out",
            "reference": "",
        }

    def facts(self, bills: list[TierBill], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One for each seller: also of a call that cost nothing, which was an attempt."""
        hour = self._call.asked_at.replace(minute=0, second=0, microsecond=0).isoformat()
        answered = int(self._outcome.status in (LiveStatus.ENDED, LiveStatus.REAPED) and self._charged_s > 0)
        made = []
        for position, tier in enumerate(self._terms.tiers):
            row = rows[position] if rows else None
            made.append(
                {
                    "hour": hour,
                    "seller": str(tier.seller),
                    "buyer": str(tier.buyer),
                    "carrier": self._carried_by(position),
                    "service_class": self._call.service_class,
                    "destination": tier.destination,
                    "currency": tier.currency,
                    "cost_currency": row["cost_currency"] if row else None,
                    "answered": answered,
                    "charged": int(row is not None),
                    "duration_s": self._charged_s if row else 0,
                    "billed_s": row["billed_s"] if row else 0,
                    "sale": _micros(row["sale"]) if row else 0,
                    "tax": _micros(row["tax"]) if row else 0,
                    "cost": _micros(row["cost"]) if row and row["cost"] else 0,
                }
            )
        return made


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _micros(amount: str) -> int:
    return int(Decimal(amount) * 1_000_000)


_books: Memory[tuple[UUID, str, str, str], UUID] = Memory(50_000)
_codes: Memory[UUID, str] = Memory(10_000)
_zones: Memory[UUID, str] = Memory(10_000)
_months: Memory[tuple[int, int], bool] = Memory(64)


def _book(owner: UUID, kind: str, currency: str, label: str = "") -> UUID:
    key = (owner, kind, currency, label)
    return _books.ask(key, lambda: book(Party.objects.get(pk=owner), kind, currency, label).pk)


def _carrier_code(carrier: UUID) -> str:
    return _codes.ask(carrier, lambda: Carrier.objects.values_list("code", flat=True).get(pk=carrier))


def _month(brand: UUID, moment: datetime) -> date:
    zone = _zones.ask(brand, lambda: Brand.objects.values_list("time_zone", flat=True).get(pk=brand))
    return moment.astimezone(ZoneInfo(zone)).date().replace(day=1)


def _partitions(year: int, month: int) -> None:
    if not _months.get((year, month)):
        make_partitions([datetime(year, month, 1, tzinfo=UTC)])
        _months.keep((year, month), True)
