"""`./manage ...`: manage.py with the environment of `./run`. Output and exit code are the command's own."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from billing.dev import child
from billing.dev.database import migrate
from billing.dev.environment import mails_stay_here, offline_environment, public_port, serving_environment
from billing.dev.mailbox import MailBox
from billing.dev.services import Services
from billing.dev.state import state_folder

WITHOUT_SERVERS = {
    "price",
    "help",
    "--help",
    "--version",
    "version",
    "makemessages",
    "compilemessages",
    "collectstatic",
}
WITHOUT_TABLES = {
    "migrate",
    "makemigrations",
    "showmigrations",
    "sqlmigrate",
    "check",
    "flush",
    "spectacular",
}


def main(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "help"
    if name in WITHOUT_SERVERS or "--help" in arguments:
        return child.manage(offline_environment(), *arguments)
    services = Services("run")
    state_folder("files")
    mailbox = MailBox.of_clone() if mails_stay_here(services) else None
    with services.running(), mailbox.running() if mailbox else nullcontext():
        environment = serving_environment(services, public_port(), mailbox.port if mailbox else None)
        if name not in WITHOUT_TABLES and services.embeds_postgres:
            migrate(services, environment)
        sys.stderr.flush()
        return child.manage(environment, *arguments)
