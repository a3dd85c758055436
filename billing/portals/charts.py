"""Charts as data: a page's JSON for `static/js/charts.js`, and the same figures as a table one click away.

Words are made here, in the reader's locale; the script draws shapes and knows no language. A float is for pixels only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Series:
    """One line or one set of bars. `words` says each value in full, with its unit."""

    name: str
    values: Sequence[Decimal]
    words: Sequence[str]


@dataclass(frozen=True)
class Chart:
    """What `components/chart.html` shows; `id` is unique on the page."""

    id: str
    title: str
    data: dict[str, Any]
    heads: list[str]
    rows: list[list[str]] = field(default_factory=list)
    tall: bool = False


@dataclass(frozen=True)
class Flow:
    """Money from one party to another: ids, and the amount in words."""

    source: str
    target: str
    amount: Decimal
    words: str


def bars(
    id: str, title: str, labels: Sequence[str], series: Sequence[Series], *, shape: str = "bars", from_zero: bool = True
) -> Chart:
    """Bars side by side, or lines with `shape="line"`, over labels such as months.

    A line of small changes far from zero (an exchange rate) is drawn without it: `from_zero=False`.
    """
    data: dict[str, Any] = {
        "shape": shape,
        "from_zero": from_zero,
        "labels": list(labels),
        "series": [
            {"name": one.name, "values": [float(value) for value in one.values], "words": list(one.words)}
            for one in series
        ],
    }
    rows = [[label, *(one.words[at] for one in series)] for at, label in enumerate(labels)]
    return Chart(id, title, data, ["", *(one.name for one in series)], rows)


def sankey(id: str, title: str, names: dict[str, str], flows: Sequence[Flow], heads: list[str]) -> Chart:
    """Funds down the tiers. `names`: id -> the party's name; `heads`: from, to, amount."""
    used = {flow.source for flow in flows} | {flow.target for flow in flows}
    data = {
        "shape": "sankey",
        "nodes": [{"id": key, "words": name} for key, name in names.items() if key in used],
        "links": [
            {
                "source": flow.source,
                "target": flow.target,
                "value": float(flow.amount),
                "words": f"{names[flow.source]} → {names[flow.target]}: {flow.words}",
            }
            for flow in flows
        ],
    }
    rows = [[names[flow.source], names[flow.target], flow.words] for flow in flows]
    return Chart(id, title, data, heads, rows, tall=len(used) > 12)
