"""Bills of the named cast, ready to print: what the invoicing services would freeze."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from invoicing.render.context import (
    CallRow,
    DetailRow,
    InvoiceContext,
    MonthBar,
    PartyBlock,
    PaymentBlock,
    SummaryLine,
    TaxLine,
)

CENT = Decimal("0.01")
BERLIN_WINTER = timezone(timedelta(hours=1))

HARBOUR = PartyBlock(
    name="Harbour Voice",
    address=("Kaistraße 14", "20457 Hamburg", "Germany"),
    tax_id="DE123456789",
    email="billing@harbour.example",
    phone="+49 40 5550 120",
    website="harbour.example",
    accent="#0b6e6e",
)
ALICE = PartyBlock(
    name="Hotel Alice",
    address=("Elbchaussee 401", "22609 Hamburg", "Germany"),
    code="alice-hotel",
    contact="Accounts payable",
    tax_id="DE987654321",
)
BANK = PaymentBlock(
    bank="Hanse Bank Hamburg", account="DE89370400440532013000", bic="COBADEFFXXX", reference="2026-00042"
)
PLACES = (
    ("Germany, landline", "+494055501", "0.0085"),
    ("Germany, mobile", "+4915112345", "0.0890"),
    ("United Kingdom, landline", "+442079460", "0.0121"),
    ("United States", "+12125550", "0.0095"),
    ("Hong Kong, mobile", "+852912345", "0.0315"),
    ("Brazil, São Paulo", "+551131234", "0.0447"),
)
CARRIERS = ("Atlas", "Boreal")


def calls_of(count: int, *, seed: int = 7, numbers: int = 3, group: str = "number", carriers: int = 2) -> list[CallRow]:
    """That many calls of October 2026, in the order in which the annex wants them."""
    chance = random.Random(seed)
    start = datetime(2026, 10, 1, 8, 0, tzinfo=BERLIN_WINTER)
    rows = []
    for i in range(count):
        name, prefix, price = PLACES[chance.randrange(len(PLACES))]
        seconds = chance.randrange(4, 900)
        tail = f"{chance.randrange(10_000):04}"
        net = (Decimal(price) * seconds / 60).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        rows.append(
            CallRow(
                started_at=start + timedelta(seconds=chance.randrange(30 * 86_400)),
                caller=f"+49405550{120 + chance.randrange(numbers)}",
                callee=prefix + tail,
                callee_display=f"{prefix[:3]} {prefix[3:]} {tail}",
                destination=name,
                carrier=CARRIERS[chance.randrange(carriers)],
                duration_s=seconds,
                billed_s=seconds,
                net=net,
                call_id=f"call-{i:06}",
            )
        )
    return sorted(rows, key=lambda c: (c.caller, c.started_at) if group == "number" else (c.started_at,))


def details_of(calls: list[CallRow]) -> tuple[DetailRow, ...]:
    sums: dict[tuple[str, str], list[Any]] = {}
    for call in calls:
        row = sums.setdefault((call.carrier, call.destination), [0, 0, Decimal(0)])
        row[0] += 1
        row[1] += call.duration_s
        row[2] += call.net
    return tuple(
        DetailRow(carrier=carrier, destination=destination, calls=n, duration_s=s, net=net)
        for (carrier, destination), (n, s, net) in sums.items()
    )


def call_lines(calls: list[CallRow]) -> tuple[SummaryLine, ...]:
    """One line a service class, as the drafts have them."""
    lines = []
    for label, wanted in (("Calls to mobiles", True), ("Calls to landlines", False)):
        some = [c for c in calls if ("mobile" in c.destination) is wanted]
        if some:
            lines.append(
                SummaryLine(
                    label=label,
                    kind="calls",
                    quantity=Decimal(len(some)),
                    duration_s=sum(c.billed_s for c in some),
                    net=sum((c.net for c in some), Decimal(0)),
                )
            )
    return tuple(lines)


RENTAL_LINE = SummaryLine(label="Line rental", kind="rental", quantity=Decimal(3), unit="lines", net=Decimal("29.70"))


def invoice(calls: list[CallRow] | None = None, **changes: Any) -> InvoiceContext:
    """Hotel Alice's October, by Harbour Voice: postpaid, VAT of 19 % on top."""
    calls = calls_of(40) if calls is None else calls
    lines = changes.pop("lines", (RENTAL_LINE, *call_lines(calls)))
    rate = changes.pop("rate", Decimal(19))
    net = sum((line.net for line in lines), Decimal(0))
    tax = (net * rate / 100).quantize(CENT, ROUND_HALF_UP)
    total = (net + net * rate / 100).quantize(CENT, ROUND_HALF_UP)
    opening, payments = changes.pop("opening_balance", Decimal(0)), changes.pop("payments", Decimal(0))
    closing = opening + payments - total
    history = [
        MonthBar(label=month, total=Decimal(amount))
        for month, amount in zip(
            ("Apr", "May", "Jun", "Jul", "Aug", "Sep"),
            ("41.20", "38.75", "52.10", "88.40", "91.05", "47.30"),
            strict=True,
        )
    ]
    context = InvoiceContext(
        kind="invoice",
        number="2026-00042",
        series="2026",
        language="en",
        locale="en_GB",
        time_zone="Europe/Berlin",
        currency="EUR",
        decimals=2,
        issue_date=date(2026, 11, 2),
        due_date=date(2026, 12, 14),
        period_start=date(2026, 10, 1),
        period_end=date(2026, 10, 31),
        seller=HARBOUR,
        buyer=ALICE,
        lines=lines,
        net=net,
        tax_lines=(TaxLine(name="VAT", rate=rate, base=net, amount=tax),),
        tax=tax,
        total=total,
        rounding=total - net - tax,
        opening_balance=opening,
        payments=payments,
        closing_balance=closing,
        due=max(-closing, Decimal(0)),
        history=(*history, MonthBar(label="Oct", total=total)),
        details=details_of(calls),
        payment=BANK,
        footer="Harbour Voice GmbH · Amtsgericht Hamburg HRB 12345 · Managing director: Jonna Petersen",
    )
    return dataclasses.replace(context, **changes)


def statement(calls: list[CallRow] | None = None, **changes: Any) -> InvoiceContext:
    """The same hotel, had it paid ahead: 300.00 there, topped up by 50.00 and by 25.00."""
    base = invoice(calls, opening_balance=Decimal("300.00"), payments=Decimal("75.00"))
    base = dataclasses.replace(base, kind="statement", number="S-2026-00007", prepaid=True, due=Decimal(0))
    return dataclasses.replace(base, due_date=None, **changes)


def credit_note(**changes: Any) -> InvoiceContext:
    """12.00 given back, with its tax, of invoice 2026-00042."""
    lines = (SummaryLine(label="Calls to Brazil on 4 October, rated twice", kind="correction", net=Decimal("12.00")),)
    base = invoice([], lines=lines, kind="credit_note", number="C-2026-00003", due_date=None, history=())
    base = dataclasses.replace(base, due=Decimal(0), closing_balance=base.total, payment=PaymentBlock())
    return dataclasses.replace(base, original_number="2026-00042", original_date=date(2026, 11, 2), **changes)


def stream(calls: list[CallRow]) -> Iterator[CallRow]:
    """As the services hand them over: once."""
    yield from calls
