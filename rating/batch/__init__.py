"""The kernel's arithmetic over columns: a million numbers and calls at a time, for imports and re-rating.

No Django, no clock, no database. Whatever is not plain enough for columns goes to the kernel, row by row; the result
equals the kernel's to the last digit either way, and a property test says so.

    rates = RateColumns([rate, ...])
    priced = price_columns(rates, ids, duration_s, answered_us)

Modules: `digits` makes a number one integer, `intervals` cuts prefixes into stretches of such integers, `timelines`
tells in which segment of its line a point lies, `cells` is a map for columns, `growing` an array that grows; `scaled`
is a rate in integers, `walks` and `calendars` those with steps and bands, `prices` the columns of amounts.
"""

from __future__ import annotations

from rating.batch.prices import Priced, price_columns
from rating.batch.scaled import AMOUNT_PLACES, RateColumns
from rating.batch.times import NO_TIME, epoch_us

__all__ = ["AMOUNT_PLACES", "NO_TIME", "Priced", "RateColumns", "epoch_us", "price_columns"]
