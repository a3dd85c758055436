"""A hostile brand prints as the text it is: no socket is opened, no file read, no formula or template runs."""

from __future__ import annotations

import dataclasses
import io
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image

from billing.dev.system import has_font
from invoicing.render.assets import MAX_LOGO_BYTES, Assets
from invoicing.render.calls_csv import render_calls_csv
from invoicing.render.context import CallRow, InvoiceContext, PartyBlock
from invoicing.render.docx import render_docx
from invoicing.render.fetcher import AssetFetcher
from invoicing.render.mail import attachment_name, render_mail
from invoicing.render.pdf import render_pdf
from tests.invoicing import papers, reading

SECRET = "file-that-nobody-should-read"
EVIL = PartyBlock(
    name="<img src=http://evil.example/x.png><script>alert(1)</script>" + "Ünïcødé " * 1250,
    address=(
        "{{ 7*7 }}{% include '/etc/passwd' %}{{ settings.SECRET_KEY }}",
        f"<link rel=stylesheet href=file:///{SECRET}>",
        "\u202eכתובת שלום\x00\x1f",
        '=HYPERLINK("http://evil.example")',
        "x" * 300,
    ),
    tax_id='"; } @import url(http://evil.example/a.css); x { a: "',
    email="</style><style>@import 'http://evil.example'",
    phone="العربية",
    website=f"url(file:///{SECRET})",
    short_name="../../etc/passwd",
    accent="red;background:url(http://evil.example)",
    logo="logo",
)
_watch: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watch is not None and event in ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        _watch.append(f"{event} {arguments[0] if arguments else ''}")


sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What the interpreter opens meanwhile: files, sockets, programs."""
    global _watch
    seen: list[str] = []
    _watch = seen
    try:
        yield seen
    finally:
        _watch = None


def hostile() -> tuple[InvoiceContext, list[CallRow]]:
    calls = [
        dataclasses.replace(call, destination="=cmd|' /C calc'!A0", carrier="@SUM(1)", callee_display="{{ 7*7 }}<b>")
        for call in papers.calls_of(5)
    ]
    context = papers.invoice(
        calls,
        seller=EVIL,
        buyer=EVIL,
        notes=("<iframe src=http://evil.example>" * 40, "{{ 7*7 }}"),
        footer='"; } @import url(http://evil.example)',
        number='7"/../x<&>',
    )
    return context, calls


def svg_logo() -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///{SECRET}"/></svg>'.encode()


def picture(width: int = 40, height: int = 20) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def test_nothing_is_fetched_or_read_whatever_the_texts_say() -> None:
    context, calls = hostile()
    render_pdf(context, calls)  # templates, fonts: what any bill reads
    render_docx(context, calls)
    with watched() as seen:
        for logo in (svg_logo(), picture()):
            assets = Assets({"logo": logo})
            assert render_pdf(context, calls, assets=assets).startswith(b"%PDF")
            assert render_docx(context, calls, assets=assets)
            render_mail(context, link="javascript:alert(1)")
            render_calls_csv(context, calls)
    assert not [what for what in seen if not what.startswith("open")]
    assert not [what for what in seen if SECRET in what or "passwd" in what or "evil" in what]


@pytest.mark.skipif(not has_font("he"), reason="no font for right-to-left names; as root ./test brings one")
def test_texts_are_printed_as_texts() -> None:
    context, calls = hostile()
    pages = reading.pdf_pages(render_pdf(context, calls))
    letter = reading.docx_text(render_docx(context, calls))
    for text in (pages[0], letter):
        assert "{{ 7*7 }}" in text
        assert "<img src=http://evil.example" in text
        assert "\u202e" not in text
        assert len(text) < 10_000
    assert "49" not in letter.partition("How to pay")[0].replace("+49", "")


def test_a_mail_shows_markup_as_text_and_its_subject_is_one_line() -> None:
    context, _calls = hostile()
    context = dataclasses.replace(context, seller=dataclasses.replace(EVIL, name="A\r\nBcc: x@evil.example"))
    mail = render_mail(context, link="javascript:alert(1)")
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert "<iframe" not in mail.html
    assert "<script" not in mail.html
    assert "javascript:" not in mail.html + mail.text
    assert "background:url" not in mail.html


def test_an_attachment_has_a_name_and_no_path() -> None:
    context, _calls = hostile()
    assert attachment_name(context, "pdf") == "etc-passwd-invoice-7-x.pdf"


def test_no_formula_is_live_and_numbers_stay_numbers() -> None:
    context, calls = hostile()
    rows = reading.csv_rows(render_calls_csv(context, calls))
    assert rows[0]["destination"] == "'=cmd|' /C calc'!A0"
    assert rows[0]["carrier"] == "'@SUM(1)"
    assert rows[0]["callee"].startswith("+")
    assert rows[0]["caller"].startswith("+")
    refund = dataclasses.replace(calls[0], net=-calls[0].net, caller="=1+1", call_id="\t=1+1")
    (row,) = reading.csv_rows(render_calls_csv(context, [refund]))
    assert row["amount"].startswith("-0")
    assert row["caller"] == "'=1+1"
    assert row["call_id"] == "'\t=1+1"


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a not a picture", svg_logo(), picture()[:60], picture() + b"0" * MAX_LOGO_BYTES, picture(9000, 9000)],
)
def test_a_logo_that_is_no_picture_of_bounded_size_is_left_out(data: bytes) -> None:
    assert Assets({"logo": data}).logo("logo") is None


def test_a_logo_stands_on_pdf_and_letter() -> None:
    seller = dataclasses.replace(papers.HARBOUR, logo="logo")
    context = papers.invoice([], lines=(papers.RENTAL_LINE,), seller=seller)
    assets = Assets({"logo": picture()})
    assert b"/Image" in render_pdf(context, [], assets=assets)
    with zipfile.ZipFile(io.BytesIO(render_docx(context, [], assets=assets))) as archive:
        assert any(name.startswith("word/media/") for name in archive.namelist())


@pytest.mark.parametrize("url", ["http://evil.example/", f"file:///{SECRET}", "data:text/plain,x", "asset:other"])
def test_every_address_but_the_logos_is_refused(url: str) -> None:
    fetcher = AssetFetcher(Assets({"logo": picture()}).logo("logo"))
    with pytest.raises(ValueError, match="own files"):
        fetcher.fetch(url)
    assert fetcher.fetch("asset:logo")
