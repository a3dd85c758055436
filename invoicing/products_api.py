"""Products, subscriptions and charges beside calls, by API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.models import AllowanceUnit, Anchor, ChargeKind, Every, Product, Subscription, Timing
from invoicing.models import Charge as ChargeRow
from invoicing.selectors import products
from invoicing.services import subscriptions
from invoicing.services.one_off import Once, charge_once
from invoicing.services.periods import today_in
from invoicing.services.products import create_product, set_price, update_product
from tiers.errors import Forbidden, NotFound
from tiers.rest import KEYED, AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people


class ProductOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    seller = serializers.CharField(source="seller.code")
    brand = serializers.CharField(source="brand.code")
    currency = serializers.CharField(source="brand.currency")
    group = serializers.CharField()
    unit = serializers.CharField()
    every = serializers.ChoiceField(choices=Every.choices)
    timing = serializers.ChoiceField(choices=Timing.choices)
    anchor = serializers.ChoiceField(choices=Anchor.choices)
    resells = serializers.SerializerMethodField()
    included = serializers.IntegerField(help_text="Seconds or calls by calendar month, with each one.")
    included_unit = serializers.CharField()
    included_classes = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()

    def get_resells(self, row: Product) -> str | None:
        return row.resells.code if row.resells is not None and self.context.get("own") == row.seller_id else None


class PriceIn(serializers.Serializer[Any]):
    price = AmountField(min_value=0)
    valid_from = serializers.DateField(required=False, help_text="Today by default; never in the past.")


class PriceOut(serializers.Serializer[Any]):
    price = AmountField()
    valid_from = serializers.DateField()


class ProductChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, required=False)
    group = serializers.CharField(max_length=40, required=False, allow_blank=True)
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True)
    resells = CodeField(required=False, allow_null=True, help_text="A product of your own seller.")
    included = serializers.IntegerField(min_value=0, max_value=2_000_000_000, required=False)
    included_unit = serializers.ChoiceField(choices=AllowanceUnit.choices, required=False, allow_blank=True)
    included_classes = serializers.ListField(child=serializers.CharField(max_length=16), required=False, max_length=20)
    active = serializers.BooleanField(required=False)


class ProductIn(ProductChange):
    brand = CodeField()
    code = CodeField()
    price = AmountField(min_value=0)
    every = serializers.ChoiceField(choices=Every.choices, default=Every.MONTH)
    timing = serializers.ChoiceField(choices=Timing.choices, default=Timing.ADVANCE)
    anchor = serializers.ChoiceField(choices=Anchor.choices, default=Anchor.CALENDAR)


class ProductViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """What the viewer's part of the tree sells beside calls."""

    serializer_class = ProductOut
    right = May.PRICES
    lookup_field = "code"

    def get_queryset(self) -> Any:
        return Product.visible.all() if self.is_schema else products.products(self.viewer)

    def get_serializer_context(self) -> dict[str, Any]:
        context = dict(super().get_serializer_context())
        return context if self.is_schema else {**context, "own": self.viewer.party.pk}

    @extend_schema(request=ProductIn, responses={201: ProductOut})
    def create(self, request: Request) -> Response:
        given = self._named(self.checked(ProductIn))
        brand = people.own_brands(self.viewer).filter(code=given.pop("brand")).first()
        if brand is None:
            raise NotFound("no_brand", _("There is no such brand of yours."), where="brand")
        code, price = given.pop("code"), given.pop("price")
        made = create_product(brand, code, price=price, actor=self.viewer.actor, **given)
        return Response(self.get_serializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(request=ProductChange, responses=ProductOut)
    def partial_update(self, request: Request, code: str) -> Response:
        own = products.product_by_code(self.viewer, code)
        done = update_product(own, actor=self.viewer.actor, **self._named(self.checked(ProductChange)))
        return Response(self.get_serializer(done).data)

    @extend_schema(methods=["GET"], responses=PriceOut(many=True))
    @extend_schema(methods=["POST"], request=PriceIn, responses={201: PriceOut})
    @action(detail=True, methods=["get", "post"])
    def prices(self, request: Request, code: str) -> Response:
        own = products.product_by_code(self.viewer, code)
        if request.method == "GET":
            return Response(PriceOut(own.prices.all(), many=True).data)
        row = set_price(own, actor=self.viewer.actor, **self.checked(PriceIn))
        return Response(PriceOut(row).data, status.HTTP_201_CREATED)

    def _named(self, given: dict[str, Any]) -> dict[str, Any]:
        """With the product that is resold instead of its code."""
        if given.get("resells"):
            found = products.to_resell(self.viewer).filter(code=given["resells"]).first()
            if found is None:
                raise NotFound("no_product", _("Your seller offers no such product."), where="resells")
            given["resells"] = found
        return given


class SubscriptionOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    seller = serializers.CharField(source="seller.code")
    buyer = serializers.CharField(source="buyer.code")
    product = serializers.CharField(source="product.code")
    note = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, help_text="The first day without it.")
    next_due = serializers.DateField(allow_null=True)
    short_since = serializers.DateField(allow_null=True, help_text="Since when a charge waits for funds.")
    short_by = AmountField()


class IncludedOut(serializers.Serializer[Any]):
    product = serializers.CharField(source="product.code")
    month = serializers.DateField()
    unit = serializers.CharField()
    included = serializers.IntegerField()
    used = serializers.IntegerField()
    left = serializers.IntegerField()


