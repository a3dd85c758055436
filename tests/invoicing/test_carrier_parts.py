"""Alice changes her carrier three times in October: each call has the price of the carrier of its hour, one bill all.

The bill is one total with a part for each carrier, the same in the draft, the PDF, the letter and the list of calls.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import translation

from billing.books import violations
from invoicing.models import Invoice
from invoicing.render import figures, words
from invoicing.render.context import CALLS, InvoiceContext, SummaryLine
from invoicing.services import documents
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, issue
from rating.models import RatedCall
from rating.services.carriers import choose_carrier, create_carrier
from rating.services.imports import import_file
from rating.services.lists import create_list, set_list_terms
from rating.services.rates import RateEntry, create_table, set_rates
from tests.cast import ACTOR, Cast
from tests.invoicing import papers
from tests.invoicing.month import OCTOBER, bill_of
from tests.invoicing.reading import csv_rows, docx_text, pdf_pages
from tests.rating.calls_help import Call, write

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CHANGES = {8: "boreal", 16: "cirrus", 24: "atlas"}
"""By default Atlas; then by the day of October on which she changes, at noon."""
TO = ("85225550123", "8613800138000", "442079460000")
MOBILE = "447700900123"
HOME = "12125550177"


@pytest.fixture
def month(cast: Cast, tmp_path: Path) -> Cast:
    """Calls every day of October; the trunk is always Atlas, for what carries a call does not decide its price."""
    cast.fund("harbour", 900)
    cast.fund("alice", 400)
    third_carrier(cast)
    for day, code in CHANGES.items():
        at = datetime(2026, 10, day, 12, tzinfo=UTC)
        choose_carrier(cast.alice, cast.carrier(code), actor=ACTOR, at=at)
    calls = []
    for day in range(1, 31):
        for hour in (9, 15):
            start = datetime(2026, 10, day, hour, tzinfo=UTC)
            numbers = (TO[day % 3], MOBILE, HOME)
            calls += [
                Call(f"{day}-{hour}-{i}", to=to, seconds=95 + day, at=start + timedelta(minutes=i))
                for i, to in enumerate(numbers)
            ]
    import_file(write(tmp_path / "october.csv", calls), cast.source(), actor=ACTOR)
    return cast


def third_carrier(cast: Cast) -> None:
    """Cirrus: five US cents a minute everywhere, by the minute; both sellers have a list for it."""
    table = create_table(cast.northstar, "cirrus", "Cirrus A-Z", "USD", actor=ACTOR)
    zones = {"852": "Hong Kong", "86": "China", "44": "United Kingdom", "447": "United Kingdom mobile"}
    rates = [
        RateEntry(prefix, Decimal("0.05"), LONG_AGO, destination=name, step_s=60) for prefix, name in zones.items()
    ]
    set_rates(table, rates, actor=ACTOR)
    carrier = create_carrier(cast.northstar, "cirrus", "Cirrus Wholesale", actor=ACTOR, cost_table=table)
    above = create_list(
        cast.northstar,
        "northstar-eu-cirrus",
        cast.brand("northstar-eu"),
        actor=ACTOR,
        carrier=carrier,
        base_table=table,
    )
    below = create_list(
        cast.harbour, "harbour-cirrus", cast.brand("harbour"), actor=ACTOR, carrier=carrier, base_list=above
    )
    for one in (above, below):
        set_list_terms(one, actor=ACTOR, valid_from=LONG_AGO, markup=Decimal("0.5"))


def carrier_then(moment: datetime) -> str:
    """What she had chosen, by the story and not by the product."""
    chosen = "atlas"
    for day, code in CHANGES.items():
        if moment >= datetime(2026, 10, day, 12, tzinfo=UTC):
            chosen = code
    return chosen


def billed(cast: Cast) -> Invoice:
    run(cast.harbour, OCTOBER, actor=ACTOR)
    return issue(approve(bill_of(cast, "alice"), actor=ACTOR), actor=ACTOR)


def test_each_call_has_the_price_of_the_carrier_chosen_then(month: Cast) -> None:
    calls = RatedCall.objects.filter(buyer=month.alice).select_related("price_list", "carrier")
    abroad = [call for call in calls if call.number != HOME]
    assert (len(calls), len(abroad)) == (180, 120)
    for call in abroad:
        assert call.carrier is not None
        assert call.carrier.code == carrier_then(call.answered_at), call.answered_at
        assert call.price_list.code == f"harbour-{carrier_then(call.answered_at)}"
    by_minute = {call.billed_s % 60 for call in abroad if call.carrier is not None and call.carrier.code == "cirrus"}
    assert by_minute == {0}
    assert {call.carrier for call in calls if call.number == HOME} == {None}
    assert list(violations()) == []


def parts(cast: Cast) -> dict[str, Decimal]:
    """By the carrier's name, from the calls themselves."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for call in RatedCall.objects.filter(buyer=cast.alice).select_related("carrier"):
        sums[call.carrier.name if call.carrier else ""] += call.sale
    return dict(sums)


