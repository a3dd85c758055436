-- The same functions of live calls, made to cost the server less; what they decide and write is as before.
-- A record is made of JSON in FROM, once: `(jsonb_populate_record(...)).*` makes it anew for each of its columns. Plans
-- are generic: for `= ANY(array)` the planner would rather think again at each call. A need is looked for in its curve
-- only where the wallet cannot afford all of it.

CREATE OR REPLACE FUNCTION rating_live_refuse(ask jsonb, why text, whose uuid, sip int) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO rating_livecall SELECT made.* FROM jsonb_populate_record(NULL::rating_livecall,
        ask || jsonb_build_object('status', 'refused', 'code', why, 'blame', whose, 'sip_code', sip,
            'max_seconds', 0, 'ended_at', ask->'asked_at', 'slots', '[]'::jsonb, 'wallets', '[]'::jsonb)) AS made;
    RETURN jsonb_build_object('allow', false, 'max_seconds', 0, 'code', why, 'blame', whose, 'sip_code', sip,
        'call', ask->>'id');
END $$;

CREATE OR REPLACE FUNCTION rating_live_authorize(
    ask jsonb, chain uuid[], limits uuid[], purses uuid[], curve_from int[], curve_s int[], curve_micros bigint[],
    spend jsonb DEFAULT NULL
) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
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
        IF curve_micros[curve_from[at + 1] - 1] <= one.micros THEN
            CONTINUE WHEN curve_s[curve_from[at + 1] - 1] >= granted;
            afforded := curve_s[curve_from[at + 1] - 1];
        ELSE
            SELECT max(c.s) INTO afforded
                FROM unnest(curve_s[curve_from[at]:curve_from[at + 1] - 1],
                    curve_micros[curve_from[at]:curve_from[at + 1] - 1]) AS c(s, m)
                WHERE c.m <= one.micros OR c.m = 0;
        END IF;
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
    INSERT INTO rating_livecall SELECT made.* FROM jsonb_populate_record(NULL::rating_livecall,
        ask || jsonb_build_object('status', 'allowed', 'max_seconds', granted, 'slots', to_jsonb(limits),
            'wallets', to_jsonb(purses), 'code', '', 'sip_code', 200,
            'expires_at', (ask->>'expires_at')::timestamptz + make_interval(secs => granted))) AS made;
    PERFORM rating_live_hold((ask->>'id')::uuid, purses, curve_from, curve_s, curve_micros, granted);
    UPDATE rating_calllimit SET active = active + 1, second = this_second,
        in_second = CASE WHEN second = this_second THEN in_second + 1 ELSE 1 END WHERE id = ANY(limits);
    RETURN jsonb_build_object('allow', true, 'max_seconds', granted, 'code', '', 'blame', NULL, 'sip_code', 200,
        'call', ask->>'id');
END $$;

-- The holds of a call for so many seconds, placed or raised, never lowered. Wallets are locked by the caller.
CREATE OR REPLACE FUNCTION rating_live_hold(
    call uuid, purses uuid[], curve_from int[], curve_s int[], curve_micros bigint[], seconds int
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    needs bigint[];
    place int;
BEGIN
    FOR at IN 1 .. COALESCE(cardinality(purses), 0) LOOP
        place := curve_from[at + 1] - 1;
        WHILE place > curve_from[at] AND curve_s[place - 1] >= seconds LOOP
            place := place - 1;
        END LOOP;
        needs[at] := curve_micros[place];
    END LOOP;
    INSERT INTO accounts_hold (id, account_id, amount, status, key, reason, created_at)
        SELECT gen_random_uuid(), purse, micros / 1000000.0, 'open', 'live:' || call || ':' || purse, '',
            clock_timestamp()
        FROM unnest(purses, needs) AS need(purse, micros) WHERE micros > 0 ORDER BY purse
    ON CONFLICT (key) DO UPDATE SET amount = GREATEST(accounts_hold.amount, excluded.amount)
        WHERE accounts_hold.status = 'open';
END $$;

-- The end: holds freed, charges posted at every tier, record and rated calls written, limits given back; once.
CREATE OR REPLACE FUNCTION rating_live_settle(
    call uuid, outcome jsonb, transfers jsonb, usage jsonb, rated jsonb, facts jsonb
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
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
        WHERE status = 'open' AND key = ANY (ARRAY(SELECT 'live:' || call || ':' || purse FROM unnest(live.wallets) AS purse));
    INSERT INTO accounts_transfer (id, payer_id, payee_id, amount, currency, kind, key, cause, actor_id, actor, reason,
            details, for_month, book_version, created_at)
        SELECT t.id, t.payer, t.payee, t.amount, t.currency, t.kind, t.key, call, NULL, outcome->>'actor', '',
            '{}', t.for_month, 0, clock_timestamp()
        FROM jsonb_to_recordset(transfers) AS t(id uuid, payer uuid, payee uuid, amount numeric, currency text,
            kind text, key text, for_month date);
    INSERT INTO rating_usagerecord SELECT made.* FROM jsonb_populate_record(NULL::rating_usagerecord, usage) AS made;
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
