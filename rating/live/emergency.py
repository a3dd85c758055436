"""Calls that nobody may stop: let through before any check, also while the database is down.

A known switch's own dial plan tells; for one that is not known (yet) the numbers that are emergency somewhere, dialled
alone. Letting a stranger's 112 through costs nothing; stopping one may cost a life.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import shortnumberinfo

from rating.numbers import DialPlan, Number, ServiceClass

EMERGENCY_SECONDS: Final = 24 * 3600


def is_emergency(to: str, plan: DialPlan | None) -> bool:
    """Whether this is an emergency number at the switch with this dial plan (None: the plan is not known)."""
    if plan is None:
        return to.strip().lstrip("+") in _anywhere()
    number = plan.normalise(to)
    return isinstance(number, Number) and number.service_class is ServiceClass.EMERGENCY


@lru_cache(maxsize=1)
def _anywhere() -> frozenset[str]:
    """Numbers of 3 digits that are emergency in some country."""
    digits = [f"{number:03d}" for number in range(1000)]
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    found = {one for one in digits if any(shortnumberinfo.is_emergency_number(one, region) for region in regions)}
    return frozenset(found | {"112"})
