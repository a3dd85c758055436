"""A report as a file, CSV or XLSX: the rows that are shown and those beyond the page, a line per pair of currencies."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from billing.portals.own.report_words import Row
from invoicing.render.calls_csv import safe_text
from rating.selectors.facts import Question
from rating.selectors.figures import Table
from tiers.errors import NotFound

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def report_file(table: Table, asked: Question, rows: list[Row], kind: str, name: str) -> HttpResponseBase:
    """Raises NotFound for a kind of file that is not made."""
    lines = [_heads(table, asked), *_lines(asked, rows)]
    if kind == "csv":
        text = io.StringIO()
        csv.writer(text).writerows([_text(value) for value in line] for line in lines)
        response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response
    if kind != "xlsx":
        raise NotFound("no_file", _("A report is given as csv or xlsx."))
    return _xlsx(lines, name)


def _heads(table: Table, asked: Question) -> list[str]:
    own = [str(table.by), "name", "calls", "answered", "charged", "asr", "average_s", "duration_s", "billed_s"]
    if asked.bought:
        return [*own, "currency", "cost", "tax", f"cost_{asked.currency.lower()}"]
    converted = [f"{name}_{asked.currency.lower()}" for name in ("sale", "cost", "margin")]
    return [*own, "currency", "sale", "tax", "cost_currency", "cost", *converted]


def _lines(asked: Question, rows: list[Row]) -> Iterator[list[Any]]:
    """A row of several currencies has a line for each; its counts and what it comes to stand in the first."""
    for row in rows:
        now = row.now
        asr = None if now.asr is None else now.asr.quantize(Decimal("0.0001"))
        counts = [now.attempts, now.answered, now.charged, asr, now.acd_s, now.duration_s, now.billed_s]
        sales, costs = sorted(now.sale.items()), sorted(now.cost.items())
        for at in range(max(len(sales), len(costs) if not asked.bought else 0, 1)):
            currency, sale = sales[at] if at < len(sales) else ("", None)
            cost_currency, cost = costs[at] if at < len(costs) else ("", None)
            line = [row.code, row.label, *(counts if at == 0 else [None] * len(counts)), currency, sale]
            line.append(now.tax.get(currency, Decimal(0)) if currency else None)
            converted = [now.sale_in, now.cost_in, now.margin_in] if at == 0 else [None] * 3
            yield [*line, converted[0]] if asked.bought else [*line, cost_currency, cost, *converted]


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return safe_text(value) if isinstance(value, str) else value


def _xlsx(lines: list[list[Any]], name: str) -> HttpResponseBase:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Report")
    for line in lines:
        sheet.append([_cell(sheet, value) for value in line])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return FileResponse(file, content_type=XLSX_TYPE, as_attachment=True, filename=f"{name}.xlsx")


def _cell(sheet: Any, value: Any) -> Any:
    """Texts stay texts: no code becomes a number, and no name a formula."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value="".join(letter for letter in value if letter.isprintable()))
    cell.data_type = "s"
    return cell
