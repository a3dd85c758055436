-- Corrections are the only way in which what a call costs may change, and they are as final as the call itself.
CREATE FUNCTION rating_correction_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'law append-only: a correction is never changed or deleted'
        USING ERRCODE = '23514', CONSTRAINT = 'law_append_only';
END $$;

CREATE TRIGGER rating_correction_frozen BEFORE UPDATE OR DELETE ON rating_ratedcorrection
    FOR EACH ROW EXECUTE FUNCTION rating_correction_frozen();
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rating_ratedcorrection FROM tollgate_web;
