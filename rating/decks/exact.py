"""Numbers that come typed, from a cell or from JSON, as the text a person would have typed.

From here on every deck is rows of text, so that one set of rules cleans them all. The text must leave nothing open: a
typed 1.234 is never a thousand, whatever the mark in the other cells.
"""

from __future__ import annotations

from decimal import Decimal

SHOWN_DIGITS = 15
FURTHEST_PLACE = 30


def float_text(number: float) -> str:
    """A cell's number with the 15 digits that a spreadsheet shows: 0.1 is `0.1`, 44.0 is `44`, 0.1 + 0.2 is `0.3`."""
    return decimal_text(Decimal(f"{number:.{SHOWN_DIGITS}g}"))


def decimal_text(number: Decimal) -> str:
    """A number without exponent or needless zeros; three decimals get a zero more, so that a point stays a point."""
    if not number.is_finite() or abs(number.adjusted()) > FURTHEST_PLACE or len(number.as_tuple().digits) > 60:
        return str(number)[:60]
    whole, mark, fraction = f"{number:f}".partition(".")
    fraction = fraction.rstrip("0")
    if not fraction:
        return "0" if whole == "-0" else whole
    return f"{whole}{mark}{fraction}{'0' if len(fraction) == 3 else ''}"
