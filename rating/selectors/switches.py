"""Keys of switches as a viewer may see them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rating.models import Source, SwitchKey
from tiers.errors import NotFound
from tiers.viewer import Viewer


def keys(viewer: Viewer) -> QuerySet[SwitchKey]:
    """Those of the viewer's part of the tree, newest first; what was revoked too."""
    found: QuerySet[SwitchKey] = SwitchKey.visible.for_viewer(viewer).select_related("source__owner").order_by("-id")
    return found


def key_by_id(viewer: Viewer, key: UUID) -> SwitchKey:
    """Raises NotFound for what is not the viewer's to see."""
    found = keys(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_key", _("There is no such key here."))
    return found


def with_keys(viewer: Viewer, sources: Sequence[Source]) -> list[tuple[Source, list[SwitchKey]]]:
    """Each source with its keys, those that hold first: one question for all."""
    by_source: dict[UUID, list[SwitchKey]] = {}
    for key in keys(viewer).filter(source__in=sources):
        by_source.setdefault(key.source_id, []).append(key)
    return [
        (source, sorted(by_source.get(source.pk, []), key=lambda key: key.revoked_at is not None)) for source in sources
    ]
