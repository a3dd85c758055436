"""May this call be made, and for how long? One round trip to the database decides, at every tier at once.

Prices and the tree come from the compiled engine in memory; statuses, limits and money are judged by
`rating_live_authorize`, under locks. The same call asked again hears the same answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services.transactions import in_transaction
from rating.live import spending
from rating.live.emergency import EMERGENCY_SECONDS
from rating.live.needs import Curve, curves
from rating.live.switches import Switch
from rating.live.terms import ANSWERED_WITHIN, CallTerms, as_json, freeze
from rating.models import Source
from rating.numbers import BadNumber, DialPlan, Number, ServiceClass
from rating.pricing import CallFacts, Engine, Unpriced
from rating.pricing.directory import Link
from rating.services.identify import CustomerIndex
from rating.services.quote import is_abroad
from tiers.ids import uuid7
from tiers.models import Kind

GRACE: Final = timedelta(seconds=30)
"""How long after its last second a call may still be ended by its switch before the reaper does."""
LOCK_TIMEOUT_MS: Final = 800
LONGEST_ASKED_S: Final = 86_400
SIP: Final = {"barred": 403, "closed": 403, "unknown": 404, "number": 404, "not_placed": 403}
"""Of refusals without the database; 503 for all others."""
OF_THE_NUMBER: Final = {"barred", "closed"}
"""Refusals that tell of the number dialled and nothing of a seller: everybody may hear them."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A call that a switch wants to connect. `requested_s`: seconds it asks for, None for as many as may be."""

    call_id: str
    to: str
    account: str = ""
    caller: str = ""
    switch: str = ""
    src_ip: str | None = None
    src_port: int | None = None
    user_agent: str = ""
    requested_s: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `code` is the reason as the switch's owner may know it; `max_seconds` count from the answer."""

    allow: bool
    max_seconds: int
    sip_code: int
    code: str = ""
    call: UUID | None = None
    carrier: str | None = None


def authorize(switch: Switch, ask: Ask, engine: Engine, *, now: datetime | None = None) -> Decision:
    """Decide and, where the call is allowed, set aside what it may cost. Raises Conflict("busy") when it cannot."""
    asked_at = now or timezone.now()
    row = _row(switch, ask, asked_at)
    customer = _index(switch, engine).find(ask.account, ask.caller, ask.src_ip)
    row["customer_id"] = str(customer) if customer else None
    number = switch.plan.normalise(ask.to)
    if isinstance(number, Number):
        row |= {"number": number.e164[:32], "service_class": number.service_class}
        if number.service_class is ServiceClass.EMERGENCY:
            return Decision(True, EMERGENCY_SECONDS, 200, "emergency")
    if customer is None:
        return _turned_away(switch, engine, row, "unknown", None)
    if isinstance(number, BadNumber):
        return _turned_away(switch, engine, row, "number", customer)
    longest_s = min(ask.requested_s or switch.slice_s, switch.slice_s)
    if longest_s < 1:
        longest_s = switch.slice_s
    abroad = is_abroad(number, switch.plan)
    links = engine.chain(customer, asked_at)
    chain = [customer, *(link.seller for link in links)]
    closed_to = engine.directory.bars.closed_to(chain, number, abroad)
    if closed_to is not None:
        return _turned_away(switch, engine, row, "barred", closed_to)
    if _internal(number):
        return _allow(switch, engine, row, Granting([customer], longest_s))
    trunk = _trunk(switch, engine, customer, links, asked_at, abroad=abroad)
    terms = freeze(engine, CallFacts(customer, number, abroad, asked_at, 1, trunk))
    if isinstance(terms, Unpriced):
        code = "closed" if terms.code == "blocked" else terms.code
        return _turned_away(switch, engine, row, code, terms.seller or customer)
    if terms.refused_by is not None:
        return _turned_away(switch, engine, row, "below_cost", terms.refused_by)
    needed = curves(terms.tiers, longest_s, asked_at)
    spend = spending.asked(terms.tiers, longest_s, engine, asked_at)
    return _allow(switch, engine, row, Granting(chain, longest_s, terms, terms.carrier or trunk, needed, spend))


def _row(switch: Switch, ask: Ask, asked_at: datetime) -> dict[str, Any]:
    """The live call's columns that are known before anything is decided."""
    return {
        "id": str(uuid7(asked_at)),
        "source_id": str(switch.source_id),
        "switch": ask.switch[:64],
        "call_id": ask.call_id,
        "customer_id": None,
        "carrier_id": None,
        "account": ask.account[:128],
        "caller": ask.caller[:128],
        "callee": ask.to[:128],
        "number": "",
        "service_class": "",
        "destination": "",
        "tiers": [],
        "cost": None,
        "slots": [],
        "wallets": [],
        "spends": [],
        "below_cost": [],
        "asked_at": asked_at.isoformat(),
        "expires_at": (asked_at + ANSWERED_WITHIN + GRACE).isoformat(),
        "max_seconds": 0,
        "duration_s": 0,
        "overrun_s": 0,
        "oddity": "",
        "src_ip": ask.src_ip,
        "src_port": ask.src_port,
        "user_agent": ask.user_agent[:255],
        "interims": switch.interims,
    }


class Granting(NamedTuple):
    """What is judged of a call that has a price, or needs none: who must be active, for how long, at what needs."""

    chain: list[UUID]
    longest_s: int
    terms: CallTerms | None = None
    carrier: UUID | None = None
    needed: Sequence[Curve] = ()
    spend: Sequence[dict[str, Any]] = ()


