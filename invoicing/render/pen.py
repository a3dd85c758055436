"""Drawing text on a ReportLab page, quickly: one text object a page, font and colour said only when they change.

A call annex is a hundred thousand short texts; by `drawString` each would repeat font, size and colour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from invoicing.render import formats
from invoicing.render.fonts import Typeface

INK, QUIET, RULE = HexColor("#16191d"), HexColor("#5b626c"), HexColor("#d5d9de")
MAX_REMEMBERED = 50_000


class Pen:
    """Writes on one canvas. `flush` before anything else is drawn on it, or the page is shown."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._open: Any = None
        self._font: tuple[str, float] | None = None
        self._colour: Any = None
        self._fitted: dict[tuple[str, str, float], str] = {}

    def text(self, text: str, x: float, y: float, face: Typeface, size: float, colour: Any = INK) -> None:
        """Write from `x` on to the right."""
        writer = self._writer(colour)
        for name, piece in face.runs(text):
            if self._font != (name, size):
                self._font = (name, size)
                writer.setFont(name, size)
            writer.setTextOrigin(x, y)
            writer.textOut(piece)
            x += face.width(piece, size)

    def right(self, text: str, x: float, y: float, face: Typeface, size: float, colour: Any = INK) -> None:
        """Write such that it ends at `x`."""
        self.text(text, x - face.width(text, size), y, face, size, colour)

    def rule(self, x1: float, x2: float, y: float, thickness: float, colour: Any = INK) -> None:
        """A horizontal line. Lines and texts do not overlap, so that texts need not be flushed for it."""
        self._canvas.setStrokeColor(colour)
        self._canvas.setLineWidth(thickness)
        self._canvas.line(x1, y, x2, y)

    def flush(self) -> None:
        """Put what was written on the page."""
        if self._open is not None:
            self._canvas.drawText(self._open)
        self._open = self._font = self._colour = None

    def fit(self, text: str, width: float, face: Typeface, size: float) -> str:
        """The text made harmless and shortened to the width. Remembered: dates and destinations repeat."""
        key = (text, face.main, width)
        if (known := self._fitted.get(key)) is None:
            known = _shorten(formats.tidy(text), lambda some: face.width(some, size) <= width)
            if len(self._fitted) < MAX_REMEMBERED:
                self._fitted[key] = known
        return known

    def _writer(self, colour: Any) -> Any:
        if self._open is None:
            self._open = self._canvas.beginText()
        if self._colour is not colour:
            self._colour = colour
            self._open.setFillColor(colour)
        return self._open


def _shorten(text: str, fits: Callable[[str], bool]) -> str:
    if fits(text):
        return text
    while text and not fits(text + formats.ELLIPSIS):
        text = text[:-1].rstrip()
    return text + formats.ELLIPSIS
