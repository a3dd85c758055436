"""The proof of rated calls: each follows from its frozen terms, every tier is charged, and the calls of a transfer are
worth exactly that transfer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from django.db import connection, transaction

from accounts.books import Violation, violations_of
from accounts.figures import plain
from rating.kernel import Rate, RateError, price

FACTS = """
    SELECT COALESCE(c.seller_id, f.seller_id), COALESCE(c.currency, f.currency),
        to_char(COALESCE(c.month, f.month), 'YYYY-MM') || ' ' || array_to_string(COALESCE(c.sums, '{0}'), ' '),
        to_char(COALESCE(c.month, f.month), 'YYYY-MM') || ' ' || array_to_string(COALESCE(f.sums, '{0}'), ' ')
    FROM (SELECT date_trunc('month', started_at, 'UTC') AS month, seller_id, currency::text,
            COALESCE(cost_currency, '')::text AS costs, ARRAY[count(*), sum(duration_s), sum(billed_s),
            sum(sale) * 1000000, sum(tax) * 1000000, COALESCE(sum(cost), 0) * 1000000]::bigint[] AS sums
        FROM rating_ratedcall GROUP BY 1, 2, 3, 4) c
    FULL JOIN (SELECT date_trunc('month', hour, 'UTC') AS month, seller_id, currency::text,
            COALESCE(cost_currency, '')::text AS costs, ARRAY[sum(charged), sum(duration_s), sum(billed_s),
            sum(sale_micro), sum(tax_micro), sum(cost_micro)]::bigint[] AS sums
        FROM rating_fact GROUP BY 1, 2, 3, 4) f
    ON f.month = c.month AND f.seller_id = c.seller_id AND f.currency = c.currency AND f.costs = c.costs
    WHERE COALESCE(c.sums, '{0,0,0,0,0,0}') <> COALESCE(f.sums, '{0,0,0,0,0,0}')
