"""Price calls from standard input by the kernel alone; needs no database."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from rating.kernel.wire import answers


class Command(BaseCommand):
    """One JSON object a line in, one out; a bad line gets an error and the next is read. Exit 0."""

    help = 'Price calls: one JSON object a line {"rate": {...}, "seconds", "answered_at"} from standard input.'
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="accepted for likeness: the output is always JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for text in answers(sys.stdin.buffer):
                self.stdout.write(text)
                self.stdout.flush()
        except BrokenPipeError:  # nobody reads any more: let the last flush go nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
