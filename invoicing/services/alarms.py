"""Alarms into the outbox: each mailed once, under the brand by which its party buys, in its reader's language.

The row is locked while its mail is queued, and the mail's key names the alarm: however many run this, and however
often, one mail is queued. The outbox sees to it that it arrives.
"""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import AlertEvent
from accounts.services.alerts import addresses
from invoicing.render import formats
from invoicing.render.alarm import AlarmContext, render_alarm
from invoicing.services.labels import language_of, locale_of
from invoicing.services.notices import Notice, queue
from tiers.models import Brand
from tiers.selectors.look import brand_of_party
from tiers.selectors.people import placed_under

AT_ONCE = 200


def mail_alarms() -> int:
    """Queue the mails of alarms that nobody was told of yet; how many."""
    queued = 0
    for _number in range(AT_ONCE):
        with transaction.atomic():
            waiting = AlertEvent.objects.filter(mailed_at__isnull=True, wants_mail=True)
            event = waiting.select_for_update(skip_locked=True, of=("self",)).order_by("id").first()
            if event is None:
                break
            queue(notice_of(event))
            AlertEvent.objects.filter(pk=event.pk).update(mailed_at=timezone.now())
            queued += 1
    return queued


def notice_of(event: AlertEvent) -> Notice:
    """The alarm's mail, ready for the outbox."""
    brand = brand_of(event)
    mail = render_alarm(context_of(event, brand))
    return Notice(
        key=f"alarm:{event.pk}",
        seller=event.owner,
        to=event.to,
        copy=event.copy,
        sender=brand.sender if brand else "",
        sender_name=brand.name if brand else event.owner.name,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
    )


def brand_of(event: AlertEvent) -> Brand | None:
    """The look of the mail: that under which the party buys, or the own look of who stands higher and asked."""
    between = event.owner.pk != event.party.pk and event.party.parent_path != event.owner.path
    return brand_of_party(event.owner) if between else placed_under(event.party) or brand_of_party(event.owner)


def context_of(event: AlertEvent, brand: Brand | None, language: str = "") -> AlarmContext:
    """What the mail, and the page beside it, say of an alarm."""
    reader = event.party if set(addresses(event.party)) & set(event.to) else event.owner
    chosen = language or language_of(reader.language or "en")
    context = AlarmContext(
        kind=event.kind,
        figures=event.figures,
        opened_at=event.opened_at,
        name=formats.tidy(event.party.name),
        brand=formats.tidy(event.owner.name),
        accent="",
        language=chosen,
        locale=locale_of(chosen),
        zone=ZoneInfo("UTC"),
        link=f"{settings.PUBLIC_URL}/alarms/{event.pk}/",
        blocked=event.blocked,
    )
    if brand is None:
        return context
    lines = (brand.name, *brand.address.splitlines(), brand.phone, brand.website)
    return replace(
        context,
        brand=formats.tidy(brand.name),
        accent=brand.accent,
        zone=ZoneInfo(brand.time_zone),
        footer=tuple(formats.tidy(line) for line in lines if line.strip()),
    )
