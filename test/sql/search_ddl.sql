-- Searchable columns in indexes, keys and partitions, and what others may not.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;

-- without tokens nothing that relies on equality
CREATE TABLE plain (x encrypted(regress_key), y int, a encrypted(regress_key)[]);
CREATE INDEX ON plain (x);
CREATE INDEX ON plain USING hash (x);
CREATE INDEX ON plain (y, x);
CREATE INDEX ON plain (coalesce(x, x));
CREATE INDEX ON plain (a);
CREATE INDEX ON plain USING gin (a);
CREATE FUNCTION keyless(encrypted) RETURNS encrypted IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
CREATE INDEX ON plain (keyless(x));
CREATE INDEX ON plain (y) INCLUDE (x);
ALTER TABLE plain ADD PRIMARY KEY (x);
ALTER TABLE plain ADD EXCLUDE USING hash (x WITH =);
CREATE TABLE refused (x encrypted(regress_key) UNIQUE);
CREATE TABLE refused (x encrypted(regress_key, int4) PRIMARY KEY);
CREATE DOMAIN d AS encrypted(regress_key);
CREATE TABLE refused (x d UNIQUE);
CREATE TYPE pair AS (a int, x encrypted(regress_key));
CREATE TABLE refused (x pair PRIMARY KEY);
CREATE TABLE refused (x pair[] UNIQUE);
CREATE TABLE refused (x d[] UNIQUE);
CREATE INDEX ON plain ((plain.*));
CREATE TABLE refused (x pair[]) PARTITION BY HASH (x);
SELECT DISTINCT x FROM (VALUES (NULL::pair[])) v(x);
CREATE TABLE refused (x encrypted(regress_key)) PARTITION BY HASH (x);
CREATE TABLE refused (x encrypted(regress_key)) PARTITION BY LIST (x);
CREATE TABLE refused (x encrypted(regress_key)) PARTITION BY HASH (coalesce(x, x));
CREATE TABLE refused (x encrypted(regress_key)) PARTITION BY HASH (keyless(x));
CREATE TABLE refused (x encrypted(regress_key, json) UNIQUE);
CREATE TABLE refused (x encrypted(regress_key, float4) UNIQUE);
CREATE TABLE documents (x encrypted(regress_key, json));
SELECT * FROM documents AS a JOIN documents AS b ON a.x = b.x;
CREATE TABLE refused (x encrypted(regress_key, text, searchable)) PARTITION BY RANGE (x);
CREATE DOMAIN found AS encrypted(regress_key, text, searchable);
CREATE TYPE placed AS (a int, x found);
CREATE TABLE refused (x placed) PARTITION BY RANGE (x);
CREATE TABLE refused (x found[]) PARTITION BY RANGE (x);
CREATE TEMP TABLE refused (hides int);
DO $$BEGIN CREATE TABLE refused (x found) PARTITION BY RANGE (x); END$$;
DROP TABLE refused;
CREATE TABLE IF NOT EXISTS plain_y_x_idx (x int) PARTITION BY RANGE (x);
CREATE TYPE refused AS RANGE (subtype = encrypted);
CREATE TYPE refused AS RANGE (subtype = placed);
CREATE TYPE refused AS RANGE (subtype = found[]);
CREATE TABLE refused (x encrypted(regress_key, json, searchable));
CREATE TABLE refused (x encrypted(regress_key, float8, searchable));
\d plain

-- with tokens all of them
CREATE TABLE nested (x placed UNIQUE, y found[] UNIQUE, z placed[] UNIQUE);
CREATE TABLE t (id int PRIMARY KEY, x encrypted(regress_key, text, searchable) UNIQUE, y found, a encrypted(regress_key, text, searchable)[]);
CREATE INDEX ON t USING hash (y);
CREATE INDEX ON t (y, id);
CREATE INDEX ON t USING gin (a);
CREATE TABLE likewise (LIKE t INCLUDING ALL);
\d likewise
CREATE FUNCTION keyed(encrypted) RETURNS found IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
CREATE INDEX ON t (keyed(x));
INSERT INTO t SELECT g, 'x' || g, 'y' || g % 3, ARRAY['a' || g % 2, 'b'::text]::encrypted(regress_key, text, searchable)[] FROM generate_series(1, 9) AS g;
\set VERBOSITY sqlstate
INSERT INTO t VALUES (10, 'x1');
\set VERBOSITY default
INSERT INTO t VALUES (10, 'x1', 'other') ON CONFLICT (x) DO UPDATE SET y = excluded.y RETURNING id, y::text;
INSERT INTO t VALUES (10, 'x1') ON CONFLICT DO NOTHING;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE x = 'x2'::text;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE y = 'y2'::text AND id = 5;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE keyed(x) = 'x3'::text;
SET enable_bitmapscan = on;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE a && ARRAY['a1'::text]::encrypted(regress_key, text, searchable)[];
SELECT count(*) FROM t WHERE a && ARRAY['a1', 'c']::encrypted(regress_key, text, searchable)[];
RESET enable_seqscan;
ALTER TABLE t REPLICA IDENTITY USING INDEX t_x_key;
ALTER TABLE t ALTER x SET NOT NULL, REPLICA IDENTITY USING INDEX t_x_key;
CLUSTER t USING t_x_key;
REINDEX TABLE t;
SELECT count(*) FROM t a JOIN t b USING (x);

