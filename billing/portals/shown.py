"""The reader's choice of a currency on pages that show prices: `?in=HKD`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.formatting import ALWAYS, price_text, utc_day_text
from rating.selectors.exchange import currencies
from rating.selectors.shown_in import ShownIn, shown_in
from tiers.errors import Invalid

PARAMETER = "in"


@dataclass(frozen=True)
class Shown:
    """`by` converts; `sentence` states the rate; `problem` says why the prices stay as they are; `kept`: the rest of
    the page's address."""

    by: ShownIn
    options: list[str]
    sentence: str
    problem: str
    kept: list[tuple[str, str]]

    @property
    def currency(self) -> str:
        return self.by.currency

    @property
    def asked(self) -> str:
        """For links that go on in the same currency; "" where nothing was chosen."""
        return self.by.currency if self.by.said else ""


def shown(request: HttpRequest, base: str, at: datetime | None = None) -> Shown:
    """How this page shows prices that are in `base`."""
    problem = ""
    try:
        by = shown_in(base, request.GET.get(PARAMETER, ""), at or timezone.now())
    except Invalid as error:
        by, problem = ShownIn(base), error.message
    kept = [(name, str(value)) for name, value in request.GET.items() if name != PARAMETER]
    return Shown(by, sorted({base, *currencies()}), _sentence(by), problem, kept)


def _sentence(by: ShownIn) -> str:
    if by.said is None:
        return ""
    said = {
        "currency": by.currency,
        "base": by.base,
        "rate": price_text(by.said.rate),
        "day": utc_day_text(by.said.since),
    }
    if by.said.since <= ALWAYS:
        return _("Shown in %(currency)s at 1 %(base)s = %(rate)s %(currency)s. Charged in %(base)s.") % said
    return _("Shown in %(currency)s at 1 %(base)s = %(rate)s %(currency)s of %(day)s. Charged in %(base)s.") % said
