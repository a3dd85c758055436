"""`./manage quote`: what a call would cost at every tier, and why."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.utils import timezone

from rating.models import Carrier
from rating.pricing.current import current_engine
from rating.services.quote import Question, as_json, quote
from tiers.commands import TollgateCommand, usage
from tiers.errors import NotFound
from tiers.models import Party


def parse_moment(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise usage(f"{text!r} is not a time such as 2026-10-05T09:30:00+00:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())


class Command(TollgateCommand):
    help = "Price a call at every tier, without charging anything."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", required=True, metavar="CODE")
        parser.add_argument("--to", required=True, metavar="NUMBER")
        parser.add_argument("--seconds", required=True, type=int, metavar="N")
        parser.add_argument("--at", metavar="ISO", help="when it is answered; now by default")
        parser.add_argument("--carrier", metavar="CODE", help="instead of the customer's choice")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        customer = Party.objects.filter(code=options["customer"]).first()
        if customer is None:
            raise NotFound("customer", f"There is no customer {options['customer']}.", where="--customer")
        carrier = None
        if options["carrier"]:
            carrier = Carrier.objects.filter(code=options["carrier"]).values_list("pk", flat=True).first()
            if carrier is None:
                raise NotFound("carrier", f"There is no carrier {options['carrier']}.", where="--carrier")
        at = parse_moment(options["at"]) if options["at"] else timezone.now()
        engine = current_engine()
        question = Question(customer, options["to"], options["seconds"], at, carrier)
        return as_json(question, quote(question, engine), engine), 0

    def say(self, value: Any) -> str:
        lines = []
        for tier in value["tiers"]:
            lines.append(f"{tier['seller']} to {tier['buyer']}: {tier['amount']} {tier['currency']}")
            lines += _explained(tier)
        cost = value["carrier_cost"]
        if cost:
            lines.append(f"carrier {cost['carrier']}: {cost['amount']} {cost['currency']}")
            lines += _explained(cost)
        return "\n".join(lines)


def _explained(part: dict[str, Any]) -> list[str]:
    where = f"    {part['prefix']} {part['destination']}, {part['billed_s']} s billed"
    return [where, *(f"    {line['text']}  {line['value']}".rstrip() for line in part["explanation"])]
