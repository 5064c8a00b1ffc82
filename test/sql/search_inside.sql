-- Equality that the planner does not see, inside records, arrays, functions and
-- expressions of tables: an error, where tokens do not tell, and no answer.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;
\set VERBOSITY terse
CREATE TYPE pair AS (n encrypted(regress_key, text));
CREATE TABLE t (id int, a encrypted(regress_key, text, searchable), b encrypted(regress_key2, text, searchable), n encrypted(regress_key, text), p pair[]);
INSERT INTO t SELECT i, 'x', 'x', 'x', ARRAY[ROW('x')::pair] FROM generate_series(1, 3) AS i;

-- records and arrays of them
SELECT count(*) FROM (SELECT DISTINCT (SELECT ROW(n)) FROM t) s;
SELECT count(*) FROM (SELECT DISTINCT ARRAY[ROW(n)] FROM t) s;
SELECT count(*) FROM (SELECT s FROM (SELECT n FROM t OFFSET 0) s INTERSECT SELECT s FROM (SELECT n FROM t OFFSET 0) s) s;
SELECT count(DISTINCT p) FROM t;
SELECT count(*) FROM t WHERE ROW(n) = ANY (ARRAY[ROW(n)]);
SELECT p FROM t ORDER BY p;
SELECT id FROM t ORDER BY ARRAY[ROW(a)];

-- records whose type does not tell what is in them: order is refused wherever
-- they come from, and theirs who hold nothing of ours is not
SELECT 1 FROM (SELECT (SELECT ROW(a)) AS r FROM t) s ORDER BY r;
SELECT 1 FROM (SELECT ROW(a, 1) AS r FROM t OFFSET 0) s ORDER BY r;
SELECT 1 FROM (SELECT a, id FROM t OFFSET 0) s ORDER BY s;
SELECT count(*) FROM (SELECT id FROM (SELECT id FROM t OFFSET 0) s ORDER BY s) u;
WITH c AS MATERIALIZED (SELECT ROW(a) AS r FROM t) SELECT (SELECT 1 FROM c ORDER BY r LIMIT 1);
WITH c AS MATERIALIZED (SELECT ROW(id) AS r FROM t) SELECT (SELECT 1 FROM c ORDER BY r LIMIT 1);
WITH RECURSIVE q (id, a) AS (SELECT id, a FROM t WHERE id = 1 UNION ALL SELECT t.id, t.a FROM q JOIN t ON t.id = q.id + 1)
	SEARCH DEPTH FIRST BY a SET o SELECT id FROM q ORDER BY o;
WITH RECURSIVE q (id, a) AS (SELECT id, a FROM t WHERE id = 1 UNION ALL SELECT t.id, t.a FROM q JOIN t ON t.id = q.id + 1)
	SEARCH BREADTH FIRST BY a SET o SELECT id FROM q ORDER BY o;
WITH RECURSIVE q (id, a) AS (SELECT id, a FROM t WHERE id = 1 UNION ALL SELECT t.id, t.a FROM q JOIN t ON t.id = q.id + 1)
	SEARCH DEPTH FIRST BY id SET o SELECT id FROM q ORDER BY o;
SELECT (SELECT ROW(a) FROM t LIMIT 1) < ROW('x'::text);
SELECT 1 FROM (SELECT ROW(a) AS r FROM t OFFSET 0) s FULL JOIN (SELECT 1 AS one) u ON true ORDER BY s.r;
SELECT 1 FROM (VALUES (ROW(NULL::encrypted(regress_key, text, searchable)))) AS v (r) ORDER BY r;
SELECT greatest(r, r) FROM (SELECT ROW(a) AS r FROM t OFFSET 0) s;
SELECT array_agg(r ORDER BY r) FROM (SELECT ROW(a) AS r FROM t OFFSET 0) s;
SELECT count(*) FROM (SELECT r FROM (SELECT ROW(a) AS r FROM t OFFSET 0) s GROUP BY r) u;
SELECT 1 FROM (SELECT ROW(a) AS r FROM t OFFSET 0) s GROUP BY r ORDER BY r;
WITH c AS (UPDATE t SET id = id RETURNING ROW(a) AS r) SELECT 1 FROM c ORDER BY r;
WITH c AS (DELETE FROM t WHERE false RETURNING a) SELECT 1 FROM c ORDER BY c;
WITH c AS (UPDATE t SET a = 'x' RETURNING id) SELECT count(*) FROM (SELECT 1 FROM c ORDER BY c) s;
WITH c AS (UPDATE t SET a = 'x' RETURNING ROW(id) AS r) SELECT greatest(r, r) IS NOT NULL, r > ROW(0) FROM c LIMIT 1;
SELECT (t, id) > (t, id - 1) FROM t;
SELECT (ARRAY[a], id) < (ARRAY[a], id + 1) FROM t;
SELECT (ROW(a), id) < (ROW(a), id + 1) FROM t;
SELECT (ROW(id), id) < (ROW(id), id + 1) AS less FROM t LIMIT 1;
(SELECT NULL::record UNION ALL SELECT ROW(a) FROM t) ORDER BY 1;
SELECT 1 FROM (SELECT NULL::record AS r FROM t UNION ALL SELECT ROW(a) FROM t OFFSET 0) s ORDER BY r;
WITH RECURSIVE c (r, n) AS (SELECT NULL::record, 1 UNION ALL SELECT (SELECT ROW(a) FROM t LIMIT 1), n + 1 FROM c WHERE n < 3) SELECT n FROM c ORDER BY r;
WITH RECURSIVE c (r, n) AS (SELECT ROW(1), 1 UNION ALL SELECT c.r, n + 1 FROM c WHERE n < 3) SELECT n FROM c ORDER BY r, n;
CREATE FUNCTION records() RETURNS SETOF record LANGUAGE sql AS 'SELECT a, id FROM t';
SELECT 1 FROM ROWS FROM (records() AS (a encrypted(regress_key, text, searchable), id int), generate_series(1, 3)) AS x ORDER BY x;
SELECT count(*) FROM (SELECT 1 FROM ROWS FROM (generate_series(1, 2), generate_series(1, 3)) AS x ORDER BY x) s;
SELECT array_agg(ROW(a)) FROM t ORDER BY 1;
SELECT first_value(ROW(a)) OVER () FROM t ORDER BY 1;
SELECT (ARRAY[ROW(a)])[1] FROM t ORDER BY 1;
SELECT max(x) FROM (SELECT array_agg(ROW(a)) AS x FROM t) s;
SELECT NULL::record < ANY (SELECT ROW(a) FROM t);
SELECT NULL::record < ANY (SELECT ROW(id) FROM t);
CREATE TABLE noted (id int, a encrypted(regress_key, text, searchable));
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM id FROM added ORDER BY added;
	RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT ON noted REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note();
