"""Each switch names a call in its file as it did at the door: the two meet, whichever the format."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rating.live import radius
from rating.live.ending import find
from rating.live.reaping import reap
from rating.models import LiveCall, LiveStatus, RatedCall, Reconciled
from rating.services.imports import import_file
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, a_switch, ask, assert_clean, backdate
from tests.rating.reconciled_help import fund

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
FREESWITCH = "0b6c0001-11aa-4c3d-9e8f-2a1b3c4d5e6f"
SECONDS = 75


def kamailio(began: datetime) -> str:
    """The INVITE and the BYE of module acc."""
    lines = []
    for method, tags, at in (("INVITE", ("a", "b"), 0), ("BYE", ("b", "a"), SECONDS)):
        when = str(int((began + timedelta(seconds=5 + at)).timestamp()))
        who = ("ACC-alice", "d", "10.1.2.3", MOBILE, MOBILE, "d")
        lines.append("|".join((method, *tags, "sip-call@host", "200", "OK", when, *who)))
    return "\n".join(lines) + "\n"


def asterisk(began: datetime) -> str:
    """A call forked to two carriers, of which one answered: two rows of one uniqueid."""
    rows = []
    for peer, answered_s, lasted_s, said in (("boreal", None, 0, "NO ANSWER"), ("atlas", 5, SECONDS, "ANSWERED")):
        times = [began, began + timedelta(seconds=answered_s or 0), began + timedelta(seconds=5 + lasted_s)]
        start, answer, end = (at.strftime("%Y-%m-%d %H:%M:%S") for at in times)
        channels = ("PJSIP/room1-00000001", f"PJSIP/{peer}-00000002", "Dial", f"PJSIP/{MOBILE}@{peer}")
        head = ("ACC-alice", "201", MOBILE, "from-rooms", "", *channels)
        cells = (*head, start, answer if answered_s else "", end, 5 + lasted_s, lasted_s, said, "DOCUMENTATION")
        rows.append(",".join(f'"{cell}"' for cell in (*cells, "1790845200.1", "")))
    return "\n".join(rows) + "\n"


def freeswitch(began: datetime) -> str:
    start, answer = int(began.timestamp()), int(began.timestamp()) + 5
    variables = {
        "uuid": FREESWITCH,
        "accountcode": "ACC-alice",
        "start_epoch": str(start),
        "answer_epoch": str(answer),
        "end_epoch": str(answer + SECONDS),
        "duration": str(SECONDS + 5),
        "billsec": str(SECONDS),
    }
    profile = {"caller_id_number": "201", "destination_number": MOBILE, "uuid": FREESWITCH}
    return json.dumps(
        {"core-uuid": "0b6c", "switchname": "fs", "variables": variables, "callflow": [{"caller_profile": profile}]}
    )


def gateway(began: datetime) -> str:
    """Both sides of a gateway's call, with the unique ids that FreeRADIUS makes of its sessions."""
    blocks = []
    for session, origin, user in (("s1", "answer", "ACC-alice"), ("s1b", "originate", "atlas")):
        told = {
            "User-Name": user,
            "Called-Station-Id": MOBILE,
            "Acct-Status-Type": "Stop",
            "Acct-Session-Id": session,
            "h323-conf-id": "h323-conf-id=0A1B2C3D 11EF AA BB",
            "h323-call-origin": f"h323-call-origin={origin}",
            "Acct-Session-Time": str(SECONDS),
            "Event-Timestamp": f"{began + timedelta(seconds=5 + SECONDS):%b %d %Y %H:%M:%S UTC}",
            "Acct-Unique-Session-Id": f"unique-{session}",
        }
        ended_at = began + timedelta(seconds=5 + SECONDS)
        head = f"{ended_at:%a %b} {ended_at.day:2d} {ended_at:%H:%M:%S %Y}"
        blocks.append(head + "".join(f'\n\t{name} = "{value}"' for name, value in told.items()))
    return "\n\n".join(blocks) + "\n"


ASKED = radius.call_id_of({"h323-conf-id": {"value": ["h323-conf-id=0A1B2C3D 11EF AA BB"]}})
FORMATS: dict[str, tuple[str, str, Callable[[datetime], str], int]] = {
    "acc": ("acc_1.log", "sip-call@host", kamailio, 1),
    "asterisk": ("Master.csv", "1790845200.1", asterisk, 2),
    "freeswitch_json": ("cdr.json", FREESWITCH, freeswitch, 1),
    "radius": ("detail", ASKED, gateway, 1),
}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("when", ["open", "reaped"])
def test_a_switchs_file_finds_its_live_call(cast: Cast, tmp_path: Path, settings: Any, format: str, when: str) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    name, call_id, text, records = FORMATS[format]
    switch = a_switch(fund(cast))
    assert ask(switch, call_id, requested_s=300).allow
    backdate(find(switch, call_id), 3600 if when == "reaped" else 300)
    if when == "reaped":
        assert reap() == 1
    path = tmp_path / name
    path.write_text(text(LiveCall.objects.get().asked_at.astimezone(UTC)), encoding="utf-8")

    made = import_file(path, cast.source(), actor=ACTOR)

    assert made.format == format
    call = LiveCall.objects.get()
    assert (call.status, call.duration_s) == (LiveStatus.ENDED, SECONDS)
    assert Reconciled.objects.filter(usage_import=made).count() == records
    assert RatedCall.objects.filter(buyer=cast.alice).count() == 1
    assert_clean()
