"""What the stories about decks share: where decks lie, the moment of import, and a reader of decks given as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rating.decks import Deck, read_deck

HERE = Path(__file__).parent / "fixtures" / "decks"
FIELD_DATA = Path(__file__).parents[3] / "shared" / "data"
NOW = datetime(2027, 6, 6, 12, tzinfo=UTC)

Reader = Callable[..., Deck]


def reader(folder: Path) -> Reader:
    """A function that writes text or bytes to a file and reads it as a deck."""

    def read(content: str | bytes, **given: Any) -> Deck:
        path = folder / "deck.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_deck(path, now=given.pop("now", NOW), **given)

    return read


def prices(deck: Deck) -> dict[str, str]:
    """Prefix to price, as text without trailing zeros."""
    return {row.prefix: "closed" if row.price is None else f"{row.price.normalize():f}" for row in deck.rows}
