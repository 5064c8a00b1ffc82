-- Keys are foreign servers: making, changing and dropping them.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_super SUPERUSER;
CREATE ROLE regress_officer;
CREATE ROLE regress_officer2;
CREATE ROLE regress_user;
GRANT regress_officer, regress_officer2 TO regress_super;
CREATE SCHEMA AUTHORIZATION regress_officer;
GRANT USAGE, CREATE ON SCHEMA regress_officer TO regress_user, regress_officer2;

-- making needs USAGE on the wrapper
SET ROLE regress_officer;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.create_key('regress_key');
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_officer, regress_officer2;
SET ROLE regress_officer;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER IF NOT EXISTS regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER IF NOT EXISTS regress_key2 TYPE 'any' VERSION '1' FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_chosen FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'xchacha20poly1305');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'rot13');
\echo :LAST_ERROR_SQLSTATE
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm '');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'aegis128l');
-- and how it makes blind tokens
CREATE SERVER regress_blake FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'blake2b');
CREATE SERVER regress_sip FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'xchacha20poly1305', index_algorithm 'siphash128');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'md5');
\echo :LAST_ERROR_SQLSTATE
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm '');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'BLAKE2B');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'xchacha20poly1305');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'siphash128');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'siphash128', index_algorithm 'blake2b');
SELECT themis_crypt.create_key('regress Created');
SELECT themis_crypt.create_key('regress_created2', 'xchacha20poly1305');
SELECT themis_crypt.create_key('regress_created3', index_algorithm => 'siphash128');
SELECT themis_crypt.create_key(name => 'regress_wrong', algorithm => 'rot13');
SELECT themis_crypt.create_key(name => 'regress_wrong', index_algorithm => 'sip'', host ''x');
SELECT themis_crypt.create_key(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.create_key('regress_wrong', NULL);
SELECT themis_crypt.create_key('regress_wrong', index_algorithm => NULL);
SELECT themis_crypt.create_key('regress_wrong', compression => NULL);
SELECT themis_crypt.create_key('regress_key');
SELECT themis_crypt.create_key('');

-- what the view shows
SELECT name, id ~ '^[0-9a-f]{1,6}$' AS id, owner, algorithm, index_algorithm, versions, current, usable_by FROM themis_crypt.keys WHERE name ~ '^regress' ORDER BY name COLLATE "C";
SELECT count(DISTINCT id) = count(*) AS ids_differ FROM themis_crypt.keys;
-- what everybody can read has no key in it, but wrapped: names and lengths
SELECT option_name, CASE WHEN option_name ~ '^(id|uuid|realm|mac)$' THEN regexp_replace(option_value, '[A-Za-z0-9_-]', '.', 'g')
	ELSE regexp_replace(option_value, ':.*', ': ' || length(option_value)) END AS option_value
	FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname = 'regress_key' AND option_name <> 'id';
-- a superuser is told
SET ROLE regress_super;
CREATE SERVER regress_supers FOREIGN DATA WRAPPER themis_crypt;
REVOKE USAGE ON FOREIGN SERVER regress_supers FROM regress_super;
SELECT usable_by FROM themis_crypt.keys WHERE name = 'regress_supers';

-- reserved names
SET ROLE regress_officer;
CREATE SERVER themis_root FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER themis_root2 FOREIGN DATA WRAPPER themis_crypt;
\echo :LAST_ERROR_SQLSTATE
CREATE SERVER "#a1b2c3" FOREIGN DATA WRAPPER themis_crypt;
SELECT themis_crypt.create_key('themis_root_00000000');
ALTER SERVER regress_key RENAME TO themis_rooted;
ALTER SERVER regress_key RENAME TO "#1";

-- changing: name, owner, comment; never the options, by nobody
ALTER SERVER regress_chosen RENAME TO regress_renamed;
ALTER SERVER regress_renamed VERSION '2';
COMMENT ON SERVER regress_renamed IS 'a comment';
-- core's words for this differ by version
\set VERBOSITY sqlstate
ALTER SERVER regress_renamed OWNER TO regress_officer2;
\set VERBOSITY default
ALTER SERVER regress_key OPTIONS (SET id '7');
\echo :LAST_ERROR_SQLSTATE
ALTER SERVER regress_key OPTIONS (DROP mac);
ALTER SERVER regress_key OPTIONS (ADD v2 'xchacha20poly1305:AAAA');
ALTER SERVER regress_key OPTIONS (host 'localhost');
ALTER SERVER regress_key VERSION '2' OPTIONS (SET current '2');
ALTER SERVER regress_sip OPTIONS (SET index_algorithm 'blake2b');
ALTER SERVER regress_sip OPTIONS (ADD index_algorithm 'blake2b');
SET ROLE regress_super;
ALTER SERVER regress_key OPTIONS (SET id '7');
ALTER SERVER regress_key OPTIONS (DROP mac);
ALTER SERVER regress_sip OPTIONS (SET index_algorithm 'blake2b');
ALTER SERVER regress_sip OPTIONS (SET index 'blake2b:AAAA');
ALTER SERVER themis_root OPTIONS (SET record 'AAAA');
\echo :LAST_ERROR_SQLSTATE
ALTER SERVER regress_renamed OWNER TO regress_officer2;
SELECT srvowner::regrole, srvversion, obj_description(oid, 'pg_foreign_server') FROM pg_foreign_server WHERE srvname = 'regress_renamed';
SET ROLE regress_user;
ALTER SERVER regress_key RENAME TO regress_mine;
ALTER SERVER regress_key OPTIONS (SET id '7');
DROP SERVER regress_key;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
RESET themis_crypt.allow_drop_key;

-- the root belongs to nobody's statements
SET ROLE regress_super;
ALTER SERVER themis_root RENAME TO regress_root;
\echo :LAST_ERROR_SQLSTATE
GRANT USAGE ON FOREIGN SERVER themis_root TO regress_user;
GRANT USAGE ON FOREIGN SERVER regress_key, themis_root TO regress_user;
ALTER SERVER themis_root OWNER TO regress_user;
COMMENT ON SERVER themis_root IS 'by a superuser';
COMMENT ON SERVER themis_root IS NULL;
SET themis_crypt.allow_drop_key = on;
\set VERBOSITY terse
DROP SERVER themis_root;
CREATE TABLE regress_officer.t (x encrypted(regress_key));
DROP SERVER themis_root CASCADE;
\set VERBOSITY default
DROP TABLE regress_officer.t;
RESET themis_crypt.allow_drop_key;

-- nothing hangs on a key
CREATE USER MAPPING FOR regress_user SERVER regress_key;
\echo :LAST_ERROR_SQLSTATE
CREATE USER MAPPING FOR PUBLIC SERVER regress_key OPTIONS (password 'x');
CREATE FOREIGN TABLE regress_officer.ft (x int) SERVER regress_key;
CREATE FOREIGN TABLE regress_officer.ft PARTITION OF regress_officer.nothing DEFAULT SERVER regress_key;
IMPORT FOREIGN SCHEMA public FROM SERVER regress_key INTO regress_officer;
ALTER FOREIGN DATA WRAPPER themis_crypt OPTIONS (ADD x 'y');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (host 'localhost');

-- material: not by ordinary roles
SET ROLE regress_officer;
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (id '7');
\echo :LAST_ERROR_SQLSTATE
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (kind 'key');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'xchacha20poly1305', nonsense '1');
CREATE SERVER IF NOT EXISTS regress_key FOREIGN DATA WRAPPER themis_crypt OPTIONS (id '7');

