"""Names for people: which country a prefix belongs to, and a number as people write it.

Why: a bill says `Germany` and `+49 30 123456`, the tables say `4930123456`.
"""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from babel import Locale

from rating.numbers.countries import calling_code, country, region_of, regions
from rating.numbers.number import Number, ServiceClass

_SHARED_NAMES = {
    "800": "International freephone",
    "808": "International shared cost",
    "870": "Inmarsat",
    "878": "Universal personal numbers",
    "881": "Satellite networks",
    "882": "International networks",
    "883": "International networks",
    "888": "Disaster relief",
    "979": "International premium rate",
}
# Shorter than the register's English, as price lists write them.
_ENGLISH = {"HK": "Hong Kong", "MO": "Macao", "MM": "Myanmar", "CD": "Congo DR", "CG": "Congo"}
_FILL = "2345678901234"


@lru_cache(maxsize=65_536)
def region_code(e164: str) -> str | None:
    """The country (two letters) of E.164 digits, whole or only a prefix; None for none or a worldwide service."""
    code = calling_code(e164)
    if code is None:
        return None
    sharing = regions(code)
    national = e164[len(code) :]
    if len(sharing) < 2:
        return sharing[0] if sharing else None
    for region in sharing:
        leading = country(region).leading_digits
        if leading is not None and leading.match(national):
            return region
    for region in sharing:
        plan = country(region)
        lengths = [length for length in sorted(plan.lengths) if length >= len(national)]
        wholes = ((national + _FILL)[:length] for length in lengths)
        if plan.leading_digits is None and any(plan.kind(whole) for whole in wholes):
            return region
    return region_of(code, national)


def is_abroad(number: Number, home_country: str) -> bool:
    """Whether the choice of a carrier matters: the call leaves the home country."""
    if number.service_class is ServiceClass.INTERNATIONAL:
        return True
    return number.is_e164 and region_code(number.e164) != home_country


@lru_cache(maxsize=65_536)
def country_name(e164: str, language: str = "en") -> str:
    """The country's name in a language (worldwide services: in English); empty where no country begins so."""
    region = region_code(e164)
    if region is not None:
        return _region_name(region, language)
    return _SHARED_NAMES.get(calling_code(e164) or "", "")


@lru_cache(maxsize=2048)
def _region_name(region: str, language: str) -> str:
    if language == "en" and region in _ENGLISH:
        return _ENGLISH[region]
    return str(Locale.parse(language).territories.get(region, region))


@lru_cache(maxsize=65_536)
def display(e164: str) -> str:
    """`442071838750` -> `+44 20 7183 8750`. What is no E.164 number (an extension) comes back as it is."""
    if len(e164) < 7 or not e164.isdigit():
        return e164
    try:
        parsed = phonenumbers.parse(f"+{e164}", None)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
