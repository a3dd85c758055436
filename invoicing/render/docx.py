"""The bill as an editable letter: the same texts and figures as the PDF, filled into a template by docxtpl.

Up to `MAX_CALLS` calls stand in it; beyond that a word processor is the wrong tool, and it names the CSV
instead.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from docx.oxml.ns import qn
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage

from invoicing.render import formats, words
from invoicing.render.annex import display_number
from invoicing.render.assets import Assets
from invoicing.render.context import CallRow, InvoiceContext
from invoicing.render.details import Cells, Details, build_details
from invoicing.render.docx_template import template_bytes
from invoicing.render.paper import Paper, build_paper

MAX_CALLS = 2_000
_LONGEST_STROKE = 24
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def render_docx(context: InvoiceContext, calls: Iterable[CallRow], *, assets: Assets | None = None) -> bytes:
    """The whole bill. `calls` is read once and no further than needed."""
    rows = list(islice(calls, MAX_CALLS + 1))
    with translation.override(context.language):
        paper = build_paper(context)
        template = DocxTemplate(io.BytesIO(template_bytes(context.paper, paper.accent)))
        values = _values(context, paper, rows)
        values["brand"] = _logo(template, context, assets or Assets()) or paper.seller_name
        template.render(values, autoescape=True)
        _align_pictures(template)
        _describe(template, context)
    buffer = io.BytesIO()
    template.save(buffer)
    return _same_bytes(buffer.getvalue())


def _values(context: InvoiceContext, paper: Paper, rows: list[CallRow]) -> dict[str, Any]:
    details = build_details(context)
    printed = rows if len(rows) <= MAX_CALLS else []
    decimals = _decimals(context, printed)
    before, between, after = _page_pieces(context)
    return {
        "paper": {**{name: getattr(paper, name) for name in Paper.__slots__}, "bars": _bars(paper)},
        "details": details,
        "destinations": list(_destinations(details)),
        "calls": [_call(context, row, decimals) for row in printed],
        "calls_total": _calls_total(context, printed),
        "calls_elsewhere": "" if printed or not rows else _("Each call is in the CSV file that comes with this bill."),
        "words": _words(context),
        "page_before": before,
        "page_between": between,
        "page_after": after,
    }


def _words(context: InvoiceContext) -> dict[str, str]:
    return {
        "charges": _("All charges"),
        "charge": _("Charge"),
        "quantity": _("Quantity"),
        "destinations": _("Calls by carrier and destination"),
        "destination": _("Destination"),
        "calls": _("Calls"),
        "duration": _("Duration"),
        "amount": f"{_('Amount')} {context.currency}",
        "date": _("Date"),
        "time": _("Time"),
        "caller": _("Caller"),
        "number": _("Number"),
        "all_calls": _("All calls"),
    }


def _page_pieces(context: InvoiceContext) -> tuple[str, str, str]:
    """The page label around its two figures, which the word processor fills in."""
    page, pages = 7_777_777, 8_888_888
    before, _found, rest = words.page_label(context, page, pages).partition(str(page))
    between, _found, after = rest.partition(str(pages))
    return before, between, after


def _bars(paper: Paper) -> list[dict[str, str]]:
    return [
        {"label": bar.label, "amount": bar.amount, "stroke": "\N{FULL BLOCK}" * -(-bar.share * _LONGEST_STROKE // 100)}
        for bar in paper.bars
    ]


def _destinations(details: Details) -> Iterator[dict[str, Any]]:
    """Carrier, its destinations, its sum, one below the other."""
    for table in details.carriers:
        if table.carrier:
            yield {"label": table.carrier, "count": "", "duration": "", "amount": "", "strong": True}
        for row in table.rows:
            yield _row(row, strong=False)
        yield _row(table.total, strong=True)
    if details.total:
        yield _row(details.total, strong=True)


def _row(cells: Cells, *, strong: bool) -> dict[str, Any]:
    return {
        "label": cells.label,
        "count": cells.count,
        "duration": cells.duration,
        "amount": cells.amount,
        "strong": strong,
    }


def _decimals(context: InvoiceContext, rows: list[CallRow]) -> int:
    return max((formats.own_decimals(row.net, context.decimals) for row in rows), default=context.decimals)


def _call(context: InvoiceContext, call: CallRow, decimals: int) -> dict[str, str]:
    return {
        "date": formats.format_day_column(call.started_at.date(), context.locale),
        "time": f"{call.started_at:%H:%M:%S}",
        "caller": display_number(call.caller),
        "number": formats.tidy(call.callee_display or call.callee, 40),
        "destination": formats.tidy(call.destination, 60),
        "duration": formats.format_duration(call.duration_s),
        "amount": formats.format_number(call.net, context.locale, decimals),
    }


def _calls_total(context: InvoiceContext, rows: list[CallRow]) -> dict[str, str]:
    net = sum((row.net for row in rows), Decimal(0))
    return {
        "duration": formats.format_duration(sum(row.duration_s for row in rows)),
        "amount": formats.format_number(net, context.locale, _decimals(context, rows)),
    }


def _logo(template: DocxTemplate, context: InvoiceContext, assets: Assets) -> InlineImage | None:
    logo = assets.logo(context.seller.logo)
    return InlineImage(template, io.BytesIO(logo.data), height=Mm(16)) if logo else None


def _align_pictures(template: DocxTemplate) -> None:
    """No distance around a picture in a line: left unsaid, some programs add their own."""
    for picture in template.docx.element.body.iter(qn("wp:inline")):
        for side in ("distT", "distB", "distL", "distR"):
            picture.set(side, "0")


def _describe(template: DocxTemplate, context: InvoiceContext) -> None:
    """Title, author and dates of the bill, not of this machine."""
    about = template.docx.core_properties
    about.title, about.author = words.heading(context), formats.tidy(context.seller.name)
    about.created = about.modified = datetime.combine(context.issue_date, time(), UTC)
    about.last_modified_by, about.comments = "", ""


def _same_bytes(data: bytes) -> bytes:
    """The same archive with fixed times, so that the same bill gives the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), old.read(name), zipfile.ZIP_DEFLATED)
    return target.getvalue()
