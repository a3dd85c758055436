"""How a brand bills, entered: its number series, days to pay, bank, footer, and whether somebody must approve."""

from __future__ import annotations

import re
from typing import TypedDict, Unpack

from django.utils.translation import gettext as _

from invoicing.models import PaperTerms
from tiers.errors import Invalid
from tiers.models import Brand
from tiers.services.writing import apply_changes, check_fields, written_by
from tiers.viewer import Actor

SERIES = re.compile(r"[A-Z0-9][A-Z0-9-]{0,15}")


class Paper(TypedDict, total=False):
    """As printed. `series` stands before the number, `credit_series` ("": the same) before a credit note's;
    `calls_group` is number or day; `paper` A4 or Letter.
    """

    series: str
    credit_series: str
    due_days: int
    approval_required: bool
    paper: str
    calls_group: str
    attach_docx: bool
    bank_name: str
    bank_account: str
    bank_code: str
    payment_text: str
    footer: str
    copy_to: str


def set_paper_terms(brand: Brand, *, actor: Actor, **terms: Unpack[Paper]) -> tuple[PaperTerms, bool]:
    """A brand's terms on paper: (the terms, whether anything changed). What is not given stays. Raises Invalid.

    Invoices already issued keep what they were printed with.
    """
    with written_by(actor):
        row = PaperTerms.objects.select_for_update().filter(brand=brand).first()
        made = row is None
        row = row or PaperTerms(brand=brand)
        changed = apply_changes(row, terms, frozenset(Paper.__optional_keys__))
        if not SERIES.fullmatch(row.series):
            raise Invalid("series", _("A series is 1 to 16 of A-Z, 0-9 and the hyphen, such as NS."), where="series")
        if row.credit_series and not SERIES.fullmatch(row.credit_series):
            raise Invalid("series", _("A series is 1 to 16 of A-Z, 0-9 and the hyphen."), where="credit_series")
        check_fields(row)
        if made or changed:
            row.save()
    return row, made or bool(changed)
