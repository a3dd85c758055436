"""How a brand bills: its number series, days to pay, what it prints, and whether somebody must approve."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from tiers.ids import uuid7
from tiers.models import Brand, Party
from tiers.scope import Scoped


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class PaperTerms(Scoped):
    """A brand's terms on paper."""

    SCOPE: ClassVar[tuple[str, ...]] = ("brand__owner__path",)

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, primary_key=True, related_name="paper_terms")
    series = models.CharField(_("number series"), max_length=16, help_text=_("Stands before the number."))
    credit_series = models.CharField(
        _("series of credit notes"), max_length=16, blank=True, default="", help_text=_("Empty: that of invoices.")
    )
    due_days = models.PositiveSmallIntegerField(_("days to pay"), default=14)
    approval_required = models.BooleanField(_("somebody must approve"), default=True)
    paper = models.CharField(_("paper"), max_length=6, choices=[("A4", "A4"), ("Letter", "Letter")], default="A4")
    calls_group = models.CharField(
        _("calls grouped by"),
        max_length=6,
        choices=[("number", _("number")), ("day", _("day"))],
        default="day",
    )
    attach_docx = models.BooleanField(_("attach DOCX too"), default=False)
    bank_name = models.CharField(_("bank"), max_length=100, blank=True)
    bank_account = models.CharField(_("account or IBAN"), max_length=40, blank=True)
    bank_code = models.CharField(_("BIC or sort code"), max_length=20, blank=True)
    payment_text = models.TextField(_("how to pay"), blank=True)
    footer = models.TextField(_("footer"), blank=True)
    copy_to = models.EmailField(_("copy of each mail to"), blank=True)


class InvoiceSeries(models.Model):
    """A counter without gaps: the row is locked while a number is taken and the invoice issued."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    issuer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="series")
    code = models.CharField(max_length=24)
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "code"], name="series_once")]
