"""Who, by API: the tree, brands, members, keys, and who asks."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tiers.errors import Forbidden
from tiers.models import Kind, Party, Status
from tiers.rest import CodeField, PartySerializer, ViewerViewSet, extend_schema
from tiers.roles import May, Role
from tiers.selectors import people
from tiers.services import keys, members, parties
from tiers.viewer import Viewer


class PartyOut(PartySerializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    status = serializers.ChoiceField(choices=Status.choices)
    depth = serializers.IntegerField()
    email = serializers.CharField()
    contact = serializers.CharField()
    phone = serializers.CharField()
    address = serializers.CharField()
    tax_id = serializers.CharField()
    language = serializers.CharField()


class PartyDetailsIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200, required=False)
    email = serializers.EmailField(required=False, allow_blank=True)
    contact = serializers.CharField(max_length=200, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    address = serializers.CharField(required=False, allow_blank=True)
    tax_id = serializers.CharField(max_length=40, required=False, allow_blank=True)
    language = serializers.CharField(max_length=10, required=False)


class PartyIn(PartyDetailsIn):
    seller = CodeField(required=False, help_text="Whose buyer it is; your own party by default.")
    kind = serializers.ChoiceField(choices=[Kind.DEALER, Kind.CUSTOMER])
    code = CodeField()
    name = serializers.CharField(max_length=200)
    brand = CodeField()


class StatusIn(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Status.choices)


class PartyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """The viewer's party and all below it."""

    ordering = "path"
    serializer_class = PartyOut
    lookup_field = "code"
    right = May.PARTIES

    def get_queryset(self) -> Any:
        if self.is_schema:
            return Party.visible.all()
        found = people.parties(self.viewer)
        return people.matching(found, self.request.query_params.get("search", ""))

    def get_object(self) -> Party:
        return people.party_by_code(self.viewer, self.kwargs["code"])

    @extend_schema(request=PartyIn, responses={201: PartyOut})
    def create(self, request: Request) -> Response:
        given = self.checked(PartyIn)
        seller = people.party_by_code(self.viewer, given.pop("seller", self.viewer.party.code))
        brand = people.brand_by_code(self.viewer, given.pop("brand"))
        kind, code, name = given.pop("kind"), given.pop("code"), given.pop("name")
        made = parties.create_party(seller, kind, code, name, brand=brand, actor=self.viewer.actor, **given)
        return Response(PartyOut(made).data, status.HTTP_201_CREATED)

    @extend_schema(request=PartyDetailsIn, responses=PartyOut)
    def partial_update(self, request: Request, code: str) -> Response:
        given = self.checked(PartyDetailsIn)
        changed = parties.update_party(self.get_object(), actor=self.viewer.actor, **given)
        return Response(PartyOut(changed).data)

    @extend_schema(request=StatusIn, responses=PartyOut)
    @action(detail=True, methods=["post"], url_path="status")
    def set_status(self, request: Request, code: str) -> Response:
        party = self.get_object()
        below(self.viewer, party)
        changed = parties.set_status(party, self.checked(StatusIn)["status"], actor=self.viewer.actor)
        return Response(PartyOut(changed).data)


def below(viewer: Viewer, party: Party) -> None:
    """What a seller decides about its buyers, nobody decides about itself. Raises Forbidden."""
    if party.pk == viewer.party.pk:
        raise Forbidden("own_party", "This is decided by your seller.")


class BrandOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    owner = serializers.CharField(source="owner.code")
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    language = serializers.CharField()
    accent = serializers.CharField()


class BrandViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Brands of the viewer's party and of sellers below."""

    ordering = "code"
    serializer_class = BrandOut
    lookup_field = "code"

    def get_queryset(self) -> Any:
        return people.brands(None if self.is_schema else self.viewer)  # type: ignore[arg-type]

    def get_object(self) -> Any:
        return people.brand_by_code(self.viewer, self.kwargs["code"])


class MemberOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.CharField()
    name = serializers.CharField()
    party = serializers.CharField(source="party.code")
    role = serializers.ChoiceField(choices=Role.choices)
    is_active = serializers.BooleanField()


class MemberIn(serializers.Serializer[Any]):
    party = CodeField(required=False)
    email = serializers.EmailField()
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices)


class MemberViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Logins of the viewer's party and of all below it. New ones are invited by mail."""

    serializer_class = MemberOut
    right = May.MEMBERS

    def get_queryset(self) -> Any:
        return people.members(None if self.is_schema else self.viewer)  # type: ignore[arg-type]

    @extend_schema(request=MemberIn, responses={201: MemberOut})
    def create(self, request: Request) -> Response:
        given = self.checked(MemberIn)
        party = people.party_by_code(self.viewer, given.get("party", self.viewer.party.code))
        made = members.invite(party, given["email"], given["role"], actor=self.viewer.actor, name=given.get("name", ""))
        return Response(MemberOut(made).data, status.HTTP_201_CREATED)


class KeyOut(serializers.Serializer[Any]):
    prefix = serializers.CharField()
    name = serializers.CharField()
    party = serializers.CharField(source="party.code")
    role = serializers.ChoiceField(choices=Role.choices)
    created = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()
    revoked = serializers.BooleanField()


class KeyMade(KeyOut):
    key = serializers.CharField(help_text="Shown this once.")


class KeyIn(serializers.Serializer[Any]):
    party = CodeField(required=False)
    name = serializers.CharField(max_length=50)
    role = serializers.ChoiceField(choices=Role.choices)


class KeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """API keys of the viewer's party and of all below it."""

    ordering = "-created"
    serializer_class = KeyOut
    lookup_field = "prefix"
    right = May.MEMBERS

    def get_queryset(self) -> Any:
        return people.keys(None if self.is_schema else self.viewer)  # type: ignore[arg-type]

    def get_object(self) -> Any:
        return people.key_by_prefix(self.viewer, self.kwargs["prefix"])

    @extend_schema(request=KeyIn, responses={201: KeyMade})
    def create(self, request: Request) -> Response:
        given = self.checked(KeyIn)
        party = people.party_by_code(self.viewer, given.get("party", self.viewer.party.code))
        made, plain = keys.create_key(party, given["name"], given["role"], actor=self.viewer.actor)
        return Response({**KeyOut(made).data, "key": plain}, status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, prefix: str) -> Response:
        keys.revoke_key(self.get_object(), actor=self.viewer.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeOut(serializers.Serializer[Any]):
    party = PartyOut()
    role = serializers.ChoiceField(choices=Role.choices)
    acting = serializers.BooleanField()
    actor = serializers.CharField(source="actor.label")


class MeViewSet(ViewerViewSet):
    """Who asks, and for which party."""

    serializer_class = MeOut

    @extend_schema(responses=MeOut)
    def list(self, request: Request) -> Response:
        return Response(MeOut(self.viewer).data)
