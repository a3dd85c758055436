"""Exact numbers with bounds.

Everything that enters the kernel passes here once, so that the arithmetic behind can be plain integers: no
NaN, no infinity, no float, no exponent that would take an hour to expand.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from rating.kernel.errors import RateError

MAX_PLACES = 30
MAX_WHOLE_DIGITS = 15
MAX_SECONDS = 10**9
"""The most for an increment, for grace or free time, and for the start of a step: about 31 years."""
MAX_DURATION_S = 10**12
ZERO = Decimal(0)
POWERS = tuple(int("1" + "0" * power) for power in range(2 * MAX_PLACES + 1))


def money(value: object, field: str) -> Decimal:
    """A price or fee: finite, not negative, below 10**15, at most 30 places. Raises RateError."""
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
        raise RateError(field, "must be an exact number (a Decimal)", "floats are not exact")
    number = exact(Decimal(value) if isinstance(value, int) else value, field)
    if number < ZERO:
        raise RateError(field, "must not be negative")
    return number


def exact(number: Decimal, field: str) -> Decimal:
    """The same number, any sign, if it is finite and within the bounds. Raises RateError."""
    if not number.is_finite():
        raise RateError(field, "must be a finite number")
    if number.is_zero():
        return ZERO
    if number.adjusted() >= MAX_WHOLE_DIGITS:
        raise RateError(field, f"is too large: at most {MAX_WHOLE_DIGITS} digits before the point")
    if places(number) > MAX_PLACES:
        raise RateError(field, f"has too many decimals: at most {MAX_PLACES}")
    return number


def places(number: Decimal) -> int:
    """How many decimals a finite number really needs (1.500 needs one)."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    needed = -exponent
    for digit in reversed(digits):
        if digit or needed <= 0:
            break
        needed -= 1
    return max(needed, 0)


def scaled(number: Decimal, decimals: int) -> int:
    """The number in units of 10**-decimals; the caller has made sure that it needs no more decimals."""
    numerator, denominator = number.as_integer_ratio()
    return numerator * POWERS[decimals] // denominator


def seconds(value: object, field: str, least: int = 0) -> int:
    """A whole number of seconds from `least` to MAX_SECONDS. Raises RateError."""
    if type(value) is not int:
        raise RateError(field, "must be a whole number of seconds")
    if not least <= value <= MAX_SECONDS:
        raise RateError(field, f"must be from {least} to {MAX_SECONDS} seconds")
    return value


def whole_duration(duration_s: object) -> int:
    """A duration with its fraction of a second rounded up (rule 1). Raises RateError."""
    if isinstance(duration_s, Decimal):
        if not duration_s.is_finite():
            raise RateError("duration_s", "must be a finite number of seconds")
        if not duration_s.is_zero() and duration_s.adjusted() > 12:
            raise RateError("duration_s", f"must be from 0 to {MAX_DURATION_S} seconds")
        if duration_s < ZERO:
            raise RateError("duration_s", "must not be negative")
        whole = int(duration_s.to_integral_value(rounding=ROUND_CEILING))
    elif type(duration_s) is int:
        whole = duration_s
    else:
        raise RateError("duration_s", "must be an int or a Decimal")
    if not 0 <= whole <= MAX_DURATION_S:
        raise RateError("duration_s", f"must be from 0 to {MAX_DURATION_S} seconds")
    return whole
