"""`./manage demo`: loads the story once, into the embedded database, or elsewhere into an empty one with --demo."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from billing.demo.loading import check_allowed, is_loaded, load_demo
from tiers.errors import TollgateError


class Command(BaseCommand):
    help = "Load the demo: an operator, dealers, customers, last month's calls and bills. Its passwords are known."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="also into an empty database that is not embedded")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            if not is_loaded():
                check_allowed(asked=options["demo"])
            told = load_demo(lambda line: print(line, file=sys.stderr, flush=True))
        except TollgateError as error:
            if options["json"]:
                print(json.dumps({"error": error.to_json()}))
            else:
                print(error.message, error.hint or "", file=sys.stderr)
            sys.exit(1)
        if options["json"]:
            print(json.dumps(told))
            return
        for login in told["logins"]:
            print(f"{login['email']:34} {login['password']}   {login['who']}")
