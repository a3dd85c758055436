"""Re-rating: calls of a period priced again as they would be today, and the differences posted.

A run is one row. It first compares (nothing is written but the run), then, when somebody says so, corrects: slice by
slice, each one transaction that compares with what holds at that moment. So the same run twice, or two runs at once,
post a difference once, and a worker that dies leaves whole slices done and the rest for whoever goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services.transactions import in_transaction
from rating.models import PriceList, RecordStatus, RerateRun, RerateStatus, Source, UsageRecord
from rating.pricing import Engine
from rating.pricing.current import current_engine
from rating.services.rerating_calls import Slice, Within, read, within
from rating.services.rerating_compare import Comparer, Verdict
from rating.services.rerating_post import Corrector
from rating.services.rerating_price import priced_again
from rating.services.rerating_tally import Tally
from rating.services.unrated import rate_waiting
from tiers.errors import Conflict, Invalid
from tiers.models import Kind, Party
from tiers.services.writing import written_by
from tiers.viewer import Actor

AT_ONCE = 5000
LONGEST = timedelta(days=400)
RUN_LOCK, WRITE_LOCK = 7204006, 7204007
"""Advisory locks: of a run (with its id) while somebody works it; of a slice while it is corrected."""
ALL = "all"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which calls: those that began from `start` to before `end`, sold by `party` or below it, narrowed as wanted.

    `customer` may be a dealer: then all below it. `price_list`: calls that were, or would now be, priced by it or by a
    list derived from it. `reason` is shown to whoever sees a corrected call.
    """

    party: Party
    start: datetime
    end: datetime
    reason: str
    price_list: PriceList | None = None
    customer: Party | None = None
    source: Source | None = None


def open_run(selection: Selection, *, actor: Actor) -> RerateRun:
    """A run that is yet to compare. Raises Invalid for a selection that can hold nothing, or is not the party's."""
    _check(selection)
    with written_by(actor):
        made: RerateRun = RerateRun.objects.create(
            party=selection.party,
            period_from=selection.start,
            period_to=selection.end,
            price_list=selection.price_list,
            customer=selection.customer,
            source=selection.source,
            reason=selection.reason.strip(),
            actor=actor.label[:254],
            actor_id=actor.member_id,
        )
    return made


def accept(run: RerateRun, *, actor: Actor, increases: str | Collection[UUID] = ()) -> RerateRun:
    """Say that a compared run is to be posted; `work` then does it. `increases`: prepaid buyers who pay more, or ALL.

    Other prepaid buyers' increases are left out, and the run says so. Raises Conflict where it is not compared yet, or
    was posted already.
    """
    with written_by(actor):
        fresh: RerateRun = RerateRun.objects.select_for_update(no_key=True).get(pk=run.pk)
        if fresh.status == RerateStatus.APPLYING:
            return fresh
        resumed = fresh.status == RerateStatus.FAILED and bool(fresh.applied_by)
        if fresh.status != RerateStatus.READY and not resumed:
            raise Conflict(
                "not_compared",
                _("This re-rating is %s; only one that has been compared can be posted.") % fresh.get_status_display(),
                hint=_("Start a new one for the same period."),
            )
        if not resumed:
            fresh.position, fresh.counts, fresh.totals, fresh.largest, fresh.increases = None, {}, [], [], []
            fresh.accepted = ALL if increases == ALL else sorted(map(str, increases))
        fresh.status, fresh.applied_by, fresh.error = RerateStatus.APPLYING, actor.label[:254], ""
        fresh.actor_id = actor.member_id
        fresh.save()
    return fresh


def work(run_id: UUID) -> bool:
    """Do what the run's state asks for, to its end; False where somebody else is at it or there is nothing to do."""
    with _alone_with(run_id) as alone:
        if not alone:
            return False
        run = RerateRun.objects.select_related("party", "price_list__seller", "customer", "source").get(pk=run_id)
        if run.finished:
            return False
        try:
            _compare(run) if run.status == RerateStatus.PREVIEWING else _correct(run)
        except Exception as error:
            log.exception("re-rating %s failed", run.pk)
            RerateRun.objects.filter(pk=run.pk).update(
                status=RerateStatus.FAILED, error=f"{type(error).__name__}: {error}"[:2000], finished_at=timezone.now()
            )
            raise
    return True


def preview(selection: Selection, *, actor: Actor) -> RerateRun:
    """Open a run and compare, here and now."""
    run = open_run(selection, actor=actor)
    work(run.pk)
    run.refresh_from_db()
    return run


def apply(run: RerateRun, *, actor: Actor, increases: str | Collection[UUID] = ()) -> RerateRun:
    """Post a compared run, here and now. See `accept`."""
    accept(run, actor=actor, increases=increases)
    work(run.pk)
    run.refresh_from_db()
    return run


