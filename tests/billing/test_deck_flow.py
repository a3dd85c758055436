"""Northstar gets decks: says which column is which once, answers, sees the difference, and says yes to exactly that."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from rating.models import Carrier, DeckFile, DeckStatus, Rate, RateTable
from rating.services import deck_files
from rating.services.deck_memory import memory_for
from rating.services.rates import RateEntry, set_rates
from rating.tasks import requeue_stale_decks, work_deck
from tests.billing.test_api import Program
from tests.cast import ACTOR
from tiers.errors import Conflict

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
NEW_DECK = "/operator/prices/tables/atlas/deck/"
STRANGE = "Atlas Carrier\nZiffern;Wohin;Kosten\n4930;Berlin;0,0210\n8190;Japan mobil;0,1500\n"
PLAIN = "Prefix,Destination,Rate\n4930,Berlin,0.0210\n8190,Japan mobile,0.1500\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def send(browser: Any, text: str, name: str = "deck.csv") -> str:
    answer = browser.post(NEW_DECK, {"file": SimpleUploadedFile(name, text.encode())})
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def shown(browser: Any, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200
    return str(answer.content.decode())


def yes(browser: Any, url: str, **more: str) -> None:
    found = re.search(r'name="token" value="(\w+)"', shown(browser, url))
    assert found
    assert browser.post(url, {"import": "1", "token": found[1], **more}).status_code == 302


def deck_of(url: str) -> DeckFile:
    found: DeckFile = DeckFile.objects.get(pk=UUID(url.rstrip("/").rpartition("/")[2]))
    return found


def preview_of(url: str) -> dict[str, Any]:
    found = deck_of(url).preview
    assert isinstance(found, dict)
    return found


def price(prefix: str) -> Decimal:
    return Rate.objects.filter(table__code="atlas", prefix=prefix).latest("effective_from").price


def test_columns_are_said_once_and_remembered_for_the_carrier(cast: Cast) -> None:
    browser = cast.client("northstar")
    url = send(browser, STRANGE)
    page = shown(browser, url)
    assert "No header tells which column is which" in page
    assert "Ziffern" in page
    columns = {"columns": "1", "col-0": "code", "col-1": "name", "col-2": "price"}
    rows = browser.post(f"{url}rows/", columns).content.decode()
    assert "Japan mobil" in rows
    assert "0.15" in rows
    assert browser.post(f"{url}rows/", {**columns, "col-1": "price"}).content.decode().count("two columns") == 1
    assert browser.post(url, columns).status_code == 302
    yes(browser, url, keep="1")
    assert price("8190") == Decimal("0.15")
    atlas = Carrier.objects.get(code="atlas")
    assert atlas.deck_answers["mapping"] == {"code": "Ziffern", "name": "Wohin", "price": "Kosten"}
    again = send(browser, "Kosten;Ziffern;Wohin\n0,0220;4930;Berlin\n", "next.csv")
    page = shown(browser, again)
    assert "Nothing is written yet" in page
    assert "Remembered from earlier decks of Atlas" in page
    assert "Kosten" in shown(browser, "/operator/prices/carriers/atlas/")
    assert browser.post("/operator/prices/carriers/atlas/forget/mapping/").status_code == 302
    assert "mapping" not in Carrier.objects.get(code="atlas").deck_answers
    assert "No header tells" in shown(browser, send(browser, STRANGE, "forgotten.csv"))


def test_questions_come_with_what_the_file_would_become(cast: Cast) -> None:
    browser = cast.client("northstar")
    text = "Prefix,Destination,Rate,Effective Date\n4915-4917,Germany,0.0210,03/04/2031\n52-334,Mexico,0.02,\n"
    url = send(browser, text)
    page = shown(browser, url)
    assert "03/04/2031 = 03 April 2031" in page
    assert "03/04/2031 = 04 March 2031" in page
    assert "4915-4917 = 4915, 4916, 4917" in page
    assert browser.post(url, {"answer-hyphen": "each", "answer-date_order": "day_first"}).status_code == 302
    yes(browser, url, keep="1")
    assert memory_for(RateTable.objects.get(code="atlas")).answers == {"hyphen": "each", "date_order": "day_first"}
    assert Rate.objects.get(table__code="atlas", prefix="4916").effective_from.month == 4
    later = send(browser, "Prefix,Rate,Effective Date\n4916,0.03,05/06/2031\n", "later.csv")
    assert deck_of(later).status == DeckStatus.READY
    tells = send(browser, "Prefix,Rate,Effective Date\n4916,0.03,05/13/2031\n", "tells.csv")
    assert preview_of(tells)["dates"][0]["from"].startswith("2031-05-13"), "what the file tells goes before"


def test_the_difference_is_shown_by_kind_with_what_is_missing_and_what_is_far_off(cast: Cast) -> None:
    browser = cast.client("northstar")
    start = timezone.now() - timedelta(days=9)
    table = RateTable.objects.get(code="atlas")
    entries = [RateEntry(f"99{code}", Decimal("0.02"), start, destination=f"D{code}") for code in range(10, 16)]
    set_rates(table, entries, actor=ACTOR)
    lines = ["9910,D,0.03,", "9911,D,0.01,", "9912,D,0.02,", "9913,D,,Closed", "9920,D,1200,", "9921,D,0.02,"]
    url = send(browser, "\n".join(["Prefix,Destination,Rate,Status", *lines]) + "\n")
    preview = preview_of(url)
    counts = {name: preview[name] for name in ("added", "raised", "lowered", "closed", "unchanged")}
    assert counts == {"added": 2, "raised": 1, "lowered": 1, "closed": 1, "unchanged": 1}
    absent = Rate.objects.filter(table=table, effective_to=None).exclude(prefix__in=["9910", "9911", "9912", "9913"])
    assert preview["absent"] == absent.count()
    assert [one["prefix"] for one in preview["outliers"]] == ["9920"]
    page = shown(browser, url)
    assert "Far from the others" in page
    assert "+50%" in page
    assert Rate.objects.filter(table=table, prefix="9920").count() == 0


def test_a_yes_holds_only_for_what_was_shown(cast: Cast) -> None:
    table = RateTable.objects.get(code="atlas")
    deck = deck_files.work_deck(deck_files.receive_deck(table, [PLAIN.encode()], "a.csv", actor=ACTOR).pk)
    token = deck_files.token_of(deck)
    set_rates(table, [RateEntry("4930", Decimal("0.5"), timezone.now())], actor=ACTOR)
    deck_files.confirm_deck(deck, token, actor=ACTOR)
    deck = deck_files.work_deck(deck.pk)
    assert deck.status == DeckStatus.READY, "the table changed meanwhile: it is shown anew"
    assert price("4930") == Decimal("0.5")
    with pytest.raises(Conflict):
        deck_files.confirm_deck(deck, token, actor=ACTOR)
    for _time in range(2):
        deck_files.confirm_deck(deck, deck_files.token_of(deck), actor=ACTOR)
        deck = deck_files.work_deck(deck.pk)
    assert (deck.status, (deck.result or {})["changed"]) == (DeckStatus.DONE, 1)
    assert Rate.objects.filter(table=table, prefix="8190").count() == 1


def test_a_large_deck_is_worked_in_the_background_and_a_lost_worker_loses_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(deck_files, "AT_ONCE_BYTES", 10)
    monkeypatch.setattr(work_deck, "delay", asked.append)
    browser = cast.client("northstar")
    with django_capture_on_commit_callbacks(execute=True):
        url = send(browser, PLAIN)
    assert asked == [str(deck_of(url).pk)]
    assert "Being read" in shown(browser, url)
    assert requeue_stale_decks() == 0
    DeckFile.objects.update(changed_at=timezone.now() - timedelta(minutes=5))
    assert requeue_stale_decks() == 1
    assert work_deck(asked[-1]) == "ready"
    assert deck_of(url).lines_read == 2
    assert browser.get(f"{url}progress/").headers["HX-Refresh"] == "true"
    with django_capture_on_commit_callbacks(execute=True):
        yes(browser, url)
    assert [work_deck(asked[-1]), work_deck(asked[-1])] == ["done", "done"]
    assert price("8190") == Decimal("0.15")


def test_a_program_sends_a_deck_and_confirms_by_token(cast: Cast) -> None:
    program, other = Program(cast, "northstar"), Program(cast, "outsider")
    text = "Prefix,Rate,Effective Date\n4930,0.021,03/04/2031\n"
    body = {"table": "atlas", "file": SimpleUploadedFile("a.csv", text.encode())}
    made = program.client.post("/api/v1/decks/", body)
    assert made.status_code == 202
    deck = made.json()
    assert (deck["status"], deck["questions"][0]["key"], deck["token"]) == ("asking", "date_order", None)
    path = f"decks/{deck['id']}/"
    assert other.get(path).status_code == 404
    assert other.post(f"{path}confirm/", {"token": "x"}).status_code == 404
    deck = program.post(f"{path}answer/", {"answers": {"date_order": "day_first"}}).json()
    assert (deck["status"], deck["preview"]["added"]) == ("ready", 1)
    assert program.post(f"{path}confirm/", {"token": "0" * 32}).status_code == 409
    done = program.post(f"{path}confirm/", {"token": deck["token"]}).json()
    assert (done["status"], done["result"]["added"]) == ("done", 1)
    again = program.post(f"{path}confirm/", {"token": deck["token"]})
    assert (again.status_code, again.json()["result"]) == (202, done["result"])
    assert program.post(f"{path}discard/", {}).status_code == 409
    body = {"table": "atlas", "file": SimpleUploadedFile("a.csv", text.encode())}
    assert other.client.post("/api/v1/decks/", body).status_code == 404


def test_a_reader_of_the_operator_sees_and_does_nothing(cast: Cast) -> None:
    program = Program(cast, "northstar", "reader")
    body = {"table": "atlas", "file": SimpleUploadedFile("a.csv", PLAIN.encode())}
    assert program.client.post("/api/v1/decks/", body).status_code == 403
    assert program.get("decks/").json()["results"] == []


def test_a_discarded_deck_leaves_no_file(cast: Cast, tmp_path: Path) -> None:
    browser = cast.client("northstar")
    url = send(browser, PLAIN)
    assert "Discard" in shown(browser, f"{url}discard/")
    assert browser.post(f"{url}discard/").status_code == 302
    assert list((tmp_path / "decks").iterdir()) == []
    assert "was discarded" in shown(browser, url)
    old = send(browser, PLAIN)
    DeckFile.objects.filter(pk=deck_of(old).pk).update(changed_at=timezone.now() - timedelta(days=30))
    requeue_stale_decks()
    assert deck_of(old).status == DeckStatus.DISCARDED
