-- Spend by the day, judged where funds are: the functions of live.sql that place, raise and settle holds, with it.
-- Locks are taken in one order everywhere: the call, limits by id, days by wallet, wallets by id.
-- `spend` is NULL where no wallet of the call has a limit, and then costs nothing; else, for each that has one:
-- [{"wallet", "day", "s": [...], "m": [...]}], a curve as for funds: up to so many seconds take so many millionths.

DROP FUNCTION rating_live_authorize(jsonb, uuid[], uuid[], uuid[], int[], int[], bigint[]);
DROP FUNCTION rating_live_extend(uuid, timestamptz, uuid[], int[], int[], bigint[], interval, boolean);

-- Days that a call counts to, locked, with what each still has room for (beside what is held for this call already).
CREATE FUNCTION rating_live_days(spend jsonb, mine jsonb)
RETURNS TABLE (wallet uuid, at bigint, afforded int) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO rating_dayspend (wallet_id, day, spent, held)
        SELECT s.wallet, s.day, 0, 0 FROM jsonb_to_recordset(spend) AS s(wallet uuid, day date) ORDER BY s.wallet
        ON CONFLICT DO NOTHING;
    RETURN QUERY
        WITH asked AS (
            SELECT (one->>'wallet')::uuid AS wallet, (one->>'day')::date AS day, one, place,
                COALESCE((SELECT sum((held->>'micros')::bigint) FROM jsonb_array_elements(mine) AS held
                    WHERE held->>'wallet' = one->>'wallet'), 0) AS already
            FROM jsonb_array_elements(spend) WITH ORDINALITY AS listed(one, place)
        ), locked AS (
            SELECT d.wallet_id, a.place, a.one,
                floor((l.per_day - d.spent - d.held) * 1000000)::bigint + a.already::bigint AS room
            FROM asked a
            JOIN rating_dayspend d ON d.wallet_id = a.wallet AND d.day = a.day
            LEFT JOIN rating_spendlimit l ON l.wallet_id = a.wallet
            ORDER BY d.wallet_id FOR NO KEY UPDATE OF d
        )
        SELECT locked.wallet_id, locked.place, (
            SELECT max(s.value::int) FROM jsonb_array_elements_text(locked.one->'s') WITH ORDINALITY AS s(value, n)
            JOIN jsonb_array_elements_text(locked.one->'m') WITH ORDINALITY AS m(value, n) USING (n)
            WHERE locked.room IS NULL OR m.value::bigint <= locked.room OR m.value::bigint = 0
        ) FROM locked;
END $$;

-- What is set aside on each day for so many seconds: never less than before. The days are locked by the caller.
CREATE FUNCTION rating_live_spends(spend jsonb, mine jsonb, seconds int) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('wallet', one->'wallet', 'day', one->'day', 'micros', GREATEST(
            COALESCE((SELECT sum((b->>'micros')::bigint) FROM jsonb_array_elements(mine) AS b
                WHERE b->>'wallet' = one->>'wallet'), 0),
            COALESCE((SELECT min(m.value::bigint)
                FROM jsonb_array_elements_text(one->'s') WITH ORDINALITY AS s(value, n)
                JOIN jsonb_array_elements_text(one->'m') WITH ORDINALITY AS m(value, n) USING (n)
                WHERE s.value::int >= seconds), 0))::bigint))
        INTO kept FROM jsonb_array_elements(spend) AS one;
    UPDATE rating_dayspend d SET held = d.held + (n.micros - COALESCE(b.micros, 0)) / 1000000.0
        FROM jsonb_to_recordset(kept) AS n(wallet uuid, day date, micros numeric)
        LEFT JOIN jsonb_to_recordset(mine) AS b(wallet uuid, day date, micros numeric) USING (wallet)
        WHERE d.wallet_id = n.wallet AND d.day = n.day;
    RETURN kept;
END $$;

