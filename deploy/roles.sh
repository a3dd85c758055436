#!/bin/sh
# Runs once, when the database's volume is empty: the owner, by whom tables are made and workers work, and the role of
# the web, which owns nothing. Neither is a superuser.
set -eu
psql -v ON_ERROR_STOP=1 -v owner_password="$OWNER_PASSWORD" -v web_password="$WEB_PASSWORD" -U postgres <<'SQL'
CREATE ROLE tollgate_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE tollgate_web LOGIN PASSWORD :'web_password';
GRANT tollgate_web TO tollgate_owner WITH ADMIN OPTION;
CREATE DATABASE tollgate OWNER tollgate_owner;
SQL
