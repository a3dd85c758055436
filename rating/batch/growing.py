"""Columns that grow: room is doubled, so that adding one at a time stays cheap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Growing:
    """Rows of one width, `view` shows those there are. What has no row yet, index -1 among it, reads as `empty`."""

    __slots__ = ("_empty", "_room", "count")

    def __init__(self, empty: int | Sequence[int], dtype: type = np.int64) -> None:
        self._empty: NDArray[Any] = np.array(empty, dtype=dtype)
        self._room = np.full((16, *self._empty.shape), self._empty, dtype=dtype)
        self.count = 0

    @property
    def view(self) -> NDArray[Any]:
        return self._room[: self.count]

    @property
    def padded(self) -> NDArray[Any]:
        """All rows and at least one empty one behind them: index -1 is empty."""
        return self._room

    def extend(self, values: Iterable[Any]) -> None:
        """Append rows."""
        rows = np.asarray(values if isinstance(values, (list, np.ndarray)) else list(values), dtype=self._room.dtype)
        wanted = self.count + len(rows)
        if wanted >= len(self._room):
            room = np.full((2 * wanted, *self._empty.shape), self._empty, dtype=self._room.dtype)
            room[: self.count] = self.view
            self._room = room
        self._room[self.count : wanted] = rows
        self.count = wanted
