-- Every path into an encrypted column seals; what comes out is what went in.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int PRIMARY KEY, v encrypted(regress_key), n encrypted(regress_key, int4));
CREATE TABLE source (id int, v text, c varchar(9), n int8);
INSERT INTO source VALUES (1, 'source', 'varchar', 7);
-- a value of the key, version 1, of its type
CREATE VIEW shown AS SELECT id, v::text, n::int4, get_byte(themis_crypt.encrypted_send(v), 6) AS v_version, get_byte(themis_crypt.encrypted_send(n), 2) AS n_type FROM t ORDER BY id;

-- statements
INSERT INTO t VALUES (1, 'values', '1');
INSERT INTO t VALUES (2, 'many', 2), (3, 'rows', '3'), (4, NULL, NULL);
INSERT INTO t SELECT 5, 'literal', 5;
INSERT INTO t SELECT 6, v, n FROM source;
INSERT INTO t SELECT 7, c, n FROM source;
INSERT INTO t SELECT 8, v, n FROM t WHERE id = 1;
INSERT INTO t SELECT DISTINCT 9, 'distinct', 9;
INSERT INTO t SELECT 10, 'union', 10 UNION SELECT 11, 'union', 11;
INSERT INTO t SELECT * FROM (VALUES (12, 'subquery', 12)) AS x;
INSERT INTO t TABLE t LIMIT 0;
INSERT INTO t (n, id) VALUES (13, 13);
INSERT INTO t (v, id) VALUES (CASE WHEN true THEN 'case' END, 14), (coalesce(NULL, 'coalesce'), 15), (upper('call'), 16), ('a' || 'b', 17), ((SELECT 'scalar'), 18), ((SELECT v FROM source), 19);
INSERT INTO t VALUES (20, 'x'::encrypted(regress_key), 20::encrypted(regress_key, int4));
WITH c AS (SELECT 21 AS id, 'cte' AS v) INSERT INTO t SELECT * FROM c;
SELECT * FROM shown;
SELECT count(DISTINCT themis_crypt.encrypted_out(v)::text) = count(v) - 1 AS copied_once FROM t;	-- row 8 is row 1's value
DELETE FROM t WHERE id > 5;

UPDATE t SET v = 'updated' WHERE id = 1;
UPDATE t SET (v, n) = ('row', 22) WHERE id = 2;
UPDATE t SET (v, n) = ROW('row2', 23) WHERE id = 3;
UPDATE t SET (v, n) = (SELECT v, n FROM source) WHERE id = 4;
UPDATE t SET v = s.c, n = DEFAULT FROM source AS s WHERE t.id = 5;
INSERT INTO t VALUES (1, 'conflict', 0) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v, n = 24;
INSERT INTO t VALUES (2, 'conflict', 0) ON CONFLICT (id) DO UPDATE SET v = 'set' WHERE t.n::int4 = 22;
INSERT INTO t VALUES (3, 'conflict', 0) ON CONFLICT DO NOTHING;
MERGE INTO t USING source AS s ON t.id = s.id + 3 WHEN MATCHED THEN UPDATE SET v = s.v, n = s.n + 1;
MERGE INTO t USING (VALUES (30, 'merged', 30), (5, 'matched', 31)) AS s(id, v, n) ON t.id = s.id
	WHEN MATCHED THEN UPDATE SET v = s.v, n = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v, s.n);
MERGE INTO t USING source AS s ON t.id = 31 WHEN NOT MATCHED THEN INSERT (id, v) VALUES (31, 'merge literal');
SELECT * FROM shown;
INSERT INTO t VALUES (32, 'returning', 32) RETURNING v::text, n::int4 + 1 AS n;
UPDATE t SET v = v WHERE id = 32 RETURNING v::text;

