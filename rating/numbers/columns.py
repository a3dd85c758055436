"""A column of dialled numbers normalised at once: what `DialPlan.normalise` says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rating.numbers.names import is_abroad
from rating.numbers.number import BadNumber, Number, ServiceClass
from rating.numbers.plan import DialPlan

NONE: Final = -1
"""Stands for "there is none" in a column of indexes."""
CLASSES: Final = tuple(ServiceClass)
"""What the column of service classes points into."""
_PLACES: Final = {kind: place for place, kind in enumerate(CLASSES)}


@dataclass(frozen=True, slots=True)
class NumberColumns:
    """n numbers. A bad one has no digits, service class NONE and is not abroad.

    e164: bytes, the digits of Number.e164. service_class: indexes into CLASSES. abroad: the call leaves the home
    country. bad: by row, what could not be understood.
    """

    e164: NDArray[np.bytes_]
    is_e164: NDArray[np.bool_]
    service_class: NDArray[np.int8]
    abroad: NDArray[np.bool_]
    bad: dict[int, BadNumber]


def normalise_column(plan: DialPlan, dialled: Sequence[str] | NDArray[Any]) -> NumberColumns:
    """Normalise numbers as dialled (text, or bytes in UTF-8)."""
    texts = [one.decode() if isinstance(one, bytes) else str(one) for one in dialled]
    count = len(texts)
    columns = NumberColumns(
        np.zeros(count, "S15"), np.zeros(count, np.bool_), np.full(count, NONE, np.int8), np.zeros(count, np.bool_), {}
    )
    digits = []
    for row, text in enumerate(texts):
        number = plan.normalise(text)
        digits.append(number.e164.encode() if isinstance(number, Number) else b"")
        if isinstance(number, BadNumber):
            columns.bad[row] = number
            continue
        columns.is_e164[row] = number.is_e164
        columns.service_class[row] = _PLACES[number.service_class]
        columns.abroad[row] = is_abroad(number, plan.home_country)
    return NumberColumns(
        np.array(digits or [b""], np.bytes_)[:count],
        columns.is_e164,
        columns.service_class,
        columns.abroad,
        columns.bad,
    )
