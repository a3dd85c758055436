"""`./manage import_usage`: bring in a file of calls, rate it at every tier and charge it, once."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rating.models import Source
from rating.services.imports import counts, import_file
from tiers.commands import TollgateCommand
from tiers.errors import NotFound


class Command(TollgateCommand):
    help = "Import call records and charge them at every tier. The same call is never charged twice."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--source", required=True, metavar="CODE")
        parser.add_argument("--format", default="", help="a format's name, or auto")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        source = Source.objects.select_related("owner").filter(code=options["source"]).first()
        if source is None:
            raise NotFound("source", f"There is no source {options['source']}.", where="--source")
        if not options["file"].is_file():
            raise NotFound("file", f"There is no file {options['file']}.", where="FILE")
        done = import_file(options["file"], source, actor=self.actor, format=options["format"])
        return {"import": str(done.pk), **counts(done)}, 0

    def say(self, value: Any) -> str:
        parts = ", ".join(f"{number:,} {name}" for name, number in value.items() if name not in {"import", "read"})
        return f"{value['read']:,} records read: {parts}."
