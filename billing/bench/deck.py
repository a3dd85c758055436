"""`./bench deck`: a carrier's deck of 285,000 prefixes, from the file to rates in force.

The yardstick is what PostgreSQL needs to take the very rows that the import wrote, and nothing else: COPY into an empty
table with the same checks and indexes. Three decks: a line for each code, codes merged in lists, and the first one a
month later, when one price in a hundred has changed.
"""

from __future__ import annotations

import csv
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from django.db import connection, transaction
from phonenumbers.carrierdata import CARRIER_DATA
from phonenumbers.geodata import GEOCODE_DATA

from billing.bench import Measurement, benchmark
from rating.models import Rate, RateTable
from rating.services.decks import DeckImport, import_deck
from rating.services.rates import create_table
from tiers.models import Party
from tiers.services.parties import create_operator
from tiers.viewer import Actor

ACTOR = Actor("benchmark")
SEED = 11
PREFIXES = 285_000
MOST_IN_A_LIST = 40
ROUNDS = 3
GOAL = 5.0
NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)
HEADER = ("Country", "Destination", "Dial Code", "Rate (USD/min)", "Effective Date", "Billing Increment", "Change")
INCREMENTS = ("1/1", "60/1", "60/60", "30/6")


class Line(NamedTuple):
    """A code of the deck with the terms that it shares with its destination; the price in USD, as text."""

    code: str
    destination: str
    price: str
    increment: str


@benchmark("deck")
def deck(count: int | None) -> Iterator[Measurement]:
    """Three imports, each against the bare COPY of the rows it left: at most five times as long."""
    lines = list(islice(codes(), count or PREFIXES))
    size = f"{len(lines):,} prefixes"
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as name:
        folder = Path(name)
        plain, merged, later = folder / "plain.csv", folder / "merged.csv", folder / "later.csv"
        write_lines(plain, lines)
        write_lists(merged, lines)
        write_lines(later, changed(lines))
        first = new_table("plain")
        yield _measured("deck", first, plain, folder, len(lines), f"{size}, a line each")
        yield _measured("deck-lists", new_table("merged"), merged, folder, len(lines), f"{size}, merged in lists")
        yield _measured(
            "deck-again", first, later, folder, len(lines), f"{size}, of which 1 % at a new price", later=30
        )


def _measured(
    name: str, table: RateTable, path: Path, folder: Path, count: int, what: str, later: int = 0
) -> Measurement:
    took_s, done = timed_import(table, path, NOW + timedelta(days=later))
    if done.rejected or done.added + done.changed + done.unchanged != count:
        raise AssertionError(f"{name}: not every code went in: {done}")
    copied_s = copy_seconds(table, folder)
    note = f"{what}, against bare COPY of the rows that the table then holds"
    return Measurement(name, took_s * 1000, "ms", copied_s * 1000, GOAL, note, at_most=True)


def timed_import(table: RateTable, path: Path, now: datetime) -> tuple[float, DeckImport]:
    started = time.perf_counter()
    done = import_deck(table, path, actor=ACTOR, now=now)
    return time.perf_counter() - started, done


def new_table(code: str) -> RateTable:
    owner = Party.objects.filter(code="northstar").first() or create_operator("northstar", "Northstar", actor=ACTOR)
    return create_table(owner, code, code.title(), "USD", actor=ACTOR)


def codes() -> Iterator[Line]:
    """Real prefixes, then each of them one digit longer; a destination has one price, as in decks."""
    chance = random.Random(SEED)
    real = sorted({*GEOCODE_DATA, *CARRIER_DATA})
    terms: dict[str, Line] = {}
    by_name: dict[str, Line] = {}
    for code in real:
        name = GEOCODE_DATA.get(code, CARRIER_DATA.get(code, {})).get("en", "Proper")
        if name not in by_name:
            price = Decimal(chance.randrange(20, 9000)).scaleb(-4)
            by_name[name] = Line("", name, str(price), chance.choice(INCREMENTS))
        terms[code] = by_name[name]._replace(code=code)
        yield terms[code]
    known = set(real)
    for code in real:
        for longer in (f"{code}{digit}" for digit in range(10)):
            if longer not in known and len(longer) <= 15:
                yield terms[code]._replace(code=longer)


def changed(lines: Iterable[Line]) -> Iterator[Line]:
    """The deck a month later: one price in a hundred is another."""
    chance = random.Random(SEED + 1)
    for line in lines:
        yield line._replace(price=f"{line.price}1") if chance.random() < 0.01 else line


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    """A line for each code."""
    _write(path, ((line, line.code) for line in lines))


def write_lists(path: Path, lines: Sequence[Line]) -> None:
    """Codes with the same terms on one line, as far as a mailed deck puts them there."""
    groups: dict[Line, list[str]] = {}
    for line in lines:
        groups.setdefault(line._replace(code=""), []).append(line.code)
    _write(
        path,
        (
            (line, ", ".join(found[at : at + MOST_IN_A_LIST]))
            for line, found in groups.items()
            for at in range(0, len(found), MOST_IN_A_LIST)
        ),
    )


def _write(path: Path, rows: Iterable[tuple[Line, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("Boreal Carrier Services: rate notice", "", "", "", "", "", ""))
        writer.writerow(HEADER)
        for line, code in rows:
            writer.writerow(("", line.destination, code, line.price, "15/05/2026", line.increment, "Current"))
        writer.writerow(("All rates in USD, taxes excluded.", "", "", "", "", "", ""))


def copy_seconds(table: RateTable, folder: Path) -> float:
    """The median of three times that the table's rates are COPYed, each time into a new and empty table."""
    path = folder / "rates.copy"
    name = Rate._meta.db_table
    with path.open("wb") as file, connection.cursor() as cursor:
        query = cursor.mogrify(f"SELECT * FROM {name} WHERE table_id = %s ORDER BY id", [table.pk]).decode()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT", file)
    return median(_copy_once(name, path) for _round in range(ROUNDS))


def _copy_once(name: str, path: Path) -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_{name} (LIKE {name} INCLUDING ALL)")
        started = time.perf_counter()
        with transaction.atomic(), path.open("rb") as file:
            cursor.copy_expert(f"COPY bench_{name} FROM STDIN", file)
        took = time.perf_counter() - started
        cursor.execute(f"DROP TABLE bench_{name}")
    return took
