"""Exchange rates by API: everybody reads them, the operator enters them or sends a bank's file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rating.exchange.file import MOST_BYTES, too_large
from rating.selectors import exchange
from rating.services.exchange import set_exchange_rate
from rating.services.exchange_files import KEEP, REPLACE, RatesAsked, import_rates
from tiers.errors import Conflict, Forbidden, NotFound
from tiers.models import Kind
from tiers.rest import AmountField, ViewerViewSet, extend_schema
from tiers.roles import May


class RateOut(serializers.Serializer[Any]):
    base = serializers.CharField()
    quote = serializers.CharField()
    rate = AmountField(8)
    valid_from = serializers.DateTimeField()
    origin = serializers.CharField()


class RateIn(serializers.Serializer[Any]):
    base = serializers.CharField(max_length=3)
    quote = serializers.CharField(max_length=3)
    rate = AmountField(8)
    valid_from = serializers.DateTimeField(required=False, help_text="From now on, if left away.")
    replace = serializers.BooleanField(default=False, help_text="Even one by which calls were rated.")


class FileIn(serializers.Serializer[Any]):
    file = serializers.FileField()
    since = serializers.DateField(required=False, help_text="Leave older days of a history away.")
    changed = serializers.ChoiceField(choices=[KEEP, REPLACE], required=False)
    dry_run = serializers.BooleanField(default=False)


class HoldsOut(serializers.Serializer[Any]):
    """The rate between two currencies at a moment; `through`: the third currency that stands between them."""

    base = serializers.CharField()
    quote = serializers.CharField()
    rate = AmountField(8)
    since = serializers.DateTimeField()
    through = serializers.CharField()


PAIR = [OpenApiParameter("base", str), OpenApiParameter("quote", str)]


class ExchangeRateViewSet(mixins.ListModelMixin, ViewerViewSet):
    """1 `base` = `rate` `quote`, each from a moment on; the installation's own."""

    serializer_class = RateOut
    right = May.PRICES

    def get_queryset(self) -> Any:
        asked = self.request.query_params if not self.is_schema else {}
        return exchange.rows(asked.get("base", ""), asked.get("quote", ""))

    @extend_schema(parameters=PAIR)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=RateIn, responses=RateOut)
    def create(self, request: Request) -> Response:
        self._operator_only()
        given = self.checked(RateIn)
        row, made = set_exchange_rate(
            given["base"],
            given["quote"],
            given["rate"],
            actor=self.viewer.actor,
            valid_from=given.get("valid_from"),
            replace=given["replace"],
        )
        return Response(RateOut(row).data, status.HTTP_201_CREATED if made else status.HTTP_200_OK)

    @extend_schema(
        parameters=[
            OpenApiParameter("base", str, required=True),
            OpenApiParameter("quote", str, required=True),
            OpenApiParameter("at", datetime),
        ],
        responses=HoldsOut,
    )
    @action(detail=False, methods=["get"])
    def holds(self, request: Request) -> Response:
        """Which rate holds between two currencies, directly or through a third, now or at a moment."""
        asked = request.query_params
        moment = serializers.DateTimeField().to_internal_value(asked["at"]) if "at" in asked else timezone.now()
        said = exchange.Exchange(moment).said(asked.get("base", ""), asked.get("quote", ""))
        if said is None:
            raise NotFound("no_rate", _("There is no exchange rate between these currencies."), where="base")
        return Response(HoldsOut(said).data)

    @extend_schema(request={"multipart/form-data": FileIn}, responses={200: serializers.DictField()})
    @action(detail=False, methods=["post"], url_path="import")
    def import_file(self, request: Request) -> Response:
        """The European Central Bank's file, as XML, CSV or ZIP. 409 where `changed` must say keep or replace."""
        self._operator_only()
        given = self.checked(FileIn)
        if given["file"].size > MOST_BYTES:
            raise too_large()
        try:
            result = import_rates(
                given["file"].read(),
                actor=self.viewer.actor,
                since=given.get("since"),
                differing=given.get("changed", ""),
                dry_run=given["dry_run"],
            )
        except RatesAsked as asked:
            raise Conflict("question", asked.text, where=asked.key, hint=" | ".join(asked.options)) from asked
        return Response(result.to_json())

    def _operator_only(self) -> None:
        if self.viewer.party.kind != Kind.OPERATOR:
            raise Forbidden("operator_only", _("Exchange rates are the operator's to enter."))
