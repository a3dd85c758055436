"""What all resources of the API share: the viewer, exact numbers, idempotency keys, codes as names.

A resource shows what selectors give and does what services do; nothing is decided in it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.viewsets import GenericViewSet

from tiers.errors import Invalid
from tiers.permissions import request_viewer
from tiers.roles import May
from tiers.viewer import Viewer

KEY_HEADER = "Idempotency-Key"
KEY_MAX = 120
KEYED = OpenApiParameter(
    KEY_HEADER,
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="Names this request: the same key does it once.",
)


class ViewerViewSet(GenericViewSet[Any]):
    """Base of all resources. `right` is what writing needs."""

    right: ClassVar[May | None] = None
    lookup_value_regex = "[^/]+"

    @property
    def viewer(self) -> Viewer:
        viewer = request_viewer(self.request)
        if viewer is None:
            raise NotAuthenticated
        return viewer

    @property
    def is_schema(self) -> bool:
        """True while the OpenAPI document is made, when nobody asks."""
        return getattr(self, "swagger_fake_view", False)

    def checked(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The request's body, valid. Raises DRF's ValidationError, which says at which field."""
        given = serializer(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def idempotency_key(self) -> str:
        """The header that names a money request, made the caller's own: two parties' keys never meet."""
        key = self.request.headers.get(KEY_HEADER, "").strip()
        if not 1 <= len(key) <= KEY_MAX:
            raise Invalid(
                "idempotency_key",
                _("Moving money needs the header %s.") % KEY_HEADER,
                where=KEY_HEADER,
                hint=_("Send a new one, such as a UUID, for each new request, and the same one when you try again."),
            )
        return f"{self.viewer.party.pk.hex}:{key}"


class AmountField(serializers.DecimalField):
    """An amount or price, as text with what decimals it has; in requests text or an exact JSON number."""

    def __init__(self, places: int = 6, **options: Any) -> None:
        super().__init__(max_digits=20, decimal_places=places, **options)

    def to_representation(self, value: Any) -> str:
        return f"{Decimal(value):f}"


class CodeField(serializers.CharField):
    """Somebody or something by its code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=32, **options)


class PartySerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


__all__ = ["KEYED", "AmountField", "CodeField", "PartySerializer", "ViewerViewSet", "extend_schema"]
