"""`./manage demo_calls`: the demo's customers call each other and the world for a while, so that pages move."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from billing.demo.loading import ACTOR, is_loaded
from billing.demo.playing import Play, Switchboard
from tiers.commands import TollgateCommand
from tiers.errors import Conflict


class Command(TollgateCommand):
    help = "Play live calls of the demo against a running ./run, by HTTP as switches ask. Ctrl-C ends them."
    actor = ACTOR

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", help="where Tollgate is served (default: loopback, PORT or 8000)")
        parser.add_argument("--seconds", type=int, default=300, help="for how long (default: 300)")
        parser.add_argument("--at-once", type=int, default=12, help="about so many calls at a time (default: 12)")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        if not is_loaded():
            raise Conflict("no_demo", "The demo is not loaded here; its customers are who calls.", hint="Begin ./run.")
        url = options["url"] or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
        board = Switchboard(url, ACTOR)
        say = self.stderr.write if options["json"] else self.stdout.write
        try:
            played = Play(board, options["at_once"], say).run(options["seconds"])
        finally:
            board.close()
        return vars(played), 0

    def say(self, value: Any) -> str:
        return "{asked} calls were asked for, {allowed} allowed, {refused} refused, {answered} answered.".format(
            **value
        )
