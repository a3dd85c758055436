"""An A-Z price deck for the demo: real prefixes, real names, invented prices, the same each time.

Why: a product for carriers must be seen with a table of the size that carriers mail. Prefixes and names come
from the metadata of `phonenumbers`; prices are drawn from a hash of seed and country, without any chance.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from rating.numbers.countries import CALLING_CODES, country, regions
from rating.numbers.names import country_name, region_code

DEFAULT_SEED = 7
DEFAULT_EFFECTIVE = date(2026, 1, 1)
HEADER = ("Destination", "Prefix", "Rate/Min", "Effective", "Billing")
CITIES_PER_CODE = 420
MOBILES_PER_CODE = 900
MAX_PREFIX_DIGITS = 9

_TEN_THOUSANDTHS = Decimal("0.0001")
# Ten-thousandths a minute to fixed lines, where competition made calls cheap.
_CHEAP_BY_PRICE = {
    34: "US CA",
    62: "GB DE FR ES IT NL BE AT CH SE NO DK FI IE PT PL CZ LU GR HU",
    88: "CN HK SG TW KR JP MY TH AU NZ IN BR MX AR CL IL",
}
_CHEAP = {region: price for price, listed in _CHEAP_BY_PRICE.items() for region in listed.split()}
_USUAL = (110, 140, 180, 240, 320, 430, 560, 740, 980, 1300, 1700, 2200, 2900)
_WORLDWIDE = {"800": 900, "808": 1500, "878": 12000, "979": 18000}
_WORLDWIDE_USUAL = 39000
_MOBILE_TENTHS = (11, 13, 16, 20, 26, 34, 45)
_DAYS_EARLIER = (0, 0, 0, 7, 14, 30)


class DeckRow(NamedTuple):
    """One line: what the destination is called, its prefix, the price per minute, from when, first/step."""

    destination: str
    prefix: str
    rate: Decimal
    effective: date
    billing: str


def az_deck(carrier_code: str, seed: int = DEFAULT_SEED, effective: date = DEFAULT_EFFECTIVE) -> Iterator[DeckRow]:
    """Over 20,000 rows sorted by destination and prefix, each prefix once, prices with four decimals.

    `atlas` is the cheaper carrier (60/1 to some countries), `boreal` the premium one (1/1 nearly throughout);
    any other code gets prices between. No date lies after `effective`.
    """
    for destination, prefix, kind in _listed():
        home = country_name(prefix)
        yield DeckRow(
            destination=destination,
            prefix=prefix,
            rate=_rate(carrier_code, seed, prefix, destination, kind),
            effective=effective - timedelta(days=_DAYS_EARLIER[_draw(seed, "date", home) % len(_DAYS_EARLIER)]),
            billing=_billing(carrier_code, seed, prefix),
        )


def write_csv(path: Path | str, rows: Iterable[DeckRow]) -> int:
    """Writes a deck as carriers mail it (dates in ISO form); returns the number of rows."""
    listed = list(rows)
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows((r.destination, r.prefix, r.rate, r.effective.isoformat(), r.billing) for r in listed)
    return len(listed)


def _draw(seed: int, *parts: str) -> int:
    """A number that is the same for the same parts, on every machine."""
    text = "\x1f".join((str(seed), *parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")


@cache
def _listed() -> tuple[tuple[str, str, str], ...]:
    """All destinations in the order of a deck; two carriers sell the same ones."""
    return tuple(sorted(_destinations()))


def _destinations() -> Iterator[tuple[str, str, str]]:
    """(destination, prefix, kind), kind being fixed, city, mobile or worldwide; each prefix once."""
    # Some 300,000 names: loaded only by who makes a deck.
    from phonenumbers.carrierdata import CARRIER_DATA
    from phonenumbers.geodata import GEOCODE_DATA

    seen: set[str] = set()
    for prefix in sorted(CALLING_CODES | set(_island_prefixes()), key=int):
        seen.add(prefix)
        worldwide = region_code(prefix) is None
        name = country_name(prefix)
        if name:
            yield (name if worldwide else f"{name} - Fixed"), prefix, "worldwide" if worldwide else "fixed"
    for prefix, name in _shortest(CARRIER_DATA, MOBILES_PER_CODE):
        if prefix not in seen:
            seen.add(prefix)
            yield f"{country_name(prefix)} - Mobile - {name}", prefix, "mobile"
    for prefix, name in _shortest(GEOCODE_DATA, CITIES_PER_CODE):
        home = country_name(prefix)
        if prefix not in seen and name != home:
            seen.add(prefix)
            yield f"{home} - {name}", prefix, "city"


def _island_prefixes() -> Iterator[str]:
    """`1242` and the like: the area codes behind +1 that are countries of their own."""
    sharing = [country(region) for region in regions("1")]
    for area in map(str, range(200, 1000)):
        if any(plan.leading_digits and plan.leading_digits.match(area) for plan in sharing):
            yield f"1{area}"


def _shortest(names: Mapping[str, Mapping[str, str]], most: int) -> Iterator[tuple[str, str]]:
    """Prefixes with their English names, at most so many for each calling code, short ones first."""
    by_code: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for prefix, texts in names.items():
        name = " ".join(texts.get("en", "").split())
        if name and name.isprintable() and len(prefix) <= MAX_PREFIX_DIGITS:
            code = next(prefix[:size] for size in (1, 2, 3) if prefix[:size] in CALLING_CODES)
            by_code[code].append((len(prefix), prefix, name))
    for code in sorted(by_code):
        for _size, prefix, name in sorted(by_code[code])[:most]:
            yield prefix, name


def _rate(carrier_code: str, seed: int, prefix: str, destination: str, kind: str) -> Decimal:
    """Price per minute: the country's, by kind, by network, by carrier; whole ten-thousandths."""
    home = country_name(prefix)
    if kind == "worldwide":
        base = _WORLDWIDE.get(prefix, _WORLDWIDE_USUAL)
    else:
        usual = _USUAL[_draw(seed, "base", home) % len(_USUAL)]
        base = _CHEAP.get(region_code(prefix) or "", usual)
    if kind == "mobile":
        base = base * _MOBILE_TENTHS[_draw(seed, "mobile", home) % len(_MOBILE_TENTHS)] // 10
        base = base * (92 + _draw(seed, "network", destination) % 17) // 100
    elif kind == "city":
        base = base * (86 + _draw(seed, "city", destination) % 15) // 100
    low, span = {"atlas": (90, 8), "boreal": (113, 14)}.get(carrier_code, (98, 10))
    base = base * (low + _draw(seed, carrier_code, home) % span) // 100
    return Decimal(max(base, 10)) * _TEN_THOUSANDTHS


def _billing(carrier_code: str, seed: int, prefix: str) -> str:
    """First and next increment in seconds, as decks write them."""
    region = region_code(prefix)
    if region is None or region == "MX":
        return "60/60"
    if region in ("US", "CA"):
        return "6/6" if carrier_code == "atlas" else "1/1"
    draw = _draw(seed, "billing", carrier_code, region) % 10
    if carrier_code == "atlas":
        return "60/1" if draw < 3 else "30/6" if draw == 3 else "60/60" if draw == 4 else "1/1"
    return "60/60" if draw == 0 else "30/6" if draw == 1 else "1/1"
