"""Price lists by API: their prices on any day, terms, rules and own rates, the draft and its publication, groups."""

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

from rating.models import DestinationGroup, Follows, PriceList
from rating.models.rules import PRICED_CLASSES
from rating.prices_api import ListOut, moment_of
from rating.prices_api import ListViewSet as PricedListViewSet
from rating.pricing.current import current_engine
from rating.selectors import prices
from rating.selectors.differences import Difference, Kind
from rating.selectors.drafts import Draft, publications
from rating.selectors.timeline import Stretch, coming, timeline
from rating.services import list_rules, lists
from rating.services.publishing import publish, set_follows
from tiers.errors import NotFound
from tiers.rest import AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May

MOST_CHANGES = 1000


class FollowingListOut(ListOut):
    """`follows`: by publication of drafts, or automatically."""

    base_table = serializers.CharField(source="base_table.code", default=None)
    base_list = serializers.CharField(source="base_list.code", default=None)
    follows = serializers.ChoiceField(choices=Follows.choices)


class TermsFields(serializers.Serializer[Any]):
    """`markup` is a share: 0.25 adds a quarter. null: as in the base; in a rule, as with the next less specific one."""

    markup = AmountField(6, required=False, allow_null=True)
    addon = AmountField(8, required=False, allow_null=True)
    connect_fee = AmountField(8, required=False, allow_null=True)
    first_s = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    step_s = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    min_charge = AmountField(8, required=False, allow_null=True)
    valid_from = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Now by default; never backwards."
    )

    def validate_valid_from(self, value: datetime | None) -> datetime | None:
        if value is not None and value < timezone.now():
            raise serializers.ValidationError(_("That moment has passed; calls of then keep their prices."))
        return value


class TargetFields(serializers.Serializer[Any]):
    """Exactly one of them: what a rule is for."""

    service_class = serializers.ChoiceField(choices=PRICED_CLASSES, required=False, allow_null=True)
    group = CodeField(required=False, allow_null=True)
    prefix = serializers.CharField(max_length=20, required=False, allow_null=True)


class RuleIn(TargetFields, TermsFields):
    pass


class RuleOut(RuleIn):
    """`off`: from then on there is no rule for this target."""

    group = serializers.CharField(source="group.code", default=None)  # type: ignore[assignment]
    off = serializers.BooleanField()


class EndIn(TargetFields):
    at = serializers.DateTimeField(required=False)


class RateIn(serializers.Serializer[Any]):
    prefix = serializers.CharField(max_length=20)
    price = AmountField(8)
    destination = serializers.CharField(max_length=200, required=False)
    connect_fee = AmountField(8, required=False)
    first_s = serializers.IntegerField(required=False, min_value=1)
    step_s = serializers.IntegerField(required=False, min_value=1)
    min_charge = AmountField(8, required=False)
    blocked = serializers.BooleanField(required=False)
    effective_from = serializers.DateTimeField(required=False)


