"""The usual way to bill calls, as a yardstick: line by line, a query for each prefix, rows made by the ORM."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Account, AccountKind, Transfer, TransferKind, Wallet
from accounts.services.accounts import book
from billing.bench.world import FIRST_CALL, TIERS
from rating.models import ListTerms, PriceList, Rate, RatedCall, RateTerms, Source, UsageRecord
from tiers.ids import uuid7
from tiers.models import Party, Placement

CALLS = 300
FOUR_PLACES = Decimal("0.0001")


def naive_rate(path: Path) -> float:
    """Calls a second over the file's first 300 lines; each call is a transaction, charged at every tier."""
    terms = RateTerms.objects.create(digest=b"naive", body={})
    for tier in TIERS:
        for currency in ("USD", "EUR"):
            book(Party.objects.get(code=tier.seller), AccountKind.REVENUE, currency)
    started = time.perf_counter()
    with path.open(newline="") as file:
        for line in islice(csv.DictReader(file), CALLS):
            with transaction.atomic():
                _bill(line, terms)
    return CALLS / (time.perf_counter() - started)


def _bill(line: dict[str, str], terms: RateTerms) -> None:
    customer = Party.objects.get(code=line["account"])
    number = line["to"].removeprefix("+").removeprefix("00")
    times = {name: datetime.fromisoformat(line[name]) for name in ("started_at", "answered_at")}
    shared: dict[str, Any] = {"customer": customer, "number": number, "caller": line["from"], **times}
    shared |= {"duration_s": int(line["seconds"]), "service_class": "international"}
    record = UsageRecord.objects.create(
        id=uuid7(times["started_at"]),
        source=Source.objects.get(code="switch"),
        call_id=f"naive-{line['call_id']}",
        status="rated",
        account=line["account"],
        callee=line["to"],
        user_agent=line["user_agent"],
        reason="",
        **shared,
    )
    for placement in _chain(customer):
        price_list = PriceList.objects.get(brand=placement.brand)
        rate = _rate(number)
        billed_s, amount = _amount(rate, price_list, shared["duration_s"])
        transfer = _charge(placement, amount, price_list.currency)
        RatedCall.objects.create(
            id=uuid7(times["started_at"]),
            record_id=record.pk,
            seller=placement.seller,
            buyer=placement.party,
            price_list=price_list,
            terms=terms,
            prefix=rate.prefix,
            destination=rate.destination,
            billed_s=billed_s,
            currency=price_list.currency,
            sale=amount,
            tax=0,
            transfer_id=transfer.pk,
            **shared,
        )


def _chain(customer: Party) -> Iterator[Placement]:
    """From the customer up to the operator."""
    buyer = customer
    while placement := Placement.objects.filter(party=buyer, valid_to=None).first():
        yield placement
        buyer = placement.seller


def _rate(number: str) -> Rate:
    for length in range(len(number), 0, -1):
        rate = Rate.objects.filter(table__code="atlas", prefix=number[:length], effective_from__lte=FIRST_CALL).first()
        if rate is not None:
            return rate
    raise LookupError(number)


def _amount(rate: Rate, price_list: PriceList, duration_s: int) -> tuple[int, Decimal]:
    """The list's own mark-up on the deck is near enough to the amount for a yardstick."""
    terms = ListTerms.objects.get(price_list=price_list)
    first_s = rate.first_s or rate.step_s
    billed_s = first_s + max(0, -(-(duration_s - first_s) // rate.step_s)) * rate.step_s
    amount = (rate.price * (1 + terms.markup) + terms.addon) * billed_s / 60 + rate.connect_fee
    return billed_s, amount.quantize(FOUR_PLACES, ROUND_HALF_UP)


def _charge(placement: Placement, amount: Decimal, currency: str) -> Transfer:
    wallet = Wallet.objects.get(account__owner=placement.party)
    revenue = Account.objects.get(owner=placement.seller, kind=AccountKind.REVENUE, currency=currency)
    return Transfer.objects.create(
        payer=wallet.account,
        payee=revenue,
        amount=amount,
        currency=currency,
        kind=TransferKind.USAGE,
        key=f"naive:{uuid7()}",
        cause=uuid7(),
        actor="naive",
        created_at=timezone.now(),
    )
