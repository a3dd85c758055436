"""`./manage` is manage.py with an environment: same output, same exit code, and nothing left running."""

from __future__ import annotations

import mailbox
import os
import smtplib
import subprocess
from email.message import EmailMessage
from pathlib import Path

import pytest

from billing.dev import mailbox as local
from billing.dev.environment import mails_stay_here, serving_environment
from billing.dev.mailbox import MailBox
from billing.dev.services import Services

CLONE = Path(__file__).parents[2]


def manage(
    shell: dict[str, str], *arguments: str, cwd: Path = CLONE, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    command = [str(CLONE / "manage"), *arguments]
    return subprocess.run(
        command, env=shell, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=240, check=False
    )


def test_a_command_reaches_the_embedded_database_and_keeps_stdout_to_itself(
    shell: dict[str, str], tmp_path: Path
) -> None:
    done = manage(shell, "showmigrations", "tiers", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tiers\n [ ] 0001")


def test_the_exit_code_is_the_commands_own(shell: dict[str, str]) -> None:
    assert manage(shell, "migrate", "--no-such-option").returncode == 2


def test_prices_need_no_server(shell: dict[str, str], state: Path) -> None:
    done = manage(shell, "price", stdin='{"rate": {"price": "0.60", "first_s": 60, "step_s": 60}, "seconds": 75}\n')
    assert done.returncode == 0, done.stderr
    assert '"billed_s": 120' in done.stdout
    assert not state.exists() or not (state / "run").exists()


def test_a_mail_sent_to_the_local_box_is_filed_and_goes_nowhere_else(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "billing@harbour.example", "guest@hotel.example", "Invoice 2026-00042"
    mail.set_content("38.20 EUR is due.")
    box = MailBox(local.free_port(), tmp_path / "mail")
    with box.running(), smtplib.SMTP("127.0.0.1", box.port) as client:
        client.send_message(mail, to_addrs=["guest@hotel.example", "copy@harbour.example"])
    (filed,) = mailbox.Maildir(tmp_path / "mail")
    assert filed["Subject"] == "Invoice 2026-00042"
    assert filed["X-Envelope-To"] == "guest@hotel.example, copy@harbour.example"


def test_a_port_that_another_program_took_is_not_used_for_mail(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = MailBox.of_clone()
    assert MailBox.of_clone() == first
    with MailBox(first.port, state / "elsewhere").running():
        assert MailBox.of_clone().port != first.port


def test_nobody_but_the_owner_reads_the_signing_key(state: Path) -> None:
    from billing.dev.state import secret_key

    key = secret_key()
    assert len(key) > 50
    assert secret_key() == key
    assert os.stat(state / "secret_key").st_mode & 0o777 == 0o600


def test_with_a_database_of_ones_own_no_mail_goes_to_the_local_box(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_HOST"):
        monkeypatch.delenv(name, raising=False)
    assert mails_stay_here(Services("run"))
    monkeypatch.setenv("DATABASE_URL", "postgres://owner@db.example/tollgate")
    services = Services("run")
    assert not mails_stay_here(services)
    assert "EMAIL_PORT" not in serving_environment(services, 8000, None)
    assert mails_stay_here(services, demo_asked=True)
