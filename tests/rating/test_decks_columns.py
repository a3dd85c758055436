"""A deck read by columns is the deck read line by line: the same rows, rejections, warnings and questions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.bench.deck import codes, write_lines, write_lists
from rating.decks import DeckQuestions, DeckRefused, blocks, read_deck

from .decks_help import NOW, Reader, prices, reader

HEADER = ("Prefix", "Country Code", "Destination", "Rate", "Rate 1", "Billing", "Effective Date", "Status", "Currency")
CELLS = {
    "Prefix": ["44", "44", "45", "4520", "44, 45", "4915-4917", "52-334", "+93*", "", "abc", "١٢", "1 2 3", "Prefix"],
    "Country Code": ["", "44", "52", "x"],
    "Destination": ["UK", "Denmark mobile", "Île, d'Yeu", 'say "hi"', "", "two\nlines", "\u00a0", "a,b"],
    "Rate": ["0.1", "0.1", "0.2", "1200", "", "Closed", "0,25", "1,234", "0.1-0.2", "٣", "0.123456789", "-", "Rate"],
    "Rate 1": ["", "0.1", "0.2"],
    "Billing": ["60/1", "1", "", "0", "soon"],
    "Effective Date": ["", "2027-07-01", "13/07/2027", "2026-01-01", "2026-02-01", "not a date"],
    "Status": ["", "Closed", "New", "blocked"],
    "Currency": ["", "USD", "EUR"],
}
ODD_LINES = ["", ",,,", "All rates exclude taxes.", '44,"open', ",".join(HEADER), "44,,x,0.1,,,,,,,more", "44"]


@contextmanager
def line_by_line() -> Iterator[None]:
    """Nothing counts as plain, so every line takes the reading by rows."""
    with mock.patch.object(blocks, "_plain", return_value=pl.lit(False)):
        yield


def outcome(path: Path, **given: Any) -> Any:
    try:
        deck = read_deck(path, now=NOW, **given)
    except DeckQuestions as asked:
        return [(question.key, question.options) for question in asked.questions]
    except DeckRefused as refused:
        return refused.code
    rows = sorted(
        deck.rows, key=lambda row: (row.line, row.prefix, row.effective_from or datetime.min.replace(tzinfo=UTC))
    )
    return rows, deck.rejected, deck.warnings, deck.read, deck.currency


def cell(text: str) -> str:
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(mark in text for mark in ',"\n') else text


@st.composite
def decks(draw: st.DrawFn) -> str:
    names = [HEADER[0], *draw(st.lists(st.sampled_from(HEADER[1:]), unique=True)), "Rate"]
    names = list(dict.fromkeys(names))
    line = st.tuples(*[st.sampled_from(CELLS[name]).map(cell) for name in names]).map(",".join)
    lines = draw(st.lists(st.one_of(line, line, line, st.sampled_from(ODD_LINES)), max_size=14))
    return "\n".join(["Rates of Boreal", ",".join(names), *lines, ""])


@settings(max_examples=150, deadline=None)
@given(
    decks(),
    st.sampled_from([None, "USD"]),
    st.sampled_from([{}, {"hyphen": "each", "date_order": "day_first", "decimal_mark": "point", "codes": "joined"}]),
    st.sampled_from([1, 3, 50_000]),
)
def test_columns_read_what_rows_read(text: str, currency: str | None, answers: dict[str, str], lines: int) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(blocks, "BLOCK_LINES", lines):
        path = Path(folder) / "deck.csv"
        path.write_text(text, encoding="utf-8")
        with line_by_line():
            wanted = outcome(path, currency=currency, answers=answers)
        assert outcome(path, currency=currency, answers=answers) == wanted


@pytest.mark.parametrize("lists", [False, True], ids=["a-line-each", "in-lists"])
def test_a_deck_of_some_thousand_real_codes_reads_alike(tmp_path: Path, lists: bool) -> None:
    lines = [line for line, _place in zip(codes(), range(4000), strict=False)]
    path = tmp_path / "deck.csv"
    (write_lists if lists else write_lines)(path, lines)
    with line_by_line():
        wanted = outcome(path, currency="USD")
    found = outcome(path, currency="USD")
    assert len(found[0]) == len(lines)
    assert found == wanted


def test_lines_that_meet_over_the_bounds_of_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_LINES", 2)
    monkeypatch.setattr(blocks, "KEPT_BLOCKS", 1)
    read: Reader = reader(tmp_path)
    deck = read('Prefix,Rate\n44,0.1\n45,0.1\n46,0.1\n47,0.1\n"48,44",0.2\n"49,50",0.3\n45,0.1\n')
    assert prices(deck) == {"44": "0.1", "45": "0.1", "46": "0.1", "47": "0.1", "49": "0.3", "50": "0.3"}
    assert [(line.line, line.text) for line in deck.rejected] == [(6, '"48,44",0.2')]
    assert "1 codes stand twice with the same terms (line 8 first)." in deck.warnings