class SubscriptionIn(serializers.Serializer[Any]):
    product = CodeField()
    buyer = CodeField()
    starts_on = serializers.DateField()
    quantity = serializers.IntegerField(min_value=1, max_value=subscriptions.MOST, default=1)
    price = AmountField(min_value=0, required=False, allow_null=True, help_text="Agreed; else the product's.")
    ends_on = serializers.DateField(required=False, allow_null=True)
    note = serializers.CharField(max_length=100, required=False, allow_blank=True)


class ChangeIn(serializers.Serializer[Any]):
    valid_from = serializers.DateField()
    quantity = serializers.IntegerField(min_value=1, max_value=subscriptions.MOST, required=False)
    price = AmountField(min_value=0, required=False)
    list_price = serializers.BooleanField(default=False, help_text="Drops an agreed price.")
    product = CodeField(required=False)


class EndIn(serializers.Serializer[Any]):
    ends_on = serializers.DateField(allow_null=True, help_text="The first day without it; null: it goes on.")


class SubscriptionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Who has what since when: what the viewer's part of the tree sells, and what it buys."""

    serializer_class = SubscriptionOut
    right = May.MONEY

    def get_queryset(self) -> Any:
        if self.is_schema:
            return Subscription.visible.all()
        found, asked = products.subscriptions(self.viewer), self.request.query_params
        for name, lookup in (("buyer", "buyer__code"), ("product", "product__code")):
            if name in asked:
                found = found.filter(**{lookup: asked[name]})
        return found

    def get_object(self) -> Subscription:
        return products.subscription_by_id(self.viewer, self.kwargs["pk"])

    @extend_schema(request=SubscriptionIn, responses={201: SubscriptionOut}, parameters=[KEYED])
    def create(self, request: Request) -> Response:
        key, given = self.idempotency_key(), self.checked(SubscriptionIn)
        given["product"] = products.product_by_code(self.viewer, given["product"])
        given["buyer"] = people.party_by_code(self.viewer, given["buyer"])
        made = subscriptions.subscribe(subscriptions.Order(key=key[-120:], **given), actor=self.viewer.actor)
        return Response(SubscriptionOut(made).data, status.HTTP_201_CREATED)

    @extend_schema(request=ChangeIn, responses=SubscriptionOut)
    @action(detail=True, methods=["post"])
    def change(self, request: Request, pk: str) -> Response:
        row, given = self._mine(), self.checked(ChangeIn)
        if "product" in given:
            given["product"] = products.product_by_code(self.viewer, given["product"])
        done = subscriptions.change(row, subscriptions.Change(**given), actor=self.viewer.actor)
        return Response(SubscriptionOut(done).data)

    @extend_schema(request=EndIn, responses=SubscriptionOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        row = self._mine()
        done = subscriptions.end(row, self.checked(EndIn)["ends_on"], actor=self.viewer.actor)
        return Response(SubscriptionOut(done).data)

    @extend_schema(responses=IncludedOut(many=True))
    @action(detail=True, methods=["get"])
    def included(self, request: Request, pk: str) -> Response:
        """What is included in this month, and left."""
        row = self.get_object()
        month = today_in(row.product.brand.time_zone).replace(day=1)
        return Response(IncludedOut(products.allowances_of(self.viewer, [row], month), many=True).data)

    def _mine(self) -> Subscription:
        row = self.get_object()
        if row.seller_id != self.viewer.party.pk:
            raise Forbidden("not_seller", _("Its seller changes and ends it."))
        return row


class ChargeOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ChargeKind.choices)
    seller = serializers.CharField(source="seller.code")
    buyer = serializers.CharField(source="buyer.code")
    subscription = serializers.UUIDField(source="subscription_id", allow_null=True)
    description = serializers.CharField(source="label")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The first day after.")
    quantity = serializers.IntegerField()
    unit_price = AmountField()
    currency = serializers.CharField()
    amount = AmountField(help_text="Negative: given back.")
    tax = AmountField(help_text="Charged beside it at once (prepaid).")
    due_on = serializers.DateField()
    reason = serializers.CharField()


class ChargeIn(serializers.Serializer[Any]):
    buyer = CodeField()
    day = serializers.DateField()
    credit = serializers.BooleanField(default=False)
    product = CodeField(required=False, help_text="A one-off product of yours.")
    price = AmountField(required=False, min_value=0, help_text="Of one; needed without a product.")
    quantity = serializers.IntegerField(min_value=1, max_value=subscriptions.MOST, default=1)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ChargeViewSet(mixins.ListModelMixin, ViewerViewSet):
    """Charges and credits beside calls, newest first; a post makes one, once for each key."""

    serializer_class = ChargeOut
    right = May.MONEY

    def get_queryset(self) -> Any:
        return ChargeRow.visible.all() if self.is_schema else products.charges(self.viewer)

    @extend_schema(request=ChargeIn, responses={201: ChargeOut}, parameters=[KEYED])
    def create(self, request: Request) -> Response:
        key, given = self.idempotency_key(), self.checked(ChargeIn)
        given["buyer"] = people.party_by_code(self.viewer, given["buyer"])
        if "product" in given:
            given["product"] = products.product_by_code(self.viewer, given["product"])
        made = charge_once(Once(self.viewer.party, key=key[-100:], **given), actor=self.viewer.actor)
        return Response(ChargeOut(made).data, status.HTTP_201_CREATED)
