"""A deck between its upload and the decision: kept as a file, known only to the session that brought it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from tiers.errors import Invalid, NotFound
from tiers.ids import uuid7

KEY = "decks"
MOST_KEPT = 5
MOST_NAME_CHARS = 255


@dataclass(frozen=True)
class StagedDeck:
    """`answers` are those given so far; `effective` replaces the deck's own dates."""

    id: UUID
    table: str
    name: str
    effective: datetime | None
    answers: dict[str, str]

    @property
    def path(self) -> Path:
        return Path(settings.MEDIA_ROOT) / "decks" / f"{self.id}{Path(self.name).suffix.lower()[:8]}"


def stage(
    request: HttpRequest, table: str, name: str, blocks: Iterable[bytes], effective: datetime | None
) -> StagedDeck:
    """Keep an uploaded deck until it is imported or pushed out by later ones. Raises Invalid (too large)."""
    deck = StagedDeck(uuid7(), table, name[-MOST_NAME_CHARS:], effective, {})
    deck.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    size = 0
    with deck.path.open("wb") as file:
        for block in blocks:
            size += len(block)
            if size > settings.UPLOAD_MAX_BYTES:
                break
            file.write(block)
    if size > settings.UPLOAD_MAX_BYTES:
        deck.path.unlink()
        raise Invalid("too_large", _("The file is larger than 512 MB; a deck is not."), where="file")
    _store(request, deck)
    return deck


def staged(request: HttpRequest, key: UUID) -> StagedDeck:
    """The deck that this session brought. Raises NotFound for any other."""
    kept = request.session.get(KEY, {}).get(str(key))
    if kept is None:
        raise NotFound("no_deck", _("This deck is not here any more; upload it again."))
    effective = datetime.fromisoformat(kept["effective"]) if kept["effective"] else None
    deck = StagedDeck(key, kept["table"], kept["name"], effective, dict(kept["answers"]))
    if not deck.path.is_file():
        raise NotFound("no_deck", _("This deck is not here any more; upload it again."))
    return deck


def answer(request: HttpRequest, deck: StagedDeck, answers: dict[str, str]) -> StagedDeck:
    """The same deck with more questions answered."""
    more = StagedDeck(deck.id, deck.table, deck.name, deck.effective, {**deck.answers, **answers})
    _store(request, more)
    return more


def forget(request: HttpRequest, deck: StagedDeck) -> None:
    deck.path.unlink(missing_ok=True)
    kept = request.session.get(KEY, {})
    kept.pop(str(deck.id), None)
    request.session[KEY] = kept


def _store(request: HttpRequest, deck: StagedDeck) -> None:
    kept = request.session.get(KEY, {})
    kept[str(deck.id)] = {
        "table": deck.table,
        "name": deck.name,
        "effective": deck.effective.isoformat() if deck.effective else "",
        "answers": deck.answers,
    }
    while len(kept) > MOST_KEPT:
        oldest = next(iter(kept))
        StagedDeck(UUID(oldest), "", kept.pop(oldest)["name"], None, {}).path.unlink(missing_ok=True)
    request.session[KEY] = kept
