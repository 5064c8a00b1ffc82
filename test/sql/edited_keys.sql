-- Goal of this test: a key whose catalog row somebody has edited by hand is an
-- error for whoever uses that key, and for nobody else, and can be dropped.  A
-- session in which keys come and go does not grow.
SET client_min_messages = warning;
CREATE SERVER edited_a FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER edited_b FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER edited_c FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE edited (a encrypted(edited_a), c encrypted(edited_c));
INSERT INTO edited VALUES ('a', 'c');

-- Two servers with one id.
SET allow_system_table_mods = on;
CREATE FUNCTION option_of(server name, option text) RETURNS text LANGUAGE sql AS
    $$ SELECT o FROM pg_foreign_server, unnest(srvoptions) AS o WHERE srvname = server AND o ~ ('^' || option || '=') $$;
UPDATE pg_foreign_server SET srvoptions = array_replace(srvoptions, option_of('edited_b', 'id'), option_of('edited_a', 'id'))
 WHERE srvname = 'edited_b';
SELECT regexp_replace(format_type(atttypid, atttypmod), '#[0-9a-f]{6}', '#id') FROM pg_attribute
 WHERE attrelid = 'edited'::regclass AND attnum > 0;
-- The session that has used the first of them meets the second, too.
SELECT c::text FROM edited;
SELECT a::text FROM edited;
INSERT INTO edited (a) VALUES ('new');
\c -
SET client_min_messages = warning;
SELECT c::text FROM edited;
SELECT a::text FROM edited;
INSERT INTO edited (a) VALUES ('new');
SELECT a = NULL FROM edited;
CREATE TABLE more (v encrypted(edited_b));
CREATE SERVER edited_d FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE more (v encrypted(edited_d));
INSERT INTO more VALUES ('d') RETURNING v::text;
SELECT state FROM themis_crypt.root_records();

-- One of them goes, so the other one works again, here and in new sessions.
DROP SERVER edited_b;
SET themis_crypt.allow_drop_key = on;
BEGIN;
DROP SERVER edited_b;
SELECT a::text FROM edited;
ROLLBACK;
SELECT a::text FROM edited;
DROP SERVER edited_b;
SELECT a::text FROM edited;
-- and the first of them, in a transaction that is rolled back
SET allow_system_table_mods = on;
CREATE SERVER edited_b FOREIGN DATA WRAPPER themis_crypt;
UPDATE pg_foreign_server SET srvoptions = array_replace(srvoptions, option_of('edited_b', 'id'), option_of('edited_a', 'id'))
 WHERE srvname = 'edited_b';
BEGIN;
DROP TABLE edited;
DROP SERVER edited_a;
CREATE TABLE other (v encrypted(edited_b));
ROLLBACK;
SELECT a::text FROM edited;
DROP SERVER edited_b;
\c -
SET client_min_messages = warning;
INSERT INTO edited VALUES ('again', 'c');
SELECT a::text FROM edited;

-- Of three, one goes, and two are left.
SET allow_system_table_mods = on;
CREATE SERVER edited_b FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER edited_g FOREIGN DATA WRAPPER themis_crypt;
UPDATE pg_foreign_server SET srvoptions = array_replace(srvoptions, option_of(srvname, 'id'), option_of('edited_a', 'id'))
 WHERE srvname IN ('edited_b', 'edited_g');
\set VERBOSITY sqlstate
SELECT a::text FROM edited;
SET themis_crypt.allow_drop_key = on;
DROP SERVER edited_g;
SELECT a::text FROM edited;
INSERT INTO edited (a) VALUES ('new');
DROP SERVER edited_b;
\set VERBOSITY default
SELECT a::text FROM edited;

-- The first of two options counts for all, so a second one is no way around it.
SET allow_system_table_mods = on;
UPDATE pg_foreign_server SET srvoptions = array_prepend('id=0', srvoptions) WHERE srvname = 'edited_d';
\set VERBOSITY sqlstate
SELECT v::text FROM more;
\set VERBOSITY default
UPDATE pg_foreign_server SET srvoptions = array_append(array_remove(srvoptions, 'id=0'), 'id=0') WHERE srvname = 'edited_d';
SELECT v::text FROM more;
UPDATE pg_foreign_server SET srvoptions = array_remove(srvoptions, 'id=0') WHERE srvname = 'edited_d';
SELECT v::text FROM more;
UPDATE pg_foreign_server SET srvoptions = array_remove(srvoptions, 'state=enabled') WHERE srvname = 'edited_d';
SELECT v::text FROM more;
SELECT c::text FROM edited;
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'more'::regclass AND attnum > 0;
SELECT state FROM themis_crypt.root_records();
SELECT themis_crypt.drop_recipient('nobody');
SELECT unsupported FROM themis_crypt.status();
DROP TABLE more;
SET themis_crypt.allow_drop_key = on;
DROP SERVER edited_d;

-- Keys that come and go leave nothing, whether the session used them or not.
CREATE PROCEDURE come_and_go(times int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. times LOOP
        CREATE SERVER edited_e FOREIGN DATA WRAPPER themis_crypt;
        PERFORM 'x'::text::encrypted(edited_e)::text;
        COMMIT;
        DROP SERVER edited_e;
        COMMIT;
    END LOOP;
END $$;
CREATE FUNCTION kept() RETURNS bigint LANGUAGE sql AS
    $$ SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts WHERE name ~ 'themis_crypt|foreign' OR ident ~ 'themis_crypt' $$;
CALL come_and_go(10);
SELECT kept() AS before \gset
CALL come_and_go(300);
SELECT kept() - :before < 16384 AS stays_small, :before > 0 AS counted;

-- A drop that is taken back leaves the key.
BEGIN;
SAVEPOINT here;
DROP TABLE edited;
DROP SERVER edited_a;
CREATE SERVER edited_f FOREIGN DATA WRAPPER themis_crypt;
ROLLBACK TO here;
SELECT a::text FROM edited;
COMMIT;
SELECT a::text, c::text FROM edited;

DROP TABLE edited;
DROP SERVER edited_a;
DROP SERVER edited_c;
DROP FUNCTION option_of, kept;
DROP PROCEDURE come_and_go;
