"""What came in on the bank account: a file is brought in, what waits is given to its customer, and undone if wrong."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import money_text
from billing.portals.filters import Filters
from billing.portals.keyset import page_of
from billing.portals.own.bank.base import invoice_tabs
from billing.portals.own.products.subscriptions import buyers
from billing.portals.views import FormPage, PortalView
from invoicing.bank.entry import MOST_BYTES
from invoicing.models import BankEntry, EntryStatus
from invoicing.selectors import bank
from invoicing.services.bank_files import import_bank
from invoicing.services.bank_matching import book, invoices_named, set_aside, undo
from tiers.errors import Invalid
from tiers.models import Party
from tiers.roles import May
from tiers.viewer import Viewer


class EntryFilters(Filters):
    noun = gettext_lazy("Bank entries")
    phrases: ClassVar[dict[str, Any]] = {"status": gettext_lazy("that are: %s"), "text": gettext_lazy("with %s")}

    status = forms.ChoiceField(label=gettext_lazy("State"), choices=[("", "—"), *EntryStatus.choices])
    text = forms.CharField(label=gettext_lazy("Payer or reference"), max_length=100)


class BankView(PortalView):
    right = May.MONEY
    kind = ""

    @cached_property
    def row(self) -> BankEntry:
        return bank.entry_by_id(self.viewer, self.kwargs["entry"])


class Entries(BankView):
    template_name = "own/bank.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = EntryFilters(request)
        rows = bank.entries(self.viewer)
        if (status := filters.value("status")) is not None:
            rows = rows.filter(status=status)
        if (text := filters.value("text")) is not None:
            rows = rows.filter(payer__icontains=text) | rows.filter(text__icontains=text)
        waiting = bank.entries(self.viewer).filter(status=EntryStatus.WAITING).count()
        return self.page(
            tabs=invoice_tabs(request, self.kind),
            filters=filters,
            page=page_of(rows, request.GET),
            waiting=waiting,
            ns=self.kind,
            may=self.viewer.may(May.MONEY),
        )


class UploadForm(forms.Form):
    more: ClassVar[tuple[str, ...]] = ("currency", "date", "amount", "reference", "payer", "id")

    file = forms.FileField(
        label=gettext_lazy("Bank statement"),
        widget=forms.FileInput(attrs={"accept": ".xml,.csv,.txt"}),
        help_text=gettext_lazy("camt.053 (XML) or CSV, at most 20 MB. Entries that are known already are left out."),
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label=gettext_lazy("Currency"),
        required=False,
        help_text=gettext_lazy("Of a CSV that does not say it."),
    )
    date = forms.CharField(label=gettext_lazy("Column of the day"), required=False, max_length=60)
    amount = forms.CharField(label=gettext_lazy("Column of the amount"), required=False, max_length=60)
    reference = forms.CharField(label=gettext_lazy("Column of the reference"), required=False, max_length=60)
    payer = forms.CharField(label=gettext_lazy("Column of the payer"), required=False, max_length=60)
    id = forms.CharField(label=gettext_lazy("Column of the bank's own id"), required=False, max_length=60)


class Upload(BankView, FormPage):
    form_class = UploadForm
    heading = gettext_lazy("Bring in a bank statement")
    verb = gettext_lazy("Bring in")
    lead = gettext_lazy("What names an invoice is booked at once. The rest waits for you.")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:bank")

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        if data["file"].size > MOST_BYTES:
            raise Invalid("too_large", _("A bank file has at most 20 MB."), where="file")
        mapping = {name: data[name] for name in ("date", "amount", "reference", "payer", "id") if data[name]}
        done = import_bank(
            self.viewer.party,
            data["file"].name,
            data["file"].read(MOST_BYTES + 1),
            actor=self.viewer.actor,
            mapping=mapping,
            currency=data["currency"],
        )
        said = _("%(fresh)d new entries, %(known)d known before: %(booked)d booked, %(waiting)d wait for you.")
        figures = {name: getattr(done, name) for name in ("fresh", "known", "booked", "waiting")}
        return self.go("bank", said=said % figures)


class BookForm(forms.Form):
    buyer = forms.ModelChoiceField(
        label=gettext_lazy("Customer"), queryset=Party.visible.none(), to_field_name="code", required=False
    )
    numbers = forms.CharField(
        label=gettext_lazy("Invoice numbers"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("In the order in which they are paid. Without one, the oldest open ones are paid."),
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["buyer"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = buyers(viewer)


class Entry(BankView, FormPage):
    """One entry: what it paid, or whom it may be from."""

    form_class = BookForm
    template_name = "own/bank_entry.html"
    verb = gettext_lazy("Book")

    def form_arguments(self) -> dict[str, Any]:
        return {"viewer": self.viewer, "initial": {"numbers": self.request.GET.get("numbers", "")[:500]}}

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        row = self.row
        waits = row.status in (EntryStatus.WAITING, EntryStatus.ASIDE) and not row.reversal
        return {
            "row": row,
            "ns": self.kind,
            "waits": waits and self.viewer.may(May.MONEY),
            "may": self.viewer.may(May.MONEY),
            "suggested": bank.suggestions(self.viewer, row) if waits else [],
            "matches": bank.matches_of(row) if row.transfer_id else [],
        }

    def save(self, form: Any) -> HttpResponse:
        row, numbers, buyer = self.row, form.cleaned_data["numbers"], form.cleaned_data["buyer"]
        named = invoices_named(self.viewer.party, numbers)
        if numbers.strip() and not named:
            raise Invalid("invoice", _("No open or paid invoice of yours has this number."), where="numbers")
        if not named and buyer is None:
            raise Invalid("buyer", _("Say whose payment this is."), where="buyer")
        payer = buyer or named[0].buyer
        book(row.pk, payer, named, actor=self.viewer.actor)
        paid = {"amount": money_text(row.amount, row.currency), "name": payer.name}
        return self.go("bank_entry", row.pk, said=_("%(amount)s of %(name)s are booked.") % paid)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200)


class Reasoned(BankView, FormPage):
    form_class = ReasonForm

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:bank_entry", args=[self.row.pk])


class Aside(Reasoned):
    heading = gettext_lazy("Set this entry aside")
    verb = gettext_lazy("Set aside")
    lead = gettext_lazy("It is no customer's payment. It can be booked later all the same.")

    def save(self, form: Any) -> HttpResponse:
        set_aside(self.row.pk, actor=self.viewer.actor, reason=form.cleaned_data["reason"])
        return self.go("bank", said=_("It is set aside."))


class Undo(Reasoned):
    heading = gettext_lazy("Take this booking back")
    verb = gettext_lazy("Take back")
    lead = gettext_lazy("A correcting transfer takes the payment off the wallet; the entry waits again.")

    def save(self, form: Any) -> HttpResponse:
        undo(self.row.pk, actor=self.viewer.actor, reason=form.cleaned_data["reason"])
        return self.go("bank_entry", self.row.pk, said=_("The booking is taken back."))
