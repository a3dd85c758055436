"""Rates found by columns equal those found by looking up each prefix, from the longest to the shortest."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random, SystemRandom

import numpy as np
import pytest

from rating.batch import NO_RATE, NO_TIME, Book, Dated, epoch_us
from rating.kernel import Rate

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
pytestmark = [pytest.mark.proof] if PROOF else []
ROUNDS = 2_000 if PROOF else 60
RATE = Rate(Decimal("0.10"))
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
MARCH, MAY = JANUARY.replace(month=3), JANUARY.replace(month=5)
Tables = list[list[Dated]]


def found(book: Book, numbers: list[str], moment: datetime = MAY, table: int = 0) -> list[int]:
    at_us = np.full(len(numbers), epoch_us(moment))
    ids: list[int] = book.find(np.array(numbers, dtype=np.str_), at_us, table).tolist()
    return ids


def row(prefix: str, since: datetime = JANUARY, until: datetime | None = None, *, blocked: bool = False) -> Dated:
    return Dated(prefix, RATE, since, until, blocked)


def test_the_longest_prefix_wins() -> None:
    book = Book.compile([[row("4"), row("44"), row("4420"), row("1")]])
    assert found(book, ["442071838750", "4411", "43", "1", "5", "441", "44"]) == [2, 1, 0, 3, NO_RATE, 1, 1]


def test_a_short_number_is_not_a_longer_prefix_that_ends_in_zero() -> None:
    """44 filled up with zeros would look like 4400."""
    book = Book.compile([[row("4400"), row("440")]])
    assert found(book, ["44", "440", "4400", "4401", "4", "0"]) == [NO_RATE, 1, 0, 1, NO_RATE, NO_RATE]


def test_a_rate_that_lapsed_falls_back_to_the_shorter_prefix() -> None:
    book = Book.compile([[row("44"), row("4420", JANUARY, MARCH), row("442", MAY)]])
    moment = timedelta(microseconds=1)
    assert found(book, ["44207"], MARCH - moment) == [1]
    assert found(book, ["44207"], MARCH) == [0], "the end is exclusive"
    assert found(book, ["44207"], MAY - moment) == [0]
    assert found(book, ["44207"], MAY) == [2]
    assert found(book, ["44207"], JANUARY - moment) == [NO_RATE]


def test_of_one_prefix_the_row_that_began_last_decides() -> None:
    book = Book.compile([[row("44", MARCH, MAY), row("44", JANUARY)]])
    assert found(book, ["44"], MARCH) == [0]
    assert found(book, ["44"], MARCH - timedelta(days=1)) == [1]
    assert found(book, ["44"], MAY) == [NO_RATE], "an earlier row does not rise again, as in a single look-up"


def test_each_number_in_its_own_table_or_in_all() -> None:
    book = Book.compile([[row("44")], [], [row("4420"), row("1")]])
    numbers = np.array([b"442071", b"1212", b"4411"])
    at_us = np.full(3, epoch_us(MAY))
    assert book.find(numbers, at_us, np.array([0, 0, 2])).tolist() == [0, NO_RATE, NO_RATE]
    every = book.find(numbers, at_us, np.array([[0], [1], [2]])).tolist()
    assert every == [[0, NO_RATE, 0], [NO_RATE] * 3, [1, 2, NO_RATE]]


def test_a_closed_prefix_is_found_and_says_so() -> None:
    book = Book.compile([[row("44"), row("4470", blocked=True)]])
    ids = found(book, ["447012", "4420"])
    assert book.blocked[ids].tolist() == [True, False]
    assert book.prefix_digits[ids].tolist() == [4, 2]


@pytest.mark.parametrize("number", ["", "+4420", "44 20", "44a", "４４20", "44\x0020", "4" * 19, "44\u0660"])
def test_what_is_no_number_has_no_rate(number: str) -> None:
    book = Book.compile([[row("4"), row("44")]])
    assert found(book, [number, "4420"]) == [NO_RATE, 1]


def test_the_longest_number_there_is() -> None:
    book = Book.compile([[row("9" * 18), row("9" * 20), row("0" * 18), row("9")]])
    assert found(book, ["9" * 18, "0" * 18, "9" * 17]) == [0, 2, 3]


def test_without_a_time_there_is_no_rate() -> None:
    book = Book.compile([[row("4")]])
    assert book.find(np.array(["44"]), np.array([NO_TIME]), 0).tolist() == [NO_RATE]


def test_an_empty_book_and_no_numbers() -> None:
    assert found(Book.compile([[]]), ["44"]) == [NO_RATE]
    assert found(Book.compile([[row("4")]]), []) == []


@pytest.mark.parametrize("prefix", ["", "+44", "4a", "٤٤"])
def test_a_prefix_is_made_of_digits(prefix: str) -> None:
    with pytest.raises(ValueError, match="made of digits"):
        Book.compile([[row(prefix)]])


# Random tables against dict lookup


def some_digits(random: Random, longest: int) -> str:
    """Few digits, 0 and 9 among them, so that prefixes nest and touch."""
    return "".join(random.choice("0019") for _ in range(random.randint(1, longest)))


def some_tables(random: Random) -> Tables:
    days = [JANUARY + timedelta(days=day) for day in range(12)]

    def some_row() -> Dated:
        since = random.choice(days)
        until = since + timedelta(days=random.randrange(6)) if random.randrange(2) else None
        return row(some_digits(random, 6), since, until)

    def some_table() -> list[Dated]:
        rows = [some_row() for _ in range(random.choice([0, 1, 5, 60, 200]))]
        once = {(one.prefix, one.effective_from): one for one in rows}
        return random.sample(list(once.values()), len(once))

    return [some_table() for _ in range(random.randint(1, 4))]


def looked_up(tables: Tables) -> list[dict[str, list[tuple[datetime, int]]]]:
    """For each table: by prefix its rows' beginnings and ids, the last first."""
    books: list[dict[str, list[tuple[datetime, int]]]] = []
    counted = 0
    for rows in tables:
        books.append({})
        for at, one in enumerate(rows, start=counted):
            books[-1].setdefault(one.prefix, []).append((one.effective_from, at))
        counted += len(rows)
        for dated in books[-1].values():
            dated.sort(reverse=True)
    return books


