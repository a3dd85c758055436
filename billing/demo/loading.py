"""Tells the story: set up, last month's calls and bills, this month as far as it has come.

Every step goes through the services that people use, and each is safe to repeat: a load that was cut off goes on
where it stopped, and one that is complete does nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Transfer
from accounts.services.accounts import wallet_of
from accounts.services.funds import Move, allocate
from billing.demo.customers import CUSTOMERS
from billing.demo.money import allocate_all, pay_invoices, top_up_all
from billing.demo.story import LOGINS, data, write_decks
from billing.demo.usage import Telling, bring_usage
from billing.setup import load
from invoicing.models import Invoice, OutboxMail
from invoicing.services.periods import month_before
from invoicing.services.runs import Steps, carry_out
from rating.models import Carrier
from rating.services.carriers import choose_carrier
from tiers.errors import Conflict
from tiers.models import Brand, Kind, Party
from tiers.viewer import Actor

ACTOR = Actor("demo")
COMPLETE = "demo:complete"
MONTHS_BEFORE = 6
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scale:
    """`share` of the story's calls, and how many processes print bills; tests tell a small part in one."""

    share: float = 1.0
    workers: int = min(2, os.cpu_count() or 1)


def is_loaded() -> bool:
    return Transfer.objects.filter(key__startswith=f"allocation:{COMPLETE}:").exists()


def check_allowed(*, asked: bool) -> None:
    """The demo has known passwords: embedded databases only, or an empty one where somebody asked. Raises Conflict."""
    if not (settings.DEMO or asked):
        raise Conflict(
            "not_embedded",
            _("The demo has known passwords and loads into the embedded database only."),
            hint=_("Say --demo to load it into this empty database all the same."),
        )
    operator = Party.objects.filter(depth=1).first()
    if operator is not None and not Brand.objects.filter(owner=operator, code="northstar").exists():
        raise Conflict("not_empty", _("This database has an operator already: %s.") % operator.name)
    if operator is not None and not settings.DEMO:
        raise Conflict("not_empty", _("This database is not empty."))


def load_demo(say: Say, *, scale: Scale | None = None, now: datetime | None = None) -> dict[str, Any]:
    """Load what is missing; what the database then holds, counted, and the logins."""
    moment = now or timezone.now()
    today = moment.astimezone(UTC).date()
    this_month = today.replace(day=1)
    last_month = month_before(this_month)
    if not is_loaded():
        size = scale or Scale()
        telling = Telling(size.share, moment, last_month)
        with tempfile.TemporaryDirectory(prefix="tollgate-demo-") as name:
            _set_up(say, telling, Path(name))
            bring_usage(last_month, telling, Path(name), ACTOR, say)
            top_up_all(last_month, ACTOR)
            bill_all(last_month, size.workers, say)
            bring_usage(this_month, telling, Path(name), ACTOR, say)
        pay_invoices(last_month, today, ACTOR)
        top_up_all(this_month, ACTOR)
        allocate_all(this_month, ACTOR)
        _complete()
    return summary()


def _set_up(say: Say, telling: Telling, folder: Path) -> None:
    say("Setting up sellers, customers and the carriers' decks ...")
    begin = month_before(telling.moving_month, MONTHS_BEFORE)
    write_decks(folder, begin)
    load(data(datetime(begin.year, begin.month, 1, tzinfo=UTC)), actor=ACTOR, folder=folder)
    _move_carriers(telling.moved_at)


def bill_all(month: date, workers: int, say: Say) -> None:
    """Every seller's month: drafted, approved, issued, printed, mailed; printing is what takes long."""
    sellers = Party.objects.filter(kind__in=[Kind.OPERATOR, Kind.DEALER]).order_by("path")
    codes = list(sellers.values_list("code", flat=True))
    say(f"Billing {month:%Y-%m} of {', '.join(codes)} ...")
    if workers == 1:
        told = [bill(month, code) for code in codes]
    else:
        connections.close_all()
        with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
            told = list(pool.map(partial(bill, month), codes))
    for problem in {problem for problems in told for problem in problems}:
        say(problem)


def bill(month: date, code: str) -> list[str]:
    """One seller's month; what was left undone, in words."""
    try:
        seller = Party.objects.get(code=code)
        return carry_out(seller, month, Steps(send=True), actor=ACTOR, early=True).problems
    finally:
        if parent_process() is not None:
            connections.close_all()


def summary() -> dict[str, Any]:
    return {
        "parties": Party.objects.count(),
        "transfers": Transfer.objects.count(),
        "invoices": Invoice.objects.exclude(number=None).count(),
        "mails": OutboxMail.objects.count(),
        "logins": [login._asdict() for login in LOGINS],
    }


def _move_carriers(at: datetime) -> None:
    """Some customers changed their carrier in the middle of last month."""
    for customer in CUSTOMERS:
        if customer.moves_to:
            carrier = Carrier.objects.get(code=customer.moves_to)
            choose_carrier(Party.objects.get(code=customer.code), carrier, actor=ACTOR, at=at)


def _complete() -> None:
    """The last transfer of the story, by whose key a second start knows that nothing is missing."""
    giver, receiver = Party.objects.get(code="northstar"), Party.objects.get(code="union-diner")
    currency = wallet_of(receiver).account.currency
    allocate(giver, receiver, Move(Decimal(5), currency, COMPLETE, ACTOR, "Welcome back"))
