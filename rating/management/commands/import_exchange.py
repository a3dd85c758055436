"""Bring a bank's exchange rates in from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from rating.exchange.file import MOST_BYTES
from rating.services.exchange_files import KEEP, QUESTION, REPLACE, RatesAsked, import_rates
from tiers.commands import EXIT_QUESTION, TollgateCommand, usage


class Command(TollgateCommand):
    """Exit 3 where rates that calls were rated by stand otherwise; give `--answer changed=keep` or `=replace`."""

    help = "Import exchange rates: the European Central Bank's eurofxref files, as XML, CSV or ZIP."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--since", metavar="DATE", help="leave older days of a history away")
        parser.add_argument("--answer", action="append", default=[], metavar="KEY=VALUE")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen and write nothing")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        try:
            with options["file"].open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise usage(f"{options['file']}: {error.strerror}") from error
        try:
            result = import_rates(
                content,
                actor=self.actor,
                since=_day(options["since"]),
                differing=_answer(options["answer"]),
                dry_run=options["dry_run"],
            )
        except RatesAsked as asked:
            question = {"key": asked.key, "text": asked.text, "options": list(asked.options)}
            return {"questions": [question]}, EXIT_QUESTION
        return result.to_json(), 0

    def say(self, value: Any) -> str:
        if "questions" in value:
            asked = value["questions"][0]
            choices = "  or  ".join(f"--answer {asked['key']}={option}" for option in asked["options"])
            return f"Nothing was written. {asked['text']}\n  {choices}"
        counts = ", ".join(f"{value[name]} {name}" for name in ("added", "changed", "kept", "unchanged"))
        days = value["last"] if value["days"] == 1 else f"{value['days']} days from {value['first']} to {value['last']}"
        lines = [f"{value['read']} rates of {days}: {counts}; {value['bad']} cells skipped."]
        lines += [f"Mind: {warning}" for warning in value["warnings"]]
        lines += [f"{one['where']}: {one['reason']}" for one in value["skipped"]]
        return "\n".join(lines)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise usage(f"--since {text}: an ISO date is expected, such as 2026-10-01") from error


def _answer(pairs: list[str]) -> str:
    for pair in pairs:
        key, _mark, value = pair.partition("=")
        if key != QUESTION or value not in (KEEP, REPLACE):
            raise usage(f"--answer {pair}: {QUESTION}={KEEP} or {QUESTION}={REPLACE} is expected")
        return value
    return ""
