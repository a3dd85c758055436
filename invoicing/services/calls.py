"""The calls of an invoice, streamed: the annex and the CSV read them once, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django.db import connection, transaction

from invoicing.models import Invoice
from invoicing.render.context import CallRow, InvoiceContext
from invoicing.services.billed_calls import CALLS, CARRIER
from invoicing.services.gathering import NET_KINDS, call_bounds

AT_A_TIME = 2000
SHORTEST_E164 = 7

_TRANSFERS = """
    SELECT t.id, COALESCE(t.for_month, t.created_at::date) FROM invoicing_billedtransfer b
    JOIN accounts_transfer t ON t.id = b.transfer_id WHERE b.invoice_id = %s AND t.kind = ANY(%s)
"""

# A usage record carries the same moment in its id as its rated calls, so the same bounds shut its partitions too.
_CALLS = f"""
    SELECT c.started_at, c.caller, c.number, c.destination, COALESCE(k.name, ''), c.duration_s, c.billed_s, c.sale,
        l.decimals, COALESCE(r.call_id, '')
    FROM {CALLS} c
    JOIN rating_pricelist l ON l.id = c.price_list_id
    LEFT JOIN rating_carrier k ON k.id = {CARRIER}
    LEFT JOIN rating_usagerecord r ON r.id = c.record_id
        AND r.id >= rating_id_floor(%(since)s) AND r.id < rating_id_floor(%(until)s)
    WHERE c.buyer_id = %(buyer)s
    ORDER BY """
_ORDERS = {"number": "c.caller, c.started_at, c.id", "day": "c.started_at, c.id"}


def calls_of(invoice: Invoice, context: InvoiceContext) -> Iterator[CallRow]:
    """The billed calls in the order that the context's grouping wants."""
    with connection.cursor() as cursor:
        cursor.execute(_TRANSFERS, [invoice.pk, list(NET_KINDS)])
        transfers = cursor.fetchall()
    if not transfers:
        return
    since, until = call_bounds(month for _id, month in transfers)
    values = {
        "transfers": [key for key, _month in transfers],
        "seller": invoice.seller_id,
        "buyer": invoice.buyer_id,
        "since": since,
        "until": until,
    }
    zone = ZoneInfo(context.time_zone)
    for row in _streamed(_CALLS + _ORDERS[context.calls_group], values):
        yield _call(row, zone)


def _streamed(sql: str, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows by a server-side cursor: memory stays flat."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, values)
        while rows := cursor.fetchmany(AT_A_TIME):
            yield from rows


def _call(row: tuple[Any, ...], zone: ZoneInfo) -> CallRow:
    started_at, caller, number, destination, carrier, duration_s, billed_s, sale, decimals, call_id = row
    return CallRow(
        started_at=started_at.astimezone(zone),
        caller=with_plus(caller),
        callee=with_plus(number),
        callee_display=as_written(number),
        destination=destination,
        carrier=carrier,
        duration_s=duration_s,
        billed_s=billed_s,
        net=in_list_decimals(sale, decimals),
        call_id=call_id,
    )


def in_list_decimals(amount: Decimal, decimals: int) -> Decimal:
    """With the list's decimals, as it was rated; where tax was taken out of it, with all that it has. Never rounds."""
    listed = amount.quantize(Decimal(1).scaleb(-decimals))
    return listed if listed == amount else amount


def with_plus(number: str) -> str:
    """E.164 digits get their "+"; an extension or a line's name stays as it is."""
    plain = number.isascii() and number.isdigit() and len(number) >= SHORTEST_E164
    return f"+{number}" if plain else number


def as_written(number: str) -> str:
    """The number grouped as people of its country write it."""
    text = with_plus(number)
    if not text.startswith("+"):
        return text
    try:
        parsed = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return text
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
