-- Large values, and the limit of 256 MiB (tried with TC_LONG set only: it takes
-- seconds and a gigabyte; the output is the same).
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int, v encrypted(regress_key), b encrypted(regress_key, bytea), j encrypted(regress_key, jsonb));

-- stored inline, compressed (nothing of a sealed value can be), out of line
INSERT INTO t SELECT n, repeat('x', n), decode(repeat('00', n), 'hex'), to_jsonb(repeat('y', n))
	FROM unnest(ARRAY[1, 78, 79, 1999, 2000, 2100, 8192, 1000000]) AS n;
SELECT id, length(v::text), v::text = repeat('x', id) AS v, length(b::bytea), b::bytea = decode(repeat('00', id), 'hex') AS b,
	j::jsonb = to_jsonb(repeat('y', id)) AS j FROM t ORDER BY id;
SELECT attstorage FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'v';
CREATE TABLE copied AS SELECT * FROM t;
UPDATE copied SET id = -id;
SELECT count(*) FROM t JOIN copied ON t.id = -copied.id WHERE t.v::text = copied.v::text AND t.b::bytea = copied.b::bytea;

-- the limit, as seen by the text form, by a cast, and by opening it again
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
BEGIN
	EXECUTE statement INTO result;
	RETURN result;
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || ': ' || detail;
END $$;
\set below 268435455
\set limit 268435456
\set over '54000 value is too large to be encrypted: A plaintext may have at most 268435456 bytes.'
\set over_input :over
\set over_bytea :over
\getenv long TC_LONG
\if :{?long}
SELECT nullif(:'long', '') IS NOT NULL AS long \gset
\if :long
SELECT outcome($$SELECT length(v::text) FROM (SELECT repeat('x', 268435455)::encrypted(regress_key)) AS x(v)$$) AS below \gset
SELECT outcome($$SELECT length(v::text) FROM (SELECT repeat('x', 268435456)::encrypted(regress_key)) AS x(v)$$) AS limit \gset
SELECT outcome($$SELECT length(v::text) FROM (SELECT repeat('x', 268435457)::encrypted(regress_key)) AS x(v)$$) AS over \gset
SELECT outcome($$SELECT themis_crypt.encrypted_in(repeat('x', 268435457)::cstring, 0, -1)$$) AS over_input \gset
SELECT outcome($$SELECT (repeat('x', 268435457)::bytea)::encrypted(regress_key, bytea)$$) AS over_bytea \gset
\endif
\endif
\echo :below :limit
\echo :over
\echo :over_input
\echo :over_bytea

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
