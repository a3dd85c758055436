"""`./manage run_invoices --seller CODE --period 2026-10 [--approve] [--issue] [--send] [--early]`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from invoicing.models import Invoice
from invoicing.services import amounts, runs
from invoicing.services.periods import parse_month
from tiers.commands import TollgateCommand
from tiers.errors import NotFound
from tiers.models import Party


class Command(TollgateCommand):
    help = "Make a seller's invoices of a month from what is not billed yet; approve, issue and mail them if told to."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seller", required=True, metavar="CODE")
        parser.add_argument("--period", required=True, metavar="YYYY-MM")
        parser.add_argument("--approve", action="store_true", help="approve the drafts, also those that stand")
        parser.add_argument("--issue", action="store_true", help="give them numbers; implies --approve")
        parser.add_argument("--send", action="store_true", help="mail them; implies --issue")
        parser.add_argument("--early", action="store_true", help="also when the period is not over yet")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        month = parse_month(options["period"])
        seller = Party.objects.filter(code=options["seller"]).first()
        if seller is None:
            raise NotFound("seller", f"There is no party {options['seller']}.", where="seller")
        steps = runs.Steps(options["approve"], options["issue"], options["send"])
        outcome = runs.carry_out(
            seller, month, steps, actor=self.actor, early=options["early"], progress=self._progress
        )
        for problem in outcome.problems:
            self.stderr.write(problem)
        invoices = [figures(invoice) for invoice in outcome.invoices]
        return {"invoices": invoices, "created": outcome.created, "skipped": outcome.skipped}, 0

    def say(self, value: Any) -> str:
        rows = [
            f"{one['number'] or 'draft':<16} {one['customer']:<24} {one['total']:>14} {one['currency']}"
            f"  due {one['due']}"
            for one in value["invoices"]
        ]
        return "\n".join([*rows, f"{value['created']} made, {value['skipped']} with nothing new to bill"])

    def _progress(self, done: int, total: int) -> None:
        if done % 50 == 0 or done == total:
            self.stderr.write(f"{done} of {total}")


def figures(invoice: Invoice) -> dict[str, str | None]:
    """An invoice as programs read it: `net` exact, the rest in the currency's decimals."""
    decimals = amounts.currency_decimals(invoice.currency)
    return {
        "number": invoice.number,
        "customer": invoice.buyer.code,
        "currency": invoice.currency,
        "net": amounts.plain_exact(invoice.net, decimals),
        "tax": amounts.plain_rounded(invoice.tax, decimals),
        "total": amounts.plain_rounded(invoice.total, decimals),
        "due": amounts.plain_rounded(invoice.due, decimals),
    }
