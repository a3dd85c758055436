"""Rate tables and the rates in them, entered by hand or from a set-up file. (Decks come by the deck import.)

A rate holds from a moment until the next rate of its prefix begins; entering one closes the one before it. Every
change raises the table's version, by which compiled prices know that they are stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db.models import BigIntegerField, F, Func
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.kernel import Rate as KernelRate
from rating.kernel import RateError
from rating.models import Rate, RateTable
from tiers.errors import Invalid
from tiers.models import Kind, Party
from tiers.services.brands import check_currency, check_time_zone
from tiers.services.writing import apply_changes, check_code_free, check_fields, written_by
from tiers.viewer import Actor

LARGEST_PRICE = Decimal("9999999999")
PLACES = Decimal("0.00000001")


class Pricing(TypedDict, total=False):
    """How amounts are worked out: decimals 0 to 6 (4), rounding, zone and rule of bands, holidays as ISO dates."""

    decimals: int
    rounding: str
    time_zone: str
    band_rule: str
    holidays: list[str]


@dataclass(frozen=True, slots=True)
class RateEntry:
    """One rate as somebody enters it. Price per minute in the table's currency; the rest as in the kernel."""

    prefix: str
    price: Decimal
    effective_from: datetime
    destination: str = ""
    connect_fee: Decimal = Decimal(0)
    first_s: int | None = None
    step_s: int = 1
    grace_s: int = 0
    free_s: int = 0
    min_charge: Decimal = Decimal(0)
    steps: list[dict[str, Any]] | None = None
    bands: list[dict[str, Any]] | None = None
    blocked: bool = False
    effective_to: datetime | None = None


VALUES = tuple(name for name in RateEntry.__dataclass_fields__ if name not in ("prefix", "effective_from"))
PRICED = ("connect_fee", "first_s", "step_s", "grace_s", "free_s", "min_charge", "steps", "bands")


@dataclass(slots=True)
class RateTally:
    """Prefixes by what became of them."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rows: list[Rate] = field(default_factory=list)


def create_table(
    owner: Party, code: str, name: str, currency: str, *, actor: Actor, **pricing: Unpack[Pricing]
) -> RateTable:
    """An empty rate table of a seller. Raises Invalid, Conflict (code taken)."""
    if owner.kind == Kind.CUSTOMER:
        raise Invalid("owner", _("A customer has no rate tables."), where="owner")
    with written_by(actor):
        check_code_free(RateTable, code)
        table = RateTable(owner=owner, code=code, name=name, currency=currency, **pricing)
        check_pricing(table)
        table.save(force_insert=True)
    return table


def update_table(table: RateTable, *, actor: Actor, name: str | None = None, **pricing: Unpack[Pricing]) -> RateTable:
    """Rename a table or change how its amounts are worked out. Its currency stays."""
    changes = {**pricing, **({} if name is None else {"name": name})}
    with written_by(actor):
        changed = apply_changes(table, changes, frozenset({"name", *Pricing.__optional_keys__}))
        if changed:
            check_pricing(table)
            table.save(update_fields=[*changed, "changed_at"])
            raise_version(table)
    return table


def set_rates(table: RateTable, entries: Sequence[RateEntry], *, actor: Actor) -> RateTally:
    """Enter rates; each closes its prefix's rate before it and ends where a later one begins.

    The same prefix and moment again corrects what stood there; equal values change nothing. All or none: raises
    Invalid, with `where` as `rates[3].price`.
    """
    entries = [_checked(table, entry, f"rates[{number}]") for number, entry in enumerate(entries)]
    with written_by(actor):
        RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
        tally = _Entering(table, entries).run()
        if tally.added or tally.changed:
            raise_version(table)
    return tally


def end_rate(table: RateTable, prefix: str, *, actor: Actor, at: datetime | None = None) -> bool:
    """No rate for this prefix from a moment (now) on, so that a shorter one holds. False: there was none."""
    moment = at or timezone.now()
    with written_by(actor):
        RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
        later = Rate.objects.filter(table=table, prefix=prefix, effective_from__gte=moment)
        gone, _rows = later.delete()
        ended = Rate.objects.filter(table=table, prefix=prefix).exclude(effective_to__lte=moment)
        count = ended.update(effective_to=moment)
        if gone or count:
            raise_version(table)
    return bool(gone or count)


class ClockMicros(Func):
    """The database's clock in microseconds since 1970."""

    template = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    output_field = BigIntegerField()


def raise_version(table: RateTable) -> None:
    """Say that the table's rates have changed.

    A version is never given twice, not even after a transaction that was rolled back: compiled prices are kept by it.
    """
    version = Greatest(F("version") + 1, ClockMicros())
    RateTable.objects.filter(pk=table.pk).update(version=version, changed_at=timezone.now())
    table.refresh_from_db(fields=["version", "changed_at"])


