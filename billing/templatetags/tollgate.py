"""What templates say with: money, durations, numbers, times, states, icons, fields.

The markup around a figure stands here once, so that every figure is tabular, has its unit beside it, and reads the same
on every page.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, ClearableFileInput, RadioSelect, Select
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing import formatting
from billing.portals.shown import Shown

register = template.Library()

TONES = {
    "ok": {"active", "paid", "done", "sent", "rated", "settled"},
    "info": {"approved", "issued", "open"},
    "wait": {"draft", "planning", "working", "queued", "sending", "waiting", "claimed"},
    "warn": {"unrated", "quarantined", "low"},
    "bad": {"blocked", "overdue", "failed", "refused"},
}


# -- figures --------------------------------------------------------------------------------------------------------
@register.simple_tag
def money(value: Decimal | None, currency: str | None, decimals: int | str | None = None, sign: bool = False) -> str:
    """An amount with its currency. None is a dash; zero is quiet; `sign` puts + before what comes in.

    `decimals`: those of the currency, so many, or "exact" for all that the amount has.
    """
    if value is None or not currency:
        return SafeString('<span class="tg-none">–</span>')
    if decimals == "exact":
        places = formatting.exact_decimals(value, currency)
    else:
        places = formatting.currency_decimals(currency) if decimals is None else int(decimals)
    text = formatting.decimal_text(value, places)
    plus = "+" if sign and value > 0 else ""
    return format_html(
        '<span class="tg-money{}">{}{}<span class="tg-unit">{}</span></span>',
        _quiet(value),
        plus,
        text,
        f"{formatting.NO_BREAK}{currency}",
    )


@register.filter
def amount(value: Decimal | None, currency: str) -> str:
    """An amount whose currency stands in the column's head."""
    if value is None:
        return SafeString('<span class="tg-none">–</span>')
    text = formatting.decimal_text(value, formatting.currency_decimals(currency))
    return format_html('<span class="tg-money{}">{}</span>', _quiet(value), text)


@register.filter
def price(value: Decimal | None) -> str:
    """A price per minute."""
    if value is None:
        return SafeString('<span class="tg-none">–</span>')
    return format_html('<span class="tg-money{}">{}</span>', _quiet(value), formatting.price_text(value))


@register.filter
def shown_at(value: Decimal | None, shown: Any) -> Decimal | None:
    """A price in the currency that the reader chose (billing.portals.shown); as it is where the page has no choice."""
    return value if value is None or not isinstance(shown, Shown) else shown.by.price(value)


@register.filter
def cut_price(value: Decimal | None) -> str:
    """A price that was worked out, to six places."""
    return price(None if value is None else round(value, 6))


@register.filter
def count(value: int | None) -> str:
    """A whole number, grouped; zero quiet."""
    if value is None:
        return SafeString('<span class="tg-none">–</span>')
    return format_html('<span class="tg-money{}">{}</span>', _quiet(value), formatting.decimal_text(value, 0))


@register.filter
def percent(value: Decimal | None) -> str:
    """0.25: `25%`."""
    if value is None:
        return "–"
    return formatting.decimal_text(Decimal(value) * 100, 2).rstrip("0").rstrip(".") + "%"


@register.filter
def percent0(value: Decimal | None) -> str:
    """0.2534: `25.3%`, in a column of its like."""
    if value is None:
        return SafeString('<span class="tg-none">–</span>')
    return formatting.decimal_text(Decimal(value) * 100, 1) + "%"


def _quiet(value: Decimal | int) -> str:
    return " tg-zero" if value == 0 else ""


@register.filter
def duration(value: int | None) -> str:
    if value is None:
        return SafeString('<span class="tg-none">–</span>')
    return format_html('<span class="tg-money{}">{}</span>', _quiet(value), formatting.duration_text(value))


