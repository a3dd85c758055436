-- The laws of the ledger. They hold for every writer: the ORM, COPY, raw SQL, today's code and tomorrow's.
-- Functions that write balances run as their owner (SECURITY DEFINER), so the web's role needs no right to do so.

-- 1. Whether money may move between two accounts at all.
CREATE FUNCTION accounts_transfer_check() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    payer accounts_account;
    payee accounts_account;
    payer_wallet accounts_wallet;
    payee_wallet accounts_wallet;
    lawful boolean;
BEGIN
    SELECT * INTO payer FROM accounts_account WHERE id = NEW.payer_id;
    SELECT * INTO payee FROM accounts_account WHERE id = NEW.payee_id;
    IF payer.currency IS DISTINCT FROM NEW.currency OR payee.currency IS DISTINCT FROM NEW.currency THEN
        RAISE EXCEPTION 'law currency: a transfer in % between accounts in % and %',
            NEW.currency, payer.currency, payee.currency USING ERRCODE = '23514', CONSTRAINT = 'law_currency';
    END IF;
    SELECT * INTO payer_wallet FROM accounts_wallet WHERE account_id = NEW.payer_id;
    SELECT * INTO payee_wallet FROM accounts_wallet WHERE account_id = NEW.payee_id;
    lawful := CASE
        WHEN payer.kind <> 'wallet' AND payee.kind <> 'wallet' THEN payer.owner_id = payee.owner_id
        WHEN payer.kind = 'wallet' AND payee.kind <> 'wallet' THEN
            payer_wallet.seller_id = payee.owner_id
            AND (payer_wallet.funding = 'wholesale' OR payee.kind IN ('tax', 'rounding'))
        WHEN payer.kind <> 'wallet' AND payee.kind = 'wallet' THEN
            payee_wallet.seller_id = payer.owner_id
            AND (payee_wallet.funding = 'wholesale' OR payer.kind IN ('tax', 'rounding'))
        ELSE payer_wallet.seller_wallet_id = NEW.payee_id OR payee_wallet.seller_wallet_id = NEW.payer_id
    END;
    IF lawful IS NOT TRUE THEN
        RAISE EXCEPTION 'law counter-account: % cannot pay %', NEW.payer_id, NEW.payee_id
            USING ERRCODE = '23514', CONSTRAINT = 'law_counter_account';
    END IF;
    -- Shared with other writers, exclusive with whoever cuts snapshots: see accounts_cut_books.
    PERFORM pg_advisory_xact_lock_shared(7204001);
    SELECT version INTO NEW.book_version FROM accounts_bookversion WHERE id = 1;
    NEW.book_version := COALESCE(NEW.book_version, 1);
    RETURN NEW;
END $$;

CREATE TRIGGER accounts_transfer_check BEFORE INSERT ON accounts_transfer
    FOR EACH ROW EXECUTE FUNCTION accounts_transfer_check();

-- 2. What a wallet holds follows from its transfers, at once and nowhere else.
CREATE FUNCTION accounts_wallet_move(wallet uuid, delta numeric, strict boolean) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    after accounts_wallet;
    owed numeric;
BEGIN
    UPDATE accounts_wallet SET posted = posted + delta, version = version + 1
        WHERE account_id = wallet RETURNING * INTO after;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF strict AND after.posted - after.held - after.owed_below + after.credit_limit < 0 THEN
        RAISE EXCEPTION 'law funds: % short by %', wallet,
            -(after.posted - after.held - after.owed_below + after.credit_limit)
            USING ERRCODE = '23514', CONSTRAINT = 'law_funds';
    END IF;
    IF after.seller_wallet_id IS NOT NULL THEN
        owed := GREATEST(0, -after.posted) - GREATEST(0, -(after.posted - delta));
        IF owed <> 0 THEN
            UPDATE accounts_wallet SET owed_below = owed_below + owed, version = version + 1
                WHERE account_id = after.seller_wallet_id;
        END IF;
    END IF;
END $$;

CREATE FUNCTION accounts_transfer_apply() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM accounts_wallet_move(NEW.payee_id, NEW.amount, false);
    PERFORM accounts_wallet_move(NEW.payer_id, -NEW.amount, NEW.kind IN ('allocation', 'withdrawal', 'refund'));
    RETURN NULL;
END $$;

CREATE TRIGGER accounts_transfer_apply AFTER INSERT ON accounts_transfer
    FOR EACH ROW EXECUTE FUNCTION accounts_transfer_apply();

-- 3. Nothing written is ever changed.
CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'law append-only: rows of % are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = 'law_append_only';
END $$;

CREATE TRIGGER accounts_transfer_frozen BEFORE UPDATE OR DELETE ON accounts_transfer
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_account_frozen BEFORE UPDATE OR DELETE ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();

