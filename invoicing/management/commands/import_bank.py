"""`./manage import_bank FILE --brand CODE [--currency EUR] [--map amount=Betrag ...]`"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from invoicing.bank.entry import MOST_BYTES
from invoicing.services.bank_files import import_bank
from tiers.commands import TollgateCommand
from tiers.errors import Invalid, NotFound
from tiers.models import Brand


class Command(TollgateCommand):
    help = "Bring in a bank's file (camt.053 or CSV) and book what names its invoices. Told twice, it is booked once."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--brand", required=True, metavar="CODE", help="a brand of the seller whose account it is")
        parser.add_argument("--currency", default="", metavar="CUR", help="of a CSV without such a column")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="NAME=HEAD",
            help="which column is the date, amount, currency, reference, payer, id or account",
        )

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        brand = Brand.objects.select_related("owner").filter(code=options["brand"]).first()
        if brand is None:
            raise NotFound("brand", f"There is no brand {options['brand']}.", where="brand")
        path: Path = options["file"]
        try:
            with path.open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
        except OSError as error:
            raise Invalid("file", f"{path.name} cannot be read.", where="file") from error
        mapping = dict(one.split("=", 1) for one in options["map"] if "=" in one)
        done = import_bank(
            brand.owner, path.name, content, actor=self.actor, mapping=mapping, currency=options["currency"]
        )
        figures = ("fresh", "known", "booked", "waiting", "debits")
        return {name: getattr(done, name) for name in figures}, 0

    def say(self, value: Any) -> str:
        return (
            f"{value['fresh']} new entries, {value['known']} known before: {value['booked']} booked,"
            f" {value['waiting']} wait for a person, {value['debits']} are money out"
        )
