"""Watched folders: what a switch drops into its source's folder becomes an import.

A file passes `<base>/<source>/`, `working/`, then `done/` or `refused/` with its reason beside it. Where it lies says
what is next, so a worker that dies at any point is carried on by the next look; a file taken twice is received once,
by its digest. Nobody but the installation's environment says where the base is.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from rating.models import ImportStatus, Source, UsageImport
from rating.services.receiving import receive_all
from tiers.errors import TollgateError
from tiers.viewer import Actor

ACTOR = Actor("watched folder")
QUIET = timedelta(seconds=10)
UNFINISHED = (".part", ".tmp", ".filepart", ".partial", ".crdownload", ".swp")
WORKING, DONE, REFUSED, SEEN, LOCK, REASON = "working", "done", "refused", ".seen", ".lock", ".reason.txt"
MOST_AT_ONCE, MOST_SHOWN = 50, 20
BLOCK_BYTES = 1 << 20
Looks = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class FolderState:
    """What a page shows of a folder: names that wait or are worked, and refused ones with their reasons."""

    path: str
    waiting: list[str] = field(default_factory=list)
    working: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    done: int = 0


def folder_of(source: Source) -> Path | None:
    """Where the source's files are dropped; None where no base is set. A source's code is safe in a path."""
    return Path(settings.USAGE_FOLDER) / source.code if settings.USAGE_FOLDER else None


def pick_up(now: datetime | None = None) -> list[UUID]:
    """Look into the folders of all active sources; imports that want a worker."""
    found: list[UUID] = []
    for source in Source.objects.filter(active=True).select_related("owner", "customer").order_by("code"):
        folder = folder_of(source)
        if folder is not None:
            with _alone(folder) as is_alone:
                if is_alone:
                    found += _look(source, folder, now or timezone.now())
    return found


def folder_state(source: Source) -> FolderState | None:
    """None where folders are not watched."""
    folder = folder_of(source)
    if folder is None:
        return None
    waiting = sorted(name for name, _size, _changed in _files(folder))
    working = [path.name.partition("~")[2] or path.name for path in _inside(folder / WORKING)]
    refused = [
        (path.name.removesuffix(REASON), path.read_text(encoding="utf-8").strip())
        for path in _inside(folder / REFUSED)
        if path.name.endswith(REASON)
    ]
    done = len(_inside(folder / DONE))
    return FolderState(str(folder), waiting[:MOST_SHOWN], working[:MOST_SHOWN], refused[-MOST_SHOWN:], done)


def _look(source: Source, folder: Path, now: datetime) -> list[UUID]:
    for path in _complete(folder, now)[:MOST_AT_ONCE]:
        path.rename(_free(folder / WORKING / path.name))
    found: list[UUID] = []
    for path in _inside(folder / WORKING):
        found += _carry_on(source, folder, path, now)
    return found


def _carry_on(source: Source, folder: Path, path: Path, now: datetime) -> list[UUID]:
    """The next step of a file in `working`: received, or finished."""
    key, mark, name = path.name.partition("~")
    if not mark:
        try:
            with path.open("rb") as file:
                made = receive_all(source, iter(lambda: file.read(BLOCK_BYTES), b""), path.name, actor=ACTOR, once=True)
        except TollgateError as refused:
            _put_away(path, folder / REFUSED, path.name, now, " ".join(filter(None, [refused.message, refused.hint])))
            return []
        path.rename(path.with_name(f"{made[0].pk}~{path.name}"))
        return [one.pk for one in made if one.status == ImportStatus.PLANNING]
    imports = _imports(UUID(key))
    failed = [one for one in imports if one.status == ImportStatus.FAILED]
    if any(one.finished_at is None for one in imports):
        return []
    why = " ".join(str((one.error or {}).get("message", "")) for one in failed)
    _put_away(path, folder / (REFUSED if failed else DONE), name, now, why)
    return []


def _imports(key: UUID) -> list[UsageImport]:
    """The import of a file; of an archive, all of its files'."""
    first = UsageImport.objects.filter(pk=key).first()
    if first is None or first.archive_id is None:
        return [first] if first else []
    return list(UsageImport.objects.filter(archive_id=first.archive_id))


def _put_away(path: Path, folder: Path, name: str, now: datetime, why: str) -> None:
    """Move a file where it stays; the reason is there before the file is, so a crash leaves none without."""
    target = _free(folder / f"{now:%Y%m%dT%H%M%SZ}-{name}")
    if why:
        target.with_name(target.name + REASON).write_text(f"{why}\n", encoding="utf-8")
    path.rename(target)


def _complete(folder: Path, now: datetime) -> list[Path]:
    """Files whose size and time are those of an earlier look, at least ten seconds ago: nobody is writing any more."""
    seen_path = folder / SEEN
    try:
        before: Looks = json.loads(seen_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    moment, complete, seen = int(now.timestamp()), [], Looks()
    for name, size, changed in _files(folder):
        known = before.get(name)
        since = known[2] if known and known[:2] == [size, changed] else moment
        seen[name] = [size, changed, since]
        if moment - since >= QUIET.total_seconds():
            complete.append(folder / name)
    new = seen_path.with_suffix(".new")
    new.write_text(json.dumps(seen), encoding="utf-8")
    new.replace(seen_path)
    return sorted(complete, key=lambda path: seen[path.name][1])


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """(name, size, time of the last change) of plain files that may be finished; no links, no folders."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED) or not entry.name.isprintable():
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                yield entry.name, status.st_size, status.st_mtime_ns


def _inside(folder: Path) -> list[Path]:
    return sorted(folder / name for name, _size, _changed in _files(folder))


def _free(path: Path) -> Path:
    """The path, or with a number where something lies there already."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{number}-{path.name}")
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """The folder made, and whether nobody else looks into it now. A dead process lets go by itself."""
    for one in (folder, folder / WORKING, folder / DONE, folder / REFUSED):
        one.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
