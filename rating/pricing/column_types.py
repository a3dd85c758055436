"""Calls and their prices side by side: what goes into pricing by columns, and what comes out.

A column is one array for all calls of a chunk. Things that many calls share (rates, links, wallets) stand once in a
sequence, and the column holds indexes into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from rating.numbers.columns import CLASSES, NONE
from rating.pricing.directory import Link, Purse
from rating.pricing.engine import Unpriced
from rating.pricing.lists import Found

__all__ = ["CLASSES", "NONE", "CallColumns", "PricedColumns", "Registry", "TierColumns"]

Indexes = NDArray[np.int32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallColumns:
    """n calls, all answered, longer than 0 s, to numbers that are understood and neither internal nor an emergency.

    customer: indexes into `customers`. number: bytes, the digits of E.164 (or of a short number, where `is_e164` is
    False). service_class: indexes into CLASSES. answered_us: microseconds since 1970. trunk: indexes into `carriers`,
    NONE where the record names none.
    """

    customers: Sequence[UUID]
    customer: Indexes
    number: NDArray[np.bytes_]
    is_e164: Flags
    service_class: NDArray[np.int8]
    abroad: Flags
    answered_us: Ints
    duration_s: Ints
    carriers: Sequence[UUID]
    trunk: Indexes

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True, slots=True)
class TierColumns:
    """One position of the chain: 0 is the customer's seller, the last one that any call has the operator's sale to it.

    link, found, price_list, purse: indexes into the sequences of PricedColumns; NONE where a call has no such tier, or
    no price. amount, sale, tax: whole units of 10**-6, as in TierPrice; 0 where there is none.
    """

    link: Indexes
    found: Indexes
    price_list: Indexes
    purse: Indexes
    amount: Ints
    sale: Ints
    tax: Ints
    billed_s: Ints

    @classmethod
    def nothing(cls, count: int) -> TierColumns:
        link, found, price_list, purse = (np.full(count, NONE, np.int32) for _ in range(4))
        amount, sale, tax, billed_s = (np.zeros(count, np.int64) for _ in range(4))
        return cls(link, found, price_list, purse, amount, sale, tax, billed_s)


@dataclass(frozen=True, slots=True)
class PricedColumns:
    """The prices of n calls at every tier; an unpriced call has none at any.

    Sequences belong to the engine and only grow: while `founds` is the same object, an index means the same rate.
    chosen: the customer's carrier for calls abroad, index into `carriers`, else NONE. cost_carrier: who carried it,
    index into `carriers`; NONE where nobody did. cost_found and cost (in 10**-6): by the carrier's table; NONE and 0
    where its cost is not known. unpriced: by row, why there is no price.
    """

    tiers: Sequence[TierColumns]
    links: Sequence[Link]
    founds: Sequence[Found]
    lists: Sequence[UUID]
    purses: Sequence[Purse]
    carriers: Sequence[UUID]
    chosen: Indexes
    cost_carrier: Indexes
    cost_found: Indexes
    cost: Ints
    charged: Flags
    unpriced: dict[int, Unpriced]


class Registry(Generic[T]):
    """A sequence that only grows, and the place of each thing in it."""

    __slots__ = ("_places", "things")

    def __init__(self) -> None:
        self.things: list[T] = []
        self._places: dict[Any, int] = {}

    def place(self, thing: T, key: object = None) -> int:
        """Where it stands; added if it is new. `key` tells it from others, absent its own hash does."""
        known = thing if key is None else key
        place = self._places.get(known)
        if place is None:
            self.things.append(thing)
            place = self._places[known] = len(self.things) - 1
        return place
