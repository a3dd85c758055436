"""A usage file's way in: received whole, planned into chunks, worked by anybody who claims them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import ChunkStatus, ImportStatus, Source, UsageChunk, UsageImport
from rating.pricing.current import current_engine
from rating.services.chunk_work import COUNTS, Desk, Ready, open_import
from rating.services.leases import Lease, keeper
from rating.services.press import Press, guarded
from rating.services.receiving import receive_all
from rating.usage.occurrence import repeats_before
from rating.usage.protocol import UsageRefused
from tiers.errors import Invalid, TollgateError
from tiers.viewer import Actor

LINES_PER_CHUNK = 25_000
POLL_S = 0.5


def plan(import_id: UUID) -> UsageImport:
    """Understand the file and cut it into chunks, once. A file that cannot be read is refused with its reason."""
    with transaction.atomic():
        usage_import = UsageImport.objects.select_for_update().get(pk=import_id)
        if usage_import.status != ImportStatus.PLANNING:
            return usage_import
        try:
            _cut(usage_import)
        except UsageRefused as refused:
            usage_import.status = ImportStatus.FAILED
            usage_import.finished_at = timezone.now()
            usage_import.error = {
                "code": refused.code,
                "message": refused.message,
                "where": refused.where or usage_import.name,
                "hint": refused.hint,
            }
        usage_import.save()
        return usage_import


def _cut(usage_import: UsageImport) -> None:
    usage = open_import(usage_import)
    chunks = usage.chunks(LINES_PER_CHUNK)
    repeats: list[dict[bytes, int]] = [{} for _chunk in chunks]
    if not usage.parser.has_ids:
        repeats = repeats_before(usage, chunks)
    UsageChunk.objects.bulk_create(
        UsageChunk(
            usage_import=usage_import,
            index=chunk.index,
            byte_from=chunk.byte_from,
            byte_to=chunk.byte_to,
            first_line=chunk.first_line,
            lines=chunk.lines,
            repeats={content.hex(): times for content, times in seen.items()},
        )
        for chunk, seen in zip(chunks, repeats, strict=True)
    )
    usage_import.format = usage.format
    usage_import.encoding = usage.shape.encoding
    usage_import.lines = sum(chunk.lines for chunk in chunks)
    usage_import.status = ImportStatus.WORKING


def work(import_id: UUID) -> int:
    """Work chunks until none is free; how many were done. Any number of workers may do so at once."""
    usage_import = plan(import_id)
    desk: Desk | None = None

    def prepare(lease: Lease) -> Ready:
        nonlocal desk
        engine = current_engine()
        if desk is None or desk.engine is not engine:
            desk = Desk(usage_import, engine)
        return desk.prepare(lease)

    with keeper() as keep, Press(keep) as press:
        lease = keep.claim(import_id)
        while lease is not None:
            ready = guarded(lease, partial(prepare, lease))
            if ready is None:
                keep.let_go(lease)
            elif desk is not None and ready.halves:
                press.write_here(lease, partial(desk.join, ready))
                ready = None
            following = keep.claim(import_id)
            if ready is not None:
                press.put(ready, last=following is None)
            lease = following
    finish(import_id)
    return press.written


def finish(import_id: UUID) -> bool:
    """Close the import when its last chunk is done; whether it is closed."""
    chunks = UsageChunk.objects.filter(usage_import=import_id)
    if chunks.exclude(status__in=[ChunkStatus.DONE, ChunkStatus.FAILED]).exists():
        return False
    failed = chunks.filter(status=ChunkStatus.FAILED).values_list("index", "error").first()
    working = UsageImport.objects.filter(pk=import_id, status=ImportStatus.WORKING)
    if failed is None:
        working.update(status=ImportStatus.DONE, finished_at=timezone.now())
    else:
        message = _("Part %(part)d could not be worked: %(error)s") % {"part": failed[0] + 1, "error": failed[1]}
        error = {"code": "chunk_failed", "message": message, "where": None, "hint": _("The other parts are in.")}
        working.update(status=ImportStatus.FAILED, finished_at=timezone.now(), error=error)
    return True


def import_file(path: Path, source: Source, *, actor: Actor, name: str = "", format: str = "") -> UsageImport:
    """As `import_files`, for a file that is no archive of several; of one, its first file."""
    return import_files(path, source, actor=actor, name=name, format=format)[0]


def import_files(
    path: Path,
    source: Source,
    *,
    actor: Actor,
    name: str = "",
    format: str = "",
    mapping: dict[str, Any] | None = None,
) -> list[UsageImport]:
    """Receive, plan and work a file, or all files of an archive, here and now; workers may join in.

    Raises TollgateError when it is refused; of an archive, when all of its files are.
    """
    done = receive_all(source, _blocks(path), name or path.name, actor=actor, format=format, mapping=mapping)
    for usage_import in done:
        work(usage_import.pk)
        while not finish(usage_import.pk):
            time.sleep(POLL_S)
            work(usage_import.pk)
        usage_import.refresh_from_db()
    if all(usage_import.status == ImportStatus.FAILED for usage_import in done):
        raise refused(done[0])
    return done


def refused(usage_import: UsageImport) -> TollgateError:
    error = usage_import.error or {}
    return Invalid(
        error.get("code", "refused"),
        error.get("message", _("The file was refused.")),
        where=error.get("where"),
        hint=error.get("hint"),
    )


def counts(usage_import: UsageImport) -> dict[str, int]:
    """What became of the lines so far; read is the sum of the rest."""
    sums = UsageChunk.objects.filter(usage_import=usage_import).aggregate(**{name: Sum(name) for name in COUNTS})
    return {name: int(sums[name] or 0) for name in COUNTS}


def _blocks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block
