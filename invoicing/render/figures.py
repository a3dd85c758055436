"""The sums of page one: at most eight lines that add up on paper, from lines that are exact.

A bill's net is the exact sum of its lines, its total is rounded once. So a line rounded by itself could
leave the column a cent off; here the cents are dealt out by largest remainder, and the printed column adds
up to the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from invoicing.render.context import (
    CALLS,
    CHARGE,
    INVOICE,
    LINE_KINDS,
    RENTAL,
    STATEMENT,
    InvoiceContext,
    SummaryLine,
)

MAX_ROWS = 8
LEAST_LINES = 3  # rental, calls, the rest: what is left when everything that can be is summed up


@dataclass(frozen=True, slots=True)
class Line:
    """A summary line, or several of one kind summed up (`merged` of them)."""

    source: SummaryLine
    merged: int = 1


def apportion(values: Sequence[Decimal], target: Decimal, unit: Decimal) -> list[Decimal]:
    """The values rounded to `unit` so that they add up to `target`, by largest remainder; order kept."""
    if not values:
        return []
    floors = [(value / unit).to_integral_value(ROUND_FLOOR) for value in values]
    missing = int((target / unit).to_integral_value() - sum(floors))
    order = sorted(range(len(values)), key=lambda i: floors[i] - values[i] / unit)  # largest remainder first
    if missing < 0:
        order.reverse()
    step = 1 if missing > 0 else -1
    for turn in range(abs(missing)):
        floors[order[turn % len(order)]] += step
    return [floor * unit for floor in floors]


def paper_lines(context: InvoiceContext, budget: int) -> list[Line]:
    """The lines in reading order, small ones of a kind summed up until at most `budget` are left."""
    lines = [Line(line) for kind in LINE_KINDS for line in context.lines if line.kind == kind]
    budget = max(budget, LEAST_LINES)
    while len(lines) > budget:
        kind = max(LINE_KINDS, key=lambda k: sum(line.source.kind == k for line in lines))
        same = [line for line in lines if line.source.kind == kind]
        if len(same) < 2:
            return _merge_minor_kinds(lines)
        lines = _merge(lines, _pair(same), kind)
    return lines


def _pair(same: Sequence[Line]) -> list[Line]:
    """The two smallest of one carrier, so that each carrier keeps its part as long as there is room for it."""
    parts: dict[str, list[Line]] = {}
    for line in sorted(same, key=_smallest_first):
        parts.setdefault(line.source.carrier, []).append(line)
    pairs = [part[:2] for part in parts.values() if len(part) > 1] or [sorted(same, key=_smallest_first)[:2]]
    return min(pairs, key=lambda pair: sum((abs(line.source.net) for line in pair), Decimal(0)))


def _merge(lines: list[Line], pair: Sequence[Line], kind: str) -> list[Line]:
    """`pair` as one line, at the end of its kind."""
    sources = [line.source for line in pair]
    counted = len({source.unit for source in sources}) == 1
    source = SummaryLine(
        label="",
        kind=kind,
        net=sum((s.net for s in sources), Decimal(0)),
        quantity=sum((s.quantity for s in sources), Decimal(0)) if counted else Decimal(1),
        unit=sources[0].unit if counted else "",
        duration_s=sum(s.duration_s for s in sources),
        carrier=sources[0].carrier if len({s.carrier for s in sources}) == 1 else "",
    )
    merged = Line(source, sum(line.merged for line in pair))
    kept = [line for line in lines if not any(line is one for one in pair)]
    at = max((i + 1 for i, line in enumerate(kept) if _rank(line) <= LINE_KINDS.index(kind)), default=0)
    return [*kept[:at], merged, *kept[at:]]


def _smallest_first(line: Line) -> tuple[bool, Decimal]:
    """What was summed up already comes first, so that a kind has one such line only."""
    return line.merged == 1, abs(line.source.net)


def _rank(line: Line) -> int:
    return LINE_KINDS.index(line.source.kind)


def _merge_minor_kinds(lines: list[Line]) -> list[Line]:
    minor = [line for line in lines if line.source.kind not in (RENTAL, CALLS)]
    return _merge(lines, minor, CHARGE) if len(minor) > 1 else lines


def carried(context: InvoiceContext) -> bool:
    """Whether something from before this bill stands on it: then the column starts with a balance."""
    return bool(context.opening_balance or context.payments or context.adjustments)


def open_elsewhere(context: InvoiceContext) -> Decimal:
    """What the closing balance owes beyond this bill: it is open on earlier invoices, and due there."""
    if context.kind != INVOICE:
        return Decimal(0)
    return max(Decimal(0), -context.closing_balance - context.due)


def line_budget(context: InvoiceContext) -> int:
    """How many lines are left of the eight, after balance, payments, taxes, the total and the amount due."""
    balances = 2 + bool(context.adjustments)
    if context.kind == STATEMENT:
        return MAX_ROWS - balances - len(context.tax_lines) - 1
    if context.kind == INVOICE and carried(context):
        return MAX_ROWS - balances - len(context.tax_lines) - 2 - bool(open_elsewhere(context))
    return MAX_ROWS - len(context.tax_lines) - 1


def unit_of(context: InvoiceContext) -> Decimal:
    """The smallest amount that the currency prints."""
    return Decimal(1).scaleb(-context.decimals)


def printed_bases(context: InvoiceContext) -> list[Decimal]:
    """What each tax was reckoned on, as printed; adds up to the printed net where all of it was taxed."""
    bases = [tax.base for tax in context.tax_lines]
    unit = unit_of(context)
    if abs(sum(bases, Decimal(0)) - context.net) < unit:
        return apportion(bases, context.paper_net, unit)
    return [(base / unit).to_integral_value() * unit for base in bases]