class StretchOut(serializers.Serializer[Any]):
    """How numbers that begin so are priced for a time; `origin` tells how it came about. price null: not sold."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    prefix = serializers.CharField(source="found.row.prefix", default=None)
    destination = serializers.CharField(source="found.row.destination", default=None)
    price = AmountField(8, source="found.row.price", default=None)
    first_s = serializers.IntegerField(source="found.row.first_s", default=None)
    step_s = serializers.IntegerField(source="found.row.step_s", default=None)
    blocked = serializers.BooleanField(source="found.row.blocked", default=False)
    origin = serializers.SerializerMethodField()

    def get_origin(self, one: Stretch) -> dict[str, str]:
        return dict(one.found.origin) if one.found else {}


class ChangeOut(serializers.Serializer[Any]):
    prefix = serializers.CharField()
    destination = serializers.CharField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    service_class = serializers.CharField()
    since = serializers.DateTimeField()
    old = AmountField(8)
    new = AmountField(8)
    share = serializers.SerializerMethodField()

    def get_share(self, one: Difference) -> str | None:
        return None if one.share is None else f"{one.share:.6f}"


class DraftOut(serializers.Serializer[Any]):
    """`counts` of all changes by kind; `changes`: at most 1000 of those asked for."""

    counts = serializers.DictField(child=serializers.IntegerField())
    changes = ChangeOut(many=True)


class PublicationOut(serializers.Serializer[Any]):
    """`known_at` null: from then on the list followed automatically."""

    valid_from = serializers.DateTimeField()
    known_at = serializers.DateTimeField()
    actor = serializers.CharField()


class PublishIn(serializers.Serializer[Any]):
    valid_from = serializers.DateTimeField(required=False)


class FollowsIn(serializers.Serializer[Any]):
    follows = serializers.ChoiceField(choices=Follows.choices)


class ComingOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    since = serializers.DateTimeField()
    prefix = serializers.SerializerMethodField()

    def get_prefix(self, one: Any) -> str | None:
        return getattr(one.row, "prefix", None)


AT = OpenApiParameter("at", datetime, description="Now by default.")
SEARCH = OpenApiParameter("search", str, description="A prefix, or part of a destination.")


class ListViewSet(PricedListViewSet):
    """Price lists of the viewer's party and of sellers below. A list is changed by its own seller."""

    serializer_class = FollowingListOut
    right = May.PRICES

    def own(self) -> PriceList:
        found = self.get_object()
        if found.seller_id != self.viewer.party.pk:
            raise NotFound("no_list", _("There is no such price list here."), where="list")
        return found

    @extend_schema(responses=StretchOut(many=True), parameters=[OpenApiParameter("prefix", str, required=True)])
    @action(detail=True, methods=["get"])
    def history(self, request: Request, code: str) -> Response:
        """How a number, or all that begin so, was, is and will be priced, in order of time."""
        book = current_engine().shelf.book(self.get_object().pk)
        digits = "".join(char for char in request.query_params.get("prefix", "")[:40] if char.isdigit())
        found = timeline(book, digits) if book is not None and digits else []
        return Response(StretchOut(found, many=True).data)

    @extend_schema(request=TermsFields, responses=TermsFields(many=True))
    @action(detail=True, methods=["get", "post"])
    def terms(self, request: Request, code: str) -> Response:
        """The list's own mark-up by date, the newest first. POST sets it from a date on."""
        if request.method == "POST":
            price_list, given = self.own(), self.checked(TermsFields)
            moment = given.pop("valid_from", None)
            lists.set_list_terms(price_list, actor=self.viewer.actor, valid_from=moment, **given)
        return Response(TermsFields(prices.terms_history(self.get_object()), many=True).data)

    @extend_schema(request=RuleIn, responses=RuleOut(many=True))
    @action(detail=True, methods=["get", "post"])
    def rules(self, request: Request, code: str) -> Response:
        """All rules by date, the newest first. POST sets one from a date on."""
        if request.method == "POST":
            price_list, given = self.own(), self.checked(RuleIn)
            target, moment = self.target(given), given.pop("valid_from", None)
            list_rules.set_list_rule(price_list, target, actor=self.viewer.actor, valid_from=moment, **given)
        return Response(RuleOut(prices.rules(self.viewer, self.get_object()), many=True).data)

    @extend_schema(request=EndIn, responses=RuleOut(many=True))
    @action(detail=True, methods=["post"], url_path="rules/end")
    def end_rule(self, request: Request, code: str) -> Response:
        """From a moment (now) on there is no rule for this target."""
        price_list, given = self.own(), self.checked(EndIn)
        target = self.target(given)
        if not list_rules.end_list_rule(price_list, target, actor=self.viewer.actor, at=given.get("at")):
            raise NotFound("no_rule", _("There is no such rule here."), where="rule")
        return Response(RuleOut(prices.rules(self.viewer, price_list), many=True).data)

    def target(self, given: dict[str, Any]) -> list_rules.Target:
        """Taken out of what was given."""
        code = given.pop("group", None)
        group = prices.own_group(self.viewer, code) if code else None
        return list_rules.Target(given.pop("service_class", None), group, given.pop("prefix", None))

    @extend_schema(request=RateIn, responses={201: RateIn})
    @action(detail=True, methods=["post"])
    def rates(self, request: Request, code: str) -> Response:
        """An own rate for a prefix from a moment (now) on, whatever the base says."""
        price_list, given = self.own(), self.checked(RateIn)
        prefix, price = given.pop("prefix"), given.pop("price")
        rate = lists.set_own_rate(price_list, prefix, price, actor=self.viewer.actor, **given)
        return Response(RateIn(rate).data, status.HTTP_201_CREATED)

    @extend_schema(
        responses=DraftOut, parameters=[AT, SEARCH, OpenApiParameter("kind", str, enum=[one.value for one in Kind])]
    )
    @action(detail=True, methods=["get"])
    def draft(self, request: Request, code: str) -> Response:
        """What would change if the list were published (from `at` on)."""
        asked, now = request.query_params, timezone.now()
        draft = Draft(self.get_object(), max(moment_of(asked.get("at"), "at") or now, now))
        found = draft.filtered(kind=asked.get("kind", ""), text=asked.get("search", ""))
        return Response(DraftOut({"counts": draft.counts, "changes": found[:MOST_CHANGES]}).data)

    @extend_schema(request=PublishIn, responses=PublicationOut)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, code: str) -> Response:
        """Derive the list from its base as known now, from a moment (now) on."""
        price_list, given = self.own(), self.checked(PublishIn)
        made = publish(price_list, actor=self.viewer.actor, valid_from=given.get("valid_from"))
        return Response(PublicationOut(made).data)

    @extend_schema(responses=PublicationOut(many=True))
    @action(detail=True, methods=["get"])
    def publications(self, request: Request, code: str) -> Response:
        """When the list was published, the newest first."""
        return Response(PublicationOut(publications(self.viewer, self.get_object()), many=True).data)

    @extend_schema(request=FollowsIn, responses=FollowingListOut)
    @action(detail=True, methods=["post"])
    def follow(self, request: Request, code: str) -> Response:
        """By publication, or automatically, from now on."""
        price_list, given = self.own(), self.checked(FollowsIn)
        set_follows(price_list, given["follows"], actor=self.viewer.actor)
        return Response(FollowingListOut(price_list).data)

    @extend_schema(responses=ComingOut(many=True))
    @action(detail=True, methods=["get"])
    def coming(self, request: Request, code: str) -> Response:
        """What is entered for the list and has not begun."""
        return Response(ComingOut(coming(self.viewer, self.get_object(), timezone.now()), many=True).data)


