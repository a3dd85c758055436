"""Home: how much is there, how long it lasts, and what this month came to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Wallet
from accounts.selectors import alerts, spending
from billing.formatting import currency_decimals, decimal_text, money_text, month_short
from billing.portals.charts import Chart, Series, bars
from billing.portals.customer.base import CustomerView
from billing.portals.own.alarms.words import lines
from invoicing.selectors import invoices
from rating.selectors import traffic
from rating.selectors.calls import month_bounds
from rating.selectors.tariffs import LONGEST_S, SAMPLES, Tariff
from tiers.models import Status

MONTHS = 7


class Home(CustomerView):
    template_name = "customer/home.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        month = timezone.localdate().replace(day=1)
        start, end = month_bounds(month, timezone.get_current_timezone())
        wallet = self.wallet
        if wallet is None:
            return self.page(wallet=None)
        spent = {one.month: one.amount for one in spending.spent_by_month(self.viewer, wallet, back(month, MONTHS - 1))}
        reach = self.reach(wallet)
        return self.page(
            wallet=wallet,
            currency=wallet.account.currency,
            says=balance_says(wallet, blocked=self.viewer.party.status != Status.ACTIVE),
            reach=reach,
            month=month,
            spent=spent.get(month, Decimal(0)),
            paid=spending.paid_in(self.viewer, wallet, start),
            calls=traffic.count_between(self.viewer, start, end),
            chart=spent_chart(month, spent, wallet.account.currency) if spent else None,
            alarms=lines(alerts.of_party(self.viewer, self.viewer.party)),
            latest=list(invoices.received_by(self.viewer).order_by("-id")[:3]),
        )

    def reach(self, wallet: Wallet) -> list[dict[str, Any]]:
        """Favourite destinations with their price and how many minutes are left for each."""
        known = traffic.favourites(self.viewer, buyer=self.viewer.party, most=6)
        numbers = [one.number for one in known] or list(SAMPLES[:3])
        return [line for number in numbers if (line := reach_of(self.tariff, number, wallet)) is not None][:4]


def reach_of(tariff: Tariff, number: str, wallet: Wallet) -> dict[str, Any] | None:
    """A destination's price and the minutes that are left for it; None where calls there are free or not sold."""
    found = tariff.of_digits(number)
    if found is None or found.row.blocked or not found.row.price:
        return None
    seconds = tariff.seconds_for(found, wallet.available)
    return {
        "destination": found.row.destination or number,
        "price": found.row.price,
        "minutes": seconds // 60,
        "endless": seconds >= LONGEST_S,
    }


def balance_says(wallet: Wallet, *, blocked: bool = False) -> dict[str, str]:
    """What the balance means: a sentence, and `tone` where a person has to do something."""
    currency, available = wallet.account.currency, wallet.available
    if blocked:
        return {"tone": "error", "text": _("New calls are refused: the account is blocked. Ask your seller why.")}
    if available <= 0:
        return {
            "tone": "error",
            "text": _("Nothing is left, so new calls are refused. They go again once it is filled."),
        }
    limit = (
        _("Calls stop at 0.")
        if wallet.is_prepaid
        else _("Calls stop when the credit of %s is used up.") % money_text(wallet.credit_limit, currency)
    )
    if wallet.warn_below is not None and available < wallet.warn_below:
        below = _("That is below your warning balance of %s.") % money_text(wallet.warn_below, currency)
        return {"tone": "warning", "text": f"{below} {limit}"}
    return {"tone": "", "text": limit}


def spent_chart(month: date, spent: dict[date, Decimal], currency: str) -> Chart:
    months = [back(month, at) for at in reversed(range(MONTHS))]
    values = [spent.get(one, Decimal(0)) for one in months]
    words = [decimal_text(value, currency_decimals(currency)) for value in values]
    title = _("Spent by month in %s, tax included") % currency
    return bars("spent", title, [month_short(one) for one in months], [Series(_("Spent"), values, words)])


def back(month: date, months: int) -> date:
    """The first of the month so many months earlier."""
    at = month.year * 12 + month.month - 1 - months
    return date(at // 12, at % 12 + 1, 1)
