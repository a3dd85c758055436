"""Carriers side by side, on the operator's and the dealers' portal: a page, and the same as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.own.calls import increments
from billing.portals.own.rates import _Echo, _text
from billing.portals.shown import shown
from rating.pricing.current import current_engine
from rating.selectors.compare import CompareRow, Side, compared, every_row

MOST_CELLS = 4


class CompareForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Destination or code"), required=False, max_length=60)
    what = forms.ChoiceField(label=gettext_lazy("Prices"), required=False)
    on = forms.DateField(label=gettext_lazy("As on"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["what"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)


@dataclass(frozen=True)
class Asked:
    """What the page was asked for, with usable values whatever was typed."""

    text: str
    what: str
    at: datetime


class ComparePage:
    """Mix-in beside a portal's view: it says what can be compared (`choices`) and finds the sides of a choice."""

    template_name = "own/compare.html"
    as_file = False
    request: HttpRequest
    page: Any
    kind: Any
    tabs: Any

    def choices(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    def sides(self, what: str, at: datetime) -> tuple[list[Side], str]:
        """The carriers, and the currency that the prices are in."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        form = CompareForm(request.GET, choices=self.choices())
        asked = self._asked(form)
        sides, base = self.sides(asked.what, asked.at)
        show, engine = shown(request, base, asked.at), current_engine()
        if self.as_file:
            rows = every_row(sides, engine, asked.at, show.currency, asked.text)
            response = StreamingHttpResponse(_csv(rows, sides, show.currency), content_type="text/csv; charset=utf-8")
            response["Content-Disposition"] = 'attachment; filename="carriers.csv"'
            return response
        after, columns = request.GET.get("after", "")[:20], min(MOST_CELLS, len(sides))
        found, following = compared(sides, engine, asked.at, show.currency, text=asked.text, after=after)
        answer: HttpResponseBase = self.page(
            tabs=self.tabs(),
            form=form,
            text=asked.text,
            rows=[_line(row, columns) for row in found],
            ranks=[_rank(at) for at in range(columns)],
            carriers=len(sides),
            following=following,
            after=after,
            shown=show,
            at=asked.at,
            dated=form.is_valid() and form.cleaned_data["on"] is not None,
            query=request.GET.urlencode(),
            csv=reverse(f"{self.kind}:compare_csv"),
        )
        return answer

    def _asked(self, form: CompareForm) -> Asked:
        data = form.cleaned_data if form.is_valid() else {}
        first = form.fields["what"].choices[0][0]  # type: ignore[attr-defined]
        on = data.get("on")
        at = timezone.make_aware(datetime.combine(on, time())) if on else timezone.now()
        return Asked((data.get("q") or "").strip(), data.get("what") or first, at)


def _rank(at: int) -> str:
    return [_("Cheapest"), _("Second"), _("Third"), _("Fourth")][at]


def _line(row: CompareRow, columns: int) -> dict[str, Any]:
    return {
        "row": row,
        "cells": [
            {"cell": cell, "increments": "" if row.counted_alike else increments(*cell.increments)}
            for cell in row.cells[:columns]
        ],
        "counted": increments(*row.cells[0].increments) if row.counted_alike else "",
        "gaps": range(columns - len(row.cells[:columns])),
    }


def _csv(rows: Iterator[CompareRow], sides: Sequence[Side], currency: str) -> Iterator[str]:
    writer = csv.writer(_Echo())
    names = [side.carrier for side in sides]
    heads = ["Prefix", "Destination", f"Cheapest {currency}", "Cheapest Carrier"]
    for name in names:
        heads += [f"{name} {currency}", f"{name} First Interval", f"{name} Next Interval"]
    yield writer.writerow([_text(one) for one in heads])
    for row in rows:
        known = {cell.carrier: cell for cell in row.cells}
        line: list[Any] = [row.prefix, row.destination, row.cells[0].price, row.cells[0].carrier]
        for name in names:
            cell = known.get(name)
            line += [cell.price, cell.increments[0] or cell.increments[1], cell.increments[1]] if cell else ["", "", ""]
        yield writer.writerow([_text(one) for one in line])
