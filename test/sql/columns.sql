-- An encrypted column names its key, wherever it stands.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER regress_elsewhere FOREIGN DATA WRAPPER regress_wrapper;
GRANT USAGE ON FOREIGN SERVER regress_elsewhere TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;

-- without a key: refused
SET client_min_messages = warning;
CREATE TABLE keyless (x encrypted);
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE keyless (x encrypted[]);
CREATE TEMP TABLE keyless (x encrypted);
CREATE UNLOGGED TABLE keyless (x encrypted);
CREATE TABLE keyless (x encrypted) PARTITION BY LIST ((1));
CREATE FOREIGN TABLE keyless (x encrypted) SERVER regress_elsewhere;
CREATE TYPE keyless AS (x encrypted);
CREATE DOMAIN keyless AS encrypted;
CREATE DOMAIN keyless AS encrypted[];
CREATE TABLE keyless AS SELECT 'x'::encrypted AS x;
SELECT 'x'::encrypted AS x INTO keyless;
CREATE MATERIALIZED VIEW keyless AS SELECT 'x'::encrypted AS x;
CREATE TEMP TABLE keyless AS SELECT ARRAY['x'::encrypted] AS x;
CREATE TYPE keyless AS RANGE (subtype = encrypted);
CREATE TABLE t (id int);
ALTER TABLE t ADD x encrypted;
ALTER TABLE t ALTER id TYPE encrypted;
ALTER TABLE t ALTER id TYPE encrypted USING id::encrypted;
CREATE TYPE composite AS (a int);
ALTER TYPE composite ADD ATTRIBUTE x encrypted;
ALTER TYPE composite ALTER ATTRIBUTE a TYPE encrypted;
CREATE TABLE keyless AS SELECT (ROW('x'::encrypted)).f1 AS x;
RESET client_min_messages;
\d t

-- with a key: arrays, domains, composites, and what is made from those
CREATE TYPE pair AS (a encrypted(regress_key), b encrypted(regress_key2, int4));
CREATE DOMAIN pin AS encrypted(regress_key, text) CHECK (length(VALUE::text) = 4);
CREATE DOMAIN pins AS encrypted(regress_key)[];
CREATE TABLE nested (a encrypted(regress_key)[], d pin, p pair, pp pair[], ds pins, dd pin[]);
INSERT INTO nested VALUES ('{x,NULL}', '1234', '(y,7)', ARRAY[ROW('z', '8')::pair], '{w}', '{5678}');
INSERT INTO nested VALUES (ARRAY['x', NULL], '1234'::text, ROW('y', '7'), ARRAY[ROW('z'::text, 8)::pair], ARRAY['w'], ARRAY['5678']::pin[]);
SELECT a[1]::text, a[2]::text, d::text, (p).a::text AS pa, (p).b::int4 AS pb, pp[1].a::text AS ppa, pp[1].b::int4 AS ppb, ds[1]::text AS ds, dd[1]::text AS dd FROM nested;
UPDATE nested SET a[3] = 'more', p.a = 'new', pp[2].b = 9;
UPDATE nested SET a = array_append(a, 'last') || ARRAY['!'::text]::encrypted(regress_key)[];
SELECT a::text[], (p).a::text AS pa, (p).b::int4 AS pb, pp[2].b::int4 AS ppb FROM nested;
INSERT INTO nested (d) VALUES ('12345');
\set VERBOSITY terse
INSERT INTO nested (p) VALUES ('(y,seven)');
\set VERBOSITY default
CREATE TABLE of_pair OF pair;
INSERT INTO of_pair VALUES ('x', 1);
INSERT INTO of_pair SELECT (pp[1]).* FROM nested;
SELECT a::text, b::int4 FROM of_pair ORDER BY 2;
\d of_pair

-- made from a column: it keeps its key
CREATE TABLE t1 (id int PRIMARY KEY, x encrypted(regress_key), y encrypted(regress_key2, numeric));
INSERT INTO t1 VALUES (1, 'one', 1.5);
CREATE TABLE ctas AS SELECT * FROM t1;
SELECT x, y INTO into_table FROM t1;
CREATE TABLE liked (LIKE t1);
CREATE TEMP TABLE temporary AS SELECT x FROM t1;
CREATE MATERIALIZED VIEW matview AS SELECT id, x FROM t1;
REFRESH MATERIALIZED VIEW matview;
CREATE VIEW view AS SELECT * FROM t1;
CREATE FOREIGN TABLE foreign_table (x encrypted(regress_key)) SERVER regress_elsewhere;
CREATE TABLE with_literal AS SELECT 'new'::encrypted(regress_key) AS x;
CREATE TABLE with_cast AS SELECT 'new'::text::encrypted(regress_key) AS x, 7::encrypted(regress_key2, int8) AS y;
SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod) FROM pg_attribute
	WHERE attrelid IN ('ctas'::regclass, 'into_table'::regclass, 'liked'::regclass, 'temporary'::regclass, 'matview'::regclass, 'view'::regclass, 'foreign_table'::regclass, 'with_literal'::regclass)
	AND attnum > 0 AND attname <> 'id' ORDER BY attrelid::regclass::text COLLATE "C", attnum;
