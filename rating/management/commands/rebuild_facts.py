"""Make the facts of a month, or of all months, anew from the calls."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rating.services.fact_rebuild import months_of_calls, rebuild_facts


class Command(BaseCommand):
    """A line a month. Imports that run meanwhile wait for the month that is being made."""

    help = "Roll the calls of a month up again: ./manage rebuild_facts 2026-11, or --all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", nargs="?", help="YYYY-MM, by UTC")
        parser.add_argument("--all", action="store_true", help="every month that has calls")

    def handle(self, *args: Any, month: str | None, all: bool, **options: Any) -> None:
        if bool(month) == all:
            raise CommandError("Say a month as YYYY-MM, or --all.")
        for one in months_of_calls() if month is None else [_month(month)]:
            self.stdout.write(f"{one:%Y-%m}: {rebuild_facts(one)} facts")


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise CommandError(f"{text} is not a month such as 2026-11.") from None
