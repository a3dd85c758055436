"""The mail of an alarm: what happened, how much is left, what to do. One figure, one button; the same in plain text.

Values in, words out: nothing is asked of the database here. Whoever reads it is named, since a seller reads a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_time
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoicing.render import formats
from invoicing.render.mail import Mail
from rating.numbers.names import display

SHOWN = 12
"""Countries and addresses named in a mail; the page has all."""


@dataclass(frozen=True, slots=True)
class AlarmContext:
    """An alarm and whose look it wears. `figures` as the alarm's row keeps them: amounts as text, times in ISO."""

    kind: str
    figures: dict[str, Any]
    opened_at: datetime
    name: str
    brand: str
    accent: str
    language: str
    locale: str
    zone: ZoneInfo
    link: str = ""
    blocked: bool = False
    footer: tuple[str, ...] = ()


@dataclass(slots=True)
class AlarmWords:
    """What the templates print, in order. `advice` is what to do now."""

    subject: str
    says: list[str]
    label: str = ""
    figure: str = ""
    rows: list[tuple[str, str]] = field(default_factory=list)
    advice: str = ""
    button: str = ""


def render_alarm(context: AlarmContext) -> Mail:
    """The mail in the reader's language. Without an http(s) link there is no button."""
    with translation.override(context.language):
        words = words_of(context)
        values = {
            "context": context,
            "words": words,
            "accent": formats.ink(context.accent),
            "link": context.link if urlsplit(context.link).scheme in ("http", "https") else "",
            "question": _("You get this mail because a rule asks for it. The rules are on the page of alarms."),
        }
        html = render_to_string("invoicing/alarm.html", values)
        text = render_to_string("invoicing/alarm.txt", values)
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    while "\n\n\n" in lines:
        lines = lines.replace("\n\n\n", "\n\n")
    return Mail(words.subject, lines.strip() + "\n", html)


def words_of(context: AlarmContext) -> AlarmWords:
    """What an alarm says, in the language in force; the portals show the same sentences."""
    words = WORDS[context.kind](context)
    if context.blocked:
        words.says.append(
            _("%(name)s is blocked: new calls are refused until somebody unblocks it.") % {"name": context.name}
        )
    return words


def _amount(context: AlarmContext, name: str) -> str:
    value = Decimal(context.figures.get(name) or 0)
    return formats.format_amount(value, str(context.figures.get("currency", "")), context.locale)


def _said(context: AlarmContext) -> dict[str, str]:
    names = ("left", "below", "credit", "held", "spent", "limit", "usual")
    amounts = {name: _amount(context, name) for name in names if context.figures.get(name) is not None}
    return {"name": context.name, "brand": context.brand, "when": _when(context), **amounts}


def _when(context: AlarmContext) -> str:
    """ "between 14:00 and 15:00 on 22 November", or "on 22 November", in the brand's zone."""
    start, end = context.figures.get("start"), context.figures.get("end")
    if not start:
        return ""
    first = datetime.fromisoformat(start).astimezone(context.zone)
    day = formats.format_day_short(first.date(), context.locale)
    if not end:
        return _("on %(day)s") % {"day": day}
    last = datetime.fromisoformat(end).astimezone(context.zone)
    times = {"day": day, "first": _clock(first, context), "last": _clock(last, context)}
    return _("between %(first)s and %(last)s on %(day)s") % times


def _clock(moment: datetime, context: AlarmContext) -> str:
    return str(format_time(moment.timetz(), "HH:mm", locale=formats.locale_of(context.locale)))


# -- money ----------------------------------------------------------------------------------------------------------
def _low(context: AlarmContext) -> AlarmWords:
    said = _said(context)
    prepaid = context.figures.get("billing") != "postpaid"
    if Decimal(context.figures["left"]) <= 0:
        stop = _("Nothing is left, so new calls are refused. They go again once it is filled.")
    elif prepaid:
        stop = _("Calls stop at 0.")
    else:
        stop = _("Calls stop when the credit of %(credit)s is used up.") % said
    return AlarmWords(
        subject=_("%(left)s left with %(brand)s") % said,
        says=[_("%(name)s has %(left)s. That is below the warning balance of %(below)s.") % said, stop],
        label=_("Left"),
        figure=said["left"],
        rows=_wallet_rows(context, said),
        advice=_("Fill it, or change the warning balance. The next mail comes only after it was filled."),
        button=_("See what it was spent on"),
    )


def _empty(context: AlarmContext) -> AlarmWords:
    said = _said(context)
    prepaid = context.figures.get("billing") != "postpaid"
    if not prepaid:
        subject = _("Credit limit reached with %(brand)s: new calls are refused") % said
        first = _("%(name)s has used up its credit of %(credit)s.") % said
    else:
        subject = _("Nothing left with %(brand)s: new calls are refused") % said
        first = _("%(name)s has used up its funds.") % said
    if Decimal(context.figures["left"]) > 0:
        first = _("%(name)s has %(left)s left. What is left is too little for a call.") % said
    return AlarmWords(
        subject=subject,
        says=[first, _("New calls are refused. They go again once it is filled.")],
        label=_("Left"),
        figure=said["left"],
        rows=_wallet_rows(context, said),
        advice=_("Emergency calls are always connected."),
        button=_("See what it was spent on"),
    )


