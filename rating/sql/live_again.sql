-- A question that was asked before: the same answer while the call is open, so that an answer that was lost can be asked
-- for again. A call that is over is no leave for another, and nor is its id for another number or caller: whoever may
-- choose ids (a SIP phone chooses its Call-ID) would else talk for nothing.
CREATE OR REPLACE FUNCTION rating_live_known(ask jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    live rating_livecall;
    over text := '';
BEGIN
    SELECT * INTO live FROM rating_livecall
        WHERE source_id = (ask->>'source_id')::uuid AND switch = ask->>'switch' AND call_id = ask->>'call_id';
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF (live.account, live.caller, live.callee) IS DISTINCT FROM (ask->>'account', ask->>'caller', ask->>'callee') THEN
        over := 'other_call';
    ELSIF live.status IN ('ended', 'failed', 'reaped') THEN
        over := 'over';
    END IF;
    IF over <> '' THEN
        RETURN jsonb_build_object('allow', false, 'max_seconds', 0, 'code', over, 'blame', NULL, 'sip_code', 403,
            'call', live.id, 'again', true);
    END IF;
    RETURN jsonb_build_object('allow', live.status <> 'refused', 'max_seconds', live.max_seconds, 'code', live.code,
        'blame', live.blame, 'sip_code', live.sip_code, 'call', live.id, 'again', true);
END $$;
