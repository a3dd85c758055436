"""`./manage rerate --from 2026-10-05 --to 2026-10-12 --reason TEXT [--apply] [--accept-increases]`"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from rating.models import PriceList, RerateRun, RerateStatus, Source
from rating.services import rerating
from tiers.commands import TollgateCommand
from tiers.errors import Conflict, Invalid, NotFound
from tiers.models import Kind, Party


class Command(TollgateCommand):
    help = "Price past calls as they would be today and show the differences at every tier; with --apply, post them."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", required=True, metavar="ISO", help="calls that began at this time (UTC) or later")
        parser.add_argument("--to", required=True, metavar="ISO", help="and before this one")
        parser.add_argument("--reason", default="", metavar="TEXT", help="shown with each corrected call")
        parser.add_argument("--seller", metavar="CODE", help="for a dealer and all below it; the operator by default")
        parser.add_argument("--list", metavar="CODE", help="only calls priced by this list")
        parser.add_argument("--customer", metavar="CODE", help="only of this customer, or of all below this dealer")
        parser.add_argument("--source", metavar="CODE", help="only calls that came from this source")
        parser.add_argument("--apply", action="store_true", help="post the differences")
        parser.add_argument("--accept-increases", action="store_true", help="prepaid buyers are charged more, too")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        seller = _party(options["seller"], "--seller") or Party.objects.get(kind=Kind.OPERATOR)
        run = rerating.preview(
            rerating.Selection(
                party=seller,
                start=_moment(options["from"], "--from"),
                end=_moment(options["to"], "--to"),
                reason=options["reason"] or "Rated again from the command line",
                price_list=_found(PriceList.objects.select_related("seller"), options["list"], "--list"),
                customer=_party(options["customer"], "--customer"),
                source=_found(Source.objects.select_related("owner"), options["source"], "--source"),
            ),
            actor=self.actor,
        )
        if options["apply"]:
            run = rerating.apply(run, actor=self.actor, increases=rerating.ALL if options["accept_increases"] else ())
            if run.status != RerateStatus.DONE:
                raise Conflict("busy", "Somebody else is posting this re-rating.", hint="See it on the portal.")
        return figures(run), 0

    def say(self, value: Any) -> str:
        rows = [
            f"{row['buyer'] or row['carrier']:<20} to {row['seller']:<16}"
            f" +{row['more']} {row['less']} {row['currency']}, tax {row['tax']}, {row['calls']} calls"
            for row in value["totals"]
        ]
        counts = ", ".join(f"{number:,} {name}" for name, number in sorted(value["counts"].items()))
        asking = sum(not row["done"] for row in value["increases"])
        left = [f"{asking} prepaid buyers would pay more: say --accept-increases to charge them"] if asking else []
        return "\n".join([*rows, *left, f"{value['status']}: {counts or 'no calls'}"])


def figures(run: RerateRun) -> dict[str, Any]:
    """A run as programs read it. `done` of an increase: it was charged."""
    told = ("code", "seller", "currency", "calls", "amount", "done")
    increases = [{name: row[name] for name in told} for row in run.increases]
    return {
        "rerating": str(run.pk),
        "status": run.status,
        "from": run.period_from.isoformat(),
        "to": run.period_to.isoformat(),
        "counts": run.counts,
        "totals": run.totals,
        "largest": run.largest,
        "increases": increases,
    }


def _moment(text: str, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("time", f"{text} is not a time.", where=where, hint="Write it as 2026-10-05.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _party(code: str | None, where: str) -> Party | None:
    found: Party | None = _found(Party.objects.all(), code, where)
    return found


def _found(rows: Any, code: str | None, where: str) -> Any:
    if not code:
        return None
    found = rows.filter(code=code).first()
    if found is None:
        raise NotFound("unknown", f"There is no {code}.", where=where)
    return found
