"""Brings the embedded database's tables up to date, and only when migrations have changed since the last time."""

from __future__ import annotations

import subprocess
import sys

from billing.dev.services import Services
from billing.dev.state import CLONE, SetupError, digest, exclusive, say, stamped, write_stamp


def migrations_digest() -> str:
    """Changes when a migration, its SQL, or a pinned package (which may bring migrations of its own) changes."""
    folders = ("*/migrations/**/*", "*/sql/**/*", "*/sql.py")
    ours = [path for pattern in folders for path in CLONE.glob(pattern) if path.suffix in {".py", ".sql"}]
    return digest([*ours, CLONE / "requirements-dev.lock"])


def migrate(services: Services, environment: dict[str, str]) -> None:
    """Migrates as the owner. Output goes to stderr: stdout belongs to the command that is about to run."""
    home = services.postgres.home
    value = migrations_digest() + environment["DATABASE_URL"]
    with exclusive(home / "migrate.lock"):
        if services.embeds_postgres and stamped(home / "migrated", value):
            return
        say("Bringing the database's tables up to date ...")
        command = [sys.executable, str(CLONE / "manage.py"), "migrate", "--no-input", "-v", "0"]
        owner = environment | {"TOLLGATE_DB_ROLE": "owner"}
        if subprocess.run(command, env=owner, stdout=sys.stderr, check=False).returncode:
            raise SetupError(
                "the migration failed, nothing was started. If the embedded database may be thrown away: ./run --fresh"
            )
        write_stamp(home / "migrated", value)
