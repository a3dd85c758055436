"""`./manage export_books --brand CODE --from 2026-10-01 --to 2026-10-31 --kind journal --format csv [--out FILE]`"""

from __future__ import annotations

import shutil
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from invoicing.books.asked import asked_of
from invoicing.books.files import Export, Format, book_file
from tiers.commands import TollgateCommand
from tiers.errors import NotFound
from tiers.models import Brand


class Command(TollgateCommand):
    help = "Write a seller's journal, balances, invoices or tax of a period to a file for its accountant."

    def arguments(self, parser: ArgumentParser) -> None:
        day = {"required": True, "type": date.fromisoformat, "metavar": "YYYY-MM-DD"}
        parser.add_argument("--brand", required=True, metavar="CODE", help="its owner's books, days in its zone")
        parser.add_argument("--from", dest="first", **day)  # type: ignore[arg-type]
        parser.add_argument("--to", dest="last", **day)  # type: ignore[arg-type]
        parser.add_argument("--kind", choices=[one.value for one in Export], default=Export.JOURNAL.value)
        parser.add_argument("--format", choices=[one.value for one in Format], default=Format.CSV.value)
        parser.add_argument("--currency", metavar="CCY", help="the brand's own unless said")
        parser.add_argument("--out", type=Path, metavar="FILE", help="by default a name that says what it is, here")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        brand = Brand.objects.select_related("owner").filter(code=options["brand"]).first()
        if brand is None:
            raise NotFound("brand", f"There is no brand {options['brand']}.", where="brand")
        currency = options["currency"] or brand.currency
        asked = asked_of(brand.owner, currency, options["first"], options["last"], brand.time_zone)
        made, name = book_file(asked, options["kind"], options["format"])
        path = options["out"] or Path(name)
        with made, path.open("wb") as out:
            shutil.copyfileobj(made, out)
        return {"file": str(path), "bytes": path.stat().st_size, "currency": currency}, 0

    def say(self, value: Any) -> str:
        return f"{value['file']}: {value['bytes']} bytes, in {value['currency']}"
