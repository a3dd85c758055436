-- Live calls: one round trip decides, one settles. Locks are taken in one order everywhere: the call, then limits by
-- id, then wallets by id. All functions run as their owner: the web's role may not write calls or charges itself.
-- `rating/live/reference.py` says in Python what rating_live_authorize decides; a test holds them together.

CREATE FUNCTION rating_live_refuse(ask jsonb, why text, whose uuid, sip int) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO rating_livecall SELECT (jsonb_populate_record(NULL::rating_livecall,
        ask || jsonb_build_object('status', 'refused', 'code', why, 'blame', whose, 'sip_code', sip,
            'max_seconds', 0, 'ended_at', ask->'asked_at', 'slots', '[]'::jsonb, 'wallets', '[]'::jsonb))).*;
    RETURN jsonb_build_object('allow', false, 'max_seconds', 0, 'code', why, 'blame', whose, 'sip_code', sip,
        'call', ask->>'id');
END $$;

-- What was answered when this call was asked for before; NULL for a new one.
CREATE FUNCTION rating_live_known(ask jsonb) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT jsonb_build_object('allow', status <> 'refused', 'max_seconds', max_seconds, 'code', code, 'blame', blame,
        'sip_code', sip_code, 'call', id, 'again', true)
    FROM rating_livecall
    WHERE source_id = (ask->>'source_id')::uuid AND switch = ask->>'switch' AND call_id = ask->>'call_id'
$$;

-- Curves: for wallet i the pairs (seconds, micros) from curve_from[i] to curve_from[i + 1] - 1, both rising: a call of
-- up to so many seconds needs so many millionths. Wallets run from the customer's up to the operator's.
CREATE FUNCTION rating_live_authorize(
    ask jsonb, chain uuid[], limits uuid[], purses uuid[], curve_from int[], curve_s int[], curve_micros bigint[]
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
    granted int;
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
        IF one.active >= one.max_calls AND (worst IS NULL OR at < worst) THEN
            worst := at; why := 'concurrent'; whose := one.id;
        ELSIF one.second = this_second AND one.in_second >= one.max_per_second AND (worst IS NULL OR at < worst) THEN
            worst := at; why := 'rate'; whose := one.id;
        END IF;
    END LOOP;
    IF worst IS NOT NULL THEN
        RETURN rating_live_refuse(ask, why, whose, CASE why WHEN 'concurrent' THEN 486 ELSE 503 END);
    END IF;

    granted := (ask->>'max_seconds')::int;
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

-- A call that no database needs to be asked about (an unknown customer, no price): kept and answered all the same.
CREATE FUNCTION rating_live_turn_away(ask jsonb, why text, whose uuid, sip int) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(
        concat_ws(' ', ask->>'source_id', ask->>'switch', ask->>'call_id'), 7204011));
    RETURN COALESCE(rating_live_known(ask), rating_live_refuse(ask, why, whose, sip));
END $$;

-- The holds of a call for so many seconds, placed or raised, never lowered. Wallets are locked by the caller.
CREATE FUNCTION rating_live_hold(
    call uuid, purses uuid[], curve_from int[], curve_s int[], curve_micros bigint[], seconds int
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO accounts_hold (id, account_id, amount, status, key, reason, created_at)
        SELECT gen_random_uuid(), purses[i], need.micros / 1000000.0, 'open',
            'live:' || call || ':' || purses[i], '', clock_timestamp()
        FROM generate_subscripts(purses, 1) AS i, LATERAL (
            SELECT min(c.m)::numeric AS micros
            FROM unnest(curve_s[curve_from[i]:curve_from[i + 1] - 1],
                curve_micros[curve_from[i]:curve_from[i + 1] - 1]) AS c(s, m)
            WHERE c.s >= seconds
        ) AS need
        WHERE need.micros > 0
        ORDER BY purses[i]
    ON CONFLICT (key) DO UPDATE SET amount = GREATEST(accounts_hold.amount, excluded.amount)
        WHERE accounts_hold.status = 'open'
$$;

-- More time for a call that goes on: as far as every wallet affords beside what is held for it already. `anew` (its
-- answer came late, and costs otherwise) may also shorten it. Seconds count from the call's answer.
CREATE FUNCTION rating_live_extend(
    call uuid, seen timestamptz, purses uuid[], curve_from int[], curve_s int[], curve_micros bigint[],
    grace interval, anew boolean
) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    live rating_livecall;
    one record;
    at int;
    afforded int;
    granted int;
BEGIN
    SELECT * INTO live FROM rating_livecall WHERE id = call FOR NO KEY UPDATE;
    IF live.status NOT IN ('allowed', 'talking') THEN
        RETURN live.max_seconds;
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
    IF granted IS NULL OR (granted <= live.max_seconds AND NOT anew)
        OR EXISTS (SELECT 1 FROM tiers_party WHERE id = ANY(live.slots) AND status <> 'active')
    THEN
        granted := live.max_seconds;
    ELSE
        PERFORM rating_live_hold(call, purses, curve_from, curve_s, curve_micros, granted);
    END IF;
    UPDATE rating_livecall SET max_seconds = granted, seen_at = seen,
        expires_at = COALESCE(answered_at, asked_at) + make_interval(secs => granted) + grace WHERE id = call;
    RETURN granted;
END $$;

-- The answer of a call: from here its seconds count.
CREATE FUNCTION rating_live_answer(call uuid, moment timestamptz, grace interval) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE rating_livecall SET status = 'talking', answered_at = moment, seen_at = moment,
        expires_at = moment + make_interval(secs => max_seconds) + grace
    WHERE id = call AND status = 'allowed'
$$;

-- The end: holds freed, charges posted at every tier, record and rated calls written, limits given back; once.
CREATE FUNCTION rating_live_settle(
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

-- Terms of prices met for the first time; ids of all asked for.
CREATE FUNCTION rating_keep_terms(bodies jsonb) RETURNS TABLE (terms_digest bytea, terms_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO rating_rateterms (digest, body)
        SELECT decode(one->>'digest', 'hex'), one->'body' FROM jsonb_array_elements(bodies) one
        ORDER BY one->>'digest'
        ON CONFLICT (digest) DO NOTHING;
    RETURN QUERY SELECT digest, id FROM rating_rateterms
        WHERE digest IN (SELECT decode(one->>'digest', 'hex') FROM jsonb_array_elements(bodies) one);
END $$;

-- A limit is set: whoever is being let in or out waits, and the calls that go on are counted.
CREATE FUNCTION rating_live_recount(whose uuid) RETURNS int LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    going_on int;
BEGIN
    LOCK TABLE rating_calllimit IN EXCLUSIVE MODE;
    SELECT count(*) INTO going_on FROM rating_livecall
        WHERE status IN ('allowed', 'talking') AND slots @> ARRAY[whose];
    UPDATE rating_calllimit SET active = going_on WHERE id = whose;
    RETURN going_on;
END $$;

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rating_livecall FROM tollgate_web;
REVOKE UPDATE ON rating_calllimit FROM tollgate_web;
GRANT UPDATE (max_calls, max_per_second) ON rating_calllimit TO tollgate_web;
