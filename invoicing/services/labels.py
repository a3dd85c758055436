"""What the lines of a bill are called, in the buyer's language, and how it writes figures and dates."""

from __future__ import annotations

from datetime import date, timedelta

from babel.dates import format_interval, format_skeleton
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from invoicing.charges.allowances import SECONDS
from invoicing.models import AllowanceUse, ChargeKind
from invoicing.services.charge_facts import ChargeFacts

LOCALES = {"en": "en_GB", "zh-hant": "zh_Hant_HK"}


def language_of(code: str) -> str:
    """The language to print in: the party's if there are texts in it, else English."""
    wanted = code.lower().replace("_", "-")
    return wanted if wanted in dict(settings.LANGUAGES) else "en"


def locale_of(language: str) -> str:
    return LOCALES.get(language, language.replace("-", "_"))


def calls_label(service_class: str, carrier: str = "") -> str:
    """ "International calls", or "International calls by Atlas". Call it under the bill's language."""
    known = {
        "on_net": _("Calls within the network"),
        "local": _("Local calls"),
        "long_distance": _("Long-distance calls"),
        "international": _("International calls"),
        "mobile": _("Calls to mobiles"),
        "premium": _("Premium-rate calls"),
        "toll_free": _("Toll-free calls"),
        "emergency": _("Emergency calls"),
    }
    what = known.get(service_class) or _("Calls")
    return (_("%(calls)s by %(carrier)s") % {"calls": what, "carrier": carrier})[:200] if carrier else what


def corrections_label() -> str:
    return _("Corrections of earlier charges")


def earlier_label(month: date, number: str) -> str:
    """ "Corrections of calls in October 2026, bill NS2026-00012". Call it under the bill's language."""
    locale = locale_of(language_of(get_language() or "en"))
    when = format_skeleton("yMMMM", month, locale=locale)
    if not number:
        return _("Corrections of calls in %(month)s") % {"month": when}
    return _("Corrections of calls in %(month)s, bill %(number)s") % {"month": when, "number": number}


def charge_label(reason: str) -> str:
    return reason[:200] or _("Other charge")


def product_label(about: ChargeFacts) -> str:
    """ "Line rental, 1-30 Nov 2026", "Credit: Outage on 3 Nov". Call it under the bill's language."""
    label = about.label
    if about.kind == ChargeKind.RECURRING:
        said = {"label": label[:120], "days": days_label(about.starts_on, about.ends_on)}
        label = _("%(label)s, %(days)s, given back") % said if about.given_back else _("%(label)s, %(days)s") % said
    elif about.kind == ChargeKind.INCLUDED:
        label = _("Included calls: %s") % label
    elif about.kind == ChargeKind.CREDIT:
        label = _("Credit: %s") % label
    return label[:200]


def days_label(start: date, end: date) -> str:
    """The days from `start` to before `end`, as people write them. Call it under the reader's language."""
    locale = locale_of(language_of(get_language() or "en"))
    last = end - timedelta(days=1)
    if start >= last:
        return format_skeleton("yMMMd", start, locale=locale)
    return format_interval(start, last, skeleton="yMMMd", locale=locale)


def included_label(use: AllowanceUse) -> str:
    """ "Flat 100: 80 of 100 minutes used, 20 left". Minutes count when begun."""
    said = {"product": use.product.name, "used": use.used, "included": use.included, "left": use.left}
    if use.unit == SECONDS:
        left = use.left // 60
        minutes = {"included": use.included // 60, "left": left, "used": use.included // 60 - left}
        return _("%(product)s: %(used)s of %(included)s included minutes used, %(left)s left.") % {**said, **minutes}
    return _("%(product)s: %(used)s of %(included)s included calls used, %(left)s left.") % said
