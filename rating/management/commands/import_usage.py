"""`./manage import_usage`: bring in a file of calls, rate it at every tier and charge it, once.

With `--look` nothing is written: it shows the first calls as they would be read, which is how a mapping is made.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from rating.models import Source
from rating.services.chunk_work import CLOCKS_ALLOWED, COUNTS
from rating.services.imports import counts, import_files
from rating.usage import registry
from rating.usage.halves import Half
from rating.usage.mapping import MappingError, UsageMapping
from rating.usage.protocol import QUESTIONS, UsageRefused
from rating.usage.reading import AUTO, open_usage
from rating.usage.record import BadRow, UsageRow
from tiers.commands import EXIT_QUESTION, TollgateCommand
from tiers.errors import Invalid, NotFound, TollgateError

LOOKED_AT = 20


class Command(TollgateCommand):
    help = "Import call records, packed or not, and charge them at every tier. The same call is never charged twice."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--source", required=True, metavar="CODE")
        parser.add_argument("--format", default="", help="a format's name, or auto")
        parser.add_argument("--mapping", type=Path, metavar="JSON", help="read the file by this mapping, this once")
        parser.add_argument("--look", action="store_true", help="show the first calls as they are read; write nothing")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        source = Source.objects.select_related("owner").filter(code=options["source"]).first()
        if source is None:
            raise NotFound("source", f"There is no source {options['source']}.", where="--source")
        if not options["file"].is_file():
            raise NotFound("file", f"There is no file {options['file']}.", where="FILE")
        mapping = _mapping(options["mapping"]) if options["mapping"] else None
        try:
            if options["look"]:
                return _look(options["file"], source, options["format"] or source.format, mapping), 0
            return self._import(options, source, mapping), 0
        except TollgateError as error:
            if error.code not in QUESTIONS:
                raise
            return {"questions": [_question(error)]}, EXIT_QUESTION

    def _import(self, options: dict[str, Any], source: Source, mapping: dict[str, Any] | None) -> dict[str, Any]:
        format = AUTO if mapping is not None else options["format"]
        done = import_files(options["file"], source, actor=self.actor, format=format, mapping=mapping)
        each = [counts(one) for one in done]
        total = {name: sum(found[name] for found in each) for name in each[0]}
        files = [
            {"import": str(one.pk), "file": one.name, "error": one.error, **found}
            for one, found in zip(done, each, strict=True)
        ]
        return {"import": str(done[0].pk), **total, **({"files": files} if len(files) > 1 else {})}

    def say(self, value: Any) -> str:
        if "questions" in value:
            return "\n".join(f"{one['text']}\n  {one['hint']}" for one in value["questions"])
        if "rows" in value:
            return "\n".join([f"Format: {value['format']}", *(_told(row) for row in value["rows"])])
        lines = [f"{one['file']}: {_said(one)}" for one in value.get("files", [])]
        return "\n".join([*lines, _said(value)])


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        UsageMapping.from_json(found)
    except MappingError as error:
        raise Invalid("mapping", error.message, where=f"mapping.{error.where}") from error
    except (OSError, ValueError) as error:
        raise Invalid("mapping", f"The mapping cannot be read: {error}.", where="--mapping") from error
    return found


def _look(path: Path, source: Source, format: str, mapping: dict[str, Any] | None) -> dict[str, Any]:
    """The first records, and whether totals at the end hold. Raises Invalid where the file would be refused."""
    try:
        usage = open_usage(
            path,
            ZoneInfo(source.time_zone),
            not_after=timezone.now() + CLOCKS_ALLOWED,
            format=AUTO if mapping is not None else format,
            mapping=source.mapping if mapping is None else mapping,
        )
        chunks = usage.chunks(LOOKED_AT)
    except UsageRefused as refused:
        raise Invalid(refused.code, refused.message, where=refused.where, hint=refused.hint) from refused
    rows = [_row(row) for row in usage.rows(chunks[0])] if chunks else []
    return {"format": usage.format, "rows": rows}


def _row(row: UsageRow | BadRow | Half) -> dict[str, Any]:
    if isinstance(row, BadRow):
        return {"line": row.line, "error": {"code": row.code, "message": row.reason, "where": row.field, "hint": None}}
    whole = row.row if isinstance(row, Half) else row
    if whole is None:
        assert isinstance(row, Half)
        return {"line": row.line, "call_id": row.call_id, "half": row.side, "at": row.at.isoformat()}
    return {
        "line": whole.line,
        "call_id": whole.call_id,
        "account": whole.account,
        "from": whole.caller,
        "to": whole.callee,
        "started_at": whole.started_at.isoformat(),
        "answered_at": whole.answered_at.isoformat() if whole.answered_at else None,
        "seconds": whole.duration_s,
        "direction": whole.direction,
        "carrier": whole.carrier,
        "reference": whole.reference,
    }


def _question(error: TollgateError) -> dict[str, Any]:
    format = error.code == "which_format"
    options = sorted(registry.ADAPTERS) if format else []
    hint = "--format NAME" if format else error.hint
    return {"key": "format" if format else "mapping", "text": error.message, "options": options, "hint": hint}


def _told(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{row['line']}: {row['error']['message']}"
    if "half" in row:
        return f"{row['line']}: {row['half']} of {row['call_id']} at {row['at']}"
    said = f"{row['from'] or '-'} to {row['to']} at {row['started_at']}, {row['seconds']} s"
    return f"{row['line']}: {said}, {row['direction']}"


def _said(found: dict[str, Any]) -> str:
    if found.get("error"):
        return str(found["error"]["message"])
    parts = ", ".join(f"{found[name]:,} {name}" for name in COUNTS if name != "read")
    return f"{found['read']:,} records read: {parts}."