def check_pricing(priced: Any) -> None:
    """Raise Invalid where the terms of a table or list cannot price anything."""
    check_fields(priced)
    check_currency(priced.currency)
    check_time_zone(priced.time_zone)
    _kernel_rate(priced, {"price": "0"}, "")


def _checked(table: RateTable, entry: RateEntry, where: str) -> RateEntry:
    """The entry with steps and bands in the kernel's own spelling. Raises Invalid."""
    if not (entry.prefix.isascii() and entry.prefix.isdigit() and len(entry.prefix) <= 20):
        raise Invalid("prefix", _("A prefix is 1 to 20 digits, with its country code."), where=f"{where}.prefix")
    for name in ("price", "connect_fee", "min_charge"):
        value: Decimal = getattr(entry, name)
        if not value.is_finite() or not 0 <= value <= LARGEST_PRICE or value != value.quantize(PLACES):
            message = _("A price is 0 or more and has at most 8 decimals.")
            raise Invalid("price", message, where=f"{where}.{name}")
    if entry.effective_to is not None and entry.effective_to <= entry.effective_from:
        raise Invalid("dates", _("The rate would end before it begins."), where=f"{where}.effective_to")
    values = {name: getattr(entry, name) for name in PRICED}
    wire: dict[str, Any] = _kernel_rate(table, {"price": entry.price, **values}, where).to_json()
    steps, bands = wire.get("steps"), wire.get("bands")
    return replace(entry, steps=steps, bands=bands)


def _kernel_rate(priced: Any, values: dict[str, Any], where: str) -> KernelRate:
    terms = {name: getattr(priced, name) for name in ("decimals", "rounding", "time_zone", "band_rule", "holidays")}
    try:
        return KernelRate.from_json(values | terms)
    except RateError as error:
        place = ".".join(filter(None, [where, error.field]))
        raise Invalid("rate", f"{error.field} {error.message}", where=place or None, hint=error.hint or None) from error


class _Entering:
    """One run of `set_rates`, under the table's lock: all rows of the prefixes read once, written twice."""

    def __init__(self, table: RateTable, entries: Sequence[RateEntry]) -> None:
        self.table = table
        self.entries = entries
        self.tally = RateTally()
        self.dirty: dict[int, Rate] = {}
        self.fresh: list[Rate] = []
        self.by_prefix: dict[str, list[Rate]] = defaultdict(list)
        for row in self._standing({entry.prefix for entry in entries}):
            self.by_prefix[row.prefix].append(row)

    def run(self) -> RateTally:
        for entry in sorted(self.entries, key=lambda entry: entry.effective_from):
            self._enter(entry)
        Rate.objects.bulk_create(self.fresh, batch_size=5000)
        Rate.objects.bulk_update(list(self.dirty.values()), list(VALUES), batch_size=1000)
        return self.tally

    def _standing(self, prefixes: set[str]) -> Iterable[Rate]:
        return Rate.objects.filter(table=self.table, prefix__in=prefixes).order_by("effective_from")

    def _enter(self, entry: RateEntry) -> None:
        rows = self.by_prefix[entry.prefix]
        following = next((row for row in rows if row.effective_from > entry.effective_from), None)
        values = {name: getattr(entry, name) for name in VALUES}
        if following is not None:
            until = [following.effective_from, *filter(None, [entry.effective_to])]
            values["effective_to"] = min(until)
        same = next((row for row in rows if row.effective_from == entry.effective_from), None)
        if same is not None:
            self._correct(same, values)
            return
        for row in rows:
            if row.effective_from < entry.effective_from and (
                row.effective_to is None or row.effective_to > entry.effective_from
            ):
                row.effective_to = entry.effective_from
                self._touch(row)
        made = Rate(table=self.table, prefix=entry.prefix, effective_from=entry.effective_from, **values)
        self.fresh.append(made)
        self.by_prefix[entry.prefix] = sorted([*rows, made], key=lambda row: row.effective_from)
        self.tally.added += 1
        self.tally.rows.append(made)

    def _correct(self, row: Rate, values: dict[str, Any]) -> None:
        self.tally.rows.append(row)
        if all(getattr(row, name) == value for name, value in values.items()):
            self.tally.unchanged += 1
            return
        for name, value in values.items():
            setattr(row, name, value)
        self._touch(row)
        self.tally.changed += 1

    def _touch(self, row: Rate) -> None:
        if row.pk is not None:
            self.dirty[row.pk] = row
