"""What the ORM cannot say, as SQL, run by migrations and readable as a whole."""

from __future__ import annotations

from pathlib import Path


def read(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
