"""Switches knock: with a key, from where they may, in JSON or as a form; strangers and nonsense are turned away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from rating.live import switches
from rating.live.switches import create_switch_key, revoke_switch_key
from rating.models import LiveCall, LiveStatus, RatedCall, SwitchKey
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, assert_clean, backdate
from tiers.errors import Invalid

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
CALLS = "/api/v1/calls/"
ASKED = {
    "account": "ACC-alice",
    "to": MOBILE,
    "call_id": "c-1",
    "src_ip": "198.51.100.7",
    "src_port": "5062",
    "user_agent": "Yealink T54W",
}


@pytest.fixture
def key(cast: Cast) -> str:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    return create_switch_key(cast.source(), "front", ["127.0.0.0/8", "2001:db8::/32"], actor=ACTOR)[1]


def knock(what: str, key: str, said: dict[str, Any], **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Client().post(CALLS + what, json.dumps(said), content_type="application/json", headers=headers, **more)


def test_a_call_by_json_from_question_to_charge(key: str) -> None:
    answer = knock("authorize", key, ASKED | {"requested_s": "600"})
    said = answer.json()
    assert (answer.status_code, said["allow"], said["max_seconds"], said["sip_code"]) == (200, True, 600, 200)
    assert knock("start", key, {"call_id": "c-1"}).json()["max_seconds"] == 600
    call = LiveCall.objects.get()
    backdate(call, 61)
    first = knock("end", key, {"call_id": "c-1", "duration": "61"}).json()
    assert (first["status"], first["charged_seconds"]) == ("ended", 61)
    assert knock("end", key, {"call_id": "c-1", "duration": "61"}).json() == first
    assert {(row.duration_s, row.number) for row in RatedCall.objects.all()} == {(61, MOBILE)}
    assert_clean()


def test_a_call_by_form_that_nobody_answers(key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    said = Client().post(CALLS + "authorize", ASKED, headers=headers).json()
    assert (said["allow"], said["max_seconds"]) == (True, 3600)
    assert Client().post(CALLS + "failed", {"call_id": "c-1"}, headers=headers).json()["status"] == "failed"


@pytest.mark.parametrize("wrong", ["", "sw_guess"])
def test_without_a_known_key_nothing_is_told(key: str, wrong: str) -> None:
    assert key
    answer = knock("authorize", wrong, ASKED)
    assert (answer.status_code, answer.json()["allow"]) == (401, False)
    assert answer["Content-Type"] == "application/problem+json"
    assert LiveCall.objects.count() == 0


def test_a_key_is_used_from_its_own_addresses_only(key: str) -> None:
    assert knock("authorize", key, ASKED, REMOTE_ADDR="203.0.113.9").status_code == 401
    assert knock("authorize", key, ASKED, REMOTE_ADDR="2001:db8::5").status_code == 200
    assert knock("authorize", key, ASKED | {"call_id": "c-2"}, REMOTE_ADDR="::ffff:127.0.0.1").status_code == 200


def test_a_revoked_key_is_out(key: str) -> None:
    revoke_switch_key(SwitchKey.objects.get(), actor=ACTOR)
    switches.forget()
    assert knock("authorize", key, ASKED).status_code == 401


def test_addresses_are_checked_when_they_are_entered(cast: Cast) -> None:
    with pytest.raises(Invalid, match="not an address"):
        create_switch_key(cast.source(), "back", ["here"], actor=ACTOR)


@pytest.mark.parametrize(
    ("change", "status", "sip"),
    [
        ({"account": "ACC-nobody"}, 404, 404),
        ({"to": "call me"}, 404, 404),
        ({"account": "ACC-erin"}, 402, 402),
    ],
    ids=["unknown", "no-number", "no-money"],
)
def test_refusals_carry_their_code_and_their_words(key: str, change: dict[str, str], status: int, sip: int) -> None:
    answer = knock("authorize", key, ASKED | change)
    said = answer.json()
    assert (answer.status_code, said["allow"], said["sip_code"]) == (status, False, sip)
    assert said["reason"]
    assert LiveCall.objects.get().status == LiveStatus.REFUSED


@pytest.mark.parametrize(
    ("body", "code"),
    [("{", "json"), ("[]", "json"), ('{"to": "44"}', "missing"), ('{"to": {}, "call_id": "x"}', "field"),
     ('{"to": "447700900123", "call_id": "x", "src_port": "high"}', "field")],
    ids=["broken", "list", "missing", "object", "text"],
)  # fmt: skip
def test_nonsense_is_told_what_is_wrong(key: str, body: str, code: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    answer = Client().post(CALLS + "authorize", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_call_of_another_switch_is_not_known_here(cast: Cast, key: str) -> None:
    knock("authorize", key, ASKED)
    other = create_switch_key(cast.source("pbx"), "pbx", [], actor=ACTOR)[1]
    assert knock("end", other, {"call_id": "c-1", "duration": 5}).status_code == 404
    assert LiveCall.objects.get().status == LiveStatus.ALLOWED


@pytest.mark.parametrize("known", [True, False], ids=["known", "stranger"])
def test_an_emergency_call_passes_whatever_is_down(key: str, known: bool) -> None:
    if known:
        knock("authorize", key, ASKED)
    with patch("rating.live.switches._read", side_effect=OperationalError("the database is down")):
        said = knock("authorize", key if known else "", {"to": "911", "call_id": "help"}).json()
        assert (said["allow"], said["code"]) == (True, "emergency")
        switches.forget()
        answer = knock("authorize", key, ASKED | {"call_id": "c-9"})
    assert (answer.status_code, answer.json()["sip_code"]) == (503, 503)


# -- RADIUS -----------------------------------------------------------------------------------------------------------
def attributes(**values: Any) -> dict[str, Any]:
    names = {name.replace("_", "-"): value for name, value in values.items()}
    return {
        name: {"type": "string", "value": value if isinstance(value, list) else [value]}
        for name, value in names.items()
    }


def radius(what: str, key: str, **values: Any) -> Any:
    body, headers = json.dumps(attributes(**values)), {"Authorization": f"Bearer {key}"}
    return Client().post(f"/radius/{what}", body, content_type="application/json", headers=headers)


def test_a_radius_session_is_accepted_with_its_seconds_and_charged_once_for_two_legs(key: str) -> None:
    session = {"User_Name": "ACC-alice", "Called_Station_Id": MOBILE, "Acct_Session_Id": "s-1"}
    agent = ["h323-ivr-out=sip_ua:Sippy"]
    said = radius("authorize", key, **session, Cisco_AVPair=agent, h323_remote_address="198.51.100.7").json()
    assert (said["control:Auth-Type"], said["reply:Session-Timeout"]) == ("Accept", 3600)
    assert said["reply:h323-credit-time"] == "h323-credit-time=3600"
    assert radius("accounting", key, **session, Acct_Status_Type="Start").status_code == 204
    call = LiveCall.objects.get()
    assert (call.src_ip, call.user_agent) == ("198.51.100.7", "Sippy")
    backdate(call, 60)
    for leg in ("answer", "originate"):
        stop = radius("accounting", key, **session, Acct_Status_Type="Stop", Acct_Session_Time=60, h323_call_origin=leg)
        assert stop.status_code == 204
    assert RatedCall.objects.values("record_id").distinct().count() == 1
    assert_clean()


def test_a_radius_refusal_is_a_401_with_its_reason(key: str) -> None:
    answer = radius("authorize", key, User_Name="ACC-erin", Called_Station_Id=MOBILE, Acct_Session_Id="s-2")
    assert answer.status_code == 401
    assert "funds" in answer.json()["reply:Reply-Message"]
    assert answer.json()["reply:h323-return-code"] == "h323-return-code=2"


def test_a_key_is_made_and_calls_are_reaped_from_the_command_line(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("switch_key", "switch", "back", "--from", "10.0.0.0/8", "--reports", "--json")
    made = json.loads(capsys.readouterr().out)
    switch = switches.switch_of(made["key"])
    assert switch is not None
    assert (switch.interims, switch.slice_s) == (True, 300)
    call_command("reap_calls", "--json")
    assert json.loads(capsys.readouterr().out) == {"closed": 0}
