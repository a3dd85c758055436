"""Increment cells: `60/1`, `1`, `30/6`, or nothing, in one column or in two."""

from __future__ import annotations

import re
from typing import NamedTuple

from rating.decks.values import BadCell

MAX_STEP_S = 86_400
WORDS = {"per second": (1, 1), "second": (1, 1), "per minute": (60, 60), "minute": (60, 60)}

_ONE = re.compile(r"(\d{1,6})(?:\.0+)? ?(?:s|sec|secs|second|seconds)?", re.ASCII | re.IGNORECASE)
_TWO = re.compile(r"(\d{1,6}) ?(?:s|sec|secs)? ?[/+:\\|-] ?(\d{1,6}) ?(?:s|sec|secs)?", re.ASCII | re.IGNORECASE)


class Increment(NamedTuple):
    """First and following increment in seconds; `is_assumed` where the deck gave none and 1/1 was taken."""

    first_s: int
    step_s: int
    is_assumed: bool = False


PER_SECOND = Increment(1, 1, is_assumed=True)


def read_increment(cell: str) -> Increment | None:
    """One cell, `60/1` or a single number for both; None for blank or zero. Raises BadCell."""
    text = cell.strip().lower()
    if text in WORDS:
        return Increment(*WORDS[text])
    if one := _ONE.fullmatch(text):
        first_s = step_s = int(one[1])
    elif two := _TWO.fullmatch(text):
        first_s, step_s = int(two[1]), int(two[2])
    elif text in ("", "-"):
        return None
    else:
        raise BadCell(f"{cell.strip()!r} is not an increment such as 60/1")
    if first_s == step_s == 0:
        return None
    if step_s == 0 or max(first_s, step_s) > MAX_STEP_S:
        raise BadCell(f"the increment {cell.strip()!r} cannot be charged")
    return Increment(first_s or step_s, step_s)


def read_increments(first: str, following: str) -> Increment:
    """Two cells, for the first and the following increments; where each says both, they must agree."""
    one, two = read_increment(first), read_increment(following)
    if two is None:
        return one or PER_SECOND
    if one is None:
        return two
    is_pair = len(_TWO.findall(first)) == 1
    if is_pair and one.step_s != two.step_s:
        raise BadCell(f"the increments {first.strip()!r} and {following.strip()!r} contradict each other")
    if len(_TWO.findall(following)) == 1 and two != Increment(one.first_s, two.step_s):
        raise BadCell(f"the increments {first.strip()!r} and {following.strip()!r} contradict each other")
    return Increment(one.first_s, two.step_s)
