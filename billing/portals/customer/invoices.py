"""Invoices: what was billed, what is open, and the papers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from billing.portals.customer.base import CustomerView
from billing.portals.keyset import page_of
from billing.portals.own.papers import paper, received_invoice
from invoicing.selectors import invoices


class Invoices(CustomerView):
    template_name = "customer/invoices.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = invoices.received_by(self.viewer)
        return self.page(page=page_of(found, request.GET), open=[one for one in invoices.sums(found) if one[3]])


class InvoicePage(CustomerView):
    template_name = "customer/invoice.html"

    def get(self, request: HttpRequest, invoice: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = received_invoice(self.viewer, invoice)
        return self.page(
            invoice=found,
            lines=found.lines.all(),
            notes=list(invoices.credit_notes(self.viewer, found)[:50]),
            original=invoices.corrected_by(self.viewer, found),
            documents=invoices.documents_of(self.viewer, found),
        )


class Download(CustomerView):
    def get(self, request: HttpRequest, invoice: UUID, kind: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return paper(self.viewer, received_invoice(self.viewer, invoice), kind)
