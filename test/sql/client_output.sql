-- themis_crypt.client_output: plaintext in the rows that go to the client of
-- this session, and nowhere else.
CREATE ROLE regress_user;
CREATE ROLE regress_other;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int PRIMARY KEY, v encrypted(regress_key), n encrypted(regress_key2, numeric));
INSERT INTO t VALUES (1, 'one', 1.50), (2, '', NULL), (3, 'drei 🔑', 3);

SHOW themis_crypt.client_output;
SELECT id, regexp_replace(themis_crypt.encrypted_out(v)::text, '^tc1:.*', '<sealed>') AS v FROM t ORDER BY id;
SET themis_crypt.client_output = 'plaintext';
SELECT * FROM t ORDER BY id;

-- rows reach the client in many ways
INSERT INTO t VALUES (4, 'four', 4) RETURNING *;
UPDATE t SET v = 'vier' WHERE id = 4 RETURNING v;
DELETE FROM t WHERE id = 4 RETURNING v, n;
WITH i AS (INSERT INTO t VALUES (5, 'five', 5) RETURNING *) SELECT * FROM i;
VALUES ('x'::encrypted(regress_key));
TABLE t;
PREPARE p AS SELECT v FROM t WHERE id = $1;
EXECUTE p(1);
BEGIN;
DECLARE c CURSOR FOR SELECT v FROM t ORDER BY id;
DECLARE s SCROLL CURSOR FOR SELECT v FROM t ORDER BY id;
FETCH c;
FETCH 2 FROM c;
FETCH LAST FROM s;
FETCH PRIOR FROM s;
DECLARE h CURSOR WITH HOLD FOR SELECT v FROM t ORDER BY id;
COMMIT;
FETCH ALL FROM h;
CLOSE h;
SELECT v FROM t WHERE id = 1 \gdesc
\set FETCH_COUNT 1
SELECT v FROM t ORDER BY id;
\unset FETCH_COUNT
CREATE FUNCTION by_sql() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t ORDER BY id LIMIT 1';
CREATE FUNCTION by_plpgsql() RETURNS SETOF t LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT * FROM t ORDER BY id LIMIT 1; END';
CREATE FUNCTION by_cursor(refcursor) RETURNS refcursor LANGUAGE plpgsql AS 'BEGIN OPEN $1 FOR SELECT v FROM t ORDER BY id; RETURN $1; END';
SELECT * FROM by_sql();
SELECT * FROM by_plpgsql();
SELECT by_sql();
BEGIN;
SELECT by_cursor('rc');
FETCH FROM rc;
ROLLBACK;
CREATE PROCEDURE by_call(INOUT a encrypted) LANGUAGE plpgsql AS 'BEGIN SELECT v INTO a FROM t WHERE id = 1; END';
CALL by_call(NULL);
-- in arrays and rows too
SELECT ARRAY[v, NULL, v] AS a, ROW(id, v, n) AS r, t FROM t ORDER BY id;

