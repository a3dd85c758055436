"""Line rentals, numbers and plans: charged once, by the day, at every tier, and on the bill as lines of their own."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import close_old_connections, connection, transaction

from accounts.models import Transfer
from billing.books import violations
from invoicing.models import Charge, InvoiceLine, OutboxMail, Subscription
from invoicing.services import charging
from invoicing.services.issuing import approve, issue
from invoicing.services.one_off import Once, charge_once
from invoicing.services.products import set_price, update_product
from invoicing.services.subscriptions import Change, change, end
from tests.cast import ACTOR, Cast
from tests.invoicing.month import OCTOBER, bill_of
from tests.invoicing.products import amounts_of, balance, charged, day, product, subscribed
from tiers.errors import Conflict, Invalid, NotFound


def test_a_line_that_begins_in_the_middle_pays_for_its_days_then_whole_months(cast: Cast) -> None:
    """Dave's line at 30.00 a month begins on 16 October: 16 of 31 days, then November, then nothing twice."""
    row = subscribed(cast, "dave", product(cast, "meadow", "line", "30.00"), "2026-10-16")
    assert amounts_of(row) == [("2026-10-16", "2026-11-01", "15.48")]
    for today in ("2026-10-16", "2026-10-31", "2026-11-01", "2026-11-01"):
        charging.post_due(today=day(today))
    assert amounts_of(row)[1:] == [("2026-11-01", "2026-12-01", "3E+1")]
    assert Transfer.objects.filter(kind="charge").count() == 2
    assert list(violations()) == []


def test_a_worker_that_slept_for_three_months_catches_up(cast: Cast) -> None:
    row = subscribed(cast, "dave", product(cast, "meadow", "line", "30.00"), "2026-07-01")
    assert charging.post_due(today=day("2026-10-05")).charges == 3
    assert charging.post_due(today=day("2026-10-05")).charges == 0
    assert [start for start, _end, _amount in amounts_of(row)] == [f"2026-{month:02}-01" for month in (7, 8, 9, 10)]


def test_in_arrears_is_charged_when_the_quarter_is_over_or_the_line_ends(cast: Cast) -> None:
    hosting = product(cast, "meadow", "hosting", "92.00", every="quarter", timing="arrears")
    row = subscribed(cast, "dave", hosting, "2026-07-01")
    assert charging.post_due(today=day("2026-09-30")).charges == 0
    assert charging.post_due(today=day("2026-10-01")).charges == 1
    end(row, day("2026-10-11"), actor=ACTOR, today=day("2026-10-11"))
    assert amounts_of(row) == [("2026-07-01", "2026-10-01", "92"), ("2026-10-01", "2026-10-11", "1E+1")]
    assert charging.post_due(today=day("2027-06-01")).charges == 0
    assert list(violations()) == []


def test_a_yearly_plan_may_run_from_its_own_day(cast: Cast) -> None:
    plan = product(cast, "meadow", "domain", "120.00", every="year", anchor="start")
    row = subscribed(cast, "dave", plan, "2025-03-15")
    charging.post_due(today=day("2026-03-15"))
    assert amounts_of(row) == [("2025-03-15", "2026-03-15", "1.2E+2"), ("2026-03-15", "2027-03-15", "1.2E+2")]


def test_two_more_lines_in_the_middle_of_a_paid_month_give_back_the_rest_of_it(cast: Cast) -> None:
    """One line at 30.00 for November; from the 16th there are three: 15.00 come back, 45.00 are charged."""
    row = subscribed(cast, "dave", product(cast, "meadow", "line", "30.00"), "2026-11-01")
    wish = Change(day("2026-11-16"), quantity=3)
    change(row, wish, actor=ACTOR, today=day("2026-11-16"))
    change(row, wish, actor=ACTOR, today=day("2026-11-16"))
    assert amounts_of(row)[1:] == [("2026-11-16", "2026-12-01", "-15"), ("2026-11-16", "2026-12-01", "45")]
    assert charged(cast, "dave") == 60
    assert balance(cast, "dave") == -60
    assert list(violations()) == []


def test_a_change_that_is_planned_waits_for_its_day(cast: Cast) -> None:
    row = subscribed(cast, "dave", product(cast, "meadow", "line", "30.00"), "2026-11-01")
    change(row, Change(day("2026-11-16"), price=Decimal(60)), actor=ACTOR, today=day("2026-11-02"))
    assert len(amounts_of(row)) == 1
    row.refresh_from_db()
    assert row.next_due == day("2026-11-16")
    charging.post_due(today=day("2026-12-01"))
    assert [amount for *_days, amount in amounts_of(row)] == ["3E+1", "-15", "3E+1", "6E+1"]