-- Curves: for wallet i the pairs (seconds, micros) from curve_from[i] to curve_from[i + 1] - 1, both rising: a call of
-- up to so many seconds needs so many millionths. Wallets run from the customer's up to the operator's.
CREATE FUNCTION rating_live_authorize(
    ask jsonb, chain uuid[], limits uuid[], purses uuid[], curve_from int[], curve_s int[], curve_micros bigint[],
    spend jsonb DEFAULT NULL
) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said jsonb;
    whose uuid;
    one record;
    at int;
    worst int;
    why text;
    this_second bigint := floor(extract(epoch FROM clock_timestamp()))::bigint;
    afforded int;
    granted int := (ask->>'max_seconds')::int;
    lacking int;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(
        concat_ws(' ', ask->>'source_id', ask->>'switch', ask->>'call_id'), 7204011));
    said := rating_live_known(ask);
    IF said IS NOT NULL THEN
        RETURN said;
    END IF;

    SELECT id INTO whose FROM tiers_party WHERE id = ANY(chain) AND status <> 'active' ORDER BY depth DESC LIMIT 1;
    IF FOUND THEN
        RETURN rating_live_refuse(ask, 'blocked', whose, 403);
    END IF;

    FOR one IN SELECT * FROM rating_calllimit WHERE id = ANY(limits) ORDER BY id FOR NO KEY UPDATE LOOP
        at := array_position(limits, one.id);
        -- Read under the lock: whoever waited for it would else count for a second that is over.
        this_second := floor(extract(epoch FROM clock_timestamp()))::bigint;
        IF one.active >= one.max_calls AND (worst IS NULL OR at < worst) THEN
            worst := at; why := 'concurrent'; whose := one.id;
        ELSIF (one.max_per_second = 0 OR one.second = this_second AND one.in_second >= one.max_per_second)
            AND (worst IS NULL OR at < worst)
        THEN
            worst := at; why := 'rate'; whose := one.id;
        END IF;
    END LOOP;
    IF worst IS NOT NULL THEN
        RETURN rating_live_refuse(ask, why, whose, CASE why WHEN 'concurrent' THEN 486 ELSE 503 END);
    END IF;

    IF spend IS NOT NULL THEN
        FOR one IN SELECT * FROM rating_live_days(spend, '[]') ORDER BY at DESC LOOP
            IF one.afforded IS NULL THEN
                SELECT owner_id INTO whose FROM accounts_account WHERE id = one.wallet;
                why := 'spend';
            END IF;
            granted := LEAST(granted, one.afforded);
        END LOOP;
        IF why IS NOT NULL THEN
            RETURN rating_live_refuse(ask, why, whose, 402);
        END IF;
    END IF;

    FOR one IN
        SELECT account_id, floor((posted - held - owed_below + credit_limit) * 1000000)::bigint AS micros
        FROM accounts_wallet WHERE account_id = ANY(purses) ORDER BY account_id FOR NO KEY UPDATE
    LOOP
        at := array_position(purses, one.account_id);
        SELECT max(c.s) INTO afforded
            FROM unnest(curve_s[curve_from[at]:curve_from[at + 1] - 1],
                curve_micros[curve_from[at]:curve_from[at + 1] - 1]) AS c(s, m)
            WHERE c.m <= one.micros OR c.m = 0;
        IF afforded IS NULL THEN
            lacking := LEAST(lacking, at);
        ELSE
            granted := LEAST(granted, afforded);
        END IF;
    END LOOP;
    IF lacking IS NOT NULL THEN
        SELECT owner_id INTO whose FROM accounts_account WHERE id = purses[lacking];
        RETURN rating_live_refuse(ask, 'funds', whose, 402);
    END IF;

    IF spend IS NOT NULL THEN
        ask := ask || jsonb_build_object('spends', rating_live_spends(spend, '[]', granted));
    END IF;
    INSERT INTO rating_livecall SELECT (jsonb_populate_record(NULL::rating_livecall,
        ask || jsonb_build_object('status', 'allowed', 'max_seconds', granted, 'slots', to_jsonb(limits),
            'wallets', to_jsonb(purses), 'code', '', 'sip_code', 200,
            'expires_at', (ask->>'expires_at')::timestamptz + make_interval(secs => granted)))).*;
    PERFORM rating_live_hold((ask->>'id')::uuid, purses, curve_from, curve_s, curve_micros, granted);
    UPDATE rating_calllimit SET active = active + 1, second = this_second,
        in_second = CASE WHEN second = this_second THEN in_second + 1 ELSE 1 END WHERE id = ANY(limits);
    RETURN jsonb_build_object('allow', true, 'max_seconds', granted, 'code', '', 'blame', NULL, 'sip_code', 200,
        'call', ask->>'id');
END $$;

-- More time for a call that goes on: `wanted` seconds from its answer, as far as every day and wallet affords beside
-- what is held for it already. `anew` (its answer came late, and costs otherwise) may also shorten it.
CREATE FUNCTION rating_live_extend(
    call uuid, seen timestamptz, wanted int, purses uuid[], curve_from int[], curve_s int[], curve_micros bigint[],
    grace interval, anew boolean, spend jsonb DEFAULT NULL
) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    live rating_livecall;
    one record;
    at int;
    afforded int;
    granted int := wanted;
