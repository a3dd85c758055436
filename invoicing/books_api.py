"""The accountant's exports, by API: a file of a period, balances as rows, and the seller's chart of accounts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.books.asked import Asked
from invoicing.books.files import CSV_TYPE, XLSX_TYPE, Export, Format, book_file
from invoicing.books.journal import balances
from invoicing.models import Position
from invoicing.selectors import books
from invoicing.services.chart import set_code
from tiers.rest import AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May


class BooksIn(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    brand = CodeField(required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)


class BalanceOut(serializers.Serializer[Any]):
    """Credits less debits: what a customer has with you is above zero, what it owes is below."""

    account = serializers.CharField(source="entry.code")
    name = serializers.CharField(source="entry.name")
    party = serializers.CharField(source="entry.party_code", help_text="Customer or carrier, where it is one's own.")
    opening = AmountField()
    debit = AmountField()
    credit = AmountField()
    closing = AmountField()


class ChartIn(serializers.Serializer[Any]):
    position = serializers.ChoiceField(choices=Position.choices)
    of = serializers.CharField(max_length=32, required=False, allow_blank=True, default="", help_text="One customer.")
    code = serializers.CharField(max_length=20, allow_blank=True, help_text="Empty: the default again.")


class ChartOut(serializers.Serializer[Any]):
    position = serializers.CharField()
    of = serializers.CharField()
    code = serializers.CharField()


ASKED = [
    OpenApiParameter("since", date, required=True, description="First day, in the time zone of the brand."),
    OpenApiParameter("until", date, required=True, description="Last day."),
    OpenApiParameter("brand", str, description="Your first brand unless said; it gives zone and currency."),
    OpenApiParameter("currency", str),
]


class BooksViewSet(ViewerViewSet):
    """Your own books for your accountant; nobody else's, above or below. For roles that may move money."""

    serializer_class = BooksIn
    right = May.MONEY

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.viewer.require(May.MONEY)

    @extend_schema(parameters=ASKED, responses=BalanceOut(many=True))
    def list(self, request: Request) -> Response:
        return Response(BalanceOut(balances(self._asked(request)), many=True).data)

    @extend_schema(parameters=ASKED, responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(
        detail=False,
        methods=["get"],
        url_path=f"(?P<export>{'|'.join(Export)})/(?P<kind>{'|'.join(Format)})",
        url_name="file",
    )
    def file(self, request: Request, export: str, kind: str) -> FileResponse:
        made, name = book_file(self._asked(request), export, kind)
        media = CSV_TYPE if kind == Format.CSV else XLSX_TYPE
        return FileResponse(made, content_type=media, as_attachment=True, filename=name)

    @extend_schema(methods=["get"], responses=ChartOut(many=True))
    @extend_schema(methods=["put"], request=ChartIn, responses=ChartOut(many=True))
    @action(detail=False, methods=["get", "put"])
    def chart(self, request: Request) -> Response:
        if request.method == "PUT":
            set_code(self.viewer.party, actor=self.viewer.actor, **self.checked(ChartIn))
        return Response(ChartOut(books.codes(self.viewer), many=True).data)

    def _asked(self, request: Request) -> Asked:
        given = BooksIn(data=request.query_params)
        given.is_valid(raise_exception=True)
        days = given.validated_data
        brand = books.brand_of(self.viewer, days.get("brand", ""))
        return books.own_books(self.viewer, brand, days["since"], days["until"], days.get("currency", ""))
