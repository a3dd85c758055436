"""Bring a carrier's rate deck into a rate table from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rating.decks import DeckQuestions
from rating.models import RateTable
from rating.services.decks import NewTable, import_deck_by_code, preview_deck_by_code
from tiers.commands import EXIT_QUESTION, TollgateCommand, usage

SHOWN_REJECTED = 20
SHOWN_CHANGES = 20


class Command(TollgateCommand):
    """Exit 3 where the deck has two readings; give the answers with `--answer` and run it again."""

    help = "Import a carrier's rate deck (CSV, XLSX, XLS, JSON open rate card) into a rate table."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--table", required=True, metavar="CODE")
        parser.add_argument("--create", action="store_true", help="make the table, and the carrier, if need be")
        parser.add_argument("--owner", default="", metavar="PARTY")
        parser.add_argument("--carrier", default="", metavar="CODE")
        parser.add_argument("--currency", default="", metavar="USD")
        parser.add_argument("--effective", metavar="DATE", help="instead of the dates in the deck")
        parser.add_argument("--now", metavar="ISO", help="the moment of import; dates up to it are in force")
        parser.add_argument("--answer", action="append", default=[], metavar="KEY=VALUE")
        parser.add_argument(
            "--column", action="append", default=[], metavar="ROLE=NAME", help="code=Zone, price=Tarif; by number: #1"
        )
        parser.add_argument("--remember", action="store_true", help="keep answers and columns with the carrier")
        parser.add_argument("--preview", action="store_true", help="show what would change, price by price")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen and write nothing")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        look = preview_deck_by_code if options["preview"] else import_deck_by_code
        answers, mapping = _pairs(options["answer"], "--answer"), _pairs(options["column"], "--column")
        try:
            result = look(
                options["table"],
                options["file"],
                actor=self.actor,
                create=_new_table(options),
                dry_run=options["dry_run"] or options["preview"],
                now=_instant(options["now"], "--now"),
                effective=_instant(options["effective"], "--effective", options["table"]),
                answers=answers,
                mapping=mapping or None,
                keep=options["remember"],
            )
        except DeckQuestions as asked:
            questions = [
                {"key": one.key, "text": one.text, "options": list(one.options), "samples": list(one.samples)}
                for one in asked.questions
            ]
            return {"questions": questions}, EXIT_QUESTION
        return result.to_json(), 0

    def say(self, value: Any) -> str:
        if "questions" in value:
            asked = [
                f"{question['text']}\n  --answer {question['key']}="
                + f"  or  --answer {question['key']}=".join(question["options"])
                for question in value["questions"]
            ]
            return "\n".join(["The deck has two readings; nothing was written.", *asked])
        counts = ", ".join(f"{value[name]} {name}" for name in ("added", "changed", "closed", "unchanged"))
        lines = [f"{value['read']} lines read; prefixes: {counts}; {len(value['rejected'])} lines rejected."]
        lines += [_change(change) for change in value.get("changes", [])[:SHOWN_CHANGES]]
        lines += [f"Mind: {warning}" for warning in value["warnings"]]
        rejected = value["rejected"]
        lines += [f"Line {one['line']}: {one['reason']}: {one['text']}" for one in rejected[:SHOWN_REJECTED]]
        if len(rejected) > SHOWN_REJECTED:
            lines.append(f"... and {len(rejected) - SHOWN_REJECTED} more; --json shows all.")
        return "\n".join(lines)


def _new_table(options: dict[str, Any]) -> NewTable | None:
    given = [name for name in ("owner", "carrier", "currency") if options[name]]
    if not options["create"]:
        if given:
            raise usage(f"--{given[0]} goes with --create")
        return None
    if not (options["owner"] and options["currency"]):
        raise usage("--create needs --owner and --currency")
    return NewTable(options["owner"], options["currency"], options["carrier"])


def _change(change: dict[str, Any]) -> str:
    """One price that would change, as people read it."""
    before, after = change["before"] or "new", change["after"] or "closed"
    return f"{change['prefix']} {change['destination']}: {before} to {after} from {change['effective_from']}"


def _pairs(pairs: list[str], option: str) -> dict[str, str]:
    found = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not (key and mark):
            raise usage(f"{option} {pair}: KEY=VALUE is expected")
        found[key] = value
    return found


def _instant(text: str | None, option: str, table: str = "") -> datetime | None:
    """An ISO date or moment; one without an offset is in the zone of the table, or UTC."""
    if text is None:
        return None
    try:
        value = datetime.combine(date.fromisoformat(text), time()) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError as error:
        raise usage(f"{option} {text}: an ISO date or moment is expected, such as 2026-10-01") from error
    if value.tzinfo is not None:
        return value
    known = RateTable.objects.filter(code=table).values_list("time_zone", flat=True).first()
    return value.replace(tzinfo=ZoneInfo(known) if known else UTC)
