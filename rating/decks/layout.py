"""Where the table begins and which column plays which part; what stays open becomes a question.

The header is the row, under any delimiter, that names a code and a price and the most known columns.
Everything above it is preamble.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from rating.decks import headers as h
from rating.decks.source import Record, Source, cut_records
from rating.decks.values import DeckRefused, Question

HEADER_WITHIN_LINES = 300
CODE_ROLES = (h.CODE, h.WEAK_CODE, h.AREA_CODE, h.BREAKOUT, h.COUNTRY_CODE)


@dataclass(frozen=True)
class Layout:
    """The table's shape: its delimiter, the line of its header (0: none), roles to columns, and the price
    columns.

    `code_choices` are columns that name a code equally well; `unwrap` where each whole line stands in
    quotes.
    """

    header: tuple[str, ...]
    roles: dict[str, int]
    prices: tuple[h.Price, ...]
    code_choices: tuple[int, ...] = ()
    delimiter: str = ","
    header_line: int = 0
    unwrap: bool = False
    preamble: tuple[str, ...] = field(default=(), repr=False)

    @property
    def score(self) -> int:
        """How many columns are known; the row with most is the header."""
        return len(self.roles) + len(self.prices)


def find_layout(
    source: Source, mapping: Mapping[str, str] | None = None, remembered: Mapping[str, str] | None = None
) -> Layout:
    """The table of a file. Raises DeckRefused where there is none.

    What is `remembered` of earlier files holds where its names stand in this one; its numbers, where no header does.

    `mapping` gives columns by role where names are unknown: `{"code": "Zone", "price": "Tarif"}`; in a
    file without a header all by `#` and their number from 1: `{"code": "#1", "price": "#3"}`.
    """
    if mapping and _by_number(mapping):
        return _numbered(source, mapping)
    found: list[Layout] = []
    if remembered and not mapping and not _by_number(remembered):
        found = _all_candidates(source, remembered)
    found = found or _all_candidates(source, mapping or {})
    if not found and remembered and not mapping and _by_number(remembered):
        return _numbered(source, remembered)
    if not found:
        raise DeckRefused(
            "no_header",
            "No header row with a code column and a price column was found.",
            str(source.path),
            "Name the columns, for example Prefix, Destination, Rate, Effective Date, Billing Increment.",
        )
    return max(found, key=lambda layout: (layout.score, -layout.header_line, not layout.unwrap))


def _by_number(mapping: Mapping[str, str]) -> bool:
    return all(column.startswith("#") for column in mapping.values())


def _all_candidates(source: Source, mapping: Mapping[str, str]) -> list[Layout]:
    return [
        layout
        for delimiter, unwrap in source.shapes
        for layout in _candidates(source, delimiter, mapping, unwrap=unwrap)
    ]


def choose_code(layout: Layout, answers: Mapping[str, str], kept: Mapping[str, str]) -> Layout | Question:
    """The layout with its one code column, or the question which it is."""
    options = tuple(_named(layout.header, column) for column in layout.code_choices)
    if len(options) < 2:
        return layout
    chosen = _answered("code_column", options, answers, kept)
    if chosen is None:
        text = f"More than one column may hold the codes: {', '.join(options)}. Which one?"
        return Question("code_column", text, options)
    column = layout.code_choices[options.index(chosen)]
    return replace(layout, roles={**layout.roles, h.CODE: column}, code_choices=(column,))


def _answered(key: str, options: Sequence[str], *answers: Mapping[str, str]) -> str | None:
    """The first answer that is an option here."""
    return next((given[key] for given in answers if given.get(key) in options), None)


def choose_price(
    layout: Layout, answers: Mapping[str, str], currency: str | None, kept: Mapping[str, str]
) -> h.Price | Question:
    """The price column: the only one, or the new beside the current; else the question which it is."""
    options = tuple(_named(layout.header, price.column) for price in layout.prices)
    if (answer := answers.get("price_column")) in options:
        return layout.prices[options.index(answer)]
    prices = [price for price in layout.prices if currency and price.currency == currency] or list(layout.prices)
    kinds = {kind: [price for price in prices if price.kind == kind] for kind in ("plain", "new", "old", "special")}
    if len(prices) == 1:
        return prices[0]
    if not kinds["special"]:
        for chosen, other in (("new", "plain"), ("plain", "new")):
            if len(kinds[chosen]) == 1 and not kinds[other]:
                return kinds[chosen][0]
    if (answer := _answered("price_column", options, kept)) is not None:
        return layout.prices[options.index(answer)]
    text = f"More than one column holds a price: {', '.join(options)}. Which one is to be paid?"
    return Question("price_column", text, options)


def _named(header: Sequence[str], column: int) -> str:
    """A column's header; with its number where the same name stands twice."""
    name = header[column].strip()
    is_unique = sum(other.strip() == name for other in header) == 1
    return name if is_unique else f"{name} #{column + 1}"


