-- Each algorithm that this machine has: values of every size, search, what was
-- altered.  Which ones it has is a matter of test/t/036_algorithms.pl; here all
-- of them must give one answer.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
SET search_path = regress_user;

CREATE TABLE algorithm (name text PRIMARY KEY, nonce int, tag int, supported bool);
INSERT INTO algorithm VALUES ('xchacha20poly1305', 24, 16), ('aes256gcm', 24, 16), ('aegis256', 32, 32);
CREATE FUNCTION makes(algorithm text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm %L)', 'regress_' || algorithm, algorithm);
	RETURN true;
EXCEPTION WHEN feature_not_supported THEN
	RETURN false;
END $$;
UPDATE algorithm SET supported = makes(name);
SELECT name FROM algorithm WHERE name = 'xchacha20poly1305' AND supported;
-- a key has the algorithm it was made with; what is not supported made none
SELECT count(*) AS wrong FROM algorithm AS a LEFT JOIN themis_crypt.keys AS k
	ON k.name = 'regress_' || a.name AND k.algorithm = a.name WHERE a.supported <> (k.name IS NOT NULL);
DELETE FROM algorithm WHERE NOT supported;

-- The answers of a statement under each of them, all of them together.
CREATE FUNCTION answers(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	a algorithm;
	own text;
	answer text;
	given text[];
BEGIN
	FOR a IN SELECT * FROM algorithm ORDER BY name LOOP
		BEGIN
			own := replace(replace(statement, 'KEY', 'regress_' || a.name), 'VALUES_OF', 't_' || a.name);
			own := replace(replace(replace(own, 'NONCE', a.nonce::text), 'TAG', a.tag::text), 'ALGORITHM', a.name);
			IF own ~ '^CREATE' THEN
				EXECUTE own;
				answer := 'created';
			ELSE
				EXECUTE own INTO answer;
			END IF;
		EXCEPTION WHEN others THEN
			answer := SQLSTATE || ' ' || SQLERRM;
		END;
		given := given || coalesce(answer, 'null');
	END LOOP;
	RETURN QUERY SELECT DISTINCT unnest(given) ORDER BY 1;
END $$;

-- every size
CREATE TABLE size AS SELECT unnest(ARRAY[0, 1, 15, 16, 17, 63, 64, 127, 128, 129, 255, 256, 1000, 2100, 65535, 65536, 65537, 1000000]) AS n;
SELECT answers('CREATE TABLE VALUES_OF (n int, v encrypted(KEY), b encrypted(KEY, bytea), s encrypted(KEY, text, searchable))');
SELECT answers($$WITH added AS (INSERT INTO VALUES_OF SELECT n, repeat('x', n), decode(repeat('00', n), 'hex'), repeat('s', n) FROM size RETURNING 1)
	SELECT count(*) FROM added$$);
SELECT answers($$SELECT count(*) FROM VALUES_OF WHERE v::text = repeat('x', n) AND b::bytea = decode(repeat('00', n), 'hex') AND s::text = repeat('s', n)$$);
SELECT answers($$INSERT INTO VALUES_OF VALUES (-1, 'a literal', '\x00ff', 'a literal') RETURNING v::text || s::text || b::bytea$$);
-- what a value is longer than its plaintext
SELECT answers($$SELECT count(*) FROM VALUES_OF WHERE octet_length(themis_crypt.encrypted_send(v)) <> octet_length(v::text) + 8 + NONCE + TAG
	OR octet_length(themis_crypt.encrypted_send(s)) <> octet_length(s::text) + 8 + 16 + NONCE + TAG$$);

-- a value from outside, as text
SELECT answers($$SELECT v::text::encrypted(KEY)::text FROM VALUES_OF WHERE n = 1$$);
SELECT answers($$SELECT themis_crypt.encrypted_in(themis_crypt.encrypted_out(v), 0, -1)::text FROM VALUES_OF WHERE n = 16$$);

-- compressed before that
SELECT answers($$CREATE SERVER KEY_lz4 FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'ALGORITHM', compression 'lz4')$$);
SELECT answers('CREATE TABLE VALUES_OF_lz4 (n int, v encrypted(KEY_lz4))');
SELECT answers($$WITH added AS (INSERT INTO VALUES_OF_lz4 SELECT n, repeat('x', n) FROM size RETURNING 1) SELECT count(*) FROM added$$);
SELECT answers($$SELECT count(*) || ' ' || (max(octet_length(themis_crypt.encrypted_send(v))) < 5000) FROM VALUES_OF_lz4 WHERE v::text = repeat('x', n)$$);

