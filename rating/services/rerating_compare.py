"""One call then and now: what changes at each tier, and what must stay as it is, with the reason.

From the operator down: a tier's cost is what its own seller's sale became. A call whose chain was corrected is
withdrawn from the pairs that are no longer in it and charged to those that are. What has no price any more keeps the
one it was charged at: a closed list takes no money back.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from rating.pricing import Engine
from rating.pricing.lists import Found
from rating.services.rerating_calls import Charged, Key, Slice, Standing
from rating.services.rerating_price import Again, Tier
from rating.services.rerating_tax import TaxThen
from tiers.models import Kind, Party

NOTHING = Decimal(0)
Terms = int | Found
"""Of frozen terms: the key of those stored already, or a rate yet to be stored."""

UNPRICED, UNCHARGED, CHAIN, PREPAID = "unpriced", "uncharged", "chain", "prepaid"
"""Why a call, or one tier of it, is left as it is."""


@dataclass(frozen=True, slots=True)
class After:
    """What a rated call is to be. `tier`: how its sale came about, None where the sale stays or is withdrawn."""

    sale: Decimal
    tax: Decimal
    billed_s: int
    cost: Decimal | None
    cost_currency: str | None
    terms: Terms
    cost_terms: Terms | None
    price_list: UUID
    carrier: UUID | None
    prefix: str
    destination: str
    service_class: str
    duration_s: int
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A rated call that changes. `call` is None for a pair that is charged for it for the first time.

    `carrier_cost`: the operator's own row, whose cost moves to a carrier.
    """

    made: Again
    key: Key
    call: Standing | None
    tier: Tier | None
    after: After
    carrier_cost: bool

    @property
    def difference(self) -> Decimal:
        """What the buyer pays more, with tax."""
        before = self.call.sale + self.call.tax if self.call else NOTHING
        return self.after.sale + self.after.tax - before


class LeftOut(NamedTuple):
    """Something that stays as it is: `code` why; for a prepaid buyer's increase the pair and the amount with tax."""

    code: str
    reason: str
    key: Key | None = None
    amount: Decimal = NOTHING


@dataclass(slots=True)
class Verdict:
    """What becomes of one call. `increases`: what prepaid buyers would pay more, accepted or not."""

    changes: list[Change] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)
    increases: list[tuple[Key, Decimal]] = field(default_factory=list)


class Case(NamedTuple):
    """A record as priced today, its calls as they stand, when transfers charged them, and what becomes of it."""

    made: Again
    known: dict[Key, Standing]
    charged: dict[UUID, Charged]
    verdict: Verdict


class Cost(NamedTuple):
    """What a tier pays itself."""

    amount: Decimal | None
    currency: str | None
    terms: Terms | None


