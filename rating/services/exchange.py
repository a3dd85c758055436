"""Exchange rates: the installation's own, entered by the operator, each from a moment on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import ExchangeRate
from tiers.errors import Invalid
from tiers.services.brands import check_currency
from tiers.services.writing import written_by
from tiers.viewer import Actor

PLACES = Decimal("0.00000001")
LARGEST = Decimal("9999999999")


def set_exchange_rate(
    base: str, quote: str, rate: Decimal, *, actor: Actor, valid_from: datetime | None = None
) -> tuple[ExchangeRate, bool]:
    """1 `base` = `rate` `quote` from a moment (now) on: (the row, whether anything changed).

    The same moment again corrects the rate. Raises Invalid.
    """
    check_currency(base, "base")
    check_currency(quote, "quote")
    if base == quote:
        raise Invalid("same_currency", _("An exchange rate stands between two currencies."), where="quote")
    if not rate.is_finite() or not 0 < rate <= LARGEST or rate != rate.quantize(PLACES):
        raise Invalid("rate", _("A rate is above 0 and has at most 8 decimals."), where="rate")
    moment = valid_from or timezone.now()
    row: ExchangeRate
    with written_by(actor):
        row, made = ExchangeRate.objects.get_or_create(
            base=base, quote=quote, valid_from=moment, defaults={"rate": rate}
        )
        changed = made or row.rate != rate
        if not made and changed:
            row.rate = rate
            row.save(update_fields=["rate"])
    return row, changed


def exchange_rate_at(base: str, quote: str, moment: datetime) -> Decimal | None:
    """How many `quote` one `base` was at that moment; 1 for the same currency; None where nobody entered it."""
    if base == quote:
        return Decimal(1)
    row = ExchangeRate.objects.filter(base=base, quote=quote, valid_from__lte=moment).order_by("-valid_from").first()
    return row.rate if row else None
