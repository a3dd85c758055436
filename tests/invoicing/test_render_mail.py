"""The mail answers in its subject, has one figure and one button, and reads well without HTML."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal

from invoicing.render.mail import attachment_name, render_mail
from tests.invoicing import papers, reading

LINK = "https://portal.harbour.example/customer/invoices/42/"


def test_the_subject_says_who_what_and_until_when() -> None:
    calls = papers.calls_of(40)
    assert (
        render_mail(papers.invoice(calls)).subject
        == "Invoice 2026-00042 from Harbour Voice: 46.36 EUR, due 14 December"
    )
    assert render_mail(papers.invoice(calls, due_date=date(2027, 1, 4))).subject.endswith("due 4 January 2027")
    assert render_mail(papers.invoice(calls, due=Decimal(0))).subject.endswith("Harbour Voice: nothing to pay")


def test_a_statement_asks_for_nothing() -> None:
    mail = render_mail(papers.statement(papers.calls_of(40)), link=LINK)
    assert mail.subject == "Statement S-2026-00007 from Harbour Voice: balance 328.64 EUR, nothing to pay"
    assert "How to pay" not in mail.text + mail.html
    assert "IBAN" not in mail.text


def test_a_credit_note_names_the_invoice() -> None:
    mail = render_mail(papers.credit_note())
    assert mail.subject == "Credit note C-2026-00003 from Harbour Voice: 14.28 EUR for invoice 2026-00042"


def test_text_and_html_hold_the_same_figures_and_one_link() -> None:
    context = papers.invoice(opening_balance=Decimal("-1200"), payments=Decimal("200"))
    mail = render_mail(context, link=LINK)
    assert mail.text.count(LINK) == mail.html.count(LINK) == mail.html.count("<a ") == 1
    text, html = reading.even(mail.text), reading.even(mail.html)
    for figure in ("1,046.36 EUR", "1,200.00 EUR", "−200.00 EUR", "29.70 EUR", "DE89 3704 0044 0532 0130 00"):
        assert figure in text
        assert figure in html
    assert "{" not in mail.text
    assert "\n\n\n" not in mail.text


def test_without_a_link_there_is_no_button() -> None:
    mail = render_mail(papers.invoice())
    assert "<a " not in mail.html
    assert "See the invoice" not in mail.text


def test_attachments_are_named_after_seller_and_number() -> None:
    northstar = dataclasses.replace(papers.HARBOUR, name="Northstar Telecom")
    assert attachment_name(papers.invoice(seller=northstar), "pdf") == "Northstar-invoice-2026-00042.pdf"
    assert attachment_name(papers.credit_note(), ".docx") == "Harbour-credit-note-C-2026-00003.docx"
    summit = dataclasses.replace(papers.HARBOUR, name="高峰網絡")
    assert attachment_name(papers.invoice(seller=summit), "csv") == "invoice-2026-00042.csv"