INSERT INTO noted VALUES (1, 'x');

-- each column is looked at once, however many ways lead there
SET statement_timeout = '60s';
DO $$
DECLARE
	query text := 'WITH c0 AS MATERIALIZED (SELECT ROW(1) AS r)';
BEGIN
	FOR i IN 1..60 LOOP
		query := query || format(', c%s AS MATERIALIZED (SELECT ROW(x.r, y.r) AS r FROM c%s AS x, c%s AS y)', i, i - 1, i - 1);
	END LOOP;
	EXECUTE 'EXPLAIN ' || query || ' SELECT 1 FROM c60 ORDER BY r';
END $$;
RESET statement_timeout;
WITH RECURSIVE r (n, depth) AS (SELECT n, 1 FROM t WHERE id = 1 UNION ALL SELECT t.n, depth + 1 FROM r, t WHERE t.id = 2 AND depth < 9)
	CYCLE n SET again USING path SELECT count(*) FROM r;
CREATE TABLE refused (p pair[] UNIQUE);
CREATE TYPE ordered AS (a encrypted(regress_key, text, searchable));
CREATE TABLE refused (o ordered) PARTITION BY RANGE (o);

-- different keys
SELECT count(*) FROM t WHERE ARRAY[a] = ARRAY[b];
SELECT count(*) FROM (SELECT a FROM t) s, (SELECT b FROM t) u WHERE s = u;
DO $$
DECLARE
	query text;
	r record;
BEGIN
	FOREACH query IN ARRAY ARRAY['SELECT a AS x FROM t', 'SELECT b AS x FROM t'] LOOP
		EXECUTE query || ' LIMIT 1' INTO r;
		RAISE NOTICE '%', r.x = 'x';
	END LOOP;
END $$;

-- expressions that are put in place late, or that tables have
CREATE FUNCTION differ(encrypted, encrypted) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 IS DISTINCT FROM $2';
SELECT count(*) FROM (SELECT n, a FROM t OFFSET 0) s WHERE differ(n, (SELECT n FROM t WHERE id = 2));
UPDATE t SET id = id RETURNING differ(n, (p[1]).n);
CREATE TABLE c (x encrypted(regress_key), y encrypted(regress_key), CHECK (x IS DISTINCT FROM y));

-- settings that a comparison depends on
CREATE TABLE z (t encrypted(regress_key, timestamptz, searchable));
INSERT INTO z VALUES ('2024-01-01 12:00+00');
DO $$
DECLARE
	v z.t%TYPE := (SELECT t FROM z);
	noon timestamp := '2024-01-01 12:00';
	zone text;
BEGIN
	FOREACH zone IN ARRAY ARRAY['UTC', 'America/New_York'] LOOP
		PERFORM set_config('timezone', zone, true);
		RAISE NOTICE '%', v = noon;
	END LOOP;
END $$;

-- ANALYZE asks for bytes, and no more; of a domain it counts tokens
CREATE DOMAIN found AS encrypted(regress_key, text, searchable);
CREATE TABLE s (p pair[], n encrypted(regress_key)[], x found);
INSERT INTO s SELECT ARRAY[ROW('x')::pair], ARRAY['x'], 'x' || i % 2 FROM generate_series(1, 10) AS i;
CREATE STATISTICS st (mcv) ON p, n FROM s;
ANALYZE s;
SELECT n_distinct FROM pg_stats WHERE tablename = 's' AND attname = 'x';

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
