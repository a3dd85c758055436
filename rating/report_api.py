"""Reports by the API: the same question to the facts as on the portals, answered as rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from rating.numbers import ServiceClass
from rating.selectors import facts, reports
from rating.selectors.figures import By, Figures, Line, Order, Table
from rating.selectors.reports import Asked, Span
from tiers.errors import Invalid
from tiers.models import Kind
from tiers.rest import CodeField, ViewerViewSet, extend_schema

MOST_ROWS = 1000


class ReportIn(serializers.Serializer[Any]):
    side = serializers.ChoiceField(choices=["sold", "bought"], required=False)
    by = serializers.ChoiceField(choices=[one.value for one in By], default=By.DAY)
    period = serializers.ChoiceField(choices=[one.value for one in Span], required=False)
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    seller = CodeField(required=False)
    buyer = CodeField(required=False)
    carrier = CodeField(required=False)
    service_class = serializers.ChoiceField(choices=[one.value for one in ServiceClass], required=False)
    destination = serializers.CharField(max_length=200, required=False)
    hour = serializers.IntegerField(min_value=0, max_value=23, required=False)
    sort = serializers.ChoiceField(choices=[one.value for one in Order], default=Order.SALE)
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, default=100)


class FiguresOut(serializers.Serializer[Any]):
    """Amounts by currency. `sale_in`, `cost_in` and `margin_in` are in the report's currency, by each day's rates."""

    calls = serializers.IntegerField(help_text="Attempts, answered or not.")
    answered = serializers.IntegerField()
    charged = serializers.IntegerField(help_text="Rated calls; seconds and amounts are of these.")
    answer_seizure_ratio = serializers.DecimalField(max_digits=5, decimal_places=4, allow_null=True)
    average_duration_s = serializers.IntegerField(allow_null=True)
    duration_s = serializers.IntegerField()
    billed_s = serializers.IntegerField()
    sale = serializers.DictField(child=serializers.CharField())
    tax = serializers.DictField(child=serializers.CharField())
    sale_in = serializers.CharField()
    cost = serializers.DictField(child=serializers.CharField(), required=False, help_text="Sellers only.")
    cost_in = serializers.CharField(required=False)
    margin_in = serializers.CharField(required=False)
    calls_without_cost = serializers.IntegerField(required=False)


class ReportRowOut(FiguresOut):
    key = serializers.CharField(help_text="A code, a name, a day, or an hour: what the filter of that name takes.")
    name = serializers.CharField()
    sale_in_before = serializers.CharField()


class ReportOut(serializers.Serializer[Any]):
    side = serializers.CharField()
    by = serializers.CharField()
    since = serializers.DateField()
    until = serializers.DateField()
    before_since = serializers.DateField()
    before_until = serializers.DateField()
    time_zone = serializers.CharField()
    currency = serializers.CharField()
    no_exchange_rate = serializers.ListField(child=serializers.CharField())
    rows = ReportRowOut(many=True)
    row_count = serializers.IntegerField(help_text="How many rows there are; `rows` holds the first `limit`.")
    total = FiguresOut(allow_null=True, help_text="Null by seller: a call is sold once at each tier.")
    before = FiguresOut(allow_null=True)


PARAMETERS = [
    OpenApiParameter("side", str, enum=["sold", "bought"], description="A seller's default is what it sold."),
    OpenApiParameter("by", str, enum=[one.value for one in By]),
    OpenApiParameter("period", str, enum=[one.value for one in Span], description="This month unless days are given."),
    OpenApiParameter("since", date, description="First day, in the time zone of your brand."),
    OpenApiParameter("until", date, description="Last day."),
    *(OpenApiParameter(name, str) for name in ("seller", "buyer", "carrier", "service_class", "destination")),
    OpenApiParameter("hour", int, description="Hour of the day, 0 to 23."),
    OpenApiParameter("sort", str, enum=[one.value for one in Order]),
    OpenApiParameter("limit", int, description=f"At most so many rows, up to {MOST_ROWS}."),
]


class ReportViewSet(ViewerViewSet):
    """Calls, minutes, answers and money, rolled up. A cost is shown to its seller and above, never to a buyer."""

    serializer_class = ReportIn

    @extend_schema(parameters=PARAMETERS, responses=ReportOut)
    def list(self, request: Request) -> Response:
        given = self.asked(request)
        bought = given.get("side", "bought" if self.viewer.party.kind == Kind.CUSTOMER else "sold") == "bought"
        by = By(given["by"])
        if by not in reports.groupings(self.viewer, bought=bought):
            raise Invalid("by", _("What you ask for cannot be grouped so."), where="by")
        zone, currency = reports.home_of(self.viewer)
        days = {name: given[name] for name in ("since", "until") if name in given}
        span = Span.DAYS if days else Span(given.get("period", Span.MONTH))
        period = reports.period_of(span, zone, timezone.now(), **days)
        names = ("seller", "buyer", "carrier", "service_class", "destination", "hour")
        narrow = {name: given[name] for name in names if name in given}
        asked = Asked(bought=bought, every_seller=by == By.SELLER, **narrow)
        question = reports.question(self.viewer, period, asked, currency)
        table = facts.table(question, by, Order(given["sort"]), most=given["limit"])
        added_up = by != By.SELLER
        return Response(
            {
                "side": "bought" if bought else "sold",
                "by": by,
                "since": period.first,
                "until": period.last,
                "before_since": period.before_first,
                "before_until": period.before_last,
                "time_zone": str(zone),
                "currency": currency,
                "no_exchange_rate": sorted(table.total.no_rate),
                "rows": _rows(table, bought),
                "row_count": table.count,
                "total": _figures(table.total, bought) if added_up else None,
                "before": _figures(table.total_before, bought) if added_up else None,
            }
        )

    def asked(self, request: Request) -> dict[str, Any]:
        asked = ReportIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)


def _rows(table: Table, bought: bool) -> list[dict[str, Any]]:
    named = facts.names_of(table.by, [line.key for line in table.lines])
    return [_row(line, named.get(line.key, (line.key, line.key)), bought) for line in table.lines]


def _row(line: Line, named: tuple[str, str], bought: bool) -> dict[str, Any]:
    code, name = named
    return {"key": code, "name": name, **_figures(line.now, bought), "sale_in_before": _plain(line.before.sale_in)}


def _figures(now: Figures, bought: bool) -> dict[str, Any]:
    shown = {
        "calls": now.attempts,
        "answered": now.answered,
        "charged": now.charged,
        "answer_seizure_ratio": None if now.asr is None else f"{now.asr:.4f}",
        "average_duration_s": now.acd_s,
        "duration_s": now.duration_s,
        "billed_s": now.billed_s,
        "sale": _amounts(now.sale),
        "tax": _amounts(now.tax),
        "sale_in": _plain(now.sale_in),
    }
    if bought:
        return shown
    own = {"cost": _amounts(now.cost), "cost_in": _plain(now.cost_in), "margin_in": _plain(now.margin_in)}
    return {**shown, **own, "calls_without_cost": now.uncosted}


def _amounts(amounts: dict[str, Decimal]) -> dict[str, str]:
    return {currency: _plain(amount) for currency, amount in sorted(amounts.items())}


def _plain(amount: Decimal) -> str:
    """To 6 places: what is converted has more, which nobody is owed."""
    return f"{amount:.6f}"
