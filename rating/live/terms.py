"""The price of a call frozen before it begins: at each tier the terms that an answer may meet, by reference.

Kept with the live call as plain values, so that whoever settles it needs no price list, and finds the price that was
promised even where a list changed meanwhile. Terms are shared rows (`RateTerms`), known to the process by digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from rating.kernel import Rate
from rating.live.memory import Memory
from rating.models import RateTerms
from rating.pricing import CallFacts, Engine, PricedCall, Unpriced
from rating.pricing.directory import Tax
from rating.pricing.lists import Found
from rating.services.guard import losses_of_call

ANSWERED_WITHIN = timedelta(seconds=180)
"""A call rings no longer: prices are frozen for an answer within this time."""
KEPT_TERMS = 200_000


class Priced(NamedTuple):
    """One rate and from when on it holds (for an answer at this time or later)."""

    since: datetime
    terms_id: int
    rate: Rate


class TierTerms(NamedTuple):
    """What one seller charges its buyer for this call. `counter`: the seller's wallet that is paid, in distribution."""

    seller: UUID
    buyer: UUID
    brand: UUID
    wallet: UUID
    counter: UUID | None
    prepaid: bool
    price_list: UUID
    currency: str
    prefix: str
    destination: str
    tax: Tax | None
    rates: tuple[Priced, ...]

    def at(self, answered_at: datetime) -> Priced:
        return rate_at(self.rates, answered_at)


class CostTerms(NamedTuple):
    """What the operator pays the carrier."""

    carrier: UUID
    currency: str
    rates: tuple[Priced, ...]


class CallTerms(NamedTuple):
    """`tiers` from the customer's up to the operator's. `carrier` is the one chosen, of a call that leaves home (what
    carries it is the live call's own). `below_cost`: the sellers that sell the call for less than they
    pay; `refused_by`: the first whose brand does not let such a call pass."""

    tiers: tuple[TierTerms, ...]
    cost: CostTerms | None
    carrier: UUID | None
    below_cost: tuple[UUID, ...] = ()
    refused_by: UUID | None = None


def rate_at(rates: tuple[Priced, ...], answered_at: datetime) -> Priced:
    """The rate that holds for an answer at this moment; the first for one before it."""
    held = rates[0]
    for one in rates:
        if one.since <= answered_at:
            held = one
    return held


def freeze(engine: Engine, facts: CallFacts) -> CallTerms | Unpriced:
    """The terms of a call asked for at `facts.answered_at`, whenever it is answered within ANSWERED_WITHIN.

    Where prices change within that time both are kept, each with its moment. Unpriced as the engine says.
    """
    now = engine.price(facts)
    if isinstance(now, Unpriced):
        return now
    later = engine.price(facts._replace(answered_at=facts.answered_at + ANSWERED_WITHIN))
    moments = [(facts.answered_at, now)]
    if isinstance(later, PricedCall) and _founds(later) != _founds(now) and _links(later) == _links(now):
        moments.append((_change_between(engine, facts, later), later))
    ids = keep_terms(found for _moment, priced in moments for found in _founds(priced) if found is not None)
    losses = losses_of_call(now, engine, facts.answered_at)
    return _terms(engine, moments, ids)._replace(
        below_cost=tuple(one.seller for one in losses),
        refused_by=next((one.seller for one in losses if one.refused), None),
    )


def _founds(priced: PricedCall) -> list[Found | None]:
    return [*(tier.found for tier in priced.tiers), priced.cost.found if priced.cost else None]


def _links(priced: PricedCall) -> list[Any]:
    return [(tier.link, tier.purse.id) for tier in priced.tiers]


