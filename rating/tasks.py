"""Nudges for the pipeline. What is to be done stands in the chunks' rows; a lost or doubled message does no harm."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from rating.alerts import watching
from rating.live.reaping import reap
from rating.models import ImportStatus, UsageImport
from rating.pricing.current import fold_changes
from rating.services import deck_files, facts, folders, imports, leases, rerating
from rating.services.exchange_fetch import fetch_rates
from rating.services.posting import make_partitions as make
from rating.services.unrated import rate_waiting

FORGOTTEN = timedelta(seconds=60)
MOST_HELPERS = 7


@shared_task
def work_import(import_id: str) -> int:
    """Plan if need be, call for help where there is work for several, then work chunks until none is free."""
    pk = UUID(import_id)
    imports.plan(pk)
    for _helper in range(min(MOST_HELPERS, leases.waiting(pk) - 1)):
        join_import.delay(import_id)
    return imports.work(pk)


@shared_task
def join_import(import_id: str) -> int:
    """Work chunks beside whoever else does, until none is free."""
    return imports.work(UUID(import_id))


@shared_task
def requeue_lapsed_chunks() -> int:
    """Imports whose worker died, or whose message was lost, are nudged again."""
    forgotten = UsageImport.objects.filter(status=ImportStatus.PLANNING, created_at__lt=timezone.now() - FORGOTTEN)
    waiting = {*leases.lapsed_imports(), *forgotten.values_list("pk", flat=True)}
    for pk in waiting:
        join_import.delay(str(pk))
    return len(waiting)


@shared_task
def watch_folders() -> int:
    """Files that were dropped into sources' folders."""
    waiting = folders.pick_up()
    for pk in waiting:
        work_import.delay(str(pk))
    return len(waiting)


@shared_task
def work_deck(deck_id: str) -> str:
    """Look at a deck, or bring it in: whatever is next."""
    return str(deck_files.work_deck(UUID(deck_id)).status)


@shared_task
def requeue_stale_decks() -> int:
    """Decks whose worker died, or whose message was lost, are nudged again."""
    waiting = deck_files.stale_decks()
    for pk in waiting:
        work_deck.delay(str(pk))
    return len(waiting)


@shared_task
def make_partitions() -> None:
    """The months around today, made before they are needed."""
    now = timezone.now()
    make([now, now + timedelta(days=31), now + timedelta(days=62)])


@shared_task
def rate_unrated() -> int:
    """Calls that had no price: charge those that have one now."""
    return rate_waiting()


@shared_task
def work_rerating(run_id: str) -> bool:
    """Compare or post a re-rating to its end."""
    return rerating.work(UUID(run_id))


@shared_task
def requeue_reratings() -> int:
    """Re-ratings whose worker died, or whose message was lost, are nudged again."""
    waiting = rerating.forgotten(timezone.now() - FORGOTTEN)
    for pk in waiting:
        work_rerating.delay(str(pk))
    return len(waiting)


@shared_task
def fold_facts() -> int:
    """Facts written since the last time are merged into one row for each key."""
    return facts.fold()


@shared_task
def fetch_exchange_rates() -> int:
    """The bank's rates of the day; how many were new."""
    result = fetch_rates()
    return result.added if result else 0


@shared_task
def fold_book_changes() -> int:
    """The trace of changes to prices is folded into one row, so that looking at it stays quick."""
    return fold_changes()


@shared_task
def reap_calls() -> int:
    """Live calls whose end never came."""
    return reap()


@shared_task
def watch_calls() -> int:
    """Spend, places and high-risk destinations of who called since the last look; how many alarms were raised."""
    return watching.watch_calls()
