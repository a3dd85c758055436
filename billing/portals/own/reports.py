"""Reports of all portals: one answer, how it went by the day, and the rows behind it, each leading further down.

A row leads to the next grouping with itself as a filter, and at last to the calls. Whose figures they are, and whether
a cost is shown, is the portal's to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from billing.portals.charts import Chart
from billing.portals.own.report_chart import bucket_of, time_chart
from billing.portals.own.report_files import report_file
from billing.portals.own.report_filters import NO_DESTINATION, SPANS, ReportFilters
from billing.portals.own.report_words import GROUPS, Row, change_words, days_words, named, width_of
from billing.portals.tabs import Tab
from billing.portals.views import PortalView
from rating.selectors import facts, reports
from rating.selectors.figures import CLOCKED, IN_TIME, By, Figures, Order, Table
from rating.selectors.reports import Span

MOST_ROWS, MOST_MOVERS, MOST_FILE_ROWS = 100, 6, 20_000
Params = dict[str, str]


@dataclass(frozen=True)
class Choice:
    """A link of a picker."""

    label: Any
    url: str
    current: bool


class ReportView(PortalView):
    """`spending`: what the viewer's party bought, without anybody's cost; else what it sold, with cost and margin."""

    template_name = "own/report.html"
    spending: ClassVar[bool] = False
    calls_page: ClassVar[str] = "calls"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.read(request)
        if kind := kwargs.get("kind"):
            table = facts.table(self.asked, self.by, self.order, most=MOST_FILE_ROWS)
            return report_file(table, self.asked, self.rows(table), str(kind), self.file_name())
        series = facts.table(self.whole, bucket_of(self.period), Order.NAME, most=reports.MOST_DAYS)
        table = facts.table(self.asked, self.by, self.order, most=MOST_ROWS, movers=MOST_MOVERS)
        return self.page(**self.context(series, table))

    def read(self, request: HttpRequest) -> None:
        """What the address asks for. Another tenant's party or carrier is not found."""
        zone, self.currency = reports.home_of(self.viewer)
        carriers = [(one.code, one.name) for one in reports.carriers_seen(self.viewer)]
        self.filters = ReportFilters(request, carriers=carriers, bought=self.spending)
        self.period = self.filters.time(zone, timezone.now())
        groups = self.groups
        wanted = request.GET.get("by", "")
        self.by = By(wanted) if wanted in set(groups) else next(one for one in groups if not self.fixes(one))
        wanted = request.GET.get("sort", "")
        self.order = Order(wanted) if wanted in set(Order) else (Order.NAME if self.by in CLOCKED else Order.SALE)
        self.whole = reports.question(self.viewer, self.period, self.filters.asked(every_seller=False), self.currency)
        self.asked = replace(self.whole, every_seller=self.by == By.SELLER)
        self.filters.name(self.asked)

    @cached_property
    def groups(self) -> tuple[By, ...]:
        return reports.groupings(self.viewer, bought=self.spending)

    def context(self, series: Table, table: Table) -> dict[str, Any]:
        total, before = series.total, series.total_before
        rows = self.rows(table)
        movers = self.rows(replace(table, lines=table.movers))
        return {
            "tabs": self.tabs(),
            "filters": self.filters,
            "period": self.period,
            "period_words": days_words(self.period.first, self.period.last),
            "before_words": days_words(self.period.before_first, self.period.before_last),
            "spans": self.spans(),
            "by": GROUPS[self.by],
            "pickers": [Choice(GROUPS[one], self.address(by=one, sort=""), one == self.by) for one in self.groups],
            "order": self.order,
            "asked": self.asked,
            "bought": self.spending,
            "currency": self.currency,
            "total": total,
            "changes": changes(total, before),
            "chart": self.chart(series) if total.attempts else None,
            "table": table,
            "rows": rows,
            "added_up": self.by != By.SELLER,
            "compared": self.by not in IN_TIME,
            "movers": movers if self.by not in IN_TIME else [],
            "last_url": self.address(period=Span.LAST_MONTH, since="", until=""),
            "kept": [(name, value) for name, value in self.params.items() if name not in ("period", "since", "until")],
            "calls_url": self.calls_url(self.params),
            "files": [
                (kind, f"{reverse(f'{self.kind}:report_file', args=[kind])}?{urlencode(self.params)}")
                for kind in ("csv", "xlsx")
            ],
            "foreign": sorted({*total.sale, *total.cost} - {self.currency}),
            "half_hours": self.period.start.utcoffset().total_seconds() % 3600 != 0,  # type: ignore[union-attr]
        }

    def rows(self, table: Table) -> list[Row]:
        names = named(table, table.lines)
        most = max((line.now.sale_in for line in table.lines), default=Decimal(0))
        made = []
        for line in table.lines:
            code, label = names.get(line.key, ("", line.key))
            change = change_words(line.now.sale_in, line.before.sale_in) if table.by not in IN_TIME else ""
            width = width_of(line.now.sale_in, most)
            made.append(Row(line, label, code, self.further(table.by, code), width, change))
        return made

    def chart(self, series: Table) -> Chart:
        return time_chart(series, self.period, self.currency, bought=self.spending)

    def file_name(self) -> str:
        return f"{self.viewer.party.code}-{self.by}-{self.period.first}-{self.period.last}"

    # -- addresses -------------------------------------------------------------------------------------------------
    @cached_property
    def params(self) -> Params:
        """What the address asks for and made sense."""
        given = {name: str(value) for name in self.filters.fields if (value := self.filters.value(name)) is not None}
        if self.filters.errors:
            given = {name: value for name, value in given.items() if name not in self.filters.errors}
        return given | {"by": str(self.by)} | ({"sort": str(self.order)} if self.request.GET.get("sort") else {})

    def address(self, **changes: Any) -> str:
        params = {name: str(value) for name, value in (self.params | changes).items() if value not in ("", None)}
        return f"{reverse(f'{self.kind}:reports')}?{urlencode(params)}"

    def spans(self) -> list[Choice]:
        return [
            Choice(label, self.address(period=span, since="", until=""), span == self.period.span)
            for span, label in SPANS
        ]

    def fixes(self, by: By) -> bool:
        """Whether the report is already about one of these."""
        if by in (By.DAY, By.MONTH):
            return self.period.days == 1
        field = {By.SERVICE_CLASS: "service", By.SELLER: "seller"}.get(by, str(by))
        return field in self.filters.fields and self.filters.value(field) is not None

    def further(self, by: By, code: str) -> str:
        """Where a row leads: this report about it alone, by the first grouping that still tells something apart."""
        if by in (By.CARRIER, By.SERVICE_CLASS) and not code:
            return ""
        fixed = _fixed(by, code)
        chain = (By.BUYER, By.DESTINATION, By.DAY) if not self.spending else (By.DESTINATION, By.DAY)
        left = [one for one in chain if one != by and not self.fixes(one)]
        if by == By.MONTH:
            left = [By.DAY]
        if not left:
            return self.calls_url(self.params | {key: str(value) for key, value in fixed.items()})
        return self.address(**fixed, by=left[0], sort="")

    def days(self, params: Params) -> Params:
        """The days of the report, or of one row of it, as lists of calls are asked for them."""
        days = {"since": self.period.first.isoformat(), "until": self.period.last.isoformat()}
        return days | {name: params[name] for name in days if name in params}

    def tabs(self) -> list[Tab]:
        """Of the place that this report lies in, where it has several pages."""
        return []

    def calls_url(self, params: Params) -> str:
        """The calls behind these figures, as far as the list of calls can be narrowed so."""
        return ""


def _fixed(by: By, code: str) -> dict[str, Any]:
    """The filter that a row sets."""
    if by == By.DAY:
        return {"since": code, "until": code, "period": ""}
    if by == By.MONTH:
        first = date.fromisoformat(code[:10])
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        return {"since": first.isoformat(), "until": last.isoformat(), "period": ""}
    if by == By.DESTINATION:
        return {"destination": code or NO_DESTINATION}
    return {"service" if by == By.SERVICE_CLASS else str(by): code}


def changes(now: Figures, before: Figures) -> dict[str, str]:
    """What each figure is against the time before, in words."""
    names = ("sale_in", "cost_in", "margin_in", "attempts", "duration_s", "asr", "acd_s")
    return {name: change_words(getattr(now, name), getattr(before, name)) for name in names}