def _change_between(engine: Engine, facts: CallFacts, later: PricedCall) -> datetime:
    """The first second from which an answer meets the later price: by halving, since prices change once here."""
    low, high = 0, int(ANSWERED_WITHIN.total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        moment = facts.answered_at + timedelta(seconds=middle)
        priced = engine.price(facts._replace(answered_at=moment))
        if isinstance(priced, PricedCall) and _founds(priced) == _founds(later):
            high = middle
        else:
            low = middle
    change: datetime = (facts.answered_at + timedelta(seconds=high)).replace(microsecond=0)
    return change


def _terms(engine: Engine, moments: list[tuple[datetime, PricedCall]], ids: dict[bytes, int]) -> CallTerms:
    first = moments[0][1]

    def rates(founds: list[Found | None]) -> tuple[Priced, ...]:
        made: list[Priced] = []
        for (moment, _priced), found in zip(moments, founds, strict=True):
            if found is not None and (not made or made[-1].terms_id != ids[found.digest]):
                made.append(Priced(moment, ids[found.digest], found.kernel))
        return tuple(made)

    tiers = []
    for position, tier in enumerate(first.tiers):
        link, purse = tier.link, tier.purse
        tiers.append(
            TierTerms(
                link.seller,
                link.buyer,
                link.brand,
                purse.id,
                purse.counter,
                purse.prepaid,
                tier.list_id,
                tier.found.measure.currency,
                tier.found.row.prefix,
                tier.found.row.destination,
                engine.directory.taxes.get(link.brand),
                rates([priced.tiers[position].found for _moment, priced in moments]),
            )
        )
    return CallTerms(tuple(tiers), _cost(moments, rates), first.carrier)


def _cost(moments: list[tuple[datetime, PricedCall]], rates: Any) -> CostTerms | None:
    cost = moments[0][1].cost
    if cost is None or cost.found is None:
        return None
    found = [priced.cost.found if priced.cost else None for _moment, priced in moments]
    return CostTerms(cost.carrier, cost.found.measure.currency, rates(found))


_known: Memory[bytes, int] = Memory(KEPT_TERMS)


def keep_terms(founds: Iterable[Found]) -> dict[bytes, int]:
    """Ids of these terms by digest; those the process has not met are stored, in one statement."""
    wanted = {found.digest: found for found in founds}
    known = {digest: _known.get(digest) for digest in wanted}
    ids = {digest: pk for digest, pk in known.items() if pk is not None}
    new = [{"digest": digest.hex(), "body": wanted[digest].terms} for digest in wanted if digest not in ids]
    if new:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM rating_keep_terms(%s::jsonb)", [json.dumps(new)])
            for digest, pk in cursor.fetchall():
                ids[bytes(digest)] = _known.keep(bytes(digest), pk)
    return ids


# -- as kept with the live call -----------------------------------------------------------------------------------
def as_json(terms: CallTerms) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """(tiers, cost) in plain values."""
    tiers = [
        {
            **{name: str(getattr(tier, name)) for name in ("seller", "buyer", "brand", "wallet", "price_list")},
            "counter": str(tier.counter) if tier.counter else None,
            "prepaid": tier.prepaid,
            "currency": tier.currency,
            "prefix": tier.prefix,
            "destination": tier.destination,
            "tax": [str(tier.tax.rate), tier.tax.included] if tier.tax else None,
            "carrier": str(terms.carrier) if terms.carrier else None,
            "rates": _rates_json(tier.rates),
        }
        for tier in terms.tiers
    ]
    cost = terms.cost
    if cost is None:
        return tiers, None
    return tiers, {"carrier": str(cost.carrier), "currency": cost.currency, "rates": _rates_json(cost.rates)}


def _rates_json(rates: tuple[Priced, ...]) -> list[list[Any]]:
    return [[one.since.isoformat(), one.terms_id] for one in rates]


def from_json(
    tiers: list[dict[str, Any]],
    cost: dict[str, Any] | None,
    trunk: UUID | None,
    read: dict[int, Rate] | None = None,
) -> CallTerms:
    """What `as_json` wrote. Rates are read from their shared rows, once a process; `read`: they were read already."""
    chosen = tiers[0].get("carrier", trunk) if tiers else None
    carrier = UUID(str(chosen)) if chosen else None
    if read is None:
        read = read_rates(rate_ids(tiers, cost))
    made = tuple(
        TierTerms(
            seller=UUID(tier["seller"]),
            buyer=UUID(tier["buyer"]),
            brand=UUID(tier["brand"]),
            wallet=UUID(tier["wallet"]),
            counter=UUID(tier["counter"]) if tier["counter"] else None,
            prepaid=tier["prepaid"],
            price_list=UUID(tier["price_list"]),
            currency=tier["currency"],
            prefix=tier["prefix"],
            destination=tier["destination"],
            tax=Tax(Decimal(tier["tax"][0]), tier["tax"][1]) if tier["tax"] else None,
            rates=_rates(tier["rates"], read),
        )
        for tier in tiers
    )
    if cost is None:
        return CallTerms(made, None, carrier)
    return CallTerms(made, CostTerms(UUID(cost["carrier"]), cost["currency"], _rates(cost["rates"], read)), carrier)


_bodies: Memory[int, Rate] = Memory(KEPT_TERMS)


def rate_ids(tiers: list[dict[str, Any]], cost: dict[str, Any] | None) -> list[int]:
    """Ids of the terms that a call kept, at all tiers."""
    return [one[1] for part in [*tiers, *([cost] if cost else [])] for one in part["rates"]]


def read_rates(ids: list[int]) -> dict[int, Rate]:
    """Rates by the ids of their terms, from memory or in one query."""
    known = {pk: _bodies.get(pk) for pk in ids}
    rates = {pk: rate for pk, rate in known.items() if rate is not None}
    missing = [pk for pk in ids if pk not in rates]
    if missing:
        for pk, body in RateTerms.objects.filter(pk__in=missing).values_list("pk", "body"):
            rates[pk] = _bodies.keep(pk, Rate.from_json(body["rate"]))
    return rates


def _rates(rows: list[list[Any]], read: dict[int, Rate]) -> tuple[Priced, ...]:
    return tuple(Priced(_moment(since), pk, read[pk]) for since, pk in rows)


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
