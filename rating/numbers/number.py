"""What a dialled number turned out to be.

Why: a short internal number must never be priced as if it were the prefix of a country (203 is not Egypt),
so a number says itself whether it is E.164.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ServiceClass(StrEnum):
    """The kinds of calls of the dial plan."""

    ON_NET = "on_net"
    LOCAL = "local"
    LONG_DISTANCE = "long_distance"
    INTERNATIONAL = "international"
    MOBILE = "mobile"
    PREMIUM = "premium"
    TOLL_FREE = "toll_free"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is understood. `e164` holds digits without `+`.

    Where `is_e164` is false (an extension, an emergency or short service number), `e164` is the number as
    dialled within its country or exchange and must not be matched against international prefixes.
    """

    e164: str
    service_class: ServiceClass
    is_e164: bool = True


@dataclass(frozen=True, slots=True)
class BadNumber:
    """A number that nobody could be charged for: as dialled, a code for programs, a reason for people.

    Codes: `empty`, `letters`, `characters`, `feature_code`, `too_short`, `too_long`, `unknown_country`,
    `not_national`.
    """

    raw: str
    code: str
    reason: str
