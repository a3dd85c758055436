"""Code cells: from `+93`, `336 07`, `49172-49174` or `82-10` to bare prefixes.

A hyphen means a range in one deck and joins country and area in another. What it can mean is told by its
shape (`447400-447409` can only be a range, `52-334217` can only be a join); the evidence of the whole
file decides, and where a file holds both, a person does. A wrong guess would price other people's
numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rating.decks.values import BadCell

MAX_PREFIX_DIGITS = 15
MAX_CODES_PER_LINE = 10_000
COUNTRY_DIGITS = 3

RANGE, JOIN, EITHER, NEITHER = "range", "join", "either", "neither"

_SEPARATORS = re.compile(r"[,;|\n]")
_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "--------")
_PIECE = re.compile(r"""(?:=")?'?\^?\+?([0-9]+(?:[ \u00a0]+[0-9]+)*)(?:\.?\*)?"?""", re.ASCII)
_PLAIN = re.compile(r"[0-9]{1,15}", re.ASCII)


class CodeReader:
    """Reads code cells under one meaning of the hyphen: `range`, `join`, or `each` by its own shape."""

    def __init__(self, hyphen: str | None = None) -> None:
        self.hyphen = hyphen

    def read(self, cell: str, country: str = "") -> list[str]:
        """The prefixes of a cell; with `country`, its digits go before each.

        Raises BadCell with the reason.
        """
        if not country and _PLAIN.fullmatch(cell):
            return [cell]
        start = country_digits(country) if country else ""
        codes: list[str] = []
        for token in tokens(cell):
            codes.extend(self._expand(token, start))
            if len(codes) > MAX_CODES_PER_LINE:
                raise BadCell(f"more than {MAX_CODES_PER_LINE} codes in one line")
        if not codes and start:
            codes = [start]
        if not codes:
            raise BadCell("no code")
        return _checked(codes)

    def _expand(self, token: str, start: str) -> Iterator[str]:
        pieces = _pieces(token)
        if len(pieces) == 1:
            return iter([start + pieces[0]])
        shape = _shape(pieces, after_country=bool(start))
        meaning = shape if self.hyphen == "each" else self.hyphen
        if shape not in (meaning, EITHER) or meaning not in (RANGE, JOIN):
            raise BadCell(f"the hyphen in {token.strip()!r} cannot be read as {_said(meaning, shape)}")
        if meaning == JOIN:
            return iter([start + "".join(pieces)])
        return _range(start, pieces[0], pieces[1])


def hyphen_shapes(cell: str, country: str = "") -> set[str]:
    """What the hyphens of a cell can mean: `range`, `join`, `either` or `neither`; none where unreadable."""
    shapes = set()
    for token in tokens(cell):
        try:
            pieces = _pieces(token)
        except BadCell:
            continue
        if len(pieces) > 1:
            shapes.add(_shape(pieces, after_country=bool(country)))
    return shapes


def tokens(cell: str) -> list[str]:
    """The elements of a code list that are not blank, with every dash made a hyphen."""
    return [token for token in _SEPARATORS.split(cell.translate(_DASHES)) if token.strip()]


def country_digits(cell: str) -> str:
    """The digits of a country code cell, which holds one code. Raises BadCell."""
    match = _PIECE.fullmatch(cell.strip())
    if match is None:
        raise BadCell(f"the country code {cell.strip()!r} is not a number")
    return _without_spaces(match[1])


def _said(meaning: str | None, shape: str) -> str:
    if meaning in (RANGE, JOIN):
        return "a range" if meaning == RANGE else "country and area"
    return "a range or as country and area" if shape == NEITHER else "either a range or country and area: both fit"


def _pieces(token: str) -> list[str]:
    """The digits on each side of the hyphens. Raises BadCell where something else is found."""
    pieces = []
    for part in token.split("-"):
        match = _PIECE.fullmatch(part.strip())
        if match is None:
            raise BadCell(f"{token.strip()!r} is not a code: digits 0 to 9 are expected")
        pieces.append(_without_spaces(match[1]))
    return pieces


def _without_spaces(digits: str) -> str:
    groups = digits.split()
    if len(groups) > 1 and all(len(group) >= 4 for group in groups):
        raise BadCell(f"{digits!r} may be one code or several: put commas between codes")
    return "".join(groups)


def _shape(pieces: list[str], *, after_country: bool) -> str:
    """What a hyphen can mean.

    An island of the North American plan (1868) counts as a country of four digits.
    """
    left, right = pieces[0], pieces[1]
    is_island = len(left) == 4 and left.startswith("1")
    can_range = len(pieces) == 2 and len(left) == len(right) and left <= right
    can_join = not after_country and len(left) <= COUNTRY_DIGITS
    if is_island and not after_country and not right.startswith("1"):
        can_range, can_join = False, True
    if can_range and can_join:
        return EITHER
    return RANGE if can_range else JOIN if can_join else NEITHER


def _range(start: str, first: str, last: str) -> Iterator[str]:
    count = int(last) - int(first) + 1
    if count > MAX_CODES_PER_LINE:
        raise BadCell(f"the range {first}-{last} has {count} codes; at most {MAX_CODES_PER_LINE} are read in one line")
    width = len(first)
    return (f"{start}{code:0{width}d}" for code in range(int(first), int(last) + 1))


def _checked(codes: list[str]) -> list[str]:
    longest = max(codes, key=len)
    if len(longest) > MAX_PREFIX_DIGITS:
        raise BadCell(f"the code {longest[:40]} is longer than {MAX_PREFIX_DIGITS} digits")
    return codes
