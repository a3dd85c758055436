"""A switch hears an answer in time, also while the database is down, hangs, or keeps somebody waiting.

A server that was stopped in the middle of a sentence (or whose machine is gone) leaves its clients waiting for ever: no
setting of the client library ends that. So a thread of each process looks after all others: who waits too long has
his connection's socket shut under him, which ends his wait as an error. When a fresh connection gets no answer either,
the database counts as down: everybody is refused at once, and a thread asks until it answers again.

Every event of a call may be told twice, so what failed by a connection that had died before is simply done again.
"""

from __future__ import annotations

import logging
import queue
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock, Thread, get_ident
from typing import Any, Final, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connection, connections
from psycopg2 import Error as RawError

from accounts.services.transactions import sqlstate

T = TypeVar("T")
ANSWER_S = 1.0
"""How long the database may take over a question of a switch."""
PAGE_S: Final = 0.5
"""After how long a page's wait makes one ask whether the database is there."""
PAGE_CONNECTS_S: Final = 5.0
PROBE_S = 0.8
PROBE_EVERY_S: Final = 0.2
RETRY_S: Final = 0.2
TICK_S: Final = 0.05
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """A thread that may be waiting for the database. `hurried`: its socket is shut when the time is over."""

    until: float
    database: Any
    hurried: bool


_waiting: dict[int, _Waiting] = {}
_state = Lock()
_down = False
_watcher: Thread | None = None


def is_down() -> bool:
    """Whether the database did not answer lately, nor has since."""
    return _down


def in_time(work: Callable[[], T]) -> T:
    """What `work` gives; after ANSWER_S OperationalError. Work must be such that doing it twice is as once."""
    if connection.in_atomic_block:
        return work()
    until = time.monotonic() + ANSWER_S
    with _watched(until, hurried=True):
        try:
            return _once(work)
        except (OperationalError, InterfaceError) as error:
            if not _lost(error) or _down or time.monotonic() > until - RETRY_S:
                raise
        return _once(work)


def _once(work: Callable[[], T]) -> T:
    if _down:
        raise OperationalError("the database does not answer")
    _connect()
    try:
        return work()
    except (DatabaseError, InterfaceError) as error:
        if _lost(error):
            connection.close()
        raise


def _lost(error: Exception) -> bool:
    """Whether the connection is gone: the library says so, or it was not the server that spoke, or to say goodbye."""
    raw, code = connection.connection, sqlstate(error)
    if raw is None or raw.closed or isinstance(error, InterfaceError):
        return True
    return isinstance(error, OperationalError) and (not code or code.startswith(("08", "57P")))


@contextmanager
def watching() -> Iterator[None]:
    """For a page: it may take its time, but not the thread with it when the database hangs."""
    with _watched(time.monotonic() + PAGE_S, hurried=False):
        yield


@contextmanager
def _watched(until: float, *, hurried: bool) -> Iterator[None]:
    _watch()
    me = get_ident()
    before = _waiting.get(me)
    wrapper = connections[DEFAULT_DB_ALIAS]
    _guard_connecting(wrapper)
    _waiting[me] = _Waiting(until, wrapper, hurried)
    try:
        yield
    finally:
        if before is None:
            _waiting.pop(me, None)
        else:
            _waiting[me] = before


# -- connecting -----------------------------------------------------------------------------------------------------
def _connect() -> None:
    """The thread's connection; no question first whether it is alive, for the question itself tells."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    if wrapper.connection is not None and not wrapper.connection.closed:
        wrapper.health_check_done = True
        return
    wrapper.close()
    wrapper.connect()


def _guard_connecting(wrapper: Any) -> None:
    """From now on this thread connects under the guard."""
    if "get_new_connection" not in wrapper.__dict__:
        wrapper.get_new_connection = partial(_made_elsewhere, wrapper.get_new_connection)


def _made_elsewhere(make: Callable[[Any], Any], params: Any) -> Any:
    """Connects in another thread, to be able to give up: the client library waits for two seconds at least."""
    me = _waiting.get(get_ident())
    if me is None:
        return make(params)
    until = me.until if me.hurried else time.monotonic() + PAGE_CONNECTS_S
    box: queue.Queue[Any] = queue.Queue(1)

    def work() -> None:
        try:
            box.put(make(params))
        except (DatabaseError, InterfaceError, RawError, OSError) as error:
            box.put(error)

    Thread(target=work, daemon=True, name="live-connect").start()
    while not _down:
        try:
            made = box.get(timeout=TICK_S)
        except queue.Empty:
            if time.monotonic() < until:
                continue
            _suspect()
            break
        if isinstance(made, Exception):
            raise OperationalError(str(made)) from made
        return made
    raise OperationalError("the database does not answer")


# -- watching -------------------------------------------------------------------------------------------------------
def _watch() -> None:
    global _watcher
    if _watcher is None or not _watcher.is_alive():
        with _state:
            if _watcher is None or not _watcher.is_alive():
                _watcher = Thread(target=_look_after, daemon=True, name="live-guard")
                _watcher.start()


def _look_after() -> None:
    while True:
        time.sleep(TICK_S)
        now = time.monotonic()
        late = [one for one in list(_waiting.values()) if one.until < now]
        for one in late:
            if one.hurried:
                one.until = float("inf")
                _shut(one.database)
            else:
                one.until = now + PAGE_S
        if late:
            _suspect()


def _shut(database: Any) -> None:
    """Ends the wait of whoever uses this connection just now, by an error."""
    raw = database.connection
    with suppress(Exception):
        if raw is not None and not raw.closed:
            with socket.socket(fileno=socket.dup(raw.fileno())) as same:
                same.shutdown(socket.SHUT_RDWR)


_suspecting = Lock()


def _suspect() -> None:
    """Somebody waited too long: is the database there at all? One asks at a time, on behalf of all."""
    if _down or not _suspecting.acquire(blocking=False):
        return
    Thread(target=_find_out, daemon=True, name="live-probe").start()


def _find_out() -> None:
    global _down
    try:
        if _answers():
            return
        _down = True
        log.warning("the database does not answer; live calls are refused")
        for one in list(_waiting.values()):
            _shut(one.database)
        while not _answers():
            time.sleep(PROBE_EVERY_S)
        log.warning("the database answers again")
    finally:
        _down = False
        _suspecting.release()


def _answers() -> bool:
    """Whether a fresh connection gets an answer in time."""
    box: queue.Queue[bool] = queue.Queue(1)

    def ask() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            box.put(True)
        except DatabaseError:
            box.put(False)
        finally:
            connection.close()

    Thread(target=ask, daemon=True, name="live-ask").start()
    try:
        return box.get(timeout=PROBE_S)
    except queue.Empty:
        return False
