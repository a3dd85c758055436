"""What the stories of the dealer's portal share: a month of calls, a page as text, a form's key."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rating.pricing import Engine
from rating.services.quote import Question, quote
from tests.cast import Cast
from tests.invoicing.month import load_calls
from tiers.ids import uuid7

PLACES = (
    *("", "customers/", "customers/alice/", "money/", "money/wallets/", "prices/", "prices/buy/?to=china"),
    *("prices/try/", "prices/lists/harbour-atlas/", "calls/?period=all", "calls/unrated/", "invoices/"),
    *("invoices/received/", "brand/", "brand/members/", "search/?q=ali"),
)
FUNDS = {"harbour": 500, "pier": 100, "alice": 100, "bob": 100, "summit": 5000, "carol": 50}


def called_in_october(cast: Cast, folder: Path, settings: Any) -> Cast:
    """Alice, Bob, Carol and a stranger's customer called through October, with funds to do so."""
    settings.MEDIA_ROOT = str(folder / "files")
    for code, amount in FUNDS.items():
        cast.fund(code, amount)
    load_calls(cast, folder, ["alice", "bob", "carol", "mallory"])
    return cast


def page(client: Client, path: str, **data: Any) -> str:
    answer = client.get(f"/dealer/{path}", data)
    assert answer.status_code == 200, path
    return answer.content.decode().replace("\xa0", " ")


def once(amount: str, **more: str) -> dict[str, str]:
    """A money form as it was shown once."""
    return {"amount": amount, "key": str(uuid7()), **more}


def quoted(cast: Cast, number: str) -> dict[str, Decimal]:
    """What Harbour charges Alice a minute now, and what it pays itself."""
    priced = quote(Question(cast.party("alice"), f"+{number}", 60, timezone.now()), Engine())
    me = cast.party("harbour").pk
    sold = next(tier for tier in priced.tiers if tier.link.seller == me)
    paid = next(tier for tier in priced.tiers if tier.link.buyer == me)
    return {"sale": sold.found.row.price, "buy": paid.found.row.price}


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        page(client, path)
    return len(caught)
