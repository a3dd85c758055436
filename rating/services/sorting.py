"""What each record of a chunk is: a charge, something free, something without a price, or nothing usable.

In two steps, by columns: first whose call it is and its key, so that what came before is known before it is priced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np
import polars as pl
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from rating.models import RecordStatus, Source
from rating.numbers import BadNumber, ServiceClass
from rating.numbers.columns import CLASSES, NONE, NumberColumns, normalise_column
from rating.pricing import Engine
from rating.pricing.columns import CallColumns, PricedColumns, price_calls
from rating.services.binary import new_ids
from rating.services.dial_plans import plan_of_source
from rating.services.identify import CustomerIndex
from rating.services.records import Records, contents, keys
from rating.usage.record import IN, OUT, BadRow, bad_row

Flags = NDArray[np.bool_]
STATUSES = (RecordStatus.FREE, RecordStatus.RATED, RecordStatus.UNRATED)
FREE, RATED, UNRATED = range(3)
ON_NET, EMERGENCY = CLASSES.index(ServiceClass.ON_NET), CLASSES.index(ServiceClass.EMERGENCY)
OURS = pl.when(pl.col("direction") == IN).then("callee").otherwise("caller")
"""The number on the house's side."""
CLASS_NAMES = (*(one.value for one in CLASSES), "")
"""By index; NONE, the last, is a number that was not understood."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """Records by which they are known again. `frame` has `customer` and `trunk` too: indexes, NONE for no trunk."""

    records: Records
    customers: Sequence[UUID]
    carriers: Sequence[UUID]
    keys: Sequence[bytes]
    contents: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.records)

    def only(self, rows: NDArray[np.intp]) -> Keyed:
        """These rows alone."""
        at = rows.tolist()
        if len(at) == len(self):
            return self
        text, frame = self.records.text, self.records.frame[at]
        kept = Records(frame, lambda row: text(at[row]))
        return Keyed(
            kept, self.customers, self.carriers, [self.keys[row] for row in at], [self.contents[row] for row in at]
        )

    def column(self, name: str) -> NDArray[np.int64]:
        return self.records.frame[name].to_numpy()


@dataclass(frozen=True)
class Sorted:
    """Records with what became of them, each column of shape (n,).

    number: as text, E.164 where it was understood. service_class: indexes into CLASS_NAMES. status: into STATUSES.
    counted: whether facts count it: an outgoing call that left the house. `priced` holds the prices of the records
    `priced_rows`, charged or not: calls that were free, or that nobody answered, have where they would have gone.
    """

    keyed: Keyed
    ids: NDArray[np.void]
    number: Sequence[str]
    service_class: NDArray[np.int8]
    status: NDArray[np.int8]
    counted: Flags
    reasons: Mapping[int, str]
    priced: PricedColumns
    priced_rows: NDArray[np.intp]

    @cached_property
    def answered_us(self) -> NDArray[np.int64]:
        """The answer, or the start where there was none: the moment by which a call is priced."""
        frame = self.keyed.records.frame
        return frame.select(pl.col("answered_us").fill_null(pl.col("started_us"))).to_series().to_numpy()


class Sorter:
    """Sorts the records of one source against one engine."""

    def __init__(self, source: Source, engine: Engine) -> None:
        self._engine = engine
        self._plan = plan_of_source(source)
        self._known = CustomerIndex(source, self._plan)
        self._carriers = [carrier.pk for carrier in engine.directory.carriers.values()]
        self._carrier_at = {code.lower(): at for at, code in enumerate(engine.directory.carriers)}
        self._default_trunk = self._carriers.index(source.carrier_id) if source.carrier_id in self._carriers else NONE

    def keyed(
        self, records: Records, repeats: Mapping[bytes, int], named: Flags | None = None
    ) -> tuple[Keyed, list[BadRow]]:
        """Those whose customer is known, and the others. `repeats`: contents of earlier chunks (`occurrence`).

        `named`: records that need no customer, since something else says whose they are.
        """
        frame, customers = self._with_customers(records.frame)
        stranger = frame["customer"].to_numpy() == NONE
        stranger = stranger if named is None else stranger & ~named
        unknown = np.flatnonzero(stranger).tolist()
        bad = [_unknown_customer(frame, row, records.text(row)) for row in unknown]
        frame = frame.with_columns(trunk=self._trunks(frame["carrier"]))
        known = np.flatnonzero(~stranger)
        content = contents(frame)
        # Keys are counted over all rows, so that a customer that is added later shifts no occurrence.
        everything = Keyed(
            Records(frame, records.text), customers, self._carriers, keys(frame, content, repeats), content
        )
        return everything.only(known), bad

    def again(
        self, records: Records, customers: Sequence[UUID], trunks: Sequence[UUID | None], ids: NDArray[np.void]
    ) -> Sorted:
        """Records that are kept already, under their own ids, as they would be sorted now."""
        people = {pk: at for at, pk in enumerate(dict.fromkeys(customers))}
        carriers = {pk: at for at, pk in enumerate(self._carriers)}
        frame = records.frame.with_columns(
            customer=pl.Series([people[pk] for pk in customers], dtype=pl.Int32),
            trunk=pl.Series([carriers.get(pk, NONE) if pk else NONE for pk in trunks], dtype=pl.Int32),
        )
        nameless = [b""] * len(frame)
        keyed = Keyed(Records(frame, records.text), list(people), self._carriers, nameless, nameless)
        numbers = normalise_column(self._plan, frame["callee"].to_list())
        return self._sorted(keyed, numbers, _live(frame), ids)

    def _with_customers(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[UUID]]:
        """The account decides; where it is not known, the number on the house's side or the address."""
        people: dict[UUID, int] = {}

        def place(found: UUID | None) -> int:
            return NONE if found is None else people.setdefault(found, len(people))

        by_account = _mapped(frame["account"], lambda account: place(self._known.by_account(account)))
        frame = frame.with_columns(OURS.alias("ours"), customer=by_account)
        rest = frame["customer"] == NONE
        if rest.any():
            others = frame.filter(rest).select("ours", "src_ip").unique()
            found = [place(self._known.find("", ours, src_ip)) for ours, src_ip in others.iter_rows()]
            others = others.with_columns(other=pl.Series(found, dtype=pl.Int32))
            joined = frame.select("ours", "src_ip").join(
                others, on=["ours", "src_ip"], how="left", nulls_equal=True, maintain_order="left"
            )
            chosen = pl.when(rest).then(joined["other"]).otherwise(pl.col("customer"))
            frame = frame.with_columns(customer=chosen.fill_null(NONE))
        return frame, list(people)

    def _trunks(self, carriers: pl.Series) -> pl.Series:
        default = self._default_trunk
        return _mapped(carriers, lambda code: self._carrier_at.get(code.lower(), default) if code else default)

    def sort(self, keyed: Keyed) -> tuple[Sorted, list[BadRow]]:
        """What becomes of the records: priced where they are to be."""
        numbers = normalise_column(self._plan, keyed.records.frame["callee"].to_list())
        live = _live(keyed.records.frame)
        bad = [_bad_number(keyed, row, numbers.bad[row]) for row in sorted(numbers.bad) if live[row]]
        if bad:
            dropped = [row for row in numbers.bad if live[row]]
            rows = np.delete(np.arange(len(keyed)), dropped)
            keyed, numbers, live = keyed.only(rows), _numbers_of(numbers, rows), live[rows]
        return self._sorted(keyed, numbers, live, new_ids(keyed.column("started_us"))), bad

    def _sorted(self, keyed: Keyed, numbers: NumberColumns, live: Flags, ids: NDArray[np.void]) -> Sorted:
        classes = numbers.service_class
        internal = (classes == ON_NET) & ~numbers.is_e164
        outgoing = (keyed.records.frame["direction"] == OUT).to_numpy()
        charged = live & (classes != EMERGENCY) & ~internal
        rows = np.flatnonzero(charged | (outgoing & ~live & numbers.is_e164))
        priced = price_calls(self._engine, _call_columns(keyed, numbers, rows))
        status = np.full(len(keyed), FREE, dtype=np.int8)
        status[rows[priced.charged & charged[rows]]] = RATED
        reasons = {int(rows[at]): why.reason for at, why in priced.unpriced.items() if charged[rows[at]]}
        status[list(reasons)] = UNRATED
        return Sorted(
            keyed=keyed,
            ids=ids,
            number=_number_texts(keyed.records.frame["callee"], numbers),
            service_class=classes,
            status=status,
            counted=outgoing & ~internal,
            reasons=reasons,
            priced=priced,
            priced_rows=rows,
        )


