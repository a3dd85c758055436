"""The one rounding of an amount (rule 4), on exact integers, and its inverse."""

from __future__ import annotations

from decimal import Decimal

from rating.kernel.numbers import POWERS


def rounded_units(points: int, scale: int, decimals: int, mode: str) -> int:
    """points / (60 * 10**scale), never negative, in units of 10**-decimals, rounded once."""
    whole, rest = divmod(points * POWERS[decimals], one := 60 * POWERS[scale])
    if mode == "half_up":
        return whole + (2 * rest >= one)
    if mode == "half_even":
        return whole + (2 * rest > one or (2 * rest == one and whole % 2 == 1))
    return whole + (mode == "up" and rest > 0)


def largest_points(units: int, scale: int, decimals: int, mode: str) -> int:
    """The most points that still round to at most `units`: what an amount can buy."""
    one = 60 * POWERS[scale]
    if mode == "up":
        return units * one // POWERS[decimals]
    if mode == "down":
        return ((units + 1) * one - 1) // POWERS[decimals]
    tie_included = mode == "half_even" and units % 2 == 0
    return ((2 * units + 1) * one - (not tie_included)) // (2 * POWERS[decimals])


def as_amount(units: int, decimals: int) -> Decimal:
    """Units of 10**-decimals as a Decimal with exactly that many places, in any decimal context."""
    return Decimal(f"{units}E-{decimals}")
