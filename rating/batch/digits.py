"""A number as one integer, so that a prefix is a stretch of integers and a search is a comparison.

Base 11, left-aligned: digit d is d + 1, and 0 is "no digit here". So the length is part of the key: 44 stands before
every number that goes on from it, and is never taken for 440, as it would be if it were filled up with zeros.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 18
"""Digits that fit into 63 bits. E.164 has at most 15; longer numbers are found nowhere."""
BASE: Final = 11
NOT_A_NUMBER: Final = -1
SPANS: Final = tuple(BASE ** (WIDTH - length) for length in range(WIDTH + 1))
"""How many keys a prefix of this length covers."""

Ints = NDArray[np.int64]
_NOTHING, _BAD = 0, 99
_DIGIT_OF_BYTE = np.full(256, _BAD, dtype=np.uint8)
_DIGIT_OF_BYTE[0] = _NOTHING
_DIGIT_OF_BYTE[ord("0") : ord("9") + 1] = np.arange(1, 11)


def keys_of(numbers: NDArray[Any]) -> Ints:
    """The keys of numbers written in digits alone (an array of bytes or text, shape (n,)), as int64.

    NOT_A_NUMBER for what is empty, holds anything but the digits 0 to 9, or has more than WIDTH of them.
    """
    keys = np.zeros(len(numbers), dtype=np.int64)
    bad = np.zeros(len(numbers), dtype=bool)
    ended = np.zeros(len(numbers), dtype=bool)
    columns = _characters(numbers)
    for place, characters in enumerate(columns):
        digit = _DIGIT_OF_BYTE[characters]
        here = digit != _NOTHING
        bad |= (digit == _BAD) | (here & ended)
        ended |= ~here
        if place < WIDTH:
            keys *= BASE
            keys += digit
        else:
            bad |= here
    keys *= SPANS[min(len(columns), WIDTH)]
    keys[bad | (keys == 0)] = NOT_A_NUMBER
    return keys


def _characters(numbers: NDArray[Any]) -> NDArray[np.uint8]:
    """The characters by place, shape (longest, n); 0 where a number has ended."""
    if numbers.dtype.kind not in "SU":
        numbers = np.asarray(numbers, dtype=np.str_)
    longest = numbers.dtype.itemsize if numbers.dtype.kind == "S" else numbers.dtype.itemsize // 4
    code = np.uint8 if numbers.dtype.kind == "S" else np.uint32
    cells = np.ascontiguousarray(numbers).view(code).reshape(len(numbers), longest)
    return np.ascontiguousarray(np.minimum(cells, 255).astype(np.uint8).T)
