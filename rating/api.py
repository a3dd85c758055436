"""What it costs, by API: carriers and the choice among them, tables, lists, sources, usage, calls, quotes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rating.models import Done, ImportStatus, RatedCall, Source, UsageImport
from rating.pricing import Engine
from rating.pricing.current import current_engine
from rating.selectors import calls, corrections, explanations, prices, usage
from rating.services.quote import Question, as_json, quote
from rating.services.receiving import receive_all
from rating.tasks import work_import
from tiers.errors import NotFound
from tiers.rest import AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people


class SourceOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    owner = serializers.CharField(source="owner.code")
    format = serializers.CharField()
    time_zone = serializers.CharField()
    customer = serializers.CharField(source="customer.code", default=None)
    dial_plan = serializers.JSONField()
    mapping = serializers.JSONField(help_text="How its files are read where no format fits; see docs/usage.md.")


class SourceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Switches, PBXs and meters that report usage."""

    ordering = "code"
    serializer_class = SourceOut
    lookup_field = "code"

    def get_queryset(self) -> Any:
        return Source.visible.all() if self.is_schema else usage.sources(self.viewer)

    def get_object(self) -> Source:
        return usage.source_by_code(self.viewer, self.kwargs["code"])


class ImportOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    source = serializers.CharField(source="source.code")  # type: ignore[assignment]
    name = serializers.CharField()
    archive = serializers.CharField(help_text="The archive that the file came in.")
    archive_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ImportStatus.choices)
    lines = serializers.IntegerField()
    error = serializers.JSONField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField()
    counts = serializers.SerializerMethodField()

    def get_counts(self, row: UsageImport) -> dict[str, int]:
        """read = rated + unrated + free + duplicate + quarantined + waiting + joined + reconciled"""
        return dict(self._progress(row)[row.pk].counts)

    def _progress(self, row: UsageImport) -> dict[Any, usage.Progress]:
        """Asked once for a whole page."""
        page = getattr(self.parent, "instance", None)
        if not hasattr(self, "_known"):
            self._known = usage.progress_of(page if isinstance(page, list) else [row])
        return self._known


class ImportIn(serializers.Serializer[Any]):
    source = CodeField()  # type: ignore[assignment]
    file = serializers.FileField()
    format = serializers.CharField(max_length=32, required=False, default="")


