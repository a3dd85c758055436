"""The proof of rated calls: each follows from its frozen terms, every tier is charged, and a transfer is worth exactly
the calls, or the corrections of calls, that name it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from django.db import connection, transaction

from accounts.books import Violation, violations_of
from accounts.figures import plain
from rating.kernel import Rate, RateError, price

# What each rated call is worth now: as its newest correction says, else as it was charged.
NOW = """
    (SELECT c.id, c.record_id, c.seller_id, c.buyer_id, c.currency, c.started_at,
        COALESCE(k.duration_s, c.duration_s) AS duration_s,
        COALESCE(k.billed_s, c.billed_s) AS billed_s, COALESCE(k.sale, c.sale) AS sale, COALESCE(k.tax, c.tax) AS tax,
        CASE WHEN k.id IS NULL THEN c.cost ELSE k.cost END AS cost,
        CASE WHEN k.id IS NULL THEN c.cost_currency ELSE k.cost_currency END AS cost_currency,
        CASE WHEN k.id IS NULL THEN c.carrier_id ELSE k.carrier_id END AS carrier_id,
        COALESCE(k.service_class, c.service_class) AS service_class,
        COALESCE(k.destination, c.destination) AS destination
    FROM rating_ratedcall c LEFT JOIN (
        SELECT DISTINCT ON (rated_call_id) * FROM rating_ratedcorrection ORDER BY rated_call_id, number DESC
    ) k ON k.rated_call_id = c.id WHERE k.withdrawn IS NOT TRUE)"""
FACTS = f"""
    SELECT COALESCE(c.seller_id, f.seller_id), COALESCE(c.currency, f.currency),
        to_char(COALESCE(c.month, f.month), 'YYYY-MM') || ' ' || array_to_string(COALESCE(c.sums, '{{0}}'), ' '),
        to_char(COALESCE(c.month, f.month), 'YYYY-MM') || ' ' || array_to_string(COALESCE(f.sums, '{{0}}'), ' ')
    FROM (SELECT date_trunc('month', started_at, 'UTC') AS month, seller_id, currency::text,
            COALESCE(cost_currency, '')::text AS costs, ARRAY[count(*), sum(duration_s), sum(billed_s),
            sum(sale) * 1000000, sum(tax) * 1000000, COALESCE(sum(cost), 0) * 1000000]::bigint[] AS sums
        FROM {NOW} n GROUP BY 1, 2, 3, 4) c
    FULL JOIN (SELECT date_trunc('month', hour, 'UTC') AS month, seller_id, currency::text,
            COALESCE(cost_currency, '')::text AS costs, ARRAY[sum(charged), sum(duration_s), sum(billed_s),
            sum(sale_micro), sum(tax_micro), sum(cost_micro)]::bigint[] AS sums
        FROM rating_fact WHERE grain IN ('loose', 'hour') GROUP BY 1, 2, 3, 4) f
    ON f.month = c.month AND f.seller_id = c.seller_id AND f.currency = c.currency AND f.costs = c.costs
    WHERE COALESCE(c.sums, '{{0,0,0,0,0,0}}') <> COALESCE(f.sums, '{{0,0,0,0,0,0}}')
"""
"""What the rated calls of a month, seller and pair of currencies come to, and what was rolled up of them: calls,
seconds, seconds billed, sale, tax and cost in millionths."""

FACT_GRAINS = """
    SELECT seller_id, currency::text, array_to_string(min(sums), ' '),
        string_agg(grain || ' ' || array_to_string(sums, ' '), '; ' ORDER BY grain)
    FROM (SELECT date_trunc('month', hour, 'UTC') AS month, seller_id, currency, cost_currency, grain,
            ARRAY[sum(attempts), sum(answered), sum(charged), sum(duration_s), sum(billed_s), sum(sale_micro),
            sum(tax_micro), sum(cost_micro)] AS sums
        FROM rating_fact WHERE grain <> 'loose' GROUP BY 1, 2, 3, 4, 5) grains
    GROUP BY month, seller_id, currency, cost_currency HAVING count(DISTINCT sums) > 1 OR count(*) <> 3
