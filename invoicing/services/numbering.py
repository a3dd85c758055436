"""Numbers without gaps: a counter row per issuer and series, locked from the number's taking to the commit.

A number is only real if the invoice is: the counter rolls back with it. So it is taken last, and the lock is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from tiers.ids import uuid7


@dataclass(frozen=True, slots=True)
class Number:
    """`text` is what is printed: series and sequence, "2026-00042"."""

    series: str
    sequence: int

    @property
    def text(self) -> str:
        return f"{self.series}{self.sequence:05d}"


_NEXT = """
    INSERT INTO invoicing_invoiceseries (id, issuer_id, code, last_number) VALUES (%s, %s, %s, 1)
    ON CONFLICT (issuer_id, code) DO UPDATE SET last_number = invoicing_invoiceseries.last_number + 1
    RETURNING last_number
"""


def next_number(issuer: UUID, prefix: str, issue_date: date) -> Number:
    """The next of the issuer's series of that year; each year begins at 1. Waits for others who take one."""
    assert connection.in_atomic_block, "a number is taken inside the transaction that uses it"
    series = f"{prefix}{issue_date.year}-"
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [uuid7(), issuer, series])
        (sequence,) = cursor.fetchone()
    return Number(series, sequence)
