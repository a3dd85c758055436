"""A credit note for machines: its lines, tax and total, each with the number of the invoice that it corrects.

As `calls_csv`: UTF-8, one header line, plain decimals; amounts are negative, so that a program may add them to the
invoice's own. Texts that a spreadsheet would run as a formula are made harmless.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import TextIO

from invoicing.render.calls_csv import safe_text
from invoicing.render.context import InvoiceContext

HEADER = ("credit_note", "date", "invoice", "invoice_date", "what", "label", "amount", "currency")


def write_credit_csv(context: InvoiceContext, fh: TextIO) -> int:
    """Write header and rows to `fh` (opened with newline=""); how many rows. The lines are exact, without tax."""
    rows = [
        *(("line", line.label, line.net) for line in context.lines),
        *(("tax", f"{tax.name} {tax.rate:f}%", tax.amount) for tax in context.tax_lines),
        *([("rounding", "", _rounding(context))] if _rounding(context) else []),
        ("total", "", context.total),
    ]
    writer = csv.writer(fh)
    writer.writerow(HEADER)
    dated = context.original_date.isoformat() if context.original_date else ""
    first = (safe_text(context.number), context.issue_date.isoformat(), safe_text(context.original_number), dated)
    for what, label, amount in rows:
        writer.writerow((*first, what, safe_text(label), f"{-amount:f}", context.currency))
    return len(rows)


def _rounding(context: InvoiceContext) -> Decimal:
    return context.total - context.tax - context.net
