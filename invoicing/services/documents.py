"""The stored renderings of an issued invoice: PDF, DOCX, and CSV of its calls.

They are made after issuing and outside its transaction, from the frozen context alone; so making them again, or twice
at once, or a year later, gives the same files at the same places.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from django.db.models import Count
from django.utils.translation import gettext as _

from invoicing.models import Document, DocumentKind, Invoice
from invoicing.render.assets import Assets
from invoicing.render.calls_csv import write_calls_csv
from invoicing.render.context import CREDIT_NOTE, InvoiceContext
from invoicing.render.credit_csv import write_credit_csv
from invoicing.render.docx import render_docx
from invoicing.render.mail import attachment_name
from invoicing.services import files
from invoicing.services.calls import calls_of
from tiers.errors import Conflict, TollgateError

KINDS = (DocumentKind.CSV, DocumentKind.DOCX, DocumentKind.PDF)


class CannotPrint(TollgateError):
    """This machine lacks what PDFs are drawn with. The other papers are made; the PDF follows when it is there."""

    status = 503


def context_of(invoice: Invoice) -> InvoiceContext:
    """What was frozen at issue. Raises Conflict("not_issued") for a draft."""
    if invoice.context is None:
        raise Conflict("not_issued", _("This invoice is not issued yet; there is no paper of it."))
    return InvoiceContext.from_json(invoice.context)


def render(invoice: Invoice) -> list[Document]:
    """All renderings of an issued invoice; what is stored already is not made again.

    Raises CannotPrint when all but the PDF could be made.
    """
    context = context_of(invoice)
    standing = {document.kind: document for document in invoice.documents.all()}
    for kind in KINDS:
        if kind not in standing or not (files.root() / standing[kind].path).exists():
            standing[kind] = _store(invoice, context, kind)
    return [standing[kind] for kind in KINDS]


def _store(invoice: Invoice, context: InvoiceContext, kind: str) -> Document:
    name = attachment_name(context, kind)
    path = f"invoices/{context.issue_date.year}/{invoice.pk}/{name}"
    with files.written_whole(path) as file:
        _WRITERS[kind](invoice, context, file)
    size, digest = files.digest_of(path)
    values = {"filename": name, "path": path, "size": size, "digest": digest}
    document, made = Document.objects.get_or_create(invoice=invoice, kind=kind, defaults=values)
    if not made and document.digest != digest:
        Document.objects.filter(pk=document.pk).update(**values)
        document.refresh_from_db()
    return document


def _assets(context: InvoiceContext) -> Assets:
    logo = files.logo_bytes(context.seller.logo)
    return Assets({context.seller.logo: logo} if logo else {})


def _write_pdf(invoice: Invoice, context: InvoiceContext, file: BinaryIO) -> None:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # where its import fails it prints advice, also into our JSON
            from invoicing.render.pdf import render_pdf
    except OSError as error:  # WeasyPrint binds Pango when it is imported
        raise CannotPrint(
            "no_pango", _("PDFs need Pango."), hint="apt-get install libpango-1.0-0 libpangoft2-1.0-0"
        ) from error
    file.write(render_pdf(context, calls_of(invoice, context), assets=_assets(context)))


def _write_docx(invoice: Invoice, context: InvoiceContext, file: BinaryIO) -> None:
    file.write(render_docx(context, calls_of(invoice, context), assets=_assets(context)))


def _write_csv(invoice: Invoice, context: InvoiceContext, file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    if context.kind == CREDIT_NOTE:
        write_credit_csv(context, text)
    else:
        write_calls_csv(context, calls_of(invoice, context), text)
    text.detach()


_WRITERS: dict[str, Callable[[Invoice, InvoiceContext, BinaryIO], None]] = {
    DocumentKind.PDF: _write_pdf,
    DocumentKind.DOCX: _write_docx,
    DocumentKind.CSV: _write_csv,
}


def without_documents(limit: int = 100) -> list[Invoice]:
    """Issued invoices that lack a rendering, oldest first."""
    rows = Invoice.objects.filter(number__isnull=False).annotate(made=Count("documents"))
    return list(rows.filter(made__lt=len(KINDS)).order_by("issued_at")[:limit])


def path_of(document: Document) -> Path:
    return files.root() / document.path
