"""What is owed, by API: the month's run, invoices through their life, documents, payments matched."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.http import FileResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import MoveIn, TransferOut
from accounts.services.funds import Move
from invoicing.models import DocumentKind, Invoice, InvoiceKind, InvoiceStatus
from invoicing.selectors import invoices as bills
from invoicing.services import documents, issuing, mailing
from invoicing.services.crediting import LONGEST_REASON, credit
from invoicing.services.drafts import run
from invoicing.services.payments import record_payment
from tiers.errors import Forbidden, NotFound
from tiers.models import Party
from tiers.rest import KEYED, AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people


class InvoiceOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=InvoiceKind.choices)
    status = serializers.ChoiceField(choices=InvoiceStatus.choices)
    seller = serializers.CharField(source="seller.code")
    customer = serializers.CharField(source="buyer.code")
    currency = serializers.CharField()
    month = serializers.DateField()
    calls = serializers.IntegerField()
    duration_s = serializers.IntegerField()
    net = AmountField()
    tax = AmountField()
    total = AmountField()
    due = AmountField()
    issue_date = serializers.DateField()
    due_date = serializers.DateField()
    corrects = serializers.CharField(
        source="corrects.number", default=None, allow_null=True, help_text="A credit note's: the bill's number."
    )
    reason = serializers.CharField()


class CreditLineIn(serializers.Serializer[Any]):
    position = serializers.IntegerField(min_value=1, help_text="Of the bill's lines, from 1 on.")
    amount = AmountField(required=False, allow_null=True, help_text="Without tax; all that is left of it if missing.")


class CreditIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=LONGEST_REASON)
    lines = CreditLineIn(many=True, required=False, help_text="All that is left of the bill if missing.")


class RunIn(serializers.Serializer[Any]):
    seller = CodeField(required=False, help_text="Your own party by default.")
    period = serializers.RegexField(r"^\d{4}-(0[1-9]|1[0-2])$", help_text="The month, such as 2026-10.")
    early = serializers.BooleanField(default=False)


class RunOut(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    skipped = serializers.IntegerField()
    invoices = InvoiceOut(many=True)


class InvoiceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Invoices made by the viewer's party and below, and those it received; newest first."""

    serializer_class = InvoiceOut
    right = May.INVOICES

    def get_queryset(self) -> Any:
        if self.is_schema:
            return Invoice.visible.all()
        found, asked = bills.invoices(self.viewer), self.request.query_params
        for name, lookup in (("customer", "buyer__code"), ("seller", "seller__code"), ("status", "status")):
            if name in asked:
                found = found.filter(**{lookup: asked[name]})
        return found

    def get_object(self) -> Invoice:
        return bills.invoice_by_id(self.viewer, self.kwargs["pk"])

    @extend_schema(request=RunIn, responses=RunOut)
    @action(detail=False, methods=["post"], url_path="run")
    def run_month(self, request: Request) -> Response:
        given = self.checked(RunIn)
        seller: Party = people.party_by_code(self.viewer, given.get("seller", self.viewer.party.code))
        month = date.fromisoformat(f"{given['period']}-01")
        done = run(seller, month, actor=self.viewer.actor, early=given["early"])
        return Response(RunOut(done).data)

    @extend_schema(request=None, responses=InvoiceOut)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        return Response(InvoiceOut(issuing.approve(self._mine(), actor=self.viewer.actor)).data)

    @extend_schema(request=None, responses=InvoiceOut)
    @action(detail=True, methods=["post"])
    def issue(self, request: Request, pk: str) -> Response:
        return Response(InvoiceOut(issuing.issue(self._mine(), actor=self.viewer.actor)).data)

    @extend_schema(request=None, responses={202: InvoiceOut})
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str) -> Response:
        invoice = self._mine()
        mailing.send(invoice)
        return Response(InvoiceOut(self.get_object()).data, status.HTTP_202_ACCEPTED)

    @extend_schema(request=CreditIn, responses={201: InvoiceOut}, parameters=[KEYED])
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, pk: str) -> Response:
        """A credit note over all that is left of the bill, or over these lines of it."""
        invoice = self._mine()
        key = self.idempotency_key()
        given = self.checked(CreditIn)
        lines = _lines_of(invoice, given["lines"]) if "lines" in given else None
        note = credit(invoice, lines, reason=given["reason"], actor=self.viewer.actor, key=key)
        return Response(InvoiceOut(note).data, status.HTTP_201_CREATED)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], url_path=r"documents/(?P<kind>pdf|docx|csv)")
    def document(self, request: Request, pk: str, kind: str) -> FileResponse:
        invoice = self.get_object()
        standing = bills.documents_of(self.viewer, invoice).get(DocumentKind(kind))
        if standing is None:
            raise NotFound("no_document", _("This document is not made yet."), hint=_("Issue the invoice first."))
        return FileResponse(documents.path_of(standing).open("rb"), as_attachment=True, filename=standing.filename)

    def _mine(self) -> Invoice:
        """An invoice that the viewer's part of the tree makes: what it received is not its to approve."""
        invoice = self.get_object()
        if not invoice.seller.is_at_or_below(self.viewer.party):
            raise Forbidden("not_seller", _("This invoice was made for you; its seller decides about it."))
        return invoice


def _lines_of(invoice: Invoice, given: list[dict[str, Any]]) -> dict[int, Decimal | None]:
    """By a line's id what is asked of it. A position that the bill has not is no line's id: the service refuses it."""
    known = {line.position: line.pk for line in invoice.lines.all()}
    return {known.get(one["position"], 0): one.get("amount") for one in given}


class PaymentIn(MoveIn):
    received_on = serializers.DateField()
    method = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    reference = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")


class PaymentViewSet(ViewerViewSet):
    """Payments that reached you. Each pays the oldest open invoices; sent twice with one key, it is recorded once."""

    serializer_class = PaymentIn
    right = May.MONEY

    @extend_schema(request=PaymentIn, responses={201: TransferOut}, parameters=[KEYED])
    def create(self, request: Request) -> Response:
        key = self.idempotency_key()
        given = self.checked(PaymentIn)
        buyer = people.party_by_code(self.viewer, given["party"])
        move = Move(given["amount"], given["currency"], key, self.viewer.actor, given["reason"])
        details = {name: given[name] for name in ("received_on", "method", "reference")}
        made = record_payment(self.viewer.party, buyer, move, **details)
        return Response(TransferOut(made).data, status.HTTP_201_CREATED)
