"""Translations as the product reads them, made from the texts that people edit.

`django.po` is in git, `django.mo` is not: set-up makes it anew whenever its text is newer.
"""

from __future__ import annotations

import os
from pathlib import Path

from billing.dev.state import CLONE


def compile_all() -> None:
    """Brings every catalogue of the clone up to date."""
    for text in CLONE.glob("*/locale/*/LC_MESSAGES/django.po"):
        made = text.with_suffix(".mo")
        if not made.exists() or made.stat().st_mtime < text.stat().st_mtime:
            compile_one(text, made)


def compile_one(text: Path, made: Path) -> None:
    """One catalogue, replaced whole: others may be reading it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    beside = made.with_name(f"{made.name}.{os.getpid()}")
    with text.open("rb") as source, beside.open("wb") as target:
        write_mo(target, read_po(source))
    beside.replace(made)


if __name__ == "__main__":
    compile_all()
