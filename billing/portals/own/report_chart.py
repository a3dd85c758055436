"""The picture of a report: how it went over its time, with the hours, days or months in which nothing happened."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from babel.dates import format_skeleton
from django.utils.translation import gettext as _

from billing.formatting import currency_decimals, decimal_text, locale, month_short
from billing.portals.charts import Chart, Series, bars
from rating.selectors.figures import By, Figures, Table
from rating.selectors.reports import Period

MOST_DAYS = 92
MOST_BARS = 45


def bucket_of(period: Period) -> By:
    """Hours of one day, days of a quarter, else months."""
    if period.days == 1:
        return By.HOUR
    return By.DAY if period.days <= MOST_DAYS else By.MONTH


def time_chart(series: Table, period: Period, currency: str, *, bought: bool) -> Chart:
    found = {line.key[:10]: line.now for line in series.lines}
    labels, figures = [], []
    for key, label in _labels(series.by, period):
        labels.append(label)
        figures.append(found.get(key, Figures()))
    sales = [one.sale_in for one in figures]
    margins = [one.margin_in for one in figures]
    made = [_series(_("Spent"), sales, currency)]
    if not bought:
        made = [_series(_("Margin"), margins, currency), _series(_("Sales"), sales, currency)]
    titles = {
        By.HOUR: _("Spent by the hour, in %s") if bought else _("Sales and margin by the hour, in %s"),
        By.DAY: _("Spent by day, in %s") if bought else _("Sales and margin by day, in %s"),
        By.MONTH: _("Spent by month, in %s") if bought else _("Sales and margin by month, in %s"),
    }
    shape = "bars" if len(labels) <= MOST_BARS else "line"
    return bars("report", titles[series.by] % currency, labels, made, shape=shape)


def _series(name: str, values: list[Decimal], currency: str) -> Series:
    return Series(name, values, [decimal_text(value, currency_decimals(currency)) for value in values])


def _labels(by: By, period: Period) -> list[tuple[str, str]]:
    """Key and words of each bar, up to now."""
    if by == By.HOUR:
        return [(str(hour), f"{hour:02}:00") for hour in range(24)]
    days = [period.first + timedelta(days=at) for at in range(period.days)]
    today = period.now.astimezone(period.zone).date()
    days = [day for day in days if day <= max(today, period.first)]
    if by == By.DAY:
        return [(day.isoformat(), _day(day)) for day in days]
    months = sorted({day.replace(day=1) for day in days})
    return [(month.isoformat(), month_short(month)) for month in months]


def _day(day: date) -> str:
    return str(format_skeleton("MMMd", day, locale=locale()))
