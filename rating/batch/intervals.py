"""The prefixes of all tables cut into disjoint stretches of keys.

Prefixes nest or are disjoint, so their ends cut the line of keys into at most twice as many stretches as there are
prefixes, and all numbers of one stretch begin with the same prefixes. Where a number lies is then one binary search,
good for all tables at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from rating.batch.digits import NOT_A_NUMBER, SPANS, Ints, keys_of

NO_STRETCH: Final = -1


class Stretches:
    """Stretches are numbered from 0; more prefixes cut them finer."""

    def __init__(self) -> None:
        self.cuts: Ints = np.array([0], dtype=np.int64)

    def cut(self, prefixes: Iterable[str]) -> bool:
        """Cut at these prefixes too (digits); whether any stretch changed. Raises ValueError for other signs.

        A prefix longer than any number can be matches nothing, and cuts nothing.
        """
        written = list(prefixes)
        for prefix in written:
            if not (prefix.isascii() and prefix.isdigit()):
                raise ValueError(f"A prefix is made of digits: {prefix!r}")
        keys = keys_of(np.array(written, dtype=np.str_))
        lengths = np.array([len(prefix) for prefix in written], dtype=np.int64)[keys != NOT_A_NUMBER]
        keys = keys[keys != NOT_A_NUMBER]
        cuts = np.unique(np.concatenate([self.cuts, keys, keys + np.array(SPANS, dtype=np.int64)[lengths]]))
        changed = len(cuts) > len(self.cuts)
        self.cuts = cuts
        return changed

    def find(self, keys: Ints) -> Ints:
        """The stretch that each key lies in, NO_STRETCH for NOT_A_NUMBER; in order, so that neighbours share a path."""
        order = np.argsort(keys)
        stretches = np.empty(len(keys), dtype=np.int64)
        stretches[order] = np.searchsorted(self.cuts, keys[order], side="right") - 1
        return stretches
