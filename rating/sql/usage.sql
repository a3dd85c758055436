-- The big tables. Partitioned by UTC month on the id: a uuid7 begins with the call's start in milliseconds.

CREATE TABLE rating_usagerecord (
    id uuid PRIMARY KEY,
    source_id uuid NOT NULL,
    import_id uuid,
    line bigint,
    call_id text NOT NULL,
    status varchar(8) NOT NULL CHECK (status IN ('rated', 'unrated', 'free')),
    customer_id uuid NOT NULL,
    carrier_id uuid,
    account text NOT NULL,
    caller text NOT NULL,
    callee text NOT NULL,
    number text NOT NULL,
    service_class varchar(16) NOT NULL,
    started_at timestamptz NOT NULL,
    answered_at timestamptz,
    duration_s integer NOT NULL CHECK (duration_s >= 0),
    src_ip inet,
    src_port integer,
    user_agent text NOT NULL,
    reason text NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX rating_usagerecord_customer ON rating_usagerecord (customer_id, id);
CREATE INDEX rating_usagerecord_unrated ON rating_usagerecord (id) WHERE status = 'unrated';

CREATE TABLE rating_ratedcall (
    id uuid PRIMARY KEY,
    record_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    carrier_id uuid,
    price_list_id uuid NOT NULL,
    terms_id bigint NOT NULL,
    cost_terms_id bigint,
    caller text NOT NULL,
    number text NOT NULL,
    prefix text NOT NULL,
    destination text NOT NULL,
    service_class varchar(16) NOT NULL,
    started_at timestamptz NOT NULL,
    answered_at timestamptz NOT NULL,
    duration_s integer NOT NULL,
    billed_s integer NOT NULL,
    currency char(3) NOT NULL,
    sale numeric(20, 6) NOT NULL CHECK (sale >= 0),
    tax numeric(20, 6) NOT NULL CHECK (tax >= 0),
    cost_currency char(3),
    cost numeric(20, 6) CHECK (cost >= 0),
    transfer_id uuid,
    tax_transfer_id uuid,
    cost_transfer_id uuid,
    CHECK (sale = 0 OR transfer_id IS NOT NULL),
    CHECK (tax = 0 OR tax_transfer_id IS NOT NULL)
) PARTITION BY RANGE (id);
CREATE INDEX rating_ratedcall_seller ON rating_ratedcall (seller_id, id);
CREATE INDEX rating_ratedcall_buyer ON rating_ratedcall (buyer_id, id);

-- The smallest uuid7 of a moment: where a month's partition begins, and how a time becomes a bound on ids.
CREATE FUNCTION rating_id_floor(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

-- Makes a month's partitions if they are missing. Runs as owner, so that whoever imports may ask for it.
CREATE FUNCTION rating_make_partitions(month date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    next timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    big text;
    part text;
BEGIN
    PERFORM pg_advisory_xact_lock(7204002);
    FOREACH big IN ARRAY ARRAY['rating_usagerecord', 'rating_ratedcall'] LOOP
        part := big || '_' || to_char(month, 'YYYYMM');
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                part, big, rating_id_floor(first), rating_id_floor(next));
        END IF;
    END LOOP;
END $$;

-- Rated calls are corrected by new rows and new transfers, never edited. One thing may come late, once: the cost of a
-- call whose carrier had no price yet.
CREATE FUNCTION rating_ratedcall_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.cost IS NULL THEN
        IF (to_jsonb(NEW) - '{cost,cost_currency,cost_terms_id,cost_transfer_id}'::text[])
                = (to_jsonb(OLD) - '{cost,cost_currency,cost_terms_id,cost_transfer_id}'::text[]) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'law append-only: a rated call is never changed or deleted'
        USING ERRCODE = '23514', CONSTRAINT = 'law_append_only';
END $$;

CREATE TRIGGER rating_ratedcall_frozen BEFORE UPDATE OR DELETE ON rating_ratedcall
    FOR EACH ROW EXECUTE FUNCTION rating_ratedcall_frozen();
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rating_ratedcall, rating_usagerecord, rating_recordkey, rating_rateterms
    FROM tollgate_web;
