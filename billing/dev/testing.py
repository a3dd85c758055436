"""`./test`: the whole set of checks, or a part of it, against test servers of the clone's own.

    ./test                    lint, types, import direction, migrations, then all tests in parallel
    ./test unit PATHS...      pytest on these paths alone; keeps its database between calls while migrations stand
    ./test lint               only the checks before the tests
    ./test proof [K]          the property tests at length and the races again and again, beside each other; K picks
                              by name (`./test proof live`); TOLLGATE_SEED=N repeats a run
    ./test faults [K]         processes killed, servers stopped; K picks by name
    ./test shots DIR          a picture of every page into DIR

Several calls may run at a time: each takes a free slot, and a slot has databases of its own.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from billing.dev import checks, child, node, system
from billing.dev.database import migrations_digest
from billing.dev.environment import base_environment
from billing.dev.postgres import DATABASE
from billing.dev.services import Services
from billing.dev.state import (
    CLONE,
    SetupError,
    folder,
    give_up,
    open_lock,
    say,
    stamped,
    try_lock,
    write_stamp,
)

WORKERS = "2"
MOST_SLOTS = 16
ORDINARY = "not proof and not faults and not shots"
NO_TESTS_RAN = 5


def main(arguments: list[str]) -> int:
    kind, *rest = arguments or ["all"]
    services = Services("test", durable=False, only_embedded=True)
    if kind == "lint":
        with services.running():
            return checks.run_all(test_environment(services, DATABASE))
    selections = {
        "all": lambda: ["-n", WORKERS, "-m", ORDINARY],
        "unit": lambda: ["-m", ORDINARY, *(rest or give_up("usage: ./test unit PATHS...", 2))],
        "proof": lambda: ["-n", WORKERS, "-v", "-m", "proof", *by_name(rest)],
        "faults": lambda: ["-m", "faults", *by_name(rest)],
        "shots": lambda: ["-m", "shots"] if rest else give_up("usage: ./test shots DIR", 2),
    }
    if kind not in selections:
        give_up("usage: ./test [lint | unit PATHS... | proof [NAME] | faults [NAME] | shots DIR]", 2)
    selection = selections[kind]()
    if kind != "unit":
        bring_what_tests_need()
    with slot(services) as place, services.running():
        environment = test_environment(services, f"{DATABASE}_{place.name}")
        environment |= proof_environment() if kind == "proof" else {}
        environment |= {"TOLLGATE_SHOTS": str(Path(rest[0]).absolute())} if kind == "shots" else {}
        failed = checks.run_all(test_environment(services, DATABASE)) if kind == "all" else 0
        code = pytest(place, selection, environment)
        return code or failed


def proof_environment() -> dict[str, str]:
    """Another seed each time, told, so that what it finds can be found again."""
    seed = os.environ.get("TOLLGATE_SEED") or str(secrets.randbelow(10**9))
    say(f"Seed {seed}; the same again by TOLLGATE_SEED={seed}")
    return {"TOLLGATE_PROOF": "1", "TOLLGATE_SEED": seed}


def by_name(rest: list[str]) -> list[str]:
    """Words pick tests by name; options go to pytest as they are."""
    words = [word for word in rest if not word.startswith("-")]
    options = [word for word in rest if word.startswith("-")]
    return [*(["-k", " and ".join(words)] if words else []), *options]


def bring_what_tests_need() -> None:
    """PDFs are part of what is tested: without Pango there is no honest run. Browser tests skip by themselves."""
    pdf_problem = system.bring_pdf()
    if pdf_problem and not system.has_pango():
        raise SetupError(pdf_problem)
    node.bring_packages()
    for problem in filter(None, [pdf_problem, system.bring_browser(), system.bring_switches()]):
        say(problem)


@dataclass(frozen=True)
class Slot:
    """A number that one running `./test` owns; its databases carry it in their name."""

    name: str
    home: Path


@contextmanager
def slot(services: Services) -> Iterator[Slot]:
    home = folder(services.postgres.home / "slots")
    for number in range(MOST_SLOTS):
        with open_lock(home / f"{number}.lock") as lock:
            if try_lock(lock):
                yield Slot(f"s{number}", home)
                return
    raise SetupError(f"{MOST_SLOTS} test runs are under way in this clone; wait for one to end.")


def test_environment(services: Services, database: str) -> dict[str, str]:
    """Only the test servers, whatever DATABASE_URL and REDIS_URL say: tests empty what they touch."""
    settings = {
        "SECRET_KEY": "for-tests-only-" + "t" * 40,
        "ALLOWED_HOSTS": "*",
        "TOLLGATE_DB_ROLE": "owner",
        "TOLLGATE_DEMO": "0",
        "MEDIA_ROOT": str(folder(services.postgres.home / "files")),
        "STATIC_ROOT": str(folder(services.postgres.home / "static")),
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    }
    return base_environment() | settings | services.addresses(database)


def pytest(place: Slot, selection: list[str], environment: dict[str, str]) -> int:
    """Runs pytest; its tables are reused while migrations stand still and the last run in this slot ended by itself."""
    workers = next((selection[at + 1] for at, word in enumerate(selection[:-1]) if word == "-n"), "0")
    stamp = place.home / f"{place.name}-n{workers}"
    value = migrations_digest()
    database = ["--reuse-db"] if stamped(stamp, value) else ["--create-db", "--reuse-db"]
    stamp.unlink(missing_ok=True)
    os.chdir(CLONE)
    code = child.run_through([sys.executable, "-m", "pytest", *database, *selection], environment)
    if code in {0, 1, NO_TESTS_RAN}:
        write_stamp(stamp, value)
    return code
