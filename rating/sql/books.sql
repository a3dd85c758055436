-- Which statements make compiled price books stale. Statement-level; a statement that touched no row leaves no trace.
CREATE FUNCTION rating_books_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rating_bookchange (changes, at) VALUES (1, now());
    RETURN NULL;
END $$;

CREATE FUNCTION rating_books_changed_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        INSERT INTO rating_bookchange (changes, at) VALUES (1, now());
    END IF;
    RETURN NULL;
END $$;

-- A wallet counts by who pays whom and how, never by its balance.
CREATE TRIGGER books_changed_ins AFTER INSERT ON accounts_wallet
    FOR EACH STATEMENT EXECUTE FUNCTION rating_books_changed();
CREATE TRIGGER books_changed_del AFTER DELETE ON accounts_wallet
    FOR EACH STATEMENT EXECUTE FUNCTION rating_books_changed();
CREATE TRIGGER books_changed_upd AFTER UPDATE ON accounts_wallet
    FOR EACH ROW WHEN (OLD.billing IS DISTINCT FROM NEW.billing OR OLD.seller_id IS DISTINCT FROM NEW.seller_id
                       OR OLD.seller_wallet_id IS DISTINCT FROM NEW.seller_wallet_id)
    EXECUTE FUNCTION rating_books_changed();

-- Rates come by the hundred thousand: no copy of the rows is kept for the trigger.
CREATE TRIGGER books_changed AFTER INSERT OR UPDATE OR DELETE ON rating_rate
    FOR EACH STATEMENT EXECUTE FUNCTION rating_books_changed();
