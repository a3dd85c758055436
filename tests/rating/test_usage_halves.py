"""Calls that a switch writes in parts: each is charged once, whatever came first and in whichever file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from billing.books import violations
from rating.models import Quarantined, RatedCall, UsageHalf, UsageImport, UsageRecord
from rating.services import chunk_work
from rating.services.halves import Joined, foresee
from rating.services.imports import counts, import_file
from rating.services.sources import update_source
from tests.cast import ACTOR

if TYPE_CHECKING:
    from tests.cast import Cast

FIXTURES = Path(__file__).parent / "fixtures" / "usage"
ANSWERED, ENDED = 1_790_845_206, 1_790_845_281


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path


def line(
    method: str, call: str = "c1", at: int = 0, to: str = "447700900123", code: int = 200, who: str = "alice"
) -> str:
    tags = (f"t-{call}-a", f"t-{call}-b") if method == "INVITE" else (f"t-{call}-b", f"t-{call}-a")
    at = at or (ANSWERED if method == "INVITE" else ENDED)
    return "|".join((method, *tags, call, str(code), "OK", str(at), who, "d", "10.1.2.3", to, to, "d"))


def bring(cast: Cast, tmp_path: Path, *lines: str, name: str = "acc_1.log") -> UsageImport:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return import_file(path, cast.source("switch"), actor=ACTOR)


def told(found: UsageImport) -> dict[str, int]:
    numbers = counts(found)
    assert numbers["read"] == sum(count for name, count in numbers.items() if name != "read")
    return {name: count for name, count in numbers.items() if count and name != "read"}


@pytest.mark.django_db
class TestOneAfterTheOther:
    def test_the_bye_comes_first_and_days_before_in_another_file(self, cast: Cast, tmp_path: Path) -> None:
        ended = bring(cast, tmp_path, line("BYE"), name="acc_8.log")
        assert told(ended) == {"waiting": 1}
        assert not UsageRecord.objects.exists()
        began = bring(cast, tmp_path, line("INVITE"), name="acc_3.log")
        assert told(began) == {"rated": 1}
        assert told(ended) == {"joined": 1}
        record = UsageRecord.objects.get()
        assert (record.duration_s, record.number, str(record.src_ip)) == (75, "447700900123", "10.1.2.3")
        assert RatedCall.objects.filter(buyer=cast.alice).count() == 1
        assert list(violations()) == []

    def test_both_halves_in_one_file_and_a_refused_call(self, cast: Cast, tmp_path: Path) -> None:
        refused = line("INVITE", "c2", code=486)
        found = bring(cast, tmp_path, line("BYE"), refused, line("INVITE"))
        assert told(found) == {"rated": 1, "free": 1, "joined": 1}
        assert list(violations()) == []

    def test_the_same_files_again_are_duplicates_and_cost_nothing(self, cast: Cast, tmp_path: Path) -> None:
        both = [line("INVITE"), line("BYE")]
        bring(cast, tmp_path, *both)
        paid = list(RatedCall.objects.values_list("sale", flat=True))
        assert told(bring(cast, tmp_path, *both)) == {"duplicate": 2}
        assert told(bring(cast, tmp_path, both[0])) == {"duplicate": 1}
        assert told(bring(cast, tmp_path, both[1], both[1])) == {"duplicate": 2}
        assert list(RatedCall.objects.values_list("sale", flat=True)) == paid
        assert list(violations()) == []

    def test_the_same_half_twice_while_it_waits(self, cast: Cast, tmp_path: Path) -> None:
        assert told(bring(cast, tmp_path, line("BYE"), line("BYE"))) == {"waiting": 1, "duplicate": 1}
        assert told(bring(cast, tmp_path, line("BYE"))) == {"duplicate": 1}
        assert list(violations()) == []

    def test_a_half_that_says_something_else_is_quarantined(self, cast: Cast, tmp_path: Path) -> None:
        bring(cast, tmp_path, line("BYE"))
        assert told(bring(cast, tmp_path, line("BYE", at=ENDED + 60))) == {"quarantined": 1}
        assert Quarantined.objects.get().code == "conflict"

    def test_an_end_before_its_beginning_is_quarantined_and_the_call_goes_on_waiting(
        self, cast: Cast, tmp_path: Path
    ) -> None:
        bring(cast, tmp_path, line("INVITE"))
        assert told(bring(cast, tmp_path, line("BYE", at=ANSWERED - 60))) == {"quarantined": 1}
        assert told(bring(cast, tmp_path, line("BYE"))) == {"rated": 1}
        assert list(violations()) == []

    def test_a_call_of_a_stranger_is_quarantined_and_comes_up_anew_once_he_is_known(
        self, cast: Cast, tmp_path: Path
    ) -> None:
        both = [line("INVITE", who="nobody"), line("BYE", who="nobody")]
        assert told(bring(cast, tmp_path, *both)) == {"joined": 1, "quarantined": 1}
        update_source(cast.source("switch"), actor=ACTOR, customer=cast.alice)
        assert told(bring(cast, tmp_path, *both)) == {"rated": 1, "duplicate": 1}
        assert told(bring(cast, tmp_path, *both)) == {"duplicate": 2}
        assert list(violations()) == []

    def test_radius_start_interim_and_the_far_side_join_the_stop(self, cast: Cast) -> None:
        update_source(cast.source("switch"), actor=ACTOR, customer=cast.alice, time_zone="Asia/Hong_Kong")
        found = import_file(FIXTURES / "radius_detail.txt", cast.source("switch"), actor=ACTOR)
        assert told(found) == {"rated": 4, "free": 1, "joined": 5, "waiting": 1, "quarantined": 3}
        assert told(import_file(FIXTURES / "radius_detail.txt", cast.source("switch"), actor=ACTOR)) == {
            "duplicate": 11,
            "quarantined": 3,
        }
        waits = UsageHalf.objects.exclude(side="").get(joined=False)
        assert waits.call_id == "us7"
        assert list(violations()) == []

    def test_freeswitch_in_json_and_in_xml_is_the_same_calls(self, cast: Cast) -> None:
        update_source(cast.source("switch"), actor=ACTOR, customer=cast.alice)
        for name, expected in (
            ("freeswitch_json_lines.json", {"rated": 1, "free": 3, "joined": 1, "quarantined": 3}),
            ("freeswitch_xml.xml", {"duplicate": 5, "quarantined": 4}),
            ("freeswitch_json_array.json", {"duplicate": 5, "quarantined": 2}),
        ):
            assert told(import_file(FIXTURES / name, cast.source("switch"), actor=ACTOR)) == expected
        assert list(violations()) == []


@pytest.mark.django_db
def test_a_half_that_another_worker_brought_meanwhile_is_seen_at_the_last_moment(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker looked before the other one wrote: it foresaw a half that waits."""
    bring(cast, tmp_path, line("INVITE"))
    looks: Iterator[Any] = iter([lambda *_: Joined(waiting=1)])
    monkeypatch.setattr(chunk_work, "foresee", lambda *at: next(looks, foresee)(*at))
    assert told(bring(cast, tmp_path, line("BYE"))) == {"rated": 1}
    assert list(violations()) == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_half_each_of_forty_calls_lose_none_and_charge_none_twice(
    cast: Cast, tmp_path: Path
) -> None:
    calls = [f"c{number}" for number in range(40)]
    sides = {"INVITE": calls, "BYE": list(reversed(calls))}
    found: dict[str, UsageImport] = {}
    ready = threading.Barrier(2)

    def work(method: str) -> None:
        try:
            path = tmp_path / f"{method}.log"
            path.write_text("\n".join(line(method, call) for call in sides[method]) + "\n", encoding="utf-8")
            ready.wait(20)
            found[method] = import_file(path, cast.source("switch"), actor=ACTOR)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(method,)) for method in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert UsageRecord.objects.count() == 40
    numbers = [told(found[method]) for method in sides]
    assert sum(one.get("rated", 0) for one in numbers) == 40
    assert sum(one.get("joined", 0) for one in numbers) == 40
    assert sum(one.get("waiting", 0) for one in numbers) == 0
    assert list(violations()) == []