-- partitions
CREATE TABLE h (x encrypted(regress_key, text, searchable), n int) PARTITION BY HASH (x);
CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE h ADD UNIQUE (x, n);
INSERT INTO h SELECT 'h' || g % 20, g FROM generate_series(1, 100) AS g;
SELECT count(*), count(DISTINCT x) FROM h;
SELECT count(*) FROM h0 JOIN h1 USING (x);
CREATE TABLE l (x encrypted(regress_key, int4, searchable)) PARTITION BY LIST (x);
CREATE TABLE l1 PARTITION OF l FOR VALUES IN (1, 2);
CREATE TABLE l2 PARTITION OF l FOR VALUES IN ('3', NULL);
CREATE TABLE refused PARTITION OF l FOR VALUES IN (2);
INSERT INTO l VALUES (1), (2), ('3'), (NULL), (1);
SELECT tableoid::regclass, count(*) FROM l GROUP BY 1 ORDER BY 1;
UPDATE l SET x = 3 WHERE x = 2 RETURNING tableoid::regclass, x::int4;
\set VERBOSITY sqlstate
INSERT INTO l VALUES (4);
\set VERBOSITY default
EXPLAIN (COSTS OFF) SELECT * FROM l WHERE x = 1;
CREATE TABLE other_key (x encrypted(regress_key2, int4, searchable));
ALTER TABLE l ATTACH PARTITION other_key DEFAULT;
CREATE TABLE rest (x encrypted(regress_key, int4, searchable));
INSERT INTO rest VALUES (1);
\set VERBOSITY terse
ALTER TABLE l ATTACH PARTITION rest DEFAULT;
\set VERBOSITY default

-- a row type that is indexed already
CREATE TYPE grows AS (a int);
CREATE TABLE grown (x grows[] PRIMARY KEY);
ALTER TYPE grows ADD ATTRIBUTE b encrypted(regress_key);
ALTER TYPE grows ADD ATTRIBUTE b found;
ALTER TYPE grows ADD ATTRIBUTE c encrypted(regress_key);
ALTER TABLE grown DROP CONSTRAINT grown_pkey;
ALTER TYPE grows ADD ATTRIBUTE c encrypted(regress_key);
CREATE TABLE rows_of (a int);
CREATE TABLE has_rows (r rows_of UNIQUE);
ALTER TABLE rows_of ADD x encrypted(regress_key);
ALTER TABLE rows_of ADD x found;

-- foreign keys
CREATE TABLE parent (x encrypted(regress_key, text, searchable) PRIMARY KEY);
CREATE TABLE refused (x encrypted(regress_key2, text, searchable) REFERENCES parent);
CREATE TABLE refused (x encrypted(regress_key, int4, searchable) REFERENCES parent);
CREATE TABLE refused (x encrypted(regress_key) REFERENCES parent);
\set VERBOSITY terse
CREATE TABLE refused (x text REFERENCES parent);
\set VERBOSITY default
CREATE TABLE refused (x found REFERENCES parent ON UPDATE SET NULL);
CREATE TABLE refused (id int, x found DEFAULT 'p1'::text, FOREIGN KEY (x) REFERENCES parent ON UPDATE SET DEFAULT);
CREATE TABLE parent_row (x placed PRIMARY KEY);
CREATE TABLE refused (x placed REFERENCES parent_row ON UPDATE SET NULL);
CREATE TABLE child (id int, x found REFERENCES parent ON UPDATE CASCADE ON DELETE SET NULL);
INSERT INTO parent VALUES ('p1'), ('p2');
INSERT INTO child VALUES (1, 'p1'), (2, 'p1'), (3, 'p2'), (4, NULL);
\set VERBOSITY sqlstate
INSERT INTO child VALUES (5, 'p3');
\set VERBOSITY default
UPDATE parent SET x = 'p9' WHERE x = 'p1';
UPDATE parent SET x = 'p2' WHERE x = 'p2';
DELETE FROM parent WHERE x = 'p2';
SELECT id, x::text FROM child ORDER BY id;
ALTER TABLE child DROP CONSTRAINT child_x_fkey;
INSERT INTO child VALUES (5, 'p3');
\set VERBOSITY sqlstate
ALTER TABLE child ADD FOREIGN KEY (x) REFERENCES parent;
\set VERBOSITY default
DELETE FROM child WHERE x = 'p3';
ALTER TABLE child ADD FOREIGN KEY (x) REFERENCES parent;

