#!/bin/sh
# Makes the two logins and the database, once, when the database server is new.
# The owner migrates; the application may not touch history (config/sql/rights.sql).
set -eu
psql --username postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
  --set owner_password="$DATABASE_OWNER_PASSWORD" \
  --set password="$DATABASE_PASSWORD" <<'SQL'
CREATE ROLE purser_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE purser LOGIN PASSWORD :'password';
CREATE DATABASE purser OWNER purser_owner;
REVOKE ALL ON DATABASE purser FROM PUBLIC;
GRANT CONNECT ON DATABASE purser TO purser;
\connect purser
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO purser_owner;
SQL
