"""The bank by API: files in, entries as they stand, what is given to a customer, set aside or taken back; ageing."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.bank.entry import MOST_BYTES
from invoicing.models import BankEntry, EntryStatus
from invoicing.selectors import ageing, bank
from invoicing.services.bank_files import import_bank
from invoicing.services.bank_matching import book, invoices_named, set_aside, undo
from invoicing.services.periods import today_in
from tiers.errors import Invalid
from tiers.rest import AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people


class EntryOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=EntryStatus.choices)
    reversal = serializers.BooleanField()
    value_date = serializers.DateField()
    amount = AmountField()
    currency = serializers.CharField()
    payer = serializers.CharField()
    text = serializers.CharField()
    bank_reference = serializers.CharField()
    account = serializers.CharField()
    reason = serializers.CharField()
    transfer = serializers.UUIDField(source="transfer_id", allow_null=True)


class BankFileIn(serializers.Serializer[Any]):
    file = serializers.FileField()
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False, default="", help_text="Of a CSV without it.")
    mapping = serializers.DictField(
        child=serializers.CharField(max_length=60),
        required=False,
        default=dict,
        help_text="Our name to the head.",
    )


class BankFileOut(serializers.Serializer[Any]):
    file = serializers.UUIDField(source="file.pk")
    fresh = serializers.IntegerField()
    known = serializers.IntegerField()
    booked = serializers.IntegerField()
    waiting = serializers.IntegerField()
    debits = serializers.IntegerField()


class BookIn(serializers.Serializer[Any]):
    customer = CodeField(required=False, help_text="Needed where no invoice is named.")
    invoices = serializers.CharField(max_length=500, required=False, default="", help_text="Numbers, in their order.")


class ReasonIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class BankEntryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Entries on your bank account. A file told twice books nothing twice, so sending it again is safe."""

    serializer_class = EntryOut
    right = May.MONEY
    parser_classes = (JSONParser, MultiPartParser)

    def get_queryset(self) -> Any:
        if self.is_schema:
            return BankEntry.visible.all()
        rows = bank.entries(self.viewer)
        asked = self.request.query_params.get("status")
        return rows.filter(status=asked) if asked else rows

    def get_object(self) -> BankEntry:
        return bank.entry_by_id(self.viewer, self.kwargs["pk"])

    @extend_schema(request={"multipart/form-data": BankFileIn}, responses={201: BankFileOut})
    @action(detail=False, methods=["post"])
    def upload(self, request: Request) -> Response:
        given = self.checked(BankFileIn)
        file = given["file"]
        content = file.read(MOST_BYTES + 1)
        options = {"mapping": given["mapping"], "currency": given["currency"]}
        done = import_bank(self.viewer.party, file.name, content, actor=self.viewer.actor, **options)
        return Response(BankFileOut(done).data, status.HTTP_201_CREATED)

    @extend_schema(request=BookIn, responses=EntryOut)
    @action(detail=True, methods=["post"])
    def book(self, request: Request, pk: str) -> Response:
        entry, given = self.get_object(), self.checked(BookIn)
        named = invoices_named(self.viewer.party, given["invoices"])
        if given["invoices"].strip() and not named:
            raise Invalid("invoice", _("No open or paid invoice of yours has this number."), where="invoices")
        if "customer" in given:
            buyer = people.party_by_code(self.viewer, given["customer"])
        elif named:
            buyer = named[0].buyer
        else:
            raise Invalid("buyer", _("Say whose payment this is."), where="customer")
        return self._said(book(entry.pk, buyer, named, actor=self.viewer.actor))

    @extend_schema(request=ReasonIn, responses=EntryOut)
    @action(detail=True, methods=["post"])
    def aside(self, request: Request, pk: str) -> Response:
        entry = self.get_object()
        return self._said(set_aside(entry.pk, actor=self.viewer.actor, reason=self.checked(ReasonIn)["reason"]))

    @extend_schema(request=ReasonIn, responses=EntryOut)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        entry = self.get_object()
        return self._said(undo(entry.pk, actor=self.viewer.actor, reason=self.checked(ReasonIn)["reason"]))

    def _said(self, entry: BankEntry) -> Response:
        return Response(EntryOut(entry).data)


class AgedOut(serializers.Serializer[Any]):
    customer = serializers.CharField(source="code")
    currency = serializers.CharField()
    current = AmountField(source="bands.current")
    days_1_30 = AmountField(source="bands.days_1_30")
    days_31_60 = AmountField(source="bands.days_31_60")
    days_61_90 = AmountField(source="bands.days_61_90")
    days_over_90 = AmountField(source="bands.days_over_90")
    total = AmountField()


class AgeingViewSet(ViewerViewSet):
    """What each customer owes you, by days past the date to pay by; the sums are those of the open invoices."""

    serializer_class = AgedOut
    pagination_class = None

    @extend_schema(responses=AgedOut(many=True))
    def list(self, request: Request) -> Response:
        brand = people.own_brands(self.viewer).first()
        today: date = today_in(brand.time_zone if brand is not None else "UTC")
        return Response(AgedOut(ageing.aged(self.viewer, today), many=True).data)
