-- NULL stays NULL and visible; an empty value is a value, and hidden.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int, v encrypted(regress_key) NOT NULL, b encrypted(regress_key, bytea),
	a encrypted(regress_key)[]);
INSERT INTO t VALUES (1, '', '', '{}'), (2, 'x', NULL, NULL), (3, ''::text, ''::bytea, '{NULL,""}'),
	(4, 'x', '\x', ARRAY[NULL, '']::encrypted(regress_key)[]);
INSERT INTO t VALUES (5, NULL);
INSERT INTO t (id) VALUES (5);
INSERT INTO t VALUES (6, NULL::text);
INSERT INTO t VALUES (7, NULL::encrypted);
SELECT id, v::text = '' AS v_empty, b IS NULL AS b_null, b::bytea, cardinality(a), a[1] IS NULL AS a1_null, a[2]::text AS a2,
	pg_column_size(v) > 40 AS sealed FROM t ORDER BY id;

-- the casts pass NULL on
SELECT NULL::encrypted(regress_key)::text IS NULL, NULL::text::encrypted(regress_key) IS NULL,
	NULL::encrypted IS NULL, NULL::encrypted(regress_key, int4)::int4 IS NULL;
SELECT count(*), count(v), count(b), count(a) FROM t;
SELECT coalesce(b, ''::encrypted(regress_key, bytea))::bytea FROM t WHERE id = 2;

-- rows and composites
CREATE TYPE pair AS (a encrypted(regress_key), b encrypted(regress_key, int4));
SELECT (p).a IS NULL AS a, (p).b::int4 AS b FROM (VALUES (ROW(NULL, 1)::pair), ('(,2)'::pair), ('("",)'::pair)) AS x(p);
SELECT p IS NULL FROM (VALUES (ROW(NULL, NULL)::pair)) AS x(p);

-- '' of a type that has no empty text is an error, NULL is not
INSERT INTO t VALUES (8, 'x', '');
SELECT ''::encrypted(regress_key, int4);
\echo :LAST_ERROR_SQLSTATE
SELECT ''::encrypted(regress_key, json);
SELECT NULL::encrypted(regress_key, int4);


-- without USAGE too
RESET ROLE;
SELECT NULL::encrypted(regress_key)::text IS NULL;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
