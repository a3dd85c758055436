"""Price cells: from `$ 1,234.50`, `0,0100` or `0.05 USD` to exact decimals.

`1,234` is a thousand in one country and one and a bit in another, so the whole column decides which mark
is the decimal one. What is not plainly one number (a range, a percentage, NaN) is refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from rating.decks.values import BadCell

PLACES = 8
QUANTUM = Decimal(1).scaleb(-PLACES)
MAX_PRICE = Decimal(1_000_000)
POINT, COMMA = "point", "comma"
UNIT, CENT, CENT_100 = "unit", "cent", "cent_100"
DIVISORS = {UNIT: Decimal(1), CENT: Decimal(100), CENT_100: Decimal(10_000)}

_SIGNS = re.compile(r"[$\u20ac\u00a3\u00a5\u20b9\u20bd\u20ba\u20a9\u20aa\u20a6\u00a4]")
_CODE = re.compile(r"(?:^([A-Z]{3})(?=[ \d.,]))|(?:(?<=[ \d.,])([A-Z]{3})$)", re.ASCII)
_GAPS = re.compile(r"(?<=\d)[ '\u00a0\u2009\u202f\u2019](?=\d{3}(?:\D|$))", re.ASCII)
_PLAIN = re.compile(r"\d+|\d*\.\d+|\d+\.", re.ASCII)
_SCIENCE = re.compile(r"\d+(?:[.,]\d+)?[eE][+-]?\d{1,2}", re.ASCII)
_NUMBER = re.compile(r"[\d.,]*\d[\d.,]*", re.ASCII)
_RANGE = re.compile(r"[\d.]\s*[-\u2013~]\s*[^\w\s]?\s*[\d.]|\d\s*(?:to|bis|/)\s*\d", re.IGNORECASE | re.ASCII)
_THOUSANDS = {
    POINT: re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII),
    COMMA: re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d*)?", re.ASCII),
}
_DECIMAL = {POINT: re.compile(r"\d*\.\d*|\d+", re.ASCII), COMMA: re.compile(r"\d*,\d*|\d+", re.ASCII)}
_UNCLEAR = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


class PriceReader:
    """Reads the price cells of one deck, by its decimal mark, unit and currency (None: not known)."""

    def __init__(self, mark: str | None = POINT, unit: str = UNIT, currency: str | None = None) -> None:
        self.mark = mark
        self.divisor = DIVISORS[unit]
        self.currency = currency
        self.rounded = 0

    def read(self, cell: str) -> Decimal:
        """An exact price of at most 8 places, in the deck's currency. Raises BadCell with the reason."""
        value = self._number(cell) / self.divisor
        if value > MAX_PRICE:
            raise BadCell(f"the price {cell.strip()[:40]} is beyond belief")
        rounded = value.quantize(QUANTUM, ROUND_HALF_UP)
        if rounded != value:
            self.rounded += 1
        return rounded if rounded else Decimal(0)

    def _number(self, cell: str) -> Decimal:
        text = cell.strip()
        if _PLAIN.fullmatch(text) and (self.mark == POINT or text.isdigit()):
            return Decimal(text)
        bare = _bare(text, self.currency)
        if not bare:
            raise BadCell("no price")
        if _SCIENCE.fullmatch(bare):
            return Decimal(bare.replace(",", "."))
        if not _NUMBER.fullmatch(bare):
            raise BadCell(_not_a_price(text))
        mark = mark_of(bare) or (POINT if bare.isdigit() else self.mark)
        if mark is None:
            raise BadCell(f"{text!r} may be a thousand or a fraction: the column uses both marks")
        if _DECIMAL[mark].fullmatch(bare):
            return Decimal(bare.replace(",", "."))
        if _THOUSANDS[mark].fullmatch(bare):
            return Decimal(bare.replace("," if mark == POINT else ".", "").replace(",", "."))
        raise BadCell(_not_a_price(text))


def decimal_marks(cells: Iterable[str]) -> tuple[set[str], str]:
    """What a column tells of its decimal mark: the marks values force, and an example of both (or "")."""
    forced: set[str] = set()
    unclear = ""
    for cell in cells:
        bare = _bare(cell.strip(), None)
        if not _NUMBER.fullmatch(bare):
            continue
        if mark := mark_of(bare):
            forced.add(mark)
        elif "," in bare:
            unclear = unclear or cell.strip()
    return forced, unclear


def mark_of(bare: str) -> str | None:
    """The decimal mark that a number's own shape forces, or None where it has none or either would do."""
    if _UNCLEAR.fullmatch(bare):
        return None
    comma, point = bare.rfind(","), bare.rfind(".")
    if comma < 0 and point < 0:
        return None
    if comma >= 0 and point >= 0:
        return COMMA if comma > point else POINT
    if bare.count(",") > 1:
        return POINT
    if bare.count(".") > 1:
        return COMMA
    return COMMA if comma >= 0 else POINT


def _bare(text: str, currency: str | None) -> str:
    """The cell without currency signs and the gaps between thousands.

    Raises BadCell for another currency's code.
    """
    bare = _SIGNS.sub("", text).strip()
    if code := _CODE.search(bare):
        name = code[1] or code[2]
        if currency and name != currency:
            raise BadCell(f"the price is in {name}, not in {currency}")
        bare = _CODE.sub("", bare).strip()
    return _GAPS.sub("", bare)


def _not_a_price(text: str) -> str:
    shown = repr(text[:60])
    if _RANGE.search(text):
        return f"{shown} is a range of prices, not one price"
    if text.startswith(("-", "\u2212", "(")) and any(letter.isdigit() for letter in text):
        return f"{shown} is negative"
    return f"{shown} is not a price"
