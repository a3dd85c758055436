"""Carriers' decks on their way into a rate table: the file, what was answered about it, what it would change."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from rating.models.rates import RateTable
from tiers.ids import uuid7
from tiers.scope import Scoped


class DeckStatus(models.TextChoices):
    READING = "reading", _("Being read")
    ASKING = "asking", _("Waits for an answer")
    READY = "ready", _("Waits for your yes")
    IMPORTING = "importing", _("Being imported")
    DONE = "done", _("Imported")
    REFUSED = "refused", _("Refused")
    DISCARDED = "discarded", _("Discarded")


class DeckFile(Scoped):
    """One file of rates between its upload and the decision, and what became of it.

    `answers` settle what has two readings, `mapping` names columns by role. `preview` is what was shown, worked out
    against version `seen_version` of the table; a yes holds only for that.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("table__owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    table = models.ForeignKey(RateTable, on_delete=models.CASCADE, related_name="deck_files")
    name = models.CharField(_("file"), max_length=255)
    path = models.CharField(max_length=500)
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=DeckStatus.choices, default=DeckStatus.READING)
    answers = models.JSONField(default=dict, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    effective = models.DateTimeField(null=True)
    questions = models.JSONField(null=True)
    preview = models.JSONField(null=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)
    seen_version = models.BigIntegerField(null=True)
    lines_read = models.BigIntegerField(default=0)
    lines = models.BigIntegerField(default=0)
    actor = models.CharField(max_length=254)
    actor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("deck")

    def __str__(self) -> str:
        return self.name

    @property
    def at_work(self) -> bool:
        """Whether a worker has it, or is about to."""
        return self.status in (DeckStatus.READING, DeckStatus.IMPORTING)
