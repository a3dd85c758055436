"""What would this call cost? The same engine as for real calls, with the explanation at every tier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.figures import plain
from rating.kernel import Charge, explain
from rating.models.rules import CLASS_NAMES
from rating.numbers import BadNumber, DialPlan, Number, ServiceClass
from rating.numbers.names import is_abroad as leaves_home
from rating.pricing import CallFacts, Engine, PricedCall, Unpriced
from rating.pricing.current import current_engine
from rating.pricing.lists import Found
from rating.services.dial_plans import dial_plan_of
from tiers.errors import Conflict, Invalid
from tiers.models import Party

MAX_DURATION_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Question:
    """A call that might be made."""

    customer: Party
    to: str
    duration_s: int
    at: datetime
    carrier: UUID | None = None


def quote(question: Question, engine: Engine | None = None) -> PricedCall:
    """Price it at every tier. Raises Invalid for a number nobody could dial, Conflict where some tier has no price."""
    if not 0 <= question.duration_s <= MAX_DURATION_S:
        raise Invalid("seconds", _("A call lasts from 0 seconds to 7 days."), where="seconds")
    number, abroad = read_number(question.to, dial_plan_of(question.customer))
    return quote_number(question, number, abroad, engine)


def quote_number(question: Question, number: Number, abroad: bool, engine: Engine | None = None) -> PricedCall:
    """Price a number that is read already. Raises Conflict where some tier has no price."""
    facts = CallFacts(
        customer=question.customer.pk,
        number=number,
        abroad=abroad,
        answered_at=question.at,
        duration_s=question.duration_s,
        chosen=question.carrier,
    )
    priced = (engine or current_engine()).price(facts)
    if isinstance(priced, Unpriced):
        raise unpriced_error(priced)
    return priced


def unpriced_error(why: Unpriced) -> Conflict:
    seller = Party.objects.filter(pk=why.seller).first()
    return Conflict(
        "unrated",
        why.reason,
        where=seller.code if seller else None,
        hint=_("Add a rate to the list of that seller, from a date before the call."),
    )


def read_number(raw: str, plan: DialPlan) -> tuple[Number, bool]:
    """The number meant, and whether it lies abroad. Raises Invalid in the words of the dial plan."""
    number = plan.normalise(raw)
    if isinstance(number, BadNumber):
        raise Invalid(number.code, number.reason, where="to")
    return number, is_abroad(number, plan)


def is_abroad(number: Number, plan: DialPlan) -> bool:
    """Whether the choice of a carrier matters: the call leaves the home country."""
    return leaves_home(number, plan.home_country)


def origin_lines(origin: dict[str, str]) -> list[dict[str, str]]:
    """How the rate itself came about, in words: entered, from a deck, or derived with these figures."""
    kind = origin.get("kind")
    if kind != "derived":
        text = _("Rate entered in %(list)s") if kind == "own" else _("Rate of table %(table)s")
        return [{"rule": "rate", "text": text % {"list": "", "table": "", **origin}, "value": ""}]
    text = _(
        "%(base)s: %(base_price)s %(base_currency)s a minute, mark-up %(markup)s, exchange rate %(exchange_rate)s,"
    )
    text += " " + _("add-on %(addon)s")
    return [{"rule": "derivation", "text": text % origin, "value": origin["list"]}, *_rule_lines(origin)]


def _rule_lines(origin: dict[str, str]) -> list[dict[str, str]]:
    """Which of the figures a rule of the list set, and for what the rule is."""
    words = {
        "markup": _("The mark-up is by the rule for %s."),
        "addon": _("The add-on is by the rule for %s."),
        "connect_fee": _("The connection charge is by the rule for %s."),
        "increments": _("The increments are by the rule for %s."),
        "min_charge": _("The minimum is by the rule for %s."),
    }
    told = {name: origin[f"{name}_by"] for name in words if f"{name}_by" in origin}
    return [{"rule": "rule", "text": words[name] % rule_words(label), "value": ""} for name, label in told.items()]


def rule_words(label: str) -> str:
    """`class:mobile` as `mobile calls`."""
    kind, _colon, what = label.partition(":")
    if kind == "prefix":
        return _("numbers that begin with +%s") % what
    if kind == "group":
        return _("the group %s") % what
    return _("%s calls") % CLASS_NAMES[ServiceClass(what)]


def explain_found(found: Found, charge: Charge, duration_s: int, at: datetime) -> list[dict[str, str]]:
    lines = origin_lines(dict(found.origin))
    lines += [line._asdict() for line in explain(found.kernel, duration_s, at, translate=_)]
    return lines


def as_json(question: Question, priced: PricedCall, engine: Engine) -> dict[str, Any]:
    """The wire form of `./manage quote` and of the API."""
    people = engine.directory.people
    tiers = [
        {
            "seller": people[tier.link.seller].code,
            "buyer": people[tier.link.buyer].code,
            "currency": tier.found.measure.currency,
            **_figures(tier.found, tier.charge),
            "tax": plain(tier.tax, 2),
            "explanation": explain_found(tier.found, tier.charge, question.duration_s, question.at),
        }
        for tier in priced.tiers
    ]
    return {"tiers": tiers, "carrier_cost": _cost_json(question, priced, engine)}


def _cost_json(question: Question, priced: PricedCall, engine: Engine) -> dict[str, Any] | None:
    cost = priced.cost
    if cost is None or cost.found is None or cost.charge is None:
        return None
    return {
        "carrier": engine.directory.carriers_by_id[cost.carrier].code,
        "currency": cost.found.measure.currency,
        **_figures(cost.found, cost.charge),
        "explanation": explain_found(cost.found, cost.charge, question.duration_s, question.at),
    }


def _figures(found: Found, charge: Charge) -> dict[str, Any]:
    return {
        "amount": str(charge.amount),
        "billed_s": charge.billed_s,
        "prefix": found.row.prefix,
        "destination": found.row.destination,
    }
