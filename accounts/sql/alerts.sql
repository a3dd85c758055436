-- Alarms are raised and ended by the watches alone, which run as the owner; people read them.
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON accounts_alertevent, accounts_alertmark FROM tollgate_web;
