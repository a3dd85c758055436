"""What live calls must do, in a few lines and without a database: what wallets hold, which calls go on, who may begin.

It shares the kernel's prices and the needs of a wallet with the product (both have proofs of their own) and nothing
else: no SQL, no locks, no holds as rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from rating.kernel import price
from rating.live import reference
from rating.live.needs import Curve
from rating.live.terms import CallTerms
from rating.pricing.engine import split_tax

CHAINS = {
    "alice": ("alice", "harbour", "northstar"),
    "bob": ("bob", "pier", "harbour", "northstar"),
    "carol": ("carol", "summit", "northstar"),
    "dave": ("dave", "meadow", "northstar"),
    "erin": ("erin", "northstar"),
    "faye": ("faye", "summit", "northstar"),
}
WALLETS = sorted({code for chain in CHAINS.values() for code in chain[:-1]})
FUNDED_BY = {"carol": "summit", "faye": "summit"}
"""Distribution: who pays for the buyer's funds, and is paid for its calls."""
ZERO = Decimal(0)


@dataclass
class Modelled:
    """A call as the model sees it. `age_s` counts from the answer, or from the question while it rings."""

    who: str
    terms: CallTerms
    carrier: str | None
    upto_s: int
    held: dict[str, Decimal]
    answered: bool = False
    age_s: int = 0
    over: bool = False
    reaped: bool = False
    days: dict[str, Decimal] = field(default_factory=dict)
    """What the days of limited wallets set aside for it."""

    @property
    def buyers(self) -> tuple[str, ...]:
        return CHAINS[self.who][:-1]

    @property
    def places(self) -> tuple[str, ...]:
        """Whose limits it uses, the nearest to the customer first."""
        return (*CHAINS[self.who], *([self.carrier] if self.carrier else []))


