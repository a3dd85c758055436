"""Invoices: the ones the dealer sends to its buyers, from the month's run to the mail, and the ones it received."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from kombu.exceptions import OperationalError

from billing.formatting import month_text
from billing.portals.customer.home import back as months_back
from billing.portals.dealer.base import DealerAct, DealerForm, DealerView
from billing.portals.dealer.customers import direct_buyers
from billing.portals.filters import Filters
from billing.portals.keyset import page_of
from billing.portals.own.bank.base import invoice_tabs
from billing.portals.own.papers import paper, received_invoice
from billing.portals.tabs import Tab
from invoicing.models import Invoice, InvoiceStatus, MailStatus
from invoicing.selectors import invoices
from invoicing.services import documents, drafts, issuing, mailing
from invoicing.tasks import run_month
from tiers.errors import Conflict, NotFound
from tiers.models import Party
from tiers.roles import May

MONTHS = 12


class InvoiceView(DealerView):
    def tabs(self) -> list[Tab]:
        return invoice_tabs(self.request, self.kind)


class InvoiceFilters(Filters):
    noun = gettext_lazy("Invoices")
    phrases: ClassVar[dict[str, Any]] = {
        "buyer": gettext_lazy("to %s"),
        "month": gettext_lazy("for %s"),
        "status": "%s",
    }

    buyer = forms.ModelChoiceField(label=gettext_lazy("Customer"), queryset=Party.visible.none(), to_field_name="code")
    month = forms.ChoiceField(label=gettext_lazy("Month"))
    status = forms.ChoiceField(label=gettext_lazy("State"), choices=[("", "—"), *InvoiceStatus.choices])

    def __init__(self, request: HttpRequest, viewer: Any) -> None:
        self.viewer = viewer
        super().__init__(request)

    def full_clean(self) -> None:
        buyer, month = self.fields["buyer"], self.fields["month"]
        assert isinstance(buyer, forms.ModelChoiceField)
        assert isinstance(month, forms.ChoiceField)
        buyer.queryset = direct_buyers(self.viewer)
        month.choices = [("", "—"), *month_choices()]
        super().full_clean()


def month_choices() -> list[tuple[str, str]]:
    """The months that may be billed, the newest first."""
    first = timezone.localdate().replace(day=1)
    return [(f"{one:%Y-%m}", month_text(one)) for one in (months_back(first, at) for at in range(1, MONTHS + 1))]


class Invoices(InvoiceView):
    template_name = "dealer/invoices.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = InvoiceFilters(request, self.viewer)
        found = invoices.made_by(self.viewer)
        for name in ("buyer", "status"):
            if (value := filters.value(name)) is not None:
                found = found.filter(**{name: value})
        if (month := filters.value("month")) is not None:
            found = found.filter(month=date.fromisoformat(f"{month}-01"))
        waiting = found.filter(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.APPROVED]).count()
        return self.page(
            tabs=self.tabs(),
            filters=filters,
            page=page_of(found, request.GET),
            sums=invoices.sums(found),
            waiting=waiting,
            month=month,
            may_bill=self.viewer.may(May.INVOICES),
        )


class Received(InvoiceView):
    template_name = "dealer/received.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = invoices.received_by(self.viewer)
        return self.page(tabs=self.tabs(), page=page_of(found, request.GET), sums=invoices.sums(found))


class ReceivedPage(DealerView):
    template_name = "dealer/received_one.html"

    def get(self, request: HttpRequest, invoice: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = received_invoice(self.viewer, invoice)
        return self.page(
            invoice=found,
            lines=found.lines.all(),
            documents=invoices.documents_of(self.viewer, found),
            notes=list(invoices.credit_notes(self.viewer, found)[:50]),
            original=invoices.corrected_by(self.viewer, found),
        )


class RunForm(forms.Form):
    month = forms.ChoiceField(label=gettext_lazy("Month"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["month"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = month_choices()


class RunMonth(DealerForm):
    """Drafts for everybody who called and is not billed yet. Nothing leaves the house by it."""

    form_class = RunForm
    right = May.INVOICES
    heading = gettext_lazy("Run a month")
    verb = gettext_lazy("Make drafts")
    lead = gettext_lazy("A draft for each buyer, of what is not billed yet. Run again, nothing is added twice.")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("dealer:invoices")

    def save(self, form: Any) -> HttpResponse:
        month = form.cleaned_data["month"]
        result = drafts.run(self.viewer.party, date.fromisoformat(f"{month}-01"), actor=self.viewer.actor)
        said = _("%(made)d drafts are made, %(skipped)d buyers had nothing new to bill.") % {
            "made": result.created,
            "skipped": result.skipped,
        }
        return self.go("invoices", said=said)


class OneInvoice:
    """Mix-in: a bill of the viewer's own party, or 404."""

    viewer: Any
    kwargs: dict[str, Any]

    @cached_property
    def invoice(self) -> Invoice:
        found = invoices.made_by(self.viewer).filter(pk=self.kwargs["invoice"]).first()
        if found is None:
            raise NotFound("no_invoice", _("There is no such invoice here."))
        return found

    @property
    def invoice_url(self) -> str:
        return reverse("dealer:invoice", args=[self.kwargs["invoice"]])


