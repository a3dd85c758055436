"""The dial plan of a source or brand: how its numbers are to be read.

Why: `0113...` is Leeds in one place and the way to dial abroad in another; only the place knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from rating.numbers.countries import is_country
from rating.numbers.number import BadNumber, Number
from rating.numbers.rules import Rules


@dataclass(frozen=True)
class DialPlan:
    """How numbers are dialled at one place. All but the home country may be left to that country.

    home_country            two letters, e.g. HK
    international_prefixes  what stands for `+`; empty: as usual in the country (00; 011; 8~10 ...)
    trunk_prefix            what stands before an area code; None: as usual in the country
    area_code               of the place: lets a local number be completed, and tells local from long distance
    access_codes            digits for an outside line, e.g. 9; one with a dial tone (`8~10`) dials abroad
    on_net                  ranges (first, last) of equal length, of extensions or E.164 digits
    emergency               numbers beyond the country's own and 112
    extension_lengths       plain numbers of these lengths are extensions
    plain_e164              numbers of 7 digits and more come in E.164 without `+` (wholesale switches)
    """

    home_country: str = "HK"
    international_prefixes: tuple[str, ...] = ()
    trunk_prefix: str | None = None
    area_code: str = ""
    access_codes: tuple[str, ...] = ()
    on_net: tuple[tuple[str, str], ...] = ()
    emergency: tuple[str, ...] = ()
    extension_lengths: tuple[int, ...] = (3, 4)
    plain_e164: bool = False

    def __post_init__(self) -> None:
        if not is_country(self.home_country):
            raise ValueError(f"{self.home_country!r} is not a country known by two capital letters.")
        codes = (*self.international_prefixes, *self.access_codes, *self.emergency)
        for code in (*codes, self.trunk_prefix or "", self.area_code):
            if not all(char in "0123456789~*#" for char in code):
                raise ValueError(f"{code!r} is not a code that can be dialled.")
        if not all(codes):
            raise ValueError("A code to dial cannot be empty.")
        for first, last in self.on_net:
            if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
                raise ValueError(f"The on-net range {first}-{last} must be given in digits.")
            if len(first) != len(last) or first > last:
                raise ValueError(f"The on-net range {first}-{last} must run upwards, with equal lengths.")
        if any(not 2 <= length <= 6 for length in self.extension_lengths):
            raise ValueError("Extensions have 2 to 6 digits.")

    def normalise(self, raw: str) -> Number | BadNumber:
        """The number meant by what was dialled. Cached; some 100,000 new numbers a second."""
        return rules_of(self).normalise(raw)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DialPlan:
        """From the mapping that `to_json` makes; `ValueError` for unknown keys or values of no use."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise ValueError(f"A dial plan has no {', '.join(unknown)}; it has {', '.join(sorted(known))}.")
        values = dict(data)
        for key in ("international_prefixes", "access_codes", "emergency", "extension_lengths"):
            if key in values:
                values[key] = tuple(_listed(key, values[key]))
        if "on_net" in values:
            values["on_net"] = tuple(_range(item) for item in _listed("on_net", values["on_net"]))
        try:
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"The dial plan has a value of the wrong kind: {error}") from None

    def to_json(self) -> dict[str, Any]:
        """A mapping of lists, strings, numbers and truth values."""
        data = asdict(self)
        data["on_net"] = [list(pair) for pair in self.on_net]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in data.items()}


def _listed(key: str, value: object) -> Iterable[Any]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{key} must be a list.")
    return value


def _range(item: object) -> tuple[str, str]:
    if isinstance(item, str):
        first, _dash, last = item.partition("-")
        return first.strip(), (last or first).strip()
    if isinstance(item, (list, tuple)) and len(item) == 2:
        return str(item[0]), str(item[1])
    raise ValueError("An on-net range is a pair of numbers, or `first-last`.")


@lru_cache(maxsize=256)
def rules_of(plan: DialPlan) -> Rules:
    """The plan's rules, made ready once."""
    return Rules(
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
