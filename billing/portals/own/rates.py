"""A rate table or price list as a file to keep, to send or to bring in elsewhere: CSV, streamed, or XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from invoicing.render.calls_csv import safe_text
from rating.models import PriceList, RateTable
from rating.pricing.current import current_engine
from rating.selectors.export import Line, header, list_lines, table_lines, taken_over
from rating.selectors.shown_in import ShownIn, shown_in
from tiers.errors import NotFound

CSV, XLSX = "csv", "xlsx"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_XLSX_LINES = 200_000
"""A workbook is made while the reader waits; longer lists go as CSV."""


def table_file(table: RateTable, kind: str, wanted: str = "") -> HttpResponseBase:
    """The rates in force and to come. Raises NotFound for a kind of file that is not made, Invalid for a currency
    (`wanted`) to which no rate leads."""
    now = timezone.now()
    shown = shown_in(table.currency, wanted, now)
    return _file(taken_over(table_lines(table, now), shown), shown, table.code, kind)


def list_file(price_list: PriceList, kind: str, wanted: str = "") -> HttpResponseBase:
    """What the list charges now. Raises as `table_file`."""
    book, now = current_engine().shelf.book(price_list.pk), timezone.now()
    lines = iter(()) if book is None else list_lines(price_list, book, now)
    shown = shown_in(price_list.currency, wanted, now)
    return _file(taken_over(lines, shown), shown, price_list.code, kind)


def _file(lines: Iterable[Line], shown: ShownIn, code: str, kind: str) -> HttpResponseBase:
    name = f"{code}-{shown.currency}" if shown.said else code
    if kind == CSV:
        response = StreamingHttpResponse(_csv(lines, shown), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response
    if kind != XLSX:
        raise NotFound("no_file", _("Rates are given as csv or xlsx."))
    return _xlsx(lines, shown, name)


class _Echo:
    def write(self, text: str) -> str:
        return text


def _csv(lines: Iterable[Line], shown: ShownIn) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(header(shown))
    for line in lines:
        yield writer.writerow([_text(value) for value in line])


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return safe_text(value) if isinstance(value, str) else value


def _xlsx(lines: Iterable[Line], shown: ShownIn, name: str) -> HttpResponseBase:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rates")
    sheet.append(header(shown))
    for count, line in enumerate(lines, start=1):
        if count > MOST_XLSX_LINES:
            raise NotFound("too_long", _("The list is too long for a workbook. Take it as CSV."))
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