-- parameters: untyped and typed, custom and generic plans
PREPARE untyped AS INSERT INTO t VALUES ($1, $2, $3) RETURNING id, v::text, n::int4;
PREPARE typed(int, text, int4) AS INSERT INTO t VALUES ($1, $2, $3) RETURNING id, v::text, n::int4;
PREPARE narrow(int, varchar, int2) AS INSERT INTO t VALUES ($1, $2, $3) RETURNING id, v::text, n::int4;
PREPARE sealed(int, encrypted, encrypted) AS INSERT INTO t VALUES ($1, $2, $3) RETURNING id, v::text, n::int4;
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
EXECUTE untyped(40, 'untyped', '40');
EXECUTE typed(41, 'typed', 41);
EXECUTE narrow(42, 'narrow', '42');
EXECUTE sealed(43, 'sealed', '43');
EXECUTE sealed(44, 'x'::text, 44);
SET plan_cache_mode = force_generic_plan;
EXECUTE untyped(45, 'generic', '45');
EXECUTE untyped(46, 'generic', '46');
EXECUTE typed(47, 'generic', 47);
EXECUTE sealed(48, 'generic', '48');
RESET plan_cache_mode;
SELECT count(DISTINCT themis_crypt.encrypted_out(v)::text) FROM t WHERE v::text = 'generic';

-- plpgsql: variables, %TYPE, rows, records, arrays, results
CREATE FUNCTION variables() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	a encrypted(regress_key) := 'declared';
	b t.v%TYPE := 'of type';
	c t%ROWTYPE;
	d encrypted(regress_key)[];
	e encrypted := 'without a key';
	f record;
	s text := 'text';
	n int := 7;
BEGIN
	RETURN NEXT a::text;
	RETURN NEXT b::text;
	a := s;
	RETURN NEXT a::text;
	a := upper(s);
	RETURN NEXT a::text;
	c.v := 'field';
	c.n := n;
	RETURN NEXT c.v::text || c.n::text;
	SELECT 50, 'row', 51 INTO c;
	RETURN NEXT c.v::text || c.n::text;
	d := ARRAY['one', 'two'];
	d[3] := 'three';
	RETURN NEXT d::text[]::text;
	INSERT INTO t VALUES (50, e, n);
	SELECT v INTO a FROM t WHERE id = 50;
	RETURN NEXT a::text;
	SELECT * INTO f FROM t WHERE id = 50;
	RETURN NEXT f.v::text;
	INSERT INTO t VALUES (51, f.v, f.n);
	INSERT INTO t SELECT 52, a, c.n;
	FOR f IN SELECT v FROM t WHERE id >= 50 ORDER BY id LOOP
		RETURN NEXT f.v::text;
	END LOOP;
END $$;
SELECT * FROM variables();
CREATE FUNCTION returns_row() RETURNS SETOF t LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT 60, 'returned'::encrypted(regress_key), 60::encrypted(regress_key, int4);
	RETURN QUERY SELECT id, v, n FROM t WHERE id = 1;
END $$;
SELECT id, v::text, n::int4 FROM returns_row();
CREATE FUNCTION returns_other() RETURNS SETOF t LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT 60, 'x'::encrypted, 60::encrypted; END $$;
\set VERBOSITY terse
SELECT * FROM returns_other();
\set VERBOSITY default
INSERT INTO t SELECT id, v, n FROM returns_row() WHERE id = 60;
CREATE FUNCTION takes(a encrypted, b encrypted) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN a::encrypted(regress_key)::text || b::encrypted(regress_key)::text; END $$;
SELECT takes('pending', v) FROM t WHERE id = 60;
SELECT takes('pending', 'x'::text::encrypted);

-- triggers see and set sealed values
CREATE FUNCTION before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.v IS NULL THEN
		NEW.v := 'from trigger';
	END IF;
	NEW.n := coalesce(NEW.n::int4, 0) + 1;
	RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION before();
INSERT INTO t VALUES (70, NULL, NULL), (71, 'kept', 71);
SELECT * FROM shown WHERE id >= 70;
DROP TRIGGER before ON t;

