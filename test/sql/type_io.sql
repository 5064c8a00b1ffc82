-- Input and output of the type encrypted: what goes in comes out, and what is
-- no value is refused without being repeated.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE io (id int, v encrypted(regress_key));

-- the empty string comes first; NULL is no value
INSERT INTO io VALUES (1, ''), (2, NULL), (3, 'x'), (4, ' '), (5, 'tc2:'), (6, 'TC1:x'),
	(7, 'naïve 日本語 🔑'), (8, E'line\nfeed\tand \\ backslash'), (9, repeat('long ', 20000));
SELECT id, v IS NULL AS is_null, length(v::text), left(v::text, 30) AS plain FROM io ORDER BY id;

-- text form: a prefix, then unpadded base64url; 48 bytes of overhead
SELECT id, v::text = '' AS is_empty, themis_crypt.encrypted_out(v)::text ~ '^tc1:[A-Za-z0-9_-]+$' AS armored,
	octet_length(themis_crypt.encrypted_send(v)) - octet_length(v::text) AS overhead,
	get_byte(themis_crypt.encrypted_send(v), 0) AS first_byte
	FROM io WHERE id IN (1, 3, 7, 9) ORDER BY id;

-- equal plaintexts do not look equal
INSERT INTO io SELECT 10, 'same' FROM generate_series(1, 5);
SELECT count(DISTINCT themis_crypt.encrypted_out(v)::text) FROM io WHERE id = 10;

-- what comes out goes in, byte by byte the same
SELECT id, themis_crypt.encrypted_out(v)::text AS armor FROM io WHERE id = 3 \gset
INSERT INTO io VALUES (11, :'armor');
SELECT v::text, themis_crypt.encrypted_out(v)::text = :'armor' AS same FROM io WHERE id = 11;
SELECT themis_crypt.encrypted_out(:'armor'::encrypted(regress_key))::text = :'armor' AS same,
	themis_crypt.encrypted_out(:'armor'::encrypted)::text = :'armor' AS same_without_key;

-- a literal of no column yet is pending: it is no plaintext, and cannot be read
SELECT themis_crypt.encrypted_out('x'::encrypted)::text ~ '^tc1:' AS armored;
SELECT 'x'::encrypted::text;
\echo :LAST_ERROR_SQLSTATE
SELECT 'x'::encrypted(regress_key)::text;

-- a plaintext that looks like a sealed value must be a text
INSERT INTO io VALUES (12, 'tc1:is how it starts');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO io VALUES (12, 'tc1:is how it starts'::text);
SELECT v::text FROM io WHERE id = 12;

-- one spelling only; everything else is one error, which repeats nothing
CREATE FUNCTION error_of(armor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	PERFORM themis_crypt.encrypted_in(armor::cstring, 0, -1);
	RETURN 'taken';
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE spelling (what text, armor text);
INSERT INTO spelling VALUES
	('genuine', :'armor'),
	('prefix alone', 'tc1:'),
	('not base64', 'tc1:zz zz'),
	('padded', :'armor' || '='),
	('padded more', :'armor' || '=='),
	('line feed at end', :'armor' || E'\n'),
	('blank at end', :'armor' || ' '),
	('blank after prefix', overlay(:'armor' PLACING 'tc1: ' FROM 1 FOR 4)),
	('line feed inside', overlay(:'armor' PLACING E'\n' FROM 20 FOR 0)),
	('standard alphabet +', overlay(:'armor' PLACING '+' FROM 20 FOR 1)),
	('standard alphabet /', overlay(:'armor' PLACING '/' FROM 20 FOR 1)),
	('not ASCII', overlay(:'armor' PLACING 'é' FROM 20 FOR 1)),
	('three characters more', :'armor' || 'AAA'),
	('first 8 bytes', left(:'armor', 4 + 11)),
	('shorter than overhead', left(:'armor', 4 + 60)),
	('key id 0', 'tc1:-QEBAAAAAQ' || repeat('A', 70)),
	('zeros', 'tc1:' || repeat('A', 80)),
	('text', 'tc1:' || repeat('YWJj', 20));
-- 49 bytes leave four unused bits in the last character
INSERT INTO spelling SELECT 'unused bits ' || n,
	left(armor, -1) || substr(alphabet, strpos(alphabet, right(armor, 1)) + n, 1)
	FROM spelling, (VALUES ('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')) AS a(alphabet),
		generate_series(1, 15) AS n WHERE what = 'genuine';
\x
SELECT error_of(armor) AS error, count(*), string_agg(what, ', ' ORDER BY what COLLATE "C") AS spellings
	FROM spelling GROUP BY 1 ORDER BY 1 DESC;
\x

-- of our format, but of a version or algorithm that is not known
SELECT what, error_of(armor) FROM (VALUES
	('format 2', 'tc1:-gEBAQAAAQA' || repeat('A', 80)),
	('format 8', 'tc1:_wEBAQAAAQA' || repeat('A', 80)),
	('algorithm 15', 'tc1:-Q8BAQAAAQA' || repeat('A', 80)),
	('flag compressed', 'tc1:-UEBAQAAAQA' || repeat('A', 80)),
	('type 31', 'tc1:-QEfAQAAAQA' || repeat('A', 80))) AS f(what, armor);

-- the operators of text do not exist for it
SELECT length(v) FROM io;
SELECT v < 'x' FROM io;
SELECT v LIKE 'x%' FROM io;

-- nor do order, grouping and indexes
SELECT v FROM io ORDER BY v;
SELECT DISTINCT v FROM io;
CREATE INDEX ON io (v);

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
