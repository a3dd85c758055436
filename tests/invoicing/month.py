"""A month of calls for the cast: what the invoice tests start from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from accounts.models import Transfer
from accounts.services.funds import Move
from invoicing.models import Invoice
from invoicing.services import payments
from invoicing.services.drafts import RunResult, run
from rating.models import RatedCall, UsageImport
from rating.services.imports import import_file
from tests.cast import ACTOR, Cast

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
HEADER = "call_id,account,from,to,started_at,answered_at,seconds,disposition,carrier,src_ip,src_port,user_agent"
NUMBERS = (
    "12125550177",
    "442079460000",
    "447700900123",
    "33142278186",
    "4915112345678",
    "85225550123",
    "8613800138000",
)
SECONDS = (61, 187, 333, 29, 601, 75, 1234)


def call_lines(who: Iterable[str], calls: int, *, day: date = OCTOBER, tag: str = "a") -> list[str]:
    """So many calls for each of these accounts, one every 97 minutes from noon of the day on, priced unevenly."""
    start = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    lines = []
    for name in who:
        for i in range(calls):
            began = start + timedelta(minutes=97 * i)
            times = f"{began.isoformat()},{(began + timedelta(seconds=3)).isoformat()},{SECONDS[i % len(SECONDS)]}"
            call = f"{tag}-{name}-{i},ACC-{name},12125550100,{NUMBERS[i % len(NUMBERS)]}"
            lines.append(f"{call},{times},ANSWERED,atlas,192.0.2.7,5060,pbx/1.0")
    return lines


def load_calls(
    cast: Cast, folder: Path, who: Iterable[str], calls: int = 12, *, day: date = OCTOBER, tag: str = "a"
) -> UsageImport:
    path = folder / f"calls-{tag}.csv"
    path.write_text("\n".join([HEADER, *call_lines(who, calls, day=day, tag=tag)]) + "\n", encoding="utf-8")
    return import_file(path, cast.source(), actor=ACTOR)


def run_october(cast: Cast, seller: str) -> RunResult:
    return run(cast.party(seller), OCTOBER, actor=ACTOR)


def bill_of(cast: Cast, buyer: str, month: date = OCTOBER) -> Invoice:
    """The buyer's bill of the month; of several the newest."""
    found: Invoice = Invoice.objects.filter(buyer=cast.party(buyer), month=month).latest("id")
    return found


def sold_to(cast: Cast, buyer: str) -> Decimal:
    return sum((call.sale for call in RatedCall.objects.filter(buyer=cast.party(buyer))), Decimal(0))


def pay(cast: Cast, buyer: str, amount: Decimal, key: str, *, received_on: date = date(2026, 11, 10)) -> Transfer:
    party, wallet = cast.party(buyer), cast.wallet(buyer)
    move = Move(amount, wallet.account.currency, key, ACTOR)
    return payments.record_payment(wallet.seller, party, move, received_on=received_on)
