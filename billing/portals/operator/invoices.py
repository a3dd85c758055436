"""Invoices: run a month, look at the drafts, approve, issue, send; the papers and the outbox."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.filters import Filters
from billing.portals.keyset import page_of
from billing.portals.operator.base import OperatorAct, OperatorForm, OperatorView
from billing.portals.operator.calls import month_choices
from billing.portals.own.bank.base import invoice_tabs
from billing.portals.tabs import Tab
from billing.portals.views import sentence
from invoicing.models import DocumentKind, Invoice, InvoiceStatus
from invoicing.selectors import invoices
from invoicing.services import documents
from invoicing.services.drafts import discard, run
from invoicing.services.issuing import approve, issue
from invoicing.services.mailing import send, send_again
from invoicing.services.periods import month_before, parse_month
from tiers.errors import Conflict, NotFound, TollgateError
from tiers.roles import May
from tiers.selectors import people

MOST_AT_ONCE = 500


class InvoiceFilters(Filters):
    noun = gettext_lazy("Invoices")
    phrases: ClassVar[dict[str, Any]] = {
        "month": gettext_lazy("for %s"),
        "buyer": gettext_lazy("to %s"),
        "status": gettext_lazy("that are: %s"),
        "whose": gettext_lazy("of %s"),
    }

    month = forms.ChoiceField(label=gettext_lazy("Month"))
    buyer = forms.CharField(label=gettext_lazy("Buyer (code)"))
    status = forms.ChoiceField(label=gettext_lazy("State"), choices=[("", "—"), *InvoiceStatus.choices])
    whose = forms.ChoiceField(
        label=gettext_lazy("Whose"),
        choices=[("", gettext_lazy("your own")), ("below", gettext_lazy("all sellers below"))],
    )

    def prepare(self) -> None:
        field = self.fields["month"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *month_choices(timezone.localdate())]


class InvoicesView(OperatorView):
    def tabs(self) -> list[Tab]:
        return invoice_tabs(self.request, self.kind)


class Invoices(InvoicesView):
    template_name = "operator/invoices.html"
    right = May.INVOICES

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = InvoiceFilters(request)
        found = invoices.invoices(self.viewer) if filters.value("whose") else invoices.made_by(self.viewer)
        if (code := filters.value("buyer")) is not None:
            found = found.filter(buyer=people.party_by_code(self.viewer, code))
        if (month := filters.value("month")) is not None:
            found = found.filter(month=parse_month(month))
        if (status := filters.value("status")) is not None:
            found = found.filter(status=status)
        return self.page(
            tabs=self.tabs(),
            filters=filters,
            page=page_of(found, request.GET),
            sums=invoices.sums(found),
            drafts=invoices.made_by(self.viewer).filter(status__in=invoices.UNISSUED).count(),
            may=self.viewer.may(May.INVOICES),
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What is ticked: approve, issue or send each; what is refused is said, the others go on."""
        deed = DEEDS.get(request.POST.get("deed", ""))
        keys = [key for text in request.POST.getlist("invoice")[:MOST_AT_ONCE] if (key := _uuid(text))]
        if deed is None or not keys:
            messages.warning(request, _("Tick invoices first."))
            return HttpResponseRedirect(request.get_full_path())
        done = 0
        for invoice in invoices.made_by(self.viewer).filter(pk__in=keys):
            try:
                deed(invoice, self.viewer.actor)
                done += 1
            except TollgateError as error:
                messages.error(request, sentence(error))
        messages.success(request, _("%d done.") % done)
        return HttpResponseRedirect(request.get_full_path())


def _approve(invoice: Invoice, actor: Any) -> None:
    approve(invoice, actor=actor)


def _issue(invoice: Invoice, actor: Any) -> None:
    issue(invoice, actor=actor)


def _send(invoice: Invoice, actor: Any) -> None:
    issued = invoice if invoice.is_issued else issue(invoice, actor=actor)
    issued.refresh_from_db()
    send(issued)