def test_the_bill_is_one_total_with_a_part_for_each_carrier(month: Cast) -> None:
    invoice = billed(month)
    lines = list(invoice.lines.all())
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        found[line.carrier] += line.net
    assert dict(found) == parts(month)
    assert set(found) == {"", "Atlas Carrier Services", "Boreal Transit", "Cirrus Wholesale"}
    labels = {line.label for line in lines}
    assert {"International calls by Boreal Transit", "International calls by Cirrus Wholesale"} <= labels
    assert sum(line.net for line in lines) == invoice.net
    context = documents.context_of(invoice)
    assert {line.carrier for line in context.lines} == set(found)
    details: dict[str, Decimal] = defaultdict(Decimal)
    for row in context.details:
        details[row.carrier] += row.net
    assert dict(details) == parts(month)
    assert list(violations()) == []


def test_pdf_letter_and_list_of_calls_show_the_same_parts(month: Cast) -> None:
    invoice = billed(month)
    stored = {one.kind: documents.path_of(one).read_bytes() for one in documents.render(invoice)}
    pages = pdf_pages(stored["pdf"])
    printed, letter = " ".join(pages), docx_text(stored["docx"])
    for name in ("Atlas Carrier Services", "Boreal Transit", "Cirrus Wholesale"):
        assert f"Calls by {name}" in printed or f"International calls by {name}" in printed
        assert f"Sum of {name}" in printed
        assert f"Sum of {name}" in letter
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in csv_rows(stored["csv"]):
        sums[row["carrier"]] += Decimal(row["amount"])
    assert dict(sums) == parts(month)
    assert sum(sums.values()) == invoice.net


def test_a_bill_with_one_carrier_does_not_name_it_on_every_line(cast: Cast, tmp_path: Path) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 50)
    import_file(write(tmp_path / "a.csv", [Call("a"), Call("b", to=HOME)]), cast.source(), actor=ACTOR)
    assert {line.carrier for line in billed(cast).lines.all()} == {""}


def test_late_calls_join_the_part_of_their_carrier(month: Cast, tmp_path: Path) -> None:
    run(month.harbour, OCTOBER, actor=ACTOR)
    late = Call("late", to=TO[0], seconds=600, at=datetime(2026, 10, 12, 9, tzinfo=UTC))
    import_file(write(tmp_path / "late.csv", [late]), month.source(), actor=ACTOR)
    before = bill_of(month, "alice").lines.get(label="International calls by Boreal Transit")
    run(month.harbour, OCTOBER, actor=ACTOR)
    after = bill_of(month, "alice").lines.get(label="International calls by Boreal Transit")
    assert (after.calls, after.net > before.net) == (before.calls + 1, True)


def test_on_a_full_first_page_each_carrier_keeps_its_part() -> None:
    """Six lines on a page with room for four: what is small is summed up within its carrier."""
    prices = {
        ("Atlas", "a"): 9,
        ("Atlas", "b"): 1,
        ("Boreal", "a"): 8,
        ("Boreal", "b"): 2,
        ("Cirrus", "a"): 3,
        ("", "c"): 4,
    }
    made = tuple(
        SummaryLine(label=f"{what} by {carrier}", kind=CALLS, carrier=carrier, net=Decimal(net))
        for (carrier, what), net in prices.items()
    )
    context = papers.invoice([], lines=made)
    lines = figures.paper_lines(context, 4)
    with translation.override("en"):
        found = {words.line_label(line): line.source.net for line in lines}
    assert found == {"Calls by Atlas": 10, "Calls by Boreal": 10, "a by Cirrus": 3, "c by": 4}


def test_an_older_frozen_bill_without_parts_still_prints() -> None:
    kept = papers.invoice().to_json()
    for line in kept["lines"]:
        line.pop("carrier")
    assert InvoiceContext.from_json(kept) == papers.invoice()
