"""The outbox's worker: every mail out once, though servers fail and workers die.

A row is claimed with a lease before anything is sent and written off after; two workers never hold the same row. What
the server took for whom is remembered by address, so another try goes only to the rest.

One thing the protocol cannot tell: when the connection breaks after the message was handed over and before the
server's answer, or a worker dies between that answer and its commit, nobody knows whether it was taken. Such a mail is
sent again, always with the same Message-ID, by which receiving servers and mail programs drop the second.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import F, Q
from django.utils import timezone

from accounts.services.transactions import in_transaction
from invoicing.models import Invoice, InvoiceStatus, MailStatus, OutboxMail
from invoicing.render.frozen import BadContext
from invoicing.services import smtp
from tiers.errors import TollgateError

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
GIVE_UP_AFTER = timedelta(days=5)


@dataclass(slots=True)
class Sent:
    """What a round did. `waiting` are those to be tried again later; `problem` is the last reason, for people."""

    sent: int = 0
    failed: int = 0
    waiting: int = 0
    problem: str = ""
    tried: set[UUID] = field(default_factory=set)


def send_due(*, only: Collection[UUID] | None = None, limit: int = 1000) -> Sent:
    """Send what is due (of `only` these), each once in this round; stops early when the server cannot be reached."""
    result = Sent()
    with smtp.Server() as server:
        while len(result.tried) < limit:
            mail = claim(only=only, but=result.tried)
            if mail is None:
                break
            result.tried.add(mail.pk)
            if not _send_one(server, mail, result):
                break
    return result


def claim(*, only: Collection[UUID] | None = None, but: Collection[UUID] = ()) -> OutboxMail | None:
    """Take the next due mail for the length of a lease; None when there is none. A lapsed lease is taken over."""
    now = timezone.now()
    free = Q(status=MailStatus.QUEUED) | Q(status=MailStatus.SENDING, claimed_until__lt=now)

    def work() -> OutboxMail | None:
        due = OutboxMail.objects.select_for_update(skip_locked=True).filter(free, next_try_at__lte=now)
        due = due.exclude(pk__in=list(but))
        if only is not None:
            due = due.filter(pk__in=list(only))
        mail: OutboxMail | None = due.order_by("next_try_at", "id").first()
        if mail is not None:
            mail.status, mail.lease, mail.claimed_until = MailStatus.SENDING, uuid4(), now + LEASE
            mail.save(update_fields=["status", "lease", "claimed_until"])
        return mail

    return in_transaction(work)


def _send_one(server: smtp.Server, mail: OutboxMail, result: Sent) -> bool:
    """Send a claimed mail and write down what came of it; False when no other need be tried now."""
    try:
        message = smtp.message_of(mail)
    except (TollgateError, BadContext, OSError) as error:
        _later(mail, f"The mail could not be made: {error}", result)
        return True
    try:
        outcome = server.send(mail, message)
    except smtplib.SMTPConnectError as error:
        return _unreachable(server, mail, error, result)
    except smtplib.SMTPException as error:
        server.close()
        _classify(mail, error, result)
        return True
    except OSError as error:
        return _unreachable(server, mail, error, result)
    _account(mail, outcome, result)
    return True


def _account(mail: OutboxMail, outcome: smtp.Outcome, result: Sent) -> None:
    """What the server said for each address: the mail is sent when the customer's were taken."""
    mail.delivered = [*mail.delivered, *outcome.taken]
    mail.refused = {**mail.refused, **outcome.refused}
    if outcome.deferred:
        _later(mail, _listed(outcome.deferred), result)
    elif any(address in mail.refused for address in mail.to):
        _fail(mail, _listed(mail.refused), result)
    else:
        _done(mail, result)


def _listed(answers: dict[str, str]) -> str:
    return "; ".join(f"{address}: {answer}" for address, answer in answers.items())


def _classify(mail: OutboxMail, error: smtplib.SMTPException, result: Sent) -> None:
    """A 5xx answer to the mail itself is for good. The rest is tried again: a login that fails, a broken line."""
    refused = isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError)
    if refused and 500 <= getattr(error, "smtp_code", 0) < 600:
        _fail(mail, smtp.words(error), result)
    else:
        _later(mail, smtp.words(error), result)


def _unreachable(server: smtp.Server, mail: OutboxMail, error: Exception, result: Sent) -> bool:
    """No server: not this mail's fault. It waits a minute, does not age, and the round ends."""
    server.close()
    reason = smtp.words(error)
    _release(mail, status=MailStatus.QUEUED, error=reason, next_try_at=timezone.now() + PAUSES[0])
    result.waiting, result.problem = result.waiting + 1, reason
    return False


def _done(mail: OutboxMail, result: Sent) -> None:
    def work() -> None:
        now = timezone.now()
        if (
            _release(mail, status=MailStatus.SENT, sent_at=now, error=_listed(mail.refused))
            and mail.invoice_id is not None
        ):
            Invoice.objects.filter(pk=mail.invoice_id, sent_at__isnull=True).update(sent_at=now)
            Invoice.objects.filter(pk=mail.invoice_id, status=InvoiceStatus.ISSUED).update(status=InvoiceStatus.SENT)

    in_transaction(work)
    result.sent += 1


def _fail(mail: OutboxMail, reason: str, result: Sent) -> None:
    _release(mail, status=MailStatus.FAILED, error=reason)
    log.warning("mail %s cannot be delivered: %s", mail.pk, reason)
    result.failed, result.problem = result.failed + 1, reason


def _later(mail: OutboxMail, reason: str, result: Sent) -> None:
    """Another try after a pause that grows; after five days it is a failure that somebody must see."""
    if timezone.now() - mail.created_at > GIVE_UP_AFTER:
        _fail(mail, reason, result)
        return
    pause = PAUSES[min(mail.attempts, len(PAUSES) - 1)]
    next_try_at = timezone.now() + pause
    _release(mail, status=MailStatus.QUEUED, error=reason, attempts=F("attempts") + 1, next_try_at=next_try_at)
    result.waiting, result.problem = result.waiting + 1, reason


def _release(mail: OutboxMail, **values: object) -> int:
    """Write the outcome, if the lease is still ours; a worker that lost it changes nothing."""
    held = OutboxMail.objects.filter(pk=mail.pk, lease=mail.lease)
    kept = {"delivered": mail.delivered, "refused": mail.refused}
    return held.update(lease=None, claimed_until=None, **kept, **values)


def waiting() -> int:
    """How many mails are still to go out."""
    return OutboxMail.objects.filter(status__in=[MailStatus.QUEUED, MailStatus.SENDING]).count()