-- a key comes back from its options, as from a dump
CREATE TABLE saved AS SELECT srvname::text AS name, srvoptions AS options FROM pg_foreign_server WHERE srvname IN ('regress_key', 'regress_key2', 'regress_sip', 'themis_root');
GRANT SELECT ON saved TO regress_officer2;
CREATE FUNCTION restore(saved_name text, new_name text, changed text DEFAULT '', change text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
BEGIN
	EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER themis_crypt OPTIONS (%s)', new_name,
		(SELECT string_agg(format('%I %L', option_name, CASE option_name WHEN changed THEN coalesce(nullif(change, '@'), '') ELSE option_value END), ', ')
			FROM regress_officer.saved, pg_options_to_table(options) WHERE name = saved_name AND NOT (option_name = changed AND change = 'drop')));
	RETURN 'restored';
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''));
END $$;
SELECT themis_crypt.encrypted_out('sealed before'::encrypted(regress_key))::text AS armor \gset
SELECT restore('regress_key', 'regress_copy');
SET ROLE regress_super;
SELECT regress_officer.restore('regress_key', 'regress_copy');
SET search_path = regress_officer;
SELECT restore('regress_key', 'regress_key');
SELECT restore('themis_root', 'themis_root');
SELECT restore('themis_root', 'themis_root_12345678');
SELECT restore('themis_root', 'regress_root');
SELECT restore('regress_key', 'themis_root_1');
SET ROLE regress_officer;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
SELECT restore('regress_key', 'regress_key');
SET ROLE regress_officer2;
SELECT restore('regress_key', 'regress_mine');
SET ROLE regress_super;
SELECT changed, restore('regress_key', 'regress_key', changed, change) FROM (VALUES
	('id', '7'), ('id', '16777216'), ('id', '0'), ('id', 'drop'), ('kind', 'root'), ('kind', 'drop'),
	('uuid', repeat('A', 22)), ('uuid', 'AAAA'), ('realm', 'drop'), ('current', '2'), ('min_version', '2'), ('min_version', '0'),
	('state', 'disabled'), ('mac', repeat('A', 22)), ('mac', repeat('A', 48)), ('mac', 'drop'), ('v1', 'drop'), ('v1', 'xchacha20poly1305:AAAA'),
	('v1', 'xchacha20poly1305:' || repeat('A', 107)), ('index', 'blake2b:AAAA'), ('index', 'blake2b:' || repeat('A', 107)), ('algorithm', 'rot13'), ('algorithm', '@')) AS x(changed, change);
