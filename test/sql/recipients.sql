-- Who can open the roots of a database: recipients added, dropped, and shown.
CREATE ROLE regress_officer;
CREATE ROLE regress_enroller;
\set one   'tcpub1:AQoBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBrlusEQ'
\set two   'tcpub1:AQsCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICPotx3Q'
\set three 'tcpub1:AQwDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDXPcCqQ'
\set four  'tcpub1:AQ0EBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELyJ6_w'
SELECT current_database() AS dbname \gset
CREATE DATABASE regress_recipients;
\c regress_recipients
CREATE EXTENSION themis_crypt;

-- there must be a root
SELECT themis_crypt.add_recipient('one', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.drop_recipient('one');
SELECT * FROM themis_crypt.recipients;
SET client_min_messages = warning;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
RESET client_min_messages;
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_officer;
GRANT CREATE ON SCHEMA public TO regress_officer;
SET ROLE regress_officer;
CREATE TABLE t (x encrypted(regress_key));
INSERT INTO t VALUES ('sealed before');

-- what everybody sees: it is read from options that everybody sees
SELECT root, realm ~ '^[0-9a-f]{32}$' AS realm, role, fingerprint ~ '^([0-9a-f]{4}-){7}[0-9a-f]{4}$' AS fingerprint,
	public_key ~ '^tcpub1:' AS public_key, this_machine, attested FROM themis_crypt.recipients;

-- who may change it
SELECT themis_crypt.add_recipient('one', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.drop_recipient('one');
RESET ROLE;

-- adding
SELECT themis_crypt.add_recipient('one', :'one');
SELECT name, role, fingerprint, public_key = :'one' AS key, this_machine, attested FROM themis_crypt.recipients WHERE name = 'one';
SELECT themis_crypt.add_recipient('second recovery', :'two', role => 'recovery');
SELECT name, role, fingerprint FROM themis_crypt.recipients WHERE public_key IN (:'one', :'two') ORDER BY name;
SELECT themis_crypt.add_recipient(NULL, :'two');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.add_recipient('none', NULL);
SELECT themis_crypt.add_recipient('none', :'two', NULL);
SELECT themis_crypt.drop_recipient(NULL);
SELECT themis_crypt.replace_root_record(NULL);

-- never a recipient twice, nor two of one name
SELECT themis_crypt.add_recipient('one', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.add_recipient('uno', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.add_recipient('one', :'one', 'recovery');
SELECT themis_crypt.add_recipient('one', :'three');
\echo :LAST_ERROR_SQLSTATE
SELECT public_key AS own FROM themis_crypt.recipients WHERE this_machine \gset
SELECT themis_crypt.add_recipient('self', :'own');
\echo :LAST_ERROR_SQLSTATE

-- what is no name, key or role
SELECT themis_crypt.add_recipient('', :'three');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.add_recipient(repeat('n', 64), :'three');
SELECT themis_crypt.add_recipient('na"me', :'three');
SELECT themis_crypt.add_recipient(U&'n\00e4me', :'three');
SELECT themis_crypt.add_recipient(:'three', :'three');
SELECT themis_crypt.add_recipient('three', '');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.add_recipient('three', :'three' || ' ');
SELECT themis_crypt.add_recipient('three', overlay(:'three' placing 'B' from 20));
SELECT themis_crypt.add_recipient('three', 'tcpub1:AgABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fIbkYkg');
-- a key with which everybody shares a secret
SELECT themis_crypt.add_recipient('zero', 'tcpub1:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXDB8cw');
-- the secret identity itself
SELECT themis_crypt.add_recipient('oops', 'TC-RECOVERY-1:gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp_nxMmZ');
SELECT themis_crypt.add_recipient('three', :'three', 'friend');
\echo :LAST_ERROR_SQLSTATE

-- nothing stays of what is rolled back
BEGIN;
SELECT themis_crypt.add_recipient('three', :'three') IS NOT NULL AS added;
SAVEPOINT s;
SELECT themis_crypt.add_recipient('four', :'four') IS NOT NULL AS added;
SELECT name FROM themis_crypt.recipients WHERE name IN ('three', 'four') ORDER BY name;
ROLLBACK TO s;
SELECT name FROM themis_crypt.recipients WHERE name IN ('three', 'four') ORDER BY name;
SELECT themis_crypt.drop_recipient('one');
SET LOCAL ROLE regress_officer;
SELECT x::text FROM t;
ROLLBACK;
SELECT name FROM themis_crypt.recipients WHERE name IN ('one', 'three', 'four') ORDER BY name;
BEGIN READ ONLY;
SELECT themis_crypt.add_recipient('three', :'three');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- dropping
SELECT themis_crypt.drop_recipient('nobody');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.drop_recipient(:'three');
-- neither is it repeated here
SELECT themis_crypt.drop_recipient('TC-RECOVERY-1:gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp_nxMmZ');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.drop_recipient('one');
SELECT themis_crypt.drop_recipient(:'two');
SELECT count(*) FROM themis_crypt.recipients WHERE name IN ('one', 'second recovery');
DO $$ BEGIN PERFORM themis_crypt.drop_recipient((SELECT public_key FROM themis_crypt.recipients WHERE this_machine));
EXCEPTION WHEN object_in_use THEN RAISE NOTICE 'this machine cannot be dropped'; END $$;
-- the last recovery key
SELECT name AS recovery, public_key AS recovery_key FROM themis_crypt.recipients WHERE role = 'recovery' \gset
\set VERBOSITY sqlstate
SELECT themis_crypt.drop_recipient(:'recovery');
\set VERBOSITY default
BEGIN;
SET LOCAL themis_crypt.allow_no_recovery = on;
SET LOCAL client_min_messages = warning;
SELECT themis_crypt.drop_recipient(:'recovery');
SELECT count(*) FROM themis_crypt.recipients WHERE role = 'recovery';
ROLLBACK;

-- EXECUTE is not enough
GRANT EXECUTE ON FUNCTION themis_crypt.add_recipient(text, text, text), themis_crypt.drop_recipient(text) TO regress_enroller;
SET ROLE regress_enroller;
SELECT themis_crypt.add_recipient('granted', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT themis_crypt.drop_recipient(:'recovery_key');
SET themis_crypt.allow_no_recovery = on;
RESET ROLE;

-- locked: nothing changes, and everybody still sees who they are
SELECT themis_crypt.lock();
SELECT themis_crypt.add_recipient('three', :'three');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM themis_crypt.recipients;
SELECT themis_crypt.unlock();
SELECT themis_crypt.add_recipient('three', :'three') IS NOT NULL AS added;

-- again and again: nothing is left behind
SET client_min_messages = warning;
SELECT octet_length(record) AS len FROM themis_crypt.root_records() \gset
DO $$ BEGIN
	FOR n IN 1..20 LOOP
		PERFORM themis_crypt.add_recipient('one', 'tcpub1:AQoBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBrlusEQ');
		PERFORM themis_crypt.drop_recipient('one');
	END LOOP;
END $$;
SELECT octet_length(record) = :len AS as_before FROM themis_crypt.root_records();

-- what was sealed before still opens, and what is sealed now as well
SET ROLE regress_officer;
INSERT INTO t VALUES ('sealed after');
SELECT x::text FROM t ORDER BY 1;
RESET ROLE;
SELECT state FROM themis_crypt.root_records();

\c :dbname
SET client_min_messages = warning;
DROP DATABASE regress_recipients;
DROP ROLE regress_officer, regress_enroller;
