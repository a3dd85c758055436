"""Where numbers, moments and keys lie, by columns: stretches of prefixes, lines of moments, cells."""

from __future__ import annotations

import os
from bisect import bisect_right
from random import Random, SystemRandom

import numpy as np
import pytest

from rating.batch.cells import UNKNOWN, Cells
from rating.batch.digits import keys_of
from rating.batch.intervals import NO_STRETCH, Stretches
from rating.batch.timelines import Timelines
from rating.batch.times import FOR_EVER, NO_TIME

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
pytestmark = [pytest.mark.proof] if PROOF else []
ROUNDS = 2_000 if PROOF else 60


def stretches_of(prefixes: list[str], numbers: list[str]) -> list[int]:
    stretches = Stretches()
    stretches.cut(prefixes)
    found: list[int] = stretches.find(keys_of(np.array(numbers, dtype=np.str_))).tolist()
    return found


def some_digits(random: Random, longest: int) -> str:
    """Few digits, 0 and 9 among them, so that prefixes nest and touch."""
    return "".join(random.choice("0019") for _ in range(random.randint(1, longest)))


def begun(prefixes: set[str], number: str) -> set[str]:
    return {prefix for prefix in prefixes if number.startswith(prefix)}


def test_numbers_of_one_stretch_begin_with_the_same_prefixes(capsys: pytest.CaptureFixture[str]) -> None:
    seed = SystemRandom().getrandbits(48) if PROOF else 5
    if PROOF:
        with capsys.disabled():
            print(f"\n{ROUNDS:,} random sets of prefixes, seed {seed}")
    for at in range(ROUNDS):
        random = Random(seed + at)
        prefixes = {some_digits(random, 6) for _ in range(random.choice([0, 1, 5, 60]))}
        numbers = [some_digits(random, 8) for _ in range(200)]
        stretches = Stretches()
        for part in (set(list(prefixes)[::2]), prefixes):
            stretches.cut(part)
        told: dict[int, set[str]] = {}
        for number, stretch in zip(numbers, stretches.find(keys_of(np.array(numbers))).tolist(), strict=True):
            same = told.setdefault(stretch, begun(prefixes, number))
            assert begun(prefixes, number) == same, f"seed {seed + at}: {number}"


def test_a_short_number_is_not_a_longer_prefix_that_ends_in_zero() -> None:
    """44 filled up with zeros would look like 4400."""
    found = stretches_of(["4400", "440"], ["44", "440", "4400", "4401", "4", "44011"])
    assert found == [0, 1, 2, 3, 0, 3], "4 and 44 have no prefix; 440 lies before 4400, 4401 behind it"


@pytest.mark.parametrize("number", ["", "+4420", "44 20", "44a", "４４20", "44\x0020", "4" * 19, "44\u0660"])
def test_what_is_no_number_lies_nowhere(number: str) -> None:
    found = stretches_of(["4", "44"], [number, "4420"])
    assert found[0] == NO_STRETCH
    assert found[1] > NO_STRETCH


def test_the_longest_numbers_and_prefixes_there_are() -> None:
    found = stretches_of(["9" * 18, "9" * 20, "0" * 18, "9"], ["9" * 18, "0" * 18, "9" * 17, "0" * 17])
    assert len(set(found)) == 4


@pytest.mark.parametrize("prefix", ["", "+44", "4a", "٤٤"])
def test_a_prefix_is_made_of_digits(prefix: str) -> None:
    with pytest.raises(ValueError, match="made of digits"):
        Stretches().cut([prefix])


def test_points_lie_in_the_segment_of_their_own_line() -> None:
    random = Random(9)
    lines, cuts = Timelines(), []
    for _ in range(50):
        cuts.append(sorted(random.sample(range(-1000, 1000), random.choice([0, 1, 2, 3, 40]))))
        assert lines.add(cuts[-1]) == len(cuts) - 1
    asked = [(random.randrange(50), random.randrange(-1100, 1100)) for _ in range(5_000)]
    asked += [(line, cut) for line, own in enumerate(cuts) for cut in own]
    where, points = (np.array(column) for column in zip(*asked, strict=True))
    segments = lines.find(where, points)
    for (line, point), segment in zip(asked, segments.tolist(), strict=True):
        bounds = [NO_TIME, *cuts[line], FOR_EVER]
        at = bisect_right(cuts[line], point)
        assert (lines.starts[segment], lines.ends[segment]) == (bounds[at], bounds[at + 1])
    assert len(set(segments.tolist())) <= sum(map(len, cuts)) + 50


def test_cells_know_what_was_put_into_them_and_nothing_else() -> None:
    """Also while they grow, and where keys fall on the same place."""
    random = np.random.default_rng(4)
    cells, known = Cells(), dict[int, int]()
    for _ in range(40):
        keys = np.setdiff1d(random.integers(0, 60_000, random.integers(1, 900)), np.array(list(known), np.int64))
        cells.add(keys, keys % 977)
        known |= {key: key % 977 for key in keys.tolist()}
        asked = random.integers(0, 80_000, 5_000)
        assert cells.find(asked).tolist() == [known.get(key, UNKNOWN) for key in asked.tolist()]
    assert cells.count == len(known) > 10_000
    keys, values = cells.items()
    assert dict(zip(keys.tolist(), values.tolist(), strict=True)) == known
