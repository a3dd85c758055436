"""Paper speaks the customer's language: each of its texts is in Traditional Chinese, and is printed so."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from invoicing.render.docx import render_docx
from invoicing.render.mail import render_mail
from invoicing.render.pdf import render_pdf
from tests.invoicing import papers, reading

ROOT = Path(__file__).resolve().parents[2]
CATALOG = ROOT / "invoicing/locale/zh_Hant/LC_MESSAGES/django.po"


def texts_in_use() -> set[str]:
    """What `_`, `ngettext` and `{% translate %}` name."""
    found = set()
    services = ROOT / "invoicing/services"
    for path in (*(ROOT / "invoicing/render").glob("*.py"), services / "labels.py", services / "freezing.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "ngettext"):
                found.add(ast.literal_eval(node.args[0]))
    for name in ("invoice.html", "mail.html", "mail.txt"):
        found.update(re.findall(r'{% translate "([^"]+)"', (ROOT / "templates/invoicing" / name).read_text()))
    return found


def catalog() -> Catalog:
    with CATALOG.open("rb") as file:
        return read_po(file, locale="zh_Hant")


def test_every_text_of_paper_is_translated() -> None:
    known = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalog()
        if message.string and message.id
    }
    assert texts_in_use() - known == set()


def test_the_compiled_catalog_is_the_written_one() -> None:
    buffer = io.BytesIO()
    write_mo(buffer, catalog())
    assert CATALOG.with_suffix(".mo").read_bytes() == buffer.getvalue()


def test_a_bill_in_chinese() -> None:
    calls = papers.calls_of(10)
    context = papers.invoice(calls, language="zh-hant", locale="zh_Hant_HK", currency="HKD")
    pages = reading.pdf_pages(render_pdf(context, calls))
    assert "第 1 頁" in pages[0]
    assert "應付金額" in pages[0]
    assert "目的地" in pages[1]
    letter = reading.docx_text(render_docx(context, calls))
    assert "應付金額" in letter
    mail = render_mail(context)
    assert "發票 2026-00042" in mail.subject
    assert "12月14日到期" in mail.subject
