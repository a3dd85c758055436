"""One context, three renderings: PDF, DOCX and CSV of a bill say the same to the cent."""

from __future__ import annotations

import dataclasses
import io
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from invoicing.render import formats
from invoicing.render.calls_csv import render_calls_csv
from invoicing.render.context import InvoiceContext, PaymentBlock, SummaryLine
from invoicing.render.docx import MAX_CALLS, render_docx
from invoicing.render.pdf import render_pdf
from invoicing.render.qr import epc_payload
from tests.invoicing import papers, reading


def said(context: InvoiceContext, value: Decimal) -> str:
    return reading.even(formats.format_amount(value, context.currency, context.locale, context.decimals))


@pytest.mark.parametrize("make", [papers.invoice, papers.statement])
@pytest.mark.parametrize("count", [1, 40, 130])
def test_pdf_docx_and_csv_say_the_same(make: Any, count: int) -> None:
    calls = papers.calls_of(count)
    context: InvoiceContext = make(calls)
    pages = reading.pdf_pages(render_pdf(context, papers.stream(calls)))
    letter = reading.docx_text(render_docx(context, papers.stream(calls)))
    csv_data = render_calls_csv(context, papers.stream(calls))

    rated = sum(call.net for call in calls)
    assert reading.csv_sum(csv_data) == rated == sum(row.net for row in context.details)
    exact = formats.format_number(rated, context.locale, 4)
    assert exact in pages[1]
    assert exact in pages[-1]
    assert exact in letter
    answer = context.closing_balance if context.prepaid else context.due
    for text in (pages[0], letter):
        assert said(context, answer) in text
        assert context.number in text
        for line in context.lines:
            assert line.label in text
    rental = sum(line.net for line in context.lines if line.kind == "rental")
    assert context.net == rated + rental


def test_each_page_says_which_it_is_of_how_many() -> None:
    calls = papers.calls_of(150)
    pages = reading.pdf_pages(render_pdf(papers.invoice(calls), calls))
    assert len(pages) == 5
    for i, page in enumerate(pages, start=1):
        assert f"Invoice 2026-00042 · Page {i} of 5" in page


def test_pages_are_counted_right_when_the_detail_is_long() -> None:
    calls = papers.calls_of(10)
    one = papers.details_of(calls)[0]
    details = tuple(dataclasses.replace(one, destination=f"Place {i}") for i in range(90))
    pages = reading.pdf_pages(render_pdf(papers.invoice(calls, details=details), calls))
    assert len(pages) > 3
    for i, page in enumerate(pages, start=1):
        assert f"Page {i} of {len(pages)}" in page


def test_sums_are_carried_from_page_to_page_of_sixty_lines() -> None:
    calls = papers.calls_of(150, numbers=1)
    first, second, third = reading.pdf_pages(render_pdf(papers.invoice(calls), calls))[2:]
    on_first = calls[:59]  # a heading and 59 calls
    on_second = calls[59:118]
    carried = formats.format_number(sum(call.net for call in on_first), "en_GB", 4)
    assert f"Carried over {carried}" in first
    assert f"Brought forward {carried}" in second
    further = formats.format_number(sum(call.net for call in on_first + on_second), "en_GB", 4)
    assert f"Carried over {further}" in second
    assert f"Brought forward {further}" in third
    assert "All calls: 150 calls" in third


def test_calls_stand_under_their_number_or_their_day() -> None:
    calls = papers.calls_of(60, group="day")
    annex = reading.pdf_pages(render_pdf(papers.invoice(calls, calls_group="day"), calls))[2]
    assert "Thursday, 1 October 2026" in annex or "Thursday 1 October 2026" in annex
    calls = papers.calls_of(60)
    annex = reading.pdf_pages(render_pdf(papers.invoice(calls), calls))[2]
    assert "+49 40 5550120: " in annex


def test_a_bill_without_calls_has_no_annex() -> None:
    context = papers.invoice([], lines=(papers.RENTAL_LINE,))
    (page,) = reading.pdf_pages(render_pdf(context, iter(())))
    assert "Page 1 of 1" in page
    assert "How to pay" in page


def test_the_same_bill_gives_the_same_bytes() -> None:
    calls = papers.calls_of(20)
    context = papers.invoice(calls)
    assert render_pdf(context, calls) == render_pdf(context, calls)
    assert render_docx(context, calls) == render_docx(context, calls)


@pytest.mark.parametrize(("paper", "size"), [("A4", (595, 842)), ("Letter", (612, 792))])
def test_all_pages_have_the_paper_of_the_brand(paper: str, size: tuple[int, int]) -> None:
    calls = papers.calls_of(5)
    reader = PdfReader(io.BytesIO(render_pdf(papers.invoice(calls, paper=paper), calls)))
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in reader.pages} == {size}


def test_a_pdf_names_itself_embeds_its_type_and_has_bookmarks() -> None:
    calls = papers.calls_of(5)
    reader = PdfReader(io.BytesIO(render_pdf(papers.invoice(calls), calls)))
    assert reader.metadata is not None
    assert reader.metadata.title == "Invoice 2026-00042"
    assert reader.metadata.author == "Harbour Voice"
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    assert titles == ["Invoice 2026-00042", "Calls by carrier and destination", "Calls"]


def test_a_draft_says_so() -> None:
    page = reading.pdf_pages(render_pdf(papers.invoice([], lines=(papers.RENTAL_LINE,), number=""), []))[0]
    assert "Invoice draft" in page
    assert "Draft" in page


def test_charges_that_page_one_sums_up_stand_in_full_behind_it() -> None:
    lines = tuple(SummaryLine(label=f"Desk phone {i}", net=Decimal("7.4950") + i, kind="charge") for i in range(14))
    context = papers.invoice([], lines=lines)
    first, second = reading.pdf_pages(render_pdf(context, []))
    letter = reading.docx_text(render_docx(context, []))
    assert "Other charges" in first
    for i, line in enumerate(lines):
        assert f"Desk phone {i}" in second
        assert formats.format_number(line.net, "en_GB", 4) in second
        assert f"Desk phone {i}" in letter


def test_a_letter_leaves_very_many_calls_to_the_csv() -> None:
    calls = papers.calls_of(MAX_CALLS + 1)
    letter = reading.docx_text(render_docx(papers.invoice(calls), papers.stream(calls)))
    assert "Each call is in the CSV file" in letter
    assert "All calls" in letter  # the sum by carrier and destination stays
    assert calls[0].callee_display not in letter


def test_prices_with_tax_are_called_so() -> None:
    calls = papers.calls_of(3)
    pages = reading.pdf_pages(render_pdf(papers.invoice(calls, prices_include_tax=True), calls))
    assert "include tax" in pages[1]
    assert "Amount with tax EUR" in pages[2]


def test_euros_to_an_iban_can_be_paid_by_a_code() -> None:
    context = papers.invoice(opening_balance=Decimal("-1000"))
    assert epc_payload(context).split("\n") == [
        "BCD", "002", "1", "SCT", "COBADEFFXXX", "Harbour Voice", "DE89370400440532013000",
        f"EUR{context.due}", "", "", "2026-00042",
    ]  # fmt: skip
    assert epc_payload(papers.invoice(currency="USD")) == ""
    assert epc_payload(papers.statement()) == ""
    wrong = PaymentBlock(account="DE89370400440532013001")
    assert epc_payload(papers.invoice(payment=wrong)) == ""
