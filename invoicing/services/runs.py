"""A month from charges to mail, in as many steps as asked for.

Each step is safe to repeat, so a run that was cut off is simply started again: it finds what stands and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from invoicing.models import Invoice, InvoiceStatus
from invoicing.services import documents, mailing, outbox
from invoicing.services.drafts import invoices_of, run
from invoicing.services.issuing import approve, issue
from tiers.errors import Conflict
from tiers.models import Party
from tiers.viewer import Actor

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Steps:
    """How far to go; a later step implies the earlier ones."""

    approve: bool = False
    issue: bool = False
    send: bool = False

    @property
    def approves(self) -> bool:
        return self.approve or self.issues

    @property
    def issues(self) -> bool:
        return self.issue or self.send


@dataclass(slots=True)
class Outcome:
    """`invoices`: all of the seller's for the month as they now are. `problems`: what was left undone, in words."""

    created: int
    skipped: int
    invoices: list[Invoice]
    problems: list[str] = field(default_factory=list)


def carry_out(
    seller: Party,
    month: date,
    steps: Steps,
    *,
    actor: Actor,
    early: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Outcome:
    """Draft the month and take its invoices, also those that stand, as far as `steps` says."""
    result = run(seller, month, actor=actor, early=early)
    outcome = Outcome(result.created, result.skipped, result.invoices)
    for done, invoice in enumerate(result.invoices, start=1):
        _advance(invoice, steps, actor)
        if steps.issues:
            _print(invoice, outcome)
        progress(done, len(result.invoices))
    if steps.send:
        _mail(result.invoices, outcome)
    outcome.invoices = invoices_of(seller, month)
    return outcome


def _advance(invoice: Invoice, steps: Steps, actor: Actor) -> None:
    if steps.approves and invoice.status == InvoiceStatus.DRAFT:
        approve(invoice, actor=actor)
    if steps.issues:
        issue(invoice, actor=actor)


def _print(invoice: Invoice, outcome: Outcome) -> None:
    try:
        documents.render(Invoice.objects.get(pk=invoice.pk))
    except documents.CannotPrint as problem:
        if problem.message not in outcome.problems:
            outcome.problems.append(problem.message)


def _mail(invoices: Iterable[Invoice], outcome: Outcome) -> None:
    """Queue every bill, then try those once; what the server does not take now waits in the outbox."""
    queued = []
    for invoice in invoices:
        invoice.refresh_from_db()
        try:
            queued.append(mailing.send(invoice).pk)
        except Conflict as problem:
            outcome.problems.append(problem.message)
    sent = outbox.send_due(only=queued)
    if sent.problem:
        outcome.problems.append(sent.problem)
