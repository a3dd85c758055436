"""`./manage agi_server`: answers Asterisk's FastAGI until it is stopped."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from rating.live.agi import PORT, WORKERS, AgiServer
from rating.pricing.current import current_engine
from tiers.commands import TollgateCommand
from tiers.errors import Invalid


class Command(TollgateCommand):
    help = "Answer Asterisk's FastAGI (examples/switches/asterisk). It speaks without encryption: keep it inside."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1)")
        parser.add_argument("--port", type=int, default=PORT, help=f"the port ({PORT})")
        parser.add_argument("--workers", type=int, default=WORKERS, help=f"calls answered at a time ({WORKERS})")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        current_engine()  # prices are read before the first caller waits
        try:
            server = AgiServer(options["host"], options["port"], max(1, options["workers"]))
        except OSError as error:
            raise Invalid("listen", f"Cannot listen there: {error.strerror}.", where="--host, --port") from None
        stopped = Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_told: stopped.set())
        server.start()
        self.stderr.write(f"FastAGI is answered at {options['host']}:{server.port}.")
        stopped.wait()
        server.stop()
        return {"stopped": True}, 0

    def say(self, value: Any) -> str:
        return "Stopped."
