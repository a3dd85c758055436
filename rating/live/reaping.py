"""Calls whose end never came: closed by us, when their time and a grace are over.

A switch may lose its power, or the message its way. Money set aside must not stay so for ever, and a call that used
its time must be paid.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from rating.live.ending import reaped
from rating.models import LiveCall, LiveStatus

AT_ONCE = 500


def reap(now: datetime | None = None) -> int:
    """Close the calls whose time is over; how many. Any number may run it at once."""
    moment = now or timezone.now()
    over = LiveCall.objects.filter(status__in=[LiveStatus.ALLOWED, LiveStatus.TALKING], expires_at__lt=moment)
    closed = 0
    for call in list(over.order_by("expires_at")[:AT_ONCE]):
        reaped(call)
        closed += 1
    return closed
