"""Live calls by API: what goes on and what was asked, ending a call, what is set aside, keys of switches, limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Hold, HoldStatus
from rating.live.limits import set_limits
from rating.live.switches import LONGEST_SLICE_S, create_switch_key, revoke_switch_key
from rating.models import CallLimit, LiveCall, LiveStatus, SwitchKey
from rating.selectors import call_limits, live, live_holds, prices, switches, usage
from rating.selectors.calls import id_floor
from rating.services.call_cuts import end_call
from tiers.errors import Invalid, NotFound
from tiers.rest import AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people

STATES = (live.RINGING, live.TALKING, live.UNREPORTED, live.OVERDUE, *LiveStatus.values)
LOOK_BACK = timedelta(days=31)


class PartOut(serializers.Serializer[Any]):
    amount = AmountField()
    currency = serializers.CharField()


class LiveCallOut(serializers.Serializer[Any]):
    """A call that a switch asked for. `sold` and `bought` are your own sale and cost so far; null where you have none.

    `at_most`: its switch tells of no answers, so they may be less. `code`, `reason`: why it was refused.
    """

    id = serializers.UUIDField(source="call.pk")
    state = serializers.ChoiceField(choices=STATES)
    asked_at = serializers.DateTimeField(source="call.asked_at")
    answered_at = serializers.DateTimeField(source="call.answered_at")
    ended_at = serializers.DateTimeField(source="call.ended_at")
    customer = serializers.CharField(source="call.customer.code", default=None)
    from_source = serializers.CharField(source="call.source.code")
    switch = serializers.CharField(source="call.switch")
    call_id = serializers.CharField(source="call.call_id")
    account = serializers.CharField(source="call.account")
    caller = serializers.CharField(source="call.caller")
    callee = serializers.CharField(source="call.callee")
    number = serializers.CharField(source="call.number")
    destination = serializers.CharField(source="call.destination")
    service_class = serializers.CharField(source="call.service_class")
    carrier = serializers.SerializerMethodField()
    src_ip = serializers.CharField(source="call.src_ip")
    src_port = serializers.IntegerField(source="call.src_port")
    user_agent = serializers.CharField(source="call.user_agent")
    max_seconds = serializers.IntegerField(source="call.max_seconds")
    duration_s = serializers.IntegerField(source="lasted_s")
    left_s = serializers.IntegerField()
    overrun_s = serializers.IntegerField(source="call.overrun_s")
    oddity = serializers.CharField(source="call.oddity")
    sold = PartOut()
    bought = PartOut()
    at_most = serializers.BooleanField()
    code = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()

    def get_carrier(self, line: live.Line) -> str | None:
        return line.call.carrier.code if line.call.carrier else None

    def get_code(self, line: live.Line) -> str:
        told = self._told(line)
        return told.code if told else ""

    def get_reason(self, line: live.Line) -> str:
        told = self._told(line)
        return told.words if told else ""

    def _told(self, line: live.Line) -> live.Told | None:
        known: dict[UUID, live.Told] = self.context["told"]
        return known.get(line.call.pk)


class CutOut(serializers.Serializer[Any]):
    """`done`: the switch took the order; it then reports the end, which charges the call. `words`: what it said."""

    done = serializers.BooleanField()
    words = serializers.CharField()


OPEN = OpenApiParameter("open", bool, description="true: only calls that go on. Else all of the last 31 days.")
FILTERS = [
    OPEN,
    OpenApiParameter("customer", str, description="A customer, or a dealer with all below it, by code."),
    OpenApiParameter("from_source", str, description="The code of the switch's source."),
    OpenApiParameter("refused", str, description="Only refused ones, for this reason (its code), or `any`."),
]


class LiveCallViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Every call that a switch asked for, newest first; POST `end` hangs one up at its switch."""

    serializer_class = LiveCallOut
    right = May.CALLS

    def get_queryset(self) -> Any:
        if self.is_schema:
            return LiveCall.visible.all()
        asked = self.request.query_params
        found: QuerySet[LiveCall] = live.asked_calls(self.viewer)
        if asked.get("open") in ("true", "1"):
            found = live.open_calls(self.viewer)
        else:
            found = found.filter(id__gte=id_floor(timezone.now() - LOOK_BACK))
        if "customer" in asked:
            party = people.party_by_code(self.viewer, asked["customer"])
            found = found.filter(customer__in=people.parties(self.viewer).filter(path__startswith=party.path))
        if "from_source" in asked:
            found = found.filter(source=usage.source_by_code(self.viewer, asked["from_source"]))
        if "refused" in asked:
            code = asked["refused"]
            found = found.filter(live.refused_for(self.viewer, "" if code == "any" else code))
        return found

    @extend_schema(parameters=FILTERS)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(self._shown(page))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self._shown([self._call()])[0])

    @extend_schema(request=None, responses=CutOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """Tell the switch to hang up. Kept in the audit trail with who said so."""
        return Response(CutOut(end_call(self._call(), actor=self.viewer.actor)).data)

    def _call(self) -> LiveCall:
        return live.call_by_id(self.viewer, key_of(self.kwargs["pk"]))

    def _shown(self, calls: Sequence[LiveCall]) -> Any:
        context = {**self.get_serializer_context(), "told": live.reasons(self.viewer, calls)}
        return LiveCallOut(live.lines(self.viewer, calls), many=True, context=context).data


def key_of(text: str) -> UUID:
    """Raises NotFound for what is no id."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("no_such_id", "There is no such thing here.") from None


class HoldOut(serializers.Serializer[Any]):
    """Money set aside in a wallet; `live_call` is what for, null for other holds."""

    id = serializers.UUIDField()
    wallet = serializers.UUIDField(source="account_id")
    party = serializers.CharField(source="account.owner.code")
    amount = AmountField()
    currency = serializers.CharField(source="account.currency")
    status = serializers.ChoiceField(choices=HoldStatus.choices)
    live_call = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_live_call(self, hold: Hold) -> UUID | None:
        return live_holds.call_of(hold)


class HoldViewSet(mixins.ListModelMixin, ViewerViewSet):
    """What is set aside now in wallets of your part of the tree, oldest call first."""

    ordering = "key"
    serializer_class = HoldOut

    def get_queryset(self) -> Any:
        return Hold.visible.all() if self.is_schema else live_holds.open_holds(self.viewer)


class SwitchKeyOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    from_source = serializers.CharField(source="source.code")
    name = serializers.CharField()
    networks = serializers.ListField(child=serializers.CharField())
    interims = serializers.BooleanField(help_text="It reports answers, and while a call goes on.")
    slice_s = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField()


class SwitchKeyIn(serializers.Serializer[Any]):
    from_source = CodeField()
    name = serializers.CharField(max_length=50)
    networks = serializers.ListField(child=serializers.CharField(max_length=50), default=list, max_length=100)
    interims = serializers.BooleanField(default=False)
    slice_s = serializers.IntegerField(min_value=1, max_value=LONGEST_SLICE_S, required=False, allow_null=True)


class SwitchKeyMade(SwitchKeyOut):
    key = serializers.CharField(help_text="Shown this once.")


class SwitchKeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Keys that switches show at the door. DELETE revokes one."""

    serializer_class = SwitchKeyOut
    right = May.SETTINGS

    def get_queryset(self) -> Any:
        return SwitchKey.visible.all() if self.is_schema else switches.keys(self.viewer)

    def get_object(self) -> SwitchKey:
        return switches.key_by_id(self.viewer, key_of(self.kwargs["pk"]))

    @extend_schema(request=SwitchKeyIn, responses={201: SwitchKeyMade})
    def create(self, request: Request) -> Response:
        given = self.checked(SwitchKeyIn)
        source = usage.source_by_code(self.viewer, given.pop("from_source"))
        row, plain = create_switch_key(
            source, given.pop("name"), given.pop("networks"), actor=self.viewer.actor, **given
        )
        return Response({**SwitchKeyOut(row).data, "key": plain}, status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        revoke_switch_key(self.get_object(), actor=self.viewer.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CallLimitOut(serializers.Serializer[Any]):
    """null: no limit. `active`: calls that go on."""

    id = serializers.UUIDField()
    party = serializers.CharField(source="party.code", default=None)
    carrier = serializers.CharField(source="carrier.code", default=None)
    max_calls = serializers.IntegerField(allow_null=True)
    max_per_second = serializers.IntegerField(allow_null=True)
    active = serializers.IntegerField()


class CallLimitIn(serializers.Serializer[Any]):
    """Of a party below you, or of a carrier of yours: one of the two."""

    party = CodeField(required=False)
    carrier = CodeField(required=False)
    max_calls = serializers.IntegerField(allow_null=True, min_value=0, default=None)
    max_per_second = serializers.IntegerField(allow_null=True, min_value=0, default=None)


class CallLimitViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Calls at once and new calls a second. POST sets both; the same again changes nothing."""

    ordering = "id"
    serializer_class = CallLimitOut
    right = May.PARTIES

    def get_queryset(self) -> Any:
        return CallLimit.visible.all() if self.is_schema else call_limits.limits(self.viewer)

    def get_object(self) -> CallLimit:
        found = call_limits.limits(self.viewer).filter(pk=key_of(self.kwargs["pk"])).first()
        if found is None:
            raise NotFound("no_limit", "There is no such limit here.")
        return found

    @extend_schema(request=CallLimitIn, responses=CallLimitOut)
    def create(self, request: Request) -> Response:
        given, viewer = self.checked(CallLimitIn), self.viewer
        if ("party" in given) == ("carrier" in given):
            raise Invalid("whose", "Name a party or a carrier.", where="party")
        whose: Any
        if "carrier" in given:
            viewer.require(May.PRICES)
            whose = prices.carrier_by_code(viewer, given["carrier"])
        else:
            whose = people.party_by_code(viewer, given["party"])
            if whose.pk == viewer.party.pk:
                raise NotFound("not_below", "Your own limits are your seller's to set.", where="party")
        limit = set_limits(whose, given["max_calls"], given["max_per_second"], actor=viewer.actor)
        return Response(CallLimitOut(limit).data)
