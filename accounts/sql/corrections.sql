-- 8. A transfer that names another corrects it: between the same two accounts, either way, and of the same kind. What
--    is named is the first one: a correction of a correction names the original too.
CREATE FUNCTION accounts_transfer_corrects() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    original accounts_transfer;
BEGIN
    SELECT * INTO original FROM accounts_transfer WHERE id = NEW.reverses_id;
    IF original.reverses_id IS NOT NULL OR original.kind IS DISTINCT FROM NEW.kind
            OR (LEAST(NEW.payer_id, NEW.payee_id), GREATEST(NEW.payer_id, NEW.payee_id)) IS DISTINCT FROM
                (LEAST(original.payer_id, original.payee_id), GREATEST(original.payer_id, original.payee_id)) THEN
        RAISE EXCEPTION 'law correction: % is not of the kind and accounts that % corrects', NEW.reverses_id, NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'law_correction';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER accounts_transfer_corrects BEFORE INSERT ON accounts_transfer
    FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL) EXECUTE FUNCTION accounts_transfer_corrects();