-- turning search on and off seals all rows anew
CREATE TABLE turn (id int, x encrypted(regress_key));
INSERT INTO turn VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, '');
ALTER TABLE turn ALTER x TYPE encrypted(regress_key, text, searchable);
CREATE INDEX ON turn (x);
SELECT id FROM turn WHERE x = 'b';
SELECT id FROM turn WHERE x = '';
ALTER TABLE turn ALTER x TYPE encrypted(regress_key);
DROP INDEX turn_x_idx;
ALTER TABLE turn ALTER x TYPE encrypted(regress_key);
SELECT id FROM turn WHERE x = 'b';
SELECT id, x::text FROM turn ORDER BY id;
ALTER TABLE turn ALTER x TYPE encrypted(regress_key2, text, searchable);
SELECT id FROM turn WHERE x = 'b';
BEGIN;
ALTER TABLE turn ALTER x TYPE encrypted(regress_key2, bytea, searchable) USING x::bytea;
SELECT id FROM turn WHERE x = '\x62'::bytea;
ROLLBACK;
SELECT id FROM turn WHERE x = 'b';

-- which needs USAGE of both keys, and is all or nothing
CREATE INDEX turned ON turn (x);
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER regress_key2 FROM regress_user;
SET ROLE regress_user;
ALTER TABLE turn ALTER x TYPE encrypted(regress_key2);
ALTER TABLE turn ALTER x TYPE encrypted(regress_key, text, searchable);
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER regress_key2 TO regress_user;
REVOKE USAGE ON FOREIGN SERVER regress_key FROM regress_user;
SET ROLE regress_user;
ALTER TABLE turn ALTER x TYPE encrypted(regress_key, text, searchable);
SELECT id FROM turn WHERE x = 'b';
\d turn
-- a column changes with the indexes and defaults that it has, not under others
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_user;
SET ROLE regress_user;
CREATE TABLE kept (x encrypted(regress_key, text, searchable) DEFAULT 'default'::text UNIQUE);
INSERT INTO kept VALUES (DEFAULT), (NULL), (NULL);
ALTER TABLE kept ALTER x TYPE encrypted(regress_key2, text, searchable);
\set VERBOSITY sqlstate
INSERT INTO kept VALUES (DEFAULT);
\set VERBOSITY default
SELECT count(*), count(x) FILTER (WHERE x = 'default') AS same FROM kept;
-- 18 says where
\set VERBOSITY sqlstate
ALTER TABLE h ALTER x TYPE encrypted(regress_key2, text, searchable);
\set VERBOSITY default
ALTER TABLE child ALTER x TYPE encrypted(regress_key2, text, searchable);
ALTER TABLE parent ALTER x TYPE encrypted(regress_key2, text, searchable);
CREATE TABLE self (x encrypted(regress_key, text, searchable) PRIMARY KEY, y encrypted(regress_key, text, searchable) REFERENCES self);
INSERT INTO self VALUES ('a', 'a'), ('b', 'a'), ('c', NULL);
ALTER TABLE self ALTER y TYPE encrypted(regress_key2, text, searchable), ALTER x TYPE encrypted(regress_key2, text, searchable);
SELECT a.x::text, count(b.y) FROM self AS a LEFT JOIN self AS b ON a.x = b.y GROUP BY a.x ORDER BY 1;
\set VERBOSITY sqlstate
DELETE FROM self WHERE x = 'a';
\set VERBOSITY default
-- what was a domain was no plaintext, what becomes one was
CREATE TABLE domains (x found, y text);
ALTER TABLE domains ALTER x TYPE encrypted(regress_key, text, searchable), ALTER y TYPE found;
-- foreign keys of partitioned tables
CREATE TABLE child_parts (x found REFERENCES parent ON UPDATE CASCADE, n int) PARTITION BY LIST (n);
CREATE TABLE child_part PARTITION OF child_parts FOR VALUES IN (1);
CREATE TABLE other_part (x encrypted(regress_key2, text, searchable), n int);
ALTER TABLE child_parts ATTACH PARTITION other_part FOR VALUES IN (2);
DELETE FROM child;
INSERT INTO child_parts VALUES ('p9', 1);
UPDATE parent SET x = 'p10' WHERE x = 'p9';
SELECT x::text FROM child_part;
ALTER TABLE child_parts ALTER x TYPE encrypted(regress_key2, text, searchable);
\set VERBOSITY sqlstate
INSERT INTO child_parts VALUES ('p11', 1);
\set VERBOSITY default

