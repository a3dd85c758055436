"""A live call is ended at its switch: what is sent to it, and what is said when it does not answer as it should."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks

from rating.live import cutting
from rating.live.cutting import can_cut, cut
from rating.live.ending import failed
from rating.models import LiveCall
from tests.rating.live_help import a_switch, ask

if TYPE_CHECKING:
    from tests.cast import Cast

LOGIN = "Basic " + b64encode(b"tollgate:orders").decode()


@dataclass
class Box:
    """A switch's control: what it was told, and what it will answer next (status, body, seconds to wait)."""

    url: str = ""
    told: list[tuple[str, str, str, Any]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    wait_s: int = 0


@pytest.fixture
def box() -> Iterator[Box]:
    box = Box()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            login = self.headers.get("Authorization", "")
            box.told.append((self.command, self.path, login, json.loads(body) if body else None))
            time.sleep(box.wait_s)
            status, text = box.answers.pop(0) if box.answers else (500, "")
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{box.url}/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield box
    server.shutdown()
    server.server_close()


@pytest.fixture
def call(cast: Cast) -> LiveCall:
    """Alice is calling."""
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    made = ask(a_switch(cast), "1700000000.42")
    assert made.allow
    return LiveCall.objects.select_related("source").get()


def controlled(settings: Any, box: Box, kind: str, name: str = "switch", path: str = "") -> None:
    control = {"kind": kind, "url": box.url + path, "user": "tollgate", "password": "orders"}
    settings.SWITCH_CONTROLS = json.dumps({name: control})


def test_asterisk_is_told_by_ari(call: LiveCall, box: Box, settings: Any) -> None:
    controlled(settings, box, "asterisk", path="/ari")
    box.answers = [(204, "")]
    assert can_cut(call)
    assert cut(call).done
    assert box.told == [("DELETE", "/ari/channels/1700000000.42?reason_code=16", LOGIN, None)]
    call.refresh_from_db()
    assert call.is_open  # the switch reports the end, as of any call


def test_freeswitch_is_told_by_its_web_api(call: LiveCall, box: Box, settings: Any) -> None:
    controlled(settings, box, "freeswitch")
    box.answers = [(200, "+OK\n"), (200, "-ERR No such channel!\n")]
    assert cut(call).done
    assert box.told == [("GET", "/webapi/uuid_kill?1700000000.42", LOGIN, None)]
    assert "no such call" in cut(call).words


def test_kamailio_is_asked_for_the_tags_first(call: LiveCall, box: Box, settings: Any) -> None:
    controlled(settings, box, "kamailio", path="/RPC")
    dialog = {"call-id": "1700000000.42", "caller": {"tag": "f1"}, "callee": {"tag": "t1"}}
    box.answers = [(200, json.dumps({"jsonrpc": "2.0", "result": [dialog], "id": 1}))]
    box.answers += [(200, json.dumps({"jsonrpc": "2.0", "result": {}, "id": 1}))]
    assert cut(call).done
    asked = [body["params"] for _method, _path, _login, body in box.told]
    assert asked == [["1700000000.42"], ["1700000000.42", "f1", "t1"]]


@pytest.mark.parametrize(
    ("kind", "status", "body", "words"),
    [
        ("asterisk", 404, '{"message": "Channel not found"}', "no such call"),
        ("asterisk", 401, "", "login"),
        ("asterisk", 500, "", "500"),
        ("asterisk", 302, "", "302"),
        ("kamailio", 404, '{"error": {"code": 404, "message": "not found"}}', "no such call"),
        ("kamailio", 200, "not json", "200"),
        ("kamailio", 200, '{"result": []}', "no such call"),
        ("freeswitch", 200, "-ERR", "200"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_switch_that_says_no(
    call: LiveCall, box: Box, settings: Any, kind: str, status: int, body: str, words: str
) -> None:
    controlled(settings, box, kind)
    box.answers = [(status, body)]
    told = cut(call)
    assert not told.done
    assert words in told.words
    assert len(box.told) == 1


def test_a_switch_that_does_not_answer_is_not_waited_for(
    call: LiveCall, box: Box, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cutting.TIMEOUT_S == 2
    monkeypatch.setattr(cutting, "TIMEOUT_S", 0.2)
    controlled(settings, box, "asterisk")
    box.wait_s = 1
    began = time.monotonic()
    assert "did not answer" in cut(call).words
    assert time.monotonic() - began < 0.9
    settings.SWITCH_CONTROLS = settings.SWITCH_CONTROLS.replace(box.url, "http://127.0.0.1:1")
    assert "did not answer" in cut(call).words


def test_only_the_machine_that_has_the_call_is_told(call: LiveCall, box: Box, settings: Any) -> None:
    controlled(settings, box, "asterisk", name="switch/second")
    assert not can_cut(call)
    assert "not set up" in cut(call).words
    call.switch = "second"
    assert can_cut(call)
    assert box.told == []


def test_emergency_calls_and_calls_that_are_over_are_left_alone(call: LiveCall, box: Box, settings: Any) -> None:
    controlled(settings, box, "asterisk")
    call.service_class = "emergency"
    assert not can_cut(call)
    assert not cut(call).done
    call.refresh_from_db()
    failed(call)
    assert not can_cut(call)
    assert "over" in cut(call).words
    assert box.told == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        ('{"a": {"kind": "pigeon", "url": "http://x"}}', "a: `kind`"),
        ('{"a": {"kind": "asterisk", "url": "file:///etc/passwd"}}', "a: `url`"),
        ('{"a": {"kind": "asterisk", "url": "http://u:p@x/ari"}}', "a: `url`"),
        ('{"a": {"kind": "asterisk", "url": "http://x/ari", "port": "1"}}', "a: it needs"),
    ],
    ids=["broken", "list", "kind", "scheme", "login", "field"],
)
def test_a_mistake_in_the_setting_is_told_at_the_start(settings: Any, text: str, words: str) -> None:
    settings.SWITCH_CONTROLS = text
    [error] = [one for one in run_checks() if one.id == "rating.E001"]
    assert words in error.msg


def test_passwords_do_not_reach_logs() -> None:
    from rating.live.controls import read_controls

    told = read_controls('{"a": {"kind": "asterisk", "url": "http://x/ari/", "user": "u", "password": "hush"}}')
    assert "hush" not in repr(told)
    assert told["a"].url == "http://x/ari"
