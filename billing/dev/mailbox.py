"""The local mail box: an SMTP sink on loopback that files every mail into a maildir, so that no demo mail leaves.

The page /demo/mail/ reads that maildir. `./run` and `./manage` share one port, kept in the state folder; whoever comes
first listens there, the others find it taken by the box itself and use it.
"""

from __future__ import annotations

import argparse
import mailbox
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing.dev.environment import mail_folder
from billing.dev.state import exclusive, folder, state_folder

LOOPBACK = "127.0.0.1"
GREETING = "Tollgate local mail box"
LARGEST_MAIL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class MailBox:
    """A mail box that listens (or will listen) at `port` of loopback and files into `place`."""

    port: int
    place: Path

    @classmethod
    def of_clone(cls) -> MailBox:
        """The clone's box, at the port of last time where that is still ours or free, else at another."""
        kept = state_folder(".") / "mail.port"
        with exclusive(kept.with_suffix(".lock")):
            port = int(kept.read_text()) if kept.is_file() else 0
            if not port or not (is_free(port) or is_ours(port)):
                port = free_port()
                kept.write_text(str(port))
        return cls(port, mail_folder())

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listens while the block runs, unless another command of this clone does so already."""
        if not is_free(self.port):
            yield
            return
        server = controller(self)
        server.start()
        try:
            yield
        finally:
            server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        number: int = probe.getsockname()[1]
        return number


def is_free(port: int, host: str = LOOPBACK) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def is_ours(port: int) -> bool:
    """Does the program that listens there greet as a box of this clone?"""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            return greeting(mail_folder()).encode() in connection.recv(512)
    except OSError:
        return False


def greeting(place: Path) -> str:
    return f"{GREETING} {place}"


def controller(box: MailBox) -> Any:
    """An aiosmtpd controller; imported late, for it costs more than the rest of a short command."""
    from aiosmtpd.controller import Controller

    folder(box.place.parent)
    files = mailbox.Maildir(str(box.place), create=True)
    lock = threading.Lock()

    class Filer:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            message = mailbox.MaildirMessage(envelope.content)
            message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
            with lock:
                files.add(message)
            return "250 Filed"

    return Controller(
        Filer(),
        hostname=LOOPBACK,
        port=box.port,
        ident=greeting(box.place),
        data_size_limit=LARGEST_MAIL_BYTES,
    )


def main() -> None:
    """The process that `./run` starts: listens until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    box = MailBox(parser.parse_args().port, mail_folder())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = controller(box)
    server.start()
    stop.wait()
    server.stop()


if __name__ == "__main__":
    main()