def _wallet_rows(context: AlarmContext, said: dict[str, str]) -> list[tuple[str, str]]:
    rows = []
    if Decimal(context.figures.get("held") or 0):
        rows.append((_("Held by live calls, not yet spent"), said["held"]))
    if Decimal(context.figures.get("credit") or 0):
        rows.append((_("Credit limit"), said["credit"]))
    if context.figures.get("below") is not None:
        rows.append((_("Warning balance"), said["below"]))
    return rows


def _blocked(context: AlarmContext) -> AlarmWords:
    said = _said(context)
    return AlarmWords(
        subject=_("%(name)s is blocked: new calls are refused") % said,
        says=[
            _("%(name)s was blocked. New calls are refused; its data, its money and its logins stay.") % said,
            _("Emergency calls are always connected."),
        ],
        advice=_("%(brand)s can unblock it and says why it was blocked.") % said,
        button=_("See the account"),
    )


# -- spend ----------------------------------------------------------------------------------------------------------
def _spend(context: AlarmContext) -> AlarmWords:
    said = _said(context)
    hour = context.kind.endswith("hour")
    return AlarmWords(
        subject=(_("%(name)s: %(spent)s spent in an hour") if hour else _("%(name)s: %(spent)s spent in a day")) % said,
        says=[
            _("Calls of %(name)s cost %(spent)s %(when)s.") % said,
            _("The rule warns above %(limit)s.") % said,
        ],
        label=_("Spent in the hour") if hour else _("Spent in the day"),
        figure=said["spent"],
        advice=_strange(),
        button=_("See the calls"),
    )


def _usual(context: AlarmContext) -> AlarmWords:
    said = _said(context)
    times = Decimal(context.figures.get("times") or 0)
    hour = context.kind.endswith("hour")
    same = _("the same hour of the last four weeks") if hour else _("the same day of the last four weeks")
    words = _spend(context)
    words.subject = _("%(name)s: %(spent)s spent, more than usual") % said
    words.says[1] = _("Usual is %(usual)s: the middle of what was spent in %(same)s.") % (said | {"same": same})
    words.rows = [
        (_("Usual"), said["usual"]),
        (_("The rule warns above"), said["limit"]),
    ]
    if times:
        words.rows.append((_("That is the usual times"), formats.format_number(times, context.locale, 1)))
    return words


def _strange() -> str:
    return _(
        "See which calls it was. If they are not yours, somebody has come into your telephone system: change its"
        " passwords and close the way they came by."
    )


# -- where to -------------------------------------------------------------------------------------------------------
def _risk(context: AlarmContext) -> AlarmWords:
    said = _said(context) | {name: str(context.figures.get(name) or "") for name in ("destination", "range", "number")}
    return AlarmWords(
        subject=_("%(name)s: first call to %(destination)s") % said,
        says=[
            _("%(name)s called %(destination)s for the first time in 90 days.") % said,
            _("Calls there often come from telephone systems that somebody broke into."),
        ],
        label=_("Called"),
        figure=display(said["number"]) if said["number"] else said["destination"],
        rows=[(_("On the list as"), said["range"])] if said["range"] else [],
        advice=_strange(),
        button=_("See the calls"),
    )


def _places(context: AlarmContext) -> AlarmWords:
    countries, addresses = context.figures.get("countries") or [], context.figures.get("addresses") or []
    said = _said(context)
    count = len(countries)
    by_address = bool(context.figures.get("by_address"))
    if by_address:
        count = len(addresses)
        figure = ngettext("%(count)s address", "%(count)s addresses", count) % {"count": count}
    else:
        figure = ngettext("%(count)s country", "%(count)s countries", count) % {"count": count}
    said["figure"] = figure
    rows = [(_("Countries"), _named(_country_names(countries, context.locale)))] if countries else []
    rows += [(_("Addresses"), _named(addresses))] if addresses else []
    first = (
        _("Calls of %(name)s came from %(figure)s within an hour.")
        if by_address
        else _("Calls of %(name)s went to %(figure)s within an hour.")
    )
    subject = (
        _("%(name)s: calls from %(figure)s within an hour")
        if by_address
        else _("%(name)s: calls to %(figure)s within an hour")
    )
    return AlarmWords(
        subject=subject % said,
        says=[first % said],
        label=_("Within an hour"),
        figure=figure,
        rows=rows,
        advice=_strange(),
        button=_("See the calls"),
    )


def _country_names(codes: list[str], locale: str) -> list[str]:
    """Regions by their names; what belongs to no country stays a calling code."""
    territories = formats.locale_of(locale).territories
    return [code if code.startswith("+") else str(territories.get(code, code)) for code in codes]


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return (
        shown
        if len(names) <= SHOWN
        else _("%(names)s and %(more)s more")
        % {
            "names": shown,
            "more": len(names) - SHOWN,
        }
    )


WORDS: dict[str, Callable[[AlarmContext], AlarmWords]] = {
    "low": _low,
    "empty": _empty,
    "blocked": _blocked,
    "spend_hour": _spend,
    "spend_day": _spend,
    "usual_hour": _usual,
    "usual_day": _usual,
    "risk": _risk,
    "places": _places,
}
