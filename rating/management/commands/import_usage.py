"""`./manage import_usage`: bring in a file of calls, rate it at every tier and charge it, once."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rating.models import Source
from rating.services.chunk_work import COUNTS
from rating.services.imports import counts, import_files
from tiers.commands import TollgateCommand
from tiers.errors import NotFound


class Command(TollgateCommand):
    help = "Import call records, packed or not, and charge them at every tier. The same call is never charged twice."

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
        done = import_files(options["file"], source, actor=self.actor, format=options["format"])
        each = [counts(one) for one in done]
        total = {name: sum(found[name] for found in each) for name in each[0]}
        files = [
            {"import": str(one.pk), "file": one.name, "error": one.error, **found}
            for one, found in zip(done, each, strict=True)
        ]
        return {"import": str(done[0].pk), **total, **({"files": files} if len(files) > 1 else {})}, 0

    def say(self, value: Any) -> str:
        lines = [f"{one['file']}: {_said(one)}" for one in value.get("files", [])]
        return "\n".join([*lines, _said(value)])


def _said(found: dict[str, Any]) -> str:
    if found.get("error"):
        return str(found["error"]["message"])
    parts = ", ".join(f"{found[name]:,} {name}" for name in COUNTS if name != "read")
    return f"{found['read']:,} records read: {parts}."
