"""Home: what the business earned, what the book holds, and what needs a person now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import AccountKind
from accounts.selectors import alerts, money
from billing.formatting import currency_decimals, decimal_text, month_short
from billing.portals.charts import Chart, Series, bars
from billing.portals.look import look_of
from billing.portals.operator.base import OperatorView
from invoicing.models import InvoiceStatus
from invoicing.selectors import invoices
from rating.selectors import calls, usage
from rating.selectors.drafts import pending
from rating.selectors.exchange import Exchange

MONTHS_SHOWN = 7
ENOUGH_TO_KNOW = 1000


@dataclass(frozen=True)
class Task:
    """Something that waits for a person: how many, what, and where to go."""

    count: int
    what: str
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
        return self.page(
            currency=currency,
            now=months[-1],
            left_out=left_out,
            chart=_chart(months, currency),
            tasks=[task for task in self.tasks() if task.count],
            figures=self.figures(currency),
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
        bills, wallets = reverse("operator:invoices"), reverse("operator:wallets")
        mails = invoices.mails_in_trouble(viewer)
        late = own.filter(status=InvoiceStatus.OVERDUE).count()
        low = money.low_wallets(viewer).count()
        alarms = alerts.needing(viewer)[:ENOUGH_TO_KNOW].count()
        unrated = calls.unrated(viewer)[:ENOUGH_TO_KNOW].count()
        lines = usage.quarantine(viewer)[:ENOUGH_TO_KNOW].count()
        drafts = own.filter(status=InvoiceStatus.DRAFT).count()
        lists = pending(viewer)
        drafted = reverse("operator:list_draft", args=[lists[0].code]) if len(lists) == 1 else reverse("operator:lists")
        return [
            Task(
                mails,
                ngettext("mail could not be sent", "mails could not be sent", mails),
                reverse("operator:outbox"),
                True,
            ),
            Task(
                alarms,
                ngettext("alarm is open", "alarms are open", alarms),
                f"{reverse('operator:alarms')}?state=open",
                True,
            ),
            Task(late, ngettext("invoice is overdue", "invoices are overdue", late), f"{bills}?status=overdue", True),
            Task(low, ngettext("wallet is low or empty", "wallets are low or empty", low), f"{wallets}?low=1", True),
            Task(
                unrated,
                ngettext("call is unrated: no price for it", "calls are unrated: no price for them", unrated),
                reverse("operator:unrated"),
            ),
            Task(
                lines,
                ngettext("line of usage is in quarantine", "lines of usage are in quarantine", lines),
                reverse("operator:quarantine"),
            ),
            Task(
                drafts,
                ngettext("draft invoice waits for approval", "draft invoices wait for approval", drafts),
                f"{bills}?status=draft",
            ),
            Task(
                len(lists),
                ngettext("price list has a draft to publish", "price lists have drafts to publish", len(lists)),
                drafted,
            ),
        ]

    def figures(self, currency: str) -> list[tuple[str, Decimal]]:
        """What the book and the buyers' wallets come to, in one currency at today's exchange rates."""
        held: dict[str, Decimal] = defaultdict(Decimal)
        owed: dict[str, Decimal] = defaultdict(Decimal)
        for wallet in money.wallets(self.viewer).filter(seller=self.viewer.party):
            (held if wallet.posted > 0 else owed)[wallet.account.currency] += abs(wallet.posted)
        book: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for one in money.book(self.viewer):
            book[one.account.kind][one.account.currency] += one.balance
        exchange = Exchange(timezone.now())
        found = [
            (_("Your buyers have"), held),
            (_("Your buyers owe"), owed),
            (_("Owed to carriers"), book[AccountKind.CARRIER]),
            (_("Paid in, net"), {code: -amount for code, amount in book[AccountKind.CASH].items()}),
        ]
        return [(label, exchange.total(amounts, currency)[0]) for label, amounts in found]


def _back(today: date, months: int) -> date:
    at = today.year * 12 + today.month - 1 - months
    return date(at // 12, at % 12 + 1, 1)


def _chart(months: list[MonthFigures], currency: str) -> Chart:
    def series(name: str, values: list[Decimal]) -> Series:
        return Series(name, values, [decimal_text(value, currency_decimals(currency)) for value in values])

    return bars(
        "months",
        _("Sales and margin, by month, in %s") % currency,
        [month_short(one.month) for one in months],
        [
            series(_("Margin"), [one.margin for one in months]),
            series(_("Sales"), [one.sale for one in months]),
        ],
    )