def forgotten(since: datetime) -> list[UUID]:
    """Runs under way of which nobody has heard since a moment."""
    under_way = [RerateStatus.PREVIEWING, RerateStatus.APPLYING]
    return list(RerateRun.objects.filter(status__in=under_way, touched_at__lt=since).values_list("pk", flat=True))


def _check(selection: Selection) -> None:
    if selection.end <= selection.start:
        raise Invalid("period", _("The period ends before it begins."), where="end")
    if selection.end - selection.start > LONGEST:
        raise Invalid("period", _("A period is at most %d days.") % LONGEST.days, where="end")
    if selection.party.kind == Kind.CUSTOMER:
        raise Invalid("party", _("Only who sells can rate again."), where="party")
    if not selection.reason.strip():
        raise Invalid("reason", _("Say why: it is shown with each corrected call."), where="reason")
    chosen = {
        "price_list": selection.price_list.seller if selection.price_list else None,
        "customer": selection.customer,
        "source": selection.source.owner if selection.source else None,
    }
    for name, owner in chosen.items():
        if owner is not None and not owner.is_at_or_below(selection.party):
            raise Invalid(name, _("This is not yours to choose."), where=name)


@contextmanager
def _alone_with(run_id: UUID) -> Iterator[bool]:
    """Whether nobody else works this run; nobody will while this lasts. A worker that dies lets go with its session."""
    key = [RUN_LOCK, int.from_bytes(run_id.bytes[-4:], "big", signed=True)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


def _compare(run: RerateRun) -> None:
    engine, chosen = current_engine(), within(run)
    comparer = Comparer(engine, run.party, chosen.lists, None)
    tally, position = Tally(engine.directory), None
    while records := _next(chosen, position):
        for verdict in _verdicts(engine, comparer, read(records)):
            tally.add(verdict)
        position = records[-1].pk
        RerateRun.objects.filter(pk=run.pk).update(position=position, touched_at=timezone.now())
    tally.counts["unrated"] = chosen.records.filter(status=RecordStatus.UNRATED).count()
    tally.put(run)
    _finish(run, RerateStatus.READY)


def _correct(run: RerateRun) -> None:
    engine, chosen = current_engine(), within(run)
    buyers = None if run.accepted == ALL else {UUID(key) for key in run.accepted or ()}
    comparer = Comparer(engine, run.party, chosen.lists, buyers)
    actor = Actor(run.applied_by, run.actor_id)
    while records := _next(chosen, run.position):
        in_transaction(lambda: _correct_slice(run, engine, comparer, records, actor), lock_timeout_ms=60_000)
    rated = rate_waiting(actor, chosen.records)
    if rated:
        run.counts["rated"] = run.counts.get("rated", 0) + rated
    _finish(run, RerateStatus.DONE)


def _correct_slice(
    run: RerateRun, engine: Engine, comparer: Comparer, records: list[UsageRecord], actor: Actor
) -> None:
    """One transaction. What calls cost now is read under the lock, so nobody corrects them in between."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITE_LOCK])
    run.refresh_from_db(fields=["position", "counts", "totals", "largest", "increases"])
    found, tally = read(_as_they_are(records)), Tally(engine.directory, run)
    corrector = Corrector(engine, run, found.charged)
    for verdict in _verdicts(engine, comparer, found):
        tally.add(verdict)
        for change in verdict.changes:
            corrector.add(change)
    tally.put(run)
    run.position, run.touched_at = records[-1].pk, timezone.now()
    run.save(update_fields=["position", "touched_at", "counts", "totals", "largest", "increases"])
    corrector.write(actor, f"{run.pk.hex}:{records[0].pk.hex}")


def _next(chosen: Within, position: UUID | None) -> list[UsageRecord]:
    rows = chosen.records.filter(status=RecordStatus.RATED)
    if position is not None:
        rows = rows.filter(id__gt=position)
    return list(rows.order_by("id")[:AT_ONCE])


def _as_they_are(records: list[UsageRecord]) -> list[UsageRecord]:
    """Those of live calls read anew: until the lock was had, a late end may have changed their seconds."""
    live = UsageRecord.objects.in_bulk([record.pk for record in records if record.import_id is None])
    now = [live.get(record.pk, record) for record in records]
    return [record for record in now if record.status == RecordStatus.RATED]


def _verdicts(engine: Engine, comparer: Comparer, found: Slice) -> Iterator[Verdict]:
    for made in priced_again(engine, found.records):
        verdict = comparer.compare(made, found)
        if verdict is not None:
            yield verdict


def _finish(run: RerateRun, status: str) -> None:
    run.status, run.finished_at, run.position = status, timezone.now(), None
    with written_by(Actor(run.applied_by or run.actor, run.actor_id)):
        run.save()