def by_dict(book: dict[str, list[tuple[datetime, int]]], rows: list[Dated], number: str, moment: datetime) -> int:
    for length in range(len(number), 0, -1):
        begun = [at for since, at in book.get(number[:length], []) if since <= moment]
        if begun:
            until = rows[begun[0]].effective_to
            if until is None or moment < until:
                return begun[0]
    return NO_RATE


def test_columns_find_what_a_dict_finds(capsys: pytest.CaptureFixture[str]) -> None:
    seed = SystemRandom().getrandbits(48) if PROOF else 5
    if PROOF:
        with capsys.disabled():
            print(f"\n{ROUNDS:,} random sets of tables, seed {seed}")
    for at in range(ROUNDS):
        random = Random(seed + at)
        tables = some_tables(random)
        numbers = [some_digits(random, 8) for _ in range(100)]
        moments = [JANUARY + timedelta(hours=random.randrange(-24, 400)) for _ in numbers]
        at_us = np.array([epoch_us(moment) for moment in moments])
        every = np.arange(len(tables)).reshape(-1, 1)
        ids = Book.compile(tables).find(np.array(numbers), at_us, every)
        rows = [one for table in tables for one in table]
        books = looked_up(tables)
        for table, call in product(range(len(tables)), range(len(numbers))):
            expected = by_dict(books[table], rows, numbers[call], moments[call])
            assert ids[table, call] == expected, f"seed {seed + at}: {numbers[call]} at {moments[call]}, table {table}"
