"""Dial plans as a viewer may see them, and numbers read by one: how, what they are, and which rate they would get."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from rating.models import PriceTerms
from rating.numbers import BadNumber, DialPlan, Number
from rating.numbers.names import region_code
from rating.numbers.trace import Reading, read_aloud
from rating.pricing import Engine
from rating.selectors import usage
from rating.services.dial_plans import dial_plan_of, plan_of_source
from rating.services.quote import Question, is_abroad, quote_number
from tiers.errors import TollgateError
from tiers.models import Party
from tiers.selectors import people
from tiers.viewer import Viewer

ONE_MINUTE_S = 60
MOST_NUMBERS, MOST_CHARS = 50, 64


@dataclass(frozen=True, slots=True)
class KnownPlan:
    """`key`: `source:switch` or `brand:northstar`; `own`: the plan is its own, not one that stands in for it."""

    key: str
    name: str
    plan: DialPlan
    own: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """One number as read; `price` is a minute's, in `currency`, of the customer's seller, `why` there is none."""

    reading: Reading
    region: str | None
    prefix: str = ""
    destination: str = ""
    price: Decimal | None = None
    currency: str = ""
    why: str = ""

    @property
    def bad(self) -> BadNumber | None:
        number = self.reading.number
        return number if isinstance(number, BadNumber) else None

    @property
    def good(self) -> Number | None:
        number = self.reading.number
        return number if isinstance(number, Number) else None


def known_plans(viewer: Viewer) -> list[KnownPlan]:
    """Those of the viewer's sources and of its own brands."""
    terms = {
        one.brand_id: one.dial_plan for one in PriceTerms.visible.for_viewer(viewer).filter(brand__owner=viewer.party)
    }
    usual = dial_plan_of(viewer.party)
    brands = [
        KnownPlan(f"brand:{one.code}", one.name, DialPlan.from_json(terms[one.pk]), own=True)
        if terms.get(one.pk)
        else KnownPlan(f"brand:{one.code}", one.name, usual, own=False)
        for one in people.own_brands(viewer).order_by("code")
    ]
    sources = [
        KnownPlan(f"source:{source.code}", source.name, plan_of_source(source), bool(source.dial_plan))
        for source in usage.sources(viewer).filter(active=True)
    ]
    return brands + sources


def try_numbers(plan: DialPlan, raws: list[str], customer: Party | None, engine: Engine) -> list[Tried]:
    """Each number by the plan; with a customer, the price of a minute now."""
    return [_tried(plan, raw, customer, engine) for raw in raws]


def _tried(plan: DialPlan, raw: str, customer: Party | None, engine: Engine) -> Tried:
    reading = read_aloud(plan, raw)
    number = reading.number
    if isinstance(number, BadNumber):
        return Tried(reading, None)
    region = region_code(number.e164) if number.is_e164 else plan.home_country
    if customer is None or not number.is_e164:
        return Tried(reading, region)
    question = Question(customer, raw, ONE_MINUTE_S, timezone.now())
    try:
        sold = quote_number(question, number, is_abroad(number, plan), engine).tiers[0]
    except TollgateError as error:
        return Tried(reading, region, why=error.message)
    row = sold.found.row
    return Tried(reading, region, row.prefix, row.destination, row.price, sold.found.measure.currency)
