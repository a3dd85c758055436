"""The embedded servers of one purpose (run, test, bench), shared by all commands that need them at a time.

Each command holds a shared lock on the purpose's `users` file while it works. The last one out stops the servers, so
a command never pulls them from under another, and nothing is left running after the last.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from billing.dev.broker import Broker
from billing.dev.postgres import OWNER, WEB, Postgres
from billing.dev.state import exclusive, open_lock, try_lock


@dataclass(frozen=True)
class Services:
    """Which embedded servers a command needs: none of those that the environment already names."""

    purpose: str
    durable: bool = True
    only_embedded: bool = False  # for tests and benchmarks, which must not touch a server that somebody uses

    @cached_property
    def postgres(self) -> Postgres:
        return Postgres(self.purpose, self.durable)

    @cached_property
    def broker(self) -> Broker:
        return Broker(self.postgres.home)

    @cached_property
    def embeds_postgres(self) -> bool:
        return self.only_embedded or not os.environ.get("DATABASE_URL")

    @cached_property
    def embeds_broker(self) -> bool:
        return self.only_embedded or not os.environ.get("REDIS_URL")

    def start(self) -> bool:
        """Starts what is down; also mends what died. True: something was down."""
        started = [self.embeds_postgres and self.postgres.start(), self.embeds_broker and self.broker.start()]
        return any(started)

    def stop(self) -> None:
        if self.embeds_broker:
            self.broker.stop()
        if self.embeds_postgres:
            self.postgres.stop()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The servers are up inside the block; the last user of them stops them."""
        turn = self.postgres.home / "turn.lock"
        with open_lock(self.postgres.home / "users.lock") as users:
            with exclusive(turn):
                fcntl.flock(users, fcntl.LOCK_SH)
                self.start()
            try:
                yield
            finally:
                with exclusive(turn):
                    if try_lock(users):
                        self.stop()

    def addresses(self, database: str = "tollgate") -> dict[str, str]:
        """The variables by which a process finds the embedded servers."""
        found = {}
        if self.embeds_postgres:
            found["DATABASE_URL"] = self.postgres.url(OWNER, database)
            found["DATABASE_WEB_URL"] = self.postgres.url(WEB, database)
        if self.embeds_broker:
            found["REDIS_URL"] = self.broker.url
        return found
