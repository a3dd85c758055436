"""Atlas and Boreal mail decks; what Northstar's rate tables hold afterwards, and when."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from rating.decks import DeckQuestions
from rating.models import Carrier, Rate, RateTable
from rating.services.carriers import create_carrier
from rating.services.decks import DeckImport, import_deck
from rating.services.rates import RateEntry, create_table, end_rate, set_rates
from tiers.errors import Invalid
from tiers.models import Party
from tiers.services.parties import create_operator
from tiers.viewer import SYSTEM

from .decks_help import FIELD_DATA, HERE, NOW

pytestmark = pytest.mark.django_db
HEAD = "Prefix,Destination,Rate,Billing,Effective,Status\n"
JULY, AUGUST = datetime(2027, 7, 1, tzinfo=UTC), datetime(2027, 8, 1, tzinfo=UTC)


@pytest.fixture
def northstar() -> Party:
    return create_operator("northstar", "Northstar Telecom", actor=SYSTEM)


@pytest.fixture
def atlas(northstar: Party) -> RateTable:
    table = create_table(northstar, "atlas-usd", "Atlas", "USD", actor=SYSTEM)
    create_carrier(northstar, "atlas", "Atlas", actor=SYSTEM, cost_table=table)
    return table


@pytest.fixture
def bring(atlas: RateTable, tmp_path: Path) -> Any:
    def run(text: str, **given: Any) -> DeckImport:
        path = tmp_path / "deck.csv"
        path.write_text(HEAD + text)
        return import_deck(atlas, path, actor=SYSTEM, now=given.pop("now", NOW), **given)

    return run


def counts(result: DeckImport) -> tuple[int, int, int, int]:
    return result.added, result.changed, result.closed, result.unchanged


def history(table: RateTable, prefix: str) -> list[tuple[str, datetime, datetime | None]]:
    rows = Rate.objects.filter(table=table, prefix=prefix).order_by("effective_from")
    return [
        ("blocked" if row.blocked else f"{row.price.normalize():f}", row.effective_from, row.effective_to)
        for row in rows
    ]


def test_a_first_deck_fills_the_table_and_the_same_deck_again_changes_nothing(bring: Any, atlas: RateTable) -> None:
    text = (
        '"44,45",Islands,0.01,60/1,,\n46,Sweden,0.02,1/1,2027-07-01,\n46,Sweden,0.03,1/1,2027-08-01,\n4x,bad,0.1,,,\n'
    )
    first = bring(text)
    assert (first.read, counts(first), [line.line for line in first.rejected]) == (4, (3, 1, 0, 0), [5])
    assert history(atlas, "45") == [("0.01", NOW, None)]
    assert history(atlas, "46") == [("0.02", JULY, AUGUST), ("0.03", AUGUST, None)]
    row = Rate.objects.get(table=atlas, prefix="44")
    assert (row.destination, row.first_s, row.step_s, row.price) == ("Islands", 60, 1, Decimal("0.01"))
    atlas.refresh_from_db()
    version = atlas.version
    for later in (NOW, NOW + timedelta(hours=1), AUGUST + timedelta(days=9)):
        assert counts(bring(text, now=later)) in {(0, 0, 0, 4), (0, 0, 0, 3)}
    assert len(Rate.objects.filter(table=atlas)) == 4
    atlas.refresh_from_db()
    assert atlas.version == version


def test_a_new_price_closes_the_old_one_at_its_date(bring: Any, atlas: RateTable) -> None:
    bring("44,UK,0.01,60/1,,\n45,DK,0.01,60/1,,\n")
    atlas.refresh_from_db()
    version = atlas.version
    assert counts(bring("44,UK,0.02,60/1,2027-07-01,\n45,DK,0.01,60/1,2027-07-01,\n")) == (0, 1, 0, 1)
    assert history(atlas, "44") == [("0.01", NOW, JULY), ("0.02", JULY, None)]
    assert history(atlas, "45") == [("0.01", NOW, None)]
    atlas.refresh_from_db()
    assert atlas.version > version
    assert counts(bring("44,UK,0.02,60/60,2027-07-01,\n")) == (0, 1, 0, 0)
    rows = Rate.objects.filter(prefix="44").order_by("effective_from")
    assert [(row.first_s, row.effective_from) for row in rows] == [(60, NOW), (60, JULY)]
    assert Rate.objects.get(prefix="44", effective_from=JULY).step_s == 60


def test_a_correction_names_the_same_date_and_a_later_price_stands(bring: Any, atlas: RateTable) -> None:
    bring("44,UK,0.01,1/1,,\n44,UK,0.05,1/1,2027-08-01,\n")
    result = bring("44,UK,0.02,1/1,2027-07-01,\n")
    assert history(atlas, "44") == [("0.01", NOW, JULY), ("0.02", JULY, AUGUST), ("0.05", AUGUST, None)]
    assert "1 codes have a later price" in result.warnings[0]
    bring("44,UK,0.04,1/1,2027-08-01,\n")
    assert history(atlas, "44") == [("0.01", NOW, JULY), ("0.02", JULY, AUGUST), ("0.04", AUGUST, None)]


def test_a_deck_that_raises_now_and_falls_back_later_keeps_both(bring: Any, atlas: RateTable) -> None:
    bring("44,UK,0.01,1/1,,\n")
    later = NOW + timedelta(days=1)
    text = "44,UK,0.02,1/1,,\n44,UK,0.01,1/1,2027-08-01,\n"
    assert counts(bring(text, now=later)) == (0, 2, 0, 0)
    assert history(atlas, "44") == [("0.01", NOW, later), ("0.02", later, AUGUST), ("0.01", AUGUST, None)]
    assert counts(bring(text, now=later)) == (0, 0, 0, 2)


def test_a_closed_code_is_blocked_from_its_date_with_what_was_to_come(bring: Any, atlas: RateTable) -> None:
    bring("44,UK,0.01,60/1,,\n44,UK,0.03,60/1,2027-08-01,\n")
    closing = "44,UK,0.01,60/1,2027-07-01,Closed\n45,DK,0.2,60/60,2027-07-01,Closed\n"
    assert counts(bring(closing)) == (0, 0, 2, 0)
    assert history(atlas, "44") == [("0.01", NOW, JULY), ("blocked", JULY, None)]
    gone = Rate.objects.get(table=atlas, prefix="45")
    assert (gone.blocked, gone.price, gone.first_s, gone.effective_from) == (True, Decimal("0.2"), 60, JULY)
    assert counts(bring(closing)) == (0, 0, 0, 2)
    assert counts(bring("44,UK,0.02,60/1,2027-08-01,Reopened\n")) == (0, 1, 0, 0)
    assert history(atlas, "44")[1:] == [("blocked", JULY, AUGUST), ("0.02", AUGUST, None)]


def test_where_the_carrier_reverts_a_closed_code_only_ends(bring: Any, atlas: RateTable) -> None:
    Carrier.objects.filter(cost_table=atlas).update(closed_reverts=True)
    bring("44,UK,0.01,1/1,,\n")
    closing = "44,UK,,1/1,2027-07-01,Closed\n45,DK,,1/1,2027-07-01,Closed\n"
    assert counts(bring(closing)) == (0, 0, 1, 1)
    assert history(atlas, "44") == [("0.01", NOW, JULY)]
    assert history(atlas, "45") == []
    assert counts(bring(closing)) == (0, 0, 0, 2)


def test_a_withdrawal_leaves_what_the_same_deck_announces(bring: Any, atlas: RateTable) -> None:
    september = datetime(2027, 9, 1, tzinfo=UTC)
    bring("44,UK,0.01,1/1,,\n44,UK,0.03,1/1,2027-08-01,\n44,UK,0.04,1/1,2027-09-01,\n")
    bring("44,UK,,1/1,2027-07-01,Closed\n44,UK,0.04,1/1,2027-09-01,\n")
    assert history(atlas, "44") == [
        ("0.01", NOW, JULY), ("blocked", JULY, september), ("0.04", september, None),
    ]  # fmt: skip


def test_a_price_that_was_to_end_goes_on_when_a_deck_says_so(bring: Any, atlas: RateTable) -> None:
    bring("44,UK,0.01,1/1,,\n")
    end_rate(atlas, "44", actor=SYSTEM, at=JULY)
    later = NOW + timedelta(days=1)
    assert counts(bring("44,UK,0.01,1/1,,\n", now=later)) == (0, 1, 0, 0)
    assert history(atlas, "44") == [("0.01", NOW, later), ("0.01", later, None)]


def test_one_date_for_all_may_lie_in_the_past(bring: Any, atlas: RateTable) -> None:
    may = datetime(2027, 5, 1, tzinfo=UTC)
    bring("44,UK,0.01,1/1,2027-12-01,\n", effective=may)
    assert history(atlas, "44") == [("0.01", may, None)]


def test_rates_entered_by_hand_with_bands_give_way_to_the_deck(bring: Any, atlas: RateTable) -> None:
    bands = [{"days": "1-5", "from": "08:00", "to": "19:00", "price": "0.02"}]
    set_rates(atlas, [RateEntry("44", Decimal("0.01"), NOW - timedelta(days=9), bands=bands)], actor=SYSTEM)
    assert counts(bring("44,UK,0.01,1/1,,\n")) == (0, 1, 0, 0)
    assert Rate.objects.get(prefix="44", effective_to=None).bands is None


def test_a_new_name_alone_is_taken_over_without_a_new_rate(bring: Any, atlas: RateTable) -> None:
    bring("44,UK,0.01,1/1,,\n")
    assert counts(bring("44,United Kingdom,0.01,1/1,,\n")) == (0, 0, 0, 1)
    assert [row.destination for row in Rate.objects.filter(table=atlas)] == ["United Kingdom"]


def test_a_dry_run_counts_the_same_and_writes_nothing(bring: Any, atlas: RateTable) -> None:
    assert counts(bring("44,UK,0.01,1/1,,\n", dry_run=True)) == (1, 0, 0, 0)
    assert not Rate.objects.exists()
    atlas.refresh_from_db()
    assert atlas.version == 1


def test_questions_and_refusals_write_nothing_and_kept_answers_hold(bring: Any, atlas: RateTable) -> None:
    ambiguous = "44,UK,0.01,1/1,03/04/2028,\n"
    with pytest.raises(DeckQuestions):
        bring(ambiguous)
    with pytest.raises(Invalid) as caught:
        bring("44,UK,0.01,1/1,,\n", answers={"colour": "red"})
    assert caught.value.code == "bad_answer"
    assert not Rate.objects.exists()
    Carrier.objects.filter(cost_table=atlas).update(deck_answers={"date_order": "month_first"})
    bring(ambiguous)
    assert history(atlas, "44") == [("0.01", datetime(2028, 3, 4, tzinfo=UTC), None)]


def test_dates_begin_at_midnight_of_the_tables_zone(bring: Any, atlas: RateTable) -> None:
    RateTable.objects.filter(pk=atlas.pk).update(time_zone="Asia/Hong_Kong")
    atlas.refresh_from_db()
    bring("44,UK,0.01,1/1,2027-07-01,\n")
    assert history(atlas, "44") == [("0.01", datetime(2027, 6, 30, 16, tzinfo=UTC), None)]


def run_command(*arguments: str) -> tuple[Any, int]:
    out = StringIO()
    code = 0
    try:
        call_command("import_rates", *arguments, "--json", stdout=out, stderr=StringIO())
    except SystemExit as left:
        code = int(str(left.code))
    return json.loads(out.getvalue()), code


CREATE = ("--create", "--owner", "northstar", "--carrier", "boreal", "--currency", "USD")


def test_the_command_makes_table_and_carrier_and_may_be_repeated(northstar: Party) -> None:
    arguments = (str(HERE / "boreal_notice.csv"), "--table", "boreal-usd", *CREATE, "--now", NOW.isoformat())
    dry, _code = run_command(*arguments, "--dry-run")
    assert not RateTable.objects.exists()
    value, code = run_command(*arguments)
    assert (value, code) == (dry, 0)
    assert value == {"read": 6, "added": 11, "changed": 0, "closed": 1, "unchanged": 0, "rejected": [], "warnings": []}
    carrier = Carrier.objects.get(code="boreal")
    assert carrier.cost_table is not None
    assert (carrier.cost_table.code, carrier.cost_table.owner) == ("boreal-usd", northstar)
    value, code = run_command(*arguments)
    assert (value["unchanged"], value["added"], code) == (12, 0, 0)


def test_the_command_asks_by_exit_3_and_goes_on_with_the_answer(northstar: Party) -> None:
    arguments = (str(HERE / "semicolons.csv"), "--table", "boreal-usd", *CREATE)
    value, code = run_command(*arguments)
    assert code == 3
    (question,) = value["questions"]
    assert (question["key"], question["options"]) == ("date_order", ["day_first", "month_first"])
    assert not RateTable.objects.exists()
    value, code = run_command(*arguments, "--answer", "date_order=day_first")
    assert (value["added"], code) == (2, 0)
    value, code = run_command(str(HERE / "semicolons.csv"), "--table", "boreal-usd", "--effective", "2027-03-01")
    assert (value["added"] + value["changed"], code) == (2, 0)
    assert Rate.objects.filter(effective_from=datetime(2027, 3, 1, tzinfo=UTC)).count() == 2


def test_the_command_fails_by_exit_1_and_writes_nothing(northstar: Party, tmp_path: Path) -> None:
    pdf = tmp_path / "deck.csv"
    pdf.write_bytes(b"%PDF-1.7")
    value, code = run_command(str(pdf), "--table", "boreal-usd", *CREATE)
    assert (value["error"]["code"], set(value["error"]), code) == ("not_text", {"code", "message", "where", "hint"}, 1)
    value, code = run_command(str(HERE / "boreal_notice.csv"), "--table", "nowhere")
    assert (value["error"]["code"], code) == ("no_table", 1)
    value, code = run_command(str(tmp_path / "none.csv"), "--table", "boreal-usd", *CREATE)
    assert (value["error"]["code"], code) == ("unreadable", 1)
    assert not RateTable.objects.exists()
    assert not Carrier.objects.exists()


def test_the_command_shows_the_difference_and_takes_columns_by_name_or_number(northstar: Party, tmp_path: Path) -> None:
    deck = tmp_path / "deck.csv"
    deck.write_text("Ziffern;Wohin;Kosten\n4930;Berlin;0,02\n8190;Japan;0,15\n")
    arguments = (str(deck), "--table", "boreal-usd", *CREATE)
    value, code = run_command(*arguments)
    assert (value["error"]["code"], code) == ("no_header", 1)
    named = ("--column", "code=Ziffern", "--column", "price=Kosten", "--column", "name=Wohin")
    value, code = run_command(*arguments, *named, "--preview")
    assert (value["added"], value["raised"], value["changes"][0]["after"], code) == (2, 0, "0.02", 0)
    assert not RateTable.objects.exists()
    value, code = run_command(*arguments, *named, "--remember")
    assert (value["added"], code) == (2, 0)
    deck.write_text("Kosten;Ziffern\n0,03;4930\n")
    value, code = run_command(str(deck), "--table", "boreal-usd", "--preview")
    assert (value["raised"], value["absent"], value["changes"][0]["share"]) == (1, 1, "0.5")
    deck.write_text("0.01;4930\n")
    value, code = run_command(str(deck), "--table", "boreal-usd", "--column", "code=#2", "--column", "price=#1")
    assert (value["changed"], code) == (1, 0)
    out = StringIO()
    call_command("import_rates", str(deck), "--table", "boreal-usd", "--column", "code=#2", "--column", "price=#1",
                 "--preview", stdout=out)  # fmt: skip
    assert "1 unchanged" in out.getvalue()


def test_people_read_counts_reasons_and_how_to_answer(northstar: Party, tmp_path: Path) -> None:
    deck = tmp_path / "deck.csv"
    deck.write_text("Prefix,Rate,Date\n44,0.1,\n" + "".join(f"4x,0.{number},\n" for number in range(1, 23)))
    out = StringIO()
    call_command("import_rates", str(deck), "--table", "boreal-usd", *CREATE, stdout=out)
    text = out.getvalue()
    assert text.startswith("23 lines read; prefixes: 1 added, 0 changed, 0 closed, 0 unchanged; 22 lines rejected.")
    assert "Line 3: '4x' is not a code: digits 0 to 9 are expected: 4x,0.1," in text
    assert "and 2 more" in text
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("import_rates", str(HERE / "semicolons.csv"), "--table", "boreal-usd", stdout=out)
    assert left.value.code == 3
    assert "--answer date_order=day_first  or  --answer date_order=month_first" in out.getvalue()


@pytest.mark.parametrize("wrong", [("--answer", "x"), ("--now", "soon"), ("--owner", "northstar"), ("--create",)])
def test_wrong_usage_is_exit_2(wrong: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("import_rates", "deck.csv", "--table", "x", *wrong, stdout=StringIO())
    assert caught.value.returncode == 2


@pytest.mark.skipif(not FIELD_DATA.is_dir(), reason="decks from the field are not here")
def test_the_acme_notice_by_command(northstar: Party) -> None:
    deck = FIELD_DATA / "rates" / "tcxc_acme_rate_notice.csv"
    value, code = run_command(str(deck), "--table", "acme", *CREATE, "--now", "2026-09-17")
    assert (value["read"], value["added"], value["closed"], value["rejected"], code) == (8, 24, 1, [], 0)
    gone = Rate.objects.get(prefix="234805")
    assert (gone.blocked, gone.effective_from) == (True, datetime(2026, 9, 20, tzinfo=UTC))
    assert Rate.objects.get(prefix="447405").effective_from == datetime(2026, 9, 17, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_wait_for_each_other(atlas: RateTable, tmp_path: Path) -> None:
    path = tmp_path / "deck.csv"
    path.write_text(HEAD + "".join(f"{code},x,0.01,1/1,,\n" for code in range(2000, 4000)))
    seen: list[tuple[int, int, int, int]] = []

    def bring_it() -> None:
        try:
            seen.append(counts(import_deck(atlas, path, actor=SYSTEM, now=NOW)))
        finally:
            connection.close()

    threads = [threading.Thread(target=bring_it) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(seen) == [(0, 0, 0, 2000), (0, 0, 0, 2000), (2000, 0, 0, 0)]
    assert Rate.objects.filter(table=atlas).count() == 2000
