"""A call that is over turned out otherwise than it was charged: what its correction writes, as plain values.

Why: a call whose end never came is charged for all that it was allowed, one that nobody told of as answered for
nothing. When the truth comes, late from the switch or by its file, every tier pays what the call really used, never
more than was allowed; the carrier is paid for all that it carried. Rated calls stay as written: corrections say what
holds since, as after a re-rating, and transfers move the differences and name what they correct.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from accounts.models import AccountKind, TransferKind
from accounts.services.accounts import book
from rating.kernel import Charge, Rate, price
from rating.live.bill import Outcome, settlement
from rating.models import Carrier, LiveCall, LiveStatus, RateTerms, RecordStatus, UsageRecord
from rating.pricing.directory import Tax
from rating.pricing.engine import split_tax
from rating.services.rerating_calls import Charged, Slice, Standing, read
from tiers.ids import uuid7
from tiers.models import Party

NOTHING = Decimal(0)
MICROS = 1_000_000


class Truth(NamedTuple):
    """What a call came to: seconds that buyers pay for, seconds that the carrier carried, and how that is known."""

    charged_s: int
    carried_s: int
    answered_at: datetime | None
    ended_at: datetime | None
    oddity: str


@dataclass(slots=True)
class Correction:
    """The arguments of rating_live_correct. `moved`: whether it changes what anybody pays."""

    outcome: dict[str, Any]
    transfers: list[dict[str, Any]] = field(default_factory=list)
    rated: list[dict[str, Any]] = field(default_factory=list)
    corrections: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def moved(self) -> bool:
        return bool(self.transfers)


def correction(call: LiveCall, truth: Truth) -> Correction:
    """What is to be written so that the call costs what the truth says. Call it under rating_live_lock."""
    record = UsageRecord.objects.get(pk=call.record_id)
    found = read([record])
    if not found.calls.get(record.pk):
        return _first_charge(call, truth)
    return _Corrector(call, truth, record, found).made()


def _outcome(call: LiveCall, truth: Truth, record_status: str) -> dict[str, Any]:
    answered = truth.answered_at if truth.carried_s else None
    return {
        "status": str(LiveStatus.ENDED if truth.carried_s else LiveStatus.FAILED),
        "record_status": str(record_status),
        "answered_at": answered.isoformat() if answered else None,
        "ended_at": truth.ended_at.isoformat() if truth.ended_at else None,
        "duration_s": truth.charged_s,
        "carried_s": truth.carried_s,
        "overrun_s": truth.carried_s - truth.charged_s,
        "oddity": truth.oddity[:200],
        "actor": f"live call {call.call_id}"[:254],
        "reason": truth.oddity[:500],
    }


def _first_charge(call: LiveCall, truth: Truth) -> Correction:
    """A call that was closed as not answered: charged now, by the terms that it was allowed by."""
    ended_at = truth.ended_at or timezone.now()
    before = settlement(call, Outcome(LiveStatus.FAILED, 0, None, ended_at, ""), call.record_id)
    outcome = Outcome(LiveStatus.ENDED, truth.carried_s, truth.answered_at, ended_at, truth.oddity)
    after = settlement(call, outcome, call.record_id)
    taken = [{name: -value if isinstance(value, int) else value for name, value in row.items()} for row in before.facts]
    facts = [*({**row, "attempts": -1} for row in taken), *({**row, "attempts": 1} for row in after.facts)]
    made = _outcome(call, truth, RecordStatus.RATED if after.rated else RecordStatus.FREE)
    return Correction(made, after.transfers, after.rated, [], facts)


class _Tier(NamedTuple):
    """A rated call, and what the truth's seconds cost by its terms."""

    call: Standing
    charge: Charge