-- a btree holds whole values, a hash index does not
CREATE TABLE long (x encrypted(regress_key, text, searchable));
INSERT INTO long VALUES (repeat(md5('1'), 100));
CREATE INDEX ON long (x);
INSERT INTO long VALUES (repeat(md5('2'), 100)), (repeat(md5('3'), 100));
CREATE INDEX ON long USING hash (x);
SELECT count(*) FROM long WHERE x = repeat(md5('2'), 100);
CREATE TABLE longer (x encrypted(regress_key, text, searchable) UNIQUE);
INSERT INTO longer SELECT x FROM long;
INSERT INTO longer VALUES (repeat('x', 9000));
CREATE MATERIALIZED VIEW longest AS SELECT x FROM long LIMIT 1 WITH NO DATA;
CREATE INDEX ON longest (x);
CREATE TABLE once (x encrypted(regress_key, text, searchable), EXCLUDE USING hash (x WITH =));
INSERT INTO once SELECT x FROM long;
\set VERBOSITY sqlstate
INSERT INTO once VALUES (repeat(md5('2'), 100));
\set VERBOSITY default
INSERT INTO longer VALUES ('short');
UPDATE longer SET x = repeat(md5('2'), 100);
\copy longer FROM PROGRAM 'printf %03000d 1'
REFRESH MATERIALIZED VIEW longest;
CREATE TABLE longer_parts (x found UNIQUE) PARTITION BY HASH (x);
CREATE TABLE longer_part PARTITION OF longer_parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO longer_parts VALUES (repeat(md5('2'), 100));
\copy longer_parts FROM PROGRAM 'printf %03000d 1'
CREATE TABLE becomes (x text UNIQUE);
INSERT INTO becomes VALUES (repeat(md5('1'), 100));
ALTER TABLE becomes ALTER x TYPE encrypted(regress_key, text, searchable);
-- it is said of encrypted keys only, not of what stands beside or runs inside
CREATE TABLE text_only (x text UNIQUE);
ALTER TABLE text_only ALTER x SET STORAGE plain;
INSERT INTO text_only VALUES (repeat('x', 3000));
CREATE FUNCTION copy_longer() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO text_only VALUES (repeat(''x'', 3000)); RETURN NEW; END';
CREATE TRIGGER copy BEFORE INSERT ON longer FOR EACH ROW EXECUTE FUNCTION copy_longer();
INSERT INTO longer VALUES ('a');
ALTER TABLE long ADD y text;
ALTER TABLE long ALTER y SET STORAGE plain;
UPDATE long SET y = repeat('x', 3000) WHERE x = repeat(md5('1'), 100);
ALTER TABLE long ADD UNIQUE (y);
CREATE INDEX ON long (y);
CREATE TABLE included (x encrypted(regress_key, text, searchable), y int UNIQUE, UNIQUE (y) INCLUDE (x));
INSERT INTO included VALUES (repeat(md5('1'), 100), 1);

-- comparisons that the executor evaluates without a plan
\set VERBOSITY terse
CREATE TABLE evaluated (u encrypted(regress_key), v encrypted(regress_key), us encrypted(regress_key)[],
	x encrypted(regress_key, text, searchable), y encrypted(regress_key, text, searchable),
	z encrypted(regress_key2, text, searchable), n encrypted(regress_key, int4, searchable));
