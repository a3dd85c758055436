"""What every test may ask for: the cast, quick passwords, and the seeds of the property tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.cast import Cast

settings.register_profile(
    "ordinary", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile(
    "proof", max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
settings.load_profile("proof" if os.environ.get("TOLLGATE_PROOF") == "1" else "ordinary")


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """An argon2 hash takes a tenth of a second; tests log in often."""
    if "DATABASE_URL" in os.environ:
        from django.conf import settings as django_settings

        django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def cast(db: Any) -> Cast:
    """The story's people and prices (tests/cast.py); works in transactional tests too."""
    from tests.cast import load_cast

    return load_cast()


@pytest.fixture(autouse=True)
def big_tables_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Usage records and rated calls are partitioned, not Django's to manage: its flush leaves them, so they go here."""
    marker = request.node.get_closest_marker("django_db")
    commits = bool(marker and marker.kwargs.get("transaction"))
    if not commits and not {"transactional_db", "live_server"} & set(request.fixturenames):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE rating_usagerecord, rating_ratedcall")


@pytest.fixture(autouse=True)
def live_calls_forget() -> None:
    """What live calls remember of one test's database is not true of the next one's."""
    if "DATABASE_URL" in os.environ:
        from rating.live import memory, standing, switches

        memory.forget_all()
        switches.forget()
        standing.forget()