class _Corrector:
    """Corrects the rated calls of one live call, from the operator's down."""

    def __init__(self, call: LiveCall, truth: Truth, record: UsageRecord, found: Slice) -> None:
        self._call, self._truth, self._record = call, truth, record
        self._charged: dict[UUID, Charged] = found.charged
        self._chain = _chain(found.calls[record.pk], record.customer_id)
        self._rates = _rates(self._chain)
        self._answered_at = call.answered_at or truth.answered_at or call.asked_at
        self._now = timezone.now()

    def made(self) -> Correction:
        truth = self._truth._replace(answered_at=self._answered_at)
        tiers = [_Tier(one, price(self._rates[one.terms], truth.charged_s, self._answered_at)) for one in self._chain]
        rated = truth.charged_s > 0 and any(tier.charge.charged for tier in tiers)
        made = Correction(_outcome(self._call, truth, RecordStatus.RATED if rated else RecordStatus.FREE))
        cost: tuple[Decimal | None, str | None, int | None] | None = None
        for tier in reversed(tiers):
            after = self._after(tier, rated, cost)
            self._write(made, tier.call, after, carrier_cost=cost is None)
            cost = (after.sale, after.currency, after.terms)
        return made

    def _after(self, tier: _Tier, rated: bool, cost: tuple[Decimal | None, str | None, int | None] | None) -> Standing:
        call = tier.call
        if not rated:
            nothing = None if call.cost is None else NOTHING
            seconds = self._truth.charged_s
            return replace(
                call, sale=NOTHING, tax=NOTHING, billed_s=0, cost=nothing, duration_s=seconds, withdrawn=True
            )
        sale, tax = self._split(call, tier.charge.amount)
        paid, currency, terms = cost or (self._carrier(call), call.cost_currency, call.cost_terms)
        return replace(
            call,
            sale=sale,
            tax=tax,
            billed_s=tier.charge.billed_s,
            cost=paid,
            cost_currency=currency,
            cost_terms=terms,
            duration_s=self._truth.charged_s,
            withdrawn=False,
        )

    def _carrier(self, call: Standing) -> Decimal | None:
        """What the carrier is paid; unknown where it was."""
        if call.cost is None or call.cost_terms is None:
            return call.cost
        return price(self._rates[call.cost_terms], self._truth.carried_s, self._answered_at).amount

    def _split(self, call: Standing, amount: Decimal) -> tuple[Decimal, Decimal]:
        """By the law by which the call was charged: a seller that it never named charged no tax, or its own share."""
        if not call.first_tax:
            return amount, NOTHING
        law = next((_tax(tier["tax"]) for tier in self._call.tiers if tier["seller"] == str(call.seller)), None)
        if law is None:
            share = (100 * call.first_tax / call.first_sale).quantize(Decimal("0.0001"))
            law = Tax(share, price(self._rates[call.terms], call.duration_s, self._answered_at).amount != call.sale)
        return split_tax(amount, law, True)

    def _write(self, made: Correction, call: Standing, after: Standing, *, carrier_cost: bool) -> None:
        if _shown(call) == _shown(after):
            return
        row = {
            **_row(call, after, self._record, self._now),
            "transfer_id": self._move(made, call, TransferKind.USAGE, call.transfer, after.sale - call.sale),
            "tax_transfer_id": self._move(made, call, TransferKind.USAGE_TAX, call.tax_transfer, after.tax - call.tax),
            "cost_transfer_id": self._move_cost(made, call, after) if carrier_cost else None,
            "cost_back_transfer_id": None,
        }
        made.corrections.append(row)
        made.facts += _facts(call, after, self._record)

    def _move(self, made: Correction, call: Standing, kind: str, original: UUID | None, more: Decimal) -> str | None:
        if not more:
            return None
        assert original is not None, "fewer seconds never cost what more of them did not"
        return _transfer(made, self._call, call, kind, self._charged[original], original, more)

    def _move_cost(self, made: Correction, call: Standing, after: Standing) -> str | None:
        more = (after.cost or NOTHING) - (call.cost or NOTHING)
        if not more or call.cost_currency is None:
            return None
        was = self._charged[call.cost_transfer] if call.cost_transfer else self._carrier_side(call)
        return _transfer(made, self._call, call, TransferKind.CARRIER_COST, was, call.cost_transfer, more)

    def _carrier_side(self, call: Standing) -> Charged:
        operator, currency = Party.objects.get(pk=call.seller), call.cost_currency or call.currency
        code = Carrier.objects.values_list("code", flat=True).get(pk=call.carrier)
        payer = book(operator, AccountKind.COST, currency).pk
        payee = book(operator, AccountKind.CARRIER, currency, code).pk
        return Charged(payer, payee, currency, self._month(), self._now)

    def _month(self) -> date:
        """The month in which the call was charged."""
        months = (self._charged[one.transfer].month for one in self._chain if one.transfer)
        return next(filter(None, months), self._answered_at.astimezone(UTC).date().replace(day=1))


