"""Rates as files: what is taken out of one table goes into another unchanged, and a list shows sale prices alone."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rating.models import Rate, RateTable
from rating.services.decks import import_deck
from rating.services.rates import RateEntry, create_table, set_rates
from tests.billing.dealer_help import called_in_october, quoted
from tests.cast import ACTOR, Cast


def taken(browser: Client, url: str) -> bytes:
    answer = browser.get(url)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_taken_out_goes_into_another_unchanged(cast: Cast, tmp_path: Path, kind: str) -> None:
    northstar, now = cast.party("northstar"), timezone.now()
    table = RateTable.objects.get(code="atlas")
    later = (now + timedelta(days=30)).replace(microsecond=0)
    entries = [
        RateEntry("990", Decimal("0.12345678"), now - timedelta(days=1), destination="=1+1", first_s=60, step_s=6),
        RateEntry("990", Decimal("1.234"), later, destination="Later", connect_fee=Decimal("0.05"), grace_s=3),
    ]
    set_rates(table, entries, actor=ACTOR)
    path = tmp_path / "taken"
    path.write_bytes(taken(cast.client("northstar"), f"/operator/prices/tables/atlas/file/{kind}/"))
    again = import_deck(table, path, actor=ACTOR, dry_run=True)
    assert (again.changed, again.closed, again.added, again.rejected) == (0, 0, 0, [])
    assert again.unchanged >= 2
    other = create_table(northstar, "other", "Other", table.currency, actor=ACTOR)
    import_deck(other, path, actor=ACTOR)
    one, two = Rate.objects.filter(table=other, prefix="990").order_by("effective_from")
    assert (one.price, one.first_s, one.step_s) == (Decimal("0.12345678"), 60, 6)
    assert (two.price, two.connect_fee, two.grace_s) == (Decimal("1.234"), Decimal("0.05"), 3)
    assert two.effective_from == later
    assert one.destination == ("'=1+1" if kind == "csv" else "=1+1")


def test_a_dealers_list_shows_what_is_charged_and_no_cost(cast: Cast, tmp_path: Path, settings: Any) -> None:
    october = called_in_october(cast, tmp_path, settings)
    text = taken(october.client("harbour"), "/dealer/prices/lists/harbour-atlas/file/csv/").decode()
    rows = {row["Prefix"]: row for row in csv.DictReader(io.StringIO(text))}
    prices = quoted(october, "8613800138000")
    longest = max((prefix for prefix in rows if "8613800138000".startswith(prefix)), key=len)
    assert Decimal(rows[longest]["Rate EUR"]) == prices["sale"]
    assert f"{prices['buy'].normalize():f}" not in rows[longest].values()


def test_no_other_kind_of_file_is_made(cast: Cast) -> None:
    assert cast.client("northstar").get("/operator/prices/tables/atlas/file/pdf/").status_code == 404
