"""A talk is ended from outside: this server orders Kamailio to hang up, both phones hear it, the end is charged."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from rating.live.cutting import can_cut, cut
from rating.live.switches import create_switch_key
from rating.models import LiveCall, LiveStatus, RatedCall
from tests.cast import ACTOR
from tests.rating.live_help import assert_clean
from tests.sip.peers import LOGIN, MISSING, SWITCH, kamailio, phone_there
from tests.sip.scenarios import ANSWERS, IS_CUT
from tests.sip.test_kamailio import Line, _warmed, over

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (apt; set-up does it as root)"),
]


@pytest.fixture
def line(cast: Cast, live_server: Any, tmp_path: Path, settings: Any) -> Iterator[Line]:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    key = create_switch_key(cast.source(), "kamailio", [], actor=ACTOR, interims=True)[1]
    _warmed(live_server.url, key)
    orders = _free_port()
    settings.SWITCH_CONTROLS = controls(orders, LOGIN[1])
    with (
        phone_there(tmp_path, ANSWERS) as there,
        kamailio(tmp_path, f"{live_server.url}/api/v1/calls", key, there, orders) as port,
    ):
        yield Line(tmp_path, port)


def controls(port: int, password: str) -> str:
    url = f"http://{SWITCH}:{port}/RPC"
    return json.dumps({"switch": {"kind": "kamailio", "url": url, "user": LOGIN[0], "password": password}})


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((SWITCH, 0))
        return int(one.getsockname()[1])


def talking() -> LiveCall:
    until = time.monotonic() + 20
    while not LiveCall.objects.filter(status=LiveStatus.TALKING).exists() and time.monotonic() < until:
        time.sleep(0.1)
    return LiveCall.objects.select_related("source").get(status=LiveStatus.TALKING)


def test_a_talk_is_ended_from_outside_and_charged(line: Line, settings: Any) -> None:
    results: list[int] = []
    phone = Thread(target=lambda: results.append(line.call(IS_CUT)))
    phone.start()
    call = talking()
    time.sleep(1.2)
    right = settings.SWITCH_CONTROLS
    settings.SWITCH_CONTROLS = right.replace(LOGIN[1], "wrong")
    assert not cut(call).done
    assert "login" in cut(call).words
    settings.SWITCH_CONTROLS = right
    assert can_cut(call)
    done = cut(call)
    assert done.done, done.words
    phone.join(30)
    assert results == [0]
    ended = over()
    assert 2 <= ended.duration_s < 20
    assert RatedCall.objects.count() == 2
    assert_clean()
    again = cut(call)
    assert (again.done, again.words[:30]) == (False, "The switch has no such call an")
