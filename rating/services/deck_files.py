"""A deck from its upload to the yes: kept, read, asked about, shown, and only then written.

A row carries it through, so that a page, the API and a worker see the same. A small file is worked at once, a large one
by a worker; what a lost worker left is found by `stale_decks`. The import itself is one transaction with the row's
`done`: it happens once, however often it is tried.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.decks import Deck, DeckQuestions, DeckRefused, Question, Sample, sample
from rating.models import DeckFile, DeckStatus, RateTable
from rating.services.deck_compare import diff
from rating.services.deck_memory import remember
from rating.services.decks import merge_deck, read_for
from tiers.errors import Conflict, Invalid
from tiers.ids import uuid7
from tiers.services.writing import written_by
from tiers.viewer import Actor

AT_ONCE_BYTES = 512 * 1024
MOST_BYTES = 200 * 1024 * 1024
MOST_REJECTED, MOST_FIRST_ROWS, FIRST_LINES = 100, 10, 300
FORGOTTEN = timedelta(seconds=90)
KEPT = timedelta(days=14)
OPEN = (DeckStatus.ASKING, DeckStatus.READY, DeckStatus.REFUSED)


def receive_deck(
    table: RateTable,
    blocks: Iterable[bytes],
    name: str,
    *,
    actor: Actor,
    effective: datetime | None = None,
    answers: Mapping[str, str] | None = None,
    mapping: Mapping[str, str] | None = None,
) -> DeckFile:
    """Keep a file to be read; `work_deck` goes on with it. Raises Invalid (too large)."""
    pk = uuid7()
    relative = f"decks/{pk}{Path(name).suffix.lower()[:8]}"
    path = Path(settings.MEDIA_ROOT) / relative
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for block in blocks:
            size += len(block)
            if size > MOST_BYTES:
                break
            digest.update(block)
            file.write(block)
    if size > MOST_BYTES:
        path.unlink()
        raise Invalid("too_large", _("The file is larger than 200 MB; a deck is not."), where="file")
    return DeckFile.objects.create(
        id=pk, table=table, name=name[-255:], path=relative, size=size, digest=digest.hexdigest(), effective=effective,
        answers=dict(answers or {}), mapping=dict(mapping or {}), actor=actor.label, actor_id=actor.member_id,
    )  # fmt: skip


def is_quick(deck: DeckFile) -> bool:
    """Whether it is read while the person waits."""
    return deck.size <= AT_ONCE_BYTES


def path_of(deck: DeckFile) -> Path:
    """Where the file lies while it is not decided."""
    return Path(settings.MEDIA_ROOT) / deck.path


def work_deck(deck_id: UUID) -> DeckFile:
    """Do what is next: look at the file, or bring it in. Done already: nothing."""
    deck = DeckFile.objects.select_related("table").get(pk=deck_id)
    if not deck.at_work:
        return deck
    try:
        if deck.status == DeckStatus.READING:
            _look(deck)
        else:
            _bring_in(deck)
    except DeckQuestions as asked:
        questions = [asdict(question) for question in asked.questions]
        _became(deck, DeckStatus.ASKING, questions=questions, preview=None, error=None)
    except Invalid as refused:
        status = DeckStatus.ASKING if refused.code == "no_header" else DeckStatus.REFUSED
        _became(deck, status, questions=[], preview=None, error=refused.to_json())
    deck.refresh_from_db()
    return deck


def answer_deck(
    deck: DeckFile,
    *,
    actor: Actor,
    answers: Mapping[str, str] | None = None,
    mapping: Mapping[str, str] | None = None,
    effective: datetime | None = None,
) -> DeckFile:
    """More answers, or other columns (empty: as the header tells); it is looked at anew. Raises Conflict."""
    with transaction.atomic():
        deck = _open_deck(deck)
        deck.answers = {**deck.answers, **(answers or {})}
        if mapping is not None:
            deck.mapping = dict(mapping)
        deck.effective = effective or deck.effective
        deck.actor, deck.actor_id = actor.label, actor.member_id
        deck.status = DeckStatus.READING
        deck.save()
    return deck


def token_of(deck: DeckFile) -> str:
    """Names exactly what the preview showed: a yes given for anything else is refused."""
    seen = [str(deck.pk), deck.seen_version, deck.answers, deck.mapping, str(deck.effective)]
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:32]


def confirm_deck(deck: DeckFile, token: str, *, actor: Actor, keep: bool = True) -> DeckFile:
    """Yes to what was shown; `work_deck` brings it in. `keep`: remember answers and columns with the carrier.

    The same yes again is no error. Raises Conflict where something else was shown.
    """
    with transaction.atomic():
        deck = DeckFile.objects.select_for_update().select_related("table").get(pk=deck.pk)
        if token != token_of(deck):
            raise Conflict("shown_otherwise", _("What this deck changes is not what you were shown. Look again."))
        if deck.status in (DeckStatus.IMPORTING, DeckStatus.DONE):
            return deck
        if deck.status != DeckStatus.READY:
            raise Conflict("not_ready", _("This deck has not been looked at yet."))
        if keep and (deck.answers or deck.mapping):
            remember(deck.table, deck.answers, _lasting(deck), actor=actor)
        deck.status, deck.actor, deck.actor_id = DeckStatus.IMPORTING, actor.label, actor.member_id
        deck.save()
    return deck


def discard_deck(deck: DeckFile) -> None:
    """No; the file goes. Raises Conflict once it is being imported."""
    with transaction.atomic():
        deck = _open_deck(deck)
        deck.status = DeckStatus.DISCARDED
        deck.save()
    path_of(deck).unlink(missing_ok=True)


def stale_decks() -> list[UUID]:
    """Decks whose worker, or whose message to one, was lost; and the files of those nobody decided on go."""
    now = timezone.now()
    for old in DeckFile.objects.filter(status__in=OPEN, changed_at__lt=now - KEPT):
        discard_deck(old)
    at_work = DeckFile.objects.filter(status__in=(DeckStatus.READING, DeckStatus.IMPORTING))
    return list(at_work.filter(changed_at__lt=now - FORGOTTEN).values_list("pk", flat=True))


def sample_of(deck: DeckFile) -> Sample | None:
    """The first lines as cells; None where not even that can be read."""
    try:
        return sample(path_of(deck), deck.answers)
    except (DeckRefused, DeckQuestions, OSError):
        return None


def first_rows(
    deck: DeckFile, mapping: Mapping[str, str], answers: Mapping[str, str]
) -> tuple[Deck | None, str, tuple[Question, ...]]:
    """(the first lines as they would be read, why not, what would be asked)."""
    try:
        given = {**deck.answers, **answers}
        read = read_for(
            deck.table, path_of(deck), timezone.now(), effective=deck.effective, answers=given,
            mapping=mapping or None, most_lines=FIRST_LINES,
        )  # fmt: skip
    except DeckQuestions as asked:
        return None, "", asked.questions
    except Invalid as refused:
        return None, refused.message, ()
    return read, "", ()


def _look(deck: DeckFile) -> None:
    version = RateTable.objects.values_list("version", flat=True).get(pk=deck.table_id)
    read, now = _read(deck)
    found = diff(deck.table, read, now)
    preview = {
        "read": read.read,
        "rejected": len(read.rejected),
        "rejected_some": [line._asdict() for line in read.rejected[:MOST_REJECTED]],
        "warnings": read.warnings,
        "columns": read.columns,
        **found.to_json(),
    }
    _became(deck, DeckStatus.READY, preview=preview, questions=None, error=None, seen_version=version)


def _bring_in(deck: DeckFile) -> None:
    read, now = _read(deck)
    actor = Actor(deck.actor, deck.actor_id)
    with written_by(actor):
        standing = DeckFile.objects.select_for_update().select_related("table").get(pk=deck.pk)
        if standing.status != DeckStatus.IMPORTING:
            return
        table = RateTable.objects.select_for_update(no_key=True).get(pk=deck.table_id)
        if table.version != deck.seen_version:
            standing.status = DeckStatus.READING
            standing.save()
        else:
            done = merge_deck(table, read, now)
            standing.status, standing.result = DeckStatus.DONE, _counts(done.to_json())
            standing.save()
    if standing.status == DeckStatus.DONE:
        path_of(deck).unlink(missing_ok=True)
    else:
        work_deck(deck.pk)


def _read(deck: DeckFile) -> tuple[Deck, datetime]:
    now = timezone.now()

    def progress(read: int, lines: int) -> None:
        DeckFile.objects.filter(pk=deck.pk).update(lines_read=read, lines=lines, changed_at=timezone.now())

    read = read_for(
        deck.table, path_of(deck), now, effective=deck.effective, answers=deck.answers, mapping=deck.mapping or None,
        progress=None if is_quick(deck) else progress,
    )  # fmt: skip
    return read, now


def _counts(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "rejected": len(result["rejected"])}


def _became(deck: DeckFile, status: DeckStatus, **values: Any) -> None:
    """A new state, unless somebody else moved the deck on meanwhile."""
    found = DeckFile.objects.filter(pk=deck.pk, status=deck.status)
    found.update(status=status, changed_at=timezone.now(), **values)


def _open_deck(deck: DeckFile) -> DeckFile:
    locked: DeckFile = DeckFile.objects.select_for_update().select_related("table").get(pk=deck.pk)
    if locked.status not in OPEN and locked.status != DeckStatus.READING:
        raise Conflict("decided", _("This deck is decided already: %s.") % locked.get_status_display())
    return locked


def _lasting(deck: DeckFile) -> dict[str, str]:
    """The columns by their names, where the file has names, so that they are found wherever they stand next time."""
    named = {role: name for role, name in (deck.preview or {}).get("columns", {}).items() if role in deck.mapping}
    is_named = named.keys() == deck.mapping.keys() and not any(name.startswith("#") for name in named.values())
    return named if is_named else dict(deck.mapping)
