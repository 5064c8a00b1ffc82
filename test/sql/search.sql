-- Search: what a user sees of it.  Answers are compared with those of plain
-- tables in test/t/028_*.pl.
CREATE ROLE regress_user;
CREATE ROLE regress_other;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON SCHEMA regress_user TO regress_other;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
SET search_path = regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (
	id int PRIMARY KEY,
	s encrypted(regress_key, text, searchable),
	n encrypted(regress_key, numeric, searchable),
	d encrypted(regress_key, date, searchable),
	u encrypted(regress_key),
	o encrypted(regress_key2, text, searchable));
INSERT INTO t VALUES
	(1, 'one', 1.0, '2020-01-01', 'u', 'one'), (2, 'two', 2, '2020-01-02', 'u', 'two'), (3, '', 1.00, '2020-01-01', 'u', ''),
	(4, NULL, NULL, NULL, NULL, NULL), (5, 'öne', 'NaN', 'infinity', 'u', 'öne'), (6, 'one', 1e20, '2020-01-03', 'u', 'x');
CREATE INDEX t_s ON t (s);
CREATE INDEX t_n ON t USING hash (n);
GRANT SELECT, INSERT ON t TO regress_other;

SELECT id FROM t WHERE s = 'one';
SELECT id FROM t WHERE 'one' = s AND id <> 1;
SELECT id FROM t WHERE s = '';
SELECT id FROM t WHERE s <> 'one' ORDER BY id;
SELECT id FROM t WHERE s IN ('two', 'öne', NULL) ORDER BY id;
SELECT id FROM t WHERE s = ANY ('{}');
SELECT id FROM t WHERE s IS NOT DISTINCT FROM NULL;
SELECT id FROM t WHERE n = 1 ORDER BY id;
SELECT id FROM t WHERE n = 'NaN';
SELECT id FROM t WHERE d = timestamp '2020-01-01';
SELECT id FROM t WHERE d = 'infinity';
SELECT id FROM t WHERE (s, n) = ('one'::text, 1::int);
SELECT count(DISTINCT s), count(DISTINCT n) FROM t;
SELECT max(id), count(*) FROM t GROUP BY s ORDER BY 1;
SELECT a.id, b.id FROM t a JOIN t b USING (s) WHERE a.id < b.id;

-- with an index, from any side
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE s = 'one'::text;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE 1 = n;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE s = ANY ('{one,two}'::text[]);
PREPARE by_s AS SELECT id FROM t WHERE s = $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_s('one');
EXECUTE by_s('two');
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) SELECT t.id FROM (VALUES ('one'), ('two')) AS v(x) JOIN t ON s = x;
-- a view of casts is searched without opening
CREATE VIEW plain WITH (security_invoker = true) AS SELECT id, s::text, n::numeric, d::date, u::text, o::text FROM t;
EXPLAIN (COSTS OFF) SELECT id FROM plain WHERE s = 'one'::text;
EXPLAIN (COSTS OFF) SELECT id FROM plain WHERE s IN ('one'::text, 'two');
EXPLAIN (COSTS OFF) SELECT id FROM plain WHERE n = 1;
RESET enable_seqscan;
RESET enable_bitmapscan;
EXPLAIN (COSTS OFF) SELECT id FROM plain WHERE u = 'u'::text;
EXPLAIN (COSTS OFF) SELECT id FROM plain WHERE s = o;
SELECT * FROM plain WHERE s = 'one' ORDER BY id;
SELECT id FROM plain WHERE s = o ORDER BY id;
SELECT id FROM t WHERE n::int = 1 ORDER BY id;
SELECT id FROM t WHERE s::text = NULL;

-- what sealed values cannot do, and what to do instead
SELECT id FROM t WHERE u = 'u';
SELECT id FROM t WHERE u IN ('u');
SELECT DISTINCT u FROM t;
SELECT count(*) FROM t GROUP BY u;
SELECT u FROM t UNION SELECT s FROM t;
SELECT id FROM t WHERE s = o;
SELECT id FROM t WHERE s = n;
SELECT id FROM t WHERE s = 1;
SELECT id FROM t WHERE n = '1'::text;
SELECT id FROM t WHERE n = 1.5::float8;
SELECT id FROM t WHERE d = timestamptz '2020-01-01';
SELECT id FROM t WHERE d = 'no date';
SELECT id FROM t WHERE d = '2020-13-13';
SELECT id FROM t ORDER BY s;
SELECT id FROM t ORDER BY ROW(s);
SELECT rank() OVER (ORDER BY s) FROM t;
SELECT array_agg(id ORDER BY s) FROM t;
SELECT mode() WITHIN GROUP (ORDER BY s) FROM t;
SELECT greatest(s, s) FROM t;
SELECT max(s) FROM t;
SELECT id FROM t WHERE s < 'x';
SELECT id FROM t WHERE s LIKE 'o%';
SELECT 'a'::encrypted = 'b'::encrypted;
SELECT id FROM t WHERE s = 'one'::encrypted;
SELECT id FROM t WHERE s = 'one'::encrypted(regress_key2, text, searchable);
SELECT id FROM t WHERE s = 'one'::encrypted(regress_key, text, searchable) ORDER BY id;
SELECT themis_crypt.probe('one'::text, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 's';
SELECT t.s #< t.s FROM t;

-- a collation is seen where the key is known only when values are there
CREATE COLLATION regress_ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FUNCTION values_of() RETURNS TABLE (v encrypted) LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT s::encrypted FROM t; END';
SELECT count(*) FROM values_of() WHERE v = 'one'::text;
SELECT count(*) FROM values_of() WHERE v = 'ONE'::text COLLATE regress_ci;

-- searching needs the key; comparing sealed values does not
SET ROLE regress_other;
SELECT id FROM t WHERE s = 'one';
SELECT id FROM t WHERE s IN ('one'::text, 'two');
SELECT id FROM t WHERE s::text = 'one';
SELECT count(*) FROM t a JOIN t b USING (s);
SELECT count(DISTINCT s) FROM t;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user, regress_other;
DROP ROLE regress_user, regress_other;
