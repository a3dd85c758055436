"""FastAGI over a socket, line by line as Asterisk speaks it: a call is asked for, answered, ended; and what is odd."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError

from rating.live import asking
from rating.live.agi import AgiServer
from rating.live.switches import create_switch_key
from rating.models import LiveCall, LiveStatus
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, assert_clean, backdate

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {
    "TG_TO": MOBILE,
    "CHANNEL(pjsip,remote_addr)": "198.51.100.7:5062",
    "CHANNEL(endpoint)": "office",
    "PJSIP_HEADER(read,User-Agent)": "Yealink (T54W)",
}


class Channel:
    """A channel of Asterisk's: it says of itself what Asterisk says, and answers what it is asked."""

    def __init__(self, port: int, key: str, **variables: str) -> None:
        self._port, self._key = port, key
        self.variables = PHONE | variables
        self.asked: list[str] = []

    def run(self, script: str, *arguments: str, hangs_up: bool = False, **heading: str) -> dict[str, str]:
        """The variables after the script is through."""
        said = {"network_script": script, "request": f"agi://127.0.0.1/{script}", "channel": "PJSIP/office-00000001"}
        said |= {"language": "en", "type": "PJSIP", "uniqueid": "1795317081.4", "version": "22.10.1"}
        said |= {"callerid": "1001", "calleridname": "unknown", "extension": "s", "accountcode": "ACC-alice"}
        said |= {f"arg_{number}": one for number, one in enumerate((self._key, *arguments), 1)} | heading
        with socket.create_connection(("127.0.0.1", self._port), timeout=20) as line:
            line.sendall("".join(f"agi_{name}: {value}\n" for name, value in said.items()).encode() + b"\n")
            with line.makefile("rb") as commands:
                for command in commands:
                    if hangs_up:
                        line.sendall(b"HANGUP\n")
                    line.sendall(self._reply(command.decode().strip()).encode() + b"\n")
        return self.variables

    def _reply(self, command: str) -> str:
        self.asked.append(command)
        if found := re.fullmatch(r"GET FULL VARIABLE \$\{(.+)\}", command):
            value = self.variables.get(found[1])
            return "200 result=0" if value is None else f"200 result=1 ({value})"
        if found := re.fullmatch(r'SET VARIABLE (\w+) "([^"]*)"', command):
            self.variables[found[1]] = found[2]
            return "200 result=1"
        return "510 Invalid or unknown command"


@pytest.fixture
def key(cast: Cast) -> str:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    return create_switch_key(cast.source(), "asterisk", ["127.0.0.0/8"], actor=ACTOR, interims=True, slice_s=7200)[1]


@pytest.fixture
def port(db: None) -> Iterator[int]:
    server = AgiServer("127.0.0.1", 0, workers=2)
    server.start()
    yield server.port
    server.stop()


def test_a_call_is_asked_for_answered_and_ended(port: int, key: str) -> None:
    channel = Channel(port, key)
    told = channel.run("authorize", "pbx1")
    assert (told["TG_ALLOW"], told["TG_CODE"], told["TG_SECONDS"]) == ("1", "200", "7200")
    call = LiveCall.objects.get()
    assert (call.call_id, call.switch, call.account, call.caller) == ("1795317081.4", "pbx1", "ACC-alice", "1001")
    assert (call.src_ip, call.src_port, call.user_agent) == ("198.51.100.7", 5062, "Yealink (T54W)")
    Channel(port, key).run("start", "pbx1", "1795317081.4", uniqueid="1795317081.5")
    call.refresh_from_db()
    assert call.status == LiveStatus.TALKING
    backdate(call, 60)
    over = {"CDR(disposition)": "ANSWERED", "CDR(billsec)": "59", "CDR(answer,u)": "1795317082.123456"}
    for _twice in range(2):
        Channel(port, key, **over).run("over", "pbx1", hangs_up=True)
    call.refresh_from_db()
    assert (call.status, call.duration_s) == (LiveStatus.ENDED, 59)
    assert_clean()


def test_a_call_that_nobody_answered_is_free(port: int, key: str) -> None:
    Channel(port, key).run("authorize", "pbx1")
    Channel(port, key, **{"CDR(disposition)": "NO ANSWER", "CDR(billsec)": "0"}).run("over", "pbx1")
    assert LiveCall.objects.get().status == LiveStatus.FAILED
    assert_clean()


def test_a_refusal_has_its_code_and_reason(port: int, key: str) -> None:
    told = Channel(port, key).run("authorize", accountcode="ACC-erin")
    assert (told["TG_ALLOW"], told["TG_CODE"], told["TG_REASON"]) == ("", "402", "Not enough funds or credit.")


def test_without_an_account_code_the_endpoint_says_who_pays(port: int, key: str) -> None:
    told = Channel(port, key, **{"CHANNEL(endpoint)": "ACC-alice"}).run("authorize", accountcode="")
    assert told["TG_ALLOW"] == "1"


def test_an_address_of_ipv6_is_kept(port: int, key: str) -> None:
    Channel(port, key, **{"CHANNEL(pjsip,remote_addr)": "[2001:db8::7]:5064"}).run("authorize")
    call = LiveCall.objects.get()
    assert (call.src_ip, call.src_port) == ("2001:db8::7", 5064)


@pytest.mark.parametrize("wrong", ["", "sw_not-a-key"], ids=["none", "unknown"])
def test_without_a_key_everything_is_refused_but_an_emergency(port: int, key: str, wrong: str) -> None:
    told = Channel(port, wrong).run("authorize")
    assert (told["TG_ALLOW"], told["TG_CODE"]) == ("", "503")
    assert Channel(port, wrong, TG_TO="112").run("authorize")["TG_ALLOW"] == "1"
    assert not LiveCall.objects.exists()


def test_a_key_is_no_good_from_elsewhere(port: int, cast: Cast) -> None:
    far = create_switch_key(cast.source(), "far", ["203.0.113.0/24"], actor=ACTOR)[1]
    assert Channel(port, far).run("authorize")["TG_CODE"] == "503"


def test_with_the_database_down_calls_are_refused(port: int, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_args: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(asking, "authorize", down)
    told = Channel(port, key).run("authorize")
    assert (told["TG_ALLOW"], told["TG_CODE"]) == ("", "503")
    assert Channel(port, key, TG_TO="112").run("authorize")["TG_ALLOW"] == "1"


def test_events_of_calls_nobody_asked_for_and_unknown_scripts_change_nothing(port: int, key: str) -> None:
    Channel(port, key, **{"CDR(disposition)": "ANSWERED", "CDR(billsec)": "5"}).run("over")
    assert Channel(port, key).run("drop-tables")["TG_CODE"] == "503"
    assert not LiveCall.objects.exists()


@pytest.mark.parametrize(
    "noise",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"x" * 9000, b"a: b\n" * 200],
    ids=["silent", "http", "long", "many"],
)
def test_noise_does_not_take_a_worker_away(port: int, key: str, noise: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for _more_than_workers in range(3):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(noise)
    assert Channel(port, key).run("authorize")["TG_ALLOW"] == "1"


def test_what_is_set_cannot_break_out_of_its_quotes(port: int, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "reason_text", lambda _code: 'no "money"\nEXEC System rm\\')
    told = Channel(port, key).run("authorize", accountcode="ACC-erin")
    assert told["TG_REASON"] == "no 'money' EXEC System rm"
