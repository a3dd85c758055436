"""The lines of a bill: calls by carrier and service class, other charges by their reason, and what is left.

The lines add up to the net exactly. Calls are summed as rated; where prices include tax the net is dealt out over them
in proportion. Corrections of what stands on earlier bills have a line for each month and bill.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils import translation

from accounts.models import TransferKind
from invoicing.models import InvoiceLine
from invoicing.render.context import CALLS, CHARGE, CORRECTION
from invoicing.services import amounts, labels
from invoicing.services.gathering import Gathered

ZERO = Decimal(0)


def lines_of(gathered: Gathered, net: Decimal, *, inclusive: bool, language: str) -> list[InvoiceLine]:
    """Unsaved lines in reading order; their nets add up to `net`."""
    with translation.override(language):
        lines = [*_call_lines(gathered), *_charge_lines(gathered), *_earlier_lines(gathered)]
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
    sums: dict[str, Decimal] = {}
    for charge in gathered.charges:
        if charge.kind == TransferKind.CHARGE:
            sums[charge.reason] = sums.get(charge.reason, ZERO) + charge.amount
    return [InvoiceLine(kind=CHARGE, label=labels.charge_label(reason), net=net) for reason, net in sums.items()]


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
