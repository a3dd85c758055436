"""Amounts split into what is posted and its tax, by columns: `engine.split_tax` on many calls at once."""

from __future__ import annotations

from math import gcd
from typing import Final, NamedTuple

import numpy as np

from rating.batch.digits import Ints
from rating.batch.scaled import LARGEST
from rating.pricing.column_types import Flags
from rating.pricing.directory import Tax


class Share(NamedTuple):
    """`part / whole` of the amount, in smallest numbers; `included` is 1 where the tax is inside the amount."""

    part: int
    whole: int
    included: int


NO_TAX: Final = Share(0, 1, 0)


def share_of(tax: Tax | None) -> Share:
    """The share by which `split_tax` takes a prepaid wallet's tax."""
    if tax is None or not tax.rate:
        return NO_TAX
    part, percent = tax.rate.as_integer_ratio()
    whole = 100 * percent + (part if tax.included else 0)
    common = gcd(part, whole)
    return Share(part // common, whole // common, int(tax.included))


def split_taxes(amounts: Ints, prepaid: Flags, links: Ints, shares: Ints) -> tuple[Ints, Ints]:
    """(sale, tax) in whole units of 10**-6, tax half up. `shares`: the Share of each link, one row each; -1 is none."""
    if not shares[:, 0].any():
        return amounts, np.zeros(len(amounts), np.int64)
    part, whole, included = (np.ascontiguousarray(column).take(links) for column in shares.T)
    taxed = prepaid & (part > 0)
    twice_part = np.where(taxed, 2 * part, 0)
    most = LARGEST // 2 // max(int(twice_part.max(initial=1)), 1)
    tax = (amounts * twice_part + whole) // (2 * whole)
    for row in np.flatnonzero((amounts > most) & taxed).tolist():
        share = Share(*(int(column[row]) for column in (part, whole, included)))
        tax[row] = (2 * int(amounts[row]) * share.part + share.whole) // (2 * share.whole)
    return amounts - tax * included, tax
