"""The benchmarks: each measures something of Tollgate as a ratio against a yardstick taken in the same run.

A machine's speed drifts by the hour, a ratio against work of the same kind on the same machine holds. One module a
benchmark, found by itself: a function with `@benchmark("name")` that takes the number of calls asked for (None: its
own choice) and gives one or more measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pkgutil import iter_modules

Run = Callable[[int | None], "Measurement | Iterable[Measurement]"]
REGISTRY: dict[str, Run] = {}


@dataclass(frozen=True)
class Measurement:
    """One figure. `value` and `yardstick` are in `unit`; `goal` is the ratio to reach, or to stay under (`at_most`).

    `note` says in words what was compared with what.
    """

    name: str
    value: float
    unit: str
    yardstick: float
    goal: float
    note: str = field(default="", compare=False)
    at_most: bool = False

    @property
    def ratio(self) -> float:
        return self.value / self.yardstick

    @property
    def met(self) -> bool:
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal

    def as_json(self) -> dict[str, str | float | bool]:
        figures = asdict(self)
        del figures["note"], figures["at_most"]
        return figures | {"ratio": round(self.ratio, 4), "met": self.met}


def benchmark(name: str) -> Callable[[Run], Run]:
    """Registers a benchmark under the name by which `./bench NAME` finds it."""

    def register(function: Run) -> Run:
        REGISTRY[name] = function
        return function

    return register


def load_all() -> dict[str, Run]:
    """Imports every module of this package and gives the benchmarks by name."""
    for module in iter_modules(__path__, f"{__name__}."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return dict(sorted(REGISTRY.items()))