@dataclass
class Model:
    posted: dict[str, Decimal]
    unspent: dict[str, Decimal]
    """Allocated, not taken back, not spent."""
    credit: dict[str, Decimal]
    blocked: set[str] = field(default_factory=set)
    limits: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    calls: dict[str, Modelled] = field(default_factory=dict)
    refused: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Who asked, and the SIP code it heard."""
    floor: dict[str, Decimal] = field(default_factory=dict)
    per_day: dict[str, Decimal] = field(default_factory=dict)
    spent: dict[str, Decimal] = field(default_factory=dict)
    """By the day of each limited wallet: since its limit was set, and before."""
    charged: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(WALLETS, ZERO))

    # -- money ----------------------------------------------------------------------------------------------------
    def held(self, code: str) -> Decimal:
        return sum((call.held.get(code, ZERO) for call in self.calls.values() if not call.over), ZERO)

    def available(self, code: str) -> Decimal:
        return self.posted[code] - self.held(code) + self.credit.get(code, ZERO)

    def allocate(self, code: str, amount: Decimal) -> bool:
        """Whether it may be; a seller in distribution gives of its own."""
        payer = FUNDED_BY.get(code)
        if payer and self.available(payer) < amount:
            return False
        self._move(code, amount)
        self.unspent[code] += amount
        return True

    def withdraw(self, code: str, amount: Decimal) -> bool:
        mine = self.posted[code] - self.held(code)
        if amount > max(ZERO, min(self.unspent[code], mine)):
            return False
        self._move(code, -amount)
        self.unspent[code] -= amount
        return True

    def pay(self, code: str, amount: Decimal) -> None:
        self._move(code, amount)

    def _move(self, code: str, amount: Decimal) -> None:
        self.posted[code] += amount
        if code in FUNDED_BY:
            self.posted[FUNDED_BY[code]] -= amount

    def no_wallet_sank(self) -> str | None:
        """Whose wallet is below its limit, and lower than the last change of that limit left it."""
        for code in WALLETS:
            available = self.available(code)
            if available < self.floor.get(code, ZERO):
                return code
            self.floor[code] = min(ZERO, available)
        return None

    # -- days -----------------------------------------------------------------------------------------------------
    def limit_day(self, code: str, per_day: Decimal | None) -> None:
        """A new limit counts what was charged before, and what is held for calls that go on."""
        if per_day is None:
            self.per_day.pop(code, None)
            return
        if code not in self.per_day:
            self.spent[code] = self.charged[code]
            for call in self.calls.values():
                if not call.over and code in call.buyers:
                    call.days[code] = call.held[code]
        self.per_day[code] = per_day

    def day_held(self, code: str) -> Decimal:
        return sum((call.days.get(code, ZERO) for call in self.calls.values() if not call.over), ZERO)

    def _rooms(self, call: Modelled, counted: Iterable[str], taken: Sequence[Curve]) -> list[reference.Day | None]:
        """What the days that the call counts to have room for, beside what they set aside for it."""
        rooms: list[reference.Day | None] = []
        for code, curve in zip(call.buyers, taken, strict=True):
            limited = code in counted and code in self.per_day
            left = self.per_day.get(code, ZERO) - self.spent.get(code, ZERO) - self.day_held(code)
            rooms.append(reference.Day(_micros(left + call.days.get(code, ZERO)), curve) if limited else None)
        return rooms

    # -- calls ----------------------------------------------------------------------------------------------------
    def decide(
        self, call: Modelled, needed: Sequence[Curve], taken: Sequence[Curve], longest_s: int
    ) -> reference.Verdict:
        return reference.decide(
            [code not in self.blocked for code in CHAINS[call.who]],
            [self._limit(code) for code in call.places],
            [_micros(self.available(code)) for code in call.buyers],
            needed,
            longest_s,
            self._rooms(call, self.per_day, taken),
        )

    def _limit(self, code: str) -> reference.Limit | None:
        if code not in self.limits:
            return None
        return reference.Limit(*self.limits[code], self.going_on(code), 0)

    def going_on(self, code: str) -> int:
        return sum(1 for call in self.calls.values() if not call.over and code in call.places)

    def begin(self, name: str, call: Modelled, needed: Sequence[Curve], taken: Sequence[Curve], granted_s: int) -> None:
        call.upto_s = granted_s
        call.held = {code: need(curve, granted_s) for code, curve in zip(call.buyers, needed, strict=True)}
        call.days = {
            code: need(curve, granted_s) for code, curve in zip(call.buyers, taken, strict=True) if code in self.per_day
        }
        self.calls[name] = call

    def extend(
        self, call: Modelled, needed: Sequence[Curve], taken: Sequence[Curve], wanted_s: int, *, anew: bool = False
    ) -> None:
        """As far as there is money beside what the call holds; `anew` (its answer came late) may shorten it."""
        if self.blocked & set(CHAINS[call.who]):
            return
        free = [_micros(self.available(code) + call.held[code]) for code in call.buyers]
        rooms = self._rooms(call, call.days, taken)
        granted_s = reference.decide([True], [None], free, needed, wanted_s, rooms).max_seconds
        if granted_s > call.upto_s or anew:
            call.upto_s = granted_s
            for code, curve in zip(call.buyers, needed, strict=True):
                call.held[code] = max(call.held[code], need(curve, granted_s))
            for code, curve in zip(call.buyers, taken, strict=True):
                if code in call.days:
                    call.days[code] = max(call.days[code], need(curve, granted_s))

    def end(self, call: Modelled, seconds: int, answered_at: datetime | None) -> None:
        """Over, charged for so many seconds at every tier: nobody pays for more than was allowed."""
        call.over = True
        charged_s = min(seconds, call.upto_s)
        if not charged_s or answered_at is None:
            return
        for code, tier in zip(call.buyers, call.terms.tiers, strict=True):
            amount = price(tier.at(answered_at).rate, charged_s, answered_at).amount
            sale, tax = split_tax(amount, tier.tax, tier.prepaid)
            self.posted[code] -= sale + tax
            self.unspent[code] -= sale + tax
            self.charged[code] += sale + tax
            if code in call.days:
                self.spent[code] += sale + tax
            if code in FUNDED_BY:
                self.posted[FUNDED_BY[code]] += sale

    def open(self, pick: int, *, answered: bool | None = None) -> str | None:
        """One of the calls that go on."""
        names = [
            name
            for name, call in self.calls.items()
            if not call.over and (answered is None or call.answered == answered)
        ]
        return names[pick % len(names)] if names else None

    def any(self, pick: int) -> str | None:
        """One of all calls that were ever allowed."""
        names = list(self.calls)
        return names[pick % len(names)] if names else None


def need(curve: Curve, seconds: int) -> Decimal:
    at = next(place for place, upto in enumerate(curve.seconds) if upto >= seconds)
    return Decimal(curve.micros[at]).scaleb(-6)


def _micros(amount: Decimal) -> int:
    return int(amount * 1_000_000)
