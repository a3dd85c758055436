"""Amounts as plain digits: no exponent, no trailing zeros, at least as many decimals as asked."""

from __future__ import annotations

from decimal import Decimal


def plain(amount: Decimal, least_decimals: int = 0) -> str:
    """`Decimal("50.000000")` -> "50"; with `least_decimals=2` -> "50.00". Never rounds."""
    text = f"{amount.normalize():f}"
    if text in {"-0", "0"}:
        text = "0"
    decimals = len(text.partition(".")[2])
    if decimals < least_decimals:
        text += ("" if decimals else ".") + "0" * (least_decimals - decimals)
    return text
