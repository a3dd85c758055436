"""What beat and pages hand to a worker. Each is a nudge: the rows say what is to be done, and twice does no harm."""

from __future__ import annotations

import logging
from datetime import date
from uuid import UUID

import pghistory
from celery import shared_task

from invoicing.models import Invoice
from invoicing.services import alarms, allowances, charging, documents, outbox, payments, runs
from tiers.models import Party
from tiers.viewer import Actor

log = logging.getLogger(__name__)


@shared_task
def send_outbox() -> int:
    """Send the mails that are due; how many went out."""
    return outbox.send_due().sent


@shared_task
def mail_alarms() -> int:
    """Queue the mails of alarms that nobody was told of yet; how many."""
    return alarms.mail_alarms()


@shared_task
def render_missing() -> int:
    """Make the documents that issued invoices still lack; of how many."""
    missing = documents.without_documents()
    for invoice in missing:
        try:
            documents.render(invoice)
        except documents.CannotPrint as problem:
            log.warning("%s %s", problem.message, problem.hint)
            return 0
    return len(missing)


@shared_task
def render_invoice(invoice_id: str) -> None:
    documents.render(Invoice.objects.get(pk=UUID(invoice_id)))


@shared_task
def mark_overdue() -> int:
    """Settle what payments covered, then mark what is late; how many were marked."""
    return payments.mark_overdue()


@shared_task
def run_month(seller_id: str, month: str, steps: dict[str, bool], actor: str, member_id: str | None = None) -> int:
    """A month's run for a page; its progress is what `selectors.invoices.run_progress` counts. How many were made."""
    who = Actor(actor, UUID(member_id) if member_id else None)
    with pghistory.context(actor=actor, task="run_month"):
        seller = Party.objects.get(pk=UUID(seller_id))
        return runs.carry_out(seller, date.fromisoformat(month), runs.Steps(**steps), actor=who).created


@shared_task
def post_charges() -> int:
    """Post what recurring charges are due, and try again those that waited for funds; how many."""
    return charging.post_due(most=5000).charges


@shared_task
def settle_allowances() -> int:
    """Give back included calls; how many credits were posted."""
    return allowances.settle_open()