DEEDS = {"approve": _approve, "issue": _issue, "send": _send}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class RunForm(forms.Form):
    month = forms.ChoiceField(
        label=gettext_lazy("Month"), help_text=gettext_lazy("Earlier unbilled charges come along.")
    )
    early = forms.BooleanField(label=gettext_lazy("Bill what there is, though the month is not over"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["month"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = month_choices(timezone.localdate())
        field.initial = f"{month_before(timezone.localdate()):%Y-%m}"


class Run(OperatorForm):
    form_class = RunForm
    right = May.INVOICES
    heading = gettext_lazy("Run invoices")
    verb = gettext_lazy("Make the drafts")
    lead = gettext_lazy("Drafts are made from what is not billed yet. A second run adds nothing.")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:invoices")

    def save(self, form: Any) -> HttpResponse:
        month: date = parse_month(form.cleaned_data["month"])
        result = run(self.viewer.party, month, actor=self.viewer.actor, early=form.cleaned_data["early"])
        messages.success(
            self.request,
            _("%(created)d drafts made, %(skipped)d wallets had nothing new.")
            % {"created": result.created, "skipped": result.skipped},
        )
        return HttpResponseRedirect(f"{reverse('operator:invoices')}?month={month:%Y-%m}")


class OneInvoice:
    """Mix-in: the invoice that the address names, or 404."""

    viewer: Any
    kwargs: dict[str, Any]

    @property
    def invoice(self) -> Invoice:
        found = getattr(self, "_invoice", None)
        if found is None:
            found = self._invoice = invoices.invoice_by_id(self.viewer, self.kwargs["invoice"])
        return found

    def own(self) -> Invoice:
        """The invoice where the viewer's party is its seller; another seller's is for that seller to change."""
        if self.invoice.seller_id != self.viewer.party.pk:
            raise NotFound("not_yours", _("There is no such invoice here."))
        return self.invoice


class InvoicePage(OneInvoice, OperatorView):
    template_name = "operator/invoice.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        invoice = self.invoice
        return self.page(
            invoice=invoice,
            lines=invoice.lines.all(),
            notes=list(invoices.credit_notes(self.viewer, invoice)[:50]),
            original=invoices.corrected_by(self.viewer, invoice),
            mails=invoices.mails_of(self.viewer, invoice),
            mine=invoice.seller_id == self.viewer.party.pk and self.viewer.may(May.INVOICES),
            kinds=DocumentKind.choices,
        )


class InvoiceAct(OneInvoice, OperatorAct):
    """Approve, issue, send or throw away one invoice."""

    right = May.INVOICES
    VERBS: ClassVar[dict[str, Any]] = {
        "approve": gettext_lazy("Approve"),
        "issue": gettext_lazy("Issue"),
        "send": gettext_lazy("Send"),
        "discard": gettext_lazy("Throw away"),
    }
    MEANS: ClassVar[dict[str, Any]] = {
        "approve": gettext_lazy("It may then be issued."),
        "issue": gettext_lazy("It gets the next number and is frozen for ever. A mistake is then a credit note."),
        "send": gettext_lazy("The mail goes to the buyer's address for bills, with a copy to you."),
        "discard": gettext_lazy("The draft is gone; what it billed is unbilled again."),
    }

    @property
    def deed(self) -> str:
        deed: str = self.kwargs["deed"]
        if deed not in self.VERBS:
            raise NotFound("no_deed", _("There is no such page."))
        return deed

    @property
    def verb(self) -> str:  # type: ignore[override]
        return str(self.VERBS[self.deed])

    @property
    def danger(self) -> bool:  # type: ignore[override]
        return self.deed == "discard"

    def question(self) -> str:
        what = self.own().number or _("the draft for %s") % self.own().buyer.name
        return _("%(verb)s %(what)s?") % {"verb": self.verb, "what": what}

    def consequence(self) -> str:
        return str(self.MEANS[self.deed])

    def back(self) -> str:
        return reverse("operator:invoice", args=[self.kwargs["invoice"]])

    def act(self) -> HttpResponse:
        invoice = self.own()
        if self.deed == "discard":
            if invoice.is_issued:
                raise Conflict("issued", _("It is issued, and stays for ever."))
            discard(invoice)
            return self.go("invoices", said=_("The draft is gone."))
        DEEDS[self.deed](invoice, self.viewer.actor)
        return self.go("invoice", invoice.pk, said=_("%s: done.") % self.verb)


class InvoiceDocument(OneInvoice, OperatorView):
    """PDF, DOCX or CSV of an issued invoice; made now where the worker has not come to it yet."""

    def get(self, request: HttpRequest, kind: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if kind not in DocumentKind.values:
            raise NotFound("no_kind", _("There is no such page."))
        found = {document.kind: document for document in documents.render(self.invoice)}[kind]
        inline = kind == DocumentKind.PDF and "view" in request.GET
        path = documents.path_of(found)
        return FileResponse(path.open("rb"), as_attachment=not inline, filename=found.filename)


class Outbox(InvoicesView):
    template_name = "operator/outbox.html"
    right = May.INVOICES

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(
            tabs=self.tabs(),
            page=page_of(invoices.outbox(self.viewer), request.GET),
            may=self.viewer.may(May.INVOICES),
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = _uuid(request.POST.get("mail", ""))
        if key is None:
            raise NotFound("no_mail", _("There is no such mail here."))
        send_again(invoices.mail_by_id(self.viewer, key))
        return self.go("outbox", said=_("It is queued again."))
