"""The European Central Bank's files, told apart by content: XML or CSV, one day or its whole history, zipped or plain.

Bounded before anything is read: a file of a bank has a few megabytes, and a packed one says little about its true size.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from rating.exchange.ecb_csv import csv_cells
from rating.exchange.ecb_xml import xml_cells
from tiers.errors import Invalid
from tiers.services.brands import check_currency

MOST_BYTES = 32 * 1024 * 1024
MOST_CELLS = 1_000_000
MOST_SKIPPED = 100
PLACES = Decimal("0.00000001")
LARGEST = Decimal("9999999999")
BASE = "EUR"
NO_RATE = frozenset({"", "N/A", "-"})
"""What the bank writes for a day on which it gave no rate for a currency."""


@dataclass(frozen=True, slots=True)
class DayRate:
    """One `base` was `rate` `quote` on that day."""

    day: date
    base: str
    quote: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class SkippedCell:
    """A cell that is no rate: where it stands, and why."""

    where: str
    reason: str


@dataclass(slots=True)
class RateFile:
    """`rates` by day, newest first; `empty`: cells without a rate (N/A); `skipped`: the first hundred of `bad`."""

    rates: list[DayRate] = field(default_factory=list)
    empty: int = 0
    bad: int = 0
    skipped: list[SkippedCell] = field(default_factory=list)

    def skip(self, where: str, reason: str) -> None:
        self.bad += 1
        if len(self.skipped) < MOST_SKIPPED:
            self.skipped.append(SkippedCell(where, reason))


def read_rate_file(content: bytes) -> RateFile:
    """All rates of a file. Raises Invalid for one that is too large, no such file, or has no rate at all."""
    if len(content) > MOST_BYTES:
        raise too_large()
    if content[:4] == b"PK\x03\x04":
        content = _unpacked(content)
    found = RateFile()
    known: dict[tuple[date, str], Decimal] = {}
    for number, (day, currency, text) in enumerate(_cells(content)):
        if number >= MOST_CELLS:
            raise too_large()
        rate = _rate(found, day, currency, text)
        if rate is None:
            continue
        if known.setdefault((day, currency), rate) != rate:
            raise Invalid(
                "two_rates",
                _("The file has two rates for %(currency)s on %(day)s.") % {"currency": currency, "day": day},
                where="file",
            )
    found.rates = [DayRate(day, BASE, currency, rate) for (day, currency), rate in known.items()]
    found.rates.sort(key=lambda one: (-one.day.toordinal(), one.quote))
    if not found.rates:
        raise Invalid("no_rates", _("There is not one rate in the file."), where="file")
    return found


def too_large() -> Invalid:
    return Invalid("too_large", _("The file is too large for exchange rates."), where="file")


def _cells(content: bytes) -> Iterator[tuple[date, str, str]]:
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return xml_cells(content)
    if start[:6].lower().lstrip(b'"').startswith(b"date"):
        return csv_cells(content)
    raise Invalid(
        "format",
        _("This is not a file of exchange rates."),
        where="file",
        hint=_("The European Central Bank's eurofxref files are read, as XML, CSV or ZIP."),
    )


def _rate(found: RateFile, day: date, currency: str, text: str) -> Decimal | None:
    where = f"{day} {currency}"
    if text.upper() in NO_RATE:
        found.empty += 1
        return None
    try:
        check_currency(currency)
        rate = Decimal(text)
    except Invalid:
        found.skip(where, _("%s is not a currency that is known here.") % currency)
        return None
    except InvalidOperation:
        found.skip(where, _("%s is not a number.") % text[:40])
        return None
    if currency == BASE or not rate.is_finite() or not 0 < rate <= LARGEST or rate != rate.quantize(PLACES):
        found.skip(where, _("A rate is above 0 and has at most 8 decimals: %s is not one.") % text[:40])
        return None
    return rate


def _unpacked(content: bytes) -> bytes:
    """The one file in a ZIP, read with a bound on what comes out."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [one for one in archive.infolist() if not one.is_dir()]
            if len(names) != 1:
                raise Invalid("zip", _("A ZIP with exchange rates holds one file."), where="file")
            with archive.open(names[0]) as member:
                plain = member.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise Invalid("zip", _("The ZIP cannot be opened."), where="file") from error
    if len(plain) > MOST_BYTES:
        raise too_large()
    return plain
