"""The addresses of these pages, for either portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.portals.own.bank import ageing, entries


def bank_paths(kind: str) -> list[URLPattern]:
    """`invoices/bank/...` and `invoices/ageing/...`; they stand before the addresses of single invoices."""
    one = "invoices/bank/<uuid:entry>"
    return [
        path("invoices/bank/", entries.Entries.as_view(kind=kind), name="bank"),
        path("invoices/bank/upload/", entries.Upload.as_view(kind=kind), name="bank_upload"),
        path(f"{one}/", entries.Entry.as_view(kind=kind), name="bank_entry"),
        path(f"{one}/aside/", entries.Aside.as_view(kind=kind), name="bank_aside"),
        path(f"{one}/undo/", entries.Undo.as_view(kind=kind), name="bank_undo"),
        path("invoices/ageing/", ageing.Ageing.as_view(kind=kind), name="ageing"),
        path("invoices/ageing/file/<slug:form>/", ageing.Ageing.as_view(kind=kind), name="ageing_file"),
    ]
