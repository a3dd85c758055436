"""FreeSWITCH's script, run by Lua against this server. FreeSWITCH itself is in no distribution, so it is played."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from rating.live.switches import create_switch_key
from rating.models import LiveCall, LiveStatus
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE
from tests.sip.test_kamailio import _warmed

if TYPE_CHECKING:
    from tests.cast import Cast

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples/switches/freeswitch"
LUA = shutil.which("lua5.4") or shutil.which("lua5.3") or shutil.which("lua")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(LUA is None, reason="not installed: lua5.4 (apt; set-up does it as root)"),
]
PHONE = {
    "uuid": "0b6c0001-11aa-4c3d-9e8f-2a1b3c4d5e6f",
    "destination_number": f"+{MOBILE}",
    "accountcode": "ACC-alice",
    "caller_id_number": "1001",
    "sip_network_ip": "198.51.100.7",
    "sip_network_port": "5062",
    "sip_user_agent": 'Yealink "T54W" 100%&account=ACC-erin+1',
}
Run = Callable[..., list[str]]


def script(folder: Path, url: str, key: str) -> Path:
    text = (EXAMPLE / "tollgate.lua").read_text()
    assert "http://127.0.0.1:8000" in text
    file = folder / "tollgate.lua"
    file.write_text(text.replace("http://127.0.0.1:8000", url).replace("sw_put-the-key-here", key))
    return file


def play(file: Path, **variables: str) -> list[str]:
    assert LUA is not None
    told = [f"{name}={value}" for name, value in variables.items()]
    command = [LUA, str(HERE / "freeswitch.lua"), sys.executable, str(HERE / "mod_curl.py"), str(file), *told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def run(cast: Cast, live_server: Any, tmp_path: Path) -> Run:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    key = create_switch_key(cast.source(), "freeswitch", [], actor=ACTOR, interims=True, slice_s=7200)[1]
    _warmed(live_server.url, key)
    file = script(tmp_path, live_server.url, key)
    return lambda **variables: play(file, **variables)


def test_a_call_is_asked_for_with_its_trail_and_goes_on_to_the_next_action(run: Run) -> None:
    done = run(**PHONE)
    call = LiveCall.objects.get()
    assert (call.status, call.call_id, call.switch) == (LiveStatus.ALLOWED, PHONE["uuid"], "freeswitch")
    assert (call.account, call.caller, call.callee) == ("ACC-alice", "1001", f"+{MOBILE}")
    assert (call.src_ip, call.src_port, call.user_agent) == ("198.51.100.7", 5062, PHONE["sip_user_agent"])
    assert "set execute_on_answer=sched_hangup +7200 allotted_timeout" in done
    assert f"set api_on_answer=luarun tollgate.lua start {PHONE['uuid']}" in done
    assert not [line for line in done if line.startswith(("execute", "hangup"))]
    run(argv_1="start", argv_2=PHONE["uuid"])
    call.refresh_from_db()
    assert call.status == LiveStatus.TALKING


def test_a_refusal_is_answered_with_its_code(run: Run) -> None:
    assert run(**PHONE | {"accountcode": "", "user_name": "ACC-erin"}) == [
        "log warning Tollgate: 402 Not enough funds or credit.",
        "execute respond 402 Payment Required",
        "hangup CALL_REJECTED",
    ]


def test_with_the_server_down_calls_are_refused(tmp_path: Path, db: Any) -> None:
    assert play(script(tmp_path, "http://127.0.0.1:9", "sw_x"), **PHONE)[1:] == [
        "execute respond 503 Service Unavailable",
        "hangup CALL_REJECTED",
    ]


def test_an_emergency_call_does_not_run_the_script() -> None:
    first, second = ElementTree.parse(EXAMPLE / "dialplan.xml").getroot().findall("extension")
    assert [action.get("application") for action in first.iter("action")] == ["bridge"]
    assert [action.get("application") for action in second.iter("action")] == ["lua", "bridge"]


@pytest.mark.parametrize("name", ["dialplan.xml", "json_cdr.conf.xml", "modules.conf.xml"])
def test_the_files_are_whole(name: str) -> None:
    assert len(list(ElementTree.parse(EXAMPLE / name).getroot().iter())) > 3
