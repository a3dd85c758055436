"""Closed destinations, compiled: is this number closed to one of these parties?

Each maker's rules stand for themselves: the longest of its prefixes that fits decides, then its kinds; what one maker
leaves open another may have closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from uuid import UUID

from rating.models import Bar, BarKind
from rating.numbers import Number, ServiceClass
from rating.numbers.countries import calling_code, country, regions

SATELLITE: Final = ("870", "881", "88213", "88216")
"""Inmarsat; Globalstar, Iridium and others; EMSAT; Thuraya."""
_KIND_OF: Final = {
    ServiceClass.LONG_DISTANCE: BarKind.LONG_DISTANCE,
    ServiceClass.MOBILE: BarKind.MOBILE,
    ServiceClass.PREMIUM: BarKind.PREMIUM,
}


@dataclass(slots=True)
class Rules:
    """What one maker closed to one party. `prefixes`: True for closed."""

    prefixes: dict[str, bool] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    def close(self, number: Number, abroad: bool) -> bool:
        if self.prefixes and number.is_e164:
            for length in range(len(number.e164), 0, -1):
                closed = self.prefixes.get(number.e164[:length])
                if closed is not None:
                    return closed
        return bool(self.kinds) and not self.kinds.isdisjoint(kinds_of(number, abroad))


class Bars:
    """All rules, by party."""

    def __init__(self) -> None:
        made: dict[UUID, dict[UUID, Rules]] = defaultdict(lambda: defaultdict(Rules))
        for party, maker, kind, prefix, opened in Bar.objects.values_list("party", "maker", "kind", "prefix", "open"):
            rules = made[party][maker]
            if kind == BarKind.PREFIX:
                rules.prefixes[prefix] = not opened
            else:
                rules.kinds.add(kind)
        self._rules = {party: tuple(makers.values()) for party, makers in made.items()}

    def closed_to(self, parties: Iterable[UUID], number: Number, abroad: bool) -> UUID | None:
        """The first of these parties to which the number is closed. Emergency numbers never are."""
        if not self._rules or number.service_class is ServiceClass.EMERGENCY:
            return None
        for party in parties:
            if any(rules.close(number, abroad) for rules in self._rules.get(party, ())):
                return party
        return None


@lru_cache(maxsize=65_536)
def kinds_of(number: Number, abroad: bool) -> frozenset[str]:
    """All kinds that the number is of; one abroad is mobile or premium by its own country's plan."""
    if number.service_class is ServiceClass.ON_NET:
        return frozenset()
    kinds = {BarKind.INTERNATIONAL} if abroad else set()
    service = _abroad(number) if number.service_class is ServiceClass.INTERNATIONAL else number.service_class
    if service in _KIND_OF and not (abroad and service is ServiceClass.LONG_DISTANCE):
        kinds.add(_KIND_OF[service])
    if number.is_e164 and number.e164.startswith(SATELLITE):
        kinds.add(BarKind.SATELLITE)
    return frozenset(kinds)


def _abroad(number: Number) -> ServiceClass:
    """The class that a number has in its own country."""
    code = calling_code(number.e164)
    for region in regions(code) if code else ():
        kind = country(region).kind(number.e164[len(code or "") :])
        if kind is not None:
            return kind
    return ServiceClass.INTERNATIONAL
