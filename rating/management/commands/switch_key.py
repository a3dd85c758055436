"""`./manage switch_key SOURCE NAME`: a key for a switch, shown once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from rating.live.switches import create_switch_key
from rating.models import Source
from tiers.commands import TollgateCommand
from tiers.errors import NotFound


class Command(TollgateCommand):
    help = "Make a key by which a switch asks for calls; it is shown once."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="code of the source")
        parser.add_argument("name", help="what to call the key")
        parser.add_argument("--from", dest="networks", nargs="*", default=[], help="addresses or networks it may use")
        parser.add_argument("--reports", action="store_true", help="the switch tells of answers, and during the call")
        parser.add_argument("--seconds", type=int, help="most seconds allowed at once")

    def run(self, options: dict[str, Any]) -> tuple[Any, int]:
        source = Source.objects.select_related("owner").filter(code=options["source"]).first()
        if source is None:
            raise NotFound("source", f"There is no source {options['source']}.", where="SOURCE")
        row, key = create_switch_key(
            source,
            options["name"],
            options["networks"],
            actor=self.actor,
            interims=options["reports"],
            slice_s=options["seconds"],
        )
        return {"source": source.code, "name": row.name, "key": key}, 0

    def say(self, value: Any) -> str:
        return f"Key of {value['source']} ({value['name']}), shown this once: {value['key']}"