SELECT x::text, y::numeric FROM ctas;
SELECT x::text FROM matview;
SELECT x::text, y::int8 FROM with_cast;
DROP VIEW view;
DROP MATERIALIZED VIEW matview;

-- an expression over columns of two keys has none
CREATE TABLE keyless AS SELECT CASE WHEN id > 0 THEN x ELSE y END AS x FROM t1;
CREATE TABLE keyless AS SELECT x FROM t1 UNION ALL SELECT y FROM t1;
CREATE TABLE unioned AS SELECT x FROM t1 UNION ALL SELECT x FROM ctas;

-- what opens values may not be stored
CREATE MATERIALIZED VIEW opened AS SELECT x::text FROM t1;
\echo :LAST_ERROR_SQLSTATE
CREATE STATISTICS opened ON (x::text), id FROM t1;
CREATE INDEX ON t1 ((x::text));
CREATE TABLE generated (a text, x encrypted(regress_key), y text GENERATED ALWAYS AS (x::text) STORED);
CREATE TABLE opened AS SELECT x::text FROM t1;	-- one's own explicit choice
SELECT * FROM opened;

-- a column sealed from a plain one (which stays plain)
CREATE TABLE generated (a text, x encrypted(regress_key) GENERATED ALWAYS AS (a) STORED);
INSERT INTO generated VALUES ('kept');
UPDATE generated SET a = 'changed';
SELECT a, x::text FROM generated;

-- defaults, added columns
ALTER TABLE t1 ADD z encrypted(regress_key) DEFAULT 'default'::text;
INSERT INTO t1 (id) VALUES (2);
SELECT id, z::text FROM t1 ORDER BY id;

-- another key, another type: ALTER TYPE reads and seals anew
ALTER TABLE t1 ALTER x TYPE encrypted(regress_key2);
ALTER TABLE t1 ALTER y TYPE encrypted(regress_key2, text);
SELECT id, x::text, y::text FROM t1 ORDER BY id;
ALTER TABLE t1 ALTER y TYPE encrypted(regress_key2, numeric);	-- text to numeric is no assignment
ALTER TABLE t1 ALTER y TYPE encrypted(regress_key2, numeric) USING y::numeric;
\d t1

-- from text and back
CREATE TABLE grown (a text, b varchar(10), c numeric(10,2) DEFAULT 7);
INSERT INTO grown VALUES ('a', 'b', 1.5), (NULL, '', NULL);
ALTER TABLE grown ALTER a TYPE encrypted(regress_key), ALTER b TYPE encrypted(regress_key), ALTER c TYPE encrypted(regress_key, numeric);
INSERT INTO grown (a, b) VALUES ('new', 'new');
SELECT a::text, b::text, c::numeric FROM grown ORDER BY 3;
\d grown
ALTER TABLE grown ALTER a TYPE text;
ALTER TABLE grown ALTER c DROP DEFAULT;
ALTER TABLE grown ALTER a TYPE text USING a::text, ALTER b TYPE varchar(10) USING b::varchar(10), ALTER c TYPE numeric USING c::numeric;
SELECT * FROM grown ORDER BY 3;

-- a composite in use, a domain in use
ALTER TYPE pair ADD ATTRIBUTE c encrypted(regress_key) CASCADE;
ALTER TABLE nested DROP dd;
ALTER DOMAIN pin ADD CHECK (VALUE::text <> '1234');
ALTER DOMAIN pin ADD CHECK (VALUE::text <> '1111');
INSERT INTO nested (d) VALUES ('1111');

-- what needs order or equality
CREATE TABLE ordered (x encrypted(regress_key) PRIMARY KEY);
CREATE TABLE ordered (x encrypted(regress_key) UNIQUE);
CREATE TABLE ordered (x encrypted(regress_key)) PARTITION BY RANGE (x);
CREATE TABLE ordered (x encrypted(regress_key)) PARTITION BY HASH (x);
CREATE INDEX ON t1 USING hash (x);

-- without USAGE on the old key, ALTER TYPE cannot read it
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER regress_key2 FROM regress_user;
SET ROLE regress_user;
ALTER TABLE t1 ALTER x TYPE encrypted(regress_key);
\echo :LAST_ERROR_SQLSTATE
-- but what moves values, or rewrites the table, does not open them
ALTER TABLE t1 ADD n float8 DEFAULT random();
CLUSTER t1 USING t1_pkey;
VACUUM FULL t1;
ANALYZE t1;
CREATE TABLE moved AS SELECT x FROM t1;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
DROP TABLE pg_temp.temporary;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2, regress_elsewhere;
DROP FOREIGN DATA WRAPPER regress_wrapper;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
