"""What all commands have in common: `--json`, exit codes, and errors that say what to do.

With `--json` exactly one JSON value goes to stdout and everything else to stderr. Exit 0: done; 1: failed, and nothing
was written; 2: wrong usage; 3: a question must be answered.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any, ClassVar

import pghistory
from django.core.management.base import BaseCommand, CommandError

from tiers.errors import TollgateError
from tiers.viewer import Actor

EXIT_FAILED, EXIT_USAGE, EXIT_QUESTION = 1, 2, 3


class TollgateCommand(BaseCommand):
    """Subclasses write `run(options)` and return (JSON value, exit code); `say(value)` puts it in words."""

    actor: ClassVar[Actor] = Actor("command line")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON value, for programs")
        self.arguments(parser)

    def arguments(self, parser: ArgumentParser) -> None:
        """The command's own arguments."""

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        raise NotImplementedError

    def say(self, value: Any) -> str:
        """The result for people."""
        return json.dumps(value, indent=2, ensure_ascii=False)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with pghistory.context(actor=self.actor.label, command=type(self).__module__.rpartition(".")[2]):
                value, code = self.run(options)
        except TollgateError as error:
            self._fail(error, options["json"])
        else:
            self.stdout.write(json.dumps(value, ensure_ascii=False) if options["json"] else self.say(value))
            if code:
                sys.exit(code)

    def _fail(self, error: TollgateError, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"error": error.to_json()}, ensure_ascii=False))
        place = f" ({error.where})" if error.where else ""
        hint = f"\n{error.hint}" if error.hint else ""
        self.stderr.write(f"{error.message}{place}{hint}")
        sys.exit(EXIT_FAILED)


def usage(message: str) -> CommandError:
    """Wrong usage: exit 2."""
    return CommandError(message, returncode=EXIT_USAGE)