def _live(frame: pl.DataFrame) -> Flags:
    """Going out, answered, and longer than nothing."""
    return ((frame["direction"] == OUT) & frame["answered"] & (frame["duration_s"] > 0)).to_numpy()


def _mapped(values: pl.Series, place: Callable[[str], int]) -> pl.Series:
    """A column of indexes, asked for once for each different text."""
    if values.is_empty():
        return pl.Series(values.name, dtype=pl.Int32)
    known = values.unique()
    return values.replace_strict(known, pl.Series([place(one) for one in known], dtype=pl.Int32), return_dtype=pl.Int32)


def _call_columns(keyed: Keyed, numbers: NumberColumns, rows: NDArray[np.intp]) -> CallColumns:
    """For pricing, which wants seconds: calls that had none are only asked where they would have gone."""
    frame = keyed.records.frame[rows]
    answered = frame.select(pl.col("answered_us").fill_null(pl.col("started_us"))).to_series()
    return CallColumns(
        customers=keyed.customers,
        customer=frame["customer"].to_numpy(),
        number=numbers.e164[rows],
        is_e164=numbers.is_e164[rows],
        service_class=numbers.service_class[rows],
        abroad=numbers.abroad[rows],
        answered_us=answered.to_numpy(),
        duration_s=frame["duration_s"].clip(1).to_numpy(),
        carriers=keyed.carriers,
        trunk=frame["trunk"].to_numpy(),
    )


def _numbers_of(numbers: NumberColumns, rows: NDArray[np.intp]) -> NumberColumns:
    """These rows alone."""
    place = {row: at for at, row in enumerate(rows.tolist())}
    return NumberColumns(
        numbers.e164[rows],
        numbers.is_e164[rows],
        numbers.service_class[rows],
        numbers.abroad[rows],
        {place[row]: bad for row, bad in numbers.bad.items() if row in place},
    )


def _number_texts(callees: pl.Series, numbers: NumberColumns) -> list[str]:
    """The number as it was understood, else as it was dialled."""
    found = [digits.decode() for digits in numbers.e164.tolist()]
    for row in numbers.bad:
        found[row] = callees[row]
    return found


def _unknown_customer(frame: pl.DataFrame, row: int, text: str) -> BadRow:
    line, account, ours, src_ip = frame.select("line", "account", "ours", "src_ip").row(row)
    reason = _("No customer is known as %s.") % (account or ours or src_ip or "-")
    return bad_row(line, text, "account", "unknown_customer", reason)


def _bad_number(keyed: Keyed, row: int, bad: BadNumber) -> BadRow:
    return bad_row(keyed.records.frame["line"][row], keyed.records.text(row), "to", bad.code, bad.reason)
