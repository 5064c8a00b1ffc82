-- Goal of this test: each function of the extension can be called by whom it is
-- for, and says truly how it may be used; nothing else is granted to anybody.
BEGIN;
SELECT plan(13);

CREATE TEMP VIEW member AS
	SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'themis_crypt';

-- Who may call it (beside its owner), volatility, parallel safety, and then
-- "strict", "definer" and "leakproof" where true.
CREATE TEMP VIEW function AS
	SELECT p.oid::regprocedure::text AS function,
		coalesce((SELECT string_agg(CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, ', ' ORDER BY grantee)
			FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee <> proowner), 'nobody') AS caller,
		CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
		CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
		concat_ws(' ', CASE WHEN proisstrict THEN 'strict' END, CASE WHEN prosecdef THEN 'definer' END, CASE WHEN proleakproof THEN 'leakproof' END) AS flags
	FROM pg_proc AS p JOIN member ON classid = 'pg_proc'::regclass AND objid = p.oid;

-- Functions without casts and operators; see below for those.
SELECT bag_eq($$SELECT * FROM function WHERE function !~ '^themis_crypt\.(from_plain|to_[a-z0-9]+|eq|ne|lt|le|ge|gt)\('$$, $$VALUES
	('themis_crypt.encrypted_in(cstring,oid,integer)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.encrypted_out(encrypted)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.encrypted_recv(internal,oid,integer)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.encrypted_send(encrypted)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.encrypted_typmod_in(cstring[])', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.encrypted_typmod_out(integer)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.seal("any",integer)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.coerce(encrypted,integer,boolean)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.coerce_support(internal)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.probe("any",integer)', 'PUBLIC', 'stable', 'safe', 'strict'),	-- USAGE on the key decides
	('themis_crypt.probe_array(anyarray,integer)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.search_support(internal)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.typanalyze(internal)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.cmp(encrypted,encrypted)', 'PUBLIC', 'immutable', 'safe', 'strict leakproof'),
	('themis_crypt.sortsupport(internal)', 'PUBLIC', 'immutable', 'safe', 'strict'),
	('themis_crypt.hash(encrypted)', 'PUBLIC', 'immutable', 'safe', 'strict leakproof'),
	('themis_crypt.hash_extended(encrypted,bigint)', 'PUBLIC', 'immutable', 'safe', 'strict leakproof'),
	('themis_crypt.validator(text[],oid)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.create_key(text,text,text,text)', 'PUBLIC', 'volatile', 'unsafe', ''),	-- USAGE on the wrapper decides
	('themis_crypt.root_records()', 'pg_monitor', 'stable', 'restricted', 'strict'),
	('themis_crypt.concat_before(encrypted,text)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('themis_crypt.concat_after(text,encrypted)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('quote_literal(encrypted)', 'PUBLIC', 'stable', 'safe', 'strict'),
	('quote_nullable(encrypted)', 'PUBLIC', 'stable', 'safe', ''),
	('themis_crypt.replace_root_record(bytea)', 'nobody', 'volatile', 'unsafe', ''),
	('themis_crypt.root_recipients()', 'PUBLIC', 'stable', 'safe', 'strict'),	-- options of servers are everybody's to read
	('themis_crypt.add_recipient(text,text,text)', 'nobody', 'volatile', 'unsafe', ''),
	('themis_crypt.drop_recipient(text)', 'nobody', 'volatile', 'unsafe', ''),
	('themis_crypt.status()', 'pg_monitor', 'volatile', 'safe', 'strict'),
	('themis_crypt.lock()', 'nobody', 'volatile', 'unsafe', 'strict'),
	('themis_crypt.unlock()', 'nobody', 'volatile', 'unsafe', 'strict')$$,
	'the functions, beside casts');

-- Casts: from and to each plaintext type, and what is text but for its name.
CREATE TEMP TABLE plain (type regtype);
INSERT INTO plain VALUES ('text'), ('varchar'), ('bpchar'), ('bytea'), ('json'), ('jsonb'), ('bool'), ('int2'), ('int4'), ('int8'), ('float4'), ('float8'),
	('numeric'), ('date'), ('time'), ('timestamp'), ('timestamptz'), ('interval'), ('uuid'), ('inet');
SELECT bag_eq($$SELECT * FROM function WHERE function ~ '^themis_crypt\.(from_plain|to_[a-z0-9]+)\('$$, $$
	SELECT format('themis_crypt.from_plain(%s)', type) AS f, 'PUBLIC' AS c, 'stable' AS v, 'safe' AS p, 'strict' AS s FROM plain
	UNION ALL
	SELECT format('themis_crypt.to_%s(encrypted)', typname), 'PUBLIC', 'stable', 'safe', 'strict'
		FROM (SELECT type FROM plain UNION ALL SELECT 'name') AS x JOIN pg_type ON pg_type.oid = type$$,
	'the functions of casts');

-- Operators: among sealed values over bytes alone, with each plaintext type by
-- the key.  The order of tokens is for indexes, not for people.
SELECT bag_eq($$SELECT * FROM function WHERE function ~ '^themis_crypt\.(eq|ne|lt|le|ge|gt)\(encrypted,encrypted\)'$$, $$VALUES
	('themis_crypt.eq(encrypted,encrypted)', 'PUBLIC', 'immutable', 'safe', 'strict leakproof'),
	('themis_crypt.ne(encrypted,encrypted)', 'PUBLIC', 'immutable', 'safe', 'strict leakproof'),
	('themis_crypt.lt(encrypted,encrypted)', 'nobody', 'immutable', 'safe', 'strict leakproof'),
	('themis_crypt.le(encrypted,encrypted)', 'nobody', 'immutable', 'safe', 'strict leakproof'),
	('themis_crypt.ge(encrypted,encrypted)', 'nobody', 'immutable', 'safe', 'strict leakproof'),
	('themis_crypt.gt(encrypted,encrypted)', 'nobody', 'immutable', 'safe', 'strict leakproof')$$, 'the functions of operators among sealed values');
SELECT bag_eq($$SELECT * FROM function WHERE function ~ '^themis_crypt\.(eq|ne|lt|le|ge|gt)\(' AND function !~ '\(encrypted,encrypted\)'$$, $$
	SELECT format(pair, name, type) AS f, 'PUBLIC' AS c, 'stable' AS v, 'safe' AS p, 'strict' AS s
		FROM plain, unnest(ARRAY['eq', 'ne']) AS name, unnest(ARRAY['themis_crypt.%1$s(encrypted,%2$s)', 'themis_crypt.%1$s(%2$s,encrypted)']) AS pair
		WHERE type NOT IN ('varchar', 'bpchar', 'json')$$,
	'the functions of operators with plaintexts');

SELECT is_empty($$SELECT * FROM function WHERE flags ~ 'definer'$$, 'none runs with the rights of its owner');
SELECT is_empty($$SELECT * FROM function WHERE (flags ~ 'leakproof' OR volatility = 'immutable')
	AND function !~ '^themis_crypt\.(((eq|ne|lt|le|ge|gt|cmp)\(encrypted,encrypted|hash\(encrypted|hash_extended\(encrypted,bigint)\)|sortsupport\()'$$,
	'none may be evaluated before it is needed, nor on rows that others may not see, but comparisons of bytes');
SELECT is_empty($$SELECT function FROM function WHERE function ~ '_plain|probe' AND flags ~ 'leakproof'$$, 'what needs a key leaks its outcome');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p JOIN member ON classid = 'pg_proc'::regclass AND objid = p.oid JOIN pg_language AS l ON l.oid = prolang
	WHERE lanname <> 'c'$$, 'none is written in SQL, where search_path would matter');

SELECT bag_eq($$SELECT nspname::text, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type
	FROM pg_namespace JOIN member ON classid = 'pg_namespace'::regclass AND objid = oid, aclexplode(nspacl) WHERE grantee <> nspowner$$,
	$$VALUES ('themis_crypt', 'PUBLIC', 'USAGE')$$, 'everybody may use the schema, nobody may create in it');
SELECT bag_eq($$SELECT oid::regclass::text, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type
	FROM pg_class JOIN member ON classid = 'pg_class'::regclass AND objid = oid, aclexplode(relacl) WHERE grantee <> relowner$$,
	$$VALUES ('themis_crypt.keys', 'PUBLIC', 'SELECT'), ('themis_crypt.recipients', 'PUBLIC', 'SELECT')$$, 'everybody may see which keys and recipients there are');
SELECT is_empty($$SELECT fdwname FROM pg_foreign_data_wrapper, aclexplode(coalesce(fdwacl, acldefault('F', fdwowner))) WHERE fdwname = 'themis_crypt' AND grantee <> fdwowner$$,
	'nobody may make keys until it is granted');

-- What only superusers set, and what only the server's files do.
SELECT bag_eq($$SELECT name, context FROM pg_settings WHERE name ~ '^themis_crypt\.' AND context <> 'user'$$, $$VALUES
	('themis_crypt.keyring', 'postmaster'), ('themis_crypt.tpm2_tcti', 'postmaster'), ('themis_crypt.memfd_secret', 'postmaster'),
	('themis_crypt.tpm2_pin_file', 'postmaster'), ('themis_crypt.credential', 'postmaster'), ('themis_crypt.provider_command', 'postmaster'),
	('themis_crypt.require_unlocked', 'postmaster'), ('themis_crypt.require_hardware_binding', 'postmaster'),
	('themis_crypt.restore', 'superuser'), ('themis_crypt.allow_no_recovery', 'superuser')$$, 'the settings that are not everybody''s');
SELECT bag_eq($$SELECT name FROM pg_settings WHERE name ~ '^themis_crypt\.' AND context = 'user'$$, $$VALUES
	('themis_crypt.unlock_timeout'), ('themis_crypt.sealed_input'), ('themis_crypt.allow_drop_key'), ('themis_crypt.client_output')$$, 'the settings that are');

SELECT * FROM finish();
ROLLBACK;
