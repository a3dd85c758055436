"""Facts are written with the calls they roll up, in the same transaction, and folded together later.

Writers insert and never touch a row that is there: two imports never wait for each other, and what one rolls back
leaves no trace. Folding merges the rows of a key into one; a reader sees them before or after, never in between.
"""

from __future__ import annotations

import io

import polars as pl
from django.db import connection, transaction

from rating.models import Grain

LOCK = 7204003
"""Advisory lock of whoever folds or rebuilds; writers do not take it."""
FOLDED_AT_ONCE = 20_000

KEY = ("hour", "seller", "buyer", "carrier", "service_class", "destination", "currency", "cost_currency")
COUNTS = ("attempts", "answered", "charged", "duration_s", "billed_s")
MONEY = ("sale", "tax", "cost")
COLUMNS = (
    "hour, seller_id, buyer_id, carrier_id, service_class, destination, currency, cost_currency,"
    " attempts, answered, charged, duration_s, billed_s, sale_micro, tax_micro, cost_micro"
)
FOLDED_KEY = "hour, buyer_id, destination, service_class, carrier_id, currency, cost_currency"
_NAMES = COLUMNS.split(", ")
KEY_COLUMNS, SUMS = _NAMES[: len(KEY)], _NAMES[len(KEY) :]


def write_facts(frame: pl.DataFrame) -> None:
    """Insert facts in the caller's transaction; any number of rows per key, summed here. Nobody is waited for.

    Columns: `hour` (Datetime UTC, the call's start cut to the hour), `seller`, `buyer`, `carrier` (uuid as text;
    carrier may be null), `service_class`, `destination`, `currency`, `cost_currency` (null: no cost is known),
    `attempts`, `answered`, `charged` (Int64), `duration_s`, `billed_s` (seconds of the charged calls), `sale`, `tax`,
    `cost` (Int64, millionths). Each call is one row for each seller in its chain, as its rated calls are; one that
    was answered and charged nothing (free) has `answered` and no seconds; one nobody answered only `attempts`, with
    the destination and currency it would have had. An unrated call has no facts until it is charged. What is taken
    back or corrected is written as the difference, which may be negative.
    """
    summed = frame.group_by(KEY).agg(pl.col(*COUNTS, *MONEY).sum())
    summed = summed.filter(pl.any_horizontal(pl.col(*COUNTS, *MONEY) != 0))
    if summed.is_empty():
        return
    lines = io.BytesIO()
    summed.select(*KEY, *COUNTS, *MONEY).write_csv(
        lines,
        include_header=False,
        datetime_format="%Y-%m-%dT%H:%M:%S+00:00",
        null_value="",
        quote_style="non_numeric",
    )
    lines.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY rating_fact ({COLUMNS}) FROM STDIN WITH (FORMAT csv)", lines)


def _into(grain: str, **rolled: str) -> str:
    """The insert of the loose rows, summed up to one grain; `rolled`: what a column of the key becomes there."""
    keys = [rolled.get(name, name) for name in KEY_COLUMNS]
    sums = [f"sum({name})::bigint" for name in SUMS]
    return f"""
    INSERT INTO rating_fact (grain, {COLUMNS}) SELECT '{grain}', {", ".join([*keys, *sums])} FROM loose
    GROUP BY {", ".join(str(at) for at in range(2, 2 + len(keys)))}
    ON CONFLICT (seller_id, grain, {FOLDED_KEY}) WHERE NOT grain = 'loose'
    DO UPDATE SET {", ".join(f"{name} = rating_fact.{name} + excluded.{name}" for name in SUMS)}"""


FOLD = f"""
WITH loose AS (
    DELETE FROM rating_fact
    WHERE ctid = ANY(ARRAY(SELECT ctid FROM rating_fact WHERE grain = 'loose' ORDER BY id LIMIT %s))
    RETURNING {COLUMNS}
), hours AS ({_into(Grain.HOUR)}
), days AS ({_into(Grain.DAY, hour="date_trunc('day', hour, 'UTC')")}
), clock AS ({_into(Grain.CLOCK, buyer_id="seller_id", destination="''")}
)
SELECT count(*) FROM loose
"""


def fold() -> int:
    """Merge loose rows into the one row of their key in each grain, in batches; how many were merged.

    A batch is one statement: it takes away the loose rows that it sees and adds them to the folded ones. Rows that
    come meanwhile stay loose until the next time. Any number may run it.
    """
    total = 0
    while (merged := _fold_batch()) > 0:
        total += merged
    return total


def _fold_batch() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(FOLD, [FOLDED_AT_ONCE])
        return int(cursor.fetchone()[0])
