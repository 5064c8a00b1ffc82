-- Casts: into an encrypted column by assignment, out of it only when asked.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int, v encrypted(regress_key), n encrypted(regress_key, numeric));
INSERT INTO t VALUES (1, 'abc  ', 1.50);

-- out, explicitly
SELECT v::text, v::varchar, v::varchar(2), v::bpchar, v::char(2), v::name, CAST(n AS numeric), n::numeric(5,1), n::int, n::float8 FROM t;
CREATE DOMAIN short AS text CHECK (length(VALUE) < 6);
SELECT v::short FROM t;
SELECT ARRAY[v, v]::text[] FROM t;
SELECT (ARRAY[n]::numeric[])[1] + 1 AS sum FROM t;

-- out, not otherwise
CREATE TABLE plain (c text, d varchar, e name, f numeric);
INSERT INTO plain (c) SELECT v FROM t;
INSERT INTO plain (d) SELECT v FROM t;
INSERT INTO plain (e) SELECT v FROM t;
INSERT INTO plain (f) SELECT n FROM t;
UPDATE plain SET c = t.v FROM t;
SELECT lower(v) FROM t;
SELECT n + 1 FROM t;
SELECT sum(n) FROM t;
SELECT coalesce(v, 'none'::text) FROM t;
SELECT v FROM t UNION ALL SELECT 'x'::text;
SELECT CASE WHEN true THEN v ELSE 'x'::text END FROM t;
CREATE FUNCTION takes_text(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
SELECT takes_text(v) FROM t;
SELECT string_agg(v, ',') FROM t;

-- what works on values of any type sees a sealed one
CREATE FUNCTION opened(expression text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT (' || expression || ')::text FROM t' INTO result;
	RETURN result LIKE '%abc%';
EXCEPTION WHEN undefined_function OR ambiguous_function OR datatype_mismatch OR feature_not_supported THEN
	RETURN false;
END $$;
SELECT expression, opened(expression) FROM unnest(ARRAY[
	'concat(v, 1)', 'concat_ws(''x'', v)', 'format(''%s'', v)', 'quote_literal(v)', 'quote_nullable(v)',
	'''it was '' || v', 'v || '' it was''', '''it was ''::varchar || v', 'v || v::encrypted(regress_key2)',
	'to_json(v)', 'to_jsonb(v)', 'to_json(t)', 'row_to_json(t)', 'json_build_array(v)', 'jsonb_build_object(1, v)',
	'json_agg(v)', 'jsonb_agg(t)', 'json_object_agg(1, v)', 'to_jsonb(ARRAY[v])', 'array_to_json(ARRAY[v])', 'array_to_string(ARRAY[v], '','')',
	't', 'ROW(v)', 'ARRAY[v]', 'array_agg(v)', 'xmlelement(name x, v)', 'xmlforest(v)', 'query_to_xml(''SELECT v FROM t'', true, true, '''')'
	]) AS expression WHERE opened(expression);
SELECT opened('v::text');

-- in, by assignment
INSERT INTO t (id, v) SELECT 2, 'text'::text;
INSERT INTO t (id, v) SELECT 3, 'varchar'::varchar(5);
INSERT INTO t (id, v) SELECT 4, 'char'::char(8);
INSERT INTO t (id, v) SELECT 5, 'name'::name;
INSERT INTO t (id, v) SELECT 6, 6;
INSERT INTO t (id, v) SELECT 7, true;
INSERT INTO t (id, v) SELECT 8, '{"a":1}'::jsonb;
INSERT INTO t (id, v) SELECT 9, '2000-01-01'::date;
INSERT INTO t (id, v) SELECT 10, 'short'::short;
SELECT id, '[' || v::text || ']' AS v FROM t WHERE id > 1 ORDER BY id;

-- in, not implicitly: what is an error without us stays that error
SELECT 1 = 'x'::text;
SELECT ARRAY[v, 'x'::text] FROM t;

-- a cast without a key is not yet a value
SELECT 'x'::text::encrypted::text;
\echo :LAST_ERROR_SQLSTATE
SELECT 'x'::text::encrypted(regress_key)::text, 7::encrypted(regress_key, int4)::int4, 7::encrypted(regress_key, int8)::text;
CREATE TABLE kept AS SELECT 'x'::text::encrypted AS v;
\echo :LAST_ERROR_SQLSTATE

-- from one key, and one type, to another
SELECT v::encrypted(regress_key2)::text, n::encrypted(regress_key, text)::text, n::encrypted(regress_key2, int4)::int4 FROM t WHERE id = 1;
SELECT v::encrypted(regress_key, numeric) FROM t WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE t2 (v encrypted(regress_key2));
INSERT INTO t2 SELECT v FROM t WHERE id = 1;
INSERT INTO t2 SELECT n FROM t WHERE id = 1;
SELECT v::text FROM t2 ORDER BY 1;
RESET ROLE;
CREATE ROLE regress_half;
GRANT USAGE ON SCHEMA regress_user TO regress_half;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA regress_user TO regress_half;
GRANT USAGE ON FOREIGN SERVER regress_key2 TO regress_half;
SET ROLE regress_half;
INSERT INTO regress_user.t2 SELECT v FROM regress_user.t WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO regress_user.t (id, v) SELECT 11, v FROM regress_user.t2;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO regress_user.t2 SELECT 'mine';
-- moving it within one key needs nothing
INSERT INTO regress_user.t (id, v) SELECT 12, v FROM regress_user.t WHERE id = 1;
SET ROLE regress_user;
SELECT v::text FROM t WHERE id = 12;

-- seal() takes any type that can be encrypted; a name is no varlena, whatever its bytes look like
CREATE TABLE named (v encrypted(regress_key));
SELECT themis_crypt.seal(n, atttypmod)::text = n::text AS same
	FROM pg_attribute, unnest(ARRAY['a name', 'tc1:-QEBAAAA', E'\x01\x12\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f', E'\x02']::name[]) AS n
	WHERE attrelid = 'named'::regclass AND attname = 'v';
SELECT themis_crypt.seal(1::money, 0), themis_crypt.seal('x'::text, -1);

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
DROP OWNED BY regress_half;
DROP ROLE regress_half;
