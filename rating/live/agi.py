"""The door for Asterisk's FastAGI: the same questions and events as by HTTP, one line each in the dialplan.

    AGI(agi://HOST:4573/authorize,KEY,SWITCH)        sets TG_ALLOW, TG_SECONDS, TG_CODE, TG_REASON
    AGI(agi://HOST:4573/start,KEY,SWITCH,CALL)       at the side that was called, CALL is the caller's UNIQUEID
    AGI(agi://HOST:4573/over,KEY,SWITCH)             in the hangup handler: ended, or not answered

What else is needed is read from the channel. Whatever goes wrong, TG_ALLOW stays empty and TG_CODE says 503: the
dialplan refuses. A fixed number of threads each take a connection at a time, with a database connection of their own.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BufferedReader
from threading import Event, Thread
from typing import Any, Final

from django.db import DatabaseError, close_old_connections, connections

from rating.live import asking, ending, switches
from rating.live.door import ask_of, decided
from rating.live.emergency import EMERGENCY_SECONDS, is_emergency
from rating.live.knock import Refused
from rating.live.switches import Switch
from tiers.errors import NotFound, TollgateError

PORT: Final = 4573
WORKERS: Final = 16
TIMEOUT_S: Final = 5
MOST_LINES: Final = 100
LONGEST_LINE: Final = 4096
log = logging.getLogger(__name__)


class Broken(Exception):
    """The other side does not speak AGI, or hung up in the middle."""


class Session:
    """One connection: what the channel said of itself at first, and what it is asked and told afterwards."""

    def __init__(self, connection: socket.socket, peer: str) -> None:
        self._socket, self.peer = connection, peer
        self._lines: BufferedReader = connection.makefile("rb")
        self.said = self._heading()
        self.script = self.said.get("agi_network_script", "").partition("?")[0].strip("/")

    def argument(self, place: int) -> str:
        return self.said.get(f"agi_arg_{place}", "")

    def read(self, expression: str) -> str:
        """An expression as the channel evaluates it; empty where it cannot."""
        answer = self._ask(f"GET FULL VARIABLE {expression}")
        before, bracket, value = answer.partition(" (")
        return value.removesuffix(")") if bracket and before == "200 result=1" else ""

    def set(self, name: str, value: object) -> None:
        text = str(value).replace("\\", "").replace('"', "'")
        self._ask(f'SET VARIABLE {name} "{" ".join(text.split())}"')

    def _heading(self) -> Mapping[str, str]:
        said: dict[str, str] = {}
        for _number in range(MOST_LINES):
            line = self._line()
            if not line:
                return said
            name, _colon, value = line.partition(":")
            said[name.strip()] = value.strip()
        raise Broken("no end of the heading")

    def _ask(self, command: str) -> str:
        self._socket.sendall(command.encode(errors="replace") + b"\n")
        for _number in range(MOST_LINES):
            line = self._line()
            if line != "HANGUP":  # told in between when the caller hangs up
                return line
        raise Broken("no answer")

    def _line(self) -> str:
        line = self._lines.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise Broken("a line without an end")
        return line.decode(errors="replace").strip()


def answer(session: Session) -> None:
    """Do what the dialplan asks for. Raises Broken."""
    action = ACTIONS.get(session.script)
    if action is None:
        log.warning("agi: there is no %s here", session.script[:40])
        _refuse(session, "There is no such question.")
        return
    try:
        action(session)
    except Refused as refused:
        log.warning("agi: %s from %s: %s", session.script, session.peer, refused.title)
        _refuse(session, refused.title)
    except NotFound as error:
        log.warning("agi: %s: %s", session.script, error.message)
    except (DatabaseError, TollgateError) as error:
        log.warning("agi: %s could not be answered: %s", session.script, type(error).__name__)
        _refuse(session, "The service is not available at the moment.")


def _refuse(session: Session, reason: str) -> None:
    for name, value in {"TG_ALLOW": "", "TG_SECONDS": 0, "TG_CODE": 503, "TG_REASON": reason}.items():
        session.set(name, value)


def _authorize(session: Session) -> None:
    to = session.read("${TG_TO}") or session.said.get("agi_extension", "")
    known = switches.known_switch(session.argument(1))
    if is_emergency(to, known.plan if known else None):
        _allow(session, EMERGENCY_SECONDS)
        return
    switch = _switch(session)
    decision = decided(switch, ask_of(_facts(session, to)))
    if decision.allow:
        _allow(session, decision.max_seconds)
        return
    session.set("TG_ALLOW", "")
    session.set("TG_CODE", decision.sip_code)
    session.set("TG_REASON", asking.reason_text(decision.code))


def _allow(session: Session, seconds: int) -> None:
    session.set("TG_SECONDS", seconds)
    session.set("TG_CODE", 200)
    session.set("TG_ALLOW", 1)


def _facts(session: Session, to: str) -> dict[str, Any]:
    address = session.read("${CHANNEL(pjsip,remote_addr)}")
    ip, _colon, port = address.rpartition(":")
    caller = session.said.get("agi_callerid", "")
    return {
        "call_id": session.said.get("agi_uniqueid", ""),
        "switch": session.argument(2),
        "to": to,
        "account": session.said.get("agi_accountcode", "") or session.read("${CHANNEL(endpoint)}"),
        "caller": "" if caller == "unknown" else caller,
        "src_ip": ip.strip("[]"),
        "src_port": port if port.isascii() and port.isdigit() else None,
        "user_agent": session.read("${PJSIP_HEADER(read,User-Agent)}"),
    }


def _start(session: Session) -> None:
    switch = _switch(session)
    ending.started(switch, ending.find(switch, session.argument(3), session.argument(2)))


def _over(session: Session) -> None:
    switch = _switch(session)
    call = ending.find(switch, session.said.get("agi_uniqueid", ""), session.argument(2))
    if session.read("${CDR(disposition)}") != "ANSWERED":
        ending.failed(call)
        return
    answered = session.read("${CDR(answer,u)}").partition(".")[0]
    known = answered.isascii() and answered.isdigit() and len(answered) < 12
    at = datetime.fromtimestamp(int(answered), UTC) if known else None
    ending.ended(call, session.read("${CDR(billsec)}"), answered_at=at)


ACTIONS: Final[Mapping[str, Callable[[Session], None]]] = {"authorize": _authorize, "start": _start, "over": _over}


def _switch(session: Session) -> Switch:
    key = session.argument(1)
    switch = switches.switch_of(key) if key else None
    if switch is None:
        raise Refused(401, "key", "This key is not known, or was revoked.")
    if not switch.may_come_from(session.peer):
        raise Refused(401, "address", "This key is not used from this address.")
    return switch


# -- the server -----------------------------------------------------------------------------------------------------
class AgiServer:
    """Listens until it is stopped. More calls at a time than workers wait in the listener's queue."""

    def __init__(self, host: str, port: int = PORT, workers: int = WORKERS) -> None:
        self._listener = socket.create_server((host, port), backlog=256)
        self._listener.settimeout(0.5)
        self.port: int = self._listener.getsockname()[1]
        self._stopped = Event()
        self._threads = [Thread(target=self._work, name=f"agi-{number}", daemon=True) for number in range(workers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no more; what goes on is finished."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(2 * TIMEOUT_S)
        self._listener.close()

    def _work(self) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    connection, peer = self._listener.accept()
                except TimeoutError:
                    continue
                self._serve(connection, str(peer[0]))
        finally:
            connections.close_all()

    def _serve(self, connection: socket.socket, peer: str) -> None:
        close_old_connections()
        with connection:
            connection.settimeout(TIMEOUT_S)
            try:
                answer(Session(connection, peer))
            except (Broken, OSError) as error:
                log.warning("agi: %s was left: %s", peer, error)
            except Exception:  # a fault of one call must not take its worker away from all others
                log.exception("agi: a call of %s could not be answered", peer)
        close_old_connections()
