-- What goes wrong, its SQLSTATE and its words.  The order is form, privilege,
-- authentication; all failures of the last kind look the same.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE ROLE regress_other;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_gone FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(regress_key));
INSERT INTO t VALUES ('genuine');
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement INTO result;
	RETURN result;
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || regexp_replace(message, 'id "#[0-9a-f]{6}"', 'id N') ||
		coalesce(E'\n  detail: ' || nullif(detail, ''), '') || coalesce(E'\n  hint: ' || nullif(hint, ''), '');
END $$;

-- a value as bytes, and bytes as a value
CREATE FUNCTION bytes_of(encrypted) RETURNS bytea LANGUAGE sql RETURN themis_crypt.encrypted_send($1);
CREATE FUNCTION value_of(bytes bytea) RETURNS encrypted LANGUAGE sql RETURN
	themis_crypt.encrypted_in(('tc1:' || translate(encode(bytes, 'base64'), E'+/=\n', '-_'))::cstring, 0, -1);
CREATE FUNCTION flipped(bytes bytea, n int) RETURNS bytea LANGUAGE sql RETURN set_bit(bytes, n, 1 - get_bit(bytes, n));
SELECT value_of(bytes_of(v))::text FROM t;

-- each bit of a value, flipped: 8 header, 24 nonce, 7 text, 16 tag bytes
CREATE TABLE flip AS SELECT n / 8 AS byte, error_of(format('SELECT value_of(flipped(%L, %s))::text', bytes_of(v), n)) AS error
	FROM t, generate_series(0, octet_length(bytes_of(v)) * 8 - 1) AS n;
SELECT min(byte) AS first, max(byte) AS last, part, error FROM (
	SELECT *, CASE WHEN byte = 0 THEN 'format' WHEN byte < 6 THEN 'key id' WHEN byte < 8 THEN 'version' ELSE 'nonce, text, tag' END AS part
		FROM flip WHERE byte NOT IN (1, 2, 6)) AS x
	GROUP BY part, error ORDER BY min(byte), error COLLATE "C";
-- algorithm, flags, type, pending or not: what is known changes with the
-- version; in no way does it open
SELECT byte, error FROM flip WHERE byte IN (1, 2, 6) AND left(error, 5) NOT IN ('0A000', 'XX001', '22P02', '42501');
SELECT count(*) AS flips FROM flip;

-- shorter, longer, and the parts of another value
INSERT INTO t VALUES ('another');
SELECT error, count(*) FROM (
	SELECT error_of(format('SELECT value_of(substr(%L::bytea, 1, %s))::text', bytes_of(v), n)) AS error
		FROM t, generate_series(48, octet_length(bytes_of(v)) - 1) AS n WHERE v::text = 'genuine'
	UNION ALL
	SELECT error_of(format('SELECT value_of(%L::bytea || substr(%L::bytea, 1, %s))::text', bytes_of(v), bytes_of(v), n)) AS error
		FROM t, generate_series(1, 8) AS n WHERE v::text = 'genuine'
	UNION ALL
	SELECT error_of(format('SELECT value_of(substr(%L::bytea, 1, %s) || substr(%L::bytea, %s))::text', bytes_of(a.v), n, bytes_of(b.v), n + 1))
		FROM t AS a, t AS b, unnest(ARRAY[32, 39, 47]) AS n WHERE a.v::text = 'genuine' AND b.v::text = 'another'
	UNION ALL	-- under the id of another key
	SELECT error_of(format('SELECT value_of(overlay(%L::bytea PLACING substr(%L::bytea, 4, 3) FROM 4))::text', bytes_of(v), bytes_of('x'::encrypted(regress_key2)))) FROM t
	UNION ALL	-- as another type
	SELECT error_of(format('SELECT value_of(set_byte(%L::bytea, 2, 2))::text', bytes_of(v))) FROM t
	) AS x GROUP BY 1;

