"""Instants as one integer: microseconds since 1970 in UTC, exact, as columns hold them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from rating.kernel import RateError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND_US: Final = 1_000_000
NO_TIME: Final = int(np.iinfo(np.int64).min)
"""Stands for an absent time, as NaT does in NumPy."""
FOR_EVER: Final = int(np.iinfo(np.int64).max)


def epoch_us(moment: datetime) -> int:
    """Microseconds since 1970; `moment` carries its offset from UTC."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(us: int) -> datetime | None:
    """The instant again; None for NO_TIME. Raises RateError for one that no calendar has."""
    if us == NO_TIME:
        return None
    try:
        return EPOCH + us * MICROSECOND
    except OverflowError:
        raise RateError("answered_at", "must lie in the years 1900 to 9998") from None