ALTER TABLE evaluated ADD CHECK (u = v);
ALTER TABLE evaluated ADD CHECK (u IS DISTINCT FROM v);
ALTER TABLE evaluated ADD CHECK (NULLIF(u, v) IS NOT NULL);
ALTER TABLE evaluated ADD CHECK (u <> ALL (us));
ALTER TABLE evaluated ADD CHECK (us IS DISTINCT FROM ARRAY[v]);
ALTER TABLE evaluated ADD CHECK (ROW(u, 1)::record <> ROW(v, 1)::record);
ALTER TABLE evaluated ADD CHECK (x IS DISTINCT FROM z);
ALTER TABLE evaluated ADD CHECK (x IS DISTINCT FROM n);
ALTER TABLE evaluated ADD same bool GENERATED ALWAYS AS (u IS NOT DISTINCT FROM v) STORED;
CREATE INDEX ON evaluated ((u IS DISTINCT FROM v));
CREATE INDEX ON evaluated (n) WHERE u IS DISTINCT FROM v;
CREATE DOMAIN odd AS encrypted(regress_key) CHECK (NULLIF(VALUE, VALUE) IS NULL);
ALTER TABLE evaluated ADD CHECK (x IS DISTINCT FROM y AND x <> ALL (ARRAY['a', 'b']::text[]) AND n <> 7),
	ADD same bool GENERATED ALWAYS AS (x IS NOT DISTINCT FROM y) STORED;
INSERT INTO evaluated (x, y) VALUES ('c', 'd') RETURNING same;
INSERT INTO evaluated (x, y) VALUES ('c', 'c');
INSERT INTO evaluated (x, y) VALUES ('a', 'd');
ALTER TABLE evaluated DROP same, ALTER y TYPE encrypted(regress_key, text);
\set VERBOSITY default

-- statistics: those of a plain twin for a searchable column, a domain or not,
-- but for the order of values; NULLs and widths for others
CREATE TABLE twin AS SELECT nullif(g % 40, 0)::text AS even, nullif('z' || 2000 / (1 + g % 400), 'z5') AS zipf, 'u' || g AS alone, NULL::text AS empty, repeat('w', g % 50) || g AS wide
	FROM generate_series(1, 2000) AS g;
CREATE TABLE sealed (even encrypted(regress_key, text, searchable), zipf found, alone encrypted(regress_key, text, searchable), empty encrypted(regress_key, text, searchable), wide encrypted(regress_key));
INSERT INTO sealed SELECT * FROM twin;
ALTER TABLE sealed ADD nothing encrypted(regress_key), ADD half encrypted(regress_key);
UPDATE sealed SET half = 'h' WHERE even IN ('1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20');
CREATE STATISTICS searched (ndistinct, dependencies, mcv) ON even, zipf FROM sealed;
CREATE STATISTICS others (ndistinct, dependencies, mcv) ON wide, nothing FROM sealed;
CREATE STATISTICS stored ON (even = '1'::text), zipf FROM sealed;
CREATE STATISTICS stored ON (even IN ('1'::text, '2')), zipf FROM sealed;
CREATE STATISTICS expression ON (coalesce(wide, half)) FROM sealed;
-- whoever may not open values may analyze them
RESET ROLE;
SELECT count(*) FROM regress_user.sealed WHERE even = '1';
ANALYZE regress_user.sealed;
ANALYZE regress_user.twin;
SET ROLE regress_user;
SELECT attname, p.null_frac = s.null_frac AS nulls, p.n_distinct = s.n_distinct AS n_distinct, p.most_common_freqs IS NOT DISTINCT FROM s.most_common_freqs AS freqs,
		s.avg_width - p.avg_width AS wider, array_length(s.most_common_freqs, 1) AS n, s.most_common_vals::text ~ '^{tc1:[A-Za-z0-9_,:-]*}$' AS sealed, s.histogram_bounds IS NULL AND s.correlation IS NULL AS no_order
	FROM pg_stats AS p JOIN pg_stats AS s USING (schemaname, attname)
	WHERE schemaname = 'regress_user' AND p.tablename = 'twin' AND s.tablename = 'sealed' AND attname <> 'wide' ORDER BY attname;
SELECT attname, null_frac, n_distinct, avg_width, most_common_vals, most_common_freqs, histogram_bounds, correlation
	FROM pg_stats WHERE schemaname = 'regress_user' AND tablename = 'sealed' AND attname IN ('wide', 'nothing', 'half') ORDER BY attname;
SELECT statistics_name, n_distinct, dependencies, array_length(most_common_vals, 1) AS mcv, most_common_vals::text ~ '^{({(tc1:[A-Za-z0-9_-]*|NULL),(tc1:[A-Za-z0-9_-]*|NULL)},?)*}$' AS sealed
	FROM pg_stats_ext WHERE schemaname = 'regress_user' AND n_distinct IS NOT NULL ORDER BY 1;
SELECT statistics_name, null_frac, n_distinct, most_common_vals FROM pg_stats_ext_exprs WHERE schemaname = 'regress_user';

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
