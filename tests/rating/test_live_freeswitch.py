"""FreeSWITCH posts the record of a call when it is over: packed in each of its ways, once or twice, readable or not."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from rating.live import ending
from rating.live.asking import Ask, authorize
from rating.live.ending import find, started
from rating.live.switches import Switch
from rating.models import LiveCall, LiveStatus, RatedCall
from rating.pricing import Engine
from tests.rating.live_help import MOBILE, a_switch, ask, assert_clean, backdate

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
RECORD = json.loads((Path(__file__).parent / "fixtures/usage/freeswitch_json_array.json").read_text())[0]
UUID = RECORD["variables"]["uuid"]
FORM = "application/x-www-form-urlencoded"


def packed(record: dict[str, Any], way: str) -> tuple[bytes, str]:
    """(body, content type) as mod_json_cdr sends it."""
    text = json.dumps(record)
    if way == "json":
        return text.encode(), "application/json"
    if way == "json as a form":  # with disable-100-continue
        return text.encode(), FORM
    if way == "percent":
        return f"cdr={quote(text, safe='')}".encode(), FORM
    return b"cdr=" + b64encode(text.encode()), "application/x-www-form-base64-encoded"


WAYS = ("json", "json as a form", "percent", "base64")


@pytest.fixture
def switch(cast: Cast) -> Switch:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    return a_switch(cast, interims=True)


@pytest.fixture
def post(cast: Cast, switch: Switch) -> Any:
    from rating.live.switches import create_switch_key
    from tests.cast import ACTOR

    key = create_switch_key(cast.source(), "records", [], actor=ACTOR)[1]
    login = {"Authorization": "Basic " + b64encode(f"switch:{key}".encode()).decode()}

    def send(record: dict[str, Any], way: str = "json", headers: dict[str, str] = login) -> Any:
        body, kind = packed(record, way)
        path = f"/api/v1/calls/freeswitch?uuid={UUID}"
        return Client().post(path, body, content_type=kind, headers=headers)

    return send


def record(**variables: Any) -> dict[str, Any]:
    """The example's record, as of a call that ended just now."""
    now = int(timezone.now().timestamp())
    times = {"answer_epoch": str(now - 75), "answer_uepoch": f"{now - 75}500000", "end_epoch": str(now)}
    return RECORD | {"variables": RECORD["variables"] | times | variables}


def talking(switch: Switch, seconds: int) -> LiveCall:
    assert ask(switch, UUID).allow
    started(switch, find(switch, UUID))
    backdate(find(switch, UUID), seconds)
    return find(switch, UUID)


@pytest.mark.parametrize("way", WAYS)
def test_a_talk_is_charged_by_its_record_once(switch: Switch, post: Any, way: str) -> None:
    talking(switch, 75)
    first = post(record(), way)
    assert (first.status_code, first.json()["status"], first.json()["charged_seconds"]) == (200, "ended", 75)
    assert post(record(), way).json() == first.json()
    assert RatedCall.objects.count() == 2
    assert_clean()


def test_without_a_start_the_record_tells_of_the_answer(switch: Switch, post: Any) -> None:
    assert ask(switch, UUID).allow
    backdate(find(switch, UUID), 90)
    assert post(record()).json()["charged_seconds"] == 75
    answered_at = LiveCall.objects.get().answered_at
    assert answered_at is not None
    assert 70 <= (timezone.now() - answered_at).total_seconds() <= 80


def test_a_call_that_nobody_answered_is_free(switch: Switch, post: Any) -> None:
    assert ask(switch, UUID).allow
    assert post(record(answer_epoch="0", answer_uepoch="0", billsec="0")).json()["status"] == "failed"
    assert_clean()


def test_a_far_leg_or_a_call_inside_is_taken_and_left(switch: Switch, post: Any) -> None:
    talking(switch, 75)
    answer = post(record(uuid="0b6c9999-11aa-4c3d-9e8f-2a1b3c4d5e6f", originator=UUID))
    assert (answer.status_code, answer.json()) == (200, {"call": None, "status": "unknown"})
    assert LiveCall.objects.get().status == LiveStatus.TALKING


def test_one_machine_of_several_names_itself(switch: Switch, post: Any) -> None:
    assert authorize(switch, Ask(UUID, MOBILE, account="ACC-alice", switch="fs two"), Engine()).allow
    assert post(record(answer_epoch="0", answer_uepoch="0")).json()["status"] == "unknown"
    assert post(record(answer_epoch="0", answer_uepoch="0", tollgate_switch="fs%20two")).json()["status"] == "failed"


def test_what_it_cannot_take_is_kept_by_the_switch(switch: Switch, post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    talking(switch, 75)
    assert post(record(), headers={}).status_code == 401
    assert post({"variables": "none"}).status_code == 400
    monkeypatch.setattr("rating.live.freeswitch.MAX_BODY_BYTES", 100)
    assert post(record()).status_code == 413
    monkeypatch.undo()

    def down(*_args: object, **_more: object) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(ending, "find", down)
        assert post(record()).status_code == 503
    assert LiveCall.objects.get().status == LiveStatus.TALKING
    assert post(record()).json()["status"] == "ended"


@pytest.mark.parametrize(
    "body", [b"", b"cdr=", b"cdr=%7B", b"cdr=!!!", b"[1]", b'{"variables":', b"\xff\xfe"], ids=repr
)
def test_nonsense_is_turned_away(switch: Switch, cast: Cast, body: bytes) -> None:
    from rating.live.switches import create_switch_key
    from tests.cast import ACTOR

    key = create_switch_key(cast.source(), "odd", [], actor=ACTOR)[1]
    answer = Client().post(
        "/api/v1/calls/freeswitch", body, content_type=FORM, headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 400


def test_a_seconds_figure_that_cannot_be_is_distrusted(switch: Switch, post: Any) -> None:
    talking(switch, 10)
    assert post(record(billsec="86400")).json()["charged_seconds"] <= 15
    assert "86400" in LiveCall.objects.get().oddity
