"""Chores of the books, nudged by beat; each is harmless when it runs twice."""

from __future__ import annotations

from celery import shared_task

from accounts import books
from accounts.services import holds


@shared_task
def snapshot_books() -> int:
    return books.snapshot_books()


@shared_task
def release_expired_holds() -> int:
    return holds.release_expired()