"""
"""What the rated calls of a month, seller and pair of currencies come to, and what was rolled up of them: calls,
seconds, seconds billed, sale, tax and cost in millionths."""

LAWS: dict[str, str] = {
    "usage_transfer": """
        SELECT COALESCE(t.id, c.transfer_id), t.currency, COALESCE(c.total, 0), COALESCE(t.amount, 0)
        FROM (SELECT * FROM accounts_transfer WHERE kind = 'usage' AND reverses_id IS NULL) t
        FULL JOIN (SELECT transfer_id, sum(sale) AS total FROM rating_ratedcall
            WHERE transfer_id IS NOT NULL GROUP BY transfer_id) c ON c.transfer_id = t.id
        WHERE COALESCE(c.total, 0) <> COALESCE(t.amount, 0)""",
    "usage_tax_transfer": """
        SELECT COALESCE(t.id, c.tax_transfer_id), t.currency, COALESCE(c.total, 0), COALESCE(t.amount, 0)
        FROM (SELECT * FROM accounts_transfer WHERE kind = 'usage_tax' AND reverses_id IS NULL) t
        FULL JOIN (SELECT tax_transfer_id, sum(tax) AS total FROM rating_ratedcall
            WHERE tax_transfer_id IS NOT NULL GROUP BY tax_transfer_id) c ON c.tax_transfer_id = t.id
        WHERE COALESCE(c.total, 0) <> COALESCE(t.amount, 0)""",
    "carrier_transfer": """
        SELECT COALESCE(t.id, c.cost_transfer_id), t.currency, COALESCE(c.total, 0), COALESCE(t.amount, 0)
        FROM (SELECT * FROM accounts_transfer WHERE kind = 'carrier_cost' AND reverses_id IS NULL) t
        FULL JOIN (SELECT cost_transfer_id, sum(cost) AS total FROM rating_ratedcall
            WHERE cost_transfer_id IS NOT NULL GROUP BY cost_transfer_id) c ON c.cost_transfer_id = t.id
        WHERE COALESCE(c.total, 0) <> COALESCE(t.amount, 0)""",
    "call_without_charge": """
        SELECT id, currency, 'a transfer for ' || sale || ' and tax ' || tax, 'none' FROM rating_ratedcall
        WHERE (sale > 0 AND transfer_id IS NULL) OR (tax > 0 AND tax_transfer_id IS NULL)""",
    "call_wallet": """
        SELECT c.id, c.currency, 'a wallet of its buyer in ' || c.currency, a.kind || ' in ' || t.currency
        FROM rating_ratedcall c JOIN accounts_transfer t ON t.id = c.transfer_id
        JOIN accounts_account a ON a.id = t.payer_id JOIN accounts_account p ON p.id = t.payee_id
        WHERE a.owner_id <> c.buyer_id OR p.owner_id <> c.seller_id OR t.currency <> c.currency
            OR a.kind <> 'wallet'""",
    "call_tier_missing": """
        SELECT c.id, c.currency, 'a charge of ' || s.code || ' by its own seller', 'none'
        FROM rating_ratedcall c JOIN tiers_party s ON s.id = c.seller_id
        WHERE s.kind <> 'operator' AND NOT EXISTS (
            SELECT 1 FROM rating_ratedcall u WHERE u.record_id = c.record_id AND u.buyer_id = c.seller_id)""",
    "record_status": """
        SELECT r.id, NULL, CASE WHEN r.status = 'rated' THEN 'one call charged to its customer' ELSE 'none' END,
            count(c.id)::text
        FROM rating_usagerecord r LEFT JOIN rating_ratedcall c ON c.record_id = r.id AND c.buyer_id = r.customer_id
        GROUP BY r.id, r.status
        HAVING count(c.id) <> CASE WHEN r.status = 'rated' THEN 1 ELSE 0 END""",
    "call_cost": """
        SELECT c.id, c.cost_currency, u.sale, c.cost FROM rating_ratedcall c
        JOIN rating_ratedcall u ON u.record_id = c.record_id AND u.buyer_id = c.seller_id
        WHERE c.cost IS DISTINCT FROM u.sale""",
    "chunk_counts": """
        SELECT k.id, NULL, k.read, k.rated + k.unrated + k.free + k.duplicate + k.quarantined + k.waiting + k.joined
            + k.reconciled
        FROM rating_usagechunk k WHERE k.read <> k.rated + k.unrated + k.free + k.duplicate + k.quarantined
            + k.waiting + k.joined + k.reconciled""",
    "import_records": """
        SELECT i.id, NULL, k.kept, r.kept FROM rating_usageimport i
        JOIN (SELECT usage_import_id, sum(rated + unrated + free) AS kept FROM rating_usagechunk
            GROUP BY usage_import_id) k ON k.usage_import_id = i.id
        LEFT JOIN (SELECT import_id, count(*) AS kept FROM rating_usagerecord GROUP BY import_id) r
            ON r.import_id = i.id
        WHERE k.kept <> COALESCE(r.kept, 0)""",
    "facts": FACTS,
    "fact_counts": """
        SELECT seller_id, NULL, 'attempts, of them answered, of them charged',
            concat_ws(', ', sum(attempts), sum(answered), sum(charged))
        FROM rating_fact GROUP BY date_trunc('month', hour, 'UTC'), seller_id
        HAVING sum(attempts) < sum(answered) OR sum(answered) < sum(charged)""",
}

PRICED = """
    SELECT c.id, c.terms_id, c.duration_s, c.answered_at, c.billed_s, c.sale, c.tax, c.currency, t.body
    FROM rating_ratedcall c LEFT JOIN rating_rateterms t ON t.id = c.terms_id
"""
FETCHED = 20_000


def violations() -> Iterator[Violation]:
    """Every figure of this app that its rows do not bear out."""
    for law, query in LAWS.items():
        yield from violations_of(law, query)
    yield from prices()


def prices() -> Iterator[Violation]:
    """Price each rated call again from its frozen terms; streamed, so memory does not grow with the table."""
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
