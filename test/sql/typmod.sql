-- encrypted(key, type): spellings, names that need quotes, and what is said
-- about the rest.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER payroll FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER "Weird ""key""" FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER "select" FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER "schlüssel" FOREIGN DATA WRAPPER themis_crypt;

-- the key as a name or a literal, the type as one word
CREATE TABLE spelled (
	a encrypted(payroll),
	b encrypted('payroll'),
	c encrypted(PAYROLL, text),
	d encrypted(payroll, numeric),
	e encrypted(payroll, 'numeric'),
	f encrypted("Weird ""key"""),
	g encrypted("select", "timestamp"),
	h encrypted(schlüssel, date),
	i pg_catalog.encrypted(payroll, timestamp),
	j encrypted(payroll, uuid)[],
	k encrypted(payroll, "time")[3][3]);
\d spelled

-- what is shown can be typed
DO $$
DECLARE
	shown text;
BEGIN
	FOR shown IN SELECT format_type(atttypid, atttypmod) FROM pg_attribute
		WHERE attrelid = 'spelled'::regclass AND attnum > 0
	LOOP
		EXECUTE format('CREATE TABLE again (x %s)', shown);
		IF shown IS DISTINCT FROM (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
			WHERE attrelid = 'again'::regclass AND attnum = 1)
		THEN
			RAISE 'shown as %', shown;
		END IF;
		DROP TABLE again;
	END LOOP;
END $$;

-- aliases of types
SELECT alias, format_type('encrypted'::regtype, themis_crypt.encrypted_typmod_in(ARRAY['payroll', alias]::cstring[]))
	FROM unnest('{text,varchar,bpchar,bytea,json,jsonb,bool,boolean,int2,smallint,int4,int,integer,int8,bigint,float4,real,float8,numeric,decimal,date,time,timestamp,timestamptz,interval,uuid,inet}'::text[]) AS alias;

-- names of more than one word
CREATE TABLE keyword (x encrypted(payroll, "timestamp with time zone"));
CREATE TABLE keyword (x encrypted(payroll, double precision));

-- unknown key, unknown type, wrong order, wrong number
CREATE TABLE wrong (x encrypted(nokey));
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE wrong (x encrypted("No Key", numeric));
CREATE TABLE wrong (x encrypted(payroll, point));
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE wrong (x encrypted(numeric, payroll));
CREATE TABLE wrong (x encrypted(payroll, searchable));
CREATE TABLE wrong (x encrypted(payroll, text, findable));
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE wrong (x encrypted(payroll, text, searchable));
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE wrong (x encrypted(payroll, text, searchable, more));
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE wrong (x encrypted());
CREATE TABLE wrong (x encrypted(''));
CREATE TABLE wrong (x encrypted(7));
CREATE TABLE wrong (x encrypted(payroll, numeric(10,2)));

-- neither a root nor somebody else's foreign server is a key
CREATE TABLE wrong (x encrypted(themis_root));
RESET ROLE;
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER regress_elsewhere FOREIGN DATA WRAPPER regress_wrapper;
SET ROLE regress_user;
CREATE TABLE wrong (x encrypted(regress_elsewhere));

-- an id in place of the name, as for a key that is not restored yet
SELECT '#' || lpad(id, 6, '0') AS id FROM themis_crypt.keys WHERE name = 'payroll' \gset
CREATE TABLE by_id (x encrypted(:'id', int8));
CREATE TABLE by_id_only (x encrypted('#a1b2c3', int8));
\d by_id
\d by_id_only
CREATE TABLE wrong (x encrypted('#A1B2C3'));
CREATE TABLE wrong (x encrypted('#a1b2c'));
CREATE TABLE wrong (x encrypted('#a1b2c3d'));
CREATE TABLE wrong (x encrypted('#000000'));
CREATE TABLE wrong (x encrypted('#-1b2c3'));
INSERT INTO by_id VALUES (7);
SELECT x::int8 FROM by_id;
INSERT INTO by_id_only VALUES (7);
\echo :LAST_ERROR_SQLSTATE

-- another name shows at once
ALTER SERVER payroll RENAME TO wages;
\d by_id
SELECT x::int8 FROM by_id;
CREATE TABLE wrong (x encrypted(payroll));
BEGIN;
ALTER SERVER wages RENAME TO pay;
\d by_id
ROLLBACK;
\d by_id

-- declaring a column needs no privilege, and no key in memory
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER wages FROM regress_user;
SET ROLE regress_user;
CREATE TABLE declared (x encrypted(wages));
\d declared
INSERT INTO declared VALUES ('x');

-- modifiers that no column has
SELECT themis_crypt.encrypted_typmod_out(0), themis_crypt.encrypted_typmod_out(2147483647);
SELECT themis_crypt.seal('x'::text, -1);
SELECT themis_crypt.seal('x'::text, 0);
SELECT themis_crypt.seal('x'::text, 2147483647);

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER wages, "Weird ""key""", "select", "schlüssel", regress_elsewhere;
DROP FOREIGN DATA WRAPPER regress_wrapper;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