def _allow(switch: Switch, engine: Engine, row: dict[str, Any], granting: Granting) -> Decision:
    terms, needed, carrier = granting.terms, granting.needed, granting.carrier
    if terms is not None:
        tiers, cost = as_json(terms)
        row |= {"tiers": tiers, "cost": cost, "destination": terms.tiers[0].destination[:200]}
        row["below_cost"] = [str(seller) for seller in terms.below_cost]
    row |= {"carrier_id": str(carrier) if carrier else None, "max_seconds": granting.longest_s}

    def decide() -> dict[str, Any]:
        starts = [1]
        for curve in needed:
            starts.append(starts[-1] + len(curve.seconds))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rating_live_authorize(%s::jsonb, %s::uuid[], %s::uuid[], %s::uuid[], %s, %s, %s, %s::jsonb)",
                [
                    json.dumps(row),
                    granting.chain,
                    [*granting.chain, *([carrier] if carrier else [])],
                    [curve.wallet for curve in needed],
                    starts,
                    [second for curve in needed for second in curve.seconds],
                    [micros for curve in needed for micros in curve.micros],
                    json.dumps(granting.spend) if granting.spend else None,
                ],
            )
            return _said(cursor.fetchone())

    said = in_transaction(decide, lock_timeout_ms=LOCK_TIMEOUT_MS, within_s=0.5)
    return _decision(switch, engine, said, carrier)


def _turned_away(switch: Switch, engine: Engine, row: dict[str, Any], why: str, blame: UUID | None) -> Decision:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rating_live_turn_away(%s::jsonb, %s, %s, %s)", [json.dumps(row), why, blame, SIP.get(why, 503)]
        )
        return _decision(switch, engine, _said(cursor.fetchone()), None)


def _said(row: tuple[Any, ...] | None) -> dict[str, Any]:
    assert row is not None
    said: dict[str, Any] = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    return said


def _decision(switch: Switch, engine: Engine, said: dict[str, Any], carrier: UUID | None) -> Decision:
    code, sip_code = _heard(switch, engine, said)
    found = engine.directory.carriers_by_id.get(carrier) if carrier else None
    return Decision(
        allow=bool(said["allow"]),
        max_seconds=int(said["max_seconds"]),
        sip_code=sip_code,
        code=code,
        call=UUID(said["call"]),
        carrier=found.code if found else None,
    )


def _heard(switch: Switch, engine: Engine, said: dict[str, Any]) -> tuple[str, int]:
    """(code, SIP code). A seller's own trouble is its own: the caller hears 503, and so does a switch further down."""
    code, sip_code = str(said["code"] or ""), int(said["sip_code"])
    if said["allow"] or said["blame"] is None:
        return code, sip_code
    if code in OF_THE_NUMBER:
        return code, sip_code
    blame = UUID(said["blame"])
    carrier = engine.directory.carriers_by_id.get(blame)
    person = engine.directory.people.get(carrier.owner_id if carrier else blame)
    if person is None:
        return "unavailable", 503
    told = code if person.path.startswith(switch.owner_path) else "unavailable"
    return told, sip_code if person.kind == Kind.CUSTOMER else 503


def _trunk(
    switch: Switch, engine: Engine, customer: UUID, links: Sequence[Link], at: datetime, *, abroad: bool
) -> UUID | None:
    """The carrier that is to carry the call: as chosen, where it leaves home; else the switch's own, else a brand's."""
    chosen = engine.directory.choice(customer, links, at) if abroad else None
    defaults = (engine.directory.default_carriers.get(link.brand) for link in links)
    return chosen or switch.carrier_id or next(filter(None, defaults), None)


def _internal(number: Number) -> bool:
    return number.service_class is ServiceClass.ON_NET and not number.is_e164


_indexes: dict[UUID, tuple[Engine, CustomerIndex]] = {}


def _index(switch: Switch, engine: Engine) -> CustomerIndex:
    """Who is who at this switch; read anew with each new engine."""
    kept = _indexes.get(switch.source_id)
    if kept is not None and kept[0] is engine:
        return kept[1]
    return _indexed(Source.objects.select_related("owner").get(pk=switch.source_id), switch.plan, engine)


def _indexed(source: Source, plan: DialPlan, engine: Engine) -> CustomerIndex:
    index = CustomerIndex(source, plan)
    _indexes[source.pk] = (engine, index)
    return index


def make_ready(engine: Engine) -> None:
    """Read beforehand who is who at the switches that spoke, for calls that will be asked with this engine."""
    sources = Source.objects.select_related("owner").in_bulk(list(_indexes))
    for source_id, (_engine, index) in list(_indexes.items()):
        if source_id in sources:
            _indexed(sources[source_id], index.plan, engine)
        else:
            _indexes.pop(source_id, None)


def reason_text(code: str) -> str:
    """A refusal in words, as a switch's owner reads them."""
    texts = {
        "funds": _("Not enough funds or credit."),
        "spend": _("The limit of spend for this day is reached."),
        "blocked": _("The caller, or a seller above it, is blocked."),
        "barred": _("Calls to this destination are closed."),
        "closed": _("The price list closes this destination."),
        "below_cost": _("A seller would sell this call below its cost."),
        "concurrent": _("Too many calls at once."),
        "rate": _("Too many new calls in this second."),
        "unknown": _("No customer is known by this account, caller or address."),
        "number": _("This is not a number that can be called."),
        "no_price": _("There is no price for this destination."),
        "over": _("This call was asked for before and is over: another call needs an id of its own."),
        "other_call": _("Another call was asked for under this id, with another number or caller."),
        "unavailable": _("The service is not available at the moment."),
    }
    return texts.get(code, _("This call cannot be made now."))


def address(said: str) -> str | None:
    """An IP address as the database takes it; None for what is none."""
    try:
        return str(ip_address(said))
    except ValueError:
        return None
