"""Re-rating as people do it: portal, API and command line; and what a corrected call shows to whom."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from rating.models import RatedCall, RerateRun, RerateStatus
from rating.pricing.tables import TableCache
from rating.services import rerating
from rating.tasks import requeue_reratings
from tests.cast import ACTOR, Cast
from tests.rating.rerating_help import WHY, a_week, correct_rate, rerate, selection
from tiers.models import Member
from tiers.selectors.trail import trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def week(cast: Cast, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Cast:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    monkeypatch.setattr("rating.pricing.shelf.CACHE", TableCache())
    a_week(cast, tmp_path, ["alice", "dave"])
    correct_rate(cast, "0.02")
    return cast


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Any:
    """What a page sends to the worker is done at once."""
    monkeypatch.setattr("rating.tasks.work_rerating.delay", lambda key: rerating.work(RerateRun.objects.get(pk=key).pk))
    return lambda: django_capture_on_commit_callbacks(execute=True)


ASKED = {"since": "2026-10-05", "until": "2026-10-11", "reason": WHY}


def read(browser: Client, name: str, *arguments: Any) -> str:
    answer = browser.get(reverse(name, args=arguments))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_operator_compares_sees_every_tier_and_says_yes(week: Cast, worker: Any) -> None:
    browser = week.client("northstar")
    with worker():
        answer = browser.post(reverse("operator:rerating_new"), ASKED)
    run = RerateRun.objects.get()
    assert answer.headers["Location"] == reverse("operator:rerating", args=[run.pk])
    assert run.status == RerateStatus.READY
    page = read(browser, "operator:rerating", run.pk)
    for told in (
        "Everybody to northstar",
        "alice to harbour",
        "0.0759",
        "0.0651",
        "northstar to carriers",
        "Alice's Hotel",
    ):
        assert told.replace("'", "&#x27;") in page
    with worker():
        browser.post(reverse("operator:rerating_post", args=[run.pk]), {"increase": [str(week.alice.pk)]})
    run.refresh_from_db()
    assert (run.status, run.accepted) == (RerateStatus.DONE, [str(week.alice.pk)])
    page = read(browser, "operator:rerating", run.pk)
    assert "left out" in page, "harbour is prepaid too, and was not ticked"
    assert week.wallet("alice").posted == -3 * Decimal("0.060214")
    actors = {entry.actor for entry in trail(week.viewer("northstar"), size=2000)[0] if entry.what == "re-rating"}
    assert actors == {"northstar@cast.example"}
    assert WHY in read(browser, "operator:reratings")


def test_progress_asks_again_until_it_is_done(week: Cast) -> None:
    browser, run = week.client("northstar"), rerating.open_run(selection(week), actor=ACTOR)
    url = reverse("operator:rerating_progress", args=[run.pk])
    assert b"every 2s" in browser.get(url).content
    rerating.work(run.pk)
    assert browser.get(url).headers["HX-Refresh"] == "true"


def test_what_cannot_be_is_said_at_its_field(week: Cast) -> None:
    browser = week.client("harbour")
    answer = browser.post(reverse("dealer:rerating_new"), {**ASKED, "until": "2026-10-01", "customer": "dave"})
    assert answer.status_code == 422
    assert b"no such party" in answer.content.lower() or b"There is no" in answer.content


@pytest.mark.parametrize("role", ["support", "reader"])
def test_only_who_may_move_money_posts(week: Cast, role: str) -> None:
    run = rerating.preview(selection(week, party=week.harbour), actor=ACTOR)
    browser = week.client(f"{role}.harbour")
    assert browser.post(reverse("dealer:rerating_post", args=[run.pk])).status_code == 403
    assert browser.get(reverse("dealer:rerating_new")).status_code == 403
    run.refresh_from_db()
    assert run.status == RerateStatus.READY


def test_a_dealer_sees_its_own_runs_and_not_its_sellers(week: Cast) -> None:
    above, own = (rerating.preview(selection(week, party=who), actor=ACTOR) for who in (week.northstar, week.harbour))
    browser = week.client("harbour")
    assert browser.get(reverse("dealer:rerating", args=[above.pk])).status_code == 404
    page = read(browser, "dealer:rerating", own.pk)
    assert "northstar" not in page.lower()


def test_a_corrected_call_tells_before_after_why_and_by_whom(week: Cast) -> None:
    run = rerate(week)
    sold = RatedCall.objects.filter(buyer=week.alice).latest("id")
    top = RatedCall.objects.filter(seller=week.northstar, record_id=sold.record_id).get()
    assert Member.objects.filter(email="northstar@cast.example").exists()
    pages = {
        "northstar": read(week.client("northstar"), "operator:call", top.pk),
        "harbour": read(week.client("harbour"), "dealer:call", sold.pk),
        "alice": read(week.client("alice"), "customer:call", sold.pk),
    }
    for page in pages.values():
        assert "0.0253" in page, "before"
        assert "0.0506" in page, "after"
        assert WHY in page
    assert run.applied_by in pages["northstar"]
    for code in ("harbour", "alice"):
        assert "Your seller" in pages[code]
        assert f"({run.applied_by})" not in pages[code]


def test_lists_sums_and_files_show_what_calls_cost_now(week: Cast) -> None:
    rerate(week)
    browser = week.client("alice")
    page = read_with(browser, "customer:calls", "?period=all")
    assert "0.0506" in page
    assert "corrected" in page
    assert "0.0253" not in page
    rows = list(csv.DictReader(io.StringIO(_file(browser, "customer:calls_csv"))))
    assert [row["cost"] for row in rows] == ["0.050600"] * 3
    sold = list(csv.DictReader(io.StringIO(_file(week.client("harbour"), "dealer:calls_csv"))))
    assert {(row["sale"], row["cost"]) for row in sold} == {("0.050600", "0.033800")}
    over = read_with(browser, "customer:calls", "?period=all&over=0.04")
    assert over.count("0.0506") >= 3
    operator = read_with(week.client("northstar"), "operator:calls", "?month=2026-10&over=0.03")
    assert "0.0338" in operator


def read_with(browser: Client, name: str, query: str) -> str:
    return browser.get(reverse(name) + query).content.decode()


def _file(browser: Client, name: str) -> str:
    answer = browser.get(reverse(name) + "?period=all")
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_the_api_does_the_same(week: Cast, worker: Any) -> None:
    browser = week.client("northstar")
    body = {"start": "2026-10-05T00:00:00Z", "end": "2026-10-12T00:00:00Z", "reason": WHY, "customer": "meadow"}
    with worker():
        made = browser.post("/api/v1/reratings/", json.dumps(body), content_type="application/json")
    assert made.status_code == 202
    url = f"/api/v1/reratings/{made.json()['id']}/"
    shown = browser.get(url).json()
    assert (shown["status"], shown["counts"]) == ("ready", {"looked": 3, "up": 3, "unrated": 0})
    pair = next(row for row in shown["totals"] if row["buyer"] == "dave")
    assert (pair["seller"], Decimal(pair["more"]), pair["currency"]) == ("meadow", Decimal("0.0651"), "GBP")
    with worker():
        posted = browser.post(f"{url}apply/", "{}", content_type="application/json")
    assert posted.status_code == 202
    assert browser.get(url).json()["status"] == "done"
    again = browser.post(f"{url}apply/", "{}", content_type="application/json")
    assert again.status_code == 409
    call = browser.get("/api/v1/calls/?customer=dave").json()["results"][0]
    assert call["corrected"] is True
    told = browser.get(f"/api/v1/calls/{call['id']}/explanation/").json()[-1]
    assert told["rule"] == "correction"
    assert WHY in told["text"]


def command(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("rerate", "--json", "--from", "2026-10-05", "--to", "2026-10-12", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_the_command_shows_and_with_apply_posts(week: Cast) -> None:
    before = week.wallet("dave").posted
    shown = command()
    assert (shown["status"], shown["counts"]["up"]) == ("ready", 6)
    assert {row["code"] for row in shown["increases"]} == {"alice", "harbour"}
    assert week.wallet("dave").posted == before
    posted = command("--apply", "--customer", "dave")
    assert (posted["status"], posted["counts"]) == ("done", {"looked": 3, "up": 3})
    assert before - week.wallet("dave").posted == 3 * Decimal("0.0217")
    assert command("--apply", "--accept-increases")["counts"] == {"looked": 6, "up": 3, "unchanged": 3}
    assert command("--apply", "--accept-increases")["counts"] == {"looked": 6, "unchanged": 6}


def test_beat_asks_for_what_was_forgotten(week: Cast, worker: Any) -> None:
    run = rerating.open_run(selection(week), actor=ACTOR)
    RerateRun.objects.filter(pk=run.pk).update(touched_at=run.touched_at.replace(year=2025))
    assert requeue_reratings() == 1
    run.refresh_from_db()
    assert run.status == RerateStatus.READY