-- search
SELECT answers('CREATE UNIQUE INDEX ON VALUES_OF (s) WHERE n BETWEEN 0 AND 1000');
SELECT answers($$SELECT n FROM VALUES_OF WHERE s = repeat('s', 17)$$);
SELECT answers($$SELECT string_agg(n::text, ' ' ORDER BY n) FROM VALUES_OF WHERE s IN ('', 's', 'a literal', 'none')$$);
SELECT DISTINCT left(a, 5) AS sqlstate FROM answers($$INSERT INTO VALUES_OF VALUES (2, '', '', 's') RETURNING n$$) AS a;
SELECT answers($$SELECT count(DISTINCT s) FROM (SELECT s FROM VALUES_OF UNION ALL SELECT s::text::encrypted(KEY, text, searchable) FROM VALUES_OF) AS x$$);

-- A byte altered in each part, a part of another value, and another key: one
-- error.  The text is of 16 bytes.
CREATE FUNCTION altered(v encrypted, n int) RETURNS encrypted LANGUAGE sql RETURN (
	SELECT themis_crypt.encrypted_in(('tc1:' || translate(encode(set_byte(bytes, n, get_byte(bytes, n) # 2), 'base64'), E'+/=\n', '-_'))::cstring, 0, -1)
	  FROM themis_crypt.encrypted_send(v) AS x(bytes));
CREATE FUNCTION outcome(v encrypted, n int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN altered(v, n)::text;
EXCEPTION WHEN others THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT answers($$SELECT string_agg(DISTINCT outcome(v, byte), ', ') || ' ' || min(byte) || ' ' || (max(byte) = 8 + NONCE + 16 + TAG - 1)
	FROM VALUES_OF, generate_series(7, 8 + NONCE + 16 + TAG - 1) AS byte WHERE n = 16$$);
SELECT answers($$SELECT string_agg(DISTINCT outcome(s, byte), ', ') FROM VALUES_OF, generate_series(8, 8 + 16 + NONCE + 16 + TAG - 1) AS byte WHERE n = 16$$);
SELECT answers($$SELECT string_agg(DISTINCT outcome(v, 1000 + byte), ', ') FROM VALUES_OF, generate_series(0, 99) AS byte WHERE n = 65536$$);
-- the type, and the algorithm: with its number changed the sizes differ, too
SELECT answers($$SELECT outcome(v, 2) FROM VALUES_OF WHERE n = 16$$);
SELECT count(*) AS algorithm_altered FROM algorithm,
	LATERAL answers(format($$SELECT outcome(v, 1) FROM %I WHERE n = 16$$, 't_' || name)) AS x(error) WHERE error !~ '^(XX001 could not decrypt|0A000|22P02) ';
-- the key of another algorithm
CREATE SERVER regress_other FOREIGN DATA WRAPPER themis_crypt;
SELECT answers($$SELECT themis_crypt.encrypted_in(('tc1:' || translate(encode(overlay(themis_crypt.encrypted_send(v)
	PLACING substr(themis_crypt.encrypted_send('x'::encrypted(regress_other)), 4, 3) FROM 4), 'base64'), E'+/=\n', '-_'))::cstring, 0, -1)::text FROM VALUES_OF WHERE n = 16$$);

-- no other algorithm, and no other spelling
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'aes128gcm');
CREATE SERVER regress_wrong FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'AES256GCM');
SELECT themis_crypt.create_key('regress_wrong', 'aes256gcm ');
SELECT themis_crypt.create_key('regress_right', 'xchacha20poly1305');
RESET ROLE;
-- nothing here that this machine could not open
SELECT unsupported FROM themis_crypt.status();

-- a key that this version cannot read hides nothing else
BEGIN;
UPDATE pg_foreign_server SET srvoptions = array_append(srvoptions, 'newer=1') WHERE srvname = 'regress_other';
SELECT state, unsupported FROM themis_crypt.status();
ROLLBACK;

SET client_min_messages = warning;
SET themis_crypt.allow_drop_key = on;
DROP SCHEMA regress_user CASCADE;
DROP SERVER IF EXISTS regress_xchacha20poly1305, regress_aes256gcm, regress_aegis256, regress_other, regress_right,
	regress_xchacha20poly1305_lz4, regress_aes256gcm_lz4, regress_aegis256_lz4;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
