"""The lines of a bill: line rentals, calls by carrier and service class, other charges, and what is left.

The lines add up to the net exactly. Calls are summed as rated; where prices include tax the net is dealt out over them
in proportion. Corrections of what stands on earlier bills have a line for each month and bill.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.utils import translation

from accounts.models import TransferKind
from invoicing.models import ChargeKind, InvoiceLine
from invoicing.render.context import CALLS, CHARGE, CORRECTION, CREDIT, RENTAL
from invoicing.services import amounts, labels
from invoicing.services.charge_facts import ChargeFacts
from invoicing.services.gathering import Gathered

ZERO = Decimal(0)


def lines_of(gathered: Gathered, net: Decimal, *, inclusive: bool, language: str) -> list[InvoiceLine]:
    """Unsaved lines in reading order; their nets add up to `net`."""
    with translation.override(language):
        beside = _charge_lines(gathered)
        rentals = [line for line in beside if line.kind == RENTAL]
        others = [line for line in beside if line.kind != RENTAL]
        lines = [*rentals, *_call_lines(gathered), *others, *_earlier_lines(gathered)]
        rated = sum((line.net for line in lines), ZERO)
        if inclusive:
            for line, share in zip(lines, amounts.share_out([line.net for line in lines], net), strict=True):
                line.net = share
            rated = net if lines else ZERO
        if rated != net:
            lines.append(InvoiceLine(kind=CORRECTION, label=labels.corrections_label(), net=net - rated))
    for position, line in enumerate(lines, start=1):
        line.position = position
    return lines


def _call_lines(gathered: Gathered) -> list[InvoiceLine]:
    """A part for each carrier, dearest first; a bill that knows one carrier only does not name it with every line."""
    sums: dict[str, Decimal] = {}
    for one in gathered.classes:
        sums[one.carrier] = sums.get(one.carrier, ZERO) + one.sale
    parted = len(sums.keys() - {""}) > 1
    ranked = sorted(gathered.classes, key=lambda one: (-sums[one.carrier], one.carrier, -one.sale, one.service_class))
    return [
        InvoiceLine(
            kind=CALLS,
            label=labels.calls_label(one.service_class, one.carrier if parted else ""),
            carrier=one.carrier if parted else "",
            calls=one.calls,
            duration_s=one.billed_s,
            net=one.sale,
        )
        for one in ranked
    ]


def _charge_lines(gathered: Gathered) -> list[InvoiceLine]:
    """Charges of the same product, days and price on one line; those without a product by their reason."""
    sums: dict[ChargeFacts | str, tuple[int, Decimal]] = {}
    for charge in gathered.charges:
        if charge.kind != TransferKind.CHARGE:
            continue
        facts = gathered.facts.get(charge.transfer)
        key = charge.reason if facts is None else replace(facts, quantity=0)
        count, net = sums.get(key, (0, ZERO))
        sums[key] = (count + (1 if facts is None else facts.quantity), net + charge.amount)
    return [_charge_line(key, count, net) for key, (count, net) in sums.items()]


def _charge_line(about: ChargeFacts | str, count: int, net: Decimal) -> InvoiceLine:
    if isinstance(about, str):
        return InvoiceLine(kind=CHARGE, label=labels.charge_label(about), net=net)
    kinds = {ChargeKind.RECURRING: RENTAL, ChargeKind.ONE_OFF: CHARGE}
    kind = CREDIT if about.given_back else kinds.get(ChargeKind(about.kind), CREDIT)
    return InvoiceLine(kind=kind, label=labels.product_label(about), quantity=max(count, 1), unit=about.unit, net=net)


def _earlier_lines(gathered: Gathered) -> list[InvoiceLine]:
    """What earlier bills charged too little or too much, by month and bill."""
    sums: dict[tuple[date, str], Decimal] = {}
    for charge in gathered.earlier:
        key = (charge.month, charge.bill)
        sums[key] = sums.get(key, ZERO) + charge.amount
    return [
        InvoiceLine(kind=CORRECTION, label=labels.earlier_label(month, bill), net=net)
        for (month, bill), net in sorted(sums.items())
    ]
