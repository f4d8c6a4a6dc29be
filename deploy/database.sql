-- One's own PostgreSQL 16, 17 or 18: three roles that are strangers to each other, one database. Run once, by a superuser:
--   psql -v owner_password=... -v app_password=... -v sealer_password=... -f deploy/database.sql
-- Then MIGRATION_DATABASE_URL=postgresql://tele_owner:...@host/telehealth (for `manage.py migrate` alone) and
-- DATABASE_URL=postgresql://tele_app:...@host/telehealth (for everything that runs, but the sealer,
-- which runs as tele_sealer: it alone writes leaves and checkpoints of the audit log).

CREATE ROLE tele_owner LOGIN NOSUPERUSER NOINHERIT NOCREATEROLE NOCREATEDB PASSWORD :'owner_password';
CREATE ROLE tele_app LOGIN NOSUPERUSER NOINHERIT NOCREATEROLE NOCREATEDB PASSWORD :'app_password';
CREATE ROLE tele_sealer LOGIN NOSUPERUSER NOINHERIT NOCREATEROLE NOCREATEDB PASSWORD :'sealer_password';

CREATE DATABASE telehealth OWNER tele_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE telehealth FROM PUBLIC;
GRANT CONNECT ON DATABASE telehealth TO tele_app, tele_sealer;

-- A failing or slow statement would bring its values into the server's log (`manage.py check --database default` asks).
ALTER DATABASE telehealth SET log_min_error_statement = 'panic';
ALTER DATABASE telehealth SET log_parameter_max_length_on_error = 0;
ALTER DATABASE telehealth SET log_error_verbosity = 'terse';
ALTER DATABASE telehealth SET log_parameter_max_length = 0;
ALTER DATABASE telehealth SET log_statement = 'none';
ALTER DATABASE telehealth SET log_min_duration_statement = -1;
ALTER DATABASE telehealth SET log_min_duration_sample = -1;

\connect telehealth
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS citext;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tele_app, tele_sealer;
