"""A usage file is received: stored as it comes, unpacked where it is packed, and one import opened for each file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from rating.models import ImportStatus, Source, UsageImport
from rating.usage.packed import PLAIN, Bounds, kind_of, unpack
from rating.usage.protocol import UsageRefused
from tiers.errors import Invalid
from tiers.ids import uuid7
from tiers.viewer import Actor


class Stored(NamedTuple):
    """A file in the media folder, under the id that its import will have."""

    id: UUID
    name: str
    path: Path
    size: int
    digest: str


def receive(source: Source, blocks: Iterable[bytes], name: str, *, actor: Actor, format: str = "") -> UsageImport:
    """As `receive_all`; the first import. Those of the other files in an archive are worked all the same."""
    return receive_all(source, blocks, name, actor=actor, format=format)[0]


def receive_all(
    source: Source,
    blocks: Iterable[bytes],
    name: str,
    *,
    actor: Actor,
    format: str = "",
    mapping: dict[str, Any] | None = None,
    once: bool = False,
) -> list[UsageImport]:
    """Store a file and open its import; of an archive, one for each file in it, all or none.

    `format` and `mapping` are the source's unless given; a mapping counts where the format is left to be recognised.
    `once`: a file that came from this source before, byte by byte, gives the import it had then, unless that failed.

    Raises Invalid: `too_large`, or the codes of `packed.unpack`.
    """
    stored = _store(blocks, name, settings.UPLOAD_MAX_BYTES)
    files, archive_id = [stored], None
    try:
        if kind_of(stored.path) != PLAIN:
            files, archive_id = _unpack(stored), stored.id
            stored.path.unlink()
    except UsageRefused as refused:
        stored.path.unlink()
        raise Invalid(refused.code, refused.message, where=name, hint=refused.hint) from refused
    known = _known(source, files) if once else {}
    for file in files:
        if file.digest in known:
            file.path.unlink()
    with transaction.atomic():
        return [
            known.get(file.digest)
            or UsageImport.objects.create(
                id=file.id,
                source=source,
                name=file.name[-255:],
                path=f"usage/{file.id}",
                size=file.size,
                digest=file.digest,
                format=format or source.format,
                mapping=source.mapping if mapping is None else mapping,
                archive=name[-255:] if archive_id else "",
                archive_id=archive_id,
                actor=actor.label,
                actor_id=actor.member_id,
            )
            for file in files
        ]


def _known(source: Source, files: list[Stored]) -> dict[str, UsageImport]:
    """Imports of the same bytes that did not fail, the first of each."""
    same = UsageImport.objects.filter(source=source, digest__in=[file.digest for file in files])
    found = same.exclude(status=ImportStatus.FAILED).order_by("-id")
    return {one.digest: one for one in found}


def _store(blocks: Iterable[bytes], name: str, most: int) -> Stored:
    pk = uuid7()
    path = Path(settings.MEDIA_ROOT) / f"usage/{pk}"
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("wb") as file:
            for block in blocks:
                size += len(block)
                if size > most:
                    raise Invalid(
                        "too_large",
                        _("The file is larger than %d MB.") % (most // 2**20),
                        where=name,
                        hint=_("Split it, or send it by day."),
                    )
                digest.update(block)
                file.write(block)
    except BaseException:
        path.unlink()
        raise
    return Stored(pk, name, path, size, digest.hexdigest())


def _unpack(packed: Stored) -> list[Stored]:
    bounds = Bounds(settings.UNPACKED_MAX_BYTES, settings.UNPACKED_MAX_RATIO, settings.UNPACKED_MAX_FILES)
    files: list[Stored] = []
    try:
        members = unpack(packed.path, packed.name, bounds)
        files.extend(_store(member.blocks, member.name, bounds.bytes) for member in members)
    except BaseException:
        for file in files:
            file.path.unlink()
        raise
    return files
