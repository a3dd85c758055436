"""The calls for machines: RFC 4180, UTF-8 without a byte-order mark, one header line, plain decimals, ISO
times.

A text that a spreadsheet would run as a formula gets an apostrophe before it. Amounts and numbers with a
"+" are no texts and stay as they are, so that other programs can read them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import TextIO

from invoicing.render.context import CallRow, InvoiceContext

HEADER = (
    "invoice",
    "call_id",
    "started_at",
    "caller",
    "callee",
    "destination",
    "carrier",
    "duration_s",
    "billed_s",
    "amount",
    "currency",
    "tax_included",
)

_NUMBER = re.compile(r"\+?[0-9]+", re.ASCII)
_FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"


def write_calls_csv(context: InvoiceContext, calls: Iterable[CallRow], fh: TextIO) -> int:
    """Write header and calls to `fh` (opened with newline=""); the count of calls. `calls` is streamed."""
    writer = csv.writer(fh)
    writer.writerow(HEADER)
    tax_included = "true" if context.prices_include_tax else "false"
    number, currency = safe_text(context.number), context.currency
    count = 0
    for call in calls:
        count += 1
        writer.writerow(
            (
                number,
                safe_text(call.call_id),
                call.started_at.isoformat(),
                safe_number(call.caller),
                safe_number(call.callee),
                safe_text(call.destination),
                safe_text(call.carrier),
                call.duration_s,
                call.billed_s,
                format(call.net, "f"),
                currency,
                tax_included,
            )
        )
    return count


def render_calls_csv(context: InvoiceContext, calls: Iterable[CallRow]) -> bytes:
    """The whole file, for callers that store bytes."""
    text = io.StringIO(newline="")
    write_calls_csv(context, calls, text)
    return text.getvalue().encode()


def safe_text(text: str) -> str:
    """The text such that no spreadsheet takes it for a formula."""
    text = text.replace("\0", "")
    return "'" + text if text.lstrip(" ").startswith(tuple(_FORMULA_STARTS)) else text


def safe_number(text: str) -> str:
    """A telephone number as it is; anything else (a line's name) as a text."""
    return text if _NUMBER.fullmatch(text) else safe_text(text)
