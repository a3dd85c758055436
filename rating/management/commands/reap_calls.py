"""`./manage reap_calls`: close the live calls whose end never came. Beat does it every ten seconds."""

from __future__ import annotations

from typing import Any

from rating.live.reaping import reap
from tiers.commands import TollgateCommand


class Command(TollgateCommand):
    help = "Close live calls whose time is over and whose end was never reported."

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        return {"closed": reap()}, 0

    def say(self, value: Any) -> str:
        return f"{value['closed']} calls closed."
