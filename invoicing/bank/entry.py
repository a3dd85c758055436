"""An entry as the file says it, and the key under which it is known for ever."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from tiers.errors import Invalid

MOST_BYTES = 20 * 1024 * 1024
MOST_ENTRIES = 50_000
LARGEST = Decimal(10) ** 13


@dataclass(frozen=True, slots=True)
class Read:
    """One movement. `amount` is positive; `credit` says that it came in; `reversal` that it takes another back."""

    account: str
    bank_reference: str
    value_date: date
    amount: Decimal
    currency: str
    credit: bool
    payer: str = ""
    text: str = ""
    reversal: bool = False

    def facts(self) -> tuple[str, ...]:
        """What tells it from another. With the bank's own reference the texts, which banks reword, do not count."""
        side = f"{'in' if self.credit else 'out'}{' back' if self.reversal else ''}"
        money = (self.account, self.value_date.isoformat(), str(self.amount.normalize()), self.currency, side)
        return (*money, self.bank_reference) if self.bank_reference else (*money, "", self.payer, self.text)


def keyed(entries: Iterable[Read]) -> Iterator[tuple[str, Read]]:
    """Each with its key; what stands in one file several times alike is told apart by its count."""
    seen: Counter[tuple[str, ...]] = Counter()
    for entry in entries:
        facts = entry.facts()
        seen[facts] += 1
        yield hashlib.sha256("\x1f".join((*facts, str(seen[facts]))).encode()).hexdigest(), entry


def amount_of(text: str, where: str) -> Decimal:
    """An exact amount written with a point. Raises Invalid."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) >= LARGEST or amount != amount.quantize(Decimal("0.000001")):
        raise Invalid("amount", _("%s is not an amount.") % text.strip()[:40], where=where)
    return amount


def tidy(text: str, most: int) -> str:
    """One line without control characters, as long as the column is wide."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:most]
