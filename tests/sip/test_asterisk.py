"""Real calls through Asterisk by its example configuration: by CURL in the dialplan, and by FastAGI."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from rating.live.agi import AgiServer
from rating.live.cutting import cut
from rating.live.limits import set_limits
from rating.live.switches import create_switch_key
from rating.models import LiveCall, LiveStatus, RatedCall
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, assert_clean
from tests.sip.asterisk import MISSING, WHY, Asterisk, asterisk
from tests.sip.peers import HERE, LOGIN, phone_here, phone_there
from tests.sip.scenarios import ANSWERS, HANGS_UP, IS_CUT, refused
from tests.sip.test_kamailio import _warmed, over
from tiers.models import Party, Status

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(MISSING), reason=WHY),
]
DIALPLANS = ("extensions.conf", "extensions-agi.conf")
Running = Callable[[str], AbstractContextManager[Asterisk]]


@pytest.fixture(params=DIALPLANS, ids=("curl", "agi"))
def running(request: pytest.FixtureRequest, cast: Cast, live_server: Any, tmp_path: Path) -> Iterator[Running]:
    """Start Asterisk for a customer's account, asking by HTTP or by FastAGI."""
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    key = create_switch_key(cast.source(), "asterisk", [], actor=ACTOR, interims=True, slice_s=7200)[1]
    _warmed(live_server.url, key)
    server = AgiServer("127.0.0.1", 0, workers=2)
    server.start()
    values = {
        "TOLLGATE": f"{live_server.url}/api/v1/calls",
        "TOLLGATE_AGI": f"agi://127.0.0.1:{server.port}",
        "TOLLGATE_KEY": key,
    }

    @contextmanager
    def start(account: str) -> Iterator[Asterisk]:
        plan: str = request.param
        with (
            phone_there(tmp_path, ANSWERS) as there,
            asterisk(tmp_path, values, there, dialplan=plan, account=account) as switch,
        ):
            yield switch

    yield start
    server.stop()


def dial(tmp_path: Path, switch: Asterisk, scenario: str, to: str = MOBILE, **how: Any) -> int:
    return phone_here(tmp_path, scenario, switch.port, to, "1001", **how)


def test_a_call_is_charged_with_its_trail_and_its_file_names_it_alike(running: Running, tmp_path: Path) -> None:
    with running("ACC-alice") as switch:
        assert dial(tmp_path, switch, HANGS_UP, talk_ms=2000) == 0
        call = over()
        [line] = csv.reader(switch.calls())
    assert (call.src_ip, call.user_agent, call.caller) == (HERE, "Story phone 1.0", "1001")
    assert call.src_port
    assert call.duration_s == 2
    assert call.answered_at
    assert RatedCall.objects.count() == 2
    account, dialled, billed_s, unique_id = line[0], line[2], line[13], line[16]
    assert (account, dialled, billed_s, unique_id) == ("ACC-alice", MOBILE, "2", call.call_id)
    assert_clean()


def test_refusals_reach_the_phone_with_their_code(cast: Cast, running: Running, tmp_path: Path) -> None:
    with running("ACC-erin") as switch:
        assert dial(tmp_path, switch, refused(402)) == 0
    with running("ACC-nobody") as switch:
        assert dial(tmp_path, switch, refused(404)) == 0
    with running("ACC-alice") as switch:
        set_limits(cast.party("alice"), 0, None, actor=ACTOR)
        assert dial(tmp_path, switch, refused(486)) == 0
        Party.objects.filter(code="alice").update(status=Status.BLOCKED)
        assert dial(tmp_path, switch, refused(403)) == 0
    assert not LiveCall.objects.exclude(status=LiveStatus.REFUSED).exists()


def test_a_call_is_cut_when_its_time_is_over(cast: Cast, running: Running, tmp_path: Path) -> None:
    from tests.rating.test_live_races import leave
    from tests.sip.test_kamailio import _sale_of_a_minute

    leave(cast, "alice", round(_sale_of_a_minute(cast) / 10, 4))
    with running("ACC-alice") as switch:
        assert dial(tmp_path, switch, IS_CUT) == 0
        call = over()
    assert (call.duration_s, call.overrun_s) == (call.max_seconds, 0)
    assert cast.wallet("alice").available >= 0
    assert_clean()


def test_a_talk_is_ended_from_outside(running: Running, tmp_path: Path, settings: Any) -> None:
    results: list[int] = []
    with running("ACC-alice") as switch:
        control = {"kind": "asterisk", "url": switch.orders, "user": LOGIN[0], "password": LOGIN[1]}
        settings.SWITCH_CONTROLS = json.dumps({"switch": control})
        phone = Thread(target=lambda: results.append(dial(tmp_path, switch, IS_CUT)))
        phone.start()
        call = _talking()
        time.sleep(1.2)
        done = cut(call)
        assert done.done, done.words
        phone.join(30)
        assert results == [0]
        assert 1 <= over().duration_s < 20
        assert "no such call" in cut(call).words
    assert_clean()


def _talking() -> LiveCall:
    until = time.monotonic() + 20
    while not LiveCall.objects.filter(status=LiveStatus.TALKING).exists() and time.monotonic() < until:
        time.sleep(0.1)
    return LiveCall.objects.select_related("source").get(status=LiveStatus.TALKING)


@pytest.mark.parametrize("plan", DIALPLANS, ids=("curl", "agi"))
def test_an_emergency_call_passes_with_the_server_down(tmp_path: Path, db: Any, plan: str) -> None:
    down = {"TOLLGATE": "http://127.0.0.1:9/api/v1/calls", "TOLLGATE_AGI": "agi://127.0.0.1:9", "TOLLGATE_KEY": "sw_x"}
    with (
        phone_there(tmp_path, ANSWERS) as there,
        asterisk(tmp_path, down, there, dialplan=plan, account="ACC-alice") as switch,
    ):
        assert dial(tmp_path, switch, HANGS_UP, to="112", talk_ms=200) == 0
        assert dial(tmp_path, switch, refused(503)) == 0