BEGIN
    SELECT * INTO live FROM rating_livecall WHERE id = call FOR NO KEY UPDATE;
    IF live.status NOT IN ('allowed', 'talking') THEN
        RETURN live.max_seconds;
    END IF;
    IF spend IS NOT NULL THEN
        SELECT LEAST(granted, min(COALESCE(d.afforded, 0))) INTO granted FROM rating_live_days(spend, live.spends) d;
    END IF;
    FOR one IN
        SELECT w.account_id,
            floor((posted - held - owed_below + credit_limit + COALESCE((SELECT h.amount FROM accounts_hold h
                WHERE h.key = 'live:' || call || ':' || w.account_id AND h.status = 'open'), 0)) * 1000000
            )::bigint AS micros
        FROM accounts_wallet w WHERE w.account_id = ANY(purses) ORDER BY w.account_id FOR NO KEY UPDATE
    LOOP
        at := array_position(purses, one.account_id);
        SELECT max(c.s) INTO afforded
            FROM unnest(curve_s[curve_from[at]:curve_from[at + 1] - 1],
                curve_micros[curve_from[at]:curve_from[at + 1] - 1]) AS c(s, m)
            WHERE c.m <= one.micros OR c.m = 0;
        granted := LEAST(granted, COALESCE(afforded, 0));
    END LOOP;
    IF (granted <= live.max_seconds AND NOT anew)
        OR EXISTS (SELECT 1 FROM tiers_party WHERE id = ANY(live.slots) AND status <> 'active')
    THEN
        granted := live.max_seconds;
    ELSE
        PERFORM rating_live_hold(call, purses, curve_from, curve_s, curve_micros, granted);
        IF spend IS NOT NULL THEN
            live.spends := rating_live_spends(spend, live.spends, granted);
        END IF;
    END IF;
    UPDATE rating_livecall SET max_seconds = granted, seen_at = seen, spends = live.spends,
        expires_at = COALESCE(answered_at, asked_at) + make_interval(secs => granted) + grace WHERE id = call;
    RETURN granted;
END $$;

-- A call of limited wallets is over: its days give back what was held, and keep what was taken. Before wallets.
CREATE FUNCTION rating_live_spent(spends jsonb, transfers jsonb) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM rating_dayspend d
        JOIN jsonb_to_recordset(spends) AS s(wallet uuid, day date) ON d.wallet_id = s.wallet AND d.day = s.day
        ORDER BY d.wallet_id FOR NO KEY UPDATE OF d;
    UPDATE rating_dayspend d SET held = GREATEST(0, d.held - s.micros / 1000000.0), spent = d.spent + COALESCE((
            SELECT sum(t.amount) FROM jsonb_to_recordset(transfers) AS t(payer uuid, amount numeric)
            WHERE t.payer = s.wallet), 0)
        FROM jsonb_to_recordset(spends) AS s(wallet uuid, day date, micros numeric)
        WHERE d.wallet_id = s.wallet AND d.day = s.day;
END $$;

