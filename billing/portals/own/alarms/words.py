"""Alarms and rules in words: a page says what the mail says, and a rule reads as a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from accounts.models import AlertEvent, AlertKind
from accounts.services.alert_rules import Terms
from billing.formatting import money_text
from invoicing.render.alarm import AlarmContext, AlarmWords, words_of
from invoicing.services.labels import language_of, locale_of

ABOUT: dict[str, Any] = {
    AlertKind.LOW: lambda: _("Less is left than the warning balance."),
    AlertKind.EMPTY: lambda: _("Funds or credit are used up, so calls are refused."),
    AlertKind.BLOCKED: lambda: _("Somebody, or a rule, blocked it."),
    AlertKind.SPEND_HOUR: lambda: _("Its calls of one hour cost more than an amount."),
    AlertKind.SPEND_DAY: lambda: _("Its calls of one day cost more than an amount."),
    AlertKind.USUAL_HOUR: lambda: _("An hour costs many times what the same hour of the last four weeks did."),
    AlertKind.USUAL_DAY: lambda: _("A day costs many times what the same weekday of the last four weeks did."),
    AlertKind.RISK: lambda: _("It calls a destination of the list of high-risk ranges, the first time in 90 days."),
    AlertKind.PLACES: lambda: _("Its calls go to many countries, or come from many addresses, within an hour."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An alarm and what it says, for a list."""

    event: AlertEvent
    words: AlarmWords


def said(event: AlertEvent) -> AlarmWords:
    """What its mail says, in the reader's language and the portal's zone. Asks the database nothing."""
    language = language_of(get_language() or "en")
    zone = timezone.get_current_timezone()
    context = AlarmContext(
        kind=event.kind,
        figures=event.figures,
        opened_at=event.opened_at,
        name=event.party.name,
        brand=event.owner.name,
        accent="",
        language=language,
        locale=locale_of(language),
        zone=zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC"),
        blocked=event.blocked,
    )
    return words_of(context)


def lines(events: Iterable[AlertEvent]) -> list[Line]:
    return [Line(event, said(event)) for event in events]


def condition(kind: str, terms: Terms) -> str:
    """When a rule speaks: "above 50.00 EUR in an hour"."""
    if not terms.enabled:
        return _("off")
    amount = money_text(terms.threshold, terms.currency) if terms.threshold is not None else ""
    if kind == AlertKind.LOW:
        return _("below %s, or its own warning balance") % amount if amount else _("below its own warning balance")
    if kind in (AlertKind.SPEND_HOUR, AlertKind.SPEND_DAY):
        return _("above %s") % amount
    if kind in (AlertKind.USUAL_HOUR, AlertKind.USUAL_DAY):
        times = f"{(terms.factor or Decimal(0)).normalize():f}"
        return _("above %(times)s times the usual, and above %(amount)s") % {"times": times, "amount": amount}
    if kind == AlertKind.PLACES:
        return _places(terms)
    return _("each time")


def _places(terms: Terms) -> str:
    parts = []
    if terms.most_countries is not None:
        many = terms.most_countries
        parts.append(ngettext("more than %d country", "more than %d countries", many) % many)
    if terms.most_addresses is not None:
        many = terms.most_addresses
        parts.append(ngettext("more than %d address", "more than %d addresses", many) % many)
    return _(" or ").join(parts)


def deeds(terms: Terms, *, own: bool = False) -> str:
    """What follows: "mails the buyer and you, blocks"."""
    if not terms.enabled:
        return ""
    if own:
        told = [_("you")] if terms.tell_buyer else []
    else:
        told = [word for word, wanted in ((_("the buyer"), terms.tell_buyer), (_("you"), terms.tell_seller)) if wanted]
    told += list(terms.also_to)
    found = [_("mails %s") % ", ".join(told)] if told else [_("mails nobody")]
    if terms.block:
        found.append(_("blocks"))
    return _("; ").join(found)
