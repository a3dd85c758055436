"""The bill as one PDF: page one and detail by WeasyPrint, the call annex by ReportLab, joined by pikepdf.

The same context and calls give the same bytes: no clock and no random number goes in.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

import pikepdf
from django.utils import translation
from django.utils.translation import gettext as _
from pikepdf import OutlineItem

from invoicing.render import words
from invoicing.render.annex import CallAnnex
from invoicing.render.assets import Assets
from invoicing.render.context import CallRow, InvoiceContext
from invoicing.render.front import Front

MAX_BOOKMARKS = 400


def render_pdf(context: InvoiceContext, calls: Iterable[CallRow], *, assets: Assets | None = None) -> bytes:
    """The whole bill. `calls` is read once, in the order that `CallRow` describes; none: no annex."""
    with translation.override(context.language):
        annex = CallAnnex(context)
        annex.draw(calls)
        front = Front(context, assets or Assets()).lay_out(annex.pages)
        first = len(front.pages)
        front_pdf = front.write_pdf(pdf_identifier=context.number.encode(), pdf_tags=True)
        annex_pdf = annex.save(first + 1, first + annex.pages) if annex.pages else b""
        return _join(context, front_pdf, annex_pdf, annex.bookmarks)


def _join(context: InvoiceContext, front_pdf: bytes, annex_pdf: bytes, bookmarks: list[tuple[str, int]]) -> bytes:
    with pikepdf.open(io.BytesIO(front_pdf)) as pdf:
        if annex_pdf:
            before = len(pdf.pages)
            with pikepdf.open(io.BytesIO(annex_pdf)) as annex:
                pdf.pages.extend(annex.pages)
            _add_bookmarks(pdf, before, bookmarks)
        _describe(pdf, context)
        target = io.BytesIO()
        pdf.save(target, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return target.getvalue()


def _add_bookmarks(pdf: pikepdf.Pdf, before: int, bookmarks: list[tuple[str, int]]) -> None:
    """The annex under one entry, its groups below it by the page on which they begin."""
    with pdf.open_outline() as outline:
        calls = OutlineItem(_("Calls"), before)
        calls.children.extend(OutlineItem(title, before + page - 1) for title, page in bookmarks[:MAX_BOOKMARKS])
        calls.is_closed = True
        outline.root.append(calls)


def _describe(pdf: pikepdf.Pdf, context: InvoiceContext) -> None:
    """Title, author and date, as viewers and archives show them; the date is the bill's own."""
    stamp = f"D:{context.issue_date:%Y%m%d}000000Z"
    pdf.docinfo["/Title"] = words.heading(context)
    pdf.docinfo["/Author"] = context.seller.name[:120]
    pdf.docinfo["/Subject"] = f"{context.period_start.isoformat()}/{context.period_end.isoformat()}"
    pdf.docinfo["/CreationDate"] = stamp
    pdf.docinfo["/Producer"] = "Tollgate"
    pdf.Root["/ViewerPreferences"] = pikepdf.Dictionary(DisplayDocTitle=True)
