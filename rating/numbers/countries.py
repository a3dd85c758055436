"""Facts about the world's numbering plans, drawn from `phonenumbers` and made quick to ask.

Why: a full parse of that library takes some 50 microseconds; a few compiled patterns per country take two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import phonenumbers

from rating.numbers.number import ServiceClass

_NOTHING = re.compile(r"(?!)")
CALLING_CODES: frozenset[str] = frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
NON_GEOGRAPHIC = "001"
_LEADING_ZERO_REGIONS = frozenset({"IT", "SM", "VA"})
# In the order of the patterns in `country`.
_KINDS = (
    ServiceClass.PREMIUM,
    ServiceClass.TOLL_FREE,
    ServiceClass.LONG_DISTANCE,
    ServiceClass.MOBILE,
    ServiceClass.PREMIUM,
    ServiceClass.PREMIUM,
    ServiceClass.LONG_DISTANCE,
    ServiceClass.LONG_DISTANCE,
    ServiceClass.MOBILE,
)
_SHORT_KINDS = (ServiceClass.PREMIUM, ServiceClass.TOLL_FREE, ServiceClass.LOCAL)
SHARED_CLASSES = {"800": ServiceClass.TOLL_FREE, "979": ServiceClass.PREMIUM}


@dataclass(frozen=True, slots=True)
class Country:
    """One numbering plan. The patterns match a whole national number, without trunk prefix."""

    region: str
    calling_code: str
    trunk_prefix: str
    international_prefixes: tuple[str, ...]
    general: re.Pattern[str]
    lengths: frozenset[int]
    leading_digits: re.Pattern[str] | None
    kinds: re.Pattern[str]
    emergency: re.Pattern[str]
    short_kinds: re.Pattern[str]

    def kind(self, national: str) -> ServiceClass | None:
        """Premium, toll-free, mobile, or `long_distance` for any other number that is in use; else None."""
        match = self.kinds.fullmatch(national)
        return _KINDS[match.lastindex - 1] if match and match.lastindex else None

    def short_kind(self, digits: str) -> ServiceClass | None:
        """The same for short service numbers (directory enquiries and the like)."""
        match = self.short_kinds.fullmatch(digits)
        return _SHORT_KINDS[match.lastindex - 1] if match and match.lastindex else None


def is_country(region: str) -> bool:
    """Whether these two capital letters name a country with a numbering plan."""
    return region in phonenumbers.SUPPORTED_REGIONS


@lru_cache(maxsize=512)
def country(region: str) -> Country:
    """The plan of a country (two letters)."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        raise ValueError(f"{region!r} has no numbering plan.")
    short = phonenumbers.PhoneMetadata.short_metadata_for_region(region)
    code, trunk = str(metadata.country_code), metadata.national_prefix or ""
    return Country(
        region=region,
        calling_code=code,
        trunk_prefix=trunk,
        international_prefixes=_international_prefixes(region, metadata, trunk),
        general=_pattern(metadata.general_desc),
        lengths=frozenset(metadata.general_desc.possible_length or ()) if metadata.general_desc else frozenset(),
        leading_digits=re.compile(metadata.leading_digits, re.ASCII) if metadata.leading_digits else None,
        kinds=_alternatives(
            metadata.premium_rate,
            metadata.toll_free,
            metadata.fixed_line,
            metadata.mobile,
            metadata.shared_cost,
            metadata.personal_number,
            metadata.voip,
            metadata.uan,
            metadata.pager,
        ),
        emergency=_pattern(short.emergency) if short else _NOTHING,
        short_kinds=_alternatives(short.premium_rate, short.toll_free, short.short_code) if short else _NOTHING,
    )


def _source(description: Any) -> str | None:
    text = description.national_number_pattern if description is not None else None
    return text if text and text != "NA" else None


def _pattern(description: Any) -> re.Pattern[str]:
    text = _source(description)
    return re.compile(text, re.ASCII) if text else _NOTHING


def _alternatives(*descriptions: Any) -> re.Pattern[str]:
    """One pattern for many kinds; the number of the group that matched tells which. The first wins."""
    texts = (_source(description) or "(?!)" for description in descriptions)
    return re.compile("|".join(f"({text})" for text in texts), re.ASCII)


def _international_prefixes(region: str, metadata: Any, trunk: str) -> tuple[str, ...]:
    """What is usually dialled for `+`: the country's own, 00, and 011 where nothing else can begin so."""
    own = metadata.preferred_international_prefix or metadata.international_prefix or ""
    own = own.replace("~", "")
    found = [own] if own.isdigit() else []
    found += [prefix for prefix in ("00",) if prefix not in found]
    if not trunk and region not in _LEADING_ZERO_REGIONS and "011" not in found:
        found.append("011")
    return tuple(found)


def calling_code(digits: str) -> str | None:
    """The calling code with which these digits begin (1 to 3 of them), None if none does."""
    for length in (1, 2, 3):
        if digits[:length] in CALLING_CODES:
            return digits[:length]
    return None


@lru_cache(maxsize=512)
def regions(code: str) -> tuple[str, ...]:
    """The countries that share a calling code, the main one first; none for satellites and the like."""
    found = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    return tuple(region for region in found if region != NON_GEOGRAPHIC)


def region_of(code: str, national: str) -> str | None:
    """Which of the countries behind a calling code a whole national number belongs to."""
    sharing = regions(code)
    if len(sharing) < 2:
        return sharing[0] if sharing else None
    for region in sharing:
        plan = country(region)
        if plan.leading_digits is not None:
            if plan.leading_digits.match(national):
                return region
        elif plan.kind(national) is not None:
            return region
    return sharing[0]
