-- A deck, copied into deck_row, against the table's rates: what would become of each of its rows (deck_outcome) and which
-- rates it withdraws (deck_withdrawn). Nothing is written here. All by sets: a deck has 285,000 codes. A rate ends where
-- the next of its prefix begins, so each deck row meets at most one rate in force.

ANALYZE deck_row;

-- What is in force when each deck row begins, and whether the deck says the same. A second row of one prefix within the
-- same rate's time cannot be compared with that rate: the deck's earlier row may replace it.
CREATE TEMP TABLE deck_seen ON COMMIT DROP AS
SELECT d.*, r.id AS rate_id, r.effective_from AS rate_from, r.effective_to AS rate_to, r.price AS rate_price,
       r.blocked AS rate_blocked, r.destination AS rate_destination,
       lag(d.prefix) OVER before IS NOT NULL AS follows, lag(d.price) OVER before AS deck_price_before,
       lag(d.prefix) OVER before IS NOT NULL AND lag(r.id) OVER before IS NOT DISTINCT FROM r.id AS in_doubt,
       d.closed AND EXISTS (SELECT FROM rating_rate l
                             WHERE l.table_id = %(table)s AND l.prefix = d.prefix AND l.effective_from > d.begins
                               AND NOT EXISTS (SELECT FROM deck_row o WHERE o.prefix = d.prefix
                                                                        AND o.begins = l.effective_from)) AS has_later,
       CASE WHEN r.id IS NULL THEN false
            WHEN d.closed OR d.blocked THEN r.blocked
            ELSE NOT r.blocked AND r.steps IS NULL AND r.bands IS NULL
                 AND (r.price, r.connect_fee, coalesce(r.first_s, r.step_s), r.step_s, r.grace_s, r.free_s, r.min_charge)
                   = (d.price, d.connect_fee, coalesce(d.first_s, d.step_s), d.step_s, d.grace_s, d.free_s, d.min_charge)
       END AS says_same
  FROM deck_row d
  LEFT JOIN rating_rate r ON r.table_id = %(table)s AND r.prefix = d.prefix AND r.effective_from <= d.begins
                         AND (r.effective_to IS NULL OR r.effective_to > d.begins)
WINDOW before AS (PARTITION BY d.prefix ORDER BY d.begins);

-- A withdrawal withdraws what was to come as well, but for what this deck itself announces.
CREATE TEMP TABLE deck_withdrawn ON COMMIT DROP AS
SELECT r.id
  FROM rating_rate r
  JOIN deck_seen d ON r.prefix = d.prefix AND r.effective_from > d.begins
 WHERE r.table_id = %(table)s AND d.has_later AND NOT d.says_same
   AND NOT EXISTS (SELECT FROM deck_row o WHERE o.prefix = r.prefix AND o.begins = r.effective_from);

-- What becomes of each deck row. A rate that would end with nothing after it is not the same as one that goes on.
CREATE TEMP TABLE deck_outcome ON COMMIT DROP AS
SELECT d.*, n.next_from,
       CASE WHEN d.follows AND (d.in_doubt OR d.rate_id IS NULL) THEN d.deck_price_before
            WHEN NOT d.rate_blocked THEN d.rate_price
       END AS price_before,
       CASE WHEN d.says_same AND NOT d.in_doubt AND (d.closed OR d.rate_to IS NOT DISTINCT FROM n.next_from) THEN 'same'
            WHEN d.closed AND %(reverts)s THEN CASE WHEN d.rate_id IS NULL AND NOT d.follows AND NOT d.has_later THEN 'same' ELSE 'ended' END
            WHEN d.closed THEN 'closed'
            WHEN d.rate_id IS NULL AND NOT d.follows THEN 'added'
            ELSE 'changed'
       END AS kind
  FROM deck_seen d
  LEFT JOIN (SELECT o.prefix, o.begins, min(r.effective_from) AS next_from
               FROM deck_row o
               JOIN rating_rate r ON r.table_id = %(table)s AND r.prefix = o.prefix AND r.effective_from > o.begins
                                 AND r.id NOT IN (SELECT id FROM deck_withdrawn)
              GROUP BY o.prefix, o.begins) n USING (prefix, begins);