-- what is not a row on its way to the client stays sealed
CREATE FUNCTION mask(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT regexp_replace($1, 'tc1:[A-Za-z0-9_-]+', '<sealed>', 'g') $$;
CREATE FUNCTION as_text() RETURNS text LANGUAGE plpgsql AS 'DECLARE s text; BEGIN SELECT format(''%s'', v) INTO s FROM t WHERE id = 1; RETURN s; END';
CREATE FUNCTION assigned() RETURNS text LANGUAGE plpgsql AS 'DECLARE s text; BEGIN SELECT v INTO s FROM t WHERE id = 1; RETURN s; END';
SELECT mask(format('%s', v)), mask(concat(v)), mask(to_json(v)::text), mask(to_jsonb(t)::text), mask(row_to_json(t)::text),
	mask(t::text), mask(ARRAY[v]::text), mask(as_text()), mask(assigned()) FROM t WHERE id = 1;
SELECT mask(json_agg(t)::text) FROM t WHERE id < 2;
CREATE TABLE audit (old jsonb, new jsonb, rec text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO audit VALUES (to_jsonb(OLD), to_jsonb(NEW), NEW::text);
	RETURN NEW;
END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER audit_before BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit();
INSERT INTO t VALUES (6, 'audited', 6) RETURNING *;
UPDATE t SET v = 'changed' WHERE id = 6 RETURNING *;
DROP TRIGGER audit ON t;
DROP TRIGGER audit_before ON t;
CREATE CONSTRAINT TRIGGER audit_deferred AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit();
UPDATE t SET v = 'again' WHERE id = 6 RETURNING *;
DROP TRIGGER audit_deferred ON t;
SELECT mask(old::text), mask(new::text), mask(rec) FROM audit;
CREATE TABLE copied AS SELECT t::text AS row, v AS v FROM t WHERE id = 1;
SELECT mask(row), v FROM copied;
DO $$ DECLARE r record; BEGIN FOR r IN SELECT v FROM t WHERE id = 1 LOOP RAISE NOTICE '%', left(r.v::varchar, 1); RAISE NOTICE '%', mask(format('%s', r)); END LOOP; END $$;

-- so do errors, and the error does not change what comes after
CREATE FUNCTION detail_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN mask(SQLERRM || ' | ' || detail);
END $$;
ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0);
SELECT detail_of($$INSERT INTO t VALUES (-1, 'secret', 7)$$);
SELECT detail_of($$INSERT INTO t VALUES (-1, 'secret', 7) RETURNING v$$);
CREATE FUNCTION fail(encrypted) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'value %', mask(format('%s', $1)); END $$;
SELECT fail(v), v FROM t WHERE id = 1;
SELECT v FROM t WHERE id = 1;
SELECT v, 1 / (id - 1) FROM t WHERE id = 1;
SELECT v FROM t WHERE id = 1;

-- COPY
COPY t (v) TO stdout \g results/client_output.data
COPY (SELECT v FROM t) TO stdout \g results/client_output.data2
CREATE TABLE lines (line text);
\copy lines from 'results/client_output.data'
\copy lines from 'results/client_output.data2'
SELECT count(*), count(*) FILTER (WHERE line LIKE 'tc1:%') AS sealed FROM lines;

-- programs that store what they read
SET application_name = 'pg_dump';
SELECT v FROM t WHERE id = 1 \gset
SELECT :'v' LIKE 'tc1:%' AS sealed;
BEGIN;
DECLARE c CURSOR FOR SELECT v FROM t;
FETCH c \gset
SELECT :'v' LIKE 'tc1:%' AS sealed;
ROLLBACK;
SET application_name = 'pg_dumpall';
SELECT v FROM t WHERE id = 1 \gset
SELECT :'v' LIKE 'tc1:%' AS sealed;
SET application_name = 'postgres_fdw';
SELECT v FROM t WHERE id = 1 \gset
SELECT :'v' LIKE 'tc1:%' AS sealed;
SET application_name = 'citus_internal gpid=1';
SELECT v FROM t WHERE id = 1 \gset
SELECT :'v' LIKE 'tc1:%' AS sealed;
SET application_name = 'my_pg_dump';
SELECT v FROM t WHERE id = 1;

-- a role without USAGE sees what it sees anyway; another key's values open
GRANT USAGE ON SCHEMA regress_user TO regress_other;
GRANT SELECT ON t TO regress_other;
GRANT USAGE ON FOREIGN SERVER regress_key2 TO regress_other;
SET ROLE regress_other;
SELECT * FROM regress_user.t WHERE id = 1 \gset
SELECT :'v' LIKE 'tc1:%' AS v_sealed, :'n' AS n;
RESET ROLE;
SELECT * FROM regress_user.t WHERE id = 1 \gset
SELECT :'v' LIKE 'tc1:%' AS v_sealed, :'n' LIKE 'tc1:%' AS n_sealed;
-- a literal that met no column is the client's own, but not another role's
CREATE FUNCTION regress_user.of_other() RETURNS encrypted LANGUAGE sql SECURITY DEFINER AS $$SELECT 'x'::text::encrypted$$;
SET ROLE regress_user;
SELECT 'x'::encrypted, 1.50::encrypted, coalesce(v, 'none') FROM t WHERE id = 1 UNION ALL SELECT 'y', 'z', 'none';
SELECT regress_user.of_other() AS v \gset
SELECT :'v' LIKE 'tc1:%' AS sealed;

-- the setting comes from the session itself, and from nothing that lasts
SET themis_crypt.client_output = 'sealed';
SET themis_crypt.client_output = 'armored';
SET themis_crypt.client_output = plaintext;
SELECT set_config('themis_crypt.client_output', 'plaintext', false);
BEGIN;
SET LOCAL themis_crypt.client_output = 'sealed';
SELECT v FROM t WHERE id = 1 \gset
SELECT :'v' LIKE 'tc1:%' AS sealed;
COMMIT;
SELECT v FROM t WHERE id = 1;
ALTER ROLE regress_user SET themis_crypt.client_output = 'sealed';
ALTER ROLE regress_user SET themis_crypt.client_output = 'plaintext';
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER ROLE regress_user SET themis_crypt.client_output = 'plaintext';
ALTER DATABASE :DBNAME SET themis_crypt.client_output = 'plaintext';
ALTER ROLE regress_user IN DATABASE :DBNAME SET themis_crypt.client_output = 'plaintext';
ALTER ROLE regress_user SET themis_crypt.client_output FROM CURRENT;
ALTER SYSTEM SET themis_crypt.client_output = 'plaintext';
SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'regress_user'::regrole;
ALTER ROLE regress_user RESET ALL;
SET ROLE regress_user;
CREATE FUNCTION with_setting() RETURNS encrypted LANGUAGE sql SET themis_crypt.client_output = 'plaintext' AS 'SELECT v FROM t WHERE id = 1';
RESET themis_crypt.client_output;
SELECT v FROM t WHERE id = 1 \gset
SELECT :'v' LIKE 'tc1:%' AS sealed;

SET client_min_messages = warning;
RESET ROLE;
RESET application_name;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user, regress_other;
DROP ROLE regress_user, regress_other;
