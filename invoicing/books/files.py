"""The exports as files: CSV for programs, XLSX for people; both row by row, so that a large month stays small.

Texts can never become formulas: in CSV an apostrophe stands before what a spreadsheet would run, in XLSX a cell of
text is one. Amounts are exact, with a point, and as many decimals as the ledger has.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import IO, Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from invoicing.books.asked import Asked
from invoicing.books.chart import Entry
from invoicing.books.journal import balances, bookings, summed
from invoicing.books.register import papers
from invoicing.books.tax import tax_lines
from invoicing.render.calls_csv import safe_text
from tiers.errors import NotFound

Line = tuple[Any, ...]
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_ROWS = 1_000_000
"""A sheet of XLSX takes a little more; what is beyond goes into the next one."""
IN_MEMORY = 4 << 20


class Export(StrEnum):
    JOURNAL = "journal"
    DAYS = "days"
    MONTHS = "months"
    BALANCES = "balances"
    INVOICES = "invoices"
    TAX = "tax"


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


WORDS: dict[Export, str | Promise] = {
    Export.JOURNAL: gettext_lazy("Journal, every transfer"),
    Export.DAYS: gettext_lazy("Journal, summed by day"),
    Export.MONTHS: gettext_lazy("Journal, summed by month"),
    Export.BALANCES: gettext_lazy("Balances of all accounts"),
    Export.INVOICES: gettext_lazy("Invoices and credit notes"),
    Export.TAX: gettext_lazy("Tax"),
}
JOURNAL_HEAD = (
    "date", "account", "account_name", "party", "party_name", "debit", "credit", "currency", "kind", "words",
    "document", "contra_account", "correction", "note", "transfer",
)  # fmt: skip
SUMMED_HEAD = (
    "date", "account", "account_name", "debit", "credit", "currency", "kind", "words", "contra_account", "transfers",
)  # fmt: skip
BALANCES_HEAD = (
    "account", "account_name", "party", "party_name", "opening", "debit", "credit", "closing", "currency",
)  # fmt: skip
INVOICES_HEAD = (
    "number", "kind", "issued", "due", "month", "customer", "customer_name", "tax_number", "net", "tax_name",
    "tax_rate", "tax", "gross", "paid", "open", "currency", "status", "corrects",
)  # fmt: skip
TAX_HEAD = ("source", "words", "brand", "tax_name", "tax_rate", "net", "tax", "currency")


def lines_of(asked: Asked, export: Export) -> Iterator[Line]:
    """Head and rows of an export."""
    makers = {
        Export.JOURNAL: (JOURNAL_HEAD, _journal),
        Export.DAYS: (SUMMED_HEAD, lambda one: _summed(one, "day")),
        Export.MONTHS: (SUMMED_HEAD, lambda one: _summed(one, "month")),
        Export.BALANCES: (BALANCES_HEAD, _balances),
        Export.INVOICES: (INVOICES_HEAD, _invoices),
        Export.TAX: (TAX_HEAD, _tax),
    }
    head, make = makers[export]
    yield head
    yield from make(asked)


def _journal(asked: Asked) -> Iterator[Line]:
    """Two lines a transfer, the debit first."""
    for one in bookings(asked):
        tail = (asked.currency, one.kind, one.words, one.document)
        end = (int(one.correction), one.reason, str(one.transfer))
        yield (one.day, *_whose(one.debit), one.amount, None, *tail, one.credit.code, *end)
        yield (one.day, *_whose(one.credit), None, one.amount, *tail, one.debit.code, *end)


def _whose(entry: Entry) -> Line:
    return entry.code, entry.name, entry.party_code, entry.party


def _summed(asked: Asked, by: str) -> Iterator[Line]:
    for one in summed(asked, by):
        tail = (asked.currency, one.kind, one.words)
        yield (one.day, one.debit.code, one.debit.name, one.amount, None, *tail, one.credit.code, one.transfers)
        yield (one.day, one.credit.code, one.credit.name, None, one.amount, *tail, one.debit.code, one.transfers)


def _balances(asked: Asked) -> Iterator[Line]:
    for row in balances(asked):
        yield (*_whose(row.entry), row.opening, row.debit, row.credit, row.closing, asked.currency)


def _invoices(asked: Asked) -> Iterator[Line]:
    for one in papers(asked):
        whom = (one.buyer_code, one.buyer, one.tax_id)
        figures = (one.net, one.tax_name, one.tax_rate, one.tax, one.gross, one.paid, one.open)
        days = (one.issued, one.due, f"{one.month:%Y-%m}")
        yield (one.number, one.kind, *days, *whom, *figures, one.currency, one.status, one.corrects)


def _tax(asked: Asked) -> Iterator[Line]:
    for line in tax_lines(asked):
        yield (
            str(line.source), line.words, line.brand, line.tax_name, line.rate, line.net, line.tax, asked.currency,
        )  # fmt: skip


def book_file(asked: Asked, export: str, kind: str) -> tuple[IO[bytes], str]:
    """A file, read from its beginning, and its name. Raises NotFound for what is not made."""
    if export not in set(Export) or kind not in set(Format):
        raise NotFound("no_file", _("There is no such export."), where="kind")
    held: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 handed to whoever reads it
    write = write_csv if kind == Format.CSV else write_xlsx
    write(lines_of(asked, Export(export)), held)
    held.seek(0)
    return held, f"{asked.seller.code}-{export}-{asked.currency}-{asked.first}-{asked.last}.{kind}"


def write_csv(lines: Iterable[Line], held: IO[bytes]) -> None:
    text = io.TextIOWrapper(held, encoding="utf-8", newline="", write_through=True)
    csv.writer(text).writerows([_plain(value) for value in line] for line in lines)
    text.flush()
    text.detach()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return safe_text(value) if isinstance(value, str) else value


def write_xlsx(lines: Iterable[Line], held: IO[bytes], sheet_rows: int = SHEET_ROWS) -> None:
    book = Workbook(write_only=True)
    sheet: Any = None
    for at, line in enumerate(lines):
        if at % sheet_rows == 0:
            sheet = book.create_sheet(f"{at // sheet_rows + 1}")
        sheet.append([_cell(sheet, value) for value in line])
    book.save(held)


def _cell(sheet: Any, value: Any) -> Any:
    """Texts stay texts: no code becomes a number, and no name a formula."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value="".join(letter for letter in value if letter.isprintable()))
    cell.data_type = "s"
    return cell
