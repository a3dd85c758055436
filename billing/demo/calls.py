"""The demo's calls: a month of them for every customer, the same each time for the same month.

Each customer has an address book of numbers it calls again and again, a week and a day of its own kind, telephones
and an IP address. One call in four is not answered.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from math import log
from random import Random
from zoneinfo import ZoneInfo

from billing.demo.customers import CUSTOMERS, Customer
from billing.demo.habits import HABITS, Habit
from billing.demo.numbers import draw_number

SEED = "tollgate"
BOOK = {"fixed": 24, "mobile": 18, "toll_free": 4}
ABROAD_EACH = 9
LONGEST_S = 5400
SIGMA = 0.95
SHORT_SERVICES = {"DE": "11833", "GB": "118118", "HK": "1083", "NL": "1888", "US": "411"}
STEMS = {"harbour": ("49405551", 1), "pier": ("31105552", 1), "summit": ("8522553", 2), "meadow": ("44122355", 2),
         "northstar": ("1212555", 2), "quarry": ("1303555", 2)}  # fmt: skip
"""By brand: with what its customers' numbers begin, and the digits of an extension; two digits stand between."""
TOLL_FREE = re.compile(r"1800|1888|31800|44800|44808|49800|852800")
EMERGENCY = {"DE": "112", "GB": "999", "HK": "999", "NL": "112", "US": "911"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the switch saw it. Times in UTC; `seconds` is 0 when nobody answered; `carrier` is the trunk."""

    call_id: str
    customer: Customer
    caller: str
    callee: str
    started_at: datetime
    ring_s: int
    seconds: int
    disposition: str
    carrier: str
    src_ip: str
    src_port: int
    user_agent: str

    @property
    def answered_at(self) -> datetime | None:
        return self.started_at + timedelta(seconds=self.ring_s) if self.seconds else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a customer calls from: its zone and country, and how much of the story's traffic is told (1: all)."""

    time_zone: str
    home: str
    share: float = 1.0


def month_of_calls(customer: Customer, month: date, place: Place, *, moved_at: datetime | None = None) -> list[Call]:
    """All calls of a customer in a month (of its zone), by start. `moved_at`: from when on the other carrier."""
    random = Random(f"{SEED} {customer.code} {month:%Y-%m}")
    book = AddressBook(customer, place.home)
    starts = _starts(
        random, HABITS[customer.habit], month, ZoneInfo(place.time_zone), round(customer.calls * place.share)
    )
    return [_call(random, customer, book, start, moved_at) for start in starts]


class AddressBook:
    """Whom a customer calls, from which telephones and addresses: the same in every month."""

    def __init__(self, customer: Customer, home: str) -> None:
        random = Random(f"{SEED} book {customer.code}")
        self.home = home
        self.numbers = {
            kind: [draw_number(random, home, kind) for _entry in range(size)] for kind, size in BOOK.items()
        }
        self.abroad: list[str] = []
        self.weights: list[float] = []
        for rank, region in enumerate(customer.abroad.split(), start=1):
            for entry in range(1, ABROAD_EACH + 1):
                self.abroad.append(draw_number(random, region, "mobile" if random.random() < 0.35 else "fixed"))
                self.weights.append(1 / rank / entry)
        self.callers = [telephone(customer, extension) for extension in range(8)]
        self.src_ip = f"{random.choice(('198.51.100', '203.0.113'))}.{random.randrange(2, 250)}"
        self.src_port = random.choice((5060, 5061, random.randrange(20000, 60000)))
        self.agents = random.sample(HABITS[customer.habit].agents, 2)

    def callee(self, random: Random, habit: Habit) -> tuple[str, bool]:
        """(a number, whether it lies abroad)."""
        drawn = random.random()
        if drawn < habit.abroad:
            return random.choices(self.abroad, self.weights)[0], True
        drawn -= habit.abroad
        kind = "mobile" if drawn < habit.mobile else "toll_free" if drawn < habit.mobile + habit.toll_free else "fixed"
        if kind == "fixed" and random.random() < 0.004:
            return random.choice((SHORT_SERVICES[self.home], EMERGENCY[self.home])), False
        numbers = self.numbers[kind]
        return numbers[min(int(random.expovariate(5) * len(numbers)), len(numbers) - 1)], False


def telephone(customer: Customer, extension: int) -> str:
    """E.164 digits of one of the customer's telephones."""
    stem, digits = STEMS[customer.brand]
    return f"{stem}{10 + CUSTOMERS.index(customer)}{extension:0{digits}d}"


def _starts(random: Random, habit: Habit, month: date, zone: ZoneInfo, count: int) -> list[datetime]:
    """Moments in UTC, as dense as the habit's days and hours."""
    days = _days(month)
    slots = [(day, hour) for day in days for hour in range(24)]
    weights = [habit.hours[hour] * (habit.weekend if day.weekday() >= 5 else 1.0) for day, hour in slots]
    sums = list(accumulate(weights))
    found = []
    for _call in range(count):
        day, hour = slots[min(bisect(sums, random.random() * sums[-1]), len(slots) - 1)]
        second = random.randrange(3600)
        local = datetime(day.year, day.month, day.day, hour, second // 60, second % 60, tzinfo=zone)
        found.append(local.astimezone(UTC))
    return sorted(found)


def _days(month: date) -> list[date]:
    first = month.replace(day=1)
    days = (first + timedelta(days=number) for number in range(31))
    return [day for day in days if day.month == first.month]


def _call(random: Random, customer: Customer, book: AddressBook, start: datetime, moved_at: datetime | None) -> Call:
    habit = HABITS[customer.habit]
    callee, abroad = book.callee(random, habit)
    answered = random.random() < habit.answered
    seconds = min(LONGEST_S, max(2, round(random.lognormvariate(log(habit.median_s), SIGMA)))) if answered else 0
    disposition = "ANSWERED" if answered else random.choices(("NO ANSWER", "BUSY", "FAILED"), (7, 2, 1))[0]
    return Call(
        call_id=f"{random.getrandbits(64):016x}@{book.src_ip}",
        customer=customer,
        caller=random.choice(book.callers),
        callee=callee,
        started_at=start,
        ring_s=random.randrange(2, 22),
        seconds=seconds,
        disposition=disposition,
        carrier=_carrier(random, customer, start, moved_at) if abroad else _home_carrier(callee),
        src_ip=book.src_ip,
        src_port=book.src_port,
        user_agent=random.choice(book.agents),
    )


def _carrier(random: Random, customer: Customer, start: datetime, moved_at: datetime | None) -> str:
    """The trunk: the customer's choice; now and then the other one, when the first was full."""
    default = "boreal" if customer.brand == "summit" else "atlas"
    chosen = customer.carrier or default
    if moved_at is not None and customer.moves_to and start >= moved_at:
        chosen = customer.moves_to
    overflow = "boreal" if chosen == "atlas" else "atlas"
    return overflow if random.random() < 0.02 else chosen


def _home_carrier(callee: str) -> str:
    """Calls at home leave by Atlas, but for toll-free ones."""
    return "" if len(callee) < 7 or TOLL_FREE.match(callee) else "atlas"


def until(calls: list[Call], moment: datetime) -> Iterator[Call]:
    """Those that have ended by then."""
    for call in calls:
        if call.started_at + timedelta(seconds=call.ring_s + call.seconds) <= moment:
            yield call