def _chain(standing: list[Standing], customer: UUID) -> list[Standing]:
    """From the customer's call up; of a call that a correction like this one took back, those that it took back."""
    kept = [one for one in standing if not one.withdrawn] or [one for one in standing if one.run is None]
    by_buyer = {one.buyer: one for one in kept}
    chain, buyer = [], customer
    while (one := by_buyer.pop(buyer, None)) is not None:
        chain.append(one)
        buyer = one.seller
    return chain


def _rates(chain: list[Standing]) -> dict[int, Rate]:
    wanted = {key for one in chain for key in (one.terms, one.cost_terms) if key is not None}
    bodies = RateTerms.objects.filter(pk__in=wanted).values_list("pk", "body")
    return {pk: Rate.from_json(body["rate"]) for pk, body in bodies}


def _tax(said: list[Any] | None) -> Tax | None:
    return Tax(Decimal(said[0]), said[1]) if said else None


def _transfer(
    made: Correction, live: LiveCall, call: Standing, kind: str, was: Charged, original: UUID | None, more: Decimal
) -> str:
    payer, payee = (was.payer, was.payee) if more > 0 else (was.payee, was.payer)
    pk = str(uuid7())
    made.transfers.append(
        {
            "id": pk,
            "payer": str(payer),
            "payee": str(payee),
            "amount": str(abs(more)),
            "currency": was.currency,
            "kind": str(kind),
            "key": f"{kind}:told:{live.pk.hex}:{call.id.hex}:{call.number + 1}",
            "for_month": was.month.isoformat() if was.month else None,
            "reverses": str(original) if original else None,
            "back": more < 0,
        }
    )
    return pk


def _shown(call: Standing) -> tuple[Any, ...]:
    return (call.sale, call.tax, call.billed_s, call.cost, call.cost_currency, call.duration_s, call.withdrawn)


def _row(call: Standing, after: Standing, record: UsageRecord, now: datetime) -> dict[str, Any]:
    """A correction's columns but its transfers."""
    before = dict(zip(_STATE, _state(call), strict=True))
    return {
        "id": str(uuid7(record.started_at)),
        "rated_call_id": str(call.id),
        "number": call.number + 1,
        "run_id": None,
        "record_id": str(record.pk),
        "seller_id": str(call.seller),
        "buyer_id": str(call.buyer),
        "currency": call.currency,
        **{f"{name}_before": value for name, value in before.items()},
        **dict(zip(_STATE, _state(after), strict=True)),
        "terms_id": after.terms,
        "cost_terms_id": after.cost_terms,
        "price_list_id": str(after.price_list),
        "carrier_id": str(after.carrier) if after.carrier else None,
        "prefix": after.prefix,
        "destination": after.destination,
        "service_class": after.service_class,
        "created_at": now.isoformat(),
    }


_STATE = ("sale", "tax", "billed_s", "duration_s", "cost", "cost_currency", "withdrawn")


def _state(call: Standing) -> tuple[Any, ...]:
    cost = None if call.cost is None else str(call.cost)
    return (str(call.sale), str(call.tax), call.billed_s, call.duration_s, cost, call.cost_currency, call.withdrawn)


def _facts(call: Standing, after: Standing, record: UsageRecord) -> Iterator[dict[str, Any]]:
    """What the call was, taken away, and what it is, added: a call that was taken back stays an attempt."""
    for state, sign in ((call, -1), (after, 1)):
        counted = not state.withdrawn
        amounts = (state.sale, state.tax, state.cost or NOTHING)
        yield {
            "hour": record.started_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0).isoformat(),
            "seller": str(state.seller),
            "buyer": str(state.buyer),
            "carrier": str(state.carrier) if state.carrier else None,
            "service_class": state.service_class,
            "destination": state.destination,
            "currency": state.currency,
            "cost_currency": state.cost_currency if counted else None,
            "attempts": sign,
            "answered": sign * int(state.duration_s > 0),
            "charged": sign * int(counted),
            "duration_s": sign * state.duration_s * counted,
            "billed_s": sign * state.billed_s * counted,
            **{
                name: sign * int(amount * MICROS) * counted
                for name, amount in zip(("sale", "tax", "cost"), amounts, strict=True)
            },
        }
