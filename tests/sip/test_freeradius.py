"""A RADIUS device asks by radclient, through FreeRADIUS by its example configuration, which asks this server."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError

from rating.live import ending
from rating.live.switches import create_switch_key
from rating.models import LiveCall, LiveStatus, RatedCall
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, assert_clean, backdate
from tests.sip.peers import free_port
from tests.sip.test_kamailio import _warmed, over

if TYPE_CHECKING:
    from tests.cast import Cast

CONFIGURATION = Path(__file__).parents[2] / "examples/switches/freeradius/radiusd.conf"
HOST = "127.0.0.1"
MISSING = [name for name in ("freeradius", "radclient") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (apt; set-up does it as root)"),
]
SESSION = (
    f'User-Name = "ACC-alice"\nCalled-Station-Id = "{MOBILE}"\nAcct-Session-Id = "s-1"\nNAS-IP-Address = 127.0.0.1\n'
)


class Gateway:
    """A device that speaks to FreeRADIUS."""

    def __init__(self, ask_port: int, tell_port: int) -> None:
        self._ports = {"auth": ask_port, "acct": tell_port}

    def send(self, kind: str, attributes: str) -> str:
        """What came back, as radclient prints it."""
        done = subprocess.run(
            ["radclient", "-x", "-t", "20", "-r", "1", f"{HOST}:{self._ports[kind]}", kind, "testing123"],
            input=attributes,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout


@pytest.fixture
def gateway(cast: Cast, live_server: Any, tmp_path: Path) -> Iterator[Gateway]:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    key = create_switch_key(cast.source(), "radius", [], actor=ACTOR, interims=True)[1]
    _warmed(live_server.url, key)
    ask, tell = free_port(HOST), free_port(HOST)
    text = CONFIGURATION.read_text().replace("http://127.0.0.1:8000", live_server.url)
    text = text.replace("sw_put-the-key-here", key).replace("1812", str(ask)).replace("1813", str(tell))
    text = text.replace("poll_interval = 5", "poll_interval = 1").replace("retry_interval = 30", "retry_interval = 5")
    (tmp_path / "radiusd.conf").write_text(text)
    log = (tmp_path / "radius.log").open("wb")
    process = subprocess.Popen(["freeradius", "-X", "-d", str(tmp_path), "-n", "radiusd"], stdout=log, stderr=log)
    try:
        _ready(tmp_path / "radius.log", process)
        yield Gateway(ask, tell)
    finally:
        process.terminate()
        process.wait(10)
        log.close()


def _ready(log: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while "Ready to process requests" not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(log.read_text(errors="replace")[-2000:])
        time.sleep(0.1)


def test_a_session_is_accepted_for_its_seconds_and_charged_once_for_two_legs(gateway: Gateway) -> None:
    answer = gateway.send("auth", SESSION)
    assert "Access-Accept" in answer
    assert "Session-Timeout = 300" in answer
    assert "Accounting-Response" in gateway.send("acct", SESSION + "Acct-Status-Type = Start\n")
    backdate(LiveCall.objects.get(), 60)
    for leg in ("answer", "originate"):
        told = f'Acct-Status-Type = Stop\nAcct-Session-Time = 60\nh323-call-origin = "h323-call-origin={leg}"\n'
        assert "Accounting-Response" in gateway.send("acct", SESSION + told)
    call = LiveCall.objects.get()
    assert (call.status, call.duration_s) == (LiveStatus.ENDED, 60)
    assert RatedCall.objects.values("record_id").distinct().count() == 1
    assert_clean()


def test_a_session_without_money_is_rejected_with_its_reason(gateway: Gateway) -> None:
    answer = gateway.send("auth", SESSION.replace("ACC-alice", "ACC-erin").replace("s-1", "s-2"))
    assert "Access-Reject" in answer
    assert "Not enough funds" in answer


def test_a_stop_that_could_not_be_told_is_told_again(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_asked: object) -> None:
        raise OperationalError

    assert "Access-Accept" in gateway.send("auth", SESSION)
    backdate(LiveCall.objects.get(), 60)
    with monkeypatch.context() as outage:
        outage.setattr(ending, "find", away)
        told = SESSION + "Acct-Status-Type = Stop\nAcct-Session-Time = 45\n"
        assert "Accounting-Response" in gateway.send("acct", told)
        assert LiveCall.objects.get().status == LiveStatus.ALLOWED
    assert over().duration_s == 45
    assert_clean()
