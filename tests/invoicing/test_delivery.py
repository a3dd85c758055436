"""Every bill is mailed once, to a real SMTP server that is not always kind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from invoicing.models import Invoice, InvoiceStatus, MailStatus, OutboxMail
from invoicing.services import documents, mailing, outbox
from invoicing.services.issuing import approve, issue
from invoicing.tasks import send_outbox
from tests.cast import ACTOR, Cast
from tests.invoicing.month import bill_of, load_calls, pay, run_october
from tests.invoicing.servers import Temper, free_port, mail_server
from tiers.errors import Conflict


@pytest.fixture(autouse=True)
def real_mail(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 5


@pytest.fixture
def server(settings: Any) -> Iterator[Temper]:
    temper = Temper()
    settings.EMAIL_PORT = free_port()
    with mail_server(temper, settings.EMAIL_PORT):
        yield temper


@pytest.fixture
def invoice(cast: Cast, tmp_path: Path) -> Invoice:
    """Dave's October, issued: Meadow attaches DOCX too, and has its copy sent to its own box."""
    load_calls(cast, tmp_path, ["dave"], 5)
    run_october(cast, "meadow")
    return issue(approve(bill_of(cast, "dave"), actor=ACTOR), actor=ACTOR)


def later(monkeypatch: pytest.MonkeyPatch, **pause: int) -> None:
    moment = timezone.now() + timedelta(**pause)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def test_to_the_customer_with_a_blind_copy_to_the_seller(invoice: Invoice, server: Temper) -> None:
    mail = mailing.send(invoice)
    assert outbox.send_due().sent == 1
    (letter,) = server.letters
    assert sorted(letter.to) == ["bills@dave.example", "finance@meadow.example"]
    assert letter.message["To"] == "bills@dave.example"
    assert letter.message["Bcc"] is None
    assert letter.message["From"] == "Meadow Hosting <billing@meadow.example>"
    assert letter.message["Message-ID"] == mail.message_id
    assert invoice.number is not None
    assert invoice.number in str(letter.message["Subject"])
    stem = f"Meadow-invoice-{invoice.number}"
    assert sorted(letter.attachments) == [f"{stem}.csv", f"{stem}.docx", f"{stem}.pdf"]
    for document in documents.render(invoice):
        stored = documents.path_of(document).read_bytes()
        assert letter.attachments[document.filename] == stored, "byte for byte as stored"
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.SENT
    assert invoice.sent_at is not None


def test_twice_the_click_and_twice_the_task(invoice: Invoice, server: Temper) -> None:
    assert mailing.send(invoice).pk == mailing.send(invoice).pk
    assert (send_outbox(), send_outbox()) == (1, 0)
    assert len(server.letters) == 1


def test_a_draft_is_not_mailed(cast: Cast, tmp_path: Path) -> None:
    load_calls(cast, tmp_path, ["dave"], 5)
    run_october(cast, "meadow")
    with pytest.raises(Conflict):
        mailing.send(bill_of(cast, "dave"))


def test_a_customer_without_an_address_is_told_apart(invoice: Invoice) -> None:
    invoice.buyer.__class__.objects.filter(pk=invoice.buyer_id).update(email="")
    with pytest.raises(Conflict) as refused:
        mailing.send(Invoice.objects.get(pk=invoice.pk))
    assert (refused.value.code, refused.value.where) == ("no_address", "dave")


