"""What each line of a chunk is: a charge, something free, something without a price, or nothing usable.

In two steps: first whose call it is and its key, so that what came before is known before it is priced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from rating.models import RecordStatus, Source
from rating.numbers import BadNumber, DialPlan, Number, ServiceClass
from rating.pricing import CallFacts, Engine, PricedCall, Unpriced
from rating.services.identify import CustomerIndex
from rating.services.quote import is_abroad
from rating.usage.occurrence import Occurrences
from rating.usage.record import IN, OUT, BadRow, UsageRow, bad_row, content_hash, record_key
from tiers.ids import uuid7


@dataclass(slots=True)
class Sorted:
    """A record with what became of it. `key` and `content` are 16 bytes each; `priced` only when rated.

    `untaken`: the price that a call had which was not charged; only outgoing calls that leave the house are
    `counted` in facts.
    """

    row: UsageRow
    id: UUID
    key: bytes
    content: bytes
    customer: UUID
    status: str
    number: str
    service_class: str
    trunk: UUID | None
    priced: PricedCall | None = None
    reason: str = ""
    untaken: PricedCall | None = None
    counted: bool = True


class Keyed(NamedTuple):
    """A record by which it is known again; `key` and `content` are 16 bytes each."""

    row: UsageRow
    customer: UUID
    trunk: UUID | None
    key: bytes
    content: bytes


class Sorter:
    """Sorts the rows of one source's file against one engine."""

    def __init__(self, source: Source, engine: Engine) -> None:
        self._engine = engine
        self._plan = DialPlan.from_json(source.dial_plan)
        self._customers = CustomerIndex(source, self._plan)
        self._default_trunk = source.carrier_id
        self._carriers = {code.lower(): carrier.pk for code, carrier in engine.directory.carriers.items()}

    def keyed(self, row: UsageRow, occurrences: Occurrences) -> Keyed | BadRow:
        ours = row.callee if row.direction == IN else row.caller
        customer = self._customers.find(row.account, ours, row.src_ip)
        if customer is None:
            who = row.account or ours or row.src_ip or "-"
            return bad_row(row.line, row.text, "account", "unknown_customer", _("No customer is known as %s.") % who)
        trunk = self._carriers.get(row.carrier.lower(), self._default_trunk) if row.carrier else self._default_trunk
        return Keyed(row, customer, trunk, record_key(row, occurrences.number(row)), content_hash(row))

    def sort(self, record: Keyed) -> Sorted | BadRow:
        """What becomes of a record: priced where it is to be."""
        row, customer, trunk, key, content = record
        number = self._plan.normalise(row.callee)
        made = Sorted(row, uuid7(row.started_at), key, content, customer, RecordStatus.FREE, row.callee, "", trunk)
        if isinstance(number, Number):
            made.number, made.service_class = number.e164, number.service_class
        if row.direction != OUT:
            made.counted = False
            return made
        if not row.answered or row.duration_s == 0:
            return self._unanswered(made, number)
        if isinstance(number, BadNumber):
            return bad_row(row.line, row.text, "to", number.code, number.reason)
        made.counted = not _internal(number)
        if number.service_class is ServiceClass.EMERGENCY or not made.counted:
            return made
        return self._priced(made, number)

    def _unanswered(self, made: Sorted, number: Number | BadNumber) -> Sorted:
        """Nothing is charged; where it would have gone is known for the share of calls that are answered."""
        if isinstance(number, Number):
            made.counted = not _internal(number)
            priced = self._price(made, number) if number.is_e164 else None
            made.untaken = priced if isinstance(priced, PricedCall) else None
        return made

    def _priced(self, made: Sorted, number: Number) -> Sorted:
        priced = self._price(made, number)
        if isinstance(priced, Unpriced):
            made.status, made.reason = RecordStatus.UNRATED, priced.reason
        elif priced.charged:
            made.status, made.priced = RecordStatus.RATED, priced
        else:
            made.untaken = priced
        return made

    def _price(self, made: Sorted, number: Number) -> PricedCall | Unpriced:
        row = made.row
        facts = CallFacts(
            customer=made.customer,
            number=number,
            abroad=is_abroad(number, self._plan),
            answered_at=row.answered_at or row.started_at,
            duration_s=row.duration_s,
            trunk=made.trunk,
        )
        return self._engine.price(facts)


def _internal(number: Number) -> bool:
    """A call from extension to extension never leaves the house."""
    return number.service_class is ServiceClass.ON_NET and not number.is_e164
