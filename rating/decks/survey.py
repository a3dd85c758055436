"""The first pass over a deck: evidence for what one cell cannot tell, and the questions that evidence leaves
open.

The order of day and month, the meaning of a hyphen, the decimal mark and the unit are properties of a
whole file. They are settled here, by what the file shows or by a person's answer, before any price is
read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

import polars as pl

from rating.decks import codes, dates, prices
from rating.decks import headers as h
from rating.decks.blocks import Block, name_of
from rating.decks.layout import Layout
from rating.decks.source import Record
from rating.decks.values import BadCell, DeckRefused, Question

JOINED, WHOLE = "joined", "whole"
FIXED_OPTIONS: dict[str, tuple[str, ...]] = {
    "date_order": (dates.DAY_FIRST, dates.MONTH_FIRST),
    "hyphen": (codes.RANGE, codes.JOIN, "each"),
    "decimal_mark": (prices.POINT, prices.COMMA),
    "price_unit": (prices.UNIT, prices.CENT, prices.CENT_100),
    "codes": (JOINED, WHOLE),
}
FREE_KEYS = frozenset({"price_column", "code_column", "sheet", "card"})
NOTE_WORDS = 3
SAMPLES = 5
WHOLE_PRICES_LINES, WHOLE_PRICES_FROM = 5, 10

_CENTS = re.compile(r"\bcents?\b|\u00a2", re.IGNORECASE)


@dataclass
class Survey:
    """What the cells of a file show together."""

    lines: int = 0
    dates: set[str] = field(default_factory=set)
    prices: set[str] = field(default_factory=set)
    amounts: set[str] = field(default_factory=set)
    hyphens: set[str] = field(default_factory=set)
    hyphens_after_country: set[str] = field(default_factory=set)
    hyphen_samples: list[str] = field(default_factory=list)
    with_country: int = 0
    without_country: int = 0


@dataclass(frozen=True)
class Choices:
    """How the cells of this file are to be read.

    `mark` is None where the price column uses both decimal marks.
    """

    hyphen: str | None
    date_order: str
    mark: str | None
    unit: str
    join_country: bool


def check_answers(answers: Mapping[str, str]) -> None:
    """Refuse an answer to no question, or one that is no option."""
    for key, value in answers.items():
        options = FIXED_OPTIONS.get(key)
        if options is None and key not in FREE_KEYS:
            known = ", ".join(sorted([*FIXED_OPTIONS, *FREE_KEYS]))
            raise DeckRefused("bad_answer", f"There is no question {key!r}.", key, f"Questions are: {known}.")
        if options is not None and value not in options:
            raise DeckRefused(
                "bad_answer",
                f"{value!r} does not answer {key!r}.",
                key,
                f"Answers are: {', '.join(options)}.",
            )


def carries_data(
    record: Record, layout: Layout, price_column: int, skipped: Callable[[Record], None] | None = None
) -> bool:
    """Whether a record below the header is not a blank line, a footer, a heading, or the header again.

    `skipped` is told of notes that stand in the code column, so that they are not lost silently.
    """
    cells = record.cells
    if record.error:
        return True
    code, width = layout.roles[h.CODE], len(cells)
    country = layout.roles.get(h.COUNTRY_CODE, code)
    has_price = price_column < width and cells[price_column].strip()
    named = (code < width and cells[code].strip()) or (country < width and cells[country].strip())
    if not named and not has_price:
        return False
    header = [cell.strip() for cell in layout.header]
    if named == header[code] and [cell.strip() for cell in cells] == header:
        return False
    if not has_price and _is_note(cells):
        if skipped:
            skipped(record)
        return False
    return True


def _is_note(cells: list[str]) -> bool:
    """A sentence alone in its row: a footer that happens to stand under the codes."""
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) != 1:
        return False
    return sum(word.strip(".,;:").isalpha() for word in filled[0].split()) >= NOTE_WORDS


def survey(blocks: Iterable[Block], layout: Layout, price_column: int | None) -> Survey:
    """Read the whole file once for its evidence."""
    seen = Survey()
    width = len(layout.header)
    wanted = _Wanted(layout, price_column)
    for block in blocks:
        wanted.note_block(seen, block.plain)
        for record in block.odd:
            if carries_data(record, layout, wanted.priced):
                wanted.note(seen, record.cells + [""] * (width - len(record.cells)))
    return seen


class _Wanted:
    """Which cells of a line are evidence, and of what."""

    def __init__(self, layout: Layout, price_column: int | None) -> None:
        roles = layout.roles
        self.code, self.country = roles[h.CODE], roles.get(h.COUNTRY_CODE)
        self.price, self.priced = price_column, self.code if price_column is None else price_column
        self.dates = [roles[role] for role in (h.EFFECTIVE, h.ENDS) if role in roles]
        self.amounts = [roles[role] for role in (h.CONNECT_FEE, h.MIN_CHARGE, h.PRICE_FIRST) if role in roles]

    def note(self, seen: Survey, cells: list[str]) -> None:
        seen.lines += 1
        seen.dates.update(cells[column] for column in self.dates)
        seen.amounts.update(cells[column] for column in self.amounts)
        if self.price is not None:
            seen.prices.add(cells[self.price])
        self._note_code(seen, cells[self.code], "" if self.country is None else cells[self.country])

    def note_block(self, seen: Survey, plain: pl.DataFrame) -> None:
        """The same for many lines: what a cell tells, it tells once."""
        seen.lines += len(plain)
        for columns, found in (
            (self.dates, seen.dates),
            (self.amounts, seen.amounts),
            ([] if self.price is None else [self.price], seen.prices),
        ):
            for column in columns:
                found.update(plain[name_of(column)].unique())
        code = pl.col(name_of(self.code))
        if self.country is None:
            plain = plain.filter(~code.str.contains("^[0-9]+$"))
        country = pl.lit("") if self.country is None else pl.col(name_of(self.country))
        pairs = plain.select(code.alias("code"), country.alias("country")).unique(maintain_order=True)
        for cell, beside in pairs.iter_rows():
            self._note_code(seen, cell, beside)

    def _note_code(self, seen: Survey, cell: str, country: str) -> None:
        if not cell.isdigit():
            _note_hyphens(seen, cell)
        if self.country is not None:
            _note_country(seen, cell, country)


def _note_hyphens(seen: Survey, cell: str) -> None:
    shapes = codes.hyphen_shapes(cell)
    if shapes and len(seen.hyphen_samples) < 5 and not shapes <= seen.hyphens:
        seen.hyphen_samples.append(cell.strip())
    seen.hyphens |= shapes
    seen.hyphens_after_country |= codes.hyphen_shapes(cell, country="1")


def _note_country(seen: Survey, cell: str, country: str) -> None:
    try:
        digits = codes.country_digits(country)
    except BadCell:
        return
    for token in codes.tokens(cell):
        if token.strip().lstrip("+^").startswith(digits):
            seen.with_country += 1
        else:
            seen.without_country += 1


def settle(
    seen: Survey,
    layout: Layout,
    price: h.Price | None,
    answers: Mapping[str, str],
    kept: Mapping[str, str],
) -> tuple[Choices, list[Question]]:
    """What the answers and the evidence decide, then what was answered for earlier files; and what stays open."""
    questions: list[Question] = []

    def decide(key: str, found: str | None, text: str, options: tuple[str, ...] = ()) -> str:
        if key in answers:
            return answers[key]
        options = options or FIXED_OPTIONS[key]
        if found is None and kept.get(key) in options:
            return kept[key]
        if found is None:
            questions.append(Question(key, text, options, _samples(seen, key)))
        return found or ""

    join_country = h.COUNTRY_CODE in layout.roles and (decide("codes", *_codes_evidence(seen, layout)) == JOINED)
    hyphen = codes.RANGE if join_country else decide("hyphen", *_hyphen_evidence(seen))
    order = decide("date_order", *_date_evidence(seen))
    mark = decide("decimal_mark", *_mark_evidence(seen))
    unit = decide("price_unit", *_unit_evidence(seen, layout, price)) if price else prices.UNIT
    return Choices(
        hyphen or None, order, None if mark == "both" else mark, unit or prices.UNIT, join_country
    ), questions


def _samples(seen: Survey, key: str) -> tuple[str, ...]:
    """Some cells that a question is about, the telling ones first."""
    found = {
        "hyphen": seen.hyphen_samples,
        "date_order": sorted(seen.dates - {""}),
        "decimal_mark": sorted(cell for cell in seen.prices if "," in cell),
        "price_unit": sorted(seen.prices - {""}),
    }
    return tuple(cell.strip() for cell in found.get(key, ())[:SAMPLES])


def _codes_evidence(seen: Survey, layout: Layout) -> tuple[str | None, str]:
    text = "The codes stand beside a country code. Do they go after it (joined) or already hold it (whole)?"
    role = h.role_of(layout.header[layout.roles[h.CODE]])
    is_area = role is not None and role[0] == h.AREA_CODE
    if seen.with_country + seen.without_country == 0:
        return (JOINED if is_area else WHOLE), text
    if seen.without_country:
        return (JOINED if is_area else None), text
    return (None if is_area else WHOLE), text


def _hyphen_evidence(seen: Survey) -> tuple[str | None, str, tuple[str, ...]]:
    samples = ", ".join(seen.hyphen_samples)
    text = (
        f"What does a hyphen between codes mean here ({samples})? "
        "range: from the first code to the second; join: country and area of one code"
    )
    ways = seen.hyphens - {codes.NEITHER}
    if codes.RANGE in ways and codes.JOIN in ways:
        return None, f"{text}; each: by the shape of each pair.", FIXED_OPTIONS["hyphen"]
    if ways == {codes.EITHER}:
        return None, f"{text}.", (codes.RANGE, codes.JOIN)
    return (codes.RANGE if codes.RANGE in ways else codes.JOIN), text, ()


def _date_evidence(seen: Survey) -> tuple[str | None, str]:
    forced, undecided = dates.date_orders(seen.dates)
    if len(forced) == 1:
        return next(iter(forced)), ""
    if len(forced) > 1:
        return (
            None,
            "Some dates can only be day first and some only month first. Which is right for this file?",
        )
    if undecided:
        return None, f"Is {undecided} day first or month first? No date of the column tells."
    return dates.DAY_FIRST, ""


def _mark_evidence(seen: Survey) -> tuple[str | None, str]:
    forced, unclear = prices.decimal_marks(seen.prices | seen.amounts)
    if len(forced) == 1:
        return next(iter(forced)), ""
    if forced:
        return "both", ""
    if unclear:
        return (
            None,
            f"Is the comma in the price {unclear} the decimal mark, or is the point, and it marks thousands?",
        )
    return prices.POINT, ""


def _unit_evidence(seen: Survey, layout: Layout, price: h.Price) -> tuple[str | None, str]:
    text = "In which unit are the prices? unit: whole currency units; cent: 1/100; cent_100: 1/100 cent."
    if price.unit == "cent":
        return prices.CENT, text
    if price.unit == "odd":
        return None, f"The column {price.header!r} names an unusual unit. {text}"
    if any(_CENTS.search(line) for line in layout.preamble):
        return None, f"The lines above the table speak of cents. {text}"
    numbers = [int(cell) for cell in seen.prices if cell.strip().isdecimal() and cell.isascii()]
    is_whole = len(numbers) == len([cell for cell in seen.prices if cell.strip()])
    if seen.lines >= WHOLE_PRICES_LINES and is_whole and numbers and median(numbers) >= WHOLE_PRICES_FROM:
        return None, f"All prices are whole numbers such as {numbers[0]}. {text}"
    return prices.UNIT, text
