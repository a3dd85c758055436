"""What the lines of a bill are called, in the buyer's language, and how it writes figures and dates."""

from __future__ import annotations

from datetime import date

from babel.dates import format_skeleton
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

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