SELECT restore('regress_key', 'regress_key');
ALTER SERVER regress_key OWNER TO regress_officer;
SET ROLE regress_officer;
SELECT :'armor'::encrypted(regress_key)::text;

-- the wraps of one key do not make another
SET ROLE regress_super;
DROP SERVER regress_key2;
SELECT restore('regress_key2', 'regress_key2', 'v1', (SELECT option_value FROM regress_officer.saved, pg_options_to_table(options) WHERE name = 'regress_key' AND option_name = 'v1'));
SELECT restore('regress_key2', 'regress_key2', 'mac', (SELECT option_value FROM regress_officer.saved, pg_options_to_table(options) WHERE name = 'regress_key' AND option_name = 'mac'));
SELECT restore('regress_key2', 'regress_key2', 'uuid', (SELECT option_value FROM regress_officer.saved, pg_options_to_table(options) WHERE name = 'regress_key' AND option_name = 'uuid'));
SELECT restore('regress_key2', 'regress_key2', 'id', (SELECT option_value FROM regress_officer.saved, pg_options_to_table(options) WHERE name = 'regress_key' AND option_name = 'id'));
SELECT restore('regress_key2', 'regress_key2', 'index', (SELECT replace(option_value, 'blake2b:', 'siphash128:') FROM regress_officer.saved, pg_options_to_table(options) WHERE name = 'regress_key2' AND option_name = 'index'));
SELECT restore('regress_key2', 'regress_key2');