-- 4. A wallet's balance is the triggers' alone; what is on its other side is fixed once money moved.
CREATE FUNCTION accounts_wallet_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'law append-only: a wallet is never deleted'
            USING ERRCODE = '23514', CONSTRAINT = 'law_append_only';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.posted <> 0 OR NEW.held <> 0 OR NEW.owed_below <> 0 OR NEW.version <> 0 THEN
            RAISE EXCEPTION 'law balance: a wallet opens empty'
                USING ERRCODE = '23514', CONSTRAINT = 'law_balance';
        END IF;
        RETURN NEW;
    END IF;
    IF pg_trigger_depth() < 2 AND (NEW.posted, NEW.held, NEW.owed_below, NEW.version)
            IS DISTINCT FROM (OLD.posted, OLD.held, OLD.owed_below, OLD.version) THEN
        RAISE EXCEPTION 'law balance: only transfers and holds move a balance'
            USING ERRCODE = '23514', CONSTRAINT = 'law_balance';
    END IF;
    IF NEW.account_id <> OLD.account_id OR (OLD.version > 0 AND (NEW.seller_id, NEW.seller_wallet_id, NEW.funding)
            IS DISTINCT FROM (OLD.seller_id, OLD.seller_wallet_id, OLD.funding)) THEN
        RAISE EXCEPTION 'law funding: what is on a wallet''s other side is fixed at its first transfer'
            USING ERRCODE = '23514', CONSTRAINT = 'law_funding';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER accounts_wallet_guard BEFORE INSERT OR UPDATE OR DELETE ON accounts_wallet
    FOR EACH ROW EXECUTE FUNCTION accounts_wallet_guard();

-- A distribution wallet hangs on a wallet of its own seller, in the same currency.
CREATE FUNCTION accounts_wallet_kin() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM accounts_account WHERE id = NEW.account_id AND kind = 'wallet') THEN
        RAISE EXCEPTION 'law wallet: its account is of another kind'
            USING ERRCODE = '23514', CONSTRAINT = 'law_wallet';
    END IF;
    IF NEW.seller_wallet_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM accounts_account mine JOIN accounts_account theirs ON theirs.id = NEW.seller_wallet_id
        WHERE mine.id = NEW.account_id AND theirs.owner_id = NEW.seller_id AND theirs.kind = 'wallet'
            AND theirs.currency = mine.currency
    ) THEN
        RAISE EXCEPTION 'law distribution: funded from a wallet of its seller in the same currency'
            USING ERRCODE = '23514', CONSTRAINT = 'law_distribution';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER accounts_wallet_kin AFTER INSERT OR UPDATE OF seller_id, seller_wallet_id, funding ON accounts_wallet
    FOR EACH ROW EXECUTE FUNCTION accounts_wallet_kin();

-- 5. Holds: what is open counts against the wallet at once, and never beyond what is available.
CREATE FUNCTION accounts_hold_apply() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    delta numeric;
    after accounts_wallet;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.account_id <> OLD.account_id OR NEW.key <> OLD.key
            OR (OLD.status <> 'open' AND (NEW.status, NEW.amount) IS DISTINCT FROM (OLD.status, OLD.amount))) THEN
        RAISE EXCEPTION 'law hold: a closed hold stays closed'
            USING ERRCODE = '23514', CONSTRAINT = 'law_hold';
    END IF;
    delta := CASE WHEN NEW.status = 'open' THEN NEW.amount ELSE 0 END;
    IF TG_OP = 'UPDATE' THEN
        delta := delta - CASE WHEN OLD.status = 'open' THEN OLD.amount ELSE 0 END;
    END IF;
    IF delta = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE accounts_wallet SET held = held + delta, version = version + 1
        WHERE account_id = NEW.account_id RETURNING * INTO after;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'law hold: only a wallet can be held' USING ERRCODE = '23514', CONSTRAINT = 'law_hold';
    END IF;
    IF delta > 0 AND after.posted - after.held - after.owed_below + after.credit_limit < 0 THEN
        RAISE EXCEPTION 'law funds: % short by %', NEW.account_id,
            -(after.posted - after.held - after.owed_below + after.credit_limit)
            USING ERRCODE = '23514', CONSTRAINT = 'law_funds';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER accounts_hold_apply AFTER INSERT OR UPDATE ON accounts_hold
    FOR EACH ROW EXECUTE FUNCTION accounts_hold_apply();
CREATE TRIGGER accounts_hold_kept BEFORE DELETE ON accounts_hold
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();

-- 6. Snapshots of accounts without a running balance. Raising the version waits for every writer that holds the
--    shared lock and keeps new ones out until commit: what carries an older version is then complete for ever.
CREATE FUNCTION accounts_cut_books() RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    cut bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7204001);
    INSERT INTO accounts_bookversion (id, version) VALUES (1, 2)
        ON CONFLICT (id) DO UPDATE SET version = accounts_bookversion.version + 1
        RETURNING version - 1 INTO cut;
    RETURN cut;
END $$;

-- 7. The web's role reads money and adds to it; it never edits it.
REVOKE UPDATE, DELETE, TRUNCATE ON accounts_transfer, accounts_account FROM tollgate_web;
REVOKE UPDATE, DELETE, TRUNCATE ON accounts_wallet, accounts_hold FROM tollgate_web;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON accounts_bookversion, accounts_booksnapshot FROM tollgate_web;
GRANT UPDATE (credit_limit, overcommit, warn_below, warned_at, billing, funding, seller_wallet_id)
    ON accounts_wallet TO tollgate_web;
GRANT UPDATE (amount, status, expires_at, closed_at) ON accounts_hold TO tollgate_web;
