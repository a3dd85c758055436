"""Page two: every charge that page one summed up, and the calls by carrier and destination."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoicing.render import figures, formats, words
from invoicing.render.context import DetailRow, InvoiceContext
from invoicing.render.figures import Line

# Beyond this the small ones are summed up: the calls themselves follow, and laying out a long table is slow.
MAX_DESTINATIONS = 150


@dataclass(frozen=True, slots=True)
class Cells:
    """One row: finished texts. `share` is its part of the largest row, 0 to 100."""

    label: str
    count: str
    duration: str
    amount: str
    share: int = 0


@dataclass(frozen=True, slots=True)
class CarrierTable:
    """The destinations over one carrier, dearest first, and their sum."""

    carrier: str
    rows: tuple[Cells, ...]
    total: Cells


@dataclass(frozen=True, slots=True)
class Details:
    """What page two shows; falsy where there is nothing to show."""

    charges: tuple[Cells, ...]
    carriers: tuple[CarrierTable, ...]
    total: Cells | None
    note: str

    def __bool__(self) -> bool:
        return bool(self.charges or self.carriers)


def build_details(context: InvoiceContext) -> Details:
    """Page two's texts. Call it under the context's language."""
    decimals = max((formats.own_decimals(row.net, context.decimals) for row in context.details), default=0)
    largest = max((abs(row.net) for row in context.details), default=Decimal(0))
    tables = tuple(
        _table(context, carrier, rows, decimals, largest) for carrier, rows in _by_carrier(_bounded(context.details))
    )
    many = len(tables) > 1
    return Details(
        charges=_charges(context),
        carriers=tables,
        total=_sum(context, _("All calls"), context.details, decimals) if many else None,
        note=words.details_note(context) if tables else "",
    )


def _charges(context: InvoiceContext) -> tuple[Cells, ...]:
    """All lines, where page one had to sum some up; exact."""
    if len(figures.paper_lines(context, figures.line_budget(context))) == len(context.lines):
        return ()
    decimals = max(formats.own_decimals(line.net, context.decimals) for line in context.lines)
    lines = (Line(line) for line in context.lines)
    return tuple(
        Cells(
            words.line_label(line),
            words.line_detail(line, context.locale),
            "",
            formats.format_number(line.source.net, context.locale, decimals),
        )
        for line in lines
    )


def _bounded(details: tuple[DetailRow, ...]) -> list[DetailRow]:
    """The dearest rows; what is beyond them summed up per carrier."""
    ranked = sorted(details, key=lambda row: -row.net)
    kept, rest = ranked[:MAX_DESTINATIONS], ranked[MAX_DESTINATIONS:]
    for carrier in sorted({row.carrier for row in rest}):
        rows = [row for row in rest if row.carrier == carrier]
        count = len(rows)
        label = ngettext("%(count)s more destination", "%(count)s more destinations", count) % {"count": count}
        kept.append(_added(rows, carrier, label))
    return kept


def _added(rows: Iterable[DetailRow], carrier: str, label: str) -> DetailRow:
    rows = list(rows)
    return DetailRow(
        carrier=carrier,
        destination=label,
        calls=sum(row.calls for row in rows),
        duration_s=sum(row.duration_s for row in rows),
        net=sum((row.net for row in rows), Decimal(0)),
    )


def _by_carrier(rows: list[DetailRow]) -> list[tuple[str, list[DetailRow]]]:
    ordered = sorted(rows, key=lambda row: row.carrier)  # stable: dearest first within a carrier
    return [(carrier, list(group)) for carrier, group in groupby(ordered, key=lambda row: row.carrier)]


def _table(
    context: InvoiceContext, carrier: str, rows: list[DetailRow], decimals: int, largest: Decimal
) -> CarrierTable:
    name = formats.tidy(carrier, 60)
    cells = tuple(_cells(context, row, decimals, largest) for row in rows)
    title = _("Sum of %(carrier)s") % {"carrier": name} if name else _("Sum")
    return CarrierTable(name, cells, _sum(context, title, rows, decimals))


def _sum(context: InvoiceContext, label: str, rows: Iterable[DetailRow], decimals: int) -> Cells:
    return _cells(context, _added(rows, "", label), decimals, Decimal(0))


def _cells(context: InvoiceContext, row: DetailRow, decimals: int, largest: Decimal) -> Cells:
    return Cells(
        formats.tidy(row.destination, 70),
        formats.format_number(row.calls, context.locale),
        formats.format_duration(row.duration_s),
        formats.format_number(row.net, context.locale, decimals),
        int(abs(row.net) * 100 / largest) if largest else 0,
    )
