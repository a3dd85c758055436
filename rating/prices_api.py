"""Rate tables and price lists by API, with their prices in any currency that an exchange rate leads to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rating.models import PriceList, RateTable
from rating.pricing.current import current_engine
from rating.selectors import prices
from rating.selectors.listing import MOST_ROWS, PAGE_ROWS, list_prices
from rating.selectors.shown_in import ShownIn, shown_in
from tiers.rest import AmountField, ViewerViewSet, extend_schema


class TableOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    owner = serializers.CharField(source="owner.code")
    currency = serializers.CharField()
    decimals = serializers.IntegerField()
    rounding = serializers.CharField()
    time_zone = serializers.CharField()
    changed_at = serializers.DateTimeField()


class RateOut(serializers.Serializer[Any]):
    prefix = serializers.CharField()
    destination = serializers.CharField()
    price = AmountField(8)
    connect_fee = AmountField(8)
    first_s = serializers.IntegerField()
    step_s = serializers.IntegerField()
    grace_s = serializers.IntegerField()
    free_s = serializers.IntegerField()
    min_charge = AmountField(8)
    blocked = serializers.BooleanField()
    effective_from = serializers.DateTimeField()
    effective_to = serializers.DateTimeField()


PRICED = ("price", "connect_fee", "min_charge")
SHOWN = [
    OpenApiParameter("search", str, description="A prefix, or part of a destination."),
    OpenApiParameter("in", str, description="A currency to show the prices in; `at_rate` states at which rate."),
]


class TableViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Rate tables of the viewer's party and of sellers below."""

    ordering = "code"
    serializer_class = TableOut
    lookup_field = "code"

    def get_queryset(self) -> Any:
        return RateTable.visible.all() if self.is_schema else prices.tables(self.viewer)

    def get_object(self) -> RateTable:
        return prices.table_by_code(self.viewer, self.kwargs["code"])

    @extend_schema(responses=RateOut(many=True), parameters=SHOWN)
    @action(detail=True, methods=["get"])
    def rates(self, request: Request, code: str) -> Response:
        """Rates in force now; `in` another currency they carry `currency` and `at_rate`."""
        asked, table, now = request.query_params, self.get_object(), timezone.now()
        shown = shown_in(table.currency, asked.get("in", ""), now)
        self.ordering = "id"
        page = self.paginate_queryset(prices.rates(table, at=now, text=asked.get("search", "")))
        lines = RateOut(page, many=True).data
        if shown.said is not None:
            for row, line in zip(page or [], lines, strict=True):
                line |= {"currency": shown.currency, "at_rate": shown.plainly}
                line |= {
                    name: f"{shown.price(getattr(row, name)):f}" for name in ("price", "connect_fee", "min_charge")
                }
        return self.get_paginated_response(lines)


class ListOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    seller = serializers.CharField(source="seller.code")
    brand = serializers.CharField(source="brand.code")
    buyer = serializers.CharField(source="buyer.code", default=None)
    carrier = serializers.CharField(source="carrier.code", default=None)
    currency = serializers.CharField()
    decimals = serializers.IntegerField()
    active = serializers.BooleanField()


class ListPricesOut(serializers.Serializer[Any]):
    """Prices of a list, a minute in `currency`; `at_rate` is stated where that is not the list's own."""

    currency = serializers.CharField()
    at_rate = serializers.CharField()
    next = serializers.CharField()
    results = serializers.ListField(child=serializers.DictField())


class ListViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Price lists of the viewer's party and of sellers below."""

    ordering = "code"
    serializer_class = ListOut
    lookup_field = "code"

    def get_queryset(self) -> Any:
        return PriceList.visible.all() if self.is_schema else prices.lists(self.viewer)

    def get_object(self) -> PriceList:
        return prices.list_by_code(self.viewer, self.kwargs["code"])

    @extend_schema(
        responses=ListPricesOut, parameters=[*SHOWN, OpenApiParameter("at", datetime), OpenApiParameter("after", str)]
    )
    @action(detail=True, methods=["get"])
    def prices(self, request: Request, code: str) -> Response:
        """What the list charges now, or `at` a moment, by prefix; `next` is the `after` of the next page."""
        asked, found = request.query_params, self.get_object()
        now = moment_of(asked.get("at"), "at") or timezone.now()
        size = asked.get("page_size", "")
        shown = shown_in(found.currency, asked.get("in", ""), now)
        rows, following = list_prices(
            found,
            current_engine(),
            now,
            text=asked.get("search", ""),
            after=asked.get("after", ""),
            size=min(max(int(size), 1), MOST_ROWS) if size.isdigit() else PAGE_ROWS,
        )
        lines = [_price(one.row, shown) for one in rows]
        return Response({"currency": shown.currency, "at_rate": shown.plainly, "next": following, "results": lines})


def moment_of(text: str | None, where: str) -> datetime | None:
    """A moment in a query. Raises DRF's ValidationError."""
    if not text:
        return None
    try:
        moment: datetime = serializers.DateTimeField().to_internal_value(text)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({where: error.detail}) from error
    return moment


def _price(row: Any, shown: ShownIn) -> dict[str, Any]:
    amount = AmountField(8).to_representation
    return {
        "prefix": row.prefix,
        "destination": row.destination,
        **{name: amount(shown.price(getattr(row, name))) for name in PRICED},
        **{name: getattr(row, name) for name in ("first_s", "step_s", "grace_s", "free_s", "blocked")},
        "varies": bool(row.steps or row.bands),
    }