-- views and rules
CREATE VIEW updatable AS SELECT id, v, n FROM t WHERE id >= 80 WITH CHECK OPTION;
INSERT INTO updatable VALUES (80, 'through view', 80);
UPDATE updatable SET v = 'updated', n = '81' WHERE id = 80;
CREATE VIEW plain AS SELECT id, v::text AS v, n::int4 AS n FROM t WHERE id >= 80;
CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (NEW.id, NEW.v, NEW.n); RETURN NEW; END $$;
CREATE TRIGGER instead INSTEAD OF INSERT ON plain FOR EACH ROW EXECUTE FUNCTION instead();
INSERT INTO plain VALUES (82, 'plain', 82);
CREATE VIEW ruled AS SELECT 0 AS id, ''::text AS v;
CREATE RULE ruled AS ON INSERT TO ruled DO INSTEAD INSERT INTO t VALUES (NEW.id, NEW.v);
INSERT INTO ruled VALUES (83, 'ruled');
CREATE VIEW keyless AS SELECT 0 AS id, NULL::encrypted AS v, NULL::encrypted AS n;	-- NEW.v is pending in its trigger
CREATE TRIGGER instead INSTEAD OF INSERT ON keyless FOR EACH ROW EXECUTE FUNCTION instead();
INSERT INTO keyless VALUES (84, 'keyless', '84');
SELECT * FROM plain ORDER BY id;

-- functions that fill rows from text call the type's input
INSERT INTO t SELECT * FROM json_populate_record(NULL::t, '{"id": 90, "v": "json", "n": 90}');
INSERT INTO t SELECT * FROM jsonb_populate_recordset(NULL::t, '[{"id": 91, "v": "jsonb", "n": 91}, {"id": 92, "v": "", "n": null}]');
INSERT INTO t SELECT * FROM json_to_record('{"id": 93, "v": "to record", "n": "93"}') AS x(id int, v encrypted(regress_key), n encrypted(regress_key, int4));
INSERT INTO t SELECT (x).* FROM (SELECT '(94,"a row",94)'::t AS x) AS y;
DO $$	-- where it is built with libxml
BEGIN
	INSERT INTO t SELECT * FROM xmltable('/r' PASSING ('<r><id>95</id><v>xml</v></r>'::xml)
		COLUMNS id int, v encrypted(regress_key), n encrypted(regress_key, int4));
EXCEPTION WHEN feature_not_supported THEN
	INSERT INTO t VALUES (95, 'xml');
END $$;
INSERT INTO t SELECT 96, jsonb_path_query_first('{"a": "path"}', '$.a') #>> '{}';
INSERT INTO t SELECT * FROM json_populate_record(NULL::t, '{"id": 97, "v": {"nested": true}, "n": 97}');
SELECT * FROM shown WHERE id >= 90;
INSERT INTO t SELECT * FROM json_to_record('{"id": 98, "v": "no key"}') AS x(id int, v encrypted);
SELECT v::text FROM t WHERE id = 98;

-- temp tables, CTEs with side effects, lateral
CREATE TEMP TABLE tt (v encrypted(regress_key)) ON COMMIT DELETE ROWS;
BEGIN;
INSERT INTO tt VALUES ('temporary');
WITH moved AS (DELETE FROM tt RETURNING v) INSERT INTO t SELECT 100, v FROM moved;
COMMIT;
INSERT INTO t SELECT 101, x.v FROM source AS s, LATERAL (SELECT s.v || '!' AS v) AS x;
SELECT id, v::text FROM t WHERE id >= 100 ORDER BY id;

-- nothing that is stored is pending
SELECT count(*) FROM t WHERE get_byte(themis_crypt.encrypted_send(v), 6) = 0 OR get_byte(themis_crypt.encrypted_send(n), 6) = 0;
SELECT count(*) FROM t WHERE v::text IS NULL AND v IS NOT NULL;

-- nor is a value sealed twice, because it was read without being opened
UPDATE t SET v = v || ' more' WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
UPDATE t SET v = concat(v, ' more') WHERE id = 1;
UPDATE t SET v = format('%s', v)::varchar WHERE id = 1;
DO $$ DECLARE m text; BEGIN SELECT v INTO m FROM t WHERE id = 1; UPDATE t SET v = m WHERE id = 1; END $$;
SELECT v::text FROM t WHERE id = 1;
UPDATE t SET v = v::text || ' more' WHERE id = 1;
-- what only begins alike is text
UPDATE t SET v = 'tc1:short'::text WHERE id = 2;
UPDATE t SET v = 'tc1:is a text of no sealed value'::text WHERE id = 3;
SELECT v::text FROM t WHERE id IN (1, 2, 3) ORDER BY id;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
DROP TABLE tt;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
