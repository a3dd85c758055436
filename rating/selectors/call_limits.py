"""How many calls parties and carriers may have, and how many they have now."""

from __future__ import annotations

from django.db.models import QuerySet

from rating.models import CallLimit, Carrier
from tiers.models import Party
from tiers.viewer import Viewer


def limits(viewer: Viewer) -> QuerySet[CallLimit]:
    """Those that are set in the viewer's part of the tree, for parties and carriers."""
    found: QuerySet[CallLimit] = CallLimit.visible.for_viewer(viewer).select_related("party", "carrier").order_by("id")
    return found


def limit_of(viewer: Viewer, whose: Party | Carrier) -> CallLimit | None:
    """None where none was ever set, or it is not the viewer's to see."""
    return limits(viewer).filter(pk=whose.pk).first()
