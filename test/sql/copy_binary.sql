-- The binary forms: a sealed value as it is, plaintext as its type has it.  The
-- first byte tells them apart; 0xF8 to 0xFF never begin a UTF-8 text.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int, v encrypted(regress_key), n encrypted(regress_key, numeric));
INSERT INTO t VALUES (1, '', 1.50), (2, 'naïve 🔑', 'NaN'), (3, NULL, NULL);

-- out and in again: byte by byte the same
SET themis_crypt.client_output = 'plaintext';
COPY t TO stdout (FORMAT binary) \g results/copy_binary.data
RESET themis_crypt.client_output;
CREATE TABLE t2 (LIKE t);
\copy t2 from 'results/copy_binary.data' (format binary)
SELECT id, t2.v::text, t2.n::numeric, themis_crypt.encrypted_send(t.v) = themis_crypt.encrypted_send(t2.v) AS same_bytes
	FROM t JOIN t2 USING (id) ORDER BY id;

-- not into a column of another key or type
CREATE TABLE t3 (id int, v encrypted(regress_key2), n encrypted(regress_key, numeric));
\copy t3 from 'results/copy_binary.data' (format binary)
CREATE TABLE t4 (id int, v encrypted(regress_key), n encrypted(regress_key, int4));
\copy t4 from 'results/copy_binary.data' (format binary)
SELECT count(*) FROM t3, t4;

-- one field of one row, as a client would send it
CREATE TABLE one (v encrypted(regress_key));
CREATE FUNCTION file_of(field bytea) RETURNS oid LANGUAGE sql AS $$
	SELECT lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || '\x0000000000000000'	-- PGCOPY, flags, extension
		|| '\x0001' || int4send(octet_length(field)) || field || '\xffff')
$$;
-- plaintext
SELECT file_of(convert_to('sent', 'UTF8')) AS file \gset
\lo_export :file results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
SELECT v::text FROM one;
-- nothing: the empty text
SELECT file_of('') AS file \gset
\lo_export :file results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
SELECT count(*) FROM one WHERE v::text = '';
-- armor
SELECT file_of(convert_to(themis_crypt.encrypted_out(v)::text, 'UTF8')) AS file FROM t WHERE id = 2 \gset
\lo_export :file results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
SELECT count(*) FROM one WHERE v::text = 'naïve 🔑';
-- sealed, and its first byte, its first 8, all but its last
SELECT file_of(themis_crypt.encrypted_send(v)) AS file, file_of('\xf9') AS file1, file_of(substr(themis_crypt.encrypted_send(v), 1, 8)) AS file8,
	file_of(substr(themis_crypt.encrypted_send(v), 1, 47)) AS file47, file_of(substr(themis_crypt.encrypted_send(v), 1, 48)) AS file48
	FROM t WHERE id = 2 \gset
\lo_export :file results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
SELECT count(*) FROM one WHERE v::text = 'naïve 🔑';
\lo_export :file1 results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
\lo_export :file8 results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
\lo_export :file47 results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
-- cut where a value could end: it is taken in, since that needs no key, and will not open
\lo_export :file48 results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
SELECT count(v::text) FROM one;
\echo :LAST_ERROR_SQLSTATE
-- first bytes of formats to come, and of no UTF-8 text
SELECT file_of(overlay(themis_crypt.encrypted_send(v) PLACING '\xf8' FROM 1)) AS filef8, file_of(overlay(themis_crypt.encrypted_send(v) PLACING '\xff' FROM 1)) AS fileff,
	file_of('\xf7a0a0a0') AS filef7, file_of('\x80') AS file80, file_of('\x6100') AS filenul
	FROM t WHERE id = 2 \gset
\lo_export :filef8 results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
\lo_export :fileff results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
\lo_export :filef7 results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
\lo_export :file80 results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)
\lo_export :filenul results/copy_binary.one
\copy one from 'results/copy_binary.one' (format binary)

