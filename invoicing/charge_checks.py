"""The proof of charges beside calls: each stands in the ledger once, and no day of a subscription is paid twice.

Each law is one query; it returns the charge or subscription, currency, what was expected and what was found.
"""

from __future__ import annotations

from collections.abc import Iterator

from accounts.books import Violation, violations_of

# How each charge moved its wallet by its own transfer, and by its tax's.
MOVED = """
    SELECT c.*, CASE c.wallet_id WHEN t.payer_id THEN t.amount WHEN t.payee_id THEN -t.amount END AS moved,
        t.kind AS tk,
        CASE c.wallet_id WHEN x.payer_id THEN x.amount WHEN x.payee_id THEN -x.amount END AS taxed, x.kind AS xk
    FROM invoicing_charge c LEFT JOIN accounts_transfer t ON t.id = c.transfer_id
    LEFT JOIN accounts_transfer x ON x.id = c.tax_transfer_id
"""
# One row for each day of each subscription that was charged or given back: how often, and on which terms.
DAYS = """
    SELECT c.subscription_id, c.currency, c.period_start, c.period_end, d::date AS day,
        sum(CASE WHEN c.gives_back_id IS NULL THEN 1 ELSE -1 END) AS times
    FROM invoicing_charge c, generate_series(c.starts_on, c.ends_on - 1, interval '1 day') d
    WHERE c.kind = 'recurring' GROUP BY 1, 2, 3, 4, 5
"""
# What is left of the charges of a whole period on the same terms: `days` of it, and what they were charged in all.
KEPT = """
    SELECT c.subscription_id, c.currency, c.period_start, c.period_end, c.product_id, c.quantity, c.unit_price,
        c.tax_rate, c.tax_included, c.prepaid,
        sum((c.ends_on - c.starts_on) * CASE WHEN c.gives_back_id IS NULL THEN 1 ELSE -1 END) AS days,
        sum(c.amount + CASE WHEN c.tax_included THEN c.tax ELSE 0 END) AS listed
    FROM invoicing_charge c WHERE c.kind = 'recurring' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""

LAWS: dict[str, str] = {
    "charge_transfer": f"""
        SELECT id, currency, amount || ' charge', COALESCE(moved, 0) || ' ' || COALESCE(tk, 'charge') FROM ({MOVED}) c
        WHERE COALESCE(moved, 0) <> amount OR COALESCE(tk, 'charge') <> 'charge'""",
    "charge_tax": f"""
        SELECT id, currency, tax || ' charge_tax', COALESCE(taxed, 0) || ' ' || COALESCE(xk, 'charge_tax')
        FROM ({MOVED}) c WHERE COALESCE(taxed, 0) <> tax OR COALESCE(xk, 'charge_tax') <> 'charge_tax'""",
    "charge_days": f"""
        SELECT DISTINCT subscription_id, currency, 'a day charged once', day || ' charged ' || times || ' times'
        FROM ({DAYS}) d WHERE times NOT IN (0, 1)""",
    "charge_whole_period": f"""
        SELECT subscription_id, currency, quantity * unit_price, listed FROM ({KEPT}) k
        WHERE (days = period_end - period_start AND listed <> quantity * unit_price) OR (days = 0 AND listed <> 0)
            OR days < 0 OR days > period_end - period_start""",
    "charge_included": """
        SELECT u.subscription_id, s.currency, -u.worth, s.amount FROM invoicing_allowanceuse u
        JOIN LATERAL (
            SELECT COALESCE(sum(c.amount), 0) AS amount, COALESCE(sum(c.tax), 0) AS tax, max(c.currency) AS currency
            FROM invoicing_charge c WHERE c.kind = 'included' AND c.subscription_id = u.subscription_id
                AND c.product_id = u.product_id AND c.period_start = u.month) s ON true
        WHERE s.amount <> -u.worth OR s.tax <> -u.worth_tax""",
    "charge_known": """
        SELECT t.id, t.currency, 'a charge that it posted', t.key FROM accounts_transfer t
        WHERE (t.key LIKE 'charge:%%' OR t.key LIKE 'charge-tax:%%')
            AND NOT EXISTS (SELECT 1 FROM invoicing_charge c WHERE t.id IN (c.transfer_id, c.tax_transfer_id))""",
}


def violations() -> Iterator[Violation]:
    """Every charge beside calls that the ledger or the calendar does not bear out."""
    for law, query in LAWS.items():
        yield from violations_of(law, query)
