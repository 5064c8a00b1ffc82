-- Who may bring in a sealed value from outside: who could open it.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE ROLE regress_other;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_gone FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int, v encrypted(regress_key), n encrypted(regress_key, numeric));
CREATE TABLE t2 (v encrypted(regress_key2));
GRANT USAGE ON SCHEMA regress_user TO regress_other;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA regress_user TO regress_other;
INSERT INTO t VALUES (1, 'secret', 42);
SELECT themis_crypt.encrypted_out(v)::text AS armor, themis_crypt.encrypted_out(n)::text AS armor_n,
	themis_crypt.encrypted_out('gone'::encrypted(regress_gone))::text AS armor_gone,
	themis_crypt.encrypted_out('pending'::encrypted)::text AS pending FROM t \gset
\set SHOW_CONTEXT never
\set VERBOSITY terse

-- not unless the session asks for it: a stranger could have it opened
RESET themis_crypt.sealed_input;
INSERT INTO t VALUES (2, :'armor', NULL);
\echo :LAST_ERROR_SQLSTATE
PREPARE app AS INSERT INTO t VALUES (2, $1);
EXECUTE app(:'armor');
EXECUTE app(:'pending');
DEALLOCATE app;
SELECT count(*) FROM t;
SET themis_crypt.sealed_input = on;

-- with USAGE
INSERT INTO t VALUES (2, :'armor', :'armor_n');
INSERT INTO t SELECT * FROM json_populate_record(NULL::t, json_build_object('id', 3, 'v', :'armor'));
SELECT id, v::text, n::numeric FROM t ORDER BY id;
-- of another key or type: a literal is sealed anew, as an assignment would do
INSERT INTO t2 VALUES (:'armor');
INSERT INTO t VALUES (4, :'armor_n', NULL);
SELECT v::text FROM t2;
SELECT v::text FROM t WHERE id = 4;
INSERT INTO t VALUES (5, NULL, :'armor');
\echo :LAST_ERROR_SQLSTATE
-- but not where the type input is all there is
INSERT INTO t2 SELECT * FROM json_populate_record(NULL::t2, json_build_object('v', :'armor'));
\echo :LAST_ERROR_SQLSTATE
INSERT INTO t SELECT * FROM json_populate_record(NULL::t, json_build_object('v', :'armor_n'));
SELECT ('(1,' || :'armor_n' || ',)')::t;
SELECT (ARRAY[:'armor']::encrypted(regress_key2)[])[1]::text, (('{' || :'armor' || '}')::encrypted(regress_key2)[])[1]::text;

-- of a key that is gone
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_gone;
\set VERBOSITY sqlstate
SELECT :'armor_gone'::encrypted;
\set VERBOSITY terse

-- without USAGE: a value copied from one's own SELECT is not read by somebody else
SET ROLE regress_other;
INSERT INTO regress_user.t VALUES (6, :'armor', NULL);
\echo :LAST_ERROR_SQLSTATE
UPDATE regress_user.t SET v = :'armor';
SELECT :'armor'::encrypted;
SELECT :'armor'::encrypted(regress_key);
SELECT ('(1,' || :'armor' || ',)')::regress_user.t;
SELECT ('{' || :'armor' || '}')::encrypted[];
SELECT * FROM json_populate_record(NULL::regress_user.t, json_build_object('v', :'armor'));
PREPARE p(encrypted) AS INSERT INTO regress_user.t (v) VALUES ($1);
EXECUTE p(:'armor');
SELECT id FROM regress_user.t ORDER BY id;

-- the setting for restoring dumps
SET themis_crypt.restore = on;
\echo :LAST_ERROR_SQLSTATE
SELECT set_config('themis_crypt.restore', 'on', false);
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql SET themis_crypt.restore = on AS 'SELECT 1';
RESET ROLE;
ALTER ROLE regress_other SET themis_crypt.restore = on;	-- a superuser may
ALTER ROLE regress_other RESET themis_crypt.restore;
SET themis_crypt.restore = on;
SET ROLE regress_other;
INSERT INTO regress_user.t VALUES (7, :'armor', NULL);
INSERT INTO regress_user.t2 SELECT * FROM json_populate_record(NULL::regress_user.t2, json_build_object('v', :'armor'));
SELECT v::text FROM regress_user.t WHERE id = 7;
INSERT INTO regress_user.t VALUES (8, 'plaintext is sealed as ever, with USAGE', NULL);
RESET ROLE;
RESET themis_crypt.restore;
GRANT SET ON PARAMETER themis_crypt.restore TO regress_other;
SET ROLE regress_other;
SET themis_crypt.restore = on;
INSERT INTO regress_user.t VALUES (9, :'armor', NULL);
RESET themis_crypt.restore;
SET ROLE regress_user;
SELECT id, v::text FROM t WHERE id > 6 ORDER BY id;

-- a pending value is for the role that made it
SELECT :'pending'::encrypted(regress_key)::text;
INSERT INTO t VALUES (10, :'pending', NULL);
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_other;
SET ROLE regress_other;
SELECT :'pending'::encrypted;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO regress_user.t VALUES (11, :'pending', NULL);
RESET ROLE;
SET themis_crypt.restore = on;
SELECT :'pending'::encrypted;
RESET themis_crypt.restore;
SET ROLE regress_user;
-- and whoever changes the name in it has changed the value
CREATE FUNCTION bytes_of(armor text) RETURNS bytea LANGUAGE sql RETURN
	decode(rpad(translate(substr(armor, 5), '-_', '+/'), (length(armor) - 2) / 4 * 4, '='), 'base64');
CREATE FUNCTION armor_of(bytes bytea) RETURNS text LANGUAGE sql RETURN
	'tc1:' || translate(encode(bytes, 'base64'), E'+/=\n', '-_');
SELECT convert_from(substr(bytes_of(:'pending'), 12, 12), 'UTF8') AS name, armor_of(bytes_of(:'pending')) = :'pending' AS same,
	armor_of(overlay(bytes_of(:'pending') PLACING 'regress_othe' FROM 12)) AS renamed \gset
\echo :name :same
RESET ROLE;
ALTER ROLE regress_other RENAME TO regress_othe;
SET ROLE regress_othe;
SELECT :'renamed'::encrypted(regress_key)::text;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER ROLE regress_othe RENAME TO regress_other;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
REVOKE SET ON PARAMETER themis_crypt.restore FROM regress_other;
DROP OWNED BY regress_user, regress_other;
DROP ROLE regress_user, regress_other;
