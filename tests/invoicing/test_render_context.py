"""What a bill says is frozen: it goes to JSON and comes back the same, and one that does not add up is refused."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal

import pytest

from invoicing.render.context import InvoiceContext
from invoicing.render.frozen import BadContext
from tests.invoicing import papers


@pytest.mark.parametrize("context", [papers.invoice(), papers.statement(), papers.credit_note()])
def test_a_bill_comes_back_from_json_as_it_went(context: InvoiceContext) -> None:
    stored = json.dumps(context.to_json())
    assert InvoiceContext.from_json(json.loads(stored)) == context


def test_amounts_travel_as_plain_strings() -> None:
    stored = papers.invoice(adjustments=Decimal("1E+3")).to_json()
    assert stored["adjustments"] == "1000"
    assert stored["due_date"] == "2026-12-14"
    assert not any(isinstance(value, float) for value in stored.values())


def test_a_bill_from_before_a_field_existed_still_loads() -> None:
    stored = papers.invoice().to_json()
    del stored["adjustments"], stored["seller"]["short_name"]
    assert InvoiceContext.from_json(stored) == papers.invoice()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"net": 12.5}, "context.net"),
        ({"net": "twelve"}, "context.net"),
        ({"issue_date": "yesterday"}, "context.issue_date"),
        ({"mystery": "1"}, "unknown field mystery"),
        ({"version": 99}, "version 99"),
        ({"paper": "Tabloid"}, "context.paper"),
        ({"kind": "receipt"}, "context.kind"),
        ({"lines": [{"label": "x"}]}, "context.lines"),
        ({"lines": "none"}, "context.lines"),
    ],
)
def test_what_is_no_bill_is_refused_by_the_name_of_its_field(change: dict[str, object], says: str) -> None:
    with pytest.raises(BadContext, match=says):
        InvoiceContext.from_json({**papers.invoice().to_json(), **change})


@pytest.mark.parametrize("field", ["net", "tax", "total"])
def test_a_bill_that_does_not_add_up_is_never_printed(field: str) -> None:
    context = papers.invoice()
    with pytest.raises(BadContext):
        dataclasses.replace(context, **{field: getattr(context, field) + Decimal("0.05")})