@register.filter
def phone(value: str | None) -> str:
    """A number as people write it; copying gives E.164 (see `static/js/tollgate.js`)."""
    if not value:
        return SafeString('<span class="tg-none">–</span>')
    digits = value.lstrip("+")
    shown = formatting.phone_text(value)
    copied = f"+{digits}" if shown.startswith("+") else value
    return format_html('<span class="tg-phone" data-copy="{}">{}</span>', copied, shown)


# -- times ----------------------------------------------------------------------------------------------------------
@register.filter
def when(value: datetime | None, precision: str = "") -> str:
    """A moment with its zone; `when:"seconds"` to the second."""
    if value is None:
        return SafeString('<span class="tg-none">–</span>')
    text = formatting.moment_text(value, seconds=precision == "seconds")
    return format_html('<time class="tg-when" datetime="{}">{}</time>', value.isoformat(), text)


@register.filter
def day(value: date | datetime | None) -> str:
    if value is None:
        return SafeString('<span class="tg-none">–</span>')
    return format_html('<time class="tg-when" datetime="{}">{}</time>', value.isoformat(), formatting.day_text(value))


@register.filter
def utc_day(value: datetime | None) -> str:
    """The day of what begins at midnight UTC, such as a bank's exchange rate, wherever the reader is."""
    if value is None:
        return day(None)
    text = formatting.utc_day_text(value)
    return format_html('<time class="tg-when" datetime="{}">{}</time>', value.isoformat(), text)


@register.filter
def month(value: date | datetime) -> str:
    return formatting.month_text(value)


# -- states and pictures --------------------------------------------------------------------------------------------
@register.simple_tag
def badge(code: str, words: str = "") -> str:
    """A state in words; the colour only repeats what the word says."""
    tone = next((name for name, codes in TONES.items() if code in codes), "quiet")
    return format_html('<span class="tg-badge tg-badge-{}">{}</span>', tone, words or code)


@register.simple_tag
def icon(name: str, label: str = "") -> str:
    """A picture of the sprite, beside a word; with `label` it speaks for itself."""
    href = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="tg-icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, href)
    return format_html('<svg class="tg-icon" aria-hidden="true"><use href="{}"/></svg>', href)


# -- forms ----------------------------------------------------------------------------------------------------------
@register.filter
def control(field: BoundField) -> str:
    """The field's widget with the look's classes, tied to its help and errors for screen readers."""
    widget = field.field.widget
    css = "form-control"
    if isinstance(widget, CheckboxSelectMultiple | RadioSelect):
        css = "form-check-input"
    elif isinstance(widget, Select):
        css = "form-select"
    elif isinstance(widget, CheckboxInput):
        css = "form-check-input"
    elif isinstance(widget, ClearableFileInput):
        css = "form-control"
    attrs: dict[str, str | bool] = {
        "class": " ".join(filter(None, [css, widget.attrs.get("class", ""), _invalid(field)]))
    }
    if field.help_text:
        attrs["aria-describedby"] = f"{field.auto_id}_help"
    return SafeString(field.as_widget(attrs=attrs))


def _invalid(field: BoundField) -> str:
    return "is-invalid" if field.errors else ""


@register.filter
def is_check(field: BoundField) -> bool:
    widget = field.field.widget
    return isinstance(widget, CheckboxInput) and not isinstance(widget, CheckboxSelectMultiple)


@register.filter
def short_fields(form: Any) -> list[BoundField]:
    """The fields asked at once; those named in the form's `more` come under "More"."""
    later = set(getattr(form, "more", ()))
    return [field for field in form.visible_fields() if field.name not in later]


@register.filter
def more_fields(form: Any) -> list[BoundField]:
    later = set(getattr(form, "more", ()))
    return [field for field in form.visible_fields() if field.name in later]


@register.filter
def any_errors(fields: Iterable[BoundField]) -> bool:
    return any(field.errors for field in fields)


# -- addresses ------------------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """This page's query string with some parameters set, or dropped when empty. Paging starts anew."""
    request: HttpRequest = context["request"]
    params = request.GET.copy()
    for name in ("after", "before"):
        params.pop(name, None)
    for name, value in changes.items():
        if value in (None, ""):
            params.pop(name, None)
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else request.path
