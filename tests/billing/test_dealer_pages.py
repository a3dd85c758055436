"""The dealer's pages: whoever opens them sees its own part of the tree, and asks no more for many rows than for few."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rating.models import RatedCall, UsageRecord
from tests.billing.dealer_help import PLACES, called_in_october, once, page, queries
from tests.cast import ACTOR, Cast
from tests.invoicing.month import HEADER, call_lines, load_calls
from tiers.models import Party, Placement, Status


@pytest.fixture
def october(cast: Cast, tmp_path: Path, settings: Any) -> Cast:
    return called_in_october(cast, tmp_path, settings)


@pytest.mark.parametrize("path", PLACES)
def test_every_page_opens_and_names_nobody_above_or_beside(october: Cast, path: str) -> None:
    text = page(october.client("pier"), path.replace("alice", "bob").replace("harbour-", "pier-"))
    for name in ("Northstar", "Quarry", "Summit", "Meadow", "Alice"):
        assert name not in text.replace("search/?q=ali", ""), name


@pytest.mark.parametrize("path", PLACES)
def test_members_of_others_find_nothing_here(october: Cast, path: str) -> None:
    assert Client().get(f"/dealer/{path}").headers["Location"].startswith("/auth/login/")
    for name in ("northstar", "alice"):
        assert october.client(name).get(f"/dealer/{path}").status_code == 404


def test_what_belongs_to_a_stranger_is_not_there(october: Cast) -> None:
    stranger = october.client("outsider")
    wallet = october.wallet("alice").pk
    call = RatedCall.objects.filter(seller=october.party("harbour")).first()
    assert call is not None
    moves = ("", "allocate/", "withdraw/", "payment/", "refund/", "limits/", "sides/?amount=5")
    paths = [f"money/wallets/{wallet}/{move}" for move in moves]
    paths += [f"customers/alice/{part}" for part in ("", "edit/", "status/blocked/", "invite/", "identities/")]
    paths += ["customers/alice/carrier/boreal/", f"calls/{call.pk}/", "brand/harbour/edit/"]
    lists = ("", "markup/", "rate/", "copy/", "rate/4940/end/", "markup/effect/?percent=3")
    paths += [f"prices/lists/harbour-atlas/{part}" for part in lists]
    for path in paths:
        assert stranger.get(f"/dealer/{path}").status_code == 404, path
    for path in paths:
        answer = stranger.post(f"/dealer/{path}", once("5", reason="x"))
        assert answer.status_code in {404, 405}, path
    assert october.party("alice").status == Status.ACTIVE


def test_a_dealer_moves_no_money_of_a_buyers_buyer_and_of_itself(october: Cast) -> None:
    harbour = october.client("harbour")
    for code in ("bob", "harbour"):
        wallet = october.wallet(code).pk
        assert harbour.post(f"/dealer/money/wallets/{wallet}/allocate/", once("5")).status_code == 404


def test_home_shows_available_margin_and_what_needs_it(october: Cast) -> None:
    text = page(october.client("harbour"), "")
    assert "Available with Northstar Telecom" in text
    assert "minutes of your customers' calls to" in text.replace("&#x27;", "'")
    assert "Margin by month in EUR" in text


def test_a_call_shows_sale_cost_and_margin_with_both_reasons(october: Cast) -> None:
    call = RatedCall.objects.filter(seller=october.party("harbour"), buyer=october.party("alice")).first()
    assert call is not None
    assert call.cost is not None
    text = page(october.client("harbour"), f"calls/{call.pk}/")
    for figure in (call.sale, call.cost, call.sale - call.cost):
        assert f"{figure:.4f}" in text
    assert "mark-up 0.5" in text, "the sale says how it is derived"
    assert "mark-up 0.25" not in text, "the seller's own mark-up is its own"
    above = RatedCall.objects.get(record_id=call.record_id, seller=october.northstar)
    assert october.client("harbour").get(f"/dealer/calls/{above.pk}/").status_code == 404


def test_the_export_and_the_foot_are_what_is_filtered(october: Cast) -> None:
    harbour = october.client("harbour")
    sold = RatedCall.objects.filter(seller=october.party("harbour"), buyer=october.party("alice"))
    answer = harbour.get("/dealer/calls/export.csv", {"period": "all", "buyer": "alice"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert len(rows) == sold.count()
    assert sum(Decimal(row["cost"]) for row in rows) == sum(call.cost or 0 for call in sold)
    text = page(harbour, "calls/", period="all", buyer="alice")
    assert "of Alice" in text
    assert f"{sum(call.sale for call in sold):.2f}" in text
    assert "Mallory" not in page(harbour, "calls/", period="all", buyer="mallory")


def test_an_unrated_call_says_why_but_names_no_tier_above_the_seller(cast: Cast, tmp_path: Path) -> None:
    from rating.services.imports import import_file

    line = call_lines(["bob"], 1)[0].split(",")
    line[3] = "81312345678"
    path = tmp_path / "unpriced.csv"
    path.write_text("\n".join([HEADER, ",".join(line)]) + "\n", encoding="utf-8")
    import_file(path, cast.source(), actor=ACTOR)
    record = UsageRecord.objects.get(customer=cast.party("bob"))
    assert "Pier Communications has no price" in record.reason
    assert "Pier Communications has no price" in page(cast.client("harbour"), "calls/unrated/")
    UsageRecord.objects.update(reason="Northstar Telecom has no price for 81312345678.")
    assert "Northstar Telecom has no price" in page(cast.client("harbour"), "calls/unrated/")
    assert "There is no price for it above you." in page(cast.client("pier"), "calls/unrated/")


@pytest.mark.parametrize("path", PLACES)
def test_a_page_asks_as_often_for_many_rows_as_for_few(cast: Cast, tmp_path: Path, path: str) -> None:
    for code in ("harbour", "alice", "pier", "bob"):
        cast.fund(code, 500)
    load_calls(cast, tmp_path, ["alice", "bob"], calls=5)
    harbour = cast.client("harbour")
    page(harbour, path)
    few = queries(harbour, path)
    for number in range(12):
        add_buyer_like_alice(cast, number)
    load_calls(cast, tmp_path, ["alice", "bob"], calls=60, day=date(2026, 11, 1), tag="more")
    assert queries(harbour, path) == few


def add_buyer_like_alice(cast: Cast, number: int) -> Party:
    from billing.services.buyers import WalletTerms, add_buyer

    terms = WalletTerms(warn_below=Decimal(5))
    seller, brand = cast.party("harbour"), cast.brand("harbour")
    party, _wallet = add_buyer(seller, "customer", f"ali-{number}", f"Ali {number}", brand, terms, actor=ACTOR)
    assert Placement.objects.filter(party=party).exists()
    return party
