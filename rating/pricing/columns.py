"""A chunk of calls priced at every tier at once: what `Engine.price` says of each, as columns.

priced = price_calls(engine, calls)
"""

from __future__ import annotations

from uuid import UUID

import numpy as np

from rating.pricing.column_rows import price_rows
from rating.pricing.column_types import CLASSES, NONE, CallColumns, PricedColumns, Registry, TierColumns
from rating.pricing.directory import Link, Purse
from rating.pricing.engine import Engine
from rating.pricing.lists import Found

__all__ = ["CLASSES", "NONE", "CallColumns", "PricedColumns", "TierColumns", "price_calls"]


class ColumnBook:
    """What an engine keeps for pricing by columns."""

    def __init__(self) -> None:
        self.links = Registry[Link]()
        self.founds = Registry[Found]()
        self.lists = Registry[UUID]()
        self.purses = Registry[Purse]()
        self.carriers = Registry[UUID]()


def price_calls(engine: Engine, calls: CallColumns) -> PricedColumns:
    """Price calls at every tier; equal to `Engine.price` call by call, to the last digit."""
    if engine.columns is None:
        engine.columns = ColumnBook()
    seen = engine.columns
    assert isinstance(seen, ColumnBook)
    count = len(calls)
    priced = PricedColumns(
        tiers=[],
        links=seen.links.things,
        founds=seen.founds.things,
        lists=seen.lists.things,
        purses=seen.purses.things,
        carriers=seen.carriers.things,
        chosen=np.full(count, NONE, np.int32),
        cost_carrier=np.full(count, NONE, np.int32),
        cost_found=np.full(count, NONE, np.int32),
        cost=np.zeros(count, np.int64),
        charged=np.zeros(count, np.bool_),
        unpriced={},
    )
    price_rows(engine, calls, range(count), priced, seen)
    return priced
