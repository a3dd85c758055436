"""The run: Meadow bills its October. What is billed once is never billed again, by whoever runs and how often."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from accounts.models import TransferKind
from billing.books import violations
from invoicing.models import BilledTransfer, Invoice, InvoiceKind, InvoiceStatus
from invoicing.services.drafts import discard, run
from invoicing.services.issuing import approve
from tests.cast import ACTOR, Cast
from tests.invoicing.month import NOVEMBER, OCTOBER, bill_of, load_calls, run_october, sold_to
from tiers.errors import Conflict


@pytest.fixture
def october(cast: Cast, tmp_path: Path) -> Cast:
    """Dave (postpaid), Bob (prepaid, tax inside), Carol (distribution) and Alice (prepaid) call through October."""
    for code, amount in (("summit", 5000), ("alice", 100), ("bob", 100), ("carol", 500)):
        cast.fund(code, amount)
    load_calls(cast, tmp_path, ["alice", "bob", "carol", "dave"])
    return cast


def test_a_draft_holds_exactly_what_was_charged(october: Cast) -> None:
    result = run_october(october, "meadow")
    draft = bill_of(october, "dave")
    assert (result.created, result.skipped) == (1, 0)
    assert (draft.kind, draft.status, draft.number) == (InvoiceKind.INVOICE, InvoiceStatus.DRAFT, None)
    assert draft.net == sold_to(october, "dave") > 0
    assert draft.tax == (draft.net * 20 / 100).quantize(Decimal("0.01"))
    assert draft.calls == 12
    assert sum(line.net for line in draft.lines.all()) == draft.net
    assert draft.lines.count() > 1, "calls of several classes stand on several lines"
    assert list(violations()) == []


def test_prepaid_customers_get_a_statement_with_nothing_due(october: Cast) -> None:
    run_october(october, "harbour")
    statement = bill_of(october, "alice")
    assert statement.kind == InvoiceKind.STATEMENT
    assert statement.due == 0
    assert statement.tax_exact > 0, "tax was charged with each call"


def test_every_tier_bills_the_next(october: Cast) -> None:
    for seller in ("northstar", "harbour", "pier", "summit", "meadow"):
        run_october(october, seller)
    buyers = set(Invoice.objects.values_list("buyer__code", flat=True))
    assert buyers == {"harbour", "summit", "meadow", "pier", "alice", "bob", "carol", "dave"}
    harbours = bill_of(october, "harbour")
    assert harbours.net == sold_to(october, "harbour")
    assert bill_of(october, "summit").net == sold_to(october, "summit"), "what Carol pays Summit is no charge of Summit"
    assert list(violations()) == []


def test_a_second_run_adds_nothing(october: Cast) -> None:
    run_october(october, "meadow")
    before = BilledTransfer.objects.count()
    again = run_october(october, "meadow")
    assert (again.created, again.skipped, len(again.invoices)) == (0, 1, 1)
    assert BilledTransfer.objects.count() == before


def test_nobody_is_billed_for_nothing(october: Cast) -> None:
    result = run_october(october, "outsider")
    assert (result.created, result.skipped, result.invoices) == (0, 1, [])


def test_late_calls_go_onto_the_draft_that_stands(october: Cast, tmp_path: Path) -> None:
    run_october(october, "meadow")
    load_calls(october, tmp_path, ["dave"], 5, tag="late")
    again = run_october(october, "meadow")
    draft = bill_of(october, "dave")
    assert again.created == 0
    assert (draft.calls, draft.net) == (17, sold_to(october, "dave"))
    assert list(violations()) == []


def test_an_approved_draft_is_not_touched_and_late_calls_land_in_the_next_month(
    october: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_october(october, "meadow")
    approved = approve(bill_of(october, "dave"), actor=ACTOR)
    load_calls(october, tmp_path, ["dave"], 5, tag="late")
    run_october(october, "meadow")
    approved.refresh_from_db()
    assert approved.calls == 12
    run(october.meadow, NOVEMBER, actor=ACTOR, early=True)
    november = bill_of(october, "dave", NOVEMBER)
    assert november.calls == 5, "they are October's, but October is closed"
    assert list(violations()) == []


def test_a_month_that_still_runs_is_refused(october: Cast) -> None:
    running = timezone.now().date().replace(day=1)
    with pytest.raises(Conflict) as refused:
        run(october.meadow, running, actor=ACTOR)
    assert refused.value.code == "period_running"
    assert "--early" in (refused.value.hint or "")


def test_the_month_ends_by_the_brands_clock(october: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    just_after = datetime(2026, 10, 31, 16, 30, tzinfo=UTC)  # November in Hong Kong, October in London
    monkeypatch.setattr(timezone, "now", lambda: just_after)
    assert run(october.summit, OCTOBER, actor=ACTOR).created == 1
    with pytest.raises(Conflict):
        run(october.meadow, OCTOBER, actor=ACTOR)


def test_a_call_is_billed_in_the_month_of_the_brands_zone(cast: Cast, tmp_path: Path) -> None:
    cast.fund("summit", 100)
    cast.fund("carol", 50)
    path = tmp_path / "edge.csv"
    path.write_text(
        "call_id,account,to,started_at,answered_at,seconds,carrier\n"
        "e1,ACC-carol,442079460000,2026-09-30T16:10:00+00:00,2026-09-30T16:10:05+00:00,120,boreal\n"
    )
    from rating.services.imports import import_file

    import_file(path, cast.source(), actor=ACTOR)
    run_october(cast, "summit")
    draft = bill_of(cast, "carol")
    assert draft.calls == 1, "00:10 on 1 October in Hong Kong, though the UTC partition is September's"
    assert draft.lines.get().kind == "calls"


def test_a_discarded_draft_frees_what_it_billed(october: Cast) -> None:
    run_october(october, "meadow")
    draft = bill_of(october, "dave")
    discard(draft)
    assert run_october(october, "meadow").created == 1


def test_charges_below_the_smallest_unit_wait(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text(
        "call_id,account,to,started_at,answered_at,seconds,carrier\n"
        "t1,ACC-dave,12125550100,2026-10-03T10:10:00+00:00,2026-10-03T10:10:05+00:00,20,atlas\n"
    )
    from rating.services.imports import import_file

    import_file(path, cast.source(), actor=ACTOR)
    assert 0 < sold_to(cast, "dave") < Decimal("0.004")
    assert run_october(cast, "meadow").created == 0
    assert BilledTransfer.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_make_one_invoice(october: Cast) -> None:
    results: list[Any] = []
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait()
            results.append(run_october(Cast(), "meadow").created)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    assert sorted(results) == [0, 0, 0, 1]
    assert Invoice.objects.count() == 1
    usage = BilledTransfer.objects.filter(transfer__kind=TransferKind.USAGE)
    assert usage.count() == 1
    assert list(violations()) == []
