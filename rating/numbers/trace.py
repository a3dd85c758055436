"""How a number was read, step by step: the same rules as everywhere, overheard.

For people who set up a dial plan; nothing is rated by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rating.numbers.countries import calling_code, country
from rating.numbers.number import BadNumber, Number
from rating.numbers.plan import DialPlan
from rating.numbers.rules import Rules

LONGEST_SHORT = 5


class Step(NamedTuple):
    """A rule that took part: its name and the digits it was given; `detail` is what it took off or put before them."""

    rule: str
    digits: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was dialled, the steps, and what it is."""

    raw: str
    steps: tuple[Step, ...]
    number: Number | BadNumber


def read_aloud(plan: DialPlan, raw: str) -> Reading:
    """Read one number as `plan.normalise` does, and tell how."""
    rules = _Overheard(
        home_country=plan.home_country,
        international_prefixes=plan.international_prefixes,
        trunk_prefix=plan.trunk_prefix,
        area_code=plan.area_code,
        access_codes=plan.access_codes,
        on_net=plan.on_net,
        emergency=plan.emergency,
        extension_lengths=plan.extension_lengths,
        plain_e164=plan.plain_e164,
    )
    number = rules.normalise(raw)
    return Reading(raw, tuple(rules.steps), number)


@lru_cache(maxsize=512)
def emergency_numbers(region: str) -> tuple[str, ...]:
    """The emergency numbers of a country, with 112, which every mobile network takes."""
    pattern = country(region).emergency
    found = (
        f"{number:0{length}d}"
        for length in range(2, LONGEST_SHORT + 1)
        for number in range(10**length)
        if pattern.fullmatch(f"{number:0{length}d}")
    )
    return tuple(sorted({*found, "112"}))


class _Overheard(Rules):
    """Notes each rule that leads to the answer, the outer before the inner."""

    def __init__(self, **parts: object) -> None:
        super().__init__(**parts)  # type: ignore[arg-type]
        self.steps: list[Step] = []

    def _note(self, rule: str, digits: str, ask: Callable[[str], Number | None], detail: str = "") -> Number | None:
        mark = len(self.steps)
        found = ask(digits)
        if found is None:
            del self.steps[mark:]
        else:
            self.steps.insert(mark, Step(rule, digits, detail))
        return found

    def _inside(self, digits: str) -> Number | None:
        found = super()._inside(digits)
        if found is not None:
            is_emergency = found.service_class == "emergency"
            rule = "emergency" if is_emergency else "range" if self._on_net and self._in_on_net(digits) else "extension"
            self.steps.append(Step(rule, digits, found.e164))
        return found

    def _by_access_code(self, digits: str) -> Number | None:
        code = next((one for one in self.access_codes if digits.startswith(one)), "")
        return self._note("access_code", digits, super()._by_access_code, code)

    def _by_prefix_abroad(self, digits: str) -> Number | None:
        prefix = next((one for one in self.prefixes_abroad if digits.startswith(one)), "")
        return self._note("abroad", digits, super()._by_prefix_abroad, prefix)

    def _from_abroad(self, digits: str) -> Number | None:
        return self._note("country_code", digits, super()._from_abroad, calling_code(digits) or "")

    def _short_service(self, digits: str) -> Number | None:
        return self._note("short", digits, super()._short_service)

    def _national(self, digits: str) -> Number | None:
        return self._note("national", digits, super()._national, self._changed(digits))

    def _without_plus(self, digits: str) -> Number | None:
        return self._note("without_plus", digits, super()._without_plus)

    def _by_length(self, digits: str) -> Number | None:
        return self._note("length", digits, super()._by_length, self._changed(digits))

    def _changed(self, digits: str) -> str:
        """What of the national readings fits first: `-0` the trunk prefix taken off, `+40` the area put before."""
        for national in self._readings(digits):
            if self._home.general.fullmatch(national):
                return _difference(digits, national)
        return ""


def _difference(digits: str, national: str) -> str:
    if len(national) < len(digits):
        return f"-{digits[: len(digits) - len(national)]}"
    return f"+{national[: len(national) - len(digits)]}" if len(national) > len(digits) else ""
