"""`./manage send_outbox`: what beat does every half minute, by hand."""

from __future__ import annotations

from typing import Any

from invoicing.services import outbox
from tiers.commands import TollgateCommand


class Command(TollgateCommand):
    help = "Send the mails that are due. Those that the server does not take now wait for another try."

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        result = outbox.send_due()
        if result.problem:
            self.stderr.write(result.problem)
        return {"sent": result.sent, "failed": result.failed, "waiting": outbox.waiting()}, 0

    def say(self, value: Any) -> str:
        return f"{value['sent']} sent, {value['failed']} refused for good, {value['waiting']} waiting"
