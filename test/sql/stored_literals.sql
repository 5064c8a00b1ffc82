-- A literal of type encrypted is made for one statement.  In a catalog it would
-- stay, so it is refused there; 'x'::text stands readable in the catalog, and
-- is sealed each time it is used.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int, v encrypted(regress_key));

-- defaults
CREATE TABLE c (v encrypted(regress_key) DEFAULT 'x');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
ALTER TABLE t ALTER v SET DEFAULT 'x';
ALTER TABLE t ADD w encrypted(regress_key) DEFAULT 'x';
CREATE TABLE c (v encrypted(regress_key)[] DEFAULT '{x}');
CREATE DOMAIN d AS encrypted(regress_key) DEFAULT 'x';
CREATE DOMAIN d AS encrypted(regress_key);
ALTER DOMAIN d SET DEFAULT 'x';
CREATE FUNCTION f(v encrypted DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE g (v encrypted(regress_key) GENERATED ALWAYS AS ('x') STORED);
CREATE TYPE pair AS (a encrypted(regress_key));
CREATE TABLE c (p pair DEFAULT ROW('x'));
CREATE TABLE c (p pair DEFAULT '(x)');	-- a row is sealed as it is read
DROP TABLE c;
CREATE VIEW v AS SELECT v FROM t;
ALTER VIEW v ALTER v SET DEFAULT 'x';

-- views, rules, functions
CREATE VIEW w AS SELECT 'x'::encrypted AS v;
CREATE VIEW w AS SELECT 'x'::encrypted(regress_key) AS v;
CREATE VIEW w AS SELECT v FROM t UNION ALL SELECT 'x';
CREATE VIEW w AS SELECT coalesce(v, 'x') AS v FROM t;
CREATE VIEW w AS SELECT (SELECT 'x'::encrypted(regress_key)) AS v;
CREATE VIEW w AS WITH c AS (SELECT 'x'::encrypted(regress_key) AS v) SELECT v FROM c;
CREATE VIEW w AS SELECT ('{x}'::encrypted(regress_key)[])[1] AS v;
CREATE VIEW w AS SELECT v FROM (VALUES ('x'::encrypted(regress_key))) AS x(v);
CREATE MATERIALIZED VIEW w AS SELECT 'x'::encrypted(regress_key) AS v;
CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO t VALUES (1, 'x');
CREATE RULE r AS ON UPDATE TO t WHERE coalesce(OLD.v, 'x') IS NULL DO INSTEAD NOTHING;
CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (1, 'x'); END;
CREATE PROCEDURE f() LANGUAGE sql BEGIN ATOMIC UPDATE t SET v = 'x'; END;

-- constraints, policies, triggers, statistics, indexes, partitions
ALTER TABLE t ADD CHECK (coalesce(v, 'x') IS NOT NULL);
ALTER DOMAIN d ADD CHECK (coalesce(VALUE, 'x') IS NOT NULL);
CREATE POLICY p ON t USING (coalesce(v, 'x') IS NOT NULL);
CREATE POLICY p ON t FOR INSERT WITH CHECK (coalesce(v, 'x') IS NOT NULL);
CREATE POLICY p ON t USING (true);
ALTER POLICY p ON t USING (coalesce(v, 'x') IS NOT NULL);
CREATE FUNCTION trig() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW WHEN (coalesce(NEW.v, 'x') IS NULL) EXECUTE FUNCTION trig();
CREATE STATISTICS s ON (coalesce(v, 'x') IS NULL), id FROM t;
CREATE INDEX i ON t (id) WHERE coalesce(v, 'x') IS NULL;
CREATE INDEX j ON t ((coalesce(v, 'x') IS NULL));
CREATE TABLE part (v encrypted(regress_key)) PARTITION BY LIST ((coalesce(v, 'x') IS NULL));
RESET ROLE;
SET client_min_messages = error;	-- about wal_level
CREATE PUBLICATION regress_publication FOR TABLE regress_user.t WHERE (coalesce(v, 'x') IS NULL);
RESET client_min_messages;
SET ROLE regress_user;
\set VERBOSITY default

-- nothing of it stayed
SELECT count(*) FROM pg_attrdef WHERE adrelid IN ('t'::regclass, 'v'::regclass);
SELECT typdefault FROM pg_type WHERE oid = 'd'::regtype;
SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 't'::regclass;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'regress_user'::regnamespace;
SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass;

-- the same with plaintext literals is fine
ALTER TABLE t ALTER v SET DEFAULT 'default'::text;
ALTER DOMAIN d SET DEFAULT 'domain default'::text;
CREATE TABLE ad (a encrypted(regress_key)[] DEFAULT ARRAY['array default'], dd d, n encrypted(regress_key) DEFAULT NULL);
CREATE VIEW w AS SELECT id, v FROM t UNION ALL SELECT 0, 'view'::text::encrypted(regress_key);
CREATE TABLE t2 (LIKE t);
CREATE RULE r AS ON INSERT TO t2 DO ALSO INSERT INTO t VALUES (11, 'rule'::text);
CREATE FUNCTION f(v encrypted DEFAULT 'argument'::text) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT (v::encrypted(regress_key))::text; END;
CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (21, 'body'::text); END;
INSERT INTO t2 (id) VALUES (1);
INSERT INTO t (id) VALUES (1);
CALL p();
SELECT id, v::text FROM w ORDER BY id;
INSERT INTO ad DEFAULT VALUES;
SELECT a::text[], dd::text, n IS NULL AS n_null FROM ad;
SELECT f();
\d ad

-- so are literals in bodies that are text: those are parsed when they run
CREATE FUNCTION g() RETURNS void LANGUAGE sql AS $$ INSERT INTO t VALUES (31, 'sql') $$;
CREATE FUNCTION h() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (32, 'plpgsql'); END $$;
SELECT g(), h();
SELECT id, v::text FROM t WHERE id > 30 ORDER BY id;

-- nor is a value opened where the plaintext would be stored, by detours too
CREATE VIEW opened AS SELECT id, v::text AS plain FROM t;
CREATE MATERIALIZED VIEW stored AS SELECT * FROM opened;
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION lies(encrypted) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1::text; END';
CREATE INDEX ON t (lies(v));

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
