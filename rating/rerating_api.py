"""Re-rating by API: open a run for a period, read what it would change, post it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rating.models import RerateRun, RerateStatus
from rating.selectors import prices, reratings, usage
from rating.services.rerating import ALL, Selection, accept, open_run
from rating.tasks import work_rerating
from tiers.rest import AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people


class RunIn(serializers.Serializer[Any]):
    """Calls that began from `start` to before `end`. `customer` may be a dealer: all below it."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    reason = serializers.CharField(max_length=300)
    price_list = CodeField(required=False)
    customer = CodeField(required=False)
    from_source = CodeField(required=False)


class RunOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    party = serializers.CharField(source="party.code")
    status = serializers.ChoiceField(choices=RerateStatus.choices)
    start = serializers.DateTimeField(source="period_from")
    end = serializers.DateTimeField(source="period_to")
    reason = serializers.CharField()
    price_list = serializers.CharField(source="price_list.code", default=None)
    customer = serializers.CharField(source="customer.code", default=None)
    from_source = serializers.CharField(source="source.code", default=None)
    percent = serializers.IntegerField(source="share")
    counts = serializers.DictField(child=serializers.IntegerField())
    actor = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField()


class PairOut(serializers.Serializer[Any]):
    """Differences of one pair, without tax, and of the tax; for a carrier `buyer` is null."""

    seller = serializers.CharField()
    buyer = serializers.CharField(allow_null=True)
    carrier = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    calls = serializers.IntegerField()
    more = AmountField()
    less = AmountField()
    tax = AmountField()


class IncreaseOut(serializers.Serializer[Any]):
    """What a prepaid buyer would pay more, with tax; `done` once it was charged."""

    party = serializers.CharField(source="code")
    seller = serializers.CharField()
    currency = serializers.CharField()
    calls = serializers.IntegerField()
    amount = AmountField()
    done = serializers.BooleanField()


class WholeRunOut(RunOut):
    totals = PairOut(many=True)
    increases = IncreaseOut(many=True)
    error = serializers.CharField()


class AcceptIn(serializers.Serializer[Any]):
    """Which prepaid buyers may be charged more: all, or these codes; the others keep their price."""

    accept_all_increases = serializers.BooleanField(default=False)
    accept_increases = serializers.ListField(child=CodeField(), default=list, max_length=10_000)


class RerateViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Past calls priced again. POST compares in the background; `apply` posts the differences."""

    serializer_class = RunOut
    right = May.PRICES

    def get_queryset(self) -> Any:
        return RerateRun.visible.all() if self.is_schema else reratings.runs(self.viewer)

    def get_object(self) -> RerateRun:
        return reratings.run_by_id(self.viewer, self.kwargs["pk"])

    @extend_schema(responses=WholeRunOut)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(WholeRunOut(self.get_object()).data)

    @extend_schema(request=RunIn, responses={202: RunOut})
    def create(self, request: Request) -> Response:
        given, viewer = self.checked(RunIn), self.viewer
        chosen = Selection(
            party=viewer.party,
            start=given["start"],
            end=given["end"],
            reason=given["reason"],
            price_list=prices.list_by_code(viewer, given["price_list"]) if "price_list" in given else None,
            customer=people.party_by_code(viewer, given["customer"]) if "customer" in given else None,
            source=usage.source_by_code(viewer, given["from_source"]) if "from_source" in given else None,
        )
        made = open_run(chosen, actor=viewer.actor)
        transaction.on_commit(lambda: work_rerating.delay(str(made.pk)))
        return Response(RunOut(made).data, status.HTTP_202_ACCEPTED)

    @extend_schema(request=AcceptIn, responses={202: RunOut})
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, pk: str) -> Response:
        """Say yes: the differences are posted in the background. The same again changes nothing."""
        run = self.get_object()
        self.viewer.require(May.MONEY)
        given = self.checked(AcceptIn)
        wanted = set(given["accept_increases"])
        buyers = [UUID(one.party) for one in reratings.increases(run) if one.code in wanted]
        made = accept(run, actor=self.viewer.actor, increases=ALL if given["accept_all_increases"] else buyers)
        transaction.on_commit(lambda: work_rerating.delay(str(made.pk)))
        return Response(RunOut(made).data, status.HTTP_202_ACCEPTED)
