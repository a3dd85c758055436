"""What a credit note comes to, pure and exact: parts of a bill that add up to the bill, however it is split.

A note is never rounded by itself. What all notes of a bill gave back so far is a share of that bill, by its exact net;
tax and total of that share are rounded, and a note is the difference to what the notes before it gave back. So any
split of the whole, in any order, sums to the bill's tax and total to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from invoicing.services.amounts import half_up

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Billed:
    """The bill: exact net and tax, and both as they were rounded on it, to so many decimals."""

    net: Decimal
    tax_exact: Decimal
    tax: Decimal
    total: Decimal
    decimals: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bill. `net` exact, `tax` and `total` in the currency's decimals."""

    net: Decimal
    tax: Decimal
    total: Decimal

    @property
    def rounding(self) -> Decimal:
        return self.total - self.tax - self.net

    def __sub__(self, other: Part) -> Part:
        return Part(self.net - other.net, self.tax - other.tax, self.total - other.total)


def share_of(bill: Billed, net: Decimal) -> Part:
    """Tax and total of so much of the bill's net; of all of it they are the bill's own."""
    if net == bill.net:
        return Part(net, bill.tax, bill.total)
    with localcontext() as context:
        context.prec = 60
        tax = bill.tax_exact * net / bill.net
        total = net + tax
        return Part(net, min(half_up(tax, bill.decimals), bill.tax), min(half_up(total, bill.decimals), bill.total))


def next_part(bill: Billed, before: Decimal, net: Decimal) -> Part:
    """A note over `net`, after notes over `before`."""
    return share_of(bill, before + net) - share_of(bill, before)


@dataclass(frozen=True, slots=True)
class Left:
    """A line of the bill and what is left of it; both have the line's sign."""

    line: int
    net: Decimal
    left: Decimal


def whole(lines: Sequence[Left], most: Decimal) -> dict[int, Decimal] | None:
    """All that is left of every line; None where that is not all that is left of the bill."""
    asked = {one.line: one.left for one in lines if one.left}
    return asked if sum(asked.values(), ZERO) == most else None


def asked_amount(one: Left, amount: Decimal, decimals: int) -> Decimal | None:
    """What is meant by an amount of a line: its rest where the cents are the same; None where it is more than that."""
    if amount == half_up(one.left, decimals):
        return one.left
    fits = ZERO < amount <= one.left if one.left > 0 else one.left <= amount < ZERO
    return amount if fits else None


def rest_of(lines: Sequence[Left], most: Decimal) -> dict[int, Decimal]:
    """All that is left of a bill, by line.

    Where lines of the other sign were left standing, what is left of the lines is more than what is left of the bill:
    then the largest give less.
    """
    asked: Mapping[int, Decimal] | None = whole(lines, most)
    if asked is not None:
        return dict(asked)
    given: dict[int, Decimal] = {}
    for one in sorted(lines, key=lambda one: -one.left):
        take = min(one.left, most)
        if take > 0:
            given[one.line] = take
            most -= take
    return given