-- The end: holds freed, charges posted at every tier, record and rated calls written, limits given back; once.
CREATE OR REPLACE FUNCTION rating_live_settle(
    call uuid, outcome jsonb, transfers jsonb, usage jsonb, rated jsonb, facts jsonb
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    live rating_livecall;
BEGIN
    SELECT * INTO live FROM rating_livecall WHERE id = call FOR NO KEY UPDATE;
    IF live.status NOT IN ('allowed', 'talking') THEN
        RETURN false;
    END IF;
    PERFORM 1 FROM rating_calllimit WHERE id = ANY(live.slots) ORDER BY id FOR NO KEY UPDATE;
    IF live.spends <> '[]' THEN
        PERFORM rating_live_spent(live.spends, transfers);
    END IF;
    PERFORM 1 FROM accounts_wallet WHERE account_id = ANY(live.wallets) ORDER BY account_id FOR NO KEY UPDATE;
    UPDATE accounts_hold SET status = CASE WHEN jsonb_array_length(transfers) > 0 THEN 'settled' ELSE 'released' END,
        closed_at = clock_timestamp()
        WHERE status = 'open' AND key IN (SELECT 'live:' || call || ':' || purse FROM unnest(live.wallets) AS purse);
    INSERT INTO accounts_transfer (id, payer_id, payee_id, amount, currency, kind, key, cause, actor_id, actor, reason,
            details, for_month, book_version, created_at)
        SELECT t.id, t.payer, t.payee, t.amount, t.currency, t.kind, t.key, call, NULL, outcome->>'actor', '',
            '{}', t.for_month, 0, clock_timestamp()
        FROM jsonb_to_recordset(transfers) AS t(id uuid, payer uuid, payee uuid, amount numeric, currency text,
            kind text, key text, for_month date);
    INSERT INTO rating_usagerecord SELECT (jsonb_populate_record(NULL::rating_usagerecord, usage)).*;
    INSERT INTO rating_ratedcall
        SELECT one.* FROM jsonb_populate_recordset(NULL::rating_ratedcall, rated) AS one ORDER BY one.id;
    INSERT INTO rating_fact (hour, seller_id, buyer_id, carrier_id, service_class, destination, currency, cost_currency,
            attempts, answered, charged, duration_s, billed_s, sale_micro, tax_micro, cost_micro)
        SELECT f.hour, f.seller, f.buyer, f.carrier, f.service_class, f.destination, f.currency, f.cost_currency,
            1, f.answered, f.charged, f.duration_s, f.billed_s, f.sale, f.tax, f.cost
        FROM jsonb_to_recordset(facts) AS f(hour timestamptz, seller uuid, buyer uuid, carrier uuid,
            service_class text, destination text, currency text, cost_currency text, answered bigint, charged bigint,
            duration_s bigint, billed_s bigint, sale bigint, tax bigint, cost bigint);
    UPDATE rating_calllimit SET active = GREATEST(0, active - 1) WHERE id = ANY(live.slots);
    UPDATE rating_livecall SET status = outcome->>'status', ended_at = (outcome->>'ended_at')::timestamptz,
        answered_at = (outcome->>'answered_at')::timestamptz, duration_s = (outcome->>'duration_s')::int,
        overrun_s = (outcome->>'overrun_s')::int, oddity = outcome->>'oddity', record_id = (usage->>'id')::uuid
        WHERE id = call;
    RETURN true;
END $$;

-- A limit is new: the day so far, by what live calls were charged (and had corrected) and by what is held for those
-- that go on; they count from now.
CREATE FUNCTION rating_live_reckon_day(purse uuid, today date, day_from timestamptz, day_to timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM rating_livecall WHERE status IN ('allowed', 'talking') AND wallets @> ARRAY[purse]
        ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO rating_dayspend (wallet_id, day, spent, held) VALUES (purse, today, 0, 0) ON CONFLICT DO NOTHING;
    PERFORM 1 FROM rating_dayspend WHERE wallet_id = purse AND day = today FOR NO KEY UPDATE;
    UPDATE rating_livecall c SET spends = (
            SELECT COALESCE(jsonb_agg(s), '[]') FROM jsonb_array_elements(c.spends) AS s
            WHERE s->>'wallet' <> purse::text
        ) || jsonb_build_array(jsonb_build_object('wallet', purse, 'day', today, 'micros', COALESCE((
            SELECT (h.amount * 1000000)::bigint FROM accounts_hold h
            WHERE h.key = 'live:' || c.id || ':' || purse AND h.status = 'open'), 0)))
        WHERE status IN ('allowed', 'talking') AND wallets @> ARRAY[purse];
    UPDATE rating_dayspend d SET
        held = (SELECT COALESCE(sum((s->>'micros')::numeric), 0) / 1000000
            FROM rating_livecall c, jsonb_array_elements(c.spends) AS s
            WHERE c.status IN ('allowed', 'talking') AND c.wallets @> ARRAY[purse] AND s->>'wallet' = purse::text),
        spent = (SELECT COALESCE(sum(CASE WHEN t.payer_id = purse THEN t.amount ELSE -t.amount END), 0)
            FROM accounts_transfer t
            JOIN rating_livecall c ON c.id = t.cause AND c.asked_at >= day_from AND c.asked_at < day_to
            LEFT JOIN accounts_transfer first ON first.id = t.reverses_id
            WHERE purse IN (t.payer_id, t.payee_id) AND t.kind IN ('usage', 'usage_tax')
                AND COALESCE(first.payer_id, t.payer_id) = purse AND t.id >= rating_first_id(day_from))
        WHERE d.wallet_id = purse AND d.day = today;
END $$;

-- The lowest id that anything begun at this moment may carry.
CREATE FUNCTION rating_first_id(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rating_dayspend FROM tollgate_web;
