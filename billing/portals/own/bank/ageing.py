"""What is owed, by age: a page of buyers, and the whole as CSV or XLSX."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook

from billing.portals.keyset import page_of
from billing.portals.own.bank.base import invoice_tabs
from billing.portals.own.report_files import XLSX_TYPE
from billing.portals.views import PortalView
from invoicing.render.calls_csv import safe_text
from invoicing.selectors import ageing
from invoicing.services.periods import today_in
from tiers.errors import NotFound
from tiers.roles import May
from tiers.selectors import people


class Ageing(PortalView):
    template_name = "own/ageing.html"
    right = May.MONEY
    kind = ""

    def get(self, request: HttpRequest, form: str = "", *args: Any, **kwargs: Any) -> HttpResponseBase:
        brand = people.own_brands(self.viewer).first()
        today = today_in(brand.time_zone) if brand is not None else timezone.localdate()
        if form:
            return ageing_file(ageing.aged(self.viewer, today), form, f"ageing-{today.isoformat()}")
        page = page_of(ageing.debtors(self.viewer), request.GET, key="code", newest_first=False, parse=str)
        return self.page(
            tabs=invoice_tabs(request, self.kind),
            page=page,
            rows=ageing.aged(self.viewer, today, page.rows),
            sums=ageing.sums(self.viewer, today),
            today=today,
            ns=self.kind,
        )


def ageing_file(rows: list[ageing.Aged], form: str, name: str) -> HttpResponseBase:
    """Raises NotFound for a kind of file that is not made."""
    heads = ["customer", "name", "currency", *ageing.NAMES, "total"]
    lines = [[row.code, safe_text(row.name), row.currency, *row.amounts, row.total] for row in rows]
    if form == "csv":
        text = io.StringIO()
        csv.writer(text).writerows([heads, *lines])
        answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return answer
    if form != "xlsx":
        raise NotFound("no_file", _("This is given as csv or xlsx."))
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Ageing")
    for line in [heads, *lines]:
        sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    content.seek(0)
    return FileResponse(content, content_type=XLSX_TYPE, as_attachment=True, filename=f"{name}.xlsx")
