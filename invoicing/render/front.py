"""The bill itself as PDF pages, laid out by WeasyPrint from the template `invoicing/invoice.html`.

Every text is escaped by the template engine, the only picture is the brand's logo, and every address is
refused, so a hostile brand prints as the text it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from django.template.loader import render_to_string
from weasyprint import CSS, HTML, Document
from weasyprint.text.fonts import FontConfiguration

from invoicing.render import formats, qr, words
from invoicing.render.assets import LOGO_URL, Assets
from invoicing.render.context import InvoiceContext
from invoicing.render.details import build_details
from invoicing.render.fetcher import AssetFetcher
from invoicing.render.paper import Bar, Paper, build_paper

CHART_WIDTH, CHART_HEIGHT, CHART_TOP, CHART_BASE = 182, 84, 10, 70
# The style sheet's own list: WeasyPrint does not apply it inside a drawing.
FONT_STACK = "Liberation Sans, Arimo, Noto Sans, DejaVu Sans, Noto Sans CJK TC, Droid Sans Fallback, sans-serif"
LANGUAGE_TAGS = {"zh-hant": "zh-Hant", "zh-hans": "zh-Hans"}


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A month's bar in the chart's own units."""

    bar: Bar
    x: Decimal
    y: Decimal
    width: Decimal
    height: Decimal
    middle: Decimal


class Front:
    """Page one and the detail, laid out. Built twice at most: the second time with the right count of
    pages.
    """

    def __init__(self, context: InvoiceContext, assets: Assets) -> None:
        self._context = context
        self._fetcher = AssetFetcher(assets.logo(context.seller.logo))
        self._html = _render_html(context, has_logo=assets.logo(context.seller.logo) is not None)

    def lay_out(self, annex_pages: int) -> Document:
        """The pages, each saying how many there are with the annex."""
        guess = 2 if self._context.details else 1
        document = self._pages(guess + annex_pages)
        if len(document.pages) != guess:
            document = self._pages(len(document.pages) + annex_pages)
        return document

    def _pages(self, pages: int) -> Document:
        html = HTML(string=self._html, url_fetcher=self._fetcher)
        page_css = CSS(string=_page_css(self._context, pages), font_config=_fonts(), url_fetcher=self._fetcher)
        return html.render(font_config=_fonts(), stylesheets=[_style(), page_css], pdf_tags=True)


@cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()


@cache
def _style() -> CSS:
    """The style sheet, read and parsed once a process."""
    return CSS(string=render_to_string("invoicing/invoice.css"), font_config=_fonts(), url_fetcher=AssetFetcher(None))


def _render_html(context: InvoiceContext, *, has_logo: bool) -> str:
    paper = build_paper(context)
    path, cells = qr.svg_path(payload) if (payload := qr.epc_payload(context)) and paper.pay_facts else ("", 0)
    values: dict[str, Any] = {
        "paper": paper,
        "details": build_details(context),
        "bars": draw_bars(paper),
        "chart": {"width": CHART_WIDTH, "height": CHART_HEIGHT, "base": CHART_BASE, "font": FONT_STACK},
        "logo_url": LOGO_URL if has_logo else "",
        "qr_path": path,
        "qr_cells": cells,
        "currency": context.currency,
        "language": LANGUAGE_TAGS.get(context.language, context.language),
        "size": context.paper.lower(),
        "title": f"{paper.heading} \N{MIDDLE DOT} {paper.seller_name}",
    }
    return render_to_string("invoicing/invoice.html", values)


def draw_bars(paper: Paper) -> list[DrawnBar]:
    """Where the bars stand; the newest at the right, the same place whether there are two months or seven."""
    slot = Decimal(CHART_WIDTH) / 7
    first = 7 - len(paper.bars)
    drawn = []
    for i, bar in enumerate(paper.bars, start=first):
        height = max(Decimal(bar.share) * (CHART_BASE - CHART_TOP) / 100, Decimal("0.6"))
        x = slot * i + slot / 5
        places = (x, CHART_BASE - height, slot * 3 / 5, height, x + slot * 3 / 10)
        drawn.append(DrawnBar(bar, *(place.quantize(Decimal("0.01")) for place in places)))
    return drawn


def _page_css(context: InvoiceContext, pages: int) -> str:
    """What differs from bill to bill: paper size, the brand's colour, the foot of each page."""
    before, after = _around_page(context, pages)
    footer = formats.tidy(context.footer, 300)
    return (
        f"@page {{ size: {context.paper};"
        f" @bottom-left {{ content: {_css_string(footer)} }}"
        f" @bottom-right {{ content: {_css_string(before)} counter(page) {_css_string(after)} }} }}"
        f" :root {{ --accent: {formats.ink(context.seller.accent)} }}"
    )


def _around_page(context: InvoiceContext, pages: int) -> tuple[str, str]:
    """The page label before and after the page's own number."""
    mark = 8_888_888
    before, _, after = words.page_label(context, mark, pages).partition(str(mark))
    return before, after


def _css_string(text: str) -> str:
    """A CSS string literal in which nothing can end the string."""
    return '"' + "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text) + '"'
