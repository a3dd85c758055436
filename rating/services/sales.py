"""The sales of a batch side by side: one row for each rated call, which is one tier of one record."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rating.numbers.columns import NONE
from rating.pricing.columns import PricedColumns, TierColumns
from rating.services.sorting import Sorted

Ints = NDArray[np.int64]
Indexes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sales:
    """n sales. `row` is the record's in its Sorted; indexes point into the sequences of its PricedColumns.

    carrier and trunk: the chosen one and, at the top of the chain, the one that the record names (into
    `Keyed.carriers`). cost_found, cost: what the seller pays itself, NONE and 0 where it is not known. top: sold by
    the operator; cost_carrier: whom it pays for it, NONE below.
    """

    row: NDArray[np.intp]
    link: Indexes
    found: Indexes
    price_list: Indexes
    purse: Indexes
    sale: Ints
    tax: Ints
    billed_s: Ints
    chosen: Indexes
    trunk: Indexes
    cost_found: Indexes
    cost: Ints
    cost_carrier: Indexes

    def __len__(self) -> int:
        return len(self.row)

    def take(self, at: NDArray[Any]) -> Sales:
        return Sales(*(getattr(self, field.name)[at] for field in fields(self)))


def sales_of(sorted_: Sorted, wanted: NDArray[np.bool_]) -> Sales:
    """The sales of the wanted records (by row) among those that have prices, at every tier."""
    priced = sorted_.priced
    nothing = TierColumns.nothing(len(priced.charged))
    parts = [_tier(sorted_, wanted, *two) for two in pairwise((*priced.tiers, nothing))]
    parts = parts or [_tier(sorted_, wanted, nothing, nothing)]
    return Sales(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Sales)))


def _tier(sorted_: Sorted, wanted: NDArray[np.bool_], tier: TierColumns, above: TierColumns) -> Sales:
    priced: PricedColumns = sorted_.priced
    at = np.flatnonzero((tier.link != NONE) & wanted[sorted_.priced_rows])
    row = sorted_.priced_rows[at]
    top = above.link[at] == NONE
    trunk = sorted_.keyed.column("trunk")[row].astype(np.int32)
    return Sales(
        row=row,
        link=tier.link[at],
        found=tier.found[at],
        price_list=tier.price_list[at],
        purse=tier.purse[at],
        sale=tier.sale[at],
        tax=tier.tax[at],
        billed_s=tier.billed_s[at],
        chosen=priced.chosen[at],
        trunk=np.where(top, trunk, NONE).astype(np.int32),
        cost_found=np.where(top, priced.cost_found[at], above.found[at]).astype(np.int32),
        cost=np.where(top, priced.cost[at], above.sale[at]),
        cost_carrier=np.where(top, priced.cost_carrier[at], NONE).astype(np.int32),
    )
