"""The second database role, made before any table so that default grants reach them all."""

from __future__ import annotations

WEB_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tollgate_web') THEN
        CREATE ROLE tollgate_web LOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT USAGE ON SCHEMA public TO tollgate_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tollgate_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO tollgate_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tollgate_web;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO tollgate_web;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM tollgate_web;
"""
