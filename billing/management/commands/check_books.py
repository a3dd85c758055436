"""`./manage check_books`: recompute every stored figure from the rows it must follow from."""

from __future__ import annotations

from typing import Any

from accounts.books import counts
from billing.books import violations
from tiers.commands import EXIT_FAILED, TollgateCommand

SHOWN = 50


class Command(TollgateCommand):
    help = "Prove the books: balances, holds, rated calls, invoices."

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        found = [violation.to_json() for violation in violations()]
        return {"ok": not found, **counts(), "violations": found}, EXIT_FAILED if found else 0

    def say(self, value: Any) -> str:
        checked = f"{value['accounts']} accounts, {value['transfers']} transfers"
        if value["ok"]:
            return f"The books are right: {checked}."
        lines = [f"The books are wrong in {len(value['violations'])} places ({checked})."]
        lines += [
            f"  {one['law']}: {one['account']} expected {one['expected']}, found {one['found']} {one['currency'] or ''}"
            for one in value["violations"][:SHOWN]
        ]
        return "\n".join(lines)