-- nor does the option of another index algorithm, or of none; a dump keeps it
SET ROLE regress_officer;
CREATE TABLE sip (x encrypted(regress_sip, text, searchable));
INSERT INTO sip VALUES ('findable'), ('findable'), ('other');
SELECT x::text, substring(themis_crypt.encrypted_send(x), 9, 16) AS token INTO found FROM sip WHERE x = 'findable';
SELECT count(*), count(DISTINCT token) FROM found;
DROP TABLE sip;
SET ROLE regress_super;
DROP SERVER regress_sip;
SELECT restore('regress_sip', 'regress_sip', 'index', (SELECT replace(option_value, 'siphash128:', new) FROM regress_officer.saved, pg_options_to_table(options) WHERE name = 'regress_sip' AND option_name = 'index'))
	FROM unnest(ARRAY['blake2b:', 'siphash:', 'md5:', ':', '', 'siphash128::', 'siphash128']) AS new;
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (kind 'key', index_algorithm 'blake2b');
SELECT restore('regress_sip', 'regress_sip');
ALTER SERVER regress_sip OWNER TO regress_officer;
SELECT index_algorithm FROM themis_crypt.keys WHERE name = 'regress_sip';
SET ROLE regress_officer;
CREATE TABLE sip (x encrypted(regress_sip, text, searchable));
INSERT INTO sip VALUES ('findable'), ('other');
SELECT x::text, substring(themis_crypt.encrypted_send(x), 9, 16) IN (SELECT token FROM found) AS same_token FROM sip WHERE x = 'findable';

-- altered in the catalog: the key makes no token, and opens nothing
RESET ROLE;
SET allow_system_table_mods = on;
BEGIN;
UPDATE pg_foreign_server SET srvoptions = ARRAY(SELECT replace(o, 'index=siphash128:', 'index=blake2b:') FROM unnest(srvoptions) AS o) WHERE srvname = 'regress_sip';
SET LOCAL ROLE regress_officer;
SELECT index_algorithm FROM themis_crypt.keys WHERE name = 'regress_sip';
SAVEPOINT altered;
SELECT count(*) FROM sip WHERE x = 'findable';
ROLLBACK TO altered;
INSERT INTO sip VALUES ('findable');
ROLLBACK TO altered;
SELECT x::text FROM sip;
ROLLBACK;
RESET allow_system_table_mods;
SET ROLE regress_officer;
SELECT count(*) FROM sip WHERE x = 'findable';
DROP TABLE sip, found;
DROP SERVER regress_sip, regress_blake, regress_created3;

-- dropping
RESET search_path;
SET ROLE regress_officer;
RESET themis_crypt.allow_drop_key;
CREATE TABLE t (x encrypted(regress_key));
DROP SERVER regress_key;
\echo :LAST_ERROR_SQLSTATE
DROP SERVER "regress Created";
\echo :LAST_ERROR_SQLSTATE
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key CASCADE;
\echo :LAST_ERROR_SQLSTATE
DROP SERVER "regress Created", regress_key CASCADE;
DROP SERVER "regress Created";
DROP SERVER IF EXISTS "regress Created";
DROP TABLE t;
BEGIN;
DROP SERVER regress_key;
ROLLBACK;
SELECT :'armor'::encrypted(regress_key)::text;

-- roles that own keys
RESET ROLE;
DROP ROLE regress_officer2;
REASSIGN OWNED BY regress_officer2 TO regress_officer;
SELECT name, owner FROM themis_crypt.keys WHERE name ~ '^regress' ORDER BY name COLLATE "C";
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_user;
DROP ROLE regress_user;
SET ROLE regress_officer2;
CREATE SERVER regress_owned FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE regress_officer.t (x encrypted(regress_owned));
RESET ROLE;
RESET themis_crypt.allow_drop_key;
DROP OWNED BY regress_officer2;
SET themis_crypt.allow_drop_key = on;
DROP OWNED BY regress_officer2;
DROP TABLE regress_officer.t;
DROP OWNED BY regress_officer2;
SELECT count(*) FROM themis_crypt.keys WHERE name = 'regress_owned';

