"""A column of dialled numbers normalised at once: what `DialPlan.normalise` says of each.

The plain ways to dial abroad (`+`, the plan's prefixes, E.164 as it is) are read by columns, since there the calling
code alone tells the class. All else - calls at home, extensions, odd signs - is asked of the plan's own rules, which
remember what they were asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rating.numbers.countries import SHARED_CLASSES, calling_code, country, regions
from rating.numbers.names import is_abroad
from rating.numbers.number import BadNumber, Number, ServiceClass
from rating.numbers.plan import DialPlan, rules_of
from rating.numbers.rules import MAX_E164_DIGITS, MIN_NATIONAL_DIGITS, MIN_PLAIN_DIGITS

NONE: Final = -1
"""Stands for "there is none" in a column of indexes."""
CLASSES: Final = tuple(ServiceClass)
"""What the column of service classes points into."""
WIDTH: Final = 24
"""Signs that are read by columns; what is longer is asked of the rules."""
_PLACES: Final = {kind: place for place, kind in enumerate(CLASSES)}
_ZERO, _PLUS = ord("0"), ord("+")
_OTHER: Final = 255

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NumberColumns:
    """n numbers. A bad one has no digits, service class NONE and is not abroad.

    e164: bytes, the digits of Number.e164. service_class: indexes into CLASSES. abroad: the call leaves the home
    country. bad: by row, what could not be understood.
    """

    e164: NDArray[np.bytes_]
    is_e164: Flags
    service_class: NDArray[np.int8]
    abroad: Flags
    bad: dict[int, BadNumber]


class Codes(NamedTuple):
    """What the first three digits of E.164 tell, shape (1000,) each: length of the calling code (0: none, or the
    rules must say), class, and the digit with which the trunk prefix begins (_OTHER: it has none)."""

    length: Bytes
    kind: NDArray[np.int8]
    trunk: Bytes


def normalise_column(plan: DialPlan, dialled: Sequence[str] | NDArray[Any]) -> NumberColumns:
    """Normalise numbers as dialled: text, or an array of text or of bytes in UTF-8."""
    texts: Sequence[str] | NDArray[Any] = dialled
    if not isinstance(dialled, np.ndarray) or dialled.dtype.kind not in "SU":
        texts = [str(one) for one in dialled]
        dialled = np.array(texts or [""], np.str_)[: len(texts)]
    signs = _signs(dialled)
    digits, kinds, sure = _abroad(plan, signs)
    if texts is not dialled:
        # NumPy drops zero signs at the end of a text; the rules see them.
        sure &= np.fromiter(map(len, texts), np.int64, len(texts)) == np.count_nonzero(signs, axis=0)
    e164 = np.ascontiguousarray((digits & _mask(sure)).T).view(f"S{MAX_E164_DIGITS}").reshape(-1)
    kinds[~sure] = NONE
    columns = NumberColumns(e164, sure.copy(), kinds, sure.copy(), {})
    return columns if sure.all() else _by_rules(plan, texts, np.flatnonzero(~sure), columns)


def _signs(dialled: NDArray[Any]) -> Bytes:
    """The signs by place, shape (WIDTH, n): 0 where a number has ended, _OTHER for what is not ASCII or too long."""
    narrow = dialled.dtype.kind == "S"
    longest = max(dialled.dtype.itemsize // (1 if narrow else 4), 1)
    signs = np.zeros((WIDTH, len(dialled)), np.uint8)
    if len(dialled) and dialled.dtype.itemsize:
        cells = np.ascontiguousarray(dialled).view(np.uint8 if narrow else np.uint32)
        cells = cells.reshape(len(dialled), longest)
        signs[: min(longest, WIDTH)] = np.minimum(cells[:, :WIDTH].T, _OTHER)
        if longest > WIDTH:
            signs[-1][cells[:, WIDTH:].any(axis=1)] = _OTHER
    return signs


def _abroad(plan: DialPlan, signs: Bytes) -> tuple[Bytes, NDArray[np.int8], Flags]:
    """(E.164 digits by place, class, where these are sure to be what the rules would say)."""
    begins, length = _begins(plan, signs)
    digits = np.zeros((MAX_E164_DIGITS, signs.shape[1]), np.uint8)
    for begin in np.unique(begins[begins >= 0]).tolist():
        source = signs[begin : begin + MAX_E164_DIGITS]
        digits[: len(source)] |= source & _mask(begins == begin)
    values = np.where(digits[:4], digits[:4] - _ZERO, 0).astype(np.int16)
    codes, three = _codes(plan.home_country), values[0] * 100 + values[1] * 10 + values[2]
    size, code = length - begins, codes.length.take(three)
    national = np.where(code == 1, values[1], np.where(code == 2, values[2], values[3]))
    sure = (begins >= 0) & (size <= MAX_E164_DIGITS) & (code > 0) & (size - code >= MIN_NATIONAL_DIGITS)
    sure &= national != codes.trunk.take(three)
    for of_range in {len(first) for first, _last in plan.on_net}:
        sure &= (size != of_range) & (length != of_range)
    return digits, codes.kind.take(three), sure


def _mask(flags: Flags) -> Bytes:
    """All bits where a flag is set."""
    return -flags.view(np.uint8)


def _begins(plan: DialPlan, signs: Bytes) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """(where E.164 begins, -1 where only the rules can say; how many signs there are)."""
    count = signs.shape[1]
    plus, ended, bad = signs[0] == _PLUS, np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    length = plus.astype(np.int16)
    for place, here in enumerate(signs):
        digit = here - np.uint8(_ZERO) < 10
        bad |= (digit & ended) | (~digit & (here != 0) & (~plus if place == 0 else True))
        ended |= ~digit if place else ~digit & ~plus
        length += digit
    begins = np.full(count, -1, np.int16)
    rules = rules_of(plan)
    for prefix in reversed(rules.prefixes_abroad):
        begins[_starts(signs, prefix)] = len(prefix)
    for access in rules.access_codes:
        begins[_starts(signs, access)] = -1
    if plan.plain_e164:
        begins[signs[0] != _ZERO] = 0
    begins[plus] = 1
    begins[bad | (~plus & (length < MIN_PLAIN_DIGITS))] = -1
    return begins, length


def _starts(signs: Bytes, code: str) -> Flags:
    """Where the numbers begin with these digits."""
    if len(code) > WIDTH - MAX_E164_DIGITS:
        return np.ones(signs.shape[1], np.bool_)
    return np.logical_and.reduce([signs[place] == ord(sign) for place, sign in enumerate(code)])


@lru_cache(maxsize=256)
def _codes(home_country: str) -> Codes:
    codes = Codes(np.zeros(1000, np.uint8), np.full(1000, NONE, np.int8), np.full(1000, _OTHER, np.uint8))
    home = country(home_country).calling_code
    for three in range(1000):
        code = calling_code(f"{three:03d}")
        if code is None or code == home:
            continue
        codes.length[three] = len(code)
        codes.kind[three] = _PLACES[SHARED_CLASSES.get(code, ServiceClass.INTERNATIONAL)]
        trunk = country(regions(code)[0]).trunk_prefix if regions(code) else ""
        codes.trunk[three] = int(trunk[0]) if trunk else _OTHER
    return codes


def _by_rules(
    plan: DialPlan, texts: Sequence[Any] | NDArray[Any], rows: NDArray[np.int64], columns: NumberColumns
) -> NumberColumns:
    """The columns with these rows as the rules have them."""
    digits = []
    for row in rows.tolist():
        text = texts[row]
        number = plan.normalise(text.decode(errors="replace") if isinstance(text, bytes) else str(text))
        digits.append(number.e164.encode() if isinstance(number, Number) else b"")
        if isinstance(number, BadNumber):
            columns.bad[row] = number
            continue
        columns.is_e164[row] = number.is_e164
        columns.service_class[row] = _PLACES[number.service_class]
        columns.abroad[row] = is_abroad(number, plan.home_country)
    found = np.array(digits, np.bytes_)
    e164 = columns.e164.astype(max(found.dtype, columns.e164.dtype))
    e164[rows] = found
    return NumberColumns(e164, columns.is_e164, columns.service_class, columns.abroad, columns.bad)
