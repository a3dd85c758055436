"""The engine that live calls are priced by: one that stands ready, so that no caller waits while prices are compiled.

`current_engine` is right at every moment, and makes whoever asks first after a change wait, which takes seconds where
decks are large. Here a thread of the process looks every second whether prices changed, compiles the new engine with
all that calls need, and only then puts it in the place of the old one. A new price holds as soon as it is compiled, and
calls wait for it rather than go by one that is older than `STALE_S`. Who may call, how many and for how much money is
not the engine's to say: the database judges that at each call.
"""

from __future__ import annotations

import logging
import time
from threading import Condition, Event, Thread
from typing import Final, NamedTuple

from django.db import OperationalError, connection

from rating.live import asking, guard
from rating.pricing import Engine
from rating.pricing.current import current_engine

LOOK_EVERY_S: Final = 1.0
STALE_S: Final = 30.0
FIRST_S: Final = 20.0
"""How long a call waits at most for the first engine of a process."""
log = logging.getLogger(__name__)


class Standing(NamedTuple):
    """`true_at`: when it was last known to be made of the prices in force (monotonic seconds)."""

    engine: Engine
    true_at: float


_ready = Condition()
_standing: Standing | None = None
_minder: Thread | None = None
_stop = Event()


def standing_engine() -> Engine:
    """The engine to price a live call by. Inside a transaction, which may have changed prices itself: the strict one.

    Raises OperationalError where there is none, and the database does not answer.
    """
    if connection.in_atomic_block:
        return current_engine()
    mind()
    found = _fresh()
    return found or _awaited()


def mind() -> None:
    """Begin to look after the engine, in a thread; once is enough."""
    global _minder, _stop
    if _minder is None or not _minder.is_alive():
        with _ready:
            if _minder is None or not _minder.is_alive():
                _stop = Event()
                _minder = Thread(target=_look_after, args=(_stop,), daemon=True, name="live-prices")
                _minder.start()


def forget() -> None:
    """Stand by nothing: another database is asked from now on."""
    global _minder, _standing
    _stop.set()
    if _minder is not None:
        _minder.join(timeout=10)
    _minder = _standing = None


def _fresh() -> Engine | None:
    kept = _standing
    return kept.engine if kept is not None and time.monotonic() - kept.true_at < STALE_S else None


def _awaited() -> Engine:
    until = time.monotonic() + FIRST_S
    with _ready:
        while (found := _fresh()) is None:
            if guard.is_down() or time.monotonic() > until:
                raise OperationalError("no prices: the database does not answer")
            _ready.wait(0.05)
    return found


def _look_after(stop: Event) -> None:
    try:
        while not stop.is_set():
            try:
                look(stop)
            except Exception:
                log.warning("prices could not be looked at; calls go by those of a moment ago", exc_info=True)
                connection.close()
            stop.wait(LOOK_EVERY_S)
    finally:
        connection.close()


def look(stop: Event) -> None:
    """Whether prices changed; if they did, compile them, and let calls go by them from now on."""
    global _standing
    began, kept = time.monotonic(), _standing
    with guard.watching():
        engine = current_engine()
        if kept is None or engine is not kept.engine:
            engine.make_ready(kept.engine if kept else None)
            asking.make_ready(engine)
    with _ready:
        if not stop.is_set():
            _standing = Standing(engine, began)
            _ready.notify_all()