class InvoicePage(OneInvoice, DealerView):
    template_name = "dealer/invoice.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        invoice = self.invoice
        mails = list(invoices.mails_of(self.viewer, invoice)[:5])
        return self.page(
            invoice=invoice,
            lines=invoice.lines.all(),
            notes=list(invoices.credit_notes(self.viewer, invoice)[:50]),
            original=invoices.corrected_by(self.viewer, invoice),
            documents=invoices.documents_of(self.viewer, invoice),
            mails=mails,
            failed=next((mail for mail in mails if mail.status == MailStatus.FAILED), None),
            may_bill=self.viewer.may(May.INVOICES),
        )


class Download(DealerView):
    """A paper of a bill that the dealer made or received."""

    def get(self, request: HttpRequest, invoice: UUID, kind: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        mine = invoices.made_by(self.viewer).filter(pk=invoice).first()
        return paper(self.viewer, mine or received_invoice(self.viewer, invoice), kind)


class InvoiceAct(OneInvoice, DealerAct):
    right = May.INVOICES

    def back(self) -> str:
        return self.invoice_url


class Approve(InvoiceAct):
    verb = gettext_lazy("Approve")

    def question(self) -> str:
        return _("Approve the bill for %s?") % self.invoice.buyer.name

    def consequence(self) -> str:
        return _("It may be issued then. Nothing is sent yet.")

    def act(self) -> HttpResponse:
        issuing.approve(self.invoice, actor=self.viewer.actor)
        return self.go("invoice", self.invoice.pk, said=_("Approved."))


class Issue(InvoiceAct):
    verb = gettext_lazy("Issue")

    def question(self) -> str:
        return _("Issue the bill for %s?") % self.invoice.buyer.name

    def consequence(self) -> str:
        return _("It gets the next number and stays as it is for ever. A mistake is corrected by a credit note.")

    def act(self) -> HttpResponse:
        issued = issuing.issue(self.invoice, actor=self.viewer.actor)
        documents.render(issued)
        return self.go("invoice", issued.pk, said=_("Issued as %s.") % issued.number)


class Send(InvoiceAct):
    verb = gettext_lazy("Send")

    def question(self) -> str:
        return _("Send the bill to %s?") % (self.invoice.buyer.email or self.invoice.buyer.name)

    def consequence(self) -> str:
        return _("A mail with the papers goes out, with a copy to you.")

    def act(self) -> HttpResponse:
        mail = mailing.send(self.invoice)
        if mail.status == MailStatus.FAILED:
            mailing.send_again(mail)
        return self.go("invoice", self.invoice.pk, said=_("It is in the outbox and goes out within a minute."))


class Discard(InvoiceAct):
    verb = gettext_lazy("Throw away")
    danger = True

    def question(self) -> str:
        return _("Throw the draft for %s away?") % self.invoice.buyer.name

    def consequence(self) -> str:
        return _("What it bills is unbilled again; the next run makes a new draft of it.")

    def act(self) -> HttpResponse:
        if self.invoice.is_issued:
            raise Conflict("issued", _("It is issued and stays."))
        drafts.discard(self.invoice)
        return self.go("invoices", said=_("Thrown away."))


class SendMonth(DealerAct):
    """Approve, issue and send all drafts of a month, by a worker."""

    right = May.INVOICES
    verb = gettext_lazy("Approve, issue and send all")

    @property
    def month(self) -> date:
        text: str = self.kwargs["month"]
        known = dict(month_choices())
        if text not in known:
            raise NotFound("no_month", _("There is no such month here."))
        return date.fromisoformat(f"{text}-01")

    def question(self) -> str:
        return _("Approve, issue and send all bills of %s?") % month_text(self.month)

    def consequence(self) -> str:
        waiting = invoices.made_by(self.viewer).filter(
            month=self.month, status__in=[InvoiceStatus.DRAFT, InvoiceStatus.APPROVED]
        )
        return _("%d bills get a number and go out by mail. This cannot be undone.") % waiting.count()

    def back(self) -> str:
        return f"{reverse('dealer:invoices')}?month={self.kwargs['month']}"

    def act(self) -> HttpResponse:
        actor = self.viewer.actor
        member = str(actor.member_id) if actor.member_id else None
        steps = {"approve": True, "issue": True, "send": True}
        try:
            run_month.delay(str(self.viewer.party.pk), self.month.isoformat(), steps, actor.label, member)
        except OperationalError as error:
            raise Conflict("no_worker", _("The worker cannot be reached."), hint=_("Try again in a minute.")) from error
        return self.go("invoices", said=_("They are going out. Look again in a minute."))
