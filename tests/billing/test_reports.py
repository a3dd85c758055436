"""Reports as people read them: who sees which figures, where a row leads, and what a list of calls comes to."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from billing.formatting import decimal_text
from rating.models import Fact, RatedCall
from rating.selectors import calls, foot
from rating.services import facts
from tests.billing.dealer_help import called_in_october
from tests.cast import Cast

pytestmark = pytest.mark.django_db
OCTOBER = "since=2026-10-01&until=2026-10-31"
PLACES = {"northstar": "/operator/reports/", "harbour": "/dealer/reports/", "alice": "/customer/calls/spending/"}


@pytest.fixture
def october(cast: Cast, tmp_path: Path, settings: Any) -> Cast:
    return called_in_october(cast, tmp_path, settings)


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode().replace("\xa0", " ")


def words(page: str) -> str:
    return re.sub(r"<[^>]+>", "", page)


def rows_of(client: Client, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(path).content.decode())))


def test_a_dealers_report_equals_its_calls_and_says_its_margin(october: Cast) -> None:
    calls = RatedCall.objects.filter(seller=october.harbour)
    sale = sum((call.sale for call in calls), Decimal(0))
    cost = sum((call.cost or Decimal(0) for call in calls), Decimal(0))
    page = text(october.client("harbour"), f"{PLACES['harbour']}?by=buyer&{OCTOBER}")
    for amount in (sale, cost, sale - cost):
        assert decimal_text(amount, 2) in page
    rows = rows_of(october.client("harbour"), f"/dealer/reports/file/csv/?by=buyer&{OCTOBER}")
    assert sum(Decimal(row["sale"]) for row in rows) == sale
    assert sum(Decimal(row["cost"]) for row in rows) == cost
    assert {row["buyer"] for row in rows} == {call.buyer.code for call in calls}


def test_a_customer_sees_what_it_spent_and_no_word_of_anybodys_cost(october: Cast) -> None:
    alice = october.client("alice")
    calls = RatedCall.objects.filter(buyer=october.alice)
    page = text(alice, f"{PLACES['alice']}?{OCTOBER}&by=destination")
    assert decimal_text(sum((call.sale for call in calls), Decimal(0)), 2) in page
    assert "Margin" not in page
    bought = {f"{sum((call.cost or 0) for call in calls):,.2f}", f"{sum((call.cost or 0) for call in calls):f}"}
    whole = page + alice.get(f"/customer/calls/spending/file/csv/?{OCTOBER}").content.decode()
    whole += alice.get(f"/api/v1/reports/?{OCTOBER}&by=destination").content.decode()
    assert not [figure for figure in bought if figure in whole]
    for word in ("cost_currency", "margin"):
        assert word not in whole


def test_nobody_else_sees_it_and_what_is_named_of_others_is_not_there(october: Cast) -> None:
    for who, place in PLACES.items():
        assert Client().get(place).status_code == 302
        others = [name for name in ("northstar", "harbour", "alice") if name != who]
        assert {october.client(name).get(place).status_code for name in others} == {404}
    outsider = october.client("outsider")
    assert "No calls in this time" not in text(outsider, f"/dealer/reports/?{OCTOBER}")
    assert "Alice" not in text(outsider, f"/dealer/reports/?{OCTOBER}&by=buyer")
    for wrong in ("buyer=alice", "seller=harbour", "seller=northstar"):
        assert outsider.get(f"/dealer/reports/?{wrong}").status_code == 404
        assert outsider.get(f"/api/v1/reports/?{wrong}").status_code == 404
    assert october.client("pier").get("/dealer/reports/?buyer=alice").status_code == 404
    assert october.client("harbour").get("/dealer/reports/file/pdf/").status_code == 404


def test_a_row_leads_down_to_the_calls_behind_it(october: Cast) -> None:
    dealer, path, seen = october.client("harbour"), f"/dealer/reports/?by=buyer&{OCTOBER}", []
    for _step in range(4):
        page = text(dealer, path)
        if "tg-report" not in page:
            break
        path = re.findall(r'class="tg-open" href="([^"]+)"', page)[0].replace("&amp;", "&")
        seen.append(path)
    assert ["by=destination" in seen[0], "by=day" in seen[1], seen[2].startswith("/dealer/calls/?")] == [True] * 3
    buyer, destination, day = (
        re.search(rf"{name}=([^&]+)", seen[2]).group(1)  # type: ignore[union-attr]
        for name in ("buyer", "destination", "since")
    )
    calls = RatedCall.objects.filter(
        seller=october.harbour, buyer__code=buyer, destination=destination.replace("+", " ")
    )
    assert f"until={day}" in seen[2]
    assert text(dealer, seen[2]).count('class="tg-open"') <= calls.count()


def test_the_workbook_holds_the_same(october: Cast) -> None:
    answer = october.client("northstar").get(f"/operator/reports/file/xlsx/?by=destination&{OCTOBER}")
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active  # type: ignore[attr-defined]
    assert sheet is not None
    heads, *lines = [list(row) for row in sheet.iter_rows(values_only=True)]
    charged = heads.index("charged")
    assert (
        sum(int(str(line[charged] or 0)) for line in lines)
        == RatedCall.objects.filter(seller=october.northstar).count()
    )


def test_the_api_answers_what_the_page_shows(october: Cast) -> None:
    said = october.client("harbour").get(f"/api/v1/reports/?by=destination&{OCTOBER}").json()
    calls = RatedCall.objects.filter(seller=october.harbour)
    assert said["currency"] == "EUR"
    assert said["time_zone"] == "Europe/Berlin"
    assert Decimal(said["total"]["sale"]["EUR"]) == sum(call.sale for call in calls)
    assert said["total"]["charged"] == sum(row["charged"] for row in said["rows"]) == calls.count()
    for wrong in ("by=week", "period=ever", "limit=0", "hour=25", "since=2026-11-01&until=2026-10-01"):
        assert october.client("harbour").get(f"/api/v1/reports/?{wrong}").status_code in {400, 422}, wrong
    assert october.client("alice").get("/api/v1/reports/?by=buyer").status_code in {400, 422}


@pytest.mark.parametrize("who", PLACES)
@pytest.mark.parametrize("by", ["destination", "day", "carrier", "class", "hour", "month"])
def test_every_grouping_opens_in_every_portal(october: Cast, who: str, by: str) -> None:
    assert "tg-report" in text(october.client(who), f"{PLACES[who]}?{OCTOBER}&by={by}&sort=calls")
    assert "No calls in this time" in text(
        october.client(who), f"{PLACES[who]}?since=2020-01-01&until=2020-01-02&by={by}"
    )


def test_days_that_make_no_sense_are_said_and_not_obeyed(october: Cast) -> None:
    page = text(october.client("harbour"), "/dealer/reports/?since=2026-11-05&until=2026-10-01")
    assert "The days run from an earlier one to a later" in page


def test_the_foot_of_the_calls_comes_from_facts_and_says_when_it_does_not(october: Cast, monkeypatch: Any) -> None:
    facts.fold()
    dealer = october.client("harbour")
    with CaptureQueriesContext(connection) as queries:
        page = text(dealer, "/dealer/calls/?period=all")
    count = RatedCall.objects.filter(seller=october.harbour).count()
    assert f"{count} calls" in words(page)
    assert not [one for one in queries if "SUM" in one["sql"] and 'FROM "rating_ratedcall"' in one["sql"]]
    monkeypatch.setattr(foot, "MOST_ADDED", 3)
    page = text(dealer, "/dealer/calls/?period=all&to=4")
    assert "The sums are of the newest 3 of these calls" in words(page)
    assert "3 calls" in words(page)


@pytest.mark.parametrize(
    "path", ["/operator/calls/?month=2026-10", "/dealer/calls/?period=all", "/customer/calls/?period=all"]
)
def test_the_foot_is_the_same_from_facts_and_from_calls(october: Cast, path: str, monkeypatch: Any) -> None:
    kind = {"operator": "northstar", "dealer": "harbour", "customer": "alice"}[path.split("/")[1]]
    told = re.findall(r"<tfoot>.*?</tfoot>", text(october.client(kind), path), re.DOTALL)
    for portal in ("operator", "dealer", "customer"):
        monkeypatch.setattr(f"billing.portals.{portal}.calls.foot", lambda rows, asked: foot.Foot(calls.sums(rows)))
    assert told == re.findall(r"<tfoot>.*?</tfoot>", text(october.client(kind), path), re.DOTALL) != []


def test_a_report_asks_as_little_for_many_rows_as_for_few(october: Cast) -> None:
    def asked(client: Client, path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            text(client, path)
        return len(queries)

    clients = {who: october.client(who) for who in PLACES}
    few = {who: asked(clients[who], f"{place}?{OCTOBER}") for who, place in PLACES.items()}
    few = {who: asked(clients[who], f"{place}?{OCTOBER}") for who, place in PLACES.items()}
    for fact in Fact.objects.filter(grain="loose"):
        for number in range(5):
            fact.pk, fact.destination = None, f"{fact.destination} {number}"
            fact.save()
    assert {who: asked(clients[who], f"{place}?{OCTOBER}") for who, place in PLACES.items()} == few
