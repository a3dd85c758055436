"""Read back what was rendered, as a reader would: text of a PDF, of a DOCX, rows of a CSV."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

from docx import Document
from pypdf import PdfReader


def pdf_pages(data: bytes) -> list[str]:
    """The text of each page, blanks evened out."""
    return [even(page.extract_text()) for page in PdfReader(io.BytesIO(data)).pages]


def docx_text(data: bytes) -> str:
    """All text of the body, paragraphs and tables in reading order, and the foot."""
    document: Any = Document(io.BytesIO(data))
    texts = [node.text or "" for node in document.element.body.iter() if node.tag.endswith("}t")]
    foot = [p.text for p in document.sections[0].footer.paragraphs]
    return even(" ".join((*texts, *foot)))


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def csv_sum(data: bytes) -> Decimal:
    return sum((Decimal(row["amount"]) for row in csv_rows(data)), Decimal(0))


def even(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())
