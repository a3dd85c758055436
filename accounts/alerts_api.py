"""Alarms by API: what came to pass, and the rules that a party has written."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AlertEvent, AlertKind, AlertRule
from accounts.selectors import alerts
from accounts.services.alert_rules import Terms, drop_rule, set_rule
from tiers.models import Party
from tiers.rest import AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people


class AlarmOut(serializers.Serializer[Any]):
    """`rule_of`: whose rule it was. `figures`: amounts as text, times in ISO. `told`: addresses it was mailed to."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=AlertKind.choices)
    party = serializers.CharField(source="party.code")
    rule_of = serializers.CharField(source="owner.code")
    occasion = serializers.CharField()
    figures = serializers.DictField()
    blocked = serializers.BooleanField()
    told = serializers.ListField(child=serializers.CharField(), source="to")
    opened_at = serializers.DateTimeField()
    mailed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


NARROW = [
    OpenApiParameter("open", bool, description="Only those that still hold."),
    OpenApiParameter("kind", str, enum=list(AlertKind.values)),
    OpenApiParameter("party", str, description="Code of the party that it is about."),
]


class AlarmViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Alarms of the viewer's party and of those below it, newest first."""

    serializer_class = AlarmOut

    def get_queryset(self) -> Any:
        if self.is_schema:
            return AlertEvent.visible.all()
        asked = self.request.query_params
        wants_open = asked.get("open", "").lower() in {"1", "true", "yes"}
        found = alerts.open_events(self.viewer) if wants_open else alerts.events(self.viewer)
        if "kind" in asked:
            found = found.filter(kind=asked["kind"])
        if "party" in asked:
            found = found.filter(party=people.party_by_code(self.viewer, asked["party"]))
        return found

    @extend_schema(parameters=NARROW)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    def get_object(self) -> AlertEvent:
        return alerts.event_by_id(self.viewer, self.kwargs["pk"])


class RuleTerms(serializers.Serializer[Any]):
    enabled = serializers.BooleanField(default=True)
    currency = serializers.CharField(max_length=3, default="", allow_blank=True)
    threshold = AmountField(default=None, allow_null=True)
    factor = AmountField(places=2, default=None, allow_null=True)
    most_countries = serializers.IntegerField(default=None, allow_null=True)
    most_addresses = serializers.IntegerField(default=None, allow_null=True)
    tell_buyer = serializers.BooleanField(default=True)
    tell_seller = serializers.BooleanField(default=True)
    also_to = serializers.ListField(child=serializers.EmailField(), default=list, max_length=10)
    block = serializers.BooleanField(default=False)


class RuleIn(RuleTerms):
    """The rule of this kind (and currency) for a party is written anew; without `party`, that for all buyers."""

    kind = serializers.ChoiceField(choices=AlertKind.choices)
    party = CodeField(required=False, help_text="Your own code: a rule for yourself, which can only mail.")


class RuleOut(RuleTerms):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=AlertKind.choices)
    party = serializers.SerializerMethodField()

    def get_party(self, rule: AlertRule) -> str | None:
        return rule.party.code if rule.party is not None else None


class AlarmRuleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Rules that the viewer's party has written."""

    serializer_class = RuleOut
    right = May.PARTIES

    def get_queryset(self) -> Any:
        return AlertRule.visible.all() if self.is_schema else alerts.rules(self.viewer)

    def get_object(self) -> AlertRule:
        return alerts.rule_by_id(self.viewer, self.kwargs["pk"])

    @extend_schema(request=RuleIn, responses={201: RuleOut})
    def create(self, request: Request) -> Response:
        given = self.checked(RuleIn)
        kind, party = given.pop("kind"), self._party(given.pop("party", None))
        row = set_rule(self.viewer.party, party, kind, Terms(**given), actor=self.viewer.actor)
        return Response(RuleOut(row).data, status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        drop_rule(self.get_object(), actor=self.viewer.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _party(self, code: str | None) -> Party | None:
        """Whom the rule is for: a customer's rules are for itself, whether it says so or not."""
        if code is not None:
            return people.party_by_code(self.viewer, code)
        return self.viewer.party if self.viewer.party.kind == "customer" else None
