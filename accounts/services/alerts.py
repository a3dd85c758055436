"""Alarms are raised here, once each: one row, who is told of it, and the block that a seller's rule asks for.

An insert that meets the same alarm does nothing, so that two watches at once, or one that is run twice, raise one. The
party is blocked in the transaction of its alarm, by the tiers' own service: the trail names the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import AlertEvent, AlertKind, AlertMark, AlertRule, Wallet
from accounts.services.alert_rules import Applied, Terms
from accounts.services.ledger import LARGEST, PLACES
from accounts.services.transactions import law_broken
from tiers.errors import Invalid, TollgateError
from tiers.models import Party, Status
from tiers.services.parties import set_status
from tiers.viewer import Actor

ONE_ALARM = frozenset({"alertevent_open_once", "alertevent_once"})


def raise_alarm(
    applied: Applied,
    party: Party,
    figures: dict[str, Any],
    *,
    now: datetime,
    occasion: str = "",
    wallet: UUID | None = None,
    silent: bool = False,
    over: bool = False,
) -> AlertEvent | None:
    """Raise an alarm of a rule, unless it stands already; None then. Call inside a transaction.

    `silent`: kept, not mailed (another mail says it). `over`: it belongs to a time that is past, so it is not open.
    """
    to, copy = ([], []) if silent else recipients(applied, party)
    event = AlertEvent(
        kind=applied.kind,
        party=party,
        owner=applied.owner,
        rule_id=applied.rule,
        wallet_id=wallet,
        occasion=occasion,
        figures=figures,
        to=to,
        copy=copy,
        wants_mail=bool(to),
        opened_at=now,
        ended_at=now if over else None,
    )
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError as error:
        if law_broken(error) in ONE_ALARM:
            return None
        raise
    if applied.terms.block and not applied.own and block(event, now=now):
        event.blocked = True
        event.save(update_fields=["blocked"])
    return event


def block(event: AlertEvent, *, now: datetime) -> bool:
    """Block the alarm's party, if it is active. The mail of the alarm says so; the block's own alarm stays silent."""
    party = Party.objects.get(pk=event.party_id)
    if party.status != Status.ACTIVE:
        return False
    try:
        set_status(party, Status.BLOCKED, actor=actor_of(event))
    except TollgateError:  # closed or moved meanwhile: the alarm itself is told all the same
        return False
    told = Applied(AlertKind.BLOCKED, event.owner, Terms(tell_buyer=False, tell_seller=False))
    raise_alarm(told, party, {"by": str(event.pk), "why": event.kind}, now=now, silent=True)
    return True


def actor_of(event: AlertEvent) -> Actor:
    """Who stands in the trail for what an alarm did: "alarm rule: Spend in a day (Harbour Voice)"."""
    return Actor(f"alarm rule: {AlertKind(event.kind).name.lower().replace('_', ' ')} ({event.owner.name})"[:254])


def recipients(applied: Applied, party: Party) -> tuple[list[str], list[str]]:
    """(to, blind copies). Who stands between is never told of who stands above its own seller."""
    terms = applied.terms
    if applied.own:
        return _unique([*(addresses(party) if terms.tell_buyer else []), *terms.also_to]), []
    if not applied.direct:
        return _unique([*(addresses(applied.owner) if terms.tell_seller else []), *terms.also_to]), []
    copy = _unique([*(addresses(applied.owner) if terms.tell_seller else []), *terms.also_to])
    to = _unique([*addresses(party), *_own_named(party, applied.kind)]) if terms.tell_buyer else []
    if not to:
        return copy, []
    return to, [address for address in copy if address not in to]


def addresses(party: Party) -> list[str]:
    """The address for bills, else the owners that log in for it."""
    if party.email:
        return [party.email]
    owners = party.members.filter(role="owner", is_active=True).order_by("email")
    return list(owners.values_list("email", flat=True))


def _own_named(party: Party, kind: str) -> list[str]:
    """Whom the party itself wants told beside its own address."""
    own = AlertRule.objects.filter(owner=party, party=party, kind=kind, enabled=True)
    return [address for named in own.values_list("also_to", flat=True) for address in named]


def _unique(found: list[str]) -> list[str]:
    return list({address.casefold(): address for address in reversed(found)}.values())[::-1]


@contextmanager
def watch(name: str, first: datetime) -> Iterator[AlertMark | None]:
    """One watch of a name at a time, in one transaction with all it raises; None while another one runs.

    The mark's `upto` is `first` when it never ran. Whoever watches sets it; it is kept with the alarms or not at all.
    """
    AlertMark.objects.get_or_create(name=name, defaults={"upto": first})
    with transaction.atomic():
        mark = AlertMark.objects.select_for_update(skip_locked=True).filter(name=name).first()
        yield mark
        if mark is not None:
            mark.save(update_fields=["upto"])


def set_warning(wallet_id: UUID, warn_below: Decimal | None) -> None:
    """At what amount left the wallet's owner is warned; None: as its seller's rule says. Raises Invalid."""
    if warn_below is not None:
        bounded = warn_below.is_finite() and abs(warn_below) <= LARGEST
        if not bounded or warn_below != warn_below.quantize(PLACES):
            raise Invalid("warn_below", _("A warning balance has at most six decimals."), where="warn_below")
    Wallet.objects.filter(pk=wallet_id).update(warn_below=warn_below)
