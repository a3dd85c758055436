"""Changes of prices that are to come, taken back: a rate, a mark-up or a rule whose date has not begun."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import ListRule, ListTerms, PriceList, Rate, RateTable
from rating.services.rates import raise_version
from tiers.errors import Conflict, NotFound
from tiers.services.writing import written_by
from tiers.viewer import Actor


def cancel_rate(table: RateTable, prefix: str, effective_from: datetime, *, actor: Actor) -> None:
    """The rate before it goes on, for as long as the one that is taken back was to hold.

    Raises NotFound where there is no such rate, Conflict where it has begun.
    """
    with written_by(actor):
        RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
        row = Rate.objects.filter(table=table, prefix=prefix, effective_from=effective_from).first()
        if row is None:
            raise NotFound("no_rate", _("There is no such price here."))
        _check_to_come(row.effective_from)
        before = Rate.objects.filter(table=table, prefix=prefix, effective_to=row.effective_from)
        lasts_until = row.effective_to
        row.delete()
        before.update(effective_to=lasts_until)
        raise_version(table)


def cancel_end(table: RateTable, prefix: str, effective_to: datetime, *, actor: Actor) -> None:
    """A rate that was to end, with nothing after it, goes on. Raises NotFound, Conflict as `cancel_rate`."""
    with written_by(actor):
        RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
        _check_to_come(effective_to)
        ending = Rate.objects.filter(table=table, prefix=prefix, effective_to=effective_to)
        following = Rate.objects.filter(table=table, prefix=prefix, effective_from__gte=effective_to)
        if following.exists() or not ending.update(effective_to=None):
            raise NotFound("no_rate", _("There is no such price here."))
        raise_version(table)


def cancel_terms(price_list: PriceList, valid_from: datetime, *, actor: Actor) -> None:
    """The terms before go on. Raises NotFound, Conflict."""
    _cancel(price_list, ListTerms.objects.filter(price_list=price_list, valid_from=valid_from), actor)


def cancel_rule(rule: ListRule, *, actor: Actor) -> None:
    """The rule (or its end) is taken back: what is before it goes on. Raises NotFound, Conflict."""
    _cancel(rule.price_list, ListRule.objects.filter(pk=rule.pk), actor)


def _cancel(price_list: PriceList, rows: Any, actor: Actor) -> None:
    with written_by(actor):
        PriceList.objects.select_for_update(no_key=True).get(pk=price_list.pk)
        row = rows.first()
        if row is None:
            raise NotFound("no_change", _("There is no such change to come."))
        _check_to_come(row.valid_from)
        row.delete()


def _check_to_come(moment: datetime) -> None:
    if moment <= timezone.now():
        raise Conflict("begun", _("It holds already: enter another one from now on."))
