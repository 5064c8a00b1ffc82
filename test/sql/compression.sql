-- Plaintexts are compressed before they are sealed where the key says so, and
-- only then; what does not become shorter is sealed as it is.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_none FOREIGN DATA WRAPPER themis_crypt OPTIONS (compression 'none');
CREATE SERVER regress_lz4 FOREIGN DATA WRAPPER themis_crypt OPTIONS (compression 'lz4');
SELECT themis_crypt.create_key('regress_function', compression => 'lz4');
SELECT name, compression FROM themis_crypt.keys WHERE name ~ '^regress' ORDER BY name;
SELECT count(*) FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname = 'regress_none' AND option_name = 'compression';
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (compression 'zstd');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (compression '');
ALTER SERVER regress_lz4 OPTIONS (DROP compression);
ALTER SERVER regress_key OPTIONS (ADD compression 'lz4');

-- how many bytes are added to a plaintext, and whether the flag is set
CREATE TABLE t (what text, plain text, a encrypted(regress_key), b encrypted(regress_lz4), c encrypted(regress_lz4, text, searchable));
INSERT INTO t (what, plain) VALUES
	('empty', ''), ('one byte', 'x'), ('127', repeat('x', 127)), ('128', repeat('x', 128)),
	('1,000', repeat('0123456789', 100)), ('100,000', repeat('0123456789', 10000)),
	('noise', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 40) AS i)), ('null', NULL);
UPDATE t SET a = plain, b = plain, c = plain;
CREATE VIEW sealed AS SELECT what, octet_length(plain) AS plain, themis_crypt.encrypted_send(a) AS a,
	themis_crypt.encrypted_send(b) AS b, themis_crypt.encrypted_send(c) AS c FROM t;
SELECT what, plain, octet_length(a) - plain AS a, octet_length(b) - plain AS b, octet_length(c) - plain AS c,
	get_byte(a, 1) & 64 AS a_flag, get_byte(b, 1) & 64 AS b_flag, get_byte(c, 1) & 80 AS c_flag
	FROM sealed WHERE plain < 1000 OR what = 'noise' ORDER BY plain;
SELECT what, octet_length(a) - plain AS a, octet_length(b) < plain / 8 AS b, octet_length(c) - octet_length(b) AS c,
	get_byte(b, 1) & 64 AS b_flag FROM sealed WHERE plain >= 1000 AND what <> 'noise' ORDER BY plain;
SELECT what FROM t WHERE a::text IS DISTINCT FROM plain OR b::text IS DISTINCT FROM plain OR c::text IS DISTINCT FROM plain;

-- literals, parameters, COPY, other types; tokens do not depend on compression
INSERT INTO t (what, b) VALUES ('literal', '{"a": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}');
PREPARE put (text) AS INSERT INTO t (what, b) VALUES ('parameter', $1);
EXECUTE put (repeat('ab', 100));
COPY t (what, b) FROM stdin;
copy	xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
\.
SELECT what, octet_length(b::text) AS plain, octet_length(themis_crypt.encrypted_send(b)) < octet_length(b::text) AS shorter
	FROM t WHERE what IN ('literal', 'parameter', 'copy') ORDER BY what;
CREATE TABLE types (j encrypted(regress_lz4, jsonb, searchable), b encrypted(regress_lz4, bytea), n encrypted(regress_lz4, numeric));
INSERT INTO types SELECT jsonb_agg(i), decode(repeat('00ff', 500), 'hex'), repeat('9', 2000)::numeric FROM generate_series(1, 500) AS i;
SELECT jsonb_array_length(j::jsonb), b::bytea = decode(repeat('00ff', 500), 'hex') AS b, n::numeric = repeat('9', 2000)::numeric AS n,
	get_byte(themis_crypt.encrypted_send(j), 1) & 64 AS j_flag, get_byte(themis_crypt.encrypted_send(b), 1) & 64 AS b_flag,
	get_byte(themis_crypt.encrypted_send(n), 1) & 64 AS n_flag FROM types;
CREATE INDEX ON t USING hash (c);
SET enable_seqscan = off;
SELECT what FROM t WHERE c = repeat('0123456789', 10000);
SELECT what FROM t WHERE c = repeat('x', 128)::text;
SELECT count(*) FROM t AS l JOIN t AS r ON l.c = r.c;
RESET enable_seqscan;

-- the flag is authenticated, with and without
SET themis_crypt.sealed_input = on;
SELECT set_byte(b, 1, get_byte(b, 1) # 64) AS altered FROM sealed WHERE what = '1,000' \gset
SELECT themis_crypt.encrypted_in(('tc1:' || translate(encode(:'altered', 'base64'), E'+/=\n', '-_'))::cstring, 0, -1)::text;
SELECT set_byte(b, 1, get_byte(b, 1) # 64) AS altered FROM sealed WHERE what = '127' \gset
SELECT themis_crypt.encrypted_in(('tc1:' || translate(encode(:'altered', 'base64'), E'+/=\n', '-_'))::cstring, 0, -1)::text;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_none, regress_lz4, regress_function;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
