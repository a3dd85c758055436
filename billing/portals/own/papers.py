"""The papers of an invoice, handed to whoever may see it."""

from __future__ import annotations

from uuid import UUID

from django.http import FileResponse, HttpResponseBase
from django.utils.translation import gettext as _

from invoicing.models import Invoice
from invoicing.selectors import invoices
from invoicing.services.documents import path_of
from invoicing.services.smtp import MEDIA_TYPES
from tiers.errors import NotFound
from tiers.viewer import Viewer


def received_invoice(viewer: Viewer, key: UUID) -> Invoice:
    """An issued invoice to the viewer's own party. Raises NotFound."""
    found = invoices.received_by(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_invoice", _("There is no such invoice here."))
    return found


def paper(viewer: Viewer, invoice: Invoice, kind: str) -> HttpResponseBase:
    """The stored PDF, DOCX or CSV as a download. Raises NotFound while it is not made."""
    document = invoices.documents_of(viewer, invoice).get(kind)
    if document is None or not path_of(document).exists():
        raise NotFound("no_paper", _("This paper is not made yet. It takes a minute after issuing."))
    media = {str(name): text for name, text in MEDIA_TYPES.items()}[kind]
    answer = FileResponse(
        path_of(document).open("rb"), content_type=media, as_attachment=True, filename=document.filename
    )
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
