-- An issued invoice is paper: what was printed stays. Only its life goes on (sent, paid, overdue, credited).
CREATE FUNCTION invoicing_invoice_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.number IS NULL THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (to_jsonb(NEW) - '{status,sent_at,paid_at,due}'::text[])
            = (to_jsonb(OLD) - '{status,sent_at,paid_at,due}'::text[])
            AND NEW.status NOT IN ('draft', 'approved') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'law paper: invoice % is issued and cannot be changed', OLD.number
        USING ERRCODE = '23514', CONSTRAINT = 'law_paper';
END $$;

CREATE TRIGGER invoicing_invoice_frozen BEFORE UPDATE OR DELETE ON invoicing_invoice
    FOR EACH ROW EXECUTE FUNCTION invoicing_invoice_frozen();

CREATE FUNCTION invoicing_parts_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    issued varchar;
BEGIN
    SELECT number INTO issued FROM invoicing_invoice
        WHERE id = CASE WHEN TG_OP = 'INSERT' THEN NEW.invoice_id ELSE OLD.invoice_id END;
    IF issued IS NOT NULL THEN
        RAISE EXCEPTION 'law paper: invoice % is issued and cannot be changed', issued
            USING ERRCODE = '23514', CONSTRAINT = 'law_paper';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER invoicing_line_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoicing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION invoicing_parts_frozen();
CREATE TRIGGER invoicing_billed_frozen BEFORE INSERT OR UPDATE OR DELETE ON invoicing_billedtransfer
    FOR EACH ROW EXECUTE FUNCTION invoicing_parts_frozen();
