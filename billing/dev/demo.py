"""What `./run` prepares once: the collected static files, and the demo with its known passwords."""

from __future__ import annotations

import os
import subprocess
import sys

from billing.dev.services import Services
from billing.dev.state import CLONE, STATE, SetupError, digest, exclusive, say, stamped, write_stamp


def collect_static(environment: dict[str, str]) -> None:
    """Collects and compresses the static files, where one of them has changed."""
    files = [path for path in (CLONE / "static").rglob("*") if path.is_file()]
    value = digest([*files, *CLONE.glob("*.lock"), CLONE / "package-lock.json", CLONE / "billing/static_files.py"])
    stamp = STATE / "static.digest"
    with exclusive(STATE / "static.lock"):
        if "STATIC_ROOT" not in os.environ and stamped(stamp, value):
            return
        say("Collecting static files ...")
        command = [
            sys.executable,
            str(CLONE / "manage.py"),
            "collectstatic",
            "--no-input",
            "--clear",
            "-v",
            "0",
        ]
        if subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode:
            raise SetupError("collecting the static files failed; what it said stands above.")
        write_stamp(stamp, value)


def load_demo(services: Services, environment: dict[str, str], *, asked: bool) -> str:
    """Loads the demo once per database and gives what it prints: its logins. Elsewhere than embedded only if asked."""
    if not (services.embeds_postgres or asked):
        return ""
    told = services.postgres.data.parent / "demo.txt"
    if services.embeds_postgres and told.is_file():
        return told.read_text()
    say("Loading the demo (once; a minute or two) ...")
    command = [sys.executable, str(CLONE / "manage.py"), "demo"]
    if not services.embeds_postgres:  # the command itself judges whether that database is empty
        command, environment = [*command, "--demo"], environment | {"TOLLGATE_DEMO": "0"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SetupError(f"the demo could not be loaded (code {done.returncode}); without it: ./run --no-demo")
    if services.embeds_postgres:
        told.write_text(done.stdout.strip())
    return done.stdout.strip()
