"""The demo's mail box shows what the product really mails: each kind of Date, a body without rights, attachments."""

from __future__ import annotations

import mailbox
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client, override_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(tmp_path: Path) -> Iterator[mailbox.Maildir]:
    with override_settings(DEMO=True, MAIL_DIR=str(tmp_path / "mail")):
        yield mailbox.Maildir(tmp_path / "mail")


def sent() -> Any:
    """A mail as Django writes it, Date and all."""
    mail = EmailMultiAlternatives("Invoice 42", "Nothing to pay", "a@seller.example", ["b@buyer.example"])
    mail.attach_alternative("<p>Nothing to pay</p><script>alert(1)</script>", "text/html")
    mail.attach("invoice.pdf", b"%PDF-1.7", "application/pdf")
    return mail.message()


@pytest.mark.parametrize(
    "date", ["", "Sat, 21 Nov 2026 22:56:50 -0000", "Sat, 21 Nov 2026 23:56:50 +0100", "yesterday", None]
)
def test_every_date_a_mail_may_carry_is_shown(box: mailbox.Maildir, date: str | None) -> None:
    mail = sent()
    if date is not None:
        del mail["Date"]
        mail["Date"] = date or "Sat, 21 Nov 2026 22:56:50 -0000"
    box.add(mail.as_bytes())
    page = Client().get("/demo/mail/")
    assert page.status_code == 200
    assert b"Invoice 42" in page.content


def test_a_mail_is_read_with_its_attachments_and_its_body_can_do_nothing(box: mailbox.Maildir) -> None:
    key = box.add(sent().as_bytes())
    browser = Client()
    assert b"invoice.pdf" in browser.get(f"/demo/mail/{key}/").content
    body = browser.get(f"/demo/mail/{key}/body/")
    assert "sandbox" in body["Content-Security-Policy"]
    assert "script-src" not in body["Content-Security-Policy"]
    paper = browser.get(f"/demo/mail/{key}/0/")
    assert (paper.content, paper["Content-Disposition"].split(";")[0]) == (b"%PDF-1.7", "attachment")


def test_there_is_no_mail_box_outside_the_demo(box: mailbox.Maildir) -> None:
    with override_settings(DEMO=False, MAIL_DIR=""):
        assert Client().get("/demo/mail/").status_code == 404
