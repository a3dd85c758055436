"""What was rendered, and what is to be mailed. SMTP may be down for a day: the outbox row waits."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoicing.models.invoice import Invoice
from tiers.ids import uuid7
from tiers.scope import Scoped


class DocumentKind(models.TextChoices):
    PDF = "pdf", "PDF"
    DOCX = "docx", "DOCX"
    CSV = "csv", "CSV"


class Document(Scoped):
    """A stored rendering of an issued invoice; `path` lies under MEDIA_ROOT."""

    SCOPE: ClassVar[tuple[str, ...]] = ("invoice__seller__path", "invoice__buyer__path")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=4, choices=DocumentKind.choices)
    filename = models.CharField(max_length=150)
    path = models.CharField(max_length=300)
    size = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "kind"], name="document_once")]


class MailStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class OutboxMail(Scoped):
    """A mail to be sent once. `key` makes queueing it twice impossible; the lease decides who sends it.

    `attachments` names kinds of the invoice's documents. `delivered` are the addresses for which a server took it, so
    that another try goes only to the rest; `refused` says for which it was refused for good, and why.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=200, unique=True)
    seller = models.ForeignKey("tiers.Party", on_delete=models.PROTECT, related_name="outbox")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="mails")
    sender = models.CharField(max_length=254)
    sender_name = models.CharField(max_length=200, blank=True, default="")
    to = models.JSONField(default=list)
    bcc = models.JSONField(default=list)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    attachments = models.JSONField(default=list)
    delivered = models.JSONField(default=list)
    refused = models.JSONField(default=dict)
    message_id = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=8, choices=MailStatus.choices, default=MailStatus.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    lease = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(status__in=["queued", "sending"]), name="outbox_to_send")
        ]
