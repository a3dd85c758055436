"""The DOCX template, built by code: a plain letter whose fields docxtpl fills.

No binary lies in the repository; the document is made once a process for each paper size and colour.
Everything that differs from bill to bill is a field, so nothing of a tenant is ever read as template logic.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

from docx import Document
from docx.enum.table import WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

SIZES_MM = {"A4": (210, 297), "Letter": (216, 279)}
QUIET = "5b626c"
INK = "16191d"


@lru_cache(maxsize=64)
def template_bytes(paper: str, accent: str) -> bytes:
    """The template for a paper size and a checked "#rrggbb"."""
    builder = _Builder(paper, accent.lstrip("#"))
    builder.letterhead()
    builder.hero()
    builder.sums()
    builder.payment()
    builder.months()
    builder.notes()
    builder.charges()
    builder.destinations()
    builder.calls()
    builder.foot()
    buffer = io.BytesIO()
    builder.document.save(buffer)
    return buffer.getvalue()


class _Builder:
    """Lays the parts out one below the other."""

    def __init__(self, paper: str, accent: str) -> None:
        self.document: Any = Document()
        self._accent = accent
        width, height = SIZES_MM[paper]
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(width), Mm(height)
        section.left_margin, section.right_margin = Mm(25), Mm(20)
        section.top_margin, section.bottom_margin = Mm(16), Mm(20)
        section.footer_distance = Mm(10)
        self._width = width - 45
        style = self.document.styles["Normal"]
        style.font.name, style.font.size = "Arial", Pt(9.5)
        style.element.rPr.rFonts.set(qn("w:eastAsia"), "Microsoft JhengHei")
        style.paragraph_format.space_after = style.paragraph_format.space_before = Pt(0)

    # -- parts

    def letterhead(self) -> None:
        table = self._table((104, self._width - 104), 2)
        for row, height in zip(table.rows, (34, 48), strict=True):
            row.height, row.height_rule = Mm(height), WD_ROW_HEIGHT_RULE.EXACTLY
        (brand, seller), (window, facts) = table.rows[0].cells, table.rows[1].cells
        self._write(brand.paragraphs[0], "{{ brand }}", 17, bold=True, colour=self._accent)
        self._loop(seller, "line in paper.seller_lines", ("{{ line }}",), 8, QUIET)
        self._write(window.paragraphs[0], "{{ paper.return_line }}", 6.5, colour=QUIET)
        window.paragraphs[0].paragraph_format.space_after = Pt(6)
        self._loop(window, "line in paper.buyer_lines", ("{{ line }}",), 10.5, INK, append=True)
        self._loop(facts, "fact in paper.facts", ("{{ fact.label }}\t", "{{ fact.value }}"), 8.5, QUIET, tab=30)

    def hero(self) -> None:
        self._paragraph("{{ paper.heading }}", 13, bold=True, after=6)
        self._paragraph("{{ paper.hero_label }}", 9.5, colour=QUIET)
        self._paragraph("{{ paper.hero_amount }}", 28, bold=True, colour=self._accent)
        self._paragraph("{{ paper.hero_note }}", 10.5, after=14)

    def sums(self) -> None:
        self._title("{{ paper.rows_title }}")
        table = self._table((62, 62, self._width - 124), 7, ruled=True)
        fields = ("{{ row.label }}", "{{ row.detail }}", "{{ row.amount }}")
        self._tag_row(table.rows[0], "{%tr for row in paper.rows %}")
        self._tag_row(table.rows[1], "{%tr if row.role in ('total', 'due') %}")
        self._cells(table.rows[2], fields, bold=True, figures=1)
        self._tag_row(table.rows[3], "{%tr else %}")
        self._cells(table.rows[4], fields, figures=1)
        self._tag_row(table.rows[5], "{%tr endif %}")
        self._tag_row(table.rows[6], "{%tr endfor %}")

    def payment(self) -> None:
        self._when("paper.pay_title")
        self._title("{{ paper.pay_title }}", before=14)
        self._tag("{%p for fact in paper.pay_facts %}")
        paragraph = self._paragraph("{{ fact.label }}\t", 8.5, colour=QUIET)
        paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(30))
        self._write(paragraph, "{{ fact.value }}", 8.5)
        self._tag("{%p endfor %}")
        self._paragraph("{{ paper.pay_text }}", 8.5, colour=QUIET)
        self._tag("{%p endif %}")

    def months(self) -> None:
        self._when("paper.bars")
        self._title("{{ paper.bars_title }}", before=14)
        self._tag("{%p for bar in paper.bars %}")
        paragraph = self._paragraph("{{ bar.label }}\t{{ bar.amount }}\t", 8.5)
        paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(28), WD_TAB_ALIGNMENT.RIGHT)
        paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(32))
        self._write(paragraph, "{{ bar.stroke }}", 8.5, colour="8a8f98")
        self._tag("{%p endfor %}")
        self._tag("{%p endif %}")

    def notes(self) -> None:
        self._tag("{%p for note in paper.notes %}")
        self._paragraph("{{ note }}", 8.5, colour=QUIET, before=6)
        self._tag("{%p endfor %}")

    def charges(self) -> None:
        self._when("details.charges")
        self._title("{{ words.charges }}", size=13, new_page=True, colour=INK)
        table = self._table((self._width - 80, 40, 40), 4, ruled=True)
        heads = ("{{ words.charge }}", "{{ words.quantity }}", "{{ words.amount }}")
        self._cells(table.rows[0], heads, figures=2, colour=QUIET, repeat=True)
        self._tag_row(table.rows[1], "{%tr for row in details.charges %}")
        self._cells(table.rows[2], ("{{ row.label }}", "{{ row.count }}", "{{ row.amount }}"), figures=2)
        self._tag_row(table.rows[3], "{%tr endfor %}")
        self._tag("{%p endif %}")

    def destinations(self) -> None:
        self._when("details.carriers")
        self._title("{{ words.destinations }}", size=13, before=0, new_page=True, colour=INK)
        table = self._table((self._width - 90, 20, 30, 40), 8, ruled=True)
        heads = ("{{ words.destination }}", "{{ words.calls }}", "{{ words.duration }}", "{{ words.amount }}")
        self._cells(table.rows[0], heads, figures=3, colour=QUIET, repeat=True)
        fields = ("{{ row.label }}", "{{ row.count }}", "{{ row.duration }}", "{{ row.amount }}")
        self._tag_row(table.rows[1], "{%tr for row in destinations %}")
        self._tag_row(table.rows[2], "{%tr if row.strong %}")
        self._cells(table.rows[3], fields, figures=3, bold=True)
        self._tag_row(table.rows[4], "{%tr else %}")
        self._cells(table.rows[5], fields, figures=3)
        self._tag_row(table.rows[6], "{%tr endif %}")
        self._tag_row(table.rows[7], "{%tr endfor %}")
        self._paragraph("{{ details.note }}", 8.5, colour=QUIET, before=4)
        self._tag("{%p endif %}")

    def calls(self) -> None:
        self._when("calls")
        self._title("{{ words.calls }}", size=13, before=0, new_page=True, colour=INK)
        widths = (13, 15, 28, 31, self._width - 121, 14, 20)
        table = self._table(widths, 5, ruled=True)
        keys = ("date", "time", "caller", "number", "destination", "duration", "amount")
        self._cells(table.rows[0], [f"{{{{ words.{key} }}}}" for key in keys], 7, figures=2, colour=QUIET, repeat=True)
        self._tag_row(table.rows[1], "{%tr for call in calls %}")
        self._cells(table.rows[2], [f"{{{{ call.{key} }}}}" for key in keys], 7, figures=2)
        self._tag_row(table.rows[3], "{%tr endfor %}")
        total = ("{{ words.all_calls }}", "", "", "", "", "{{ calls_total.duration }}", "{{ calls_total.amount }}")
        self._cells(table.rows[4], total, 7, figures=2, bold=True)
        self._tag("{%p endif %}")
        self._paragraph("{{ calls_elsewhere }}", 8.5, colour=QUIET, before=6)

    def foot(self) -> None:
        paragraph = self.document.sections[0].footer.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        for part in ("{{ page_before }}", "PAGE", "{{ page_between }}", "NUMPAGES", "{{ page_after }}"):
            if part.isupper():
                self._field(paragraph, part)
            else:
                self._write(paragraph, part, 7.5, colour=QUIET)
        legal = self.document.sections[0].footer.add_paragraph()
        self._write(legal, "{{ paper.footer }}", 7, colour=QUIET)

    # -- pieces

    def _table(self, widths_mm: tuple[float, ...], rows: int, *, ruled: bool = False) -> Any:
        table = self.document.add_table(rows=rows, cols=len(widths_mm))
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.LEFT, False
        _table_look(table, ruled=ruled)
        for column, width in zip(table.columns, widths_mm, strict=True):
            column.width = Mm(width)
            for cell in column.cells:
                cell.width = Mm(width)
        return table

    def _tag(self, tag: str) -> None:
        self.document.add_paragraph(tag)

    def _when(self, condition: str) -> None:
        self._tag(f"{{%p if {condition} %}}")

    def _tag_row(self, row: Any, tag: str) -> None:
        row.cells[0].paragraphs[0].add_run(tag)

    def _title(
        self, text: str, *, size: float = 9.5, before: float = 0, new_page: bool = False, colour: str = ""
    ) -> None:
        paragraph = self._paragraph(text, size, bold=True, colour=colour or self._accent, before=before, after=4)
        paragraph.paragraph_format.keep_with_next = True
        paragraph.paragraph_format.page_break_before = new_page

    def _paragraph(
        self, text: str, size: float, *, bold: bool = False, colour: str = INK, before: float = 0, after: float = 0
    ) -> Any:
        paragraph = self.document.add_paragraph()
        paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)
        self._write(paragraph, text, size, bold=bold, colour=colour)
        return paragraph

    def _write(self, paragraph: Any, text: str, size: float, *, bold: bool = False, colour: str = INK) -> None:
        run = paragraph.add_run(text)
        run.font.size, run.font.bold = Pt(size), bold
        run.font.color.rgb = RGBColor.from_string(colour.upper())

    def _loop(
        self,
        cell: Any,
        what: str,
        texts: tuple[str, ...],
        size: float,
        colour: str,
        *,
        tab: float = 0,
        append: bool = False,
    ) -> None:
        first = cell.add_paragraph() if append else cell.paragraphs[0]
        first.add_run(f"{{%p for {what} %}}")
        paragraph = cell.add_paragraph()
        if tab:
            paragraph.paragraph_format.left_indent, paragraph.paragraph_format.first_line_indent = Mm(tab), Mm(-tab)
            paragraph.paragraph_format.space_after = Pt(2.5)
        for i, text in enumerate(texts):
            self._write(paragraph, text, size, colour=colour if i == 0 else INK)
        cell.add_paragraph("{%p endfor %}")

    def _cells(
        self,
        row: Any,
        texts: Any,
        size: float = 9,
        *,
        figures: int = 0,
        bold: bool = False,
        colour: str = INK,
        repeat: bool = False,
    ) -> None:
        """One row of fields, the last `figures` of them right-aligned."""
        for i, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(size / 4)
            if i >= len(texts) - figures:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            self._write(paragraph, text, size, bold=bold, colour=colour)
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if repeat:
            properties.append(OxmlElement("w:tblHeader"))

    def _field(self, paragraph: Any, name: str) -> None:
        field = OxmlElement("w:fldSimple")
        field.set(qn("w:instr"), name)
        run = paragraph.add_run("1")
        run.font.size, run.font.color.rgb = Pt(7.5), RGBColor.from_string(QUIET.upper())
        field.append(run._r)
        paragraph._p.append(field)


def _table_look(table: Any, *, ruled: bool) -> None:
    """No padding at the left edge, so that tables stand on the text's margin; hairlines between rows
    where ruled.
    """
    properties = table._tbl.tblPr
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), "0" if side == "left" else "40")
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    if ruled:
        borders = OxmlElement("w:tblBorders")
        for side, size, colour in (("top", "8", INK), ("bottom", "12", INK), ("insideH", "4", "d5d9de")):
            line = OxmlElement(f"w:{side}")
            for key, value in (("val", "single"), ("sz", size), ("space", "0"), ("color", colour)):
                line.set(qn(f"w:{key}"), value)
            borders.append(line)
        properties.find(qn("w:tblLayout")).addprevious(borders)
    properties.find(qn("w:tblLook")).addprevious(margins)  # Word insists on the schema's order
