"""The engine call by call, as live calls and quotes use it: an extra fact beside the columns of `./bench rating`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from billing.bench.world import Call
from rating.models import Source
from rating.numbers import DialPlan, Number
from rating.pricing import CallFacts, Engine, PricedCall


def engine_pricing() -> Callable[[list[Call]], list[tuple[Decimal, ...]]]:
    """Ours, warm: lists compiled, tables read."""
    engine = Engine()
    plan = DialPlan.from_json(Source.objects.get(code="switch").dial_plan)
    customers = {code: person.id for code, person in engine.directory.by_code.items()}

    def price(batch: list[Call]) -> list[tuple[Decimal, ...]]:
        return [_by_engine(engine, plan, customers[call.customer], call) for call in batch]

    return price


def _by_engine(engine: Engine, plan: DialPlan, customer: UUID, call: Call) -> tuple[Decimal, ...]:
    number = plan.normalise(call.number)
    assert isinstance(number, Number)
    priced = engine.price(CallFacts(customer, number, True, call.answered_at, call.duration_s))
    assert isinstance(priced, PricedCall)
    return tuple(tier.amount for tier in priced.tiers)
