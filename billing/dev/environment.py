"""The environment variables with which the clone's own processes run; what the caller has set already wins."""

from __future__ import annotations

import json
import os
from pathlib import Path

from billing.dev.postgres import OWNER, WEB
from billing.dev.services import Services
from billing.dev.state import CLONE, STATE, secret_key

DEFAULT_PORT = 8000


def base_environment() -> dict[str, str]:
    """The caller's variables, with the clone on the import path."""
    paths = [str(CLONE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return dict(os.environ) | {
        "DJANGO_SETTINGS_MODULE": "billing.settings",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
    }


def mails_stay_here(services: Services, *, demo_asked: bool = False) -> bool:
    """Do mails go to the local box? Never with a database of one's own, where a mail filed here would be lost."""
    return (services.embeds_postgres or demo_asked) and not os.environ.get("EMAIL_HOST")


def serving_environment(services: Services, port: int, mail_port: int | None) -> dict[str, str]:
    """For `./run` and `./manage`: the embedded servers, the local mail box (at `mail_port`), the demo's switches."""
    defaults = {
        "SECRET_KEY": secret_key(),
        "ALLOWED_HOSTS": ".localhost,127.0.0.1,[::1]",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "MEDIA_ROOT": str(STATE / "files"),
        "STATIC_ROOT": str(STATE / "static"),
        "DEFAULT_FROM_EMAIL": "billing@tollgate.localhost",
        **services.addresses(),
    }
    if mail_port is not None:
        defaults |= {
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mail_port),
            "TOLLGATE_MAIL_DIR": str(mail_folder()),
        }
    if services.embeds_postgres:
        defaults["TOLLGATE_DEMO"] = "1"
    return defaults | base_environment()


def offline_environment() -> dict[str, str]:
    """For commands that ask no server: settings load, connections would fail."""
    nowhere = {
        "SECRET_KEY": "unused",
        "DATABASE_URL": f"postgres://{OWNER}@localhost/unused",
        "DATABASE_WEB_URL": f"postgres://{WEB}@localhost/unused",
        "STATIC_ROOT": str(STATE / "static"),
    }
    return nowhere | base_environment()


def mail_folder() -> Path:
    return STATE / "mail"


def run_file() -> Path:
    """Process id and port of the `./run` that serves this clone, or that did so last."""
    return STATE / "run.json"


def public_port() -> int:
    """The port that links in mails should name."""
    if run_file().is_file():
        return int(json.loads(run_file().read_text())["port"])
    return int(os.environ.get("PORT") or DEFAULT_PORT)
