-- A live call and what its switch tells of it later. Locks as everywhere: the call, limits, days, wallets; and before
-- the call, shared, the lock under which re-ratings read what calls cost: neither corrects what the other reads.

-- Seconds beyond what was charged for are the carrier's alone; a re-rating must know them.
ALTER TABLE rating_usagerecord ADD COLUMN overrun_s integer NOT NULL DEFAULT 0 CHECK (overrun_s >= 0);

CREATE FUNCTION rating_live_lock(calls uuid[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7204007);
    PERFORM 1 FROM rating_livecall WHERE id = ANY(calls) ORDER BY id FOR NO KEY UPDATE;
END $$;

-- The days that a call counted to count what it came to: less what flows `back` to whoever paid, and what it pays more.
CREATE FUNCTION rating_live_unspent(spends jsonb, transfers jsonb) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM rating_dayspend d
        JOIN jsonb_to_recordset(spends) AS s(wallet uuid, day date) ON d.wallet_id = s.wallet AND d.day = s.day
        ORDER BY d.wallet_id, d.day FOR NO KEY UPDATE OF d;
    UPDATE rating_dayspend d SET spent = GREATEST(0, d.spent + COALESCE((
            SELECT sum(CASE WHEN t.back THEN -t.amount ELSE t.amount END)
            FROM jsonb_to_recordset(transfers) AS t(payer uuid, payee uuid, amount numeric, back boolean)
            WHERE s.wallet = CASE WHEN t.back THEN t.payee ELSE t.payer END), 0))
        FROM jsonb_to_recordset(spends) AS s(wallet uuid, day date)
        WHERE d.wallet_id = s.wallet AND d.day = s.day;
END $$;

-- A call that is over turned out otherwise than it was charged: transfers of the differences, corrections of its rated
-- calls (or, where it was never charged, these themselves), facts as differences. The caller holds rating_live_lock and
-- worked it out from what it read since.
CREATE FUNCTION rating_live_correct(
    call uuid, outcome jsonb, transfers jsonb, rated jsonb, corrections jsonb, facts jsonb
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    live rating_livecall;
BEGIN
    SELECT * INTO live FROM rating_livecall WHERE id = call FOR NO KEY UPDATE;
    IF live.status NOT IN ('ended', 'failed', 'reaped') THEN
        RAISE EXCEPTION 'law live: only a call that is over is corrected'
            USING ERRCODE = '23514', CONSTRAINT = 'law_live';
    END IF;
    IF live.spends <> '[]' THEN
        PERFORM rating_live_unspent(live.spends, transfers);
    END IF;
    PERFORM 1 FROM accounts_wallet WHERE account_id IN (
            SELECT unnest(ARRAY[t.payer, t.payee]) FROM jsonb_to_recordset(transfers) AS t(payer uuid, payee uuid))
        ORDER BY account_id FOR NO KEY UPDATE;
    INSERT INTO accounts_transfer (id, payer_id, payee_id, amount, currency, kind, key, cause, actor_id, actor, reason,
            details, for_month, reverses_id, book_version, created_at)
        SELECT t.id, t.payer, t.payee, t.amount, t.currency, t.kind, t.key, call, NULL, outcome->>'actor',
            outcome->>'reason', '{}', t.for_month, t.reverses, 0, clock_timestamp()
        FROM jsonb_to_recordset(transfers) AS t(id uuid, payer uuid, payee uuid, amount numeric, currency text,
            kind text, key text, for_month date, reverses uuid);
    INSERT INTO rating_ratedcall
        SELECT one.* FROM jsonb_populate_recordset(NULL::rating_ratedcall, rated) AS one ORDER BY one.id;
    INSERT INTO rating_ratedcorrection
        SELECT one.* FROM jsonb_populate_recordset(NULL::rating_ratedcorrection, corrections) AS one ORDER BY one.id;
    INSERT INTO rating_fact (hour, seller_id, buyer_id, carrier_id, service_class, destination, currency, cost_currency,
            attempts, answered, charged, duration_s, billed_s, sale_micro, tax_micro, cost_micro)
        SELECT f.hour, f.seller, f.buyer, f.carrier, f.service_class, f.destination, f.currency, f.cost_currency,
            f.attempts, f.answered, f.charged, f.duration_s, f.billed_s, f.sale, f.tax, f.cost
        FROM jsonb_to_recordset(facts) AS f(hour timestamptz, seller uuid, buyer uuid, carrier uuid,
            service_class text, destination text, currency text, cost_currency text, attempts bigint, answered bigint,
            charged bigint, duration_s bigint, billed_s bigint, sale bigint, tax bigint, cost bigint);
    UPDATE rating_usagerecord SET status = outcome->>'record_status', duration_s = (outcome->>'carried_s')::int,
        overrun_s = (outcome->>'overrun_s')::int, answered_at = (outcome->>'answered_at')::timestamptz
        WHERE id = live.record_id;
    UPDATE rating_livecall SET status = outcome->>'status', answered_at = (outcome->>'answered_at')::timestamptz,
        ended_at = COALESCE((outcome->>'ended_at')::timestamptz, ended_at),
        duration_s = (outcome->>'duration_s')::int, overrun_s = (outcome->>'overrun_s')::int,
        oddity = outcome->>'oddity'
        WHERE id = call;
END $$;

-- An end that came late at the door is kept as it was told.
CREATE FUNCTION rating_live_told(telling jsonb) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO rating_reconciled SELECT (jsonb_populate_record(NULL::rating_reconciled, telling)).*
$$;

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rating_reconciled FROM tollgate_web;
