"""The calls of a bill as SQL: those that its transfers charged, at the price that these transfers made of them.

A call that was rated again before it was billed is simply on the bill at its new price. A correction of a call that
stands on another bill is none of this bill's calls; it has a line of its own (see lines.py).
"""

from __future__ import annotations

CARRIER = """COALESCE(l.carrier_id, CASE WHEN c.seller_id NOT IN
        (SELECT id FROM tiers_party WHERE kind = 'operator') THEN c.carrier_id END)"""
"""The carrier by which a call `c` was sold from its list `l`: that of the list, else the buyer's choice.

Where the operator sells, the call names the carrier that carried it and was paid for it; the sale does not follow that.
"""

_CALLS = """
    SELECT c.id, {transfer} AS transfer_id, c.record_id, c.seller_id, c.buyer_id, c.started_at, c.caller, c.number,
        COALESCE(m.duration_s, c.duration_s) AS duration_s, COALESCE(m.destination, c.destination) AS destination,
        COALESCE(m.service_class, c.service_class) AS service_class, COALESCE(m.billed_s, c.billed_s) AS billed_s,
        COALESCE(m.price_list_id, c.price_list_id) AS price_list_id,
        CASE WHEN m.rated_call_id IS NULL THEN c.carrier_id ELSE m.carrier_id END AS carrier_id,
        {sale} AS sale
"""
_BOUNDS = "c.seller_id = %(seller)s AND c.id >= rating_id_floor(%(since)s) AND c.id < rating_id_floor(%(until)s)"

CALLS = f"""(
    WITH moved AS MATERIALIZED (
        SELECT DISTINCT ON (k.rated_call_id) k.rated_call_id, k.transfer_id, k.destination, k.service_class, k.billed_s,
            k.duration_s, k.price_list_id, k.carrier_id, k.withdrawn,
            sum(k.sale - k.sale_before) OVER whole AS more, bool_or(t.reverses_id IS NULL) OVER whole AS first
        FROM rating_ratedcorrection k JOIN accounts_transfer t ON t.id = k.transfer_id
        WHERE k.transfer_id = ANY(%(transfers)s)
        WINDOW whole AS (PARTITION BY k.rated_call_id)
        ORDER BY k.rated_call_id, k.number DESC
    )
    {_CALLS.format(transfer="c.transfer_id", sale="c.sale + COALESCE(m.more, 0)")}
    FROM rating_ratedcall c LEFT JOIN moved m ON m.rated_call_id = c.id
    WHERE c.transfer_id = ANY(%(transfers)s) AND {_BOUNDS} AND m.withdrawn IS NOT TRUE
    UNION ALL
    {_CALLS.format(transfer="m.transfer_id", sale="m.more")}
    FROM moved m JOIN rating_ratedcall c ON c.id = m.rated_call_id
    WHERE m.first AND NOT m.withdrawn AND {_BOUNDS}
)"""
"""Rows like rated calls. Wants the parameters transfers, seller, since and until."""
