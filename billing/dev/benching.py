"""`./bench [NAME] [--json]`: the benchmarks, on an embedded server of their own, durable as in production.

Each call starts from an empty, migrated database, so that no run measures what an earlier one left, and empties it
again, for a run leaves gigabytes.
"""

from __future__ import annotations

import sys

from billing.dev import child
from billing.dev.database import migrate
from billing.dev.environment import serving_environment
from billing.dev.postgres import DATABASE, OWNER
from billing.dev.services import Services
from billing.dev.state import exclusive, state_folder

TEMPLATE = "tollgate_template"
EMPTY = f"""
DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);
CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE {TEMPLATE};
"""
MAKE_TEMPLATE = f"""
SELECT 'CREATE DATABASE {TEMPLATE} OWNER {OWNER}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{TEMPLATE}') \\gexec
"""


def main(arguments: list[str]) -> int:
    services = Services("bench", only_embedded=True)
    state_folder("files")
    with exclusive(services.postgres.home / "bench.lock"), services.running():
        services.postgres.psql(MAKE_TEMPLATE)
        environment = serving_environment(services, port=0, mail_port=None)
        template = services.addresses(TEMPLATE)
        migrate(services, environment | template)
        services.postgres.psql(EMPTY)
        command = [sys.executable, "-m", "billing.bench", *arguments]
        try:
            return child.run_through(command, environment | services.addresses() | {"TOLLGATE_DEMO": "0"})
        finally:
            services.postgres.psql(EMPTY)
