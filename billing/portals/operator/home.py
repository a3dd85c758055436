"""Home: what the business earned, what the book holds, and what needs a person now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AccountKind
from accounts.selectors import money
from billing.formatting import money_text, month_short
from billing.portals.charts import Chart, Series, bars
from billing.portals.look import look_of
from billing.portals.operator.base import OperatorView
from invoicing.models import InvoiceStatus
from invoicing.selectors import invoices
from rating.selectors import calls, usage
from rating.selectors.exchange import Exchange

MONTHS_SHOWN = 7
ENOUGH_TO_KNOW = 1000


@dataclass(frozen=True)
class Task:
    """Something that waits for a person: how many, what, and where to go."""

    count: int
    what: str | Promise
    url: str
    urgent: bool = False

    @property
    def more(self) -> bool:
        return self.count >= ENOUGH_TO_KNOW


@dataclass(frozen=True)
class MonthFigures:
    month: date
    sale: Decimal
    cost: Decimal

    @property
    def margin(self) -> Decimal:
        return self.sale - self.cost


class Home(OperatorView):
    template_name = "operator/home.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        brand = look_of(request).brand
        currency = brand.currency if brand else "USD"
        months, left_out = self.months(currency)
        cash = [one for one in money.book(self.viewer) if one.account.kind == AccountKind.CASH]
        return self.page(
            currency=currency,
            now=months[-1],
            left_out=left_out,
            chart=_chart(months, currency),
            tasks=[task for task in self.tasks() if task.count],
            cash=[(one.account.currency, -one.balance) for one in cash],
        )

    def months(self, currency: str) -> tuple[list[MonthFigures], list[str]]:
        """The last seven months in one currency at today's exchange rates, and the currencies that have none."""
        today = timezone.localdate()
        first = _back(today, MONTHS_SHOWN - 1)
        earned = {one.month: one for one in money.earned(self.viewer, first)}
        exchange, left_out, found = Exchange(timezone.now()), set[str](), []
        for back in range(MONTHS_SHOWN - 1, -1, -1):
            month = _back(today, back)
            one = earned.get(month, money.Earned(month))
            sale, no_sale = exchange.total(one.sale, currency)
            cost, no_cost = exchange.total(one.cost, currency)
            left_out |= {*no_sale, *no_cost}
            found.append(MonthFigures(month, sale, cost))
        return found, sorted(left_out)

    def tasks(self) -> list[Task]:
        viewer = self.viewer
        own = invoices.made_by(viewer)
        return [
            Task(
                invoices.mails_in_trouble(viewer),
                gettext_lazy("mails could not be sent"),
                reverse("operator:outbox"),
                True,
            ),
            Task(
                own.filter(status=InvoiceStatus.OVERDUE).count(),
                gettext_lazy("invoices are overdue"),
                f"{reverse('operator:invoices')}?status=overdue",
                True,
            ),
            Task(
                money.low_wallets(viewer).count(),
                gettext_lazy("wallets are low or empty"),
                f"{reverse('operator:wallets')}?low=1",
                True,
            ),
            Task(
                calls.unrated(viewer)[:ENOUGH_TO_KNOW].count(),
                gettext_lazy("calls are unrated: no price for them"),
                reverse("operator:unrated"),
            ),
            Task(
                usage.quarantine(viewer)[:ENOUGH_TO_KNOW].count(),
                gettext_lazy("lines of usage are in quarantine"),
                reverse("operator:quarantine"),
            ),
            Task(
                own.filter(status=InvoiceStatus.DRAFT).count(),
                gettext_lazy("draft invoices wait for approval"),
                f"{reverse('operator:invoices')}?status=draft",
            ),
        ]


def _back(today: date, months: int) -> date:
    at = today.year * 12 + today.month - 1 - months
    return date(at // 12, at % 12 + 1, 1)


def _chart(months: list[MonthFigures], currency: str) -> Chart:
    def series(name: str, values: list[Decimal]) -> Series:
        return Series(name, values, [money_text(value, currency) for value in values])

    return bars(
        "months",
        _("Sales and margin, by month, in %s") % currency,
        [month_short(one.month) for one in months],
        [
            series(_("Margin"), [one.margin for one in months]),
            series(_("Sales"), [one.sale for one in months]),
        ],
    )
