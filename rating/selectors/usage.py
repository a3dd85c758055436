"""Usage on its way in, as a viewer may see it: sources, imports with their counts, what was quarantined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from rating.models import (
    ChunkStatus,
    ImportStatus,
    Quarantined,
    Reconciled,
    Source,
    UsageChunk,
    UsageHalf,
    UsageImport,
)
from tiers.errors import NotFound
from tiers.viewer import Viewer

COUNTS = ("read", "rated", "unrated", "free", "duplicate", "quarantined", "waiting", "joined", "reconciled")


def sources(viewer: Viewer) -> QuerySet[Source]:
    found: QuerySet[Source] = (
        Source.visible.for_viewer(viewer).select_related("owner", "carrier", "customer").order_by("code")
    )
    return found


def source_by_code(viewer: Viewer, code: str) -> Source:
    found = sources(viewer).filter(code=code).first()
    if found is None:
        raise NotFound("no_source", _("There is no such source here."), where="source")
    return found


def imports(viewer: Viewer, archive: str = "") -> QuerySet[UsageImport]:
    """Files that came in, newest first by id; of one archive (its id) only, where it is named."""
    found: QuerySet[UsageImport] = UsageImport.visible.for_viewer(viewer).select_related("source")
    if not archive:
        return found
    try:
        return found.filter(archive_id=UUID(archive))
    except ValueError:
        return found.none()


def import_by_id(viewer: Viewer, key: UUID) -> UsageImport:
    found = imports(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_import", _("There is no such import here."))
    return found


@dataclass(frozen=True)
class Progress:
    """How far an import is: chunks done of all, and what became of the lines so far."""

    done: int
    of: int
    counts: dict[str, int]
    finished: bool

    @property
    def share(self) -> int:
        """In whole percent."""
        return 100 if self.finished else (100 * self.done // self.of if self.of else 0)


def progress_of(found: Iterable[UsageImport]) -> dict[UUID, Progress]:
    """Progress of several imports in one question."""
    listed = list(found)
    sums = {name: Sum(name) for name in COUNTS}
    rows = (
        UsageChunk.objects.filter(usage_import__in=listed)
        .order_by()
        .values("usage_import")
        .annotate(chunks=Count("id"), done=Count("id", filter=Q(status=ChunkStatus.DONE)), **sums)
    )
    known = {row["usage_import"]: row for row in rows}
    return {one.pk: _progress(one, known.get(one.pk, {})) for one in listed}


def _progress(one: UsageImport, row: Any) -> Progress:
    counts = {name: int(row.get(name) or 0) for name in COUNTS}
    finished = one.status in (ImportStatus.DONE, ImportStatus.FAILED)
    return Progress(int(row.get("done") or 0), int(row.get("chunks") or 0), counts, finished)


def quarantine(viewer: Viewer, usage_import: UsageImport | None = None) -> QuerySet[Quarantined]:
    """Lines that could not be used, of one import or of all."""
    found: QuerySet[Quarantined] = Quarantined.visible.for_viewer(viewer).select_related("usage_import")
    return found if usage_import is None else found.filter(usage_import=usage_import)


def told_otherwise(viewer: Viewer, usage_import: UsageImport) -> QuerySet[Reconciled]:
    """Live calls of which a file says something else than was known, by more than clocks differ; by id, as it says."""
    found: QuerySet[Reconciled] = Reconciled.visible.for_viewer(viewer).filter(usage_import=usage_import, odd=True)
    return found.select_related("live_call")


def waiting(viewer: Viewer) -> QuerySet[UsageHalf]:
    """Parts of calls whose other part has not come, newest first by id."""
    rows = UsageHalf.visible.for_viewer(viewer).filter(joined=False).exclude(side="")
    found: QuerySet[UsageHalf] = rows.select_related("source")
    return found
