"""Mail servers for the delivery tests: real ones, on a port of this machine, each with its own temper."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Letter:
    """What arrived: for whom, and the message."""

    to: list[str]
    message: Message

    @property
    def attachments(self) -> dict[str, bytes]:
        parts = {part.get_filename(): part.get_payload(decode=True) for part in self.message.walk()}
        return {name: data for name, data in parts.items() if name and isinstance(data, bytes)}


@dataclass
class Temper:
    """An obliging server. `answers` are given to the next messages instead of taking them; "drop" hangs up after DATA.

    `refused` are addresses it never takes, `later` addresses that it takes at the second asking.
    """

    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    later: set[str] = field(default_factory=set)
    letters: list[Letter] = field(default_factory=list)
    handed_over: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.refused:
            return self.refused[address]
        if address in self.later:
            self.later.discard(address)
            return "450 4.2.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.handed_over += 1
        answer = self.answers.pop(0) if self.answers else ""
        if answer != "drop" and answer:
            return answer
        self.letters.append(Letter(list(envelope.rcpt_tos), message_from_bytes(envelope.content)))
        if answer == "drop":
            server.transport.abort()
        return "250 OK"


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def mail_server(temper: Temper, port: int) -> Iterator[None]:
    """The server at work on the port."""
    controller = Controller(temper, hostname="127.0.0.1", port=port, data_size_limit=50_000_000)
    controller.start()
    try:
        yield
    finally:
        controller.stop()