"""
"""The same facts by the hour, the day and the clock come to the same."""

COST_MOVED = "abs(COALESCE(cost, 0) - CASE WHEN cost_back_transfer_id IS NULL THEN COALESCE(cost_before, 0) ELSE 0 END)"


def worth(kind: str, charged: str, moved: dict[str, str]) -> str:
    """Transfers of a kind against what they are worth: calls that name them, and the differences of corrections."""
    column = f"{'' if kind == 'usage' else 'tax_' if kind == 'usage_tax' else 'cost_'}transfer_id"
    parts = [f"SELECT {column} AS transfer_id, {charged} AS worth FROM rating_ratedcall"]
    parts += [f"SELECT {name}, {amount} FROM rating_ratedcorrection" for name, amount in moved.items()]
    return f"""
        SELECT COALESCE(t.id, c.transfer_id), t.currency, COALESCE(c.total, 0), COALESCE(t.amount, 0)
        FROM (SELECT * FROM accounts_transfer WHERE kind = '{kind}') t
        FULL JOIN (SELECT transfer_id, sum(worth) AS total FROM ({" UNION ALL ".join(parts)}) x
            WHERE transfer_id IS NOT NULL GROUP BY transfer_id) c ON c.transfer_id = t.id
        WHERE COALESCE(c.total, 0) <> COALESCE(t.amount, 0)"""


LAWS: dict[str, str] = {
    "usage_transfer": worth("usage", "sale", {"transfer_id": "abs(sale - sale_before)"}),
    "usage_tax_transfer": worth("usage_tax", "tax", {"tax_transfer_id": "abs(tax - tax_before)"}),
    "carrier_transfer": worth(
        "carrier_cost", "cost", {"cost_transfer_id": COST_MOVED, "cost_back_transfer_id": "cost_before"}
    ),
    "call_without_charge": """
        SELECT id, currency, 'a transfer for ' || sale || ' and tax ' || tax, 'none' FROM rating_ratedcall
        WHERE (sale > 0 AND transfer_id IS NULL) OR (tax > 0 AND tax_transfer_id IS NULL)""",
    "call_wallet": """
        SELECT c.id, c.currency, 'a wallet of its buyer in ' || c.currency, a.kind || ' in ' || t.currency
        FROM rating_ratedcall c JOIN accounts_transfer t ON t.id = c.transfer_id
        JOIN accounts_account a ON a.id = t.payer_id JOIN accounts_account p ON p.id = t.payee_id
        WHERE a.owner_id <> c.buyer_id OR p.owner_id <> c.seller_id OR t.currency <> c.currency
            OR a.kind <> 'wallet'""",
    "call_tier_missing": f"""
        WITH now AS {NOW}
        SELECT c.id, NULL, 'a charge of ' || s.code || ' by its own seller', 'none'
        FROM now c JOIN tiers_party s ON s.id = c.seller_id
        WHERE s.kind <> 'operator' AND NOT EXISTS (
            SELECT 1 FROM now u WHERE u.record_id = c.record_id AND u.buyer_id = c.seller_id)""",
    "record_status": f"""
        SELECT r.id, NULL, CASE WHEN r.status = 'rated' THEN 'one call charged to its customer' ELSE 'none' END,
            count(c.id)::text
        FROM rating_usagerecord r LEFT JOIN {NOW} c ON c.record_id = r.id AND c.buyer_id = r.customer_id
        GROUP BY r.id, r.status
        HAVING count(c.id) <> CASE WHEN r.status = 'rated' THEN 1 ELSE 0 END""",
    "call_cost": f"""
        WITH now AS {NOW}
        SELECT c.id, c.cost_currency, u.sale, c.cost FROM now c
        JOIN now u ON u.record_id = c.record_id AND u.buyer_id = c.seller_id
        WHERE c.cost IS DISTINCT FROM u.sale""",
    "correction_before": """
        SELECT k.id, k.currency, 'what stood before, ' || COALESCE(p.sale, c.sale, 0), k.sale_before
        FROM rating_ratedcorrection k LEFT JOIN rating_ratedcall c ON c.id = k.rated_call_id
        LEFT JOIN rating_ratedcorrection p ON p.rated_call_id = k.rated_call_id AND p.number = k.number - 1
        WHERE c.id IS NULL OR (k.number > 1 AND p.id IS NULL)
            OR (k.record_id, k.seller_id, k.buyer_id, k.currency)
                IS DISTINCT FROM (c.record_id, c.seller_id, c.buyer_id, c.currency::varchar)
            OR (k.sale_before, k.tax_before, k.billed_s_before, k.cost_before, k.withdrawn_before)
                IS DISTINCT FROM (COALESCE(p.sale, c.sale), COALESCE(p.tax, c.tax), COALESCE(p.billed_s, c.billed_s),
                    CASE WHEN p.id IS NULL THEN c.cost ELSE p.cost END, COALESCE(p.withdrawn, false))""",
    "correction_transfer": """
        SELECT k.id, k.currency, CASE WHEN k.more > 0 THEN 'the buyer pays' ELSE 'the seller pays back' END,
            COALESCE(p.kind || ' to ' || q.kind, 'no transfer')
        FROM (SELECT id, seller_id, buyer_id, currency, sale - sale_before AS more, transfer_id
                FROM rating_ratedcorrection
            UNION ALL SELECT id, seller_id, buyer_id, currency, tax - tax_before, tax_transfer_id
                FROM rating_ratedcorrection) k
        LEFT JOIN accounts_transfer t ON t.id = k.transfer_id
        LEFT JOIN accounts_account p ON p.id = t.payer_id LEFT JOIN accounts_account q ON q.id = t.payee_id
        WHERE k.more <> 0 AND (CASE WHEN k.more > 0 THEN (p.owner_id, q.owner_id) ELSE (q.owner_id, p.owner_id) END)
            IS DISTINCT FROM (k.buyer_id, k.seller_id)""",
    "correction_original": """
        SELECT k.id, k.currency, COALESCE(k.first, 'none'), COALESCE(t.reverses_id::text, 'none')
        FROM (SELECT k.id, k.currency, k.transfer_id, NULLIF(COALESCE(c.transfer_id, first_value(k.transfer_id) OVER (
                PARTITION BY k.rated_call_id ORDER BY k.transfer_id IS NULL, k.number)), k.transfer_id)::text AS first
            FROM rating_ratedcorrection k JOIN rating_ratedcall c ON c.id = k.rated_call_id) k
        JOIN accounts_transfer t ON t.id = k.transfer_id
        WHERE t.reverses_id::text IS DISTINCT FROM k.first""",
    "chunk_counts": """
        SELECT k.id, NULL, k.read, k.rated + k.unrated + k.free + k.duplicate + k.quarantined + k.waiting + k.joined
            + k.reconciled
        FROM rating_usagechunk k WHERE k.read <> k.rated + k.unrated + k.free + k.duplicate + k.quarantined
            + k.waiting + k.joined + k.reconciled""",
    "halves_waiting": """
        SELECT k.id, NULL, COALESCE(h.kept, 0), k.waiting FROM rating_usagechunk k
        LEFT JOIN (SELECT chunk_id, count(*) AS kept FROM rating_half WHERE NOT joined AND side <> ''
            GROUP BY chunk_id) h ON h.chunk_id = k.id
        WHERE k.waiting <> COALESCE(h.kept, 0)""",
    "import_records": """
        SELECT i.id, NULL, k.kept, r.kept FROM rating_usageimport i
        JOIN (SELECT usage_import_id, sum(rated + unrated + free) AS kept FROM rating_usagechunk
            GROUP BY usage_import_id) k ON k.usage_import_id = i.id
        LEFT JOIN (SELECT import_id, count(*) AS kept FROM rating_usagerecord GROUP BY import_id) r
            ON r.import_id = i.id
        WHERE k.kept <> COALESCE(r.kept, 0)""",
    "import_reconciled": """
        SELECT i.id, NULL, k.told, COALESCE(r.told, 0) FROM rating_usageimport i
        JOIN (SELECT usage_import_id, sum(reconciled) AS told FROM rating_usagechunk GROUP BY usage_import_id) k
            ON k.usage_import_id = i.id
        LEFT JOIN (SELECT usage_import_id, count(*) AS told FROM rating_reconciled GROUP BY usage_import_id) r
            ON r.usage_import_id = i.id
        WHERE k.told <> COALESCE(r.told, 0)""",
    "live_and_file": """
        SELECT r.id, NULL, 'charged once, as the live call ' || l.id, 'charged by its file too'
        FROM rating_livecall l
        JOIN rating_usagerecord r ON r.source_id = l.source_id AND r.call_id = l.call_id
        WHERE l.status <> 'refused' AND r.import_id IS NOT NULL AND r.status = 'rated'""",
    "live_record": """
        SELECT l.id, NULL, l.status || ', ' || l.duration_s || ' s and ' || l.overrun_s || ' s beyond',
            concat_ws(' ', r.status, r.duration_s, r.overrun_s)
        FROM rating_livecall l LEFT JOIN rating_usagerecord r ON r.id = l.record_id
        WHERE (l.record_id IS NOT NULL AND (r.duration_s, r.overrun_s)
                IS DISTINCT FROM (l.duration_s + l.overrun_s, l.overrun_s))
            OR (l.status IN ('ended', 'failed', 'reaped') AND r.id IS NULL)""",
    "facts": FACTS,
    "fact_grains": FACT_GRAINS,
    "fact_counts": """
        SELECT seller_id, NULL, 'attempts, of them answered, of them charged',
            concat_ws(', ', sum(attempts), sum(answered), sum(charged))
        FROM rating_fact WHERE grain IN ('loose', 'hour') GROUP BY date_trunc('month', hour, 'UTC'), seller_id
        HAVING sum(attempts) < sum(answered) OR sum(answered) < sum(charged)""",
}

PRICED = """
    SELECT c.id, c.terms_id, c.duration_s, c.answered_at, c.billed_s, c.sale, c.tax, c.currency, t.body
    FROM rating_ratedcall c LEFT JOIN rating_rateterms t ON t.id = c.terms_id
    UNION ALL
    SELECT k.id, k.terms_id, COALESCE(k.duration_s, c.duration_s), c.answered_at, k.billed_s, k.sale, k.tax,
        k.currency, t.body
    FROM rating_ratedcorrection k JOIN rating_ratedcall c ON c.id = k.rated_call_id
    LEFT JOIN rating_rateterms t ON t.id = k.terms_id WHERE NOT k.withdrawn
