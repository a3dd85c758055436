"""How a price list follows its base: by publication, or automatically.

A list that follows by publication is derived from its base, and at exchange rates, as both were known when somebody
published it; what was already announced then comes on its day. A later change is a draft until it is published, from
now or from a later date on, never backwards. A list that follows automatically moves from each change's date on.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import Follows, PriceList, Publication
from rating.services.guard import guarded
from tiers.errors import Conflict, Invalid
from tiers.services.writing import written_by
from tiers.viewer import Actor

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""A list's first publication holds for whatever was before it too."""


def publish(
    price_list: PriceList, *, actor: Actor, valid_from: datetime | None = None, accept_loss: bool = True
) -> Publication:
    """Derive the list from its base as it is known now, from a moment (now) on.

    What was to be published later is superseded. Raises Conflict for a list that follows automatically or has no base,
    Invalid for a moment that has passed, BelowCostError as `set_list_terms` does.
    """
    now = timezone.now()
    moment = valid_from or now
    with written_by(actor), guarded(price_list, accept=accept_loss, at=moment):
        locked = _locked(price_list)
        if not _has_base(locked):
            raise Conflict("no_base", _("%s has no base: its own prices need no publication.") % locked.name)
        if locked.follows != Follows.PUBLICATION:
            raise Conflict(
                "automatic", _("%s follows its base automatically: there is nothing to publish.") % locked.name
            )
        if moment < now:
            raise Invalid(
                "backwards", _("That moment has passed; calls of then keep their prices."), where="valid_from"
            )
        return _enter(locked, moment, known_clock(), actor)


def set_follows(price_list: PriceList, follows: str, *, actor: Actor, valid_from: datetime | None = None) -> bool:
    """From a moment (now) on the list follows by publication, then as known now, or automatically. False: it does."""
    if follows not in Follows.values:
        raise Invalid("follows", _("It must be one of %s.") % ", ".join(Follows.values), where="follows")
    now = timezone.now()
    moment = valid_from or now
    _check_forward(moment, now)
    with written_by(actor):
        locked = _locked(price_list)
        if locked.follows == follows:
            return False
        locked.follows = price_list.follows = follows
        locked.save(update_fields=["follows"])
        if not _has_base(locked):
            return True
        if not Publication.objects.filter(price_list=locked).exists():
            _enter(locked, BEGINNING, None, actor)
        known = known_clock() if follows == Follows.PUBLICATION else None
        _enter(locked, moment, known, actor)
    return True


def publish_first(price_list: PriceList, *, actor: Actor) -> None:
    """A list that has just got its base stands published, as if it always had."""
    Publication.objects.filter(price_list=price_list).delete()
    if price_list.follows == Follows.PUBLICATION and _has_base(price_list):
        _enter(price_list, BEGINNING, known_clock(), actor)


def cancel_publication(price_list: PriceList, valid_from: datetime, *, actor: Actor) -> None:
    """Take back a publication that is to come. Raises Conflict where there is none, or it holds already."""
    with written_by(actor):
        _locked(price_list)
        to_come = Publication.objects.filter(price_list=price_list, valid_from=valid_from)
        if valid_from <= timezone.now() or not to_come.exists():
            raise Conflict("not_to_come", _("There is no publication to come at that moment."), where="valid_from")
        to_come.delete()
        newest = Publication.objects.filter(price_list=price_list).order_by("-valid_from").first()
        follows = Follows.AUTOMATIC if newest is None or newest.known_at is None else Follows.PUBLICATION
        PriceList.objects.filter(pk=price_list.pk).update(follows=follows)
        price_list.follows = follows


def known_clock() -> datetime:
    """The database's clock, read when nobody else is changing prices: all that is older is committed.

    Held to the end of the transaction; so it is taken after the list's own row is locked, as every writer does.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT rating_publication_clock()")
        clock: datetime = cursor.fetchone()[0]
    return clock


def _check_forward(moment: datetime, now: datetime) -> None:
    if moment < now:
        raise Invalid("backwards", _("That moment has passed; calls of then keep their prices."), where="valid_from")


def _locked(price_list: PriceList) -> PriceList:
    found: PriceList = PriceList.objects.select_for_update(no_key=True).get(pk=price_list.pk)
    return found


def _has_base(price_list: PriceList) -> bool:
    return bool(price_list.base_table_id or price_list.base_list_id)


def _enter(price_list: PriceList, moment: datetime, known_at: datetime | None, actor: Actor) -> Publication:
    """Never backwards: what was to come later, and knew less, goes."""
    Publication.objects.filter(price_list=price_list, valid_from__gte=moment).delete()
    made: Publication = Publication.objects.create(
        price_list=price_list, valid_from=moment, known_at=known_at, actor=actor.label
    )
    return made
