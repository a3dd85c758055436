"""The demo's usage, month by month: calls told, written as each switch writes them, imported by the real pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from billing.demo.calls import Call, Place, month_of_calls, until
from billing.demo.customers import CUSTOMERS, Customer
from billing.demo.files import write_asterisk, write_generic
from billing.demo.sellers import Data
from billing.demo.story import SOURCES
from rating.models import ImportStatus, Source, UsageImport
from rating.services.imports import counts, import_file
from tiers.viewer import Actor

ASTERISK = "harbour-pbx"
ON_ASTERISK = "alster-hotel"
SWITCH_OF = {"northstar": "northstar-switch", "quarry": "northstar-switch", "harbour": "harbour-sbc",
             "pier": "pier-sbc", "summit": "summit-sbc", "meadow": "meadow-sbc"}  # fmt: skip
MOVING_DAY = 15


@dataclass(frozen=True, slots=True)
class Telling:
    """How much is told (`share` of the story's calls), until when, and in which month customers change carriers."""

    share: float
    now: datetime
    moving_month: date

    @property
    def moved_at(self) -> datetime:
        return datetime.combine(self.moving_month.replace(day=MOVING_DAY), time(12), UTC)


def bring_usage(
    month: date, telling: Telling, folder: Path, actor: Actor, say: Callable[[str], None]
) -> dict[str, int]:
    """Import the month's calls of every switch; files that are in already stay. The counts of all of them."""
    total: dict[str, int] = {}
    for source in SOURCES:
        name = f"{source['code']}-{month:%Y-%m}.csv"
        done = UsageImport.objects.filter(name=name, status=ImportStatus.DONE).first()
        if done is None:
            path = folder / name
            lines = _write(path, source, month, telling)
            if not lines:
                continue
            say(f"Importing {name}, {lines} calls ...")
            done = import_file(path, Source.objects.get(code=source["code"]), actor=actor)
        for what, count in counts(done).items():
            total[what] = total.get(what, 0) + count
    return total


def _write(path: Path, source: Data, month: date, telling: Telling) -> int:
    zone, home = ZoneInfo(source["time_zone"]), source["dial_plan"]["home_country"]
    place = Place(source["time_zone"], home, telling.share)
    calls: list[Call] = []
    for customer in CUSTOMERS:
        if _source_of(customer) == source["code"]:
            told = month_of_calls(customer, month, place, moved_at=telling.moved_at)
            calls.extend(until(told, telling.now))
    calls.sort(key=lambda call: (call.started_at, call.call_id))
    if source["code"] == ASTERISK:
        return write_asterisk(path, calls, zone, home)
    return write_generic(path, calls, zone, home, plain=source["dial_plan"].get("plain_e164", False))


def _source_of(customer: Customer) -> str:
    return ASTERISK if customer.code == ON_ASTERISK else SWITCH_OF[customer.brand]
