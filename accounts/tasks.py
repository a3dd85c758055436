"""Chores of the books, nudged by beat; each is harmless when it runs twice."""

from __future__ import annotations

from celery import shared_task

from accounts import books
from accounts.services import holds, watching


@shared_task
def snapshot_books() -> int:
    return books.snapshot_books()


@shared_task
def release_expired_holds() -> int:
    return holds.release_expired()


@shared_task
def watch_balances() -> int:
    """Who crossed its warning balance, has nothing left, or was blocked; how many alarms were raised."""
    return watching.watch_balances()