class GroupIn(serializers.Serializer[Any]):
    """Destinations by name (any case, `*` for any letters) and prefixes, from a moment (now) on."""

    code = CodeField(required=False)
    name = serializers.CharField(max_length=200, required=False)
    destinations = serializers.ListField(child=serializers.CharField(max_length=200), default=list)
    prefixes = serializers.ListField(child=serializers.CharField(max_length=20), default=list)
    valid_from = serializers.DateTimeField(required=False)


class GroupOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    destinations = serializers.SerializerMethodField()
    prefixes = serializers.SerializerMethodField()

    def get_destinations(self, group: DestinationGroup) -> list[str]:
        return self._held(group, "destinations")

    def get_prefixes(self, group: DestinationGroup) -> list[str]:
        return self._held(group, "prefixes")

    def _held(self, group: DestinationGroup, name: str) -> list[str]:
        """Asked once for a whole page."""
        if not hasattr(self, "_members"):
            page = getattr(self.parent, "instance", None)
            self._members = prices.members_of(page if isinstance(page, list) else [group], timezone.now())
        held = self._members.get(group.pk)
        return list(getattr(held, name)) if held else []


class GroupViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """The viewer's own groups of destinations, for rules of its price lists."""

    ordering = "id"
    serializer_class = GroupOut
    lookup_field = "code"
    right = May.PRICES

    def get_queryset(self) -> Any:
        if self.is_schema:
            return DestinationGroup.visible.all()
        return prices.groups(self.viewer).filter(seller=self.viewer.party)

    def get_object(self) -> DestinationGroup:
        return prices.own_group(self.viewer, self.kwargs["code"])

    @extend_schema(request=GroupIn, responses={201: GroupOut})
    def create(self, request: Request) -> Response:
        given = self.checked(GroupIn)
        code = given.pop("code", "")
        name = given.pop("name", code)
        made = list_rules.create_group(self.viewer.party, code, name, actor=self.viewer.actor, **given)
        return Response(GroupOut(made).data, status.HTTP_201_CREATED)

    @extend_schema(request=GroupIn, responses=GroupOut)
    def update(self, request: Request, code: str) -> Response:
        group, given = self.get_object(), self.checked(GroupIn)
        given.pop("code", None)
        if "name" in given:
            list_rules.rename_group(group, given.pop("name"), actor=self.viewer.actor)
        list_rules.set_group(group, actor=self.viewer.actor, **given)
        return Response(GroupOut(group).data)
