"""A bank's CSV: columns found by the names of their heads, in English, German and French, or as the caller maps them.

Commas, semicolons or tabs between; amounts with a decimal point or comma, with or without thousands; days as
2026-11-20, 20.11.2026 or 20/11/2026. Every amount below zero is money out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from invoicing.bank.entry import Read, amount_of, tidy
from tiers.errors import Invalid

HEADS: dict[str, tuple[str, ...]] = {
    "date": (
        "value date",
        "valuta",
        "valutadatum",
        "date",
        "booking date",
        "buchungstag",
        "wertstellung",
        "date valeur",
    ),
    "amount": ("amount", "betrag", "montant"),
    "currency": ("currency", "währung", "waehrung", "devise", "ccy"),
    "reference": (
        "reference",
        "verwendungszweck",
        "remittance information",
        "description",
        "details",
        "text",
        "libellé",
    ),
    "payer": ("payer", "name", "counterparty", "auftraggeber", "beguenstigter/zahlungspflichtiger", "debtor", "from"),
    "id": ("id", "bank id", "transaction id", "bank reference", "transaktions-id", "entry reference"),
    "account": ("account", "iban", "auftragskonto", "compte"),
}
NEEDED = ("date", "amount")
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%y", "%Y%m%d")


def csv_entries(content: bytes, mapping: Mapping[str, str] | None = None, currency: str = "") -> Iterator[Read]:
    """Entries in the file's order. `mapping`: our name to the file's head. Raises Invalid, naming the line."""
    text = _decoded(content)
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        columns = _columns(next(rows, []), mapping or {})
        for row in rows:
            if any(cell.strip() for cell in row):
                entry = _entry(row, columns, currency, rows.line_num)
                if entry is not None:
                    yield entry
    except csv.Error as error:
        raise Invalid("csv", _("The file cannot be read as CSV."), where=f"line {rows.line_num}") from error


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _columns(head: list[str], mapping: Mapping[str, str]) -> dict[str, int]:
    names = {cell.strip().casefold(): at for at, cell in reversed(list(enumerate(head)))}
    found = {}
    for ours, theirs in HEADS.items():
        wanted = (mapping[ours].strip().casefold(),) if mapping.get(ours) else theirs
        at = next((names[name] for name in wanted if name in names), None)
        if at is not None:
            found[ours] = at
        elif ours in NEEDED or mapping.get(ours):
            raise Invalid(
                "column",
                _("There is no column for %s.") % (mapping.get(ours) or ours),
                where="line 1",
                hint=_("Say which column it is; the file has: %s.") % ", ".join(head)[:200],
            )
    return found


def _entry(row: list[str], columns: Mapping[str, int], currency: str, line: int) -> Read | None:
    def cell(name: str) -> str:
        at = columns.get(name)
        return row[at].strip() if at is not None and at < len(row) else ""

    where = f"line {line}"
    amount = _amount(cell("amount"), where)
    if amount == 0:
        return None
    code = (cell("currency") or currency).upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise Invalid("currency", _("The file does not say which currency this is."), where=where)
    return Read(
        account=tidy(cell("account").replace(" ", ""), 40),
        bank_reference=tidy(cell("id"), 100),
        value_date=_day(cell("date"), where),
        amount=abs(amount),
        currency=code,
        credit=amount > 0,
        payer=tidy(cell("payer"), 200),
        text=tidy(cell("reference"), 500),
    )


def _amount(text: str, where: str) -> Decimal:
    """The last point or comma is the decimal one. 1,234 could be either, and money is not guessed: Invalid."""
    plain = re.sub(r"[\s\u00a0\u202f']", "", text).replace("\u2212", "-")
    if plain.endswith("-"):
        plain = "-" + plain[:-1]
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", plain):
        raise Invalid("amount", _("%s can be read in two ways.") % text[:40], where=where, hint=_("Add the decimals."))
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})*(,\d+)?", plain) and ("," in plain or plain.count(".") > 1):
        plain = plain.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?", plain) and ("." in plain or plain.count(",") > 1):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"[+-]?\d+,\d+", plain):
        plain = plain.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
        raise Invalid("amount", _("%s is not an amount.") % (text[:40] or "–"), where=where)
    return amount_of(plain, where)


def _day(text: str, where: str) -> date:
    for form in DAYS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise Invalid("day", _("%s is not a day.") % (text[:40] or "–"), where=where)
