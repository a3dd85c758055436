"""Home: what the dealer has with its seller, what it earns this month, and what needs it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.selectors import alerts, money
from billing.formatting import currency_decimals, decimal_text, month_short
from billing.portals.charts import Chart, Series, bars
from billing.portals.customer.home import back, balance_says, reach_of
from billing.portals.dealer.base import DealerView
from billing.portals.own.alarms.words import lines
from invoicing.models import InvoiceStatus
from invoicing.selectors import invoices
from rating.selectors import calls, traffic
from rating.selectors.drafts import pending
from rating.selectors.exchange import Exchange
from tiers.models import Status
from tiers.selectors import people

MONTHS = 7
MOST_LOW = 5


class Home(DealerView):
    template_name = "dealer/home.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        month = timezone.localdate().replace(day=1)
        wallet = self.own_wallet
        currency = self.brands[0].currency if self.brands else (wallet.account.currency if wallet else "")
        earned = self.earned(month, currency) if currency else {}
        sale, cost = earned.get(month, (Decimal(0), Decimal(0)))
        blocked = self.viewer.party.status != Status.ACTIVE
        return self.page(
            wallet=wallet,
            says=balance_says(wallet, blocked=blocked) if wallet else None,
            reach=self.reach(),
            month=month,
            currency=currency,
            sale=sale,
            cost=cost,
            margin=sale - cost,
            share=(sale - cost) / sale if sale else None,
            chart=margin_chart(month, earned, currency) if earned else None,
            has_brand=bool(self.brands),
            **self.needs(),
        )

    def earned(self, month: date, currency: str) -> dict[date, tuple[Decimal, Decimal]]:
        """By month: (sold, paid), both in the currency of the dealer's first brand."""
        exchange = Exchange(timezone.now())
        return {
            one.month: (exchange.total(one.sale, currency)[0], exchange.total(one.cost, currency)[0])
            for one in money.earned(self.viewer, back(month, MONTHS - 1))
        }

    def reach(self) -> dict[str, Any] | None:
        """How long its funds carry calls to the destination that its customers call most."""
        wallet = self.own_wallet
        if wallet is None:
            return None
        known = traffic.favourites(self.viewer, most=4)
        reached = (reach_of(self.bought, one.number, wallet) for one in known)
        return next((one for one in reached if one is not None), None)

    def needs(self) -> dict[str, Any]:
        below = (
            money.low_wallets(self.viewer).exclude(account__owner=self.viewer.party).filter(seller=self.viewer.party)
        )
        mine = invoices.made_by(self.viewer)
        return {
            "low": list(below.order_by(money.AVAILABLE)[: MOST_LOW + 1]),
            "most_low": MOST_LOW,
            "alarms": lines(alerts.needing(self.viewer)[: MOST_LOW + 1]),
            "drafts": mine.filter(status=InvoiceStatus.DRAFT).count(),
            "overdue": mine.filter(status=InvoiceStatus.OVERDUE).count(),
            "unrated": calls.unrated(self.viewer).order_by().count(),
            "mails": invoices.mails_in_trouble(self.viewer),
            "price_drafts": pending(self.viewer),
            "buyers": people.parties_below(self.viewer).exists(),
        }


def margin_chart(month: date, earned: dict[date, tuple[Decimal, Decimal]], currency: str) -> Chart:
    months = [back(month, at) for at in reversed(range(MONTHS))]
    nothing = (Decimal(0), Decimal(0))
    margins = [earned.get(one, nothing)[0] - earned.get(one, nothing)[1] for one in months]
    costs = [earned.get(one, nothing)[1] for one in months]
    places = currency_decimals(currency)
    series = [
        Series(_("Margin"), margins, [decimal_text(one, places) for one in margins]),
        Series(_("What it cost you"), costs, [decimal_text(one, places) for one in costs]),
    ]
    title = _("Margin by month in %s, before tax") % currency
    return bars("margin", title, [month_short(one) for one in months], series)
