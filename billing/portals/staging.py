"""A file between its upload and the decision: kept on disk, known only to the session that brought it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from tiers.errors import Invalid, NotFound
from tiers.ids import uuid7

MOST_KEPT = 3
MOST_NAME_CHARS = 200


@dataclass(frozen=True)
class StagedFile:
    """`about`: what was said with the upload, as text."""

    kind: str
    id: UUID
    name: str
    about: str = ""

    @property
    def path(self) -> Path:
        return Path(settings.MEDIA_ROOT) / self.kind / str(self.id)


def stage(
    request: HttpRequest, kind: str, name: str, blocks: Iterable[bytes], most_bytes: int, about: str = ""
) -> StagedFile:
    """Keep an upload until it is used or pushed out by later ones. Raises Invalid (too large)."""
    staged = StagedFile(kind, uuid7(), name[-MOST_NAME_CHARS:], about)
    content = bytearray()
    for block in blocks:
        content += block
        if len(content) > most_bytes:
            raise Invalid("too_large", _("The file is too large."), where="file")
    staged.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged.path.write_bytes(content)
    kept = request.session.get(kind, {})
    kept[str(staged.id)] = [staged.name, about]
    while len(kept) > MOST_KEPT:
        oldest = next(iter(kept))
        kept.pop(oldest)
        StagedFile(kind, UUID(oldest), "").path.unlink(missing_ok=True)
    request.session[kind] = kept
    return staged


def staged(request: HttpRequest, kind: str, key: UUID) -> StagedFile:
    """The file that this session brought. Raises NotFound for any other."""
    known = request.session.get(kind, {}).get(str(key))
    found = StagedFile(kind, key, *known) if known else None
    if found is None or not found.path.exists():
        raise NotFound("no_file", _("That file is not here any more. Choose it again."))
    return found


def forget(request: HttpRequest, file: StagedFile) -> None:
    file.path.unlink(missing_ok=True)
    kept = request.session.get(file.kind, {})
    kept.pop(str(file.id), None)
    request.session[file.kind] = kept
