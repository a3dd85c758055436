"""Facts as a viewer may see them, added up by whatever a report asks: the day, the buyer, the destination.

Amounts stay in their currencies. Beside them stands what they come to in one currency, by the exchange rates of each
hour's day: the rows are first summed per stretch of days in which no rate changed, then converted, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, F, Func, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.fields import CharField
from django.db.models.functions import ExtractHour, TruncDate, TruncMonth

from rating.models import Carrier, Fact, Grain
from rating.numbers import ServiceClass
from rating.pricing.exchange import Exchange
from rating.selectors.figures import CLOCKED, COUNTS, IN_TIME, MONEY, By, Figures, Line, Order, Part, Table
from tiers.models import Party
from tiers.viewer import Viewer

MICRO = 6


@dataclass(frozen=True)
class Question:
    """Which facts: sold by `seller` (a party at or below the viewer's), or bought by `buyer` where `bought`.

    Times are moments from `start` to before `end`, and `before` the same of an earlier time to compare with, or None.
    An hour belongs to the day in which it begins, in `zone`. `currency`: in which sums of several are shown.
    """

    viewer: Viewer
    start: datetime
    end: datetime
    zone: ZoneInfo
    currency: str
    bought: bool = False
    before: tuple[datetime, datetime] | None = None
    seller: Party | None = None
    buyer: Party | None = None
    carrier: Carrier | None = None
    service_class: str | None = None
    destination: str | None = None
    hour: int | None = None
    every_seller: bool = False


def facts_of(asked: Question) -> QuerySet[Fact]:
    """The facts of a question, at any time; those of the viewer's part of the tree and no others.

    Where one party is asked about, its place in the tree decides, and no row has to be joined with its parties.
    """
    viewer = asked.viewer
    seller = asked.seller or viewer.party
    if asked.bought:
        rows = Fact.objects.filter(buyer=viewer.party)
    elif asked.every_seller and asked.seller is None:
        below = Party.objects.filter(path__startswith=viewer.path).values("pk")
        rows = Fact.objects.filter(seller__in=below)
    elif seller.is_at_or_below(viewer.party):
        rows = Fact.objects.filter(seller=seller)
    else:
        return Fact.objects.none()
    if asked.buyer is not None and not asked.bought:
        rows = rows.filter(buyer=asked.buyer)
    for name in ("carrier", "service_class", "destination"):
        if (value := getattr(asked, name)) is not None:
            rows = rows.filter(**{name: value})
    if asked.hour is not None:
        rows = rows.annotate(clock=ExtractHour("hour", tzinfo=asked.zone)).filter(clock=asked.hour)
    return rows


def table(asked: Question, by: By, order: Order = Order.SALE, *, most: int = 200, movers: int = 0) -> Table:
    """One grouping of the facts, in one question to the database."""
    made = Table(by, [], [], 0, Figures(), Figures())
    lines: dict[str, Line] = {}
    for part in _parts(asked, by, order, most, movers):
        if part.kind == "sum":
            (made.total_before if part.past else made.total).add(part)
            continue
        line = lines.setdefault(part.key or "", Line(part.key or "", place=part.place, moved=part.moved))
        (line.before if part.past else line.now).add(part)
        made.count = part.rows
    ranked = sorted(lines.values(), key=lambda line: line.place)
    made.lines = [line for line in ranked if line.place <= most and line.place <= made.count]
    made.movers = sorted((line for line in ranked if line.moved <= movers and line.change), key=lambda line: line.moved)
    return made


# -- the question to the database --------------------------------------------------------------------------------------
KEYS: dict[By, str] = {
    By.BUYER: "buyer_id",
    By.SELLER: "seller_id",
    By.DESTINATION: "destination",
    By.CARRIER: "carrier_id",
    By.SERVICE_CLASS: "service_class",
}
RANKS = {
    Order.SALE: "sum(sale_in) {now}",
    Order.COST: "sum(cost_in) {now}",
    Order.MARGIN: "COALESCE(sum(sale_in) {now}, 0) - COALESCE(sum(cost_in) {now}, 0)",
    Order.MARGIN_SHARE: "1 - COALESCE(sum(cost_in) {now}, 0) / NULLIF(sum(sale_in) {now}, 0)",
    Order.CALLS: "sum(attempts) {now}",
    Order.MINUTES: "sum(duration_s) {now}",
    Order.ANSWERED: "sum(answered) {now} / NULLIF(sum(attempts) {now}, 0)",
    Order.LASTED: "sum(duration_s) {now} / NULLIF(sum(charged) {now}, 0)",
}
RANKED = {order: f"{rank} DESC NULLS LAST".format(now="FILTER (WHERE NOT past)") for order, rank in RANKS.items()}
IN_ORDER = "length(key), key"
SUMS = ", ".join(f"sum({name}) AS {name}" for name in (*COUNTS, *MONEY, "sale_in", "cost_in"))
QUERY = """
WITH rates AS (
    SELECT * FROM unnest(%s::int[], %s::text[], %s::numeric[]) AS rates(stretch, code, rate)
), parts AS (
    SELECT COALESCE(facts.key::text, '') AS key, past, currency, paid_in AS cost_currency, {counts},
        sum(sale) AS sale, sum(tax) AS tax, sum(cost) AS cost,
        sum(sale * sold.rate) AS sale_in, sum(cost * paid.rate) AS cost_in
    FROM ({facts}) facts
    LEFT JOIN rates sold ON sold.stretch = facts.stretch AND sold.code = facts.currency
    LEFT JOIN rates paid ON paid.stretch = facts.stretch AND paid.code = facts.paid_in
    GROUP BY 1, 2, 3, 4
), ranked AS (
    SELECT key, row_number() OVER (ORDER BY bool_and(past), {order}, key) AS place,
        row_number() OVER (ORDER BY abs(COALESCE(sum(sale_in) FILTER (WHERE NOT past), 0)
            - COALESCE(sum(sale_in) FILTER (WHERE past), 0)) DESC, key) AS moved,
        sum((NOT bool_and(past))::int) OVER () AS count
    FROM parts WHERE {keyed} GROUP BY key
)
SELECT 'row', key, past, place, moved, count, currency, cost_currency, {shown}
FROM ranked JOIN parts USING (key) WHERE (place <= %s OR moved <= %s) AND {keyed}
UNION ALL
SELECT 'sum', NULL, past, 0, 0, 0, currency, cost_currency, {sums} FROM parts GROUP BY past, currency, cost_currency
"""


def _parts(asked: Question, by: By, order: Order, most: int, movers: int) -> Iterator[Part]:
    stretches = list(_stretches(asked))
    try:
        inner, arguments = _summed(asked, by, [start for start, _rates in stretches]).query.sql_with_params()
    except EmptyResultSet:
        return
    rates = [(at, code, rate) for at, (_start, known) in enumerate(stretches, 1) for code, rate in known.items()]
    question = QUERY.format(
        facts=inner,
        counts=", ".join(f"sum(n_{name}) AS {name}" for name in COUNTS),
        shown=", ".join((*COUNTS, *MONEY, "sale_in", "cost_in")),
        sums=SUMS,
        order=IN_ORDER if order == Order.NAME and by in CLOCKED else RANKED.get(order, "lower(key)"),
        keyed="NOT past" if by in IN_TIME else "true",
    )
    columns = [list(column) for column in zip(*rates, strict=True)] if rates else [[], [], []]
    with connection.cursor() as cursor:
        cursor.execute(question, [*columns, *arguments, most, movers])
        for row in cursor.fetchall():
            yield _part(row)


def _part(row: tuple[Any, ...]) -> Part:
    kind, key, past, place, moved, rows, currency, cost_currency, *numbers = row
    counts = tuple(int(number) for number in numbers[: len(COUNTS)])
    money: list[Any] = [None if one is None else Decimal(one).scaleb(-MICRO) for one in numbers[len(COUNTS) :]]
    return Part(kind, key, past, place, moved, int(rows), currency, cost_currency, counts, *money)


def _summed(asked: Question, by: By, starts: list[datetime]) -> QuerySet[Fact, Any]:
    """Facts by key, now or before, stretch of exchange rates and currencies."""
    when = rows_of(asked, by, asked.start, asked.end)
    past: Any = Value(False)
    if asked.before is not None:
        when |= rows_of(asked, by, *asked.before)
        past = Case(When(hour__lt=asked.start, then=True), default=False)
    uncosted = Q(cost_currency=None, carrier__isnull=False) & ~Q(service_class=ServiceClass.ON_NET)
    rows = facts_of(asked).filter(when).annotate(past=past, key=_key(asked, by), stretch=_stretch_of(starts))
    if asked.bought:
        rows = rows.annotate(paid_in=Value(None, output_field=CharField(null=True)))
    else:
        rows = rows.annotate(paid_in=F("cost_currency"))
    summed = rows.values("past", "key", "stretch", "currency", "paid_in").annotate(
        **{f"n_{name}": Sum(name) for name in COUNTS[:-1]},
        n_uncosted=Value(0) if asked.bought else Sum("charged", filter=uncosted, default=0),
        sale=Sum("sale_micro"),
        tax=Sum("tax_micro"),
        cost=Value(0) if asked.bought else Sum("cost_micro"),
    )
    return summed.order_by()


class _Bucket(Func):
    """In which stretch an hour lies, from 1."""

    function = "width_bucket"
    output_field = IntegerField()


def _stretch_of(starts: list[datetime]) -> Any:
    return Value(1) if len(starts) < 2 else _Bucket(F("hour"), Value(starts))


def _key(asked: Question, by: By) -> Any:
    if by == By.DAY:
        return TruncDate("hour", tzinfo=asked.zone)
    if by == By.MONTH:
        return TruncMonth("hour", tzinfo=asked.zone)
    if by == By.HOUR:
        return ExtractHour("hour", tzinfo=asked.zone)
    return F(KEYS[by])


def within(start: datetime, end: datetime) -> Q:
    return Q(hour__gte=start, hour__lt=end)


def rows_of(asked: Question, by: By, start: datetime, end: datetime) -> Q:
    """The rows of a time that hold each of its calls once: the loose ones, and the coarsest grain that will do.

    Whole UTC days are read by the day, what is left at both ends by the hour.
    """
    loose = Q(grain=Grain.LOOSE) & within(start, end)
    if not (asked.bought or asked.buyer or asked.destination is not None or by in (By.BUYER, By.DESTINATION)):
        return loose | Q(grain=Grain.CLOCK) & within(start, end)
    first, last = _utc_day(start + timedelta(days=1) - timedelta(microseconds=1)), _utc_day(end)
    if by in CLOCKED or asked.hour is not None or first >= last:
        return loose | Q(grain=Grain.HOUR) & within(start, end)
    ends = within(start, first) | within(last, end)
    return loose | Q(grain=Grain.DAY) & within(first, last) | Q(grain=Grain.HOUR) & ends


def _utc_day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _stretches(asked: Question) -> Iterator[tuple[datetime, dict[str, Decimal]]]:
    """Runs of days with the same exchange rates into the question's currency: (begin, rate by currency)."""
    exchange = Exchange()
    first = min(asked.start, asked.before[0]) if asked.before else asked.start
    known: dict[str, Decimal] | None = None
    for day in _days(first, asked.end, asked.zone):
        found = exchange_of_day(exchange, asked.currency, day)
        if found != known:
            known = found
            yield day, found


def exchange_of_day(exchange: Exchange, currency: str, day: datetime) -> dict[str, Decimal]:
    """What one of each known currency was worth in `currency` when the day began."""
    rates = {code: exchange.rate(code, currency, day) for code in {*exchange.currencies(), currency}}
    return {code: rate for code, rate in sorted(rates.items()) if rate is not None}


def _days(first: datetime, end: datetime, zone: ZoneInfo) -> Iterable[datetime]:
    day = first.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        yield day
        day = (day + timedelta(days=1)).replace(tzinfo=zone)


# -- names of what rows are ----------------------------------------------------------------------------------------
def parties_named(keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Code and name by the id of a party, as facts have it."""
    rows = Party.objects.filter(pk__in=list(keys)).values_list("pk", "code", "name")
    return {str(pk): (code, name) for pk, code, name in rows}


def carriers_named(keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    rows = Carrier.objects.filter(pk__in=[key for key in keys if key]).values_list("pk", "code", "name")
    return {str(pk): (code, name) for pk, code, name in rows}


def names_of(by: By, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """For each key of a grouping: what a filter calls it, and its name."""
    if by in (By.BUYER, By.SELLER):
        return parties_named(keys)
    if by == By.CARRIER:
        return carriers_named(keys)
    return {key: (key[:10], key[:10]) if by == By.MONTH else (key, key) for key in keys}
