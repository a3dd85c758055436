"""How usage comes in: an import, its chunks with their leases, what was quarantined, and the keys seen so far."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rating.models.carriers import Source
from tiers.ids import uuid7
from tiers.scope import Scoped


class ImportStatus(models.TextChoices):
    PLANNING = "planning", _("Reading")
    WORKING = "working", _("Rating")
    DONE = "done", _("Done")
    FAILED = "failed", _("Refused")


class UsageImport(Scoped):
    """One file on its way in. Counts are the sums of its chunks'; read = all the others together.

    A file that came in an archive names it; all files of one archive share `archive_id`. `mapping` is the source's as
    it was when the file came: a change while the file is read is for the next one.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("source__owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="imports")
    name = models.CharField(_("file"), max_length=255)
    path = models.CharField(max_length=500)
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    format = models.CharField(max_length=32, default="auto")
    mapping = models.JSONField(default=dict, blank=True)
    encoding = models.CharField(max_length=32, blank=True)
    status = models.CharField(max_length=10, choices=ImportStatus.choices, default=ImportStatus.PLANNING)
    error = models.JSONField(null=True)
    lines = models.BigIntegerField(default=0)
    archive = models.CharField(max_length=255, blank=True, default="")
    archive_id = models.UUIDField(null=True, db_index=True)
    actor = models.CharField(max_length=254)
    actor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("import")

    def __str__(self) -> str:
        return self.name


class ChunkStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    CLAIMED = "claimed", _("Being worked on")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class UsageChunk(models.Model):
    """A slice of a file, done in one transaction by whoever holds its lease; the row decides, not the broker."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    usage_import = models.ForeignKey(UsageImport, on_delete=models.CASCADE, related_name="chunks")
    index = models.PositiveIntegerField()
    byte_from = models.BigIntegerField()
    byte_to = models.BigIntegerField()
    first_line = models.BigIntegerField()
    lines = models.PositiveIntegerField()
    status = models.CharField(max_length=8, choices=ChunkStatus.choices, default=ChunkStatus.WAITING)
    lease = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    repeats = models.JSONField(default=dict)
    error = models.TextField(blank=True, default="")
    read = models.PositiveIntegerField(default=0)
    rated = models.PositiveIntegerField(default=0)
    unrated = models.PositiveIntegerField(default=0)
    free = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    joined = models.PositiveIntegerField(default=0)
    reconciled = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["usage_import", "index"], name="chunk_once")]
        indexes = [
            models.Index(fields=["claimed_until"], condition=Q(status__in=["waiting", "claimed"]), name="chunk_open")
        ]


class Quarantined(Scoped):
    """A line that could not be used, with what it said and why. Nothing is thrown away."""

    SCOPE: ClassVar[tuple[str, ...]] = ("usage_import__source__owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    usage_import = models.ForeignKey(UsageImport, on_delete=models.CASCADE, related_name="quarantine")
    line = models.BigIntegerField()
    field = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=64)
    reason = models.CharField(max_length=500)
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["usage_import", "line"], name="quarantine_line")]


class RecordKey(models.Model):
    """Every record ever taken, by source and key; outlives partitions. `content` tells a repeat from a conflict."""

    pk = models.CompositePrimaryKey("source_id", "key")
    source_id = models.UUIDField()
    key = models.BinaryField(max_length=16)
    content = models.BinaryField(max_length=16)
    record_id = models.UUIDField()


class UsageHalf(Scoped):
    """A part of a call that a switch writes in several: an INVITE without its BYE, a Start without its Stop.

    One that has not joined is counted as waiting in `chunk_id`. It is kept when it has, so that the same part again is
    known. `fields` is what it said; `content` (16 bytes) tells a repeat from a conflict.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("source__owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    key = models.BinaryField(max_length=16)
    side = models.CharField(max_length=32)
    content = models.BinaryField(max_length=16)
    fields = models.JSONField()
    call_id = models.CharField(max_length=255)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField(auto_now_add=True)
    import_id = models.UUIDField()
    chunk_id = models.UUIDField()
    line = models.BigIntegerField()
    joined = models.BooleanField(default=False)

    class Meta:
        db_table = "rating_half"
        constraints = [models.UniqueConstraint(fields=["source", "key", "side"], name="half_once")]
        indexes = [models.Index(fields=["source", "id"], condition=Q(joined=False), name="half_waiting")]

    @property
    def missing(self) -> str:
        """What there is of the call, and what has not come, in words."""
        if self.side == "begin":
            return gettext("It was answered; its end has not come.")
        if self.side == "end":
            return gettext("It ended; its beginning has not come.")
        if self.side.startswith("far"):
            return gettext("The far side; the side towards the caller has not come.")
        return gettext("It went on; its end has not come.")
