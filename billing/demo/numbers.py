"""Numbers that could exist: E.164 digits of a country and kind, valid by its numbering plan, drawn with a seed."""

from __future__ import annotations

from random import Random

import phonenumbers
from phonenumbers import PhoneNumberType

KINDS = {
    "fixed": PhoneNumberType.FIXED_LINE,
    "mobile": PhoneNumberType.MOBILE,
    "toll_free": PhoneNumberType.TOLL_FREE,
}
ATTEMPTS = 40
SHORTEST_E164 = 7


def draw_number(random: Random, region: str, kind: str) -> str:
    """E.164 digits without `+`. Its first digits are those of the plan's example; what cannot be varied stays it."""
    example = phonenumbers.example_number_for_type(region, KINDS[kind])
    if example is None:
        example = phonenumbers.example_number(region)
    assert example is not None
    whole = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    code = str(example.country_code)
    for attempt in range(ATTEMPTS):
        kept = len(code) + (2 if attempt < ATTEMPTS // 2 else 4)
        tail = "".join(random.choices("0123456789", k=len(whole) - kept))
        number = phonenumbers.PhoneNumber(
            country_code=example.country_code, national_number=int(whole[len(code) : kept] + tail)
        )
        if phonenumbers.is_valid_number_for_region(number, region):
            return f"{code}{number.national_number}"
    return whole


def as_dialled(random: Random, number: str, home: str, *, plain: bool) -> str:
    """How a switch may write a number: all digits, or in one of the ways people dial at home."""
    if plain or len(number) < SHORTEST_E164:
        return number
    code = str(phonenumbers.country_code_for_region(home))
    trunk = phonenumbers.ndd_prefix_for_region(home, True) or ""
    if number.startswith(code) and random.random() < 0.6:
        return trunk + number[len(code) :]
    abroad = {"US": "011", "HK": "001"}.get(home, "00")
    return f"+{number}" if random.random() < 0.7 else f"{abroad}{number}"
