"""The tabs of the invoices' place in either portal, with the bank and what is owed by age among them."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy

from billing.portals.tabs import Tab, tabs
from tiers.models import Kind


def invoice_tabs(request: HttpRequest, kind: str) -> list[Tab]:
    dealer = kind == Kind.DEALER
    entries = [
        (gettext_lazy("To your buyers") if dealer else gettext_lazy("Invoices"), "invoices"),
        (gettext_lazy("Received"), "received") if dealer else (gettext_lazy("Outbox"), "outbox"),
        (gettext_lazy("Bank"), "bank"),
        (gettext_lazy("Owed by age"), "ageing"),
    ]
    return tabs(request, *((word, reverse(f"{kind}:{name}")) for word, name in entries))
