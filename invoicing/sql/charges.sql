-- What was charged stays charged: a charge beside calls is a row of facts, as its transfer is.
CREATE TRIGGER invoicing_charge_frozen BEFORE UPDATE OR DELETE ON invoicing_charge
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON invoicing_charge FROM tollgate_web;
