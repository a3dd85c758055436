"""The column on page one has eight lines at most and adds up to the cent, whatever is charged."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from invoicing.render import figures, formats
from invoicing.render.context import LINE_KINDS, InvoiceContext, SummaryLine
from invoicing.render.details import MAX_DESTINATIONS, build_details
from invoicing.render.paper import Paper, build_paper
from tests.invoicing import papers

CENT = Decimal("0.01")
amounts = st.decimals(min_value=-5000, max_value=90_000, places=6)
lines = st.lists(
    st.builds(
        SummaryLine,
        label=st.just("A line"),
        net=amounts,
        kind=st.sampled_from(LINE_KINDS),
        quantity=st.integers(1, 9).map(Decimal),
    ),
    min_size=1,
    max_size=15,
)


def printed(context: InvoiceContext) -> Paper:
    with translation.override(context.language):
        return build_paper(context)


def value(text: str) -> Decimal:
    """The figure of a printed English amount."""
    number = text.partition(formats.NO_BREAK_SPACE)[0]
    return Decimal(number.replace(",", "").replace(formats.MINUS, "-"))


@given(st.lists(amounts, min_size=1, max_size=12))
def test_cents_are_dealt_out_so_that_parts_make_the_whole(values: list[Decimal]) -> None:
    whole = formats.round_to(sum(values, Decimal(0)), 2)
    parts = figures.apportion(values, whole, CENT)
    assert sum(parts) == whole
    assert all(abs(part - exact) < CENT for part, exact in zip(parts, values, strict=True))


@given(lines, st.sampled_from([Decimal(0), Decimal("-20.10")]))
def test_the_printed_column_adds_up_in_at_most_eight_lines(some: list[SummaryLine], opening: Decimal) -> None:
    context = papers.invoice([], lines=tuple(some), opening_balance=opening)
    rows = printed(context).rows
    charges = [value(row.amount) for row in rows if row.role in ("line", "tax")]
    assert len(rows) <= figures.MAX_ROWS
    assert sum(charges) == context.total
    assert value(next(row.amount for row in rows if row.role == "total")) == context.total


@given(lines)
def test_nothing_is_lost_when_small_lines_are_summed_up(some: list[SummaryLine]) -> None:
    context = papers.invoice([], lines=tuple(some))
    kept = figures.paper_lines(context, 3)
    assert sum(line.source.net for line in kept) == context.net
    assert sum(line.merged for line in kept) == len(some)
    labels = [(line.source.kind, line.merged > 1) for line in kept]
    assert all(labels.count((kind, True)) <= 1 for kind in LINE_KINDS)


def test_a_statement_counts_down_from_the_opening_balance() -> None:
    rows = printed(papers.statement()).rows
    *parts, closing = [value(row.amount) for row in rows]
    assert [rows[0].label, rows[1].label, rows[-1].label] == [
        "Opening balance",
        "Top-ups and payments",
        "Closing balance",
    ]
    assert sum(parts) == closing
    assert all(part < 0 for part in parts[2:])


def test_an_invoice_counts_up_from_what_was_left_to_what_is_due() -> None:
    context = papers.invoice(opening_balance=Decimal("-1234.50"), payments=Decimal("1000.00"))
    paper = printed(context)
    *parts, total, due = [value(row.amount) for row in paper.rows]
    assert (parts[0], parts[1]) == (Decimal("1234.50"), Decimal("-1000.00"))
    assert sum(parts[2:]) == total
    assert parts[0] + parts[1] + total == due == context.due
    assert value(paper.hero_amount) == due


def test_a_prepaid_customer_owes_nothing_and_is_told_so() -> None:
    paper = printed(papers.statement())
    assert paper.hero_note.startswith("Nothing to pay")
    assert not paper.pay_title
    assert not paper.pay_facts


def test_a_credit_note_names_the_invoice() -> None:
    paper = printed(papers.credit_note())
    assert paper.hero_note == "Corrects invoice 2026-00042 of 2 November 2026"
    assert paper.hero_amount == f"14.28{formats.NO_BREAK_SPACE}EUR"


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en_GB", "−1,234,567.80 EUR"),
        ("de_DE", "−1.234.567,80 EUR"),
        ("fr_FR", "−1 234 567,80 EUR"),
        ("de_CH", "−1’234’567.80 EUR"),
        ("hi_IN", "−12,34,567.80 EUR"),
        ("zh_Hant_HK", "−1,234,567.80 EUR"),
        ("no such place", "−1,234,567.80 EUR"),
    ],
)
def test_amounts_over_a_thousand_in_every_locale(locale: str, text: str) -> None:
    amount = formats.format_amount(Decimal("-1234567.8"), "EUR", locale)
    assert amount.replace(formats.NO_BREAK_SPACE, " ") == text


def test_amounts_have_the_decimals_of_their_currency() -> None:
    assert formats.format_amount(Decimal("1500"), "JPY", "en").startswith("1,500")
    assert formats.format_amount(Decimal("1.5"), "KWD", "en").startswith("1.500")


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_a_brand_colour_can_be_read_on_paper(accent: str) -> None:
    ink = formats.ink(accent)
    assert formats._contrast_on_white([int(ink[i : i + 2], 16) for i in (1, 3, 5)]) >= 4.5


def test_a_month_without_a_past_has_no_chart() -> None:
    context = papers.invoice()
    assert len(printed(context).bars) == 7
    assert printed(dataclasses.replace(context, history=context.history[-1:])).bars == ()


def test_many_destinations_are_bounded_and_still_add_up() -> None:
    one = papers.details_of(papers.calls_of(1))[0]
    many = tuple(dataclasses.replace(one, destination=f"Place {i}", net=Decimal(i) / 1000) for i in range(400))
    with translation.override("en"):
        (table,) = build_details(papers.invoice(details=many)).carriers
    assert len(table.rows) == MAX_DESTINATIONS + 1
    assert table.rows[-1].label == "250 more destinations"
    assert table.total.amount == formats.format_number(sum(row.net for row in many), "en_GB", 3)
