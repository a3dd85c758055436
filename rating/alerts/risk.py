"""High-risk ranges: the product's own list, as the operator changed it.

The list follows what carriers and fraud associations publish of revenue-share fraud: satellite and shared networks that
belong to no country, international premium rate, and small places whose ranges are hijacked most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rating.models import RiskRange
from rating.numbers import ServiceClass
from tiers.errors import Forbidden, Invalid
from tiers.models import Kind, Party
from tiers.services.writing import written_by
from tiers.viewer import Actor

PREMIUM = "premium"
NAMED_OURSELVES: dict[str, object] = {
    PREMIUM: gettext_lazy("Premium-rate numbers at home and abroad"),
    "979": gettext_lazy("International premium rate"),
    "870": gettext_lazy("Inmarsat satellite"),
    "881": gettext_lazy("Satellite telephones"),
    "882": gettext_lazy("International networks"),
    "883": gettext_lazy("International networks"),
    "878": gettext_lazy("Personal numbers"),
}
COUNTRIES = (
    *("53", "213", "216", "220", "224", "231", "232", "239", "245", "246", "247", "248", "252", "257", "261"),
    *("263", "269", "290", "355", "371", "372", "387", "500", "509", "592", "597", "670", "672", "674", "675"),
    *("676", "677", "678", "680", "681", "682", "683", "685", "686", "687", "688", "689", "690", "692", "960"),
    *("1268", "1473", "1649", "1664", "1767", "1784", "1809", "1829", "1849", "1868", "1876"),
)
"""Calling codes (and areas of the Americas) with a long history of revenue-share fraud; named by their country."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range of the list. `own`: the product's own, which can be switched off but not taken away."""

    prefix: str
    name: str
    watched: bool
    own: bool


def ranges() -> list[Range]:
    """The whole list, premium first, then by prefix; names of countries in the language in force."""
    changed = {row.prefix: row for row in RiskRange.objects.all()}
    built_in = [*NAMED_OURSELVES, *COUNTRIES]
    found = [
        Range(prefix, name_of(prefix), changed[prefix].watched if prefix in changed else True, own=True)
        for prefix in built_in
    ]
    added = [row for prefix, row in changed.items() if prefix not in built_in]
    found += [Range(row.prefix, row.name, row.watched, own=False) for row in added]
    return sorted(found, key=lambda one: (one.prefix != PREMIUM, one.prefix))


def name_of(prefix: str) -> str:
    """What one of the product's own ranges is called."""
    from rating.numbers.names import country_name

    known = NAMED_OURSELVES.get(prefix)
    return str(known) if known is not None else country_name(prefix.ljust(7, "0"))


class Watched:
    """The ranges in force, ready to be asked."""

    def __init__(self, found: Iterable[Range] | None = None) -> None:
        watched = [one for one in (ranges() if found is None else found) if one.watched]
        self._by_prefix = {one.prefix: one for one in watched}
        self._longest = max((len(prefix) for prefix in self._by_prefix), default=0)

    def range_of(self, number: str, service_class: str) -> Range | None:
        """The longest range that the number lies in, premium rate before all; None where it lies in none."""
        if service_class == ServiceClass.PREMIUM and PREMIUM in self._by_prefix:
            return self._by_prefix[PREMIUM]
        for length in range(min(self._longest, len(number)), 0, -1):
            found = self._by_prefix.get(number[:length])
            if found is not None:
                return found
        return None


def set_range(owner: Party, prefix: str, name: str, watched: bool, *, actor: Actor) -> RiskRange:
    """Add a range, or switch one on or off. Raises Invalid, Forbidden for who is not the operator."""
    if owner.kind != Kind.OPERATOR:
        raise Forbidden("operator_only", _("The list of high-risk ranges is the operator's."))
    prefix = prefix.strip().lstrip("+")
    if not re.fullmatch(r"[1-9][0-9]{0,14}|premium", prefix):
        raise Invalid("prefix", _("A prefix is the digits with which numbers begin, such as 881."), where="prefix")
    called = name.strip() or (name_of(prefix) if prefix in (*NAMED_OURSELVES, *COUNTRIES) else "")
    if not 1 <= len(called) <= 80:
        raise Invalid("name", _("Name the range in 1 to 80 characters."), where="name")
    with written_by(actor):
        row, _made = RiskRange.objects.update_or_create(
            prefix=prefix, defaults={"owner": owner, "name": called, "watched": watched}
        )
    return row


def drop_range(row: RiskRange, *, actor: Actor) -> None:
    """What the operator entered is taken away; one of the product's own is then watched again."""
    with written_by(actor):
        row.delete()
