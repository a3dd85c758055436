"""Mails that are no bills, put into the same outbox: sent once, tried again while the server is down."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone

from invoicing.models import OutboxMail
from tiers.ids import uuid7
from tiers.models import Party


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail in plain text, and in HTML where given. `key` names its occasion for ever: the same key again queues
    nothing. `copy` is blind.
    """

    key: str
    seller: Party
    to: list[str]
    subject: str
    text: str
    copy: list[str] = field(default_factory=list)
    sender: str = ""
    sender_name: str = ""
    html: str = ""


def queue(notice: Notice) -> bool:
    """Put it into the outbox; False where its occasion was told already."""
    pk = uuid7()
    sender = notice.sender or settings.DEFAULT_FROM_EMAIL
    known = {address.casefold() for address in notice.to}
    values = {
        "id": pk,
        "seller": notice.seller,
        "sender": sender,
        "sender_name": notice.sender_name[:200],
        "to": notice.to,
        "bcc": [address for address in notice.copy if address.casefold() not in known],
        "subject": " ".join(notice.subject.split())[:300],
        "text": notice.text,
        "html": notice.html,
        "message_id": f"<{pk}@{_domain(sender)}>",
        "next_try_at": timezone.now(),
    }
    _row, made = OutboxMail.objects.get_or_create(key=notice.key, defaults=values)
    return made


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2].strip("> ")
    return domain if domain.isascii() and domain else "localhost"
