"""A bank's exchange rates into the installation's: what changes is shown first; the same file again adds nothing."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from rating.exchange import DayRate, RateFile, SkippedCell, read_rate_file
from rating.models import ExchangeRate
from rating.models.lists import RateOrigin
from rating.pricing.exchange import Exchange
from rating.services.copying import copy_fields
from rating.services.exchange import calls_between, day_begins, take_turn
from tiers.errors import Invalid
from tiers.services.writing import written_by
from tiers.viewer import Actor

KEEP, REPLACE = "keep", "replace"
QUESTION = "changed"
SUSPECT = Decimal("0.2")
"""A step larger than a fifth from what stands is said aloud: currencies seldom do that, typing errors often."""
MOST_CHANGES = 100
Place = tuple[str, str, datetime]


class RatesAsked(Exception):
    """A file says otherwise than rates by which calls may have been rated. Nothing was written."""

    def __init__(self, result: RatesImport) -> None:
        super().__init__(QUESTION)
        self.result = result
        self.key = QUESTION
        self.options = (KEEP, REPLACE)
        self.text = _(
            "%(count)d rates stand otherwise, on days on which calls were rated. Keep them, or replace them? "
            "Calls keep the rate that they were rated by until they are rated again."
        ) % {"count": result.used}


@dataclass(frozen=True, slots=True)
class RateStep:
    """A rate beside what stood. `share`: the change, 0.01 for one percent; `used`: calls were rated by what stood."""

    day: date
    base: str
    quote: str
    before: Decimal | None
    after: Decimal
    used: bool = False

    @property
    def share(self) -> Decimal | None:
        return None if self.before is None else self.after / self.before - 1


@dataclass(slots=True)
class RatesImport:
    """What became of a file: `read` rates = added + changed + kept + unchanged.

    `kept`: those that stood otherwise and were left so; `used`: how many of the ones that differ calls were rated by.
    `steps`: the newest day's rates beside those in force; `differing`: rates that stand otherwise, the first hundred.
    """

    first: date
    last: date
    days: int
    read: int
    added: int = 0
    changed: int = 0
    kept: int = 0
    unchanged: int = 0
    used: int = 0
    empty: int = 0
    bad: int = 0
    skipped: list[SkippedCell] = field(default_factory=list)
    steps: list[RateStep] = field(default_factory=list)
    differing: list[RateStep] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The shape that `import_exchange --json` prints."""
        names = ("days", "read", "added", "changed", "kept", "unchanged", "empty", "bad")
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            **{name: getattr(self, name) for name in names},
            "skipped": [{"where": one.where, "reason": one.reason} for one in self.skipped],
            "warnings": self.warnings,
        }


def import_rates(
    content: bytes,
    *,
    actor: Actor,
    since: date | None = None,
    differing: str = "",
    dry_run: bool = False,
) -> RatesImport:
    """Bring the rates of a file in, each from the beginning of its day (UTC); `since`: only those of that day or later.

    Rates that stand otherwise are corrected where no call was rated by them; else `differing` says `keep` or
    `replace`, and without it RatesAsked is raised. A dry run tells what would happen and asks nothing.
    Raises Invalid for a file that is none.
    """
    if differing not in ("", KEEP, REPLACE):
        raise Invalid("answer", _("The answer is keep or replace."), where=QUESTION)
    file = read_rate_file(content)
    rates = [one for one in file.rates if since is None or one.day >= since]
    if not rates:
        raise Invalid("no_rates", _("The file has no rate of that day or later."), where="since")
    with written_by(actor):
        take_turn()
        result = _Bringing(file, rates).run(differing, dry_run)
        if dry_run:
            transaction.set_rollback(True)
    return result


class _Bringing:
    """One file set against what stands."""

    def __init__(self, file: RateFile, rates: Sequence[DayRate]) -> None:
        self.rates = rates
        days = {one.day for one in rates}
        self.result = RatesImport(min(days), max(days), len(days), len(rates))
        self.result.empty, self.result.bad, self.result.skipped = file.empty, file.bad, file.skipped
        self.standing = _standing(self.result)
        self.starts: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        self.used: dict[tuple[datetime, datetime | None], bool] = {}
        for base, quote, start in sorted(self.standing):
            self.starts[base, quote].append(start)

    def run(self, differing: str, dry_run: bool) -> RatesImport:
        result = self.result
        self._compare()
        added, others = self._sorted_out()
        steps = [self._step(one) for one in others]
        result.used = sum(step.used for step in steps)
        result.differing = steps[:MOST_CHANGES]
        if result.used and not differing and not dry_run:
            raise RatesAsked(result)
        replaced = [one for one, step in zip(others, steps, strict=True) if not step.used or differing != KEEP]
        result.added, result.changed, result.kept = len(added), len(replaced), len(others) - len(replaced)
        result.unchanged = result.read - result.added - len(others)
        _write([*added, *replaced], [self.standing[_place(one)][0] for one in replaced])
        return result

    def _sorted_out(self) -> tuple[list[DayRate], list[DayRate]]:
        """(new ones, ones that stand otherwise)"""
        added, others = [], []
        for one in self.rates:
            standing = self.standing.get(_place(one))
            if standing is None:
                added.append(one)
            elif standing[1] != one.rate:
                others.append(one)
        return added, others

    def _step(self, one: DayRate) -> RateStep:
        begins, starts = day_begins(one.day), self.starts[one.base, one.quote]
        position = bisect_right(starts, begins)
        span = begins, starts[position] if position < len(starts) else None
        if span not in self.used:
            self.used[span] = calls_between(*span)
        return RateStep(one.day, one.base, one.quote, self.standing[_place(one)][1], one.rate, self.used[span])

    def _compare(self) -> None:
        """The newest day of the file beside the rates in force then; a warning for each that leaps."""
        exchange, result = Exchange(), self.result
        moment = day_begins(result.last)
        for one in self.rates:
            if one.day != result.last:
                continue
            said = exchange.said(one.base, one.quote, moment)
            step = RateStep(one.day, one.base, one.quote, said.rate if said else None, one.rate)
            result.steps.append(step)
            if step.share is not None and abs(step.share) > SUSPECT:
                result.warnings.append(
                    _("%(base)s to %(quote)s leaps from %(before)s to %(after)s.")
                    % {
                        "base": one.base,
                        "quote": one.quote,
                        "before": _short(step.before),
                        "after": _short(step.after),
                    }
                )


def _place(one: DayRate) -> Place:
    return one.base, one.quote, day_begins(one.day)


def _standing(result: RatesImport) -> dict[Place, tuple[int, Decimal]]:
    rows = ExchangeRate.objects.filter(valid_from__gte=day_begins(result.first))
    values = rows.values_list("base", "quote", "valid_from", "id", "rate")
    return {(base, quote, start): (pk, rate) for base, quote, start, pk, rate in values.iterator(chunk_size=20_000)}


def _write(rates: Iterable[DayRate], replaced: list[int]) -> None:
    if replaced:
        ExchangeRate.objects.filter(pk__in=replaced).delete()
    lines = [copy_fields((*_place(one), one.rate, str(RateOrigin.FILE))) for one in rates]
    if lines:
        with connection.cursor() as cursor:
            text = io.StringIO("\n".join(lines) + "\n")
            cursor.copy_expert("COPY rating_exchangerate (base, quote, valid_from, rate, origin) FROM STDIN", text)


def _short(rate: Decimal | None) -> str:
    return "" if rate is None else f"{rate.normalize():f}"