def test_refused_for_now_then_taken(invoice: Invoice, server: Temper, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers = ["451 4.3.0 greylisted", "452 4.3.1 full"]
    mail = mailing.send(invoice)
    assert outbox.send_due().waiting == 1
    mail.refresh_from_db()
    first_pause = mail.next_try_at - timezone.now()
    assert (mail.status, mail.attempts) == (MailStatus.QUEUED, 1)
    assert "greylisted" in mail.error
    assert outbox.send_due().sent == 0, "not before its pause is over"
    later(monkeypatch, minutes=2)
    assert outbox.send_due().waiting == 1
    mail.refresh_from_db()
    assert mail.next_try_at - timezone.now() > first_pause, "pauses grow"
    later(monkeypatch, minutes=20)
    assert outbox.send_due().sent == 1
    assert (len(server.letters), server.handed_over) == (1, 3)


def test_refused_for_good_is_shown_and_can_be_sent_again(invoice: Invoice, server: Temper) -> None:
    server.refused = {"bills@dave.example": "550 5.1.1 no such mailbox"}
    mail = mailing.send(invoice)
    assert outbox.send_due().failed == 1
    mail.refresh_from_db()
    invoice.refresh_from_db()
    assert mail.status == MailStatus.FAILED
    assert "no such mailbox" in mail.error
    assert (invoice.status, invoice.sent_at) == (InvoiceStatus.ISSUED, None)
    server.refused = {}
    mailing.send_again(mail)
    assert outbox.send_due().sent == 1
    assert [letter.to for letter in server.letters] == [["finance@meadow.example"], ["bills@dave.example"]]


def test_a_copy_that_is_refused_does_not_hold_the_bill(invoice: Invoice, server: Temper) -> None:
    server.refused = {"finance@meadow.example": "550 5.1.1 moved"}
    mail = mailing.send(invoice)
    assert outbox.send_due().sent == 1
    mail.refresh_from_db()
    assert mail.status == MailStatus.SENT
    assert "moved" in mail.error
    assert [letter.to for letter in server.letters] == [["bills@dave.example"]]


def test_one_recipient_deferred_gets_it_later_and_nobody_twice(
    invoice: Invoice, server: Temper, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.later = {"bills@dave.example"}
    mailing.send(invoice)
    assert outbox.send_due().waiting == 1
    later(monkeypatch, minutes=2)
    assert outbox.send_due().sent == 1
    assert [letter.to for letter in server.letters] == [["finance@meadow.example"], ["bills@dave.example"]]


def test_a_connection_dropped_before_the_answer_is_tried_again_under_the_same_id(
    invoice: Invoice, server: Temper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one case in which nobody can know; receivers tell the second by its Message-ID."""
    server.answers = ["drop"]
    mailing.send(invoice)
    assert outbox.send_due().waiting == 1
    later(monkeypatch, minutes=2)
    assert outbox.send_due().sent == 1
    ids = {letter.message["Message-ID"] for letter in server.letters}
    assert (len(server.letters), len(ids)) == (2, 1)


def test_server_down_all_day_and_back(invoice: Invoice, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_PORT = free_port()
    mail = mailing.send(invoice)
    for _half_hour in range(48):
        assert outbox.send_due().sent == 0
        later(monkeypatch, minutes=30)
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == (MailStatus.QUEUED, 0), "it is not the mail's fault"
    temper = Temper()
    with mail_server(temper, settings.EMAIL_PORT):
        assert outbox.send_due().sent == 1
    assert len(temper.letters) == 1


def test_a_worker_that_died_is_followed_by_another(
    invoice: Invoice, server: Temper, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing.send(invoice)
    dead = outbox.claim()
    assert dead is not None
    assert outbox.send_due().sent == 0, "its lease still runs"
    later(monkeypatch, minutes=6)
    assert outbox.send_due().sent == 1
    assert outbox._release(dead, status=MailStatus.FAILED) == 0, "who lost the lease changes nothing"


def test_a_paid_invoice_stays_paid_when_its_mail_goes_out(cast: Cast, invoice: Invoice, server: Temper) -> None:
    pay(cast, "dave", invoice.total, "at once")
    mailing.send(invoice)
    outbox.send_due()
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.PAID
    assert invoice.sent_at is not None


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_each_mail_once(cast: Cast, tmp_path: Path, server: Temper) -> None:
    for code, amount in (("alice", 100), ("bob", 100)):
        cast.fund(code, amount)
    load_calls(cast, tmp_path, ["alice", "bob", "dave"], 4)
    for seller in ("harbour", "pier", "meadow", "northstar"):
        for draft in run_october(cast, seller).invoices:
            mailing.send(issue(approve(draft, actor=ACTOR), actor=ACTOR))
    mails = OutboxMail.objects.count()
    start = threading.Barrier(4)
    sent = []

    def work() -> None:
        try:
            start.wait()
            sent.append(outbox.send_due().sent)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent) == mails == len(server.letters) > 4
    assert len({letter.message["Message-ID"] for letter in server.letters}) == mails
