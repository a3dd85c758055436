-- Plans of these functions are made once for a connection, maybe while tables are empty and a scan of all is as good as
-- an index: it would stay so for as long as the connection. They look for single rows by key, always.
DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'rating\_live\_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET enable_seqscan = off', one);
    END LOOP;
END $$;
