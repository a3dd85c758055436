"""Real calls: phones by sipp, through Kamailio by its example configuration, which asks this server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from rating.live.limits import set_limits
from rating.live.reaping import reap
from rating.live.switches import create_switch_key
from rating.models import LiveCall, LiveStatus, RatedCall, UsageRecord
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, assert_clean, backdate
from tests.sip.peers import HERE, MISSING, kamailio, phone_here, phone_there
from tests.sip.scenarios import ANSWERS, HANGS_UP, IS_CUT, VANISHES, refused
from tiers.models import Party, Status

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (apt; set-up does it as root)"),
]


class Line:
    """A switch between two phones."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port

    def call(self, scenario: str, to: str = MOBILE, account: str = "ACC-alice", **how: Any) -> int:
        return phone_here(self._folder, scenario, self._port, to, account, **how)


@pytest.fixture
def line(cast: Cast, live_server: Any, tmp_path: Path) -> Iterator[Line]:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    key = create_switch_key(cast.source(), "kamailio", [], actor=ACTOR, interims=True)[1]
    _warmed(live_server.url, key)
    with (
        phone_there(tmp_path, ANSWERS) as there,
        kamailio(tmp_path, f"{live_server.url}/api/v1/calls", key, there) as port,
    ):
        yield Line(tmp_path, port)


def _warmed(url: str, key: str) -> None:
    """The first question to a process compiles the prices, which a phone should not wait for."""
    said = json.dumps({"to": MOBILE, "account": "nobody", "call_id": "warm"}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with pytest.raises(HTTPError):
        urlopen(Request(f"{url}/api/v1/calls/authorize", said, headers), timeout=60)
    LiveCall.objects.all().delete()


def over() -> LiveCall:
    """The one call, when its end was told: the switch tells it while the phones are done already."""
    until = time.monotonic() + 20
    while LiveCall.objects.get().status != LiveStatus.ENDED and time.monotonic() < until:
        time.sleep(0.1)
    call: LiveCall = LiveCall.objects.get()
    assert call.status == LiveStatus.ENDED
    return call


def test_a_call_is_allowed_hung_up_and_charged_with_its_trail(line: Line) -> None:
    assert line.call(HANGS_UP, talk_ms=2000) == 0
    call = over()
    assert (call.status, call.user_agent, call.src_ip) == (LiveStatus.ENDED, "Story phone 1.0", HERE)
    assert call.src_port
    assert 1 <= call.duration_s <= 3
    record = UsageRecord.objects.get()
    assert (record.src_ip, record.src_port, record.user_agent) == (HERE, call.src_port, "Story phone 1.0")
    assert RatedCall.objects.count() == 2
    assert_clean()


def test_refusals_reach_the_phone_with_their_code(cast: Cast, line: Line) -> None:
    assert line.call(refused(402), account="ACC-erin") == 0
    assert line.call(refused(404), account="ACC-nobody") == 0
    Party.objects.filter(code="alice").update(status=Status.BLOCKED)
    assert line.call(refused(403)) == 0
    codes = LiveCall.objects.order_by("id").values_list("status", "sip_code")
    assert list(codes) == [(LiveStatus.REFUSED, 402), (LiveStatus.REFUSED, 404), (LiveStatus.REFUSED, 403)]
    assert_trails()


def test_one_call_more_than_may_be_at_once_hears_486_until_the_other_is_over(cast: Cast, line: Line) -> None:
    set_limits(cast.party("alice"), 1, None, actor=ACTOR)
    with ThreadPoolExecutor(1) as first:
        talks = first.submit(line.call, HANGS_UP, talk_ms=4000)
        wait_for_status(LiveStatus.TALKING)
        assert line.call(refused(486), name="second") == 0
        assert talks.result() == 0
    wait_for_status(LiveStatus.ENDED)
    assert line.call(HANGS_UP, talk_ms=100) == 0
    assert LiveCall.objects.filter(status=LiveStatus.REFUSED, sip_code=486).count() == 1
    assert_trails()


def wait_for_status(status: str) -> None:
    until = time.monotonic() + 20
    while not LiveCall.objects.filter(status=status).exists():
        assert time.monotonic() < until, f"no call is {status}"
        time.sleep(0.1)


def assert_trails() -> None:
    """Each call, refused ones too, shows where it came from and by what."""
    trails = set(LiveCall.objects.values_list("src_ip", "user_agent"))
    assert trails == {(HERE, "Story phone 1.0")}
    assert not LiveCall.objects.filter(src_port__isnull=True).exists()


def test_a_call_is_cut_when_its_money_is_used_up(cast: Cast, line: Line) -> None:
    from tests.rating.test_live_races import leave

    per_minute = _sale_of_a_minute(cast)
    leave(cast, "alice", (per_minute / 10).quantize(Decimal("0.0001")))
    assert line.call(IS_CUT) == 0
    call = over()
    assert abs(call.duration_s + call.overrun_s - call.max_seconds) <= 1
    assert_trails()
    assert cast.wallet("alice").available >= 0
    assert_clean()


def _sale_of_a_minute(cast: Cast) -> Any:
    from rating.numbers import DialPlan
    from rating.pricing import CallFacts, Engine, PricedCall
    from tests.rating.live_help import at

    number = DialPlan.from_json(cast.source().dial_plan).normalise(MOBILE)
    facts = CallFacts(cast.party("alice").pk, number, True, at(12), 60)  # type: ignore[arg-type]
    priced = Engine().price(facts)
    assert isinstance(priced, PricedCall)
    return priced.tiers[0].sale + priced.tiers[0].tax


def test_an_end_that_is_lost_is_made_by_the_reaper(line: Line) -> None:
    assert line.call(VANISHES) == 0
    call = LiveCall.objects.get()
    backdate(call, 7200)
    assert reap() == 1
    call.refresh_from_db()
    assert (call.status, call.duration_s) == (LiveStatus.REAPED, call.max_seconds)
    assert_trails()
    assert_clean()


def test_an_emergency_call_passes_with_the_server_down(tmp_path: Path, db: Any) -> None:
    with phone_there(tmp_path, ANSWERS) as there, kamailio(tmp_path, "http://127.0.0.1:9", "sw_x", there) as port:
        down = Line(tmp_path, port)
        assert down.call(HANGS_UP, to="112", talk_ms=200) == 0
        assert down.call(refused(503)) == 0