class QuarantinedOut(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    field = serializers.CharField()
    code = serializers.CharField()
    reason = serializers.CharField()
    text = serializers.CharField()


class ToldOtherwiseOut(serializers.Serializer[Any]):
    """A live call of which the file says something else than was known; seconds, 0 where nobody answered."""

    line = serializers.IntegerField()
    call_id = serializers.CharField(source="live_call.call_id")
    number = serializers.CharField(source="live_call.number")
    live_s = serializers.IntegerField(help_text="As it was known before.")
    duration_s = serializers.IntegerField(help_text="As the file says.")
    charged_s = serializers.IntegerField(source="live_call.duration_s", help_text="What it is charged for now.")
    overrun_s = serializers.IntegerField(source="live_call.overrun_s", help_text="Beyond that: paid to the carrier.")
    done = serializers.ChoiceField(choices=Done.choices)


class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Usage files on their way in. POST one as multipart; it is worked in the background.

    A zip of several files makes an import of each; the answer is the first, `archive_id` finds the others.
    """

    serializer_class = ImportOut
    right = May.USAGE

    def get_queryset(self) -> Any:
        if self.is_schema:
            return UsageImport.visible.all()
        return usage.imports(self.viewer, archive=self.request.query_params.get("archive_id", ""))

    def get_object(self) -> UsageImport:
        return usage.import_by_id(self.viewer, self.kwargs["pk"])

    @extend_schema(parameters=[OpenApiParameter("archive_id", UUID, description="Files of one archive.")])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request={"multipart/form-data": ImportIn}, responses={202: ImportOut})
    def create(self, request: Request) -> Response:
        given = self.checked(ImportIn)
        source = usage.source_by_code(self.viewer, given["source"])
        file = given["file"]
        made = receive_all(source, file.chunks(), file.name, actor=self.viewer.actor, format=given["format"], once=True)
        for one in made:
            if one.finished_at is None:
                work_import.delay(str(one.pk))
        return Response(ImportOut(made[0]).data, status.HTTP_202_ACCEPTED)

    @extend_schema(responses=QuarantinedOut(many=True))
    @action(detail=True, methods=["get"])
    def quarantine(self, request: Request, pk: str) -> Response:
        found = usage.quarantine(self.viewer, self.get_object())
        page = self.paginate_queryset(found)
        return self.get_paginated_response(QuarantinedOut(page, many=True).data)

    @extend_schema(responses=ToldOtherwiseOut(many=True))
    @action(detail=True, methods=["get"], url_path="told-otherwise")
    def told_otherwise(self, request: Request, pk: str) -> Response:
        found = usage.told_otherwise(self.viewer, self.get_object())
        page = self.paginate_queryset(found)
        return self.get_paginated_response(ToldOtherwiseOut(page, many=True).data)


class CallOut(serializers.Serializer[Any]):
    """A call as sold. Cost is shown to its seller and above, never to its buyer."""

    id = serializers.UUIDField()
    started_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField()
    seller = serializers.CharField(source="seller.code")
    buyer = serializers.CharField(source="buyer.code")
    customer = serializers.CharField(source="customer.code")
    caller = serializers.CharField()
    number = serializers.CharField()
    prefix = serializers.CharField()
    destination = serializers.CharField()
    service_class = serializers.CharField()
    carrier = serializers.CharField(source="carrier.code", default=None)
    duration_s = serializers.IntegerField()
    billed_s = serializers.IntegerField()
    currency = serializers.CharField()
    amount = AmountField(source="sale")
    tax = AmountField()
    cost = serializers.SerializerMethodField()
    cost_currency = serializers.SerializerMethodField()
    corrected = serializers.SerializerMethodField()

    def get_corrected(self, row: RatedCall) -> bool:
        """Whether it was rated again; the amounts are those of now."""
        return row.corrected

    def get_cost(self, row: RatedCall) -> str | None:
        return None if row.cost is None or not self._shown(row) else f"{row.cost:f}"

    def get_cost_currency(self, row: RatedCall) -> str | None:
        return row.cost_currency if self._shown(row) else None

    def _shown(self, row: RatedCall) -> bool:
        return row.seller.is_at_or_below(self.context["view"].viewer.party)


SIDES = OpenApiParameter(
    "side", str, enum=["sold", "bought"], description="Calls your party sold (a seller's default), or was charged for."
)
WHEN = [OpenApiParameter("from", datetime), OpenApiParameter("to", datetime)]


class CallViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Rated calls, newest first."""

    serializer_class = CallOut

    def get_queryset(self) -> Any:
        if self.is_schema:
            return RatedCall.visible.all()
        asked = self.request.query_params
        side = asked.get("side") or ("bought" if self.viewer.party.kind == "customer" else "sold")
        found = calls.bought_calls(self.viewer) if side == "bought" else calls.sold_calls(self.viewer)
        for name, bound in (("from", "id__gte"), ("to", "id__lt")):
            if name in asked:
                found = found.filter(**{bound: calls.id_floor(_moment(asked[name], name))})
        if "customer" in asked:
            found = found.filter(customer=people.party_by_code(self.viewer, asked["customer"]))
        return found.select_related("seller", "buyer", "customer", "carrier")

    def get_object(self) -> RatedCall:
        return calls.rated_call(self.viewer, self.kwargs["pk"])

    def paginate_queryset(self, queryset: Any) -> Any:
        rows = super().paginate_queryset(queryset)
        return rows if rows is None else corrections.as_now(rows)

    @extend_schema(parameters=[SIDES, *WHEN, OpenApiParameter("customer", str)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses={200: serializers.ListField(child=serializers.DictField())})
    @action(detail=True, methods=["get"])
    def explanation(self, request: Request, pk: str) -> Response:
        """How the amount came about, step by step."""
        call = self.get_object()
        sold = call.seller.is_at_or_below(self.viewer.party)
        lines = explanations.sale_lines(call) if sold else explanations.price_lines(call)
        return Response([*lines, *map(explanations.correction_line, corrections.history(self.viewer, call))])


class QuoteIn(serializers.Serializer[Any]):
    customer = CodeField(required=False, help_text="Your own party by default.")
    to = serializers.CharField(max_length=40)
    seconds = serializers.IntegerField(min_value=0)
    at = serializers.DateTimeField(required=False)
    carrier = CodeField(required=False)


class QuoteViewSet(ViewerViewSet):
    """What a call would cost. Nothing is charged."""

    serializer_class = QuoteIn

    @extend_schema(
        parameters=[
            OpenApiParameter("to", str, required=True),
            OpenApiParameter("seconds", int, required=True),
            OpenApiParameter("customer", str),
            OpenApiParameter("at", datetime),
            OpenApiParameter("carrier", str),
        ],
        responses={200: serializers.DictField()},
    )
    def list(self, request: Request) -> Response:
        asked = QuoteIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        customer = people.party_by_code(self.viewer, given.get("customer", self.viewer.party.code))
        carrier = None
        if "carrier" in given:
            carrier = prices.offered_carriers().filter(code=given["carrier"]).values_list("pk", flat=True).first()
            if carrier is None:
                raise NotFound("no_carrier", _("There is no such carrier."), where="carrier")
        engine = current_engine()
        question = Question(customer, given["to"], given["seconds"], given.get("at") or timezone.now(), carrier)
        return Response(visible_quote(as_json(question, quote(question, engine), engine), self.viewer.party, engine))


ORIGIN_RULES = frozenset({"rate", "derivation", "rule"})


def visible_quote(whole: dict[str, Any], party: Any, engine: Engine) -> dict[str, Any]:
    """Of a quote, the tiers at which the viewer's party buys, or somebody at or below it sells."""
    people_by_code = engine.directory.by_code

    def sells(tier: dict[str, Any]) -> bool:
        return bool(people_by_code[tier["seller"]].path.startswith(party.path))

    def shown(tier: dict[str, Any]) -> dict[str, Any]:
        """Where a seller's rate comes from is the seller's own knowledge."""
        lines = [line for line in tier["explanation"] if sells(tier) or line["rule"] not in ORIGIN_RULES]
        return {**tier, "explanation": lines}

    tiers = [shown(tier) for tier in whole["tiers"] if tier["buyer"] == party.code or sells(tier)]
    return {"tiers": tiers, "carrier_cost": whole["carrier_cost"] if party.depth == 1 else None}


def _moment(text: str, where: str) -> datetime:
    field = serializers.DateTimeField()
    try:
        moment: datetime = field.to_internal_value(text)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({where: error.detail}) from error
    return moment