def test_an_end_in_the_past_gives_back_every_day_after_it(cast: Cast) -> None:
    row = subscribed(cast, "dave", product(cast, "meadow", "line", "30.00"), "2026-09-01")
    charging.post_due(today=day("2026-11-20"))
    end(row, day("2026-10-01"), actor=ACTOR, today=day("2026-11-20"))
    assert charged(cast, "dave") == 30
    end(row, None, actor=ACTOR, today=day("2026-11-20"))
    assert charged(cast, "dave") == 90, "and taken back, it goes on"
    assert list(violations()) == []


def test_a_dearer_list_price_reaches_no_month_that_was_paid(cast: Cast) -> None:
    line = product(cast, "meadow", "line", "30.00")
    listed = subscribed(cast, "dave", line, "2031-11-01")
    agreed = subscribed(cast, "dave", line, "2031-11-01", price=Decimal(20))
    set_price(line, Decimal(40), actor=ACTOR, valid_from=day("2031-11-10"))
    charging.post_due(today=day("2031-12-01"))
    assert [amount for *_days, amount in amounts_of(listed)] == ["3E+1", "4E+1"]
    assert [amount for *_days, amount in amounts_of(agreed)] == ["2E+1", "2E+1"]
    with pytest.raises(Conflict, match="today or later"):
        set_price(line, Decimal(1), actor=ACTOR, valid_from=day("2020-01-01"))


def test_every_tier_buys_what_the_next_sells(cast: Cast) -> None:
    """Bob's number costs him 5.00 at Pier, which pays 4.00 to Harbour, which pays Northstar 2.00."""
    for dealer, amount in (("harbour", 100), ("pier", 100), ("bob", 100)):
        cast.fund(dealer, amount)
    at_northstar = product(cast, "northstar-eu", "ns-number", "2.00")
    at_harbour = product(cast, "harbour", "hv-number", "4.00", resells=at_northstar)
    at_pier = product(cast, "pier", "pier-number", "5.00", resells=at_harbour)
    before = {name: balance(cast, name) for name in ("harbour", "pier", "bob")}
    row = subscribed(cast, "bob", at_pier, "2026-11-01", quantity=2)
    paid = {name: before[name] - balance(cast, name) for name in before}
    assert paid["bob"] == 10, "Pier's prices include its tax"
    assert paid["pier"] == Decimal("8.00") * Decimal("1.19")
    assert paid["harbour"] == 4
    change(row, Change(day("2026-11-16"), quantity=1), actor=ACTOR, today=day("2026-11-16"))
    assert before["harbour"] - balance(cast, "harbour") == 3
    above = Subscription.objects.get(serves=row)
    with pytest.raises(Conflict, match="further down"):
        end(above, day("2026-11-20"), actor=ACTOR)
    end(row, day("2026-11-16"), actor=ACTOR, today=day("2026-11-16"))
    assert [before[name] - balance(cast, name) for name in ("bob", "harbour")] == [5, 2]
    assert list(violations()) == []


def test_a_prepaid_wallet_without_funds_is_told_once_and_charged_when_it_can_pay(cast: Cast) -> None:
    row = subscribed(cast, "alice", product(cast, "harbour", "line", "30.00"), "2026-11-01")
    assert (balance(cast, "alice"), charged(cast, "alice")) == (0, 0)
    for _again in range(3):
        assert charging.post_due(today=day("2026-11-05")).short == 1
    row.refresh_from_db()
    assert (row.short_since, row.short_by) == (day("2026-11-01"), Decimal("35.70"))
    assert OutboxMail.objects.filter(key__startswith="charge-short:").count() == 1
    cast.fund("alice", 100)
    assert charging.post_due(today=day("2026-11-06")).charges == 1
    row.refresh_from_db()
    assert (row.short_since, row.next_due) == (None, day("2026-12-01"))
    assert balance(cast, "alice") == Decimal("64.30"), "19 % tax is paid at once"
    assert list(violations()) == []


def test_the_bill_shows_rentals_with_their_days_and_a_second_run_adds_nothing(cast: Cast) -> None:
    """In advance: what is due on 1 November stands on October's bill, which is made on that day."""
    from invoicing.services.drafts import run

    line = product(cast, "meadow", "line", "30.00", name="Line rental", unit="lines")
    subscribed(cast, "dave", line, "2026-10-16", quantity=3, today="2026-11-01")
    wish = Once(cast.meadow, cast.dave, day("2026-10-20"), "Visit of a technician", "visit", price=Decimal(50))
    charge_once(wish, actor=ACTOR)
    credit = Once(cast.meadow, cast.dave, day("2026-10-21"), "Outage", "outage", price=Decimal(10), credit=True)
    charge_once(credit, actor=ACTOR)
    run(cast.meadow, OCTOBER, actor=ACTOR)
    run(cast.meadow, OCTOBER, actor=ACTOR)
    bill = bill_of(cast, "dave")
    lines = [(line.kind, line.label, line.quantity, line.net) for line in bill.lines.all()]
    assert lines == [
        ("rental", "Line rental, 16–31 Oct 2026", 3, Decimal("46.45")),
        ("rental", "Line rental, 1–30 Nov 2026", 3, Decimal("90")),
        ("charge", "Visit of a technician", 1, Decimal(50)),
        ("credit", "Credit: Outage", 1, Decimal(-10)),
    ]
    assert bill.total == Decimal("211.74")
    issued = issue(approve(bill, actor=ACTOR), actor=ACTOR)
    assert balance(cast, "dave") == -issued.total
    assert issued.context is not None
    assert issued.context["lines"][0]["unit"] == "lines"
    assert list(violations()) == []


