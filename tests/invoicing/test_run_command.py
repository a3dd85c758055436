"""`run_invoices` and `send_outbox` as programs call them: one JSON value, figures as text, exit codes."""

from __future__ import annotations

import builtins
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from invoicing.models import Document, Invoice
from tests.cast import Cast
from tests.invoicing.month import load_calls, sold_to
from tests.invoicing.servers import Temper, free_port, mail_server

MONTH = ("--period", "2026-10", "--json")


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()


@pytest.fixture
def october(cast: Cast, tmp_path: Path) -> Cast:
    cast.fund("alice", 100)
    load_calls(cast, tmp_path, ["alice", "dave"], 9)
    return cast


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    if code:
        with pytest.raises(SystemExit) as ended:
            call_command(*arguments)
        assert ended.value.code == code
    else:
        call_command(*arguments)
    return json.loads(capsys.readouterr().out)


def test_step_by_step(october: Cast, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    drafts = told(capsys, "run_invoices", "--seller", "meadow", *MONTH)
    (draft,) = drafts["invoices"]
    assert (drafts["created"], drafts["skipped"], draft["number"]) == (1, 0, None)
    assert set(draft) == {"number", "customer", "currency", "net", "tax", "total", "due"}
    assert Decimal(draft["net"]) == sold_to(october, "dave")
    assert re.fullmatch(r"\d+\.\d{2}(\d*[1-9])?", draft["net"])
    assert all(re.fullmatch(r"\d+\.\d{2}", draft[name]) for name in ("tax", "total", "due"))
    issued = told(capsys, "run_invoices", "--seller", "meadow", *MONTH, "--issue")
    assert issued["created"] == 0
    (invoice,) = issued["invoices"]
    assert {**invoice, "number": None} == draft
    assert invoice["number"].endswith("-00001")
    assert Document.objects.count() == 3
    temper = Temper()
    with mail_server(temper, settings.EMAIL_PORT):
        sent = told(capsys, "run_invoices", "--seller", "meadow", *MONTH, "--send")
        assert sent == issued
        assert told(capsys, "run_invoices", "--seller", "meadow", *MONTH, "--send") == issued
    assert len(temper.letters) == 1


def test_send_does_it_all_and_a_dead_server_only_delays(
    october: Cast, settings: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = told(capsys, "run_invoices", "--seller", "harbour", *MONTH, "--send")
    assert [one["customer"] for one in result["invoices"]] == ["alice"]
    assert (result["created"], result["skipped"], result["invoices"][0]["due"]) == (1, 1, "0.00")
    later = timezone.now() + timedelta(minutes=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert told(capsys, "send_outbox", "--json") == {"sent": 0, "failed": 0, "waiting": 1}


def test_refusals_say_what_to_do(october: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    running = f"{timezone.now():%Y-%m}"
    for arguments, code in (
        (("--seller", "meadow", "--period", running, "--json"), "period_running"),
        (("--seller", "meadow", "--period", "October", "--json"), "period"),
        (("--seller", "nobody", "--period", "2026-10", "--json"), "seller"),
    ):
        error = told(capsys, "run_invoices", *arguments, code=1)["error"]
        assert error["code"] == code
        assert set(error) == {"code", "message", "where", "hint"}
    assert Invoice.objects.count() == 0
    early = told(capsys, "run_invoices", "--seller", "meadow", "--period", running, "--early", "--json")
    assert early["created"] == 1, "October's calls, not billed yet, with what this month has so far"


def test_without_pango_all_but_the_pdf_is_made(
    october: Cast, settings: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's machine without Pango bills all the same; PDFs and mails follow when it is there."""

    def bare(name: str, *arguments: Any, **others: Any) -> Any:
        if name.startswith("weasyprint") or name == "invoicing.render.pdf":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *arguments, **others)

    real = builtins.__import__
    temper = Temper()
    with mail_server(temper, settings.EMAIL_PORT):
        with monkeypatch.context() as patch:
            patch.setattr(builtins, "__import__", bare)
            result = told(capsys, "run_invoices", "--seller", "meadow", *MONTH, "--send")
        assert result["invoices"][0]["number"] is not None
        assert sorted(Document.objects.values_list("kind", flat=True)) == ["csv", "docx"]
        assert temper.letters == []
        later = timezone.now() + timedelta(minutes=2)
        monkeypatch.setattr(timezone, "now", lambda: later)
        assert told(capsys, "send_outbox", "--json") == {"sent": 1, "failed": 0, "waiting": 0}
    assert Document.objects.count() == 3
