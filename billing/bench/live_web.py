"""Live calls by HTTP: the production server, with as many workers and threads, and 8 clients that stay connected.

The clients are one process with 8 threads and bare sockets, and spend their time alike for whatever they ask, so that
they weigh on the yardstick more than on calls.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from billing.bench.live_world import asks

CLIENTS = 8
READY_S = 90.0
SERVER = ["--interface", "wsgi", "--no-ws", "--workers", "2", "--blocking-threads", "4"]
"""As `./run` and the production image start it."""


class Load(NamedTuple):
    """Answers a second, and the time within which 99 of 100 came."""

    per_s: float
    p99_ms: float


class Web:
    """The served application. `ask` makes the bytes of the next call to ask for."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key
        self._numbers = count()
        self._bodies = [json.dumps(one)[:-1] for one in asks(2_000)]

    def view(self) -> bytes:
        return _request("GET", "/bench/view", "")

    def knock(self) -> bytes:
        return _request("POST", "/bench/knock", "{}")

    def call(self) -> bytes:
        number = next(self._numbers)
        body = f'{self._bodies[number % len(self._bodies)]}, "call_id": "web-{os.getpid()}-{number}"}}'
        return _request("POST", "/api/v1/calls/authorize", body, f"Authorization: Bearer {self._key}\r\n")

    def load(self, make: Callable[[], bytes], seconds: float) -> Load:
        """Ask as fast as answers come."""
        until = time.perf_counter() + seconds
        with ThreadPoolExecutor(CLIENTS) as clients:
            times = [one for took in clients.map(lambda _: self._client(make, until), range(CLIENTS)) for one in took]
        times.sort()
        return Load(len(times) / seconds, times[int(len(times) * 0.99)] * 1000)

    def _client(self, make: Callable[[], bytes], until: float) -> list[float]:
        took = []
        with socket.create_connection(("127.0.0.1", self._port), 20) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (began := time.perf_counter()) < until:
                line.sendall(make())
                _read(line)
                took.append(time.perf_counter() - began)
        return took


def _request(method: str, path: str, body: str, more: str = "") -> bytes:
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}{more}\r\n{body}".encode()


def _read(line: socket.socket) -> None:
    """One answer; it must be a good one."""
    said = line.recv(65_536)
    while b"\r\n\r\n" not in said:
        said += line.recv(65_536)
    head, _gap, body = said.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise AssertionError(said[:500])
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    while len(body) < length:
        body += line.recv(65_536)


@contextmanager
def served(key: str, folder: Path) -> Iterator[Web]:
    """The server on a free port of loopback; it is gone afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "granian", *SERVER, "--port", str(port), "billing.dev.bench_app:application"]
    environment = {**os.environ, "TOLLGATE_DB_ROLE": "web", "ALLOWED_HOSTS": "127.0.0.1"}
    with (folder / "web.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(port)
        web = Web(port, key)
        web.load(web.call, 3)  # Both workers compile prices and meet their first calls.
        yield web
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait_for(port: int) -> None:
    until = time.monotonic() + READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
