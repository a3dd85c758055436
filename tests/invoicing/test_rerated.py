"""Calls that are rated again on the bills: simply right where they are not billed yet, else on the next one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.books import violations
from invoicing.models import Invoice, InvoiceLine
from invoicing.render.calls_csv import render_calls_csv
from invoicing.services.calls import calls_of
from invoicing.services.documents import context_of
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, issue
from rating.pricing.tables import TableCache
from rating.services.imports import import_file
from tests.cast import ACTOR, Cast
from tests.invoicing.month import NOVEMBER, OCTOBER, bill_of, run_october
from tests.rating.calls_help import Call, write
from tests.rating.rerating_help import UK, a_week, correct_rate, rerate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    monkeypatch.setattr("rating.pricing.shelf.CACHE", TableCache())
    return tmp_path


def november(cast: Cast, folder: Path, who: str) -> None:
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    import_file(write(folder / "nov.csv", [Call(f"nov-{who}", who, UK, 600, at)]), cast.source(), actor=ACTOR)


def bill(cast: Cast, seller: str, month: date = OCTOBER) -> None:
    for draft in run(cast.party(seller), month, actor=ACTOR, early=True).invoices:
        if not draft.is_issued:
            issue(approve(draft, actor=ACTOR), actor=ACTOR)


def lines(invoice: Invoice) -> list[tuple[str, int, Decimal]]:
    return [(line.label, line.calls, line.net) for line in InvoiceLine.objects.filter(invoice=invoice)]


def test_what_is_not_billed_yet_is_simply_billed_right(cast: Cast, files: Path) -> None:
    """Dave: three calls of 0.0217 more; first without a draft, then onto the draft that stands."""
    a_week(cast, files, ["dave"])
    correct_rate(cast, "0.02")
    rerate(cast)
    run_october(cast, "meadow")
    draft = bill_of(cast, "dave")
    assert lines(draft) == [("International calls", 3, draft.net)]
    at_first = draft.net
    correct_rate(cast, "0.01")
    rerate(cast)
    run_october(cast, "meadow")
    draft.refresh_from_db()
    assert (draft.calls, draft.duration_s, at_first - draft.net) == (3, 270, 3 * Decimal("0.0217"))
    assert lines(draft) == [("International calls", 3, draft.net)]
    assert list(violations()) == []
    issued = issue(approve(draft, actor=ACTOR), actor=ACTOR)
    context = context_of(issued)
    assert sum(row.net for row in context.details) == issued.net
    told = render_calls_csv(context, calls_of(issued, context)).decode().splitlines()[1:]
    assert [line.split(",")[9] for line in told] == [f"{issued.net / 3:.4f}"] * 3


def test_an_issued_bill_stays_and_the_next_carries_the_correction_to_the_cent(cast: Cast, files: Path) -> None:
    """Meadow sells 0.01 USD a minute at 0.0145 GBP: 90 s are 0.0218; at 2 USD they are 4.35."""
    a_week(cast, files, ["dave"])
    bill(cast, "meadow")
    october = bill_of(cast, "dave")
    before = (october.net, october.total, october.context, lines(october))
    correct_rate(cast, "2")
    rerate(cast)
    november(cast, files, "dave")
    bill(cast, "meadow", NOVEMBER)
    october.refresh_from_db()
    assert (october.net, october.total, october.context, lines(october)) == before
    after = bill_of(cast, "dave", NOVEMBER)
    (_label, calls, own), (label, none, correction) = lines(after)
    assert (calls, none) == (1, 0)
    assert label == f"Corrections of calls in October 2026, bill {october.number}"
    assert correction == 3 * (Decimal("4.35") - october.net / 3)
    assert after.net == own + correction
    assert after.tax == (after.net * 20 / 100).quantize(Decimal("0.01"))
    assert after.total == (after.net * Decimal("1.2")).quantize(Decimal("0.01"))
    assert cast.wallet("dave").posted == -(october.total + after.total)
    context = context_of(after)
    assert [line.label for line in context.lines][-1] == label
    assert len(list(calls_of(after, context))) == 1
    assert list(violations()) == []


def test_a_credit_that_the_month_does_not_use_up_waits_for_one_that_does(cast: Cast, files: Path) -> None:
    correct_rate(cast, "2")
    a_week(cast, files, ["dave"])
    bill(cast, "meadow")
    october = bill_of(cast, "dave")
    correct_rate(cast, "0.01")
    rerate(cast)
    assert run(cast.meadow, NOVEMBER, actor=ACTOR, early=True).invoices == []
    assert list(violations()) == []
    owed = -cast.wallet("dave").posted
    assert owed == october.total - 3 * (Decimal("4.35") - Decimal("0.0218"))


def test_a_prepaid_statement_carries_the_tax_of_the_correction_too(cast: Cast, files: Path) -> None:
    cast.fund("alice", 50)
    a_week(cast, files, ["alice"])
    bill(cast, "harbour")
    first = bill_of(cast, "alice")
    correct_rate(cast, "2")
    rerate(cast)
    bill(cast, "harbour", NOVEMBER)
    second = bill_of(cast, "alice", NOVEMBER)
    assert lines(second) == [(f"Corrections of calls in October 2026, bill {first.number}", 0, second.net)]
    assert second.tax_exact == second.net * 19 / 100
    assert cast.wallet("alice").posted == 50 - first.total - second.total
    assert list(violations()) == []


def test_prices_with_tax_in_them_are_corrected_with_it(cast: Cast, files: Path) -> None:
    """Bob is prepaid and Pier's prices include tax: his statement's net and tax are those of the corrections."""
    cast.fund("bob", 50)
    a_week(cast, files, ["bob"])
    bill(cast, "pier")
    correct_rate(cast, "2")
    rerate(cast)
    bill(cast, "pier", NOVEMBER)
    assert sum(line[2] for line in lines(bill_of(cast, "bob", NOVEMBER))) == bill_of(cast, "bob", NOVEMBER).net
    assert list(violations()) == []


def test_a_call_that_was_free_comes_onto_the_bill_when_it_costs(cast: Cast, files: Path) -> None:
    correct_rate(cast, "0")
    a_week(cast, files, ["dave"], each=2)
    correct_rate(cast, "1")
    rerate(cast)
    run_october(cast, "meadow")
    draft = bill_of(cast, "dave")
    assert lines(draft) == [("International calls", 2, draft.net)]
    issued = issue(approve(draft, actor=ACTOR), actor=ACTOR)
    assert sum(row.net for row in calls_of(issued, context_of(issued))) == issued.net > 0
    assert list(violations()) == []
