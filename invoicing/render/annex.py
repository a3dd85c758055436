"""The call annex: one line a call, sixty lines a page, sums carried from page to page. Drawn by ReportLab,
streamed.

A table of thousands of rows is beyond WeasyPrint (minutes, gigabytes); here each call is drawn as it comes
and a page is forgotten when it is full. Page numbers are drawn last, as forms that the pages already refer
to, since only at the end is it known how many pages there are.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any

import phonenumbers
from babel.dates import format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from invoicing.render import formats, words
from invoicing.render.context import CallRow, InvoiceContext
from invoicing.render.fonts import Typeface, typefaces
from invoicing.render.pen import INK, QUIET, RULE, Pen

LINES_A_PAGE = 60
GUIDE_EVERY = 5  # a hairline that leads the eye across
MM: float = mm
SIZES: dict[str, tuple[float, float]] = {"A4": (210 * MM, 297 * MM), "Letter": (215.9 * MM, 279.4 * MM)}
LEFT, RIGHT, TOP, BOTTOM = 25 * MM, 20 * MM, 16 * MM, 22 * MM
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 13.0, 7.9, 7.5
HEAD_HEIGHT, COLUMN_HEAD, CARRY_HEIGHT = 26.0, 13.0, 13.0


@dataclass(frozen=True, slots=True)
class Column:
    """Where a text stands: `at` is its left edge, or its right one for figures, as a share of the width."""

    title: str
    at: float
    width: float  # likewise
    figure: bool = False


@dataclass(slots=True)
class Running:
    """Sums so far."""

    calls: int = 0
    duration_s: int = 0
    net: Decimal = Decimal(0)

    def add(self, call: CallRow) -> None:
        self.calls += 1
        self.duration_s += call.duration_s
        self.net += call.net


class CallAnnex:
    """Draw the calls, then `save` with the page numbers. `pages` is 0 where there was no call."""

    def __init__(self, context: InvoiceContext) -> None:
        self._context = context
        self._buffer = io.BytesIO()
        width, self._height = SIZES[context.paper]
        self._right_edge = width - RIGHT
        self._canvas = Canvas(self._buffer, pagesize=SIZES[context.paper], invariant=1, lang=context.language)
        self._pen = Pen(self._canvas)
        self._regular, self._bold = typefaces()
        self._columns = _columns(context)
        body = self._height - TOP - BOTTOM - HEAD_HEIGHT - COLUMN_HEAD - 2 * CARRY_HEIGHT
        self._leading: float = min(body / LINES_A_PAGE, 11.2)
        self._decimals = context.decimals
        self._line = LINES_A_PAGE  # full: the first line begins a page
        self._sum = Running()
        self.pages = 0
        self.bookmarks: list[tuple[str, int]] = []

    def draw(self, calls: Iterable[CallRow]) -> None:
        """All calls, in the order in which they come; a change of number or day begins a group."""
        for group, members in groupby(calls, key=self._group_of):
            self._draw_group(group, members)
        if self.pages:
            self._line += 1
            self._total(_("All calls"), self._sum, last=True)
            self._show_page()

    def save(self, first_page: int, pages: int) -> bytes:
        """The document; its pages count from `first_page`, of `pages` in all."""
        canvas = self._canvas
        for page in range(1, self.pages + 1):
            canvas.beginForm(_form_name(page))
            label = words.page_label(self._context, first_page + page - 1, pages)
            self._pen.right(label, self._right_edge, BOTTOM - 6 * MM - SMALL_SIZE, self._regular, SMALL_SIZE, QUIET)
            self._pen.flush()
            canvas.endForm()
        canvas.save()
        return self._buffer.getvalue()

    # -- groups and lines

    def _group_of(self, call: CallRow) -> str | date:
        return call.caller if self._context.calls_group == "number" else call.started_at.date()

    def _draw_group(self, group: str | date, members: Iterable[CallRow]) -> None:
        title = self._group_title(group)
        subtotal = Running()
        for call in members:
            if not subtotal.calls:
                self._start_group(title, call)
            elif self._line >= LINES_A_PAGE:
                self._new_page(call)
                self._heading(_("%(group)s, continued") % {"group": title})
            subtotal.add(call)
            self._sum.add(call)
            self._call(call, subtotal.calls)
        self._total(title, subtotal)

    def _group_title(self, group: str | date) -> str:
        if isinstance(group, date):
            return str(format_date(group, "full", locale=formats.locale_of(self._context.locale)))
        return display_number(group) or _("Number unknown")

    def _start_group(self, title: str, first: CallRow) -> None:
        if self._line > LINES_A_PAGE - 3:  # a heading never stands alone at the foot
            self._new_page(first)
        elif self._line:
            self._line += 1
        self._heading(title)
        if not self.bookmarks or self.bookmarks[-1][1] != self.pages:
            self.bookmarks.append((title, self.pages))

    def _heading(self, title: str) -> None:
        self._pen.text(title, LEFT, self._next_line(), self._bold, TEXT_SIZE)

    def _call(self, call: CallRow, nth: int) -> None:
        y = self._next_line()
        texts = (*self._lead(call), call.destination, formats.format_duration(call.duration_s))
        for column, text in zip(self._columns, texts, strict=False):
            self._cell(column, text, y, self._regular)
        self._amount(call.net, y, self._regular)
        if nth % GUIDE_EVERY == 0:
            self._rule(y - self._leading * 0.28, 0.3, RULE)

    def _lead(self, call: CallRow) -> tuple[str, str, str]:
        time = call.started_at.strftime("%H:%M:%S")
        callee = call.callee_display or call.callee
        if self._context.calls_group == "number":
            return formats.format_day_column(call.started_at.date(), self._context.locale), time, callee
        return time, display_number(call.caller), callee

    def _total(self, title: str, running: Running, *, last: bool = False) -> None:
        if self._line >= LINES_A_PAGE:
            self._new_page(None)
        y = self._next_line()
        self._rule(y + self._leading * 0.72, 0.8 if last else 0.4, INK if last else RULE)
        count = formats.format_number(running.calls, self._context.locale)
        calls = ngettext("%(count)s call", "%(count)s calls", running.calls) % {"count": count}
        self._pen.text(f"{title}: {calls}", LEFT, y, self._bold, TEXT_SIZE)
        duration = self._columns[4]
        self._cell(duration, formats.format_duration(running.duration_s), y, self._bold)
        self._amount(running.net, y, self._bold)

    # -- pages

    def _new_page(self, first: CallRow | None) -> None:
        if self.pages:
            self._carry(_("Carried over"), BOTTOM + 1)
            self._show_page()
        elif first is not None:
            self._decimals = formats.own_decimals(first.net, self._context.decimals)
        self.pages += 1
        self._line = 0
        y = self._height - TOP - TITLE_SIZE
        self._pen.text(_("Calls"), LEFT, y, self._bold, TITLE_SIZE)
        period = formats.format_period(self._context.period_start, self._context.period_end, self._context.locale)
        self._pen.right(period, self._right_edge, y, self._regular, SMALL_SIZE + 1, QUIET)
        y = self._height - TOP - HEAD_HEIGHT - COLUMN_HEAD + 4
        for column in self._columns:
            self._cell(column, column.title, y, self._regular, QUIET)
        self._rule(y - 3.5, 0.8)
        if self.pages > 1:
            self._carry(_("Brought forward"), y - CARRY_HEIGHT)
        self._canvas.doForm(_form_name(self.pages))

    def _show_page(self) -> None:
        self._pen.flush()
        self._canvas.showPage()

    def _carry(self, label: str, y: float) -> None:
        self._pen.text(label, LEFT, y, self._regular, TEXT_SIZE, QUIET)
        self._amount(self._sum.net, y, self._regular, QUIET)

    def _next_line(self) -> float:
        top = self._height - TOP - HEAD_HEIGHT - COLUMN_HEAD - CARRY_HEIGHT
        self._line += 1
        return top - self._line * self._leading + 2

    # -- drawing

    def _x(self, column: Column) -> float:
        return LEFT + column.at * (self._right_edge - LEFT)

    def _cell(self, column: Column, text: str, y: float, face: Typeface, colour: Any = INK) -> None:
        text = self._pen.fit(text, column.width * (self._right_edge - LEFT), face, TEXT_SIZE)
        draw = self._pen.right if column.figure else self._pen.text
        draw(text, self._x(column), y, face, TEXT_SIZE, colour)

    def _amount(self, value: Decimal, y: float, face: Typeface, colour: Any = INK) -> None:
        """Aligned on the decimal point, whatever a row's own decimals."""
        decimals = formats.own_decimals(value, self._decimals)
        digit = face.width("0", TEXT_SIZE)
        x = self._right_edge + (decimals - self._decimals) * digit
        self._pen.right(formats.format_number(value, self._context.locale, decimals), x, y, face, TEXT_SIZE, colour)

    def _rule(self, y: float, thickness: float, colour: Any = INK) -> None:
        self._pen.rule(LEFT, self._right_edge, y, thickness, colour)


def _form_name(page: int) -> str:
    return f"page-{page}"


def _columns(context: InvoiceContext) -> tuple[Column, ...]:
    amount = f"{_('Amount')} {context.currency}"
    if context.prices_include_tax:
        amount = f"{_('Amount with tax')} {context.currency}"
    last = (
        Column(_("Destination"), 0.5, 0.27),
        Column(_("Duration"), 0.85, 0.1, figure=True),
        Column(amount, 1.0, 0.2, figure=True),
    )
    if context.calls_group == "number":
        return (
            Column(_("Date"), 0.0, 0.11),
            Column(_("Time"), 0.12, 0.1),
            Column(_("Number"), 0.24, 0.25),
            *last,
        )
    return Column(_("Time"), 0.0, 0.09), Column(_("Caller"), 0.1, 0.18), Column(_("Number"), 0.29, 0.2), *last


@lru_cache(maxsize=20_000)
def display_number(number: str) -> str:
    """An E.164 number as people write it: "+44 20 7946 0000"; anything else as it is."""
    if not number.startswith("+"):
        return formats.tidy(number, 40)
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return formats.tidy(number, 40)
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