"""
FETCHED = 20_000


def violations() -> Iterator[Violation]:
    """Every figure of this app that its rows do not bear out."""
    for law, query in LAWS.items():
        yield from violations_of(law, query)
    yield from prices()


def prices() -> Iterator[Violation]:
    """Price each rated call and correction again from its frozen terms; streamed, so memory stays flat."""
    rates: dict[int, Rate | None] = {}
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.cursor.itersize = FETCHED
        cursor.execute(PRICED)
        for pk, terms_id, duration_s, answered_at, billed_s, sale, tax, currency, body in cursor:
            if terms_id not in rates:
                rates[terms_id] = _rate(body)
            rate = rates[terms_id]
            if rate is None:
                yield Violation("call_terms", str(pk), currency, "terms that can be read", f"terms {terms_id}")
                continue
            charge = price(rate, duration_s, answered_at)
            if charge.billed_s != billed_s or charge.amount not in (sale, sale + tax):
                yield Violation("call_price", str(pk), currency, _shown(charge.amount), _shown(sale))


def _rate(body: str | None) -> Rate | None:
    try:
        if body is None:
            return None
        return Rate.from_json(json.loads(body, parse_float=Decimal)["rate"])
    except (RateError, KeyError, TypeError, ValueError):
        return None


def _shown(amount: Decimal) -> str:
    return plain(amount, 2)