-- the extension, and what it takes with it
CREATE TABLE regress_officer.t (x encrypted(regress_key));
\set VERBOSITY terse
DROP EXTENSION themis_crypt;
\echo :LAST_ERROR_SQLSTATE
SET client_min_messages = warning;
DROP EXTENSION themis_crypt CASCADE;
DROP FOREIGN DATA WRAPPER themis_crypt CASCADE;
DROP TYPE encrypted CASCADE;
DROP SCHEMA themis_crypt CASCADE;
DROP OWNED BY regress_officer CASCADE;
DROP TABLE regress_officer.t;
RESET themis_crypt.allow_drop_key;
DROP EXTENSION themis_crypt CASCADE;
DROP OWNED BY regress_officer CASCADE;
RESET client_min_messages;
\set VERBOSITY default

-- statements that must not write do not
BEGIN READ ONLY;
SET LOCAL ROLE regress_officer;
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
CREATE FUNCTION regress_officer.stable() RETURNS void STABLE LANGUAGE plpgsql AS 'BEGIN CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt; END';
SELECT regress_officer.stable();

-- an event trigger runs in the middle of our own statements, with no more rights
CREATE FUNCTION regress_officer.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'ALTER SERVER regress_key OPTIONS (SET current ''2'')';
EXCEPTION WHEN insufficient_privilege THEN
	RAISE NOTICE '%: %', tg_tag, SQLERRM;
END $$;
CREATE EVENT TRIGGER regress_start ON ddl_command_start WHEN tag IN ('CREATE SERVER') EXECUTE FUNCTION regress_officer.meddle();
CREATE EVENT TRIGGER regress_end ON ddl_command_end WHEN tag IN ('CREATE SERVER') EXECUTE FUNCTION regress_officer.meddle();
SET ROLE regress_officer;
CREATE SERVER regress_meddled FOREIGN DATA WRAPPER themis_crypt;
SELECT themis_crypt.create_key('regress_meddled2');
RESET ROLE;
DROP EVENT TRIGGER regress_start;
DROP EVENT TRIGGER regress_end;

-- a key from inside other statements
SET ROLE regress_officer;
DO $$ BEGIN
	CREATE SERVER regress_in_do FOREIGN DATA WRAPPER themis_crypt;
	CREATE TABLE in_do (x encrypted(regress_in_do));
	INSERT INTO in_do VALUES ('x');
END $$;
SELECT x::text FROM in_do;

-- ways around what is guarded
RESET ROLE;
CREATE SERVER themis_root_other FOREIGN DATA WRAPPER regress_nothing;
CREATE FOREIGN DATA WRAPPER regress_other;
CREATE SERVER themis_root_other FOREIGN DATA WRAPPER regress_other;
CREATE SERVER regress_other FOREIGN DATA WRAPPER regress_other;
ALTER SERVER regress_other RENAME TO themis_root_other;
DROP FOREIGN DATA WRAPPER regress_other CASCADE;
ALTER EXTENSION themis_crypt ADD SERVER regress_key;
ALTER FOREIGN DATA WRAPPER themis_crypt RENAME TO other;
CREATE TYPE regress_enum AS ENUM ('secret');
CREATE FUNCTION regress_cast(regress_enum, int) RETURNS encrypted LANGUAGE sql AS 'SELECT $1::text::encrypted';
CREATE CAST (regress_enum AS encrypted) WITH FUNCTION regress_cast(regress_enum, int) AS ASSIGNMENT;
CREATE CAST (encrypted AS regress_enum) WITH INOUT AS IMPLICIT;
DROP FUNCTION regress_cast;
DROP TYPE regress_enum;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_officer CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP OWNED BY regress_officer, regress_officer2, regress_user, regress_super;
DROP ROLE regress_officer, regress_officer2, regress_user, regress_super;
SELECT name FROM themis_crypt.keys WHERE name ~ '^regress';
