"""`./bench [NAME] [--json]`: runs the benchmarks and prints ratios, in an empty database of their own."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator

import django

from billing.bench import Measurement, load_all


def measure(names: Iterable[str], calls: int | None) -> Iterator[Measurement]:
    benchmarks = load_all()
    for name in names:
        found = benchmarks[name](calls)
        yield from [found] if isinstance(found, Measurement) else found


def line(done: Measurement) -> str:
    verdict = "met" if done.met else "not met"
    figures = f"{done.value:,.0f} {done.unit}, yardstick {done.yardstick:,.0f}: ratio {done.ratio:.2f}"
    goal = f"at most {done.goal:.2f}" if done.at_most else f"{done.goal:.2f}"
    return f"{done.name:24} {figures} (goal {goal}, {verdict})" + (f"\n{'':24} {done.note}" if done.note else "")


def load_line() -> str:
    """How busy the machine is: absolute rates are worth what this says."""
    return f"{'':24} load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def main() -> int:
    parser = argparse.ArgumentParser(prog="./bench", description="Ratios against a yardstick measured in the same run.")
    parser.add_argument("name", nargs="?", help="one benchmark; all where absent")
    parser.add_argument("--calls", type=int, help="how many calls to measure with, e.g. 1000000")
    parser.add_argument("--json", action="store_true", help="one JSON list on stdout")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # Workers and files of a benchmark go with it.
    django.setup()
    names = list(load_all())
    if options.name and options.name not in names:
        sys.stderr.write(f"./bench: there is no benchmark {options.name!r}; there are: {', '.join(names)}\n")
        return 2
    results = []
    for done in measure([options.name] if options.name else names, options.calls):
        results.append(done)
        if not options.json:
            sys.stdout.write(f"{line(done)}\n{load_line()}\n")
            sys.stdout.flush()
    if options.json:
        sys.stdout.write(json.dumps([done.as_json() for done in results]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
