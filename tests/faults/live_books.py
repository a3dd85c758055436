"""What the storm of live calls needs of its own database, as a process of its own: people with funds, then the proof.

python -m tests.faults.live_books prepare      a key for the switch
python -m tests.faults.live_books prove        {"differences": [...], "ended": N, ...}; stdin: what callers saw
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django

CUSTOMERS = ("alice", "bob", "carol", "erin")
MOST_CALLS = 50_000


def prepare() -> dict[str, str]:
    from rating.live.limits import set_limits
    from rating.live.switches import create_switch_key
    from tests.cast import ACTOR, load_cast

    cast = load_cast()
    for code, amount in (("harbour", 90_000), ("pier", 20_000), ("summit", 90_000), ("alice", 10_000), ("bob", 5_000)):
        cast.fund(code, amount)
    for code, amount in (("carol", 20_000), ("erin", 12)):
        cast.fund(code, amount)
    for party in (cast.northstar, cast.harbour, cast.alice):
        set_limits(party, MOST_CALLS, None, actor=ACTOR)
    return {"key": create_switch_key(cast.source(), "storm", [], actor=ACTOR, interims=True)[1]}


def prove(seen: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`seen`: by call id what its caller knows: {"allow": bool, "charged": seconds or None}."""
    from django.utils import timezone

    from accounts import books
    from accounts.models import Hold
    from rating import checks
    from rating.live.reaping import reap
    from rating.models import CallLimit, LiveCall, UsageRecord

    reaped = 0
    while closed := reap(timezone.now() + timedelta(days=2)):
        reaped += closed
    found = [str(one.to_json()) for one in (*books.violations(), *checks.violations())]
    found += _limit("open holds", Hold.objects.filter(status="open").count())
    found += _limit("open calls", LiveCall.objects.filter(status__in=["allowed", "talking"]).count())
    found += _limit("places taken", sum(CallLimit.objects.values_list("active", flat=True)))
    records = Counter(UsageRecord.objects.values_list("call_id", flat=True))
    found += [f"{call_id} was recorded {times} times" for call_id, times in records.items() if times > 1]
    calls = {call.call_id: call for call in LiveCall.objects.iterator(chunk_size=2000)}
    found += _charged_otherwise(calls)
    found += _told_otherwise(calls, seen)
    statuses = Counter(call.status for call in calls.values())
    return {"differences": found[:40], "reaped_at_the_end": reaped, "calls": dict(statuses)}


def _limit(what: str, count: int) -> list[str]:
    return [f"{count} {what}"] if count else []


def _charged_otherwise(calls: dict[str, Any]) -> list[str]:
    """Each call's transfers, against the kernel by the terms that were frozen: once at each tier, exactly."""
    from accounts.models import Transfer
    from rating.kernel import price
    from rating.live.terms import from_json
    from rating.pricing.engine import split_tax

    charged: dict[Any, list[tuple[str, Any, Decimal]]] = {}
    transfers = Transfer.objects.filter(kind__in=["usage", "usage_tax"])
    for cause, kind, payer, amount in transfers.values_list("cause", "kind", "payer", "amount").iterator():
        charged.setdefault(cause, []).append((kind, payer, amount))
    found = []
    for call in calls.values():
        if call.status == "reaped" and call.duration_s != call.max_seconds:
            found.append(f"{call.call_id} was reaped after {call.duration_s} of {call.max_seconds} s")
        expected = []
        terms = from_json(call.tiers, call.cost, call.carrier_id)
        for tier in terms.tiers if call.duration_s else ():
            amount = price(tier.at(call.answered_at).rate, call.duration_s, call.answered_at).amount
            sale, tax = split_tax(amount, tier.tax, tier.prepaid)
            expected += [(kind, tier.wallet, part) for kind, part in (("usage", sale), ("usage_tax", tax)) if part]
        if sorted(expected, key=str) != sorted(charged.pop(call.pk, []), key=str):
            found.append(f"{call.call_id} ({call.status}, {call.duration_s} s) is charged otherwise than {expected}")
    return found + [f"charged without a call: {cause}" for cause in charged]


def _told_otherwise(calls: dict[str, Any], seen: dict[str, dict[str, Any]]) -> list[str]:
    """What callers heard stands in the books: allowed ones exist, and those that ended cost what was said."""
    found = [f"{call_id} is a call that nobody made" for call_id in calls.keys() - seen.keys()]
    for call_id, caller in seen.items():
        call = calls.get(call_id)
        if caller["allow"] and (call is None or call.status == "refused"):
            found.append(f"{call_id} was allowed, and is not known")
        elif caller["charged"] is not None and (call is None or call.duration_s != caller["charged"]):
            found.append(f"{call_id} ended after {caller['charged']} s, but {call and call.duration_s} s are charged")
    return found


if __name__ == "__main__":
    django.setup()
    answer = prepare() if sys.argv[1] == "prepare" else prove(json.load(sys.stdin))
    sys.stdout.write(json.dumps(answer))
