"""All proofs of all apps together, as `check_books` runs them."""

from __future__ import annotations

from collections.abc import Iterator

from accounts import books as money
from accounts.books import Violation
from invoicing import checks as paper
from rating import checks as calls


def violations() -> Iterator[Violation]:
    """Every stored figure that the rows it follows from do not bear out; nothing when the books are right."""
    yield from money.violations()
    yield from calls.violations()
    yield from paper.violations()
