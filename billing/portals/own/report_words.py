"""How a report speaks: what its groups and rows are called, where a row leads, what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date, format_interval
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import MINUS, NO_BREAK, day_text, decimal_text, locale, month_text
from rating.numbers import ServiceClass
from rating.selectors.facts import carriers_named, parties_named
from rating.selectors.figures import By, Figures, Line, Table

GROUPS: dict[By, str | Promise] = {
    By.BUYER: gettext_lazy("Customer"),
    By.SELLER: gettext_lazy("Seller"),
    By.DESTINATION: gettext_lazy("Destination"),
    By.DAY: gettext_lazy("Day"),
    By.CARRIER: gettext_lazy("Carrier"),
    By.SERVICE_CLASS: gettext_lazy("Kind of call"),
    By.HOUR: gettext_lazy("Hour of the day"),
    By.MONTH: gettext_lazy("Month"),
}
CLASSES: dict[str, str | Promise] = {
    ServiceClass.ON_NET: gettext_lazy("On-net"),
    ServiceClass.LOCAL: gettext_lazy("Local"),
    ServiceClass.LONG_DISTANCE: gettext_lazy("Long distance"),
    ServiceClass.INTERNATIONAL: gettext_lazy("International"),
    ServiceClass.MOBILE: gettext_lazy("Mobile"),
    ServiceClass.PREMIUM: gettext_lazy("Premium"),
    ServiceClass.TOLL_FREE: gettext_lazy("Toll-free"),
    ServiceClass.EMERGENCY: gettext_lazy("Emergency"),
    "": gettext_lazy("Not understood"),
}


@dataclass(frozen=True)
class Row:
    """A line of the table. `code` names what it is in a filter; `url` leads on; `width` of its share, 0 to 100."""

    line: Line
    label: str
    code: str
    url: str = ""
    width: str = "0"
    change: str = ""

    @property
    def now(self) -> Figures:
        return self.line.now


def named(table: Table, lines: Iterable[Line]) -> dict[str, tuple[str, str]]:
    """For each key of some lines: (what a filter calls it, what a person reads)."""
    keys = [line.key for line in lines]
    if table.by in (By.BUYER, By.SELLER):
        return parties_named(keys)
    if table.by == By.CARRIER:
        return {**carriers_named(keys), "": ("", _("No carrier"))}
    words: Callable[[str], str] = {
        By.DESTINATION: lambda key: key or _("Not priced"),
        By.SERVICE_CLASS: lambda key: str(CLASSES.get(key, key)),
        By.DAY: lambda key: day_words(date.fromisoformat(key)),
        By.MONTH: lambda key: month_text(date.fromisoformat(key[:10])),
        By.HOUR: lambda key: f"{int(key):02}:00{NO_BREAK}–{NO_BREAK}{(int(key) + 1) % 24:02}:00",
    }[table.by]
    return {key: (key, words(key)) for key in keys}


def day_words(day: date) -> str:
    """`Mon, 5 Oct 2026`."""
    return f"{format_date(day, 'EEE', locale=locale())}, {day_text(day)}".replace(" ", NO_BREAK)


def days_words(first: date, last: date) -> str:
    """`1 – 21 Oct 2026`, or one day."""
    if first == last:
        return day_text(first)
    return str(format_interval(first, last, "yMMMd", locale=locale()))


def change_words(now: Any, before: Any) -> str:
    """`+12%`, `−8%`, `new`; nothing where there was and is nothing."""
    if not before:
        return _("new") if now else ""
    share = (Decimal(now or 0) - Decimal(before)) / abs(Decimal(before)) * 100
    if abs(share) >= 1000:
        return _("%s times") % decimal_text(Decimal(now) / Decimal(before), 0)
    text = decimal_text(abs(share), 0 if abs(share) >= 10 else 1)
    return f"{MINUS if share < 0 else '+'}{text}%"


def width_of(amount: Decimal, most: Decimal) -> str:
    """A share of the greatest as the width of a bar, 0 to 100 with one decimal."""
    return f"{max(Decimal(0), amount) / most * 100:.1f}" if most > 0 else "0"
