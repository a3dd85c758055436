"""Crediting a bill, for either seller's portal: which lines and how much, what it comes to, then the credit note.

What is shown before is what is made: the sum that the reader saw comes back with the form, and where it is another by
now (somebody credited meanwhile, or the amounts were changed since) the new one is shown first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import exact_decimals, money_text
from billing.portals.views import FormPage, OnceForm
from invoicing.models import Invoice
from invoicing.selectors import invoices
from invoicing.services import mailing
from invoicing.services.crediting import LONGEST_REASON, Credit, credit, left_of, preview
from tiers.errors import Conflict, NotFound
from tiers.roles import May

ALL, SOME = "all", "lines"


class CreditForm(OnceForm):
    what = forms.ChoiceField(
        label=gettext_lazy("What is credited"),
        choices=[(ALL, gettext_lazy("all that is left of it")), (SOME, gettext_lazy("of these lines, without tax"))],
        widget=forms.RadioSelect,
        initial=ALL,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Stands on the credit note."),
    )
    send = forms.BooleanField(label=gettext_lazy("Send it by mail"), required=False, initial=True)
    seen = forms.DecimalField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, invoice: Invoice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invoice = invoice
        left = {one.line: one.left for one in left_of(invoice)}
        self.lines = [(line, left[line.pk]) for line in invoice.lines.all()]
        for line, rest in self.lines:
            self.fields[f"line_{line.pk}"] = forms.DecimalField(
                label=line.label,
                max_digits=20,
                decimal_places=6,
                required=False,
                disabled=not rest,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "num", "aria-label": line.label}),
            )

    def rows(self) -> list[tuple[Any, str, BoundField]]:
        """Each line of the bill, what is left of it with all decimals, and its field."""
        currency = self.invoice.currency
        return [
            (line, money_text(rest, currency, exact_decimals(rest, currency)), self[f"line_{line.pk}"])
            for line, rest in self.lines
        ]

    def asked(self) -> dict[int, Decimal | None] | None:
        """What the service wants: None for all that is left."""
        if self.cleaned_data["what"] == ALL:
            return None
        given = {line.pk: self.cleaned_data.get(f"line_{line.pk}") for line, _rest in self.lines}
        return {key: amount for key, amount in given.items() if amount}


class CreditBill(FormPage):
    """The form, its preview, and the deed."""

    kind = ""
    form_class = CreditForm
    template_name = "own/credit.html"
    right = May.INVOICES
    verb = gettext_lazy("Show what it comes to")

    @cached_property
    def invoice(self) -> Invoice:
        """A bill that the viewer's own party made, or 404."""
        found = invoices.made_by(self.viewer).filter(pk=self.kwargs["invoice"], number__isnull=False).first()
        if found is None or found.is_credit_note:
            raise NotFound("no_invoice", _("There is no such invoice here."))
        return found

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Credit %s") % self.invoice.number

    @property
    def lead(self) -> str:  # type: ignore[override]
        return _("A credit note of its own is made. %s stays as it is, and its calls stay on it.") % self.invoice.number

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:invoice", args=[self.kwargs["invoice"]])

    def form_arguments(self) -> dict[str, Any]:
        return {"invoice": self.invoice}

    def save(self, form: Any) -> HttpResponse:
        asked = form.asked()
        if "confirm" in self.request.POST and (again := self.repeated(form, asked)) is not None:
            return again
        seen = preview(self.invoice, asked)
        if "confirm" not in self.request.POST or form.cleaned_data["seen"] != seen.part.total:
            return self.form_page(form, 200, seen)
        return self.done(self.make(form, asked), form)

    def repeated(self, form: Any, asked: Any) -> HttpResponse | None:
        """The same click a second time: to what the first one made."""
        made = invoices.credit_notes(self.viewer, self.invoice).filter(key=form.once("credit")).first()
        return None if made is None else self.done(self.make(form, asked), form)

    def make(self, form: Any, asked: Any) -> Invoice:
        reason = form.cleaned_data["reason"]
        return credit(self.invoice, asked, reason=reason, actor=self.viewer.actor, key=form.once("credit"))

    def done(self, note: Invoice, form: Any) -> HttpResponse:
        said = _("Credit note %s is made.") % note.number
        if form.cleaned_data["send"]:
            try:
                mailing.send(note)
                said = _("Credit note %s is made; it goes out by mail within a minute.") % note.number
            except Conflict as refused:
                said = f"{said} {refused.message}"
        return self.go("invoice", note.pk, said=said)

    def form_page(self, form: forms.Form, status: int = 200, seen: Credit | None = None) -> HttpResponse:
        part = None if seen is None else seen.part
        return self.page(status=status, form=form, view=self, invoice=self.invoice, seen=seen, part=part)
