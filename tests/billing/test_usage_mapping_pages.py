"""A source's mapping by example on the portal, and the parts of calls that wait."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from rating.models import RatedCall
from rating.services.imports import import_file
from rating.services.sources import update_source
from tests.cast import ACTOR

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
URL = "/operator/usage/sources/switch/mapping/"
SAMPLE = b"Export of October\nalice;201;00447700900123;05.10.2026 09:30:00;1,5\nalice;201;x;never;1,5\nTOTAL;2;3,0\n"
GIVEN = {
    "format": "delimited",
    "delimiter": ";",
    "skip_lines": "1",
    "at_account": "1",
    "at_from": "2",
    "at_to": "3",
    "at_started_at": "4",
    "at_seconds": "5",
    "times": "%d.%m.%Y %H:%M:%S",
    "unit": "min",
    "decimal": ",",
    "trailer_begins": "TOTAL",
    "trailer_count": "2",
    "trailer_seconds": "3",
}


@pytest.fixture
def operator(cast: Cast, client: Client) -> Client:
    client.force_login(cast.member("northstar"))
    return client


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("sample.csv", SAMPLE)


def test_a_mapping_is_made_by_example_and_then_reads_the_file(
    cast: Cast, operator: Client, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    shown = operator.post(URL, {"format": "delimited", "unit": "s", "skip_lines": 0, "file": upload(), "show": 1})
    assert "00447700900123" in shown.content.decode()
    sample = shown.context["form"]["sample"].value()
    read = operator.post(URL, {**GIVEN, "sample": sample, "show": 1})
    text = read.content.decode()
    assert ">1:30<" in text
    assert "never" in text
    assert update_source(cast.source("switch"), actor=ACTOR, format="asterisk").mapping == {}
    assert operator.post(URL, {**GIVEN, "sample": sample, "save": 1}).status_code == 302
    assert cast.source("switch").format == "auto", "a format that is fixed would go before the mapping"
    kept = cast.source("switch").mapping
    assert (kept["columns"]["to"], kept["trailer"]) == (3, {"begins": "TOTAL", "count": 2, "seconds": 3})
    path = tmp_path / "calls.csv"
    path.write_bytes(SAMPLE)
    import_file(path, cast.source("switch"), actor=ACTOR)
    assert RatedCall.objects.filter(buyer=cast.alice).get().duration_s == 90
    again = operator.get(URL).context["form"].initial
    assert (again["at_to"], again["trailer_begins"], again["times"]) == ("3", "TOTAL", GIVEN["times"])
    operator.post(URL, {**GIVEN, "remove": 1})
    assert cast.source("switch").mapping == {}


def test_what_is_wrong_stands_at_its_field(operator: Client, cast: Cast) -> None:
    answer = operator.post(URL, {**GIVEN, "at_started_at": "", "sample": "a;b", "save": 1})
    assert answer.status_code == 422
    assert answer.context["form"].errors["at_started_at"]
    answer = operator.post(URL, {**GIVEN, "times": "%A", "sample": "a;b", "save": 1})
    assert answer.context["form"].errors["times"]
    assert cast.source("switch").mapping == {}


def test_fixed_width_shows_a_ruler_and_an_order_of_columns_is_kept(operator: Client, cast: Cast) -> None:
    sample = "Calice   00447700900123      20261005093000    75\n"
    given = {"format": "fixed", "unit": "s", "skip_lines": 0, "at_to": "10-29", "at_started_at": "30-43"}
    given |= {"at_seconds": "44-49", "times": "%Y%m%d%H%M%S", "sample": sample}
    shown = operator.post(URL, {**given, "show": 1})
    assert "1234567890" in shown.content.decode()
    assert [row.duration_s for row in shown.context["found"].rows] == [75]
    order = {"format": "asterisk_custom", "unit": "s", "skip_lines": 0, "order": "dst, start, billsec, disposition"}
    assert operator.post(URL, {**order, "save": 1}).status_code == 302
    assert cast.source("switch").mapping["columns"] == ["dst", "start", "billsec", "disposition"]


def test_a_dealer_cannot_map(cast: Cast, client: Client) -> None:
    client.force_login(cast.member("harbour"))
    assert client.get(URL).status_code == 404
    assert client.post(URL, {**GIVEN, "save": 1}).status_code == 404


def test_what_waits_is_shown_with_its_age(cast: Cast, operator: Client, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    assert "Nothing is waiting" in operator.get("/operator/usage/waiting/").content.decode()
    path = tmp_path / "acc_1.log"
    path.write_text("BYE|b|a|call-1@host|200|OK|1790845281|x|d|10.1.2.3|y|z|d\n", encoding="utf-8")
    found = import_file(path, cast.source("switch"), actor=ACTOR)
    text = operator.get("/operator/usage/waiting/").content.decode()
    assert "call-1@host" in text
    assert "It ended; its beginning has not come." in text
    assert " ago" in text
    assert "/operator/usage/waiting/" in operator.get(f"/operator/usage/imports/{found.pk}/").content.decode()


class TestCommand:
    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, int]:
        code = 0
        try:
            call_command("import_usage", *arguments, "--source", "switch", "--json", stderr=io.StringIO())
        except SystemExit as stop:
            code = int(stop.code or 0)
        return json.loads(capsys.readouterr().out), code

    def test_looking_writes_nothing_and_importing_by_a_mapping_does_it_this_once(
        self, cast: Cast, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.MEDIA_ROOT = str(tmp_path / "media")
        path, mapping = tmp_path / "calls.csv", tmp_path / "mapping.json"
        path.write_bytes(SAMPLE)
        kept = {
            "format": "delimited",
            "skip_lines": 1,
            "columns": {"account": 1, "to": 3, "started_at": 4, "seconds": 5},
            "times": "%d.%m.%Y %H:%M:%S",
            "unit": "min",
            "decimal": ",",
            "trailer": {"begins": "TOTAL", "count": 2, "seconds": 3},
        }
        mapping.write_text(json.dumps(kept), encoding="utf-8")
        told, code = self.run(capsys, str(path), "--mapping", str(mapping), "--look")
        assert (code, told["format"], told["rows"][0]["seconds"]) == (0, "mapping", 90)
        assert told["rows"][1]["error"]["code"] == "time"
        assert not RatedCall.objects.exists()
        told, code = self.run(capsys, str(path), "--mapping", str(mapping))
        assert (code, told["rated"], told["quarantined"]) == (0, 1, 1)
        assert cast.source("switch").mapping == {}

    def test_what_must_be_answered_is_a_question(
        self, cast: Cast, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.MEDIA_ROOT = str(tmp_path / "media")
        path = tmp_path / "acc_1.log"
        path.write_text("INVITE|a|b|c@d|200|OK|1790845206\n", encoding="utf-8")
        told, code = self.run(capsys, str(path))
        assert (code, told["questions"][0]["key"]) == (3, "mapping")

    def test_a_broken_mapping_says_where(self, cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "m.json"
        path.write_text('{"format": "delimited", "columns": {"to": 1}}', encoding="utf-8")
        told, code = self.run(capsys, str(path), "--mapping", str(path))
        assert (code, told["error"]["where"]) == (1, "mapping.columns.started_at")


def test_a_source_s_page_leads_to_its_mapping(cast: Cast, operator: Client) -> None:
    update_source(
        cast.source("switch"),
        actor=ACTOR,
        mapping={"format": "acc", "columns": ["method", "callid", "sip_code", "time"]},
    )
    text = operator.get("/operator/usage/sources/switch/").content.decode()
    assert URL in text
    assert "mapping of its own" in text


def test_calls_that_nobody_pays_for_are_shown_with_the_reason(
    cast: Cast, operator: Client, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    path = tmp_path / "calls.csv"
    path.write_text(
        "call_id,account,from,to,started_at,seconds,direction\n"
        "c1,alice,447700900123,4930123456,2026-10-05T09:31:00Z,90,in\n"
        "c2,alice,4930123456,447700900123,2026-10-05T09:32:00Z,0,out\n",
        encoding="utf-8",
    )
    import_file(path, cast.source("switch"), actor=ACTOR)
    with time_machine.travel(datetime(2026, 10, 20, tzinfo=UTC), tick=False):
        text = operator.get("/operator/calls/free/").content.decode()
        incoming = operator.get("/operator/calls/free/?direction=in").content.decode()
    assert "It came in." in text
    assert "Nobody answered." in text
    assert "Nobody answered." not in incoming
