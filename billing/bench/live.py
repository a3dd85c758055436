"""`./bench live`: live calls asked for and ended, in PostgreSQL and by HTTP, each beside a yardstick taken in turns.

What is compared takes turns with its yardstick, five times, and the medians count: a machine that is busy with
something else is so for both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from billing.bench import Measurement, benchmark
from billing.bench.live_sql import CLIENTS, make_yardstick, operations_per_s, updates_per_s, write_scripts
from billing.bench.live_web import Web, served
from billing.bench.live_world import CUSTOMERS, DEALERS, stage
from rating.live.switches import switch_of
from rating.pricing import Engine

ROUNDS = 5
SQL_S, WEB_S = 3, 2.0
HOT_DEALER = 7
GOAL_OF_UPDATE, GOAL_OF_RANDOM, GOAL_OF_VIEW, MOST_TIMES_P99 = 0.4, 0.3, 0.2, 8.0


@benchmark("live")
def live(_count: int | None) -> Iterator[Measurement]:
    """Five figures: the server's operations against updates and on one dealer, the web's rate and slowest answers."""
    key = stage()
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as name:
        yield from _in_postgres(key, Path(name))
        with served(key, Path(name)) as web:
            yield from _by_http(web)


def _in_postgres(key: str, folder: Path) -> Iterator[Measurement]:
    switch, engine = switch_of(key), Engine()
    assert switch is not None
    make_yardstick()
    anywhere = write_scripts(folder, "any", switch, engine)
    one_dealer = write_scripts(folder, "one", switch, engine, HOT_DEALER)
    rounds = [
        (updates_per_s(folder, SQL_S), operations_per_s(anywhere, SQL_S), operations_per_s(one_dealer, SQL_S))
        for _round in range(ROUNDS)
    ]
    update, spread, hot = (median(one) for one in zip(*rounds, strict=True))
    world = f"{CLIENTS} connections, {DEALERS} dealers with {CUSTOMERS} customers each"
    note = f"calls asked for and settled, {world}, against a durable update of one row of 10,000"
    yield Measurement("live", spread, "operations/s", update, GOAL_OF_UPDATE, note)
    note = "the same, all customers of one dealer, against random dealers"
    yield Measurement("live-one-dealer", hot, "operations/s", spread, GOAL_OF_RANDOM, note)


def _by_http(web: Web) -> Iterator[Measurement]:
    rounds = [
        (web.load(web.view, WEB_S), web.load(web.call, WEB_S), web.load(web.knock, WEB_S / 2))
        for _round in range(ROUNDS)
    ]
    view, call, knock = (median(load.per_s for load in one) for one in zip(*rounds, strict=True))
    slow_view, slow_call, _slow = (median(load.p99_ms for load in one) for one in zip(*rounds, strict=True))
    note = f"calls asked for by HTTP, against a view that does nothing (a knock answered without a look: {knock:,.0f})"
    yield Measurement("live-http", call, "calls/s", view, GOAL_OF_VIEW, note)
    note = "99 of 100 answers came within, against those of the view that does nothing"
    yield Measurement("live-http-p99", slow_call, "ms", slow_view, MOST_TIMES_P99, note, at_most=True)