-- privilege comes before authentication, form before privilege
SELECT bytes_of(v) AS bytes FROM t WHERE v::text = 'genuine' \gset
GRANT USAGE ON SCHEMA regress_user TO regress_other;
SET ROLE regress_other;
SET search_path = regress_user;
SELECT error_of(format('SELECT value_of(%L)', substr(:'bytes'::bytea, 1, 20)));
SELECT error_of(format('SELECT value_of(%L)', flipped(:'bytes', 300)));
SET ROLE regress_user;
RESET search_path;

-- the table of errors
CREATE TABLE ids AS SELECT 'gone'::encrypted(regress_gone) AS v;
SELECT bytes_of(v) AS gone FROM ids \gset
DROP TABLE ids;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_gone;
RESET themis_crypt.allow_drop_key;
SELECT error_of(s) FROM (VALUES
	(1, 'SELECT ''x''::encrypted(regress_gone)'),
	(2, format('SELECT value_of(%L)', :'gone')),
	(3, 'CREATE TABLE keyless (x encrypted)'),
	(4, 'CREATE TABLE keyless (x encrypted(regress_key, money))'),
	(5, 'CREATE TABLE keyless (x encrypted(regress_key, text, maybe))'),
	(6, 'CREATE TABLE keyless (x encrypted(regress_key, json, searchable))'),
	(7, 'SELECT ''tc1:x''::encrypted'),
	(8, 'SELECT ''x''::encrypted(regress_key, int4)'),
	(9, 'SELECT ''x''::text::encrypted(regress_key, int4)'),
	(10, 'SELECT (''x''::encrypted(regress_key))::point'),
	(11, 'SELECT (''7''::encrypted(regress_key, int4))::date'),
	(12, 'SELECT ''x''::encrypted::text'),
	(13, 'INSERT INTO t SELECT * FROM json_populate_record(NULL::t, json_build_object(''v'', themis_crypt.encrypted_out(''x''::encrypted(regress_key2))))'),
	(14, 'DROP SERVER regress_key2'),
	(15, 'DROP SERVER regress_key'),
	(16, 'ALTER SERVER regress_key OPTIONS (SET id ''1'')'),
	(17, 'CREATE SERVER themis_root_x FOREIGN DATA WRAPPER themis_crypt'),
	(18, 'CREATE SERVER x FOREIGN DATA WRAPPER themis_crypt OPTIONS (id ''1'')'),
	(19, 'CREATE SERVER x FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm ''rot13'')'),
	(20, 'CREATE USER MAPPING FOR PUBLIC SERVER regress_key'),
	(21, 'CREATE VIEW w AS SELECT ''x''::encrypted'),
	(22, 'CREATE MATERIALIZED VIEW w AS SELECT v::text FROM t'),
	(23, 'SELECT themis_crypt.lock()'),
	(24, 'SELECT themis_crypt.unlock()'),
	(25, 'SELECT state FROM themis_crypt.status()'),
	(26, 'SELECT themis_crypt.replace_root_record(''x'')'),
	(27, 'SET themis_crypt.restore = on'),
	(28, 'SET themis_crypt.allow_no_recovery = on'),
	(29, 'SET themis_crypt.keyring = ''x'''),
	(30, 'SET themis_crypt.nonsense = 1')
	) AS x(n, s) ORDER BY n;

-- I/O functions called by hand
SELECT themis_crypt.encrypted_in('x', 0, 1);
SELECT themis_crypt.coerce('x'::encrypted, 1, false);
SELECT themis_crypt.coerce('x'::encrypted, 2147483647, false);
SELECT themis_crypt.seal(NULL::text, 1), themis_crypt.coerce(NULL, 1, true);
SELECT themis_crypt.encrypted_typmod_in('{}');
SELECT themis_crypt.encrypted_typmod_in(ARRAY[NULL]::cstring[]);
SELECT themis_crypt.encrypted_typmod_in('{{a,b},{c,d}}');
SELECT themis_crypt.validator('{}', 0);
SELECT themis_crypt.validator('{x=y}', 'pg_foreign_server'::regclass);

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user, regress_other;
DROP ROLE regress_user, regress_other;