class Comparer:
    """Compares calls for one seller and all below it. `accepted`: buyers who may pay more though prepaid; None: all."""

    def __init__(
        self, engine: Engine, party: Party, lists: frozenset[UUID] | None, accepted: Collection[UUID] | None
    ) -> None:
        self._directory = engine.directory
        self._path = str(party.path)
        self._lists = lists
        self._accepted = accepted
        self._tax = TaxThen(engine.directory)

    def compare(self, made: Again, found: Slice) -> Verdict | None:
        """What becomes of this call; None where it is not of the selection after all."""
        standing = found.calls.get(made.record.pk, [])
        if not any(self._mine(one.seller) for one in standing):
            return None
        now = {tier.list_id for tier in made.tiers}
        then = {one.price_list for one in standing if not one.withdrawn}
        if self._lists is not None and not self._lists & (now | then):
            return None
        if not made.tiers:
            return Verdict(left=[LeftOut(UNPRICED if made.unrated else UNCHARGED, made.why)])
        case = Case(made, {one.key: one for one in standing}, found.charged, Verdict())
        self._priced(case)
        return case.verdict

    def _priced(self, case: Case) -> None:
        known, verdict = case.known, case.verdict
        tiers = {_key(tier): tier for tier in case.made.tiers}
        gone = [call for key, call in known.items() if key not in tiers and not call.withdrawn]
        fresh = [tier for key, tier in tiers.items() if key not in known or known[key].withdrawn]
        if (gone or fresh) and self._stays(gone, fresh, verdict):
            return
        cost = self._carrier_cost(case)
        for key, tier in reversed(tiers.items()):
            call = known.get(key)
            if not self._mine(tier.link.seller):
                assert call is not None, "a chain that changed above the selection stays"
                cost = Cost(call.sale, call.currency, call.terms)
                continue
            after = self._after(case, tier, call, cost)
            if call is None or _differs(call, after):
                verdict.changes.append(Change(case.made, key, call, tier, after, tier is case.made.tiers[-1]))
            cost = Cost(after.sale, key[2], after.terms)
        verdict.changes += (self._withdrawn(case.made, call) for call in gone)

    def _mine(self, seller: UUID) -> bool:
        return self._directory.people[seller].path.startswith(self._path)

    def _asks(self, tier: Tier, amount: Decimal, verdict: Verdict) -> bool:
        """Whether this increase needs a yes that nobody gave. Notes it as one that needs a yes in any case."""
        if amount <= 0 or not tier.purse.prepaid:
            return False
        verdict.increases.append((_key(tier), amount))
        return self._accepted is not None and tier.link.buyer not in self._accepted

    def _stays(self, gone: list[Standing], fresh: list[Tier], verdict: Verdict) -> bool:
        """Whether a call whose chain is another one now stays in the old one all the same; says why."""
        sellers = {*(call.seller for call in gone), *(tier.link.seller for tier in fresh)}
        if not all(map(self._mine, sellers)):
            verdict.left.append(LeftOut(CHAIN, ""))
            return True
        asking = [tier for tier in fresh if self._asks(tier, tier.sale + tier.tax, verdict)]
        verdict.left += (LeftOut(PREPAID, "", _key(tier), tier.sale + tier.tax) for tier in asking)
        return bool(asking)

    def _after(self, case: Case, tier: Tier, call: Standing | None, cost: Cost) -> After:
        sale, tax, verdict = tier.sale, tier.tax, case.verdict
        if call is not None:
            at = case.charged[call.transfer].at if call.transfer else None
            sale, tax = self._tax.split(tier.amount, call, tier.link.brand, tier.purse, at)
            more = sale + tax - call.sale - call.tax
            if not call.withdrawn and self._asks(tier, more, verdict):
                verdict.left.append(LeftOut(PREPAID, "", call.key, more))
                return _kept(call, cost)
        found, made, carrier = tier.found, case.made, case.made.carrier
        return After(
            sale=sale,
            tax=tax,
            billed_s=tier.billed_s,
            cost=cost.amount,
            cost_currency=cost.currency,
            terms=found,
            cost_terms=cost.terms,
            price_list=tier.list_id,
            carrier=made.record.carrier_id or carrier if tier is case.made.tiers[-1] else carrier,
            prefix=found.row.prefix,
            destination=found.row.destination,
            service_class=made.service_class,
            duration_s=made.record.charged_s,
        )

    def _carrier_cost(self, case: Case) -> Cost:
        """What the operator pays now; where no price is known any more, what it paid."""
        found = case.made.cost_found
        if found is not None:
            return Cost(case.made.cost, found.measure.currency, found)
        operator = case.made.tiers[-1].link.seller
        was = next((call for call in case.known.values() if call.seller == operator and not call.withdrawn), None)
        return Cost(was.cost, was.cost_currency, was.cost_terms) if was else Cost(None, None, None)

    def _withdrawn(self, made: Again, call: Standing) -> Change:
        cost = Cost(None if call.cost is None else NOTHING, call.cost_currency, call.cost_terms)
        after = replace(_kept(call, cost), sale=NOTHING, tax=NOTHING, billed_s=0, withdrawn=True)
        return Change(made, call.key, call, None, after, self._directory.people[call.seller].kind == Kind.OPERATOR)


def _key(tier: Tier) -> Key:
    return (tier.link.seller, tier.link.buyer, tier.found.measure.currency)


def _kept(call: Standing, cost: Cost) -> After:
    """The sale as it stands; only the cost may be another."""
    return After(
        sale=call.sale,
        tax=call.tax,
        billed_s=call.billed_s,
        cost=cost.amount,
        cost_currency=cost.currency,
        terms=call.terms,
        cost_terms=cost.terms,
        price_list=call.price_list,
        carrier=call.carrier,
        prefix=call.prefix,
        destination=call.destination,
        service_class=call.service_class,
        duration_s=call.duration_s,
    )


def _differs(call: Standing, after: After) -> bool:
    before = (call.sale, call.tax, call.billed_s, call.cost, call.cost_currency, call.withdrawn)
    return before != (after.sale, after.tax, after.billed_s, after.cost, after.cost_currency, after.withdrawn)
