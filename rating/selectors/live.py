"""Live calls as a viewer may see them: what each costs so far at the viewer's own tier, and why one was refused.

A tier that is not the viewer's is never priced for it, and a seller's own trouble (no funds, blocked) is told to that
seller and those above it only: to everybody else the service was not available, as the caller heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Hold, HoldStatus
from rating.kernel import Rate, price
from rating.live.asking import OF_THE_NUMBER, reason_text
from rating.live.terms import CallTerms, TierTerms, from_json, rate_at, rate_ids, read_rates
from rating.models import CallCut, Carrier, LiveCall, LiveStatus, RatedCall
from rating.pricing.engine import split_tax
from rating.selectors.calls import MILLISECOND, began_between, id_floor
from tiers.errors import NotFound
from tiers.models import Kind, Member, Party
from tiers.viewer import Viewer

OPEN: Final = (LiveStatus.ALLOWED, LiveStatus.TALKING)
RINGING, TALKING, UNREPORTED, OVERDUE = "ringing", "talking", "unreported", "overdue"
PACE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Part:
    """What one side of a call comes to so far. `with_whom`: the buyer of a sale, the seller of a cost."""

    amount: Decimal
    currency: str
    rate: Rate
    with_whom: UUID | None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A call with its figures at the viewer's tier. `sold` is without tax, a customer's `bought` is all that it pays.

    state: that of LiveStatus, or while it goes on ringing, talking, unreported (its switch tells of no answers, so
    the amounts are the most it may have come to), overdue (its time is over and no end was told).
    """

    call: LiveCall
    state: str
    lasted_s: int
    left_s: int
    rings_s: int
    sold: Part | None
    bought: Part | None

    @property
    def at_most(self) -> bool:
        return self.state == UNREPORTED

    @property
    def since(self) -> datetime:
        """From when its seconds count; asked for, where nobody told of an answer."""
        moment: datetime = self.call.answered_at or self.call.asked_at
        return moment

    @property
    def margin(self) -> Decimal | None:
        sold, bought = self.sold, self.bought
        return sold.amount - bought.amount if sold and bought and sold.currency == bought.currency else None


def asked_calls(viewer: Viewer) -> QuerySet[LiveCall]:
    """Every call that a switch asked for in the viewer's part of the tree, allowed or refused."""
    rows = LiveCall.visible.for_viewer(viewer)
    if viewer.party.kind == Kind.CUSTOMER:
        rows = rows.filter(customer=viewer.party)
    found: QuerySet[LiveCall] = rows.select_related("customer", "carrier", "source__owner")
    return found


def open_calls(viewer: Viewer) -> QuerySet[LiveCall]:
    """Those that go on."""
    return asked_calls(viewer).filter(status__in=OPEN)


