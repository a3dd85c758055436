"""A live call told in words: what happened when, and by which price it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from billing.formatting import duration_text, money_text, price_text
from billing.portals.own.calls import increments
from rating.kernel import Rate
from rating.models import CallCut, LiveCall, LiveStatus
from rating.selectors import live
from tiers.selectors import people
from tiers.viewer import Viewer


@dataclass(frozen=True)
class Tier:
    """Who pays whom how much so far, and by which price."""

    seller: str
    buyer: str
    part: live.Part
    price: str


def tiers_of(viewer: Viewer, line: live.Line) -> list[Tier]:
    """The tiers that the viewer may see, from the customer's up; one question for all names."""
    sales = live.sales(viewer, line)
    wanted = {key for seller, part in sales for key in (seller, part.with_whom)}
    names = dict(people.parties(viewer).filter(pk__in=wanted).values_list("pk", "name")) if sales else {}
    return [
        Tier(
            names.get(seller, ""),
            names.get(part.with_whom, "") if part.with_whom else "",
            part,
            price_words(part.rate, part.currency),
        )
        for seller, part in sales
    ]


def price_words(rate: Rate, currency: str) -> str:
    """ "0.0240 EUR a minute, by the minute, 0.02 EUR for the connection"."""
    words = [_("%(price)s %(currency)s a minute") % {"price": price_text(rate.price), "currency": currency}]
    if rate.bands:
        words.append(_("other prices at other hours"))
    words.append(increments(rate.first_s, rate.step_s))
    if rate.connect_fee:
        words.append(_("%s for the connection") % money_text(rate.connect_fee, currency, 4))
    if rate.min_charge:
        words.append(_("at least %s") % money_text(rate.min_charge, currency, 4))
    if rate.free_s:
        words.append(_("the first %s seconds free") % rate.free_s)
    return ", ".join(words)


TELLINGS = 20


@dataclass(frozen=True)
class Event:
    """What happened at a moment; `care`: a person should look at it."""

    at: datetime
    words: str
    under: str = ""
    care: bool = False


def events(call: LiveCall, told: live.Told | None, cuts: Sequence[tuple[CallCut, str]] = ()) -> list[Event]:
    """In the order in which they happened."""
    by_hand = [Event(cut.created_at, _("%s told the switch to end it") % who, cut.words) for cut, who in cuts]
    return sorted([*_events(call, told), *by_hand, *_tellings(call)], key=lambda one: one.at)


def _tellings(call: LiveCall) -> Iterator[Event]:
    """What was told after, or instead of, the end."""
    for one in call.tellings.order_by("id")[:TELLINGS]:
        lasted = duration_text(one.duration_s) if one.duration_s else _("nobody answered")
        said = _("Its file says: %s") if one.usage_import_id else _("Its end came late: %s")
        yield Event(one.created_at, said % lasted, one.get_done_display(), care=one.odd)


def _events(call: LiveCall, told: live.Told | None) -> Iterator[Event]:
    name = f" ({call.switch})" if call.switch else ""
    yield Event(call.asked_at, _("Asked by %s") % (call.source.name + name), _asked_words(call))
    if told is not None:
        whose = _("It is about %s.") % told.whose if told.whose else ""
        heard = _("The switch heard %s.") % told.sip_code
        yield Event(call.asked_at, _("Refused: %s") % told.words, f"{whose} {heard}".strip(), care=True)
        return
    allowed = _("Allowed for up to %s from the answer") % duration_text(call.max_seconds)
    yield Event(call.asked_at, allowed, _("By the carrier %s") % call.carrier.name if call.carrier else "")
    if call.answered_at is not None:
        yield Event(call.answered_at, _("Answered"))
    if call.seen_at is not None and call.answered_at is not None and call.seen_at > call.answered_at:
        yield Event(call.seen_at, _("Last told to be going on, and allowed for more"))
    if call.ended_at is not None:
        yield _end(call, call.ended_at)


def _asked_words(call: LiveCall) -> str:
    parts = [
        _("to %s") % call.callee,
        _("from %s") % call.caller if call.caller else "",
        _("account %s") % call.account if call.account else "",
    ]
    return ", ".join(filter(None, parts))


def _end(call: LiveCall, at: datetime) -> Event:
    lasted = duration_text(call.duration_s)
    words = {
        LiveStatus.ENDED: _("Ended; charged for %s") % lasted,
        LiveStatus.FAILED: _("Over without an answer; nothing is charged"),
        LiveStatus.REAPED: _("Closed by us, since no end was told; charged for %s") % lasted,
    }[LiveStatus(call.status)]
    notes = []
    if call.overrun_s:
        notes.append(_("%s beyond what was allowed are not charged to anybody below the carrier")
                     % duration_text(call.overrun_s))  # fmt: skip
    if call.oddity:
        notes.append(_("Not believed: %s") % call.oddity if call.oddity.startswith("reported") else call.oddity)
    return Event(at, words, ". ".join(notes), care=bool(notes))