def _numbered(source: Source, mapping: Mapping[str, str]) -> Layout:
    """A layout by column numbers, for files without a known header, by the delimiter that cuts most lines.

    The lines before the first with a digit where the code is are what stands above the table.
    """
    roles = {role: int(column[1:]) - 1 for role, column in mapping.items() if column[1:].isdigit()}
    price = roles.pop(h.PRICE, None)
    if price is None or not any(role in roles for role in CODE_ROLES):
        raise DeckRefused("bad_mapping", "The column mapping needs a code column and a price column.", "mapping")
    width = max(price, *roles.values()) + 1
    lines = list(islice(source.lines(), HEADER_WITHIN_LINES))
    marks = list(dict.fromkeys(delimiter for delimiter, _unwrap in source.shapes))
    delimiter = max(marks, key=lambda mark: sum(line.count(mark) + 1 >= width for line in lines))
    settled = _settled(roles)
    above: list[Record] = []
    for record in source.opening(delimiter, HEADER_WITHIN_LINES):
        cells = record.cells
        if len(cells) >= width and _has_digit(cells[settled[h.CODE]]) and _has_digit(cells[price]):
            width = len(cells)
            break
        above.append(record)
    else:
        above = []
    header = tuple(f"#{column + 1}" for column in range(width))
    named = above[-1].cells if above else []
    if len(named) == width and named[price].strip() and named[settled[h.CODE]].strip():
        header = tuple(name.strip() or number for name, number in zip(named, header, strict=True))
    told = h.price_of(price, header[price])
    prices = (h.Price(price, header[price], "plain", told.unit if told else "unit", told.currency if told else None),)
    last = above[-1].line if above else 0
    return Layout(header, settled, prices, (), delimiter, last, preamble=tuple(one.text for one in above))


def _has_digit(cell: str) -> bool:
    return any(letter.isdigit() for letter in cell)


def _candidates(source: Source, delimiter: str, mapping: Mapping[str, str], *, unwrap: bool) -> list[Layout]:
    found: list[Layout] = []
    above: list[str] = []
    for record in source.opening(delimiter, HEADER_WITHIN_LINES):
        cells = record.cells
        if unwrap:
            inside = cells[0] if len(cells) == 1 else ""
            cells = next(cut_records(iter([inside]), delimiter)).cells
        layout = _layout_of(cells, mapping) if len(cells) > 1 else None
        if layout:
            found.append(
                replace(layout, delimiter=delimiter, header_line=record.line, unwrap=unwrap, preamble=tuple(above))
            )
        above.append(record.text)
    return found


def _layout_of(cells: Sequence[str], mapping: Mapping[str, str]) -> Layout | None:
    """The layout that a row of names makes, or None where it names no code or no price."""
    wanted = {h.normal(name): role for role, name in mapping.items()}
    ranked: dict[str, tuple[int, int]] = {}
    prices: list[h.Price] = []
    codes: dict[str, list[int]] = {h.CODE: [], h.WEAK_CODE: []}
    for column, cell in enumerate(cells):
        role, rank = _role(cell, wanted)
        if price := h.price_of(column, cell):
            prices.append(price)
        elif role == h.PRICE:
            prices.append(h.Price(column, cell.strip(), "plain", "unit", None))
        elif role and (role not in ranked or rank < ranked[role][0]):
            ranked[role] = (rank, column)
        if role == h.PRICE_FIRST:
            ranked[role] = (rank, column)
        if role in codes:
            codes[role].append(column)
    roles = {role: column for role, (_, column) in ranked.items()}
    if h.PRICE in wanted.values():
        prices = [price for price in prices if wanted.get(h.normal(price.header)) == h.PRICE]
    prices = _without_first(prices, roles)
    if not prices or not any(role in roles for role in CODE_ROLES):
        return None
    choices = [] if h.CODE in wanted.values() else codes[h.CODE] or codes[h.WEAK_CODE]
    return Layout(tuple(cells), _settled(roles), tuple(prices), tuple(choices))


def _role(cell: str, wanted: Mapping[str, str]) -> tuple[str, int]:
    name = h.normal(cell)
    if name and name in wanted:
        return wanted[name], -1
    return h.role_of(cell) or ("", 0)


def _without_first(prices: list[h.Price], roles: dict[str, int]) -> list[h.Price]:
    """Price 1 beside Price N is a check on it, not a choice; alone it is the price."""
    following = [price for price in prices if h.normal(price.header) in h.SETTLED_PRICES]
    if h.PRICE_FIRST not in roles:
        return prices
    if not following:
        del roles[h.PRICE_FIRST]
        return prices
    return [price for price in prices if price.column != roles[h.PRICE_FIRST]]


def _settled(roles: dict[str, int]) -> dict[str, int]:
    """Roles with one column under `code`, and `country_code` only where the two may be joined."""
    settled = dict(roles)
    present = [role for role in CODE_ROLES if role in settled]
    chosen = present[0]
    if h.BREAKOUT in present and chosen != h.BREAKOUT:
        settled.setdefault(h.NAME, settled[h.BREAKOUT])
    column = settled[chosen]
    is_part = chosen == h.AREA_CODE or (chosen == h.WEAK_CODE and h.AREA_CODE not in present)
    country = settled.get(h.COUNTRY_CODE) if is_part else None
    for role in CODE_ROLES:
        settled.pop(role, None)
    settled[h.CODE] = column
    if country is not None:
        settled[h.COUNTRY_CODE] = country
    return settled