def call_by_id(viewer: Viewer, key: UUID) -> LiveCall:
    """Raises NotFound for what is not the viewer's to see."""
    found = asked_calls(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_call", _("There is no such call here."))
    return found


def lines(viewer: Viewer, calls: Sequence[LiveCall], now: datetime | None = None) -> list[Line]:
    """Each with its figures as of now; one question to the database for all prices together, or none."""
    moment = now or timezone.now()
    read = read_rates(sorted({one for call in calls for one in rate_ids(call.tiers, call.cost)}))
    return [_line(viewer, call, from_json(call.tiers, call.cost, call.carrier_id, read), moment) for call in calls]


def _line(viewer: Viewer, call: LiveCall, terms: CallTerms, now: datetime) -> Line:
    state = _state(call, now)
    since = call.answered_at or call.asked_at
    lasted_s = call.duration_s
    if call.is_open:
        lasted_s = 0 if state == RINGING else max(0, int((now - since).total_seconds()))
        lasted_s = min(lasted_s, call.max_seconds)
    charged_s = max(1, lasted_s) if call.is_open and state != RINGING else lasted_s
    mine = viewer.party.pk
    sold = next((one for one in terms.tiers if one.seller == mine), None)
    bought = next((one for one in terms.tiers if one.buyer == mine), None)
    spent = _bought(bought, charged_s, since, viewer) if bought else None
    if bought is None and sold is not None and viewer.party.kind == Kind.OPERATOR:
        spent = _carried(terms, charged_s + call.overrun_s, since)
    return Line(
        call=call,
        state=state,
        lasted_s=lasted_s,
        rings_s=max(0, int((now - call.asked_at).total_seconds())) if state == RINGING else 0,
        left_s=max(0, call.max_seconds - lasted_s) if call.is_open else 0,
        sold=_sold(sold, charged_s, since) if sold else None,
        bought=spent,
    )


def _state(call: LiveCall, now: datetime) -> str:
    if not call.is_open:
        return str(call.status)
    if call.expires_at < now:
        return OVERDUE
    if call.status == LiveStatus.TALKING:
        return TALKING
    return RINGING if call.interims else UNREPORTED


def _amount(rate: Rate, seconds: int, answered_at: datetime) -> Decimal:
    return price(rate, seconds, answered_at).amount if seconds else Decimal(0)


def _sold(tier: TierTerms, seconds: int, answered_at: datetime) -> Part:
    rate = tier.at(answered_at).rate
    sale, _tax = split_tax(_amount(rate, seconds, answered_at), tier.tax, tier.prepaid)
    return Part(sale, tier.currency, rate, tier.buyer, tier.prefix)


def _bought(tier: TierTerms, seconds: int, answered_at: datetime, viewer: Viewer) -> Part:
    """A dealer's cost stands without tax, as in its calls; a customer reads what leaves its wallet."""
    rate = tier.at(answered_at).rate
    sale, tax = split_tax(_amount(rate, seconds, answered_at), tier.tax, tier.prepaid)
    shown = sale + tax if viewer.party.kind == Kind.CUSTOMER else sale
    return Part(shown, tier.currency, rate, tier.seller, tier.prefix)


def _carried(terms: CallTerms, seconds: int, answered_at: datetime) -> Part | None:
    cost = terms.cost
    if cost is None or not cost.rates:
        return None
    rate = rate_at(cost.rates, answered_at).rate
    return Part(_amount(rate, seconds, answered_at), cost.currency, rate, None)


# -- why a call was refused -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Told:
    """A refusal as this viewer may know it: `whose` trouble it was by name, `sip_code` as the caller heard."""

    code: str
    words: str
    whose: str
    sip_code: int


def reasons(viewer: Viewer, calls: Iterable[LiveCall]) -> dict[UUID, Told]:
    """For each of them that was refused. Two questions for any number of calls."""
    refused = [call for call in calls if call.status == LiveStatus.REFUSED]
    blamed = {call.blame for call in refused if call.blame}
    people: dict[UUID, Party] = Party.visible.for_viewer(viewer).in_bulk(blamed) if blamed else {}
    carriers: dict[UUID, Carrier] = Carrier.visible.for_viewer(viewer).in_bulk(blamed - set(people)) if blamed else {}
    return {call.pk: _told(call, people, carriers) for call in refused}


def _told(call: LiveCall, people: dict[UUID, Party], carriers: dict[UUID, Carrier]) -> Told:
    if call.blame is None:
        return Told(call.code, reason_text(call.code), "", call.sip_code)
    person, carrier = people.get(call.blame), carriers.get(call.blame)
    if person is None and carrier is None:
        if call.code in OF_THE_NUMBER:
            return Told(call.code, reason_text(call.code), "", call.sip_code)
        return Told("unavailable", reason_text("unavailable"), "", 503)
    plain = call.code in OF_THE_NUMBER or (person is not None and person.kind == Kind.CUSTOMER)
    heard = call.sip_code if plain else 503
    return Told(call.code, reason_text(call.code), person.name if person else carrier.name if carrier else "", heard)


def refused_for(viewer: Viewer, code: str) -> Q:
    """Calls that were refused for this reason as far as the viewer may know it; "" for any reason."""
    if not code:
        return Q(status=LiveStatus.REFUSED)
    known = (
        Q(blame__isnull=True) | Q(code__in=OF_THE_NUMBER) | Q(blame__in=Party.visible.for_viewer(viewer).values("pk"))
    )
    known |= Q(blame__in=Carrier.visible.for_viewer(viewer).values("pk"))
    if code == "unavailable":
        return Q(status=LiveStatus.REFUSED) & (~known | Q(code=code))
    return Q(status=LiveStatus.REFUSED, code=code) & known


# -- how much goes on -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Now:
    """Calls that go on, those that were answered, what is held for them by currency; the last minute's questions."""

    calls: int
    talking: int
    held: list[tuple[str, Decimal]]
    asked: int
    refused: int


def now_at(viewer: Viewer, calls: QuerySet[LiveCall]) -> Now:
    """The sums over `calls` that go on, and at the viewer's tier: a customer's own wallet, a seller's buyers'."""
    counted = calls.order_by().aggregate(calls=Count("pk"), talking=Count("pk", filter=Q(status=LiveStatus.TALKING)))
    lately = asked_calls(viewer).filter(id__gte=id_floor(timezone.now() - PACE)).order_by()
    asked = lately.aggregate(asked=Count("pk"), refused=Count("pk", filter=Q(status=LiveStatus.REFUSED)))
    return Now(counted["calls"], counted["talking"], held(viewer), asked["asked"], asked["refused"])


def held(viewer: Viewer) -> list[tuple[str, Decimal]]:
    """(currency, amount) set aside: in a customer's own wallet, or in those of a seller's direct buyers."""
    rows = Hold.visible.for_viewer(viewer).filter(status=HoldStatus.OPEN)
    if viewer.party.kind == Kind.CUSTOMER:
        rows = rows.filter(account__owner=viewer.party)
    else:
        rows = rows.filter(account__wallet__seller=viewer.party)
    return list(rows.order_by("account__currency").values_list("account__currency").annotate(sum=Sum("amount")))


def sales(viewer: Viewer, line: Line) -> list[tuple[UUID, Part]]:
    """(seller, what its buyer pays it so far) from the customer's tier up: all for the operator, else one's own."""
    call = line.call
    terms = from_json(call.tiers, call.cost, call.carrier_id)
    going_on = call.is_open and line.state != RINGING
    charged_s = max(1, line.lasted_s) if going_on else line.lasted_s
    everything = viewer.party.kind == Kind.OPERATOR
    own = [one for one in terms.tiers if everything or one.seller == viewer.party.pk]
    return [(one.seller, _sold(one, charged_s, line.since)) for one in own]


def rated_calls(viewer: Viewer, call: LiveCall) -> list[RatedCall]:
    """What a call that is over was charged as, where the viewer may open it: own sales, a customer's own call."""
    if call.record_id is None:
        return []
    rows = RatedCall.visible.for_viewer(viewer).filter(
        began_between(call.asked_at, call.asked_at + MILLISECOND), record_id=call.record_id
    )
    if viewer.party.kind == Kind.CUSTOMER:
        rows = rows.filter(buyer=viewer.party)
    elif viewer.party.kind == Kind.DEALER:
        rows = rows.filter(seller=viewer.party)
    return sorted(rows.select_related("seller", "buyer"), key=lambda row: -row.seller.depth)


def cuts_of(viewer: Viewer, call: LiveCall) -> list[tuple[CallCut, str]]:
    """Who told the switch to end it, and what it said. Of a seller's people above the viewer no name is told."""
    found = list(CallCut.visible.for_viewer(viewer).filter(call=call).order_by("id"))
    if not found:
        return []
    people = Member.visible.for_viewer(viewer).filter(email__in={cut.actor for cut in found})
    known = set(people.values_list("email", flat=True))
    top = viewer.party.kind == Kind.OPERATOR
    return [(cut, cut.actor if top or cut.actor in known else _("Your seller")) for cut in found]
