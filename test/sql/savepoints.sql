-- Keys come and go with their transaction.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
SET themis_crypt.allow_drop_key = on;

-- a key that is rolled back, and another of the same name
BEGIN;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(regress_key));
INSERT INTO t VALUES ('of the first');
SELECT v::text, themis_crypt.encrypted_out(v)::text AS first FROM t \gset
SAVEPOINT s;
SELECT v::text FROM t;
ROLLBACK TO s;
SELECT v::text FROM t;
ROLLBACK;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(regress_key));
INSERT INTO t VALUES ('of the second');
SELECT v::text FROM t;
\set VERBOSITY sqlstate
SELECT :'first'::encrypted;
\set VERBOSITY default

-- the same inside one transaction
BEGIN;
SAVEPOINT s;
CREATE SERVER regress_again FOREIGN DATA WRAPPER themis_crypt;
SELECT 'x'::encrypted(regress_again)::text;
ROLLBACK TO s;
CREATE SERVER regress_again FOREIGN DATA WRAPPER themis_crypt;
SELECT 'y'::encrypted(regress_again)::text;
ROLLBACK TO s;
SELECT 'z'::encrypted(regress_again)::text;
ROLLBACK;
SELECT count(*) FROM themis_crypt.keys WHERE name = 'regress_again';

-- dropped, and not dropped
BEGIN;
SAVEPOINT s;
DROP TABLE t;
DROP SERVER regress_key;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
SELECT 'of the third'::encrypted(regress_key)::text;
ROLLBACK TO s;
SELECT v::text FROM t;
INSERT INTO t VALUES ('after rollback');
COMMIT;
SELECT v::text FROM t;

-- renamed, granted, and rolled back
BEGIN;
ALTER SERVER regress_key RENAME TO regress_other_name;
REVOKE USAGE ON FOREIGN SERVER regress_other_name FROM regress_user;
SAVEPOINT s;
SELECT v::text FROM t;
ROLLBACK TO s;
GRANT USAGE ON FOREIGN SERVER regress_other_name TO regress_user;
SELECT v::text FROM t LIMIT 1;
ROLLBACK;
SELECT v::text FROM t LIMIT 1;

-- in subtransactions of a function
DO $$
BEGIN
	FOR i IN 1 .. 5 LOOP
		BEGIN
			EXECUTE format('CREATE SERVER regress_%s FOREIGN DATA WRAPPER themis_crypt', i);
			EXECUTE format('INSERT INTO t SELECT (''loop ''::text || %s)::encrypted(regress_%s)', i, i);
			IF i % 2 = 0 THEN
				RAISE EXCEPTION 'roll back';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT name FROM themis_crypt.keys WHERE name ~ '^regress_\d' ORDER BY name;
SELECT v::text FROM t OFFSET 2;

-- an error while sealing leaves nothing that disturbs the next statement
BEGIN;
SAVEPOINT s;
INSERT INTO t SELECT CASE WHEN i < 3 THEN i::text ELSE (1 / (i - 3))::text END FROM generate_series(1, 5) AS i;
ROLLBACK TO s;
INSERT INTO t VALUES ('after an error');
COMMIT;
SELECT v::text FROM t OFFSET 5;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
DROP SERVER regress_key, regress_1, regress_3, regress_5;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
