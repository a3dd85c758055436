-- What deck_compare.sql found, done. The table's row is locked.

DELETE FROM rating_rate WHERE id IN (SELECT id FROM deck_withdrawn);

DELETE FROM rating_rate r USING deck_outcome d
 WHERE r.id = d.rate_id AND d.kind <> 'same' AND r.effective_from = d.begins;

UPDATE rating_rate r SET effective_to = d.begins
  FROM (SELECT rate_id, min(begins) AS begins FROM deck_outcome
         WHERE kind <> 'same' AND rate_from < begins GROUP BY rate_id) d
 WHERE r.id = d.rate_id;

INSERT INTO rating_rate (table_id, prefix, destination, price, connect_fee, first_s, step_s, grace_s, free_s,
                         min_charge, blocked, effective_from, effective_to)
SELECT %(table)s, prefix, coalesce(nullif(destination, ''), rate_destination, ''), coalesce(price, rate_price, 0),
       connect_fee, first_s, step_s, grace_s, free_s, min_charge, closed OR blocked, begins, least(next_from, then_from)
  FROM (SELECT *, lead(begins) OVER (PARTITION BY prefix ORDER BY begins) AS then_from
          FROM deck_outcome WHERE kind <> 'same') d
 WHERE kind <> 'ended';

UPDATE rating_rate r SET destination = d.destination
  FROM deck_outcome d
 WHERE r.id = d.rate_id AND d.kind = 'same' AND NOT d.closed AND d.destination <> '' AND d.destination <> r.destination;
