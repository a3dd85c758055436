"""The columns' part of `./bench rating`: calls as a reader of files hands them over, side by side.

Not on the clock: making columns of the bench's calls, and turning amounts back for the comparison. On it: everything
from the number as dialled on.
"""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from billing.bench.world import Call
from rating.batch import AMOUNT_PLACES, epoch_us
from rating.models import Source
from rating.numbers import DialPlan
from rating.numbers.columns import normalise_column
from rating.pricing import Engine
from rating.pricing.columns import NONE, CallColumns, PricedColumns, price_calls


class Read(NamedTuple):
    """Calls as they were read, each column of shape (n,)."""

    dialled: NDArray[np.bytes_]
    customer: NDArray[Any]
    answered_us: NDArray[Any]
    duration_s: NDArray[Any]


class ColumnPricing:
    """One engine and one source, as a worker of the import has them."""

    def __init__(self) -> None:
        self._engine = Engine()
        self._plan = DialPlan.from_json(Source.objects.get(code="switch").dial_plan)
        self._places = {code: at for at, code in enumerate(self._engine.directory.by_code)}
        self._customers = [person.id for person in self._engine.directory.by_code.values()]

    def timed(self, calls: list[Call]) -> tuple[float, list[tuple[Decimal, ...]]]:
        """CPU seconds of this process, and what came out."""
        read = self._read(calls)
        started = time.process_time()
        priced = self._price(read)
        seconds = time.process_time() - started
        assert not priced.unpriced
        tiers = [tier.amount.tolist() for tier in priced.tiers]
        return seconds, [
            tuple(Decimal(one).scaleb(-AMOUNT_PLACES) for one in call) for call in zip(*tiers, strict=True)
        ]

    def _read(self, calls: list[Call]) -> Read:
        return Read(
            np.array([call.number for call in calls], dtype=np.bytes_),
            np.array([self._places[call.customer] for call in calls], np.int32),
            np.array([epoch_us(call.answered_at) for call in calls]),
            np.array([call.duration_s for call in calls]),
        )

    def _price(self, read: Read) -> PricedColumns:
        numbers = normalise_column(self._plan, read.dialled)
        assert not numbers.bad
        calls = CallColumns(
            customers=self._customers,
            customer=read.customer,
            number=numbers.e164,
            is_e164=numbers.is_e164,
            service_class=numbers.service_class,
            abroad=numbers.abroad,
            answered_us=read.answered_us,
            duration_s=read.duration_s,
            carriers=[],
            trunk=np.full(len(read.customer), NONE, np.int32),
        )
        return price_calls(self._engine, calls)
