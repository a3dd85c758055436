"""The class that calls to a prefix most likely have, for pages that show prices by prefix where nobody dialled."""

from __future__ import annotations

from functools import lru_cache

from rating.numbers.countries import calling_code, country, regions
from rating.numbers.number import Number, ServiceClass
from rating.numbers.plan import DialPlan

FILL = "2345678901234"


@lru_cache(maxsize=65_536)
def likely_class(digits: str, plan: DialPlan) -> ServiceClass:
    """`digits`: E.164, a prefix or a whole number; filled up to a number that the country's plan knows."""
    code = calling_code(digits)
    if code is None:
        return ServiceClass.INTERNATIONAL
    lengths = {len(code) + length for region in regions(code) for length in country(region).lengths}
    wholes = [(digits + FILL)[:length] for length in sorted(lengths) if length >= len(digits)] or [digits]
    home = country(plan.home_country)
    known = [whole for whole in wholes if code == home.calling_code and home.kind(whole[len(code) :]) is not None]
    for whole in (*known, *wholes):
        number = plan.normalise(f"+{whole}")
        if isinstance(number, Number):
            return number.service_class
    return ServiceClass.INTERNATIONAL
