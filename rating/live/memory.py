"""What a process remembers so that a live call need not ask the database for it again.

Only what never changes once written (ids of book accounts, frozen terms, partitions), and only when it was read outside
a transaction: what might still be rolled back is not taken for known.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from django.db import connection

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_all: list[Any] = []


class Memory(Generic[K, V]):
    """At most `most` values by key; when full, it begins anew."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[K, V] = {}
        _all.append(self)

    def get(self, key: K) -> V | None:
        return self._kept.get(key)

    def keep(self, key: K, value: V) -> V:
        if not connection.in_atomic_block:
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[key] = value
        return value

    def ask(self, key: K, make: Callable[[], V]) -> V:
        """The value remembered, or made now."""
        known = self._kept.get(key)
        return self.keep(key, make()) if known is None else known

    def forget(self) -> None:
        self._kept.clear()


def forget_all() -> None:
    """Remember nothing: another database is asked from now on."""
    for memory in _all:
        memory.forget()
