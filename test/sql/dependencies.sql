-- What is encrypted under a key depends on its foreign server: table by table
-- (never by column), type by type, and kept true as columns come and go.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_a FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_b FOREIGN DATA WRAPPER themis_crypt;
CREATE VIEW depends AS SELECT * FROM (
	SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS object, s.srvname AS key, d.deptype, count(*)
	FROM pg_depend AS d JOIN pg_foreign_server AS s ON d.refclassid = 'pg_foreign_server'::regclass AND d.refobjid = s.oid
	WHERE s.srvname ~ '^regress' GROUP BY 1, 2, 3) AS x
	ORDER BY object COLLATE "C", key;

CREATE TABLE t (id int, x encrypted(regress_a), y encrypted(regress_a, int4), z encrypted(regress_b));
CREATE TABLE arrays (x encrypted(regress_a)[]);
CREATE TABLE late (x text);
CREATE TYPE composite AS (x encrypted(regress_a), y encrypted(regress_b));
CREATE DOMAIN domain AS encrypted(regress_a);
CREATE DOMAIN domains AS encrypted(regress_b)[];
CREATE TABLE through (c composite, d domain);
CREATE TABLE parted (id int, x encrypted(regress_a)) PARTITION BY LIST (id);
CREATE TABLE part1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE child (w encrypted(regress_b)) INHERITS (t);
CREATE TABLE ctas AS SELECT x FROM t;
CREATE MATERIALIZED VIEW matview AS SELECT z FROM t;
CREATE VIEW view AS SELECT 'v'::text::encrypted(regress_a) AS v;
CREATE FUNCTION argument(encrypted DEFAULT 'x'::text::encrypted(regress_a)) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION body() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT ('x'::text::encrypted(regress_b))::text::int; END;
CREATE TEMP TABLE temporary (x encrypted(regress_b));
SELECT * FROM depends;

-- columns in FROM count, even if nothing else names them
BEGIN;
CREATE FUNCTION listed() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM json_to_record('{}') AS r (x encrypted(regress_a)); END;
CREATE FUNCTION tabled() RETURNS bigint LANGUAGE sql
	BEGIN ATOMIC SELECT count(*) FROM xmltable('/r' PASSING (NULL::xml) COLUMNS x encrypted(regress_b)); END;
SELECT * FROM depends WHERE object ~ 'listed|tabled';
ROLLBACK;

-- add, alter, drop
DROP TABLE child;
DROP MATERIALIZED VIEW matview;
ALTER TABLE late ADD y encrypted(regress_b);
ALTER TABLE t ALTER z TYPE encrypted(regress_a);
ALTER TABLE arrays ALTER x TYPE encrypted(regress_b)[] USING ARRAY[x[1]]::encrypted(regress_b)[];
ALTER TYPE composite DROP ATTRIBUTE y;
ALTER TABLE through DROP d;
DROP DOMAIN domains;
ALTER TABLE parted DROP x;
SELECT * FROM depends;
ALTER TABLE t DROP x;
SELECT * FROM depends WHERE object = 'table t';
ALTER TABLE t DROP y, DROP z;
ALTER TABLE t ADD x encrypted(regress_b), ADD y encrypted(regress_b);
ALTER TABLE t RENAME TO renamed;
ALTER TABLE renamed DROP x;
SELECT * FROM depends WHERE object = 'table renamed';
ALTER TABLE renamed ALTER y TYPE text USING y::text;
SELECT * FROM depends WHERE object = 'table renamed';
ALTER TABLE late ALTER x TYPE encrypted(regress_a);
ALTER TABLE late DROP COLUMN y CASCADE;
SELECT * FROM depends WHERE object = 'table late';
ALTER TYPE composite ADD ATTRIBUTE z encrypted(regress_b);
ALTER TYPE composite DROP ATTRIBUTE x;
SELECT * FROM depends WHERE object ~ 'composite';
BEGIN;
ALTER TABLE late ADD z encrypted(regress_b);
ROLLBACK;
SELECT * FROM depends WHERE object = 'table late';

-- a key cannot go while something needs it
SET themis_crypt.allow_drop_key = on;
\set VERBOSITY terse
DROP SERVER regress_b;
DROP TABLE temporary;
DROP FUNCTION body;
DROP TABLE arrays, through;
DROP TYPE composite;
SELECT * FROM depends WHERE key = 'regress_b';
DROP SERVER regress_b;
SET client_min_messages = warning;
DROP SERVER regress_a CASCADE;
\echo :LAST_ERROR_SQLSTATE
RESET client_min_messages;
\set VERBOSITY default
DROP TABLE late, ctas, renamed, parted;
DROP DOMAIN domain;
DROP VIEW view;
DROP FUNCTION argument;
SELECT * FROM depends;
DROP SERVER regress_a;

-- a key depends on its root
CREATE SERVER regress_a FOREIGN DATA WRAPPER themis_crypt;
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS object, d.deptype
	FROM pg_depend AS d JOIN pg_foreign_server AS r ON d.refclassid = 'pg_foreign_server'::regclass AND d.refobjid = r.oid
	WHERE r.srvname = 'themis_root';

-- a column of a key that is not there yet, as restored in another order
SELECT '#' || lpad(id, 6, '0') AS id FROM themis_crypt.keys WHERE name = 'regress_a' \gset
CREATE TABLE saved AS SELECT srvoptions AS options FROM pg_foreign_server WHERE srvname = 'regress_a';
DROP SERVER regress_a;
CREATE TABLE early (x encrypted(:'id'));
RESET ROLE;
SET client_min_messages = warning;
DO $$ BEGIN EXECUTE format('CREATE SERVER regress_a FOREIGN DATA WRAPPER themis_crypt OPTIONS (%s)',
	(SELECT string_agg(format('%I %L', option_name, option_value), ', ') FROM regress_user.saved, pg_options_to_table(options))); END $$;
\d regress_user.early
SELECT * FROM regress_user.depends;

RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_a;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
