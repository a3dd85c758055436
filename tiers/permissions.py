"""DRF permissions read the viewer: somebody must be there, and the role must allow what the view declares."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tiers.roles import May
from tiers.viewer import Viewer


def request_viewer(request: Any) -> Viewer | None:
    """The viewer of a Django or DRF request (a key's viewer is set on the Django request beneath)."""
    inner = getattr(request, "_request", request)
    viewer: Viewer | None = getattr(inner, "viewer", None)
    return viewer


class IsMember(BasePermission):
    """Reading needs a viewer; writing needs the right that the view names in `right`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        viewer = request_viewer(request)
        if viewer is None:
            return False
        if request.method in SAFE_METHODS:
            return True
        right: May | None = getattr(view, "right", None)
        return right is not None and viewer.may(right)
