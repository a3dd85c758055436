"""Carriers by API: which may be chosen, the choice, what each costs, and the link from a seller's web site."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rating.models import Carrier
from rating.selectors import prices
from rating.selectors.offers import OfferCell, OfferLine, compared
from rating.selectors.tariffs import Tariff
from rating.services import carriers, links
from tiers.rest import AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people


class CarrierOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()


class ChoiceIn(serializers.Serializer[Any]):
    party = CodeField(required=False, help_text="Your own party by default.")
    carrier = CodeField()


class ChoiceOut(serializers.Serializer[Any]):
    party = serializers.CharField(source="party.code")
    carrier = serializers.CharField(source="carrier.code")
    valid_from = serializers.DateTimeField()


class LinkIn(serializers.Serializer[Any]):
    party = CodeField(help_text="One of your customers.")
    back = serializers.CharField(max_length=500, default="", help_text="Where the page leads back to; https://...")


class LinkOut(serializers.Serializer[Any]):
    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class OfferOut(serializers.Serializer[Any]):
    """What a customer's own destinations cost with this carrier; `cost` is that of a call of its usual length."""

    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    chosen = serializers.BooleanField()
    prices = serializers.ListField(child=serializers.DictField())


class CarrierViewSet(mixins.ListModelMixin, ViewerViewSet):
    """Carriers that may be chosen for calls abroad. What they cost is the operator's own."""

    ordering = "code"
    serializer_class = CarrierOut
    right = May.CARRIER

    def get_queryset(self) -> Any:
        return Carrier.visible.all() if self.is_schema else prices.offered_carriers()

    @extend_schema(request=ChoiceIn, responses=ChoiceOut)
    @action(detail=False, methods=["post"])
    def choose(self, request: Request) -> Response:
        given = self.checked(ChoiceIn)
        party = people.party_by_code(self.viewer, given.get("party", self.viewer.party.code))
        carrier = Tariff(self.viewer, party).carrier_offered(given["carrier"])
        return Response(ChoiceOut(carriers.choose_carrier(party, carrier, actor=self.viewer.actor)).data)

    @extend_schema(request=LinkIn, responses={201: LinkOut})
    @action(detail=False, methods=["post"])
    def link(self, request: Request) -> Response:
        """A one-time link for one of your customers: it opens the choice of carriers, logged in for that page only."""
        given = self.checked(LinkIn)
        party = people.party_by_code(self.viewer, given["party"])
        made, token = links.make_link(self.viewer.party, party, actor=self.viewer.actor, back=given["back"])
        url = f"{settings.PUBLIC_URL}/choose/{token}/"
        return Response({"url": url, "expires_at": made.expires_at}, status.HTTP_201_CREATED)

    @extend_schema(parameters=[OpenApiParameter("party", str)], responses=OfferOut(many=True))
    @action(detail=False, methods=["get"])
    def offers(self, request: Request) -> Response:
        """The carriers that a party may choose, with what its favourite destinations of 90 days cost with each."""
        party = people.party_by_code(self.viewer, request.query_params.get("party", self.viewer.party.code))
        tariff = Tariff(self.viewer, party)
        offers = tariff.offers()
        lines = compared(self.viewer, tariff, offers)
        shown = [
            {
                **{name: getattr(offer, name) for name in ("code", "name", "description", "chosen")},
                "prices": [_price(line, line.cells[at]) for line in lines],
            }
            for at, offer in enumerate(offers)
        ]
        return Response(OfferOut(shown, many=True).data)


def _price(line: OfferLine, cell: OfferCell) -> dict[str, Any]:
    return {
        "destination": line.destination,
        "calls": line.calls,
        "usual_s": line.usual_s,
        "currency": line.currency,
        "price": None if cell.price is None else AmountField(8).to_representation(cell.price),
        "cost": None if cell.cost is None else str(cell.cost),
        "cheapest": cell.least,
    }
