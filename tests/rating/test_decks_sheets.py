"""Boreal mails its deck as a workbook: every cell means what it shows, and no file can take the machine down."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from rating.decks import Deck, DeckQuestions, DeckRefused, read_deck
from rating.decks import source as deck_source
from rating.decks import workbook as deck_workbook
from rating.decks.exact import decimal_text, float_text

from .decks_help import NOW, prices
from .xls_help import xls

Rows = Sequence[Sequence[Any]]
HEAD = ["Prefix", "Destination", "Rate", "Billing Increment", "Effective Date"]


def made(path: Path, sheets: Mapping[str, Rows], hidden: tuple[str, ...] = ()) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def read(path: Path, **given: Any) -> Deck:
    return read_deck(path, now=NOW, **given)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_workbook_reads_as_its_cells_show(folder: Path) -> None:
    rows: Rows = [
        ["Boreal Telecom, rates in USD"],
        [],
        HEAD,
        [44, "United Kingdom", 0.1, "60/1", date(2027, 7, 8)],
        [441534.0, "Jersey", 0.0123, "1/1", datetime.fromisoformat("2027-07-09T10:30")],
        ["4478, 4479", "UK mobile", 0.1 + 0.2, 1, None],
        [],
        [855, "Cambodia", 1e-05, "1/1", date(2027, 3, 4)],
    ]
    deck = read(made(folder / "rates.xlsx", {"A-Z": rows}))
    assert [(row.line, row.prefix, row.price) for row in deck.rows] == [
        (4, "44", Decimal("0.1")), (5, "441534", Decimal("0.0123")), (6, "4478", Decimal("0.3")),
        (6, "4479", Decimal("0.3")), (8, "855", Decimal("0.00001")),
    ]  # fmt: skip
    assert (deck.rows[0].destination, deck.rows[0].first_s, deck.rows[0].step_s) == ("United Kingdom", 60, 1)
    begins = [row.effective_from for row in deck.rows]
    july = datetime(2027, 7, 8, tzinfo=UTC)
    assert begins == [july, datetime(2027, 7, 9, 10, 30, tzinfo=UTC), None, None, None]
    assert (deck.read, deck.rejected) == (4, [])


def test_a_date_cell_is_midnight_of_the_table_and_never_asked_about(folder: Path) -> None:
    path = made(folder / "rates.xlsx", {"A": [HEAD, [44, "UK", 0.1, "1/1", date(2028, 4, 3)]]})
    (row,) = read(path, time_zone="Asia/Hong_Kong").rows
    assert row.effective_from == datetime(2028, 4, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize("code", [date(1999, 1, 1), date(2027, 2, 3)])
def test_a_code_or_increment_that_became_a_date_is_rejected_not_guessed(folder: Path, code: date) -> None:
    rows: Rows = [HEAD, [code, "1-99 typed in", 0.1, "1/1", None], [44, "UK", 0.1, date(2027, 1, 1), None]]
    deck = read(made(folder / "rates.xlsx", {"A": rows}))
    assert (list(deck.rows), [line.line for line in deck.rejected]) == ([], [2, 3])
    assert "is not an increment" in deck.rejected[1].reason


def test_a_typed_number_is_no_thousand_where_texts_beside_it_use_the_comma(folder: Path) -> None:
    rows: Rows = [
        [*HEAD[:3], "Connect Fee"],
        [44, "UK", 1.234, "0,05"],
        [45, "DK", 12.5, "0,10"],
        [46, "SE", "0,25", ""],
    ]
    deck = read(made(folder / "rates.xlsx", {"A": rows}))
    assert prices(deck) == {"44": "1.234", "45": "12.5", "46": "0.25"}
    assert deck.rows[0].connect_fee == Decimal("0.05")


def test_a_formula_that_failed_costs_its_line(folder: Path) -> None:
    deck = read(made(folder / "rates.xlsx", {"A": [HEAD[:3], [44, "UK", "=1/0"], [45, "DK", 0.2]]}))
    assert prices(deck) == {"45": "0.2"}
    assert deck.rejected[0].line == 2


def test_the_sheet_with_rates_is_taken_and_the_others_are_named(folder: Path) -> None:
    sheets: dict[str, Rows] = {
        "Letter": [["Dear partner"], ["rates attached"]],
        "A-Z": [HEAD[:3], [44, "UK", 0.1]],
        "last year": [HEAD[:3], [44, "UK", 9]],
    }
    deck = read(made(folder / "rates.xlsx", sheets, hidden=("last year",)))
    assert prices(deck) == {"44": "0.1"}
    assert any("Letter" in warning for warning in deck.warnings)


def test_of_two_sheets_with_rates_a_person_chooses(folder: Path) -> None:
    path = made(folder / "rates.xlsx", {"CLI": [HEAD[:3], [44, "UK", 0.1]], "NCLI": [HEAD[:3], [44, "UK", 0.05]]})
    for answers in ({}, {"sheet": "Premium"}):
        with pytest.raises(DeckQuestions) as caught:
            read(path, answers=answers)
        (question,) = caught.value.questions
        assert (question.key, question.options) == ("sheet", ("CLI", "NCLI"))
    assert prices(read(path, answers={"sheet": "NCLI"})) == {"44": "0.05"}


def test_a_workbook_without_rates_has_no_header(folder: Path) -> None:
    with pytest.raises(DeckRefused) as caught:
        read(made(folder / "rates.xlsx", {"A": [["Dear", "partner"]], "B": [["x"]]}))
    assert caught.value.code == "no_header"
    numbered = made(folder / "bare.xlsx", {"A": [[44, "UK", 0.1]]})
    assert prices(read(numbered, mapping={"code": "#1", "price": "#3"})) == {"44": "0.1"}


def test_the_old_excel_format(folder: Path) -> None:
    path = folder / "rates.csv"
    path.write_bytes(
        xls([["Boreal"], [], [*HEAD[:3], HEAD[4]], [44, "UK", 0.1, date(2027, 7, 8)], [441534, "J", 1.234]])
    )
    deck = read(path)
    assert prices(deck) == {"44": "0.1", "441534": "1.234"}
    assert [row.line for row in deck.rows] == [4, 5]
    assert [row.effective_from for row in deck.rows] == [datetime(2027, 7, 8, tzinfo=UTC), None]


def test_content_decides_not_the_name(folder: Path) -> None:
    path = made(folder / "rates.xlsx", {"A": [HEAD[:3], [44, "UK", 0.1]]})
    assert prices(read(path.rename(folder / "rates.csv"))) == {"44": "0.1"}
    (folder / "text.xlsx").write_text("Prefix,Rate\n45,0.2\n")
    assert prices(read(folder / "text.xlsx")) == {"45": "0.2"}


@pytest.mark.parametrize(
    ("names", "word"),
    [(("rates.csv",), "zip"), (("word/document.xml",), "Word"), (("mimetype", "content.xml"), "OpenDocument")],
)
def test_an_archive_that_is_no_workbook_is_refused_by_name(folder: Path, names: tuple[str, ...], word: str) -> None:
    with zipfile.ZipFile(folder / "rates.xlsx", "w") as archive:
        for name in names:
            archive.writestr(name, "Prefix,Rate\n44,0.1\n")
    with pytest.raises(DeckRefused) as caught:
        read(folder / "rates.xlsx")
    assert (caught.value.code, word in caught.value.message) == ("not_text", True)


def test_a_pdf_called_a_workbook_is_refused_by_name(folder: Path) -> None:
    (folder / "rates.xlsx").write_bytes(b"%PDF-1.7\n%\xe2\xe3")
    with pytest.raises(DeckRefused) as caught:
        read(folder / "rates.xlsx")
    assert "PDF" in caught.value.message


def test_a_damaged_workbook_is_refused(folder: Path) -> None:
    whole = made(folder / "rates.xlsx", {"A": [HEAD[:3], [44, "UK", 0.1]]}).read_bytes()
    for name, content in (("cut", whole[:-200]), ("old", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000))):
        (folder / name).write_bytes(content)
        with pytest.raises(DeckRefused) as caught:
            read(folder / name)
        assert caught.value.code == "not_text"


def test_a_last_cell_in_the_farthest_corner_ends_no_process_of_ours(folder: Path) -> None:
    book = Workbook()
    book.worksheets[0]["A1"] = "Prefix"
    book.worksheets[0].cell(1_048_576, 16_384, 1)
    book.save(folder / "corner.xlsx")
    with pytest.raises(DeckRefused) as caught:
        read(folder / "corner.xlsx")
    assert caught.value.code == "too_large"


def test_a_workbook_that_says_it_unpacks_to_too_much_is_not_unpacked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(folder / "rates.xlsx", {"A": [HEAD[:3], [44, "UK", 0.1]]})
    monkeypatch.setattr(deck_workbook, "MAX_UNPACKED_BYTES", 1000)
    monkeypatch.setattr(deck_workbook, "unpacked", None)
    with pytest.raises(DeckRefused) as caught:
        read(path)
    assert caught.value.code == "too_large"


def test_gzip_is_unpacked_within_bounds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "rates.csv"
    path.write_bytes(gzip.compress(b"Prefix,Rate\n44,0.1\n"))
    assert prices(read(path)) == {"44": "0.1"}
    monkeypatch.setattr(deck_source, "MAX_BYTES", 100_000)
    path.write_bytes(gzip.compress(b"Prefix,Rate\n" + b"44,0.1\n" * 100_000))
    with pytest.raises(DeckRefused) as caught:
        read(path)
    assert (caught.value.code, "unpacks" in caught.value.message) == ("too_large", True)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"Prefix,Rate\n44,0.1\n")[:-9], gzip.compress(gzip.compress(b"x"))],
    ids=["damaged", "nested"],
)
def test_a_damaged_or_nested_gzip_is_refused(folder: Path, content: bytes) -> None:
    (folder / "rates.gz").write_bytes(content)
    with pytest.raises(DeckRefused) as caught:
        read(folder / "rates.gz")
    assert caught.value.code == "not_text"


def test_nothing_unpacked_stays_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    read(made(folder / "rates.xlsx", {"A": [HEAD[:3], [44, "UK", 0.1]]}))
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1, "0.1"), (44.0, "44"), (0.1 + 0.2, "0.3"), (1.234, "1.2340"), (1e-05, "0.00001"), (-0.5, "-0.5"),
     (123456789012345.0, "123456789012345"), (-0.0, "0")],
)  # fmt: skip
def test_numbers_as_text(number: float, text: str) -> None:
    assert float_text(number) == text


def test_an_absurd_exponent_stays_short() -> None:
    assert len(decimal_text(Decimal("1E-999999"))) < 20