-- bytea: the bytes, whatever they look like, but for what looks like a value
CREATE TABLE bytes (v encrypted(regress_key, bytea));
RESET themis_crypt.sealed_input;
SELECT file_of('\x00ff') AS file1, file_of('\x5c783431') AS file2, file_of('\xffd8ffe0') AS file3, file_of('\xf9') AS file4, file_of('') AS file5,
	file_of(themis_crypt.encrypted_send(v)) AS file6, file_of(substr(themis_crypt.encrypted_send(v), 1, 3)) AS file7
	FROM t WHERE id = 2 \gset
\lo_export :file1 results/copy_binary.one
\copy bytes from 'results/copy_binary.one' (format binary)
\lo_export :file2 results/copy_binary.one
\copy bytes from 'results/copy_binary.one' (format binary)
\lo_export :file3 results/copy_binary.one
\copy bytes from 'results/copy_binary.one' (format binary)
\lo_export :file4 results/copy_binary.one
\copy bytes from 'results/copy_binary.one' (format binary)
\lo_export :file5 results/copy_binary.one
\copy bytes from 'results/copy_binary.one' (format binary)
\lo_export :file6 results/copy_binary.one
\copy bytes from 'results/copy_binary.one' (format binary)
\lo_export :file7 results/copy_binary.one
\copy bytes from 'results/copy_binary.one' (format binary)
SELECT v::bytea FROM bytes;
-- other types
CREATE TABLE types (i encrypted(regress_key, int4), d encrypted(regress_key, date), n encrypted(regress_key, numeric),
	b encrypted(regress_key, bool), j encrypted(regress_key, jsonb), u encrypted(regress_key, uuid));
CREATE TABLE plain_types (i int4, d date, n numeric, b bool, j jsonb, u uuid);
INSERT INTO plain_types VALUES (825307441, '2020-01-02', 12.50, true, '{"a": "ä"}', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'),
	(-1, '1968-02-29', 'NaN', false, '[]', 'f96ba7b8-9dad-11d1-80b4-00c04fd430c8');
COPY plain_types TO stdout (FORMAT binary) \g results/copy_binary.one
\copy types from 'results/copy_binary.one' (format binary)
SELECT i::int4, d::date, n::numeric, b::bool, j::jsonb, u::uuid FROM types;
SET client_encoding = latin1;
COPY plain_types TO stdout (FORMAT binary) \g results/copy_binary.one
\copy types from 'results/copy_binary.one' (format binary)
RESET client_encoding;
SELECT j::jsonb, count(*) FROM types GROUP BY 1 ORDER BY 1;
SELECT file_of('1') AS file \gset
\lo_export :file results/copy_binary.one
\copy types(i) from 'results/copy_binary.one' (format binary)
\copy types(b) from 'results/copy_binary.one' (format binary)
\copy types(n) from 'results/copy_binary.one' (format binary)
\copy types(j) from 'results/copy_binary.one' (format binary)
\copy types(u) from 'results/copy_binary.one' (format binary)
SELECT file_of('12345') AS file \gset
\lo_export :file results/copy_binary.one
\copy types(i) from 'results/copy_binary.one' (format binary)
SET themis_crypt.sealed_input = on;
\lo_export :file3 results/copy_binary.one
\copy bytes from 'results/copy_binary.one' (format binary)

-- without USAGE
RESET ROLE;
CREATE ROLE regress_other;
GRANT USAGE ON SCHEMA regress_user TO regress_other;
GRANT ALL ON ALL TABLES IN SCHEMA regress_user TO regress_other;
SET ROLE regress_other;
\copy regress_user.t from 'results/copy_binary.data' (format binary)
COPY regress_user.t TO stdout (FORMAT binary) \g results/copy_binary.data2

SET client_min_messages = warning;
RESET ROLE;
SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata WHERE lomowner = 'regress_user'::regrole;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user, regress_other;
DROP ROLE regress_user, regress_other;