def test_the_same_line_of_many_customers_is_one_line_on_the_dealers_bill(cast: Cast) -> None:
    from invoicing.services.drafts import run

    at_northstar = product(cast, "northstar", "ns-line", "10.00", name="Line")
    at_meadow = product(cast, "meadow", "line", "30.00", resells=at_northstar)
    for _each in range(3):
        subscribed(cast, "dave", at_meadow, "2026-10-02")
    run(cast.northstar, OCTOBER, actor=ACTOR)
    (line,) = InvoiceLine.objects.filter(invoice__buyer=cast.meadow, label__startswith="Line, 2")
    assert (line.quantity, line.net) == (3, Decimal("29.04"))


def test_one_off_charges_need_a_reason_and_are_made_once(cast: Cast) -> None:
    fee = product(cast, "meadow", "setup-fee", "25.00", every="once", resells=None)
    wish = Once(cast.meadow, cast.dave, day("2026-10-20"), "", "form-1", product=fee, quantity=2)
    first = charge_once(wish, actor=ACTOR)
    assert charge_once(wish, actor=ACTOR).pk == first.pk
    assert (first.amount, balance(cast, "dave")) == (50, -50)
    with pytest.raises(Invalid, match="what this is for"):
        charge_once(Once(cast.meadow, cast.dave, day("2026-10-20"), " ", "x", price=Decimal(1)), actor=ACTOR)
    with pytest.raises(NotFound):
        charge_once(Once(cast.harbour, cast.dave, day("2026-10-20"), "Mine?", "x", price=Decimal(1)), actor=ACTOR)
    with pytest.raises(Conflict, match="not enough"):
        charge_once(Once(cast.harbour, cast.alice, day("2026-10-20"), "Fee", "x", price=Decimal(1)), actor=ACTOR)


def test_a_distribution_seller_credits_only_what_it_has(cast: Cast) -> None:
    wish = Once(cast.summit, cast.carol, day("2026-10-20"), "Sorry", "c", price=Decimal(5), credit=True)
    with pytest.raises(Conflict, match="not enough"):
        charge_once(wish, actor=ACTOR)
    cast.fund("summit", 20)
    charge_once(wish, actor=ACTOR)
    assert (balance(cast, "summit"), balance(cast, "carol")) == (15, 5)
    assert list(violations()) == []


def test_who_may_have_what(cast: Cast) -> None:
    line = product(cast, "meadow", "line", "30.00")
    with pytest.raises(NotFound):
        subscribed(cast, "alice", line, "2026-10-01")
    with pytest.raises(Invalid, match="own seller"):
        product(cast, "quarry", "stolen", "1.00", resells=line)
    with pytest.raises(Conflict, match="stays as it was made"):
        update_product(line, actor=ACTOR, every="year")
    update_product(line, actor=ACTOR, active=False)
    with pytest.raises(Invalid, match="cannot be subscribed"):
        subscribed(cast, "dave", line, "2026-10-01")


def test_what_was_charged_is_never_edited(cast: Cast) -> None:
    subscribed(cast, "dave", product(cast, "meadow", "line", "30.00"), "2026-11-01")
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Charge.objects.update(amount=1)


def test_the_proof_sees_a_day_charged_twice(cast: Cast) -> None:
    row = subscribed(cast, "dave", product(cast, "meadow", "line", "30.00"), "2026-11-01")
    charge = row.charges.get()
    charge.pk, charge.number, charge.key, charge.transfer = None, 2, "forged", None
    charge.save(force_insert=True)
    found = {one.law for one in violations()}
    assert {"charge_transfer", "charge_days", "charge_whole_period"} <= found


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_charge_a_month_once(cast: Cast) -> None:
    row = subscribed(cast, "dave", product(cast, "meadow", "line", "30.00"), "2026-10-01")
    problems: list[Any] = []

    def work() -> None:
        try:
            charging.post_due(today=day("2026-12-15"))
        except Exception as problem:  # noqa: BLE001
            problems.append(problem)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=work) for _each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(amounts_of(row)) == 3
    assert list(violations()) == []
