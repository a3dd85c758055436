"""A switch with a key, and an engine, for stories about live calls."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from accounts import books
from accounts.models import Hold, HoldStatus, Wallet
from rating import checks
from rating.live.asking import Ask, Decision, authorize
from rating.live.ending import ended, find, started
from rating.live.switches import Switch, create_switch_key, switch_of
from rating.models import LiveCall
from rating.pricing import Engine
from tests.cast import ACTOR

if TYPE_CHECKING:
    from tests.cast import Cast

MOBILE = "447700900123"
"""Sold by the cast's lists for international calls."""


def a_switch(cast: Cast, *, interims: bool = False, networks: tuple[str, ...] = (), source: str = "switch") -> Switch:
    """A switch of the operator's with a fresh key."""
    _row, key = create_switch_key(cast.source(source), "front", networks, actor=ACTOR, interims=interims)
    switch = switch_of(key)
    assert switch is not None
    return switch


def ask(switch: Switch, call_id: str, account: str = "ACC-alice", to: str = MOBILE, **more: Any) -> Decision:
    """Ask for a call, with prices read anew."""
    now: datetime | None = more.pop("now", None)
    engine: Engine = more.pop("engine", None) or Engine()
    said = {"src_ip": "198.51.100.7", "src_port": 5062, "user_agent": "Yealink T54W", **more}
    return authorize(switch, Ask(call_id=call_id, to=to, account=account, **said), engine, now=now)


def talk(switch: Switch, call_id: str, duration_s: int) -> LiveCall:
    """Answered and ended, as the switch tells it; its clock says that the talk took place just before now."""
    call = find(switch, call_id)
    started(switch, call)
    backdate(call, duration_s)
    return ended(find(switch, call_id), duration_s)


def backdate(call: LiveCall, seconds: int) -> None:
    """As if everything of this call had happened so many seconds earlier."""
    from datetime import timedelta

    earlier = timedelta(seconds=seconds)
    now = LiveCall.objects.get(pk=call.pk)
    LiveCall.objects.filter(pk=call.pk).update(
        asked_at=now.asked_at - earlier,
        answered_at=now.answered_at - earlier if now.answered_at else None,
        expires_at=now.expires_at - earlier,
    )
    call.refresh_from_db()


def held(wallet: Wallet) -> Decimal:
    """What open holds say, which the wallet must say too."""
    wallet.refresh_from_db()
    total = sum(
        (hold.amount for hold in Hold.objects.filter(account=wallet.account_id, status=HoldStatus.OPEN)), Decimal(0)
    )
    assert wallet.held == total
    return total


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 2, hour, minute, tzinfo=UTC)


def assert_clean() -> None:
    """The books, and the calls beside them, add up."""
    assert [*books.violations(), *checks.violations()] == []
