-- What prices were known to be, and since when. A list that follows by publication is derived from its base as it was
-- known at the publication, so nothing that made a price is lost when it is changed. Writers need not know of it.
--
-- Order of time: a statement that changes prices takes the lock shared before it stamps anything; a publication takes
-- it alone and reads the clock then. So whatever carries an earlier stamp is committed, and what comes carries a later.

CREATE FUNCTION rating_prices_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7204020);
    RETURN NULL;
END $$;

CREATE FUNCTION rating_publication_clock() RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7204020);
    RETURN clock_timestamp();
END $$;

-- 1. Rates: typed, since there are many of them.
ALTER TABLE rating_rate ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT clock_timestamp();

CREATE FUNCTION rating_rate_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rating_pastrate (rate_id, table_id, prefix, destination, price, connect_fee, first_s, step_s, grace_s,
                                 free_s, min_charge, steps, bands, blocked, effective_from, effective_to, recorded_at,
                                 superseded_at)
    SELECT id, table_id, prefix, destination, price, connect_fee, first_s, step_s, grace_s, free_s, min_charge, steps,
           bands, blocked, effective_from, effective_to, recorded_at, clock_timestamp()
      FROM gone;
    RETURN NULL;
END $$;

CREATE TRIGGER rating_rate_turn BEFORE INSERT OR UPDATE OR DELETE ON rating_rate
    FOR EACH STATEMENT EXECUTE FUNCTION rating_prices_change();
CREATE TRIGGER rating_rate_updated AFTER UPDATE ON rating_rate
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION rating_rate_kept();
CREATE TRIGGER rating_rate_deleted AFTER DELETE ON rating_rate
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION rating_rate_kept();

-- 2. The few rows beside them, whole.
CREATE FUNCTION rating_row_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rating_pastrow (source, row_id, "row", recorded_at, superseded_at)
    SELECT TG_TABLE_NAME, one ->> 'id', one, (one ->> 'recorded_at')::timestamptz, clock_timestamp()
      FROM (SELECT to_jsonb(gone) AS one FROM gone) past;
    RETURN NULL;
END $$;

DO $$
DECLARE
    source text;
BEGIN
    FOREACH source IN ARRAY ARRAY['rating_listterms', 'rating_listrule', 'rating_groupmembers', 'rating_publication',
                                  'rating_exchangerate'] LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()', source);
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION rating_prices_change()', source || '_turn', source);
        EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I REFERENCING OLD TABLE AS gone '
                       'FOR EACH STATEMENT EXECUTE FUNCTION rating_row_kept()', source || '_updated', source);
        EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %I REFERENCING OLD TABLE AS gone '
                       'FOR EACH STATEMENT EXECUTE FUNCTION rating_row_kept()', source || '_deleted', source);
    END LOOP;
END $$;

-- 3. Which version a table had when.
CREATE FUNCTION rating_table_version_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rating_tableversion (table_id, version, at) VALUES (NEW.id, NEW.version, clock_timestamp())
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER rating_table_version_kept AFTER INSERT OR UPDATE OF version ON rating_ratetable
    FOR EACH ROW EXECUTE FUNCTION rating_table_version_kept();

-- 4. What was is not edited.
REVOKE UPDATE, DELETE, TRUNCATE ON rating_pastrate, rating_pastrow, rating_tableversion FROM tollgate_web;
