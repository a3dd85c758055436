"""`./manage setup FILE.json`: makes what the file describes; a second run changes nothing."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from billing.setup import load_file
from tiers.errors import TollgateError
from tiers.viewer import Actor


class Command(BaseCommand):
    help = "Set up parties, brands, prices, carriers and sources from a file. Its format: docs/setup.md"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            tally = load_file(options["file"], actor=Actor("setup"))
        except TollgateError as error:
            self._refused(error, options["json"])
        found = tally.to_json()
        if options["json"]:
            print(json.dumps(found))
        else:
            print(", ".join(f"{count} {what}" for what, count in found.items()))

    def _refused(self, error: TollgateError, as_json: bool) -> None:
        if as_json:
            print(json.dumps({"error": error.to_json()}))
        else:
            place = f"{error.where}: " if error.where else ""
            print(f"{place}{error.message}", error.hint or "", file=sys.stderr)
        sys.exit(1)
