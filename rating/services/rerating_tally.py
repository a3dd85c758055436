"""What a re-rating comes to, small enough to keep on its row: counts, sums by pair, the largest, who must say yes.

Shapes, amounts as text: `totals` rows {seller, buyer, carrier, currency, calls, more, less, tax} (codes; `buyer` null
where a carrier is paid; `more` and `less` of the sales, `tax` the difference of the taxes), `largest` rows {call,
record, number, seller, buyer, currency, before, after}, `increases` rows {party, code, name, seller, currency, calls,
amount, done} with tax.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.figures import plain
from rating.pricing import Directory
from rating.services.rerating_calls import Key
from rating.services.rerating_compare import Change, Verdict

LARGEST = 20
NOTHING = Decimal(0)
MONEY = ("more", "less", "tax")


class Tally:
    """Adds verdicts up; with a run that is posted, to what it had so far."""

    def __init__(self, directory: Directory, run: Any = None) -> None:
        self._directory = directory
        self._posting = run is not None
        self.counts: Counter[str] = Counter(run.counts if run else {})
        self._totals = {_pair(row): _read(row, MONEY) for row in (run.totals if run else [])}
        self._largest: list[dict[str, Any]] = [_read(row, ("before", "after")) for row in (run.largest if run else [])]
        self._increases = {
            (row["party"], row["seller"], row["currency"]): _read(row, ("amount",))
            for row in (run.increases if run else [])
        }

    def add(self, verdict: Verdict) -> None:
        """One call of the selection."""
        self.counts["looked"] += 1
        for code in {left.code for left in verdict.left}:
            self.counts[code] += 1
        self.counts[self._way(verdict.changes)] += 1
        left = {one.key for one in verdict.left if one.key is not None}
        for key, amount in verdict.increases:
            self._increase(key, amount, done=self._posting and key not in left)
        for change in verdict.changes:
            self._sale(change)
            self._cost(change)

    def _way(self, changes: list[Change]) -> str:
        """What the customer sees of it: dearer, cheaper, only others changed, nothing."""
        if not changes:
            return "unchanged"
        customer = changes[0].made.record.customer_id
        more = sum((change.difference for change in changes if change.key[1] == customer), NOTHING)
        return "up" if more > 0 else "down" if more < 0 else "inside"

    def _sale(self, change: Change) -> None:
        seller, buyer, currency = change.key
        before, after = (change.call.sale if change.call else NOTHING), change.after.sale
        tax = change.after.tax - (change.call.tax if change.call else NOTHING)
        if before == after and not tax:
            return
        self._sum(self._code(seller), self._code(buyer), None, currency, after - before, tax)
        row = {
            "call": str(change.call.id) if change.call else None,
            "record": str(change.made.record.pk),
            "number": change.made.number,
            "seller": self._code(seller),
            "buyer": self._code(buyer),
            "currency": currency,
            "before": before,
            "after": after,
        }
        self._largest.append(row)
        if len(self._largest) > 50 * LARGEST:
            self._cut()

    def _cost(self, change: Change) -> None:
        """What carriers are paid; a dealer's cost is the sale above it and stands there."""
        if not change.carrier_cost:
            return
        call, after, seller = change.call, change.after, self._code(change.key[0])
        known = change.made.cost_carrier
        carrier = self._directory.carriers_by_id[known].code if known else ""
        was = (call.cost or NOTHING, call.cost_currency) if call else (NOTHING, None)
        now = (after.cost or NOTHING, after.cost_currency)
        if was[1] == now[1] and was[0] != now[0]:
            self._sum(seller, None, carrier, now[1] or "", now[0] - was[0], NOTHING)
        elif was != now:
            for amount, currency in ((-was[0], was[1]), now):
                if amount and currency:
                    self._sum(seller, None, carrier, currency, amount, NOTHING)

    def _sum(
        self, seller: str, buyer: str | None, carrier: str | None, currency: str, amount: Decimal, tax: Decimal
    ) -> None:
        head = {"seller": seller, "buyer": buyer, "carrier": carrier, "currency": currency}
        row = self._totals.setdefault(
            _pair(head), {**head, "calls": 0, "more": NOTHING, "less": NOTHING, "tax": NOTHING}
        )
        row["calls"] += 1
        row["more" if amount > 0 else "less"] += amount
        row["tax"] += tax

    def _increase(self, key: Key, amount: Decimal, *, done: bool) -> None:
        seller, buyer, currency = self._code(key[0]), key[1], key[2]
        row = self._increases.get((str(buyer), seller, currency))
        if row is None:
            person = self._directory.people[buyer]
            row = {"party": str(buyer), "code": person.code, "name": person.name, "seller": seller}
            row |= {"currency": currency, "calls": 0, "amount": NOTHING, "done": done}
            self._increases[str(buyer), seller, currency] = row
        row["calls"] += 1
        row["amount"] += amount
        row["done"] = row["done"] and done

    def _code(self, party: UUID) -> str:
        return self._directory.people[party].code

    def _cut(self) -> None:
        self._largest.sort(key=lambda row: -abs(row["after"] - row["before"]))
        del self._largest[LARGEST:]

    def put(self, run: Any) -> None:
        """Write it onto the run."""
        self._cut()
        run.counts = dict(self.counts)
        run.totals = [_text(row) for row in self._totals.values()]
        run.largest = [_text(row) for row in self._largest]
        run.increases = [_text(row) for row in sorted(self._increases.values(), key=lambda row: -row["amount"])]


def _pair(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["seller"], row["buyer"], row["carrier"], row["currency"])


def _read(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {**row, **{name: Decimal(row[name]) for name in names}}


def _text(row: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value, 2) if isinstance(value, Decimal) else value for name, value in row.items()}
