"""Exchange rates: the installation's own, entered by the operator or brought by a bank's file, each from a moment on.

The rate of a day holds from that day's beginning in UTC: who asks "which rate had 20 November?" finds one answer for
the whole day, as accounts and tax want it, and not another one before and after the hour of its publication. Calls that
were rated earlier on that day keep the rate frozen with them. No margin is put on top: a list's mark-up is for that.

A rate by which calls may have been rated is never replaced in passing: that takes a yes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import ExchangeRate, RatedCall
from rating.models.lists import RateOrigin
from rating.selectors.calls import began_between
from tiers.errors import Conflict, Invalid
from tiers.services.brands import check_currency
from tiers.services.writing import written_by
from tiers.viewer import Actor

PLACES = Decimal("0.00000001")
LARGEST = Decimal("9999999999")
TURN = 0x746C6765_6678
"""The advisory lock under which rates are written, so that rows are seen in the order of their ids."""


def day_begins(day: date) -> datetime:
    """From when a day's rate holds."""
    return datetime.combine(day, time(), UTC)


def set_exchange_rate(
    base: str,
    quote: str,
    rate: Decimal,
    *,
    actor: Actor,
    valid_from: datetime | None = None,
    replace: bool = False,
) -> tuple[ExchangeRate, bool]:
    """1 `base` = `rate` `quote` from a moment (now) on: (the row, whether anything changed).

    The same moment again corrects the rate: raises Conflict `rate_used` where calls were rated since, unless `replace`.
    Raises Invalid.
    """
    check_currency(base, "base")
    check_currency(quote, "quote")
    if base == quote:
        raise Invalid("same_currency", _("An exchange rate stands between two currencies."), where="quote")
    if not rate.is_finite() or not 0 < rate <= LARGEST or rate != rate.quantize(PLACES):
        raise Invalid("rate", _("A rate is above 0 and has at most 8 decimals."), where="rate")
    moment = valid_from or timezone.now()
    with written_by(actor):
        take_turn()
        row: ExchangeRate | None = ExchangeRate.objects.filter(base=base, quote=quote, valid_from=moment).first()
        if row is not None and row.rate == rate:
            return row, False
        if row is not None:
            if not replace and used_since(base, quote, moment):
                raise rate_used(row)
            row.delete()
        made: ExchangeRate = ExchangeRate.objects.create(
            base=base, quote=quote, valid_from=moment, rate=rate, origin=RateOrigin.TYPED
        )
    return made, True


def take_turn() -> None:
    """Wait for whoever writes exchange rates now; held to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])


def used_since(base: str, quote: str, moment: datetime) -> bool:
    """Whether any call was rated while this rate of a pair was the newest: it may stand in its price."""
    following = (
        ExchangeRate.objects.filter(base=base, quote=quote, valid_from__gt=moment)
        .order_by("valid_from")
        .values_list("valid_from", flat=True)
        .first()
    )
    return calls_between(moment, following)


def calls_between(start: datetime, end: datetime | None) -> bool:
    """Whether a call that began in [start, end) was rated. One question to an index, whatever the months hold."""
    until = end or timezone.now()
    return start < until and bool(RatedCall.objects.filter(began_between(start, until)).exists())


def rate_used(row: ExchangeRate) -> Conflict:
    return Conflict(
        "rate_used",
        _("1 %(base)s = %(rate)s %(quote)s stands already from that moment, and calls were rated since.")
        % {"base": row.base, "quote": row.quote, "rate": f"{row.rate.normalize():f}"},
        where="rate",
        hint=_("Enter the rate from a later moment, or say that it replaces the one that stands."),
    )


def exchange_rate_at(base: str, quote: str, moment: datetime) -> Decimal | None:
    """How many `quote` one `base` was at that moment; 1 for the same currency; None where nobody entered it."""
    if base == quote:
        return Decimal(1)
    row = ExchangeRate.objects.filter(base=base, quote=quote, valid_from__lte=moment).order_by("-valid_from").first()
    return row.rate if row else None
