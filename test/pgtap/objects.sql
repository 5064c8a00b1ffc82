-- Goal of this test: the extension consists of what it should, each object says
-- what it is for, and pg_catalog gets only what must be found there: the type, and what
-- stands in for functions of core.
BEGIN;
SELECT plan(16);

-- From 17 on types of arrays and rows are members, too.  They belong to others.
CREATE TEMP VIEW member AS
	SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS object
	FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'themis_crypt'
	AND NOT EXISTS (SELECT FROM pg_depend AS i WHERE i.classid = 'pg_type'::regclass AND i.classid = d.classid AND i.objid = d.objid AND i.deptype = 'i');

SELECT is_empty($$SELECT object FROM member WHERE coalesce(obj_description(objid, classid::regclass::name), '') = ''$$,
	'each object has a comment');
SELECT bag_eq($$SELECT DISTINCT classid::regclass::text FROM member$$,
	$$VALUES ('pg_type'), ('pg_proc'), ('pg_operator'), ('pg_opclass'), ('pg_opfamily'), ('pg_class'), ('pg_foreign_data_wrapper'), ('pg_cast'), ('pg_namespace')$$, 'kinds of objects');
SELECT bag_eq($$SELECT typname::text FROM pg_type JOIN member ON classid = 'pg_type'::regclass AND objid = oid WHERE typnamespace = 'pg_catalog'::regnamespace$$,
	$$VALUES ('encrypted')$$, 'pg_catalog has the type');
SELECT is_empty($$SELECT object FROM member JOIN pg_proc ON classid = 'pg_proc'::regclass AND objid = oid WHERE pronamespace <> 'themis_crypt'::regnamespace
		AND oid NOT IN ('pg_catalog.quote_literal(encrypted)'::regprocedure, 'pg_catalog.quote_nullable(encrypted)'::regprocedure)
	UNION ALL SELECT object FROM member JOIN pg_class ON classid = 'pg_class'::regclass AND objid = oid WHERE relnamespace <> 'themis_crypt'::regnamespace
	UNION ALL SELECT object FROM member JOIN pg_type ON classid = 'pg_type'::regclass AND objid = oid WHERE typnamespace <> 'pg_catalog'::regnamespace$$,
	'and all else is in themis_crypt');
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'themis_crypt'::regnamespace AND oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)$$,
	'which has nothing that is not a member');
SELECT is((SELECT extnamespace::regnamespace::text || ' ' || extrelocatable FROM pg_extension WHERE extname = 'themis_crypt'), 'pg_catalog false',
	'the extension is in pg_catalog, and stays there');

-- Into encrypted by assignment, out of it explicitly, within it always.  None
-- to json: to_json() and others would find it.
SELECT bag_eq($$SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast WHERE 'encrypted'::regtype IN (castsource, casttarget)$$, $$
	SELECT t::regtype AS s, 'encrypted'::regtype AS t, 'a'::"char" AS c, 'f'::"char" AS m FROM unnest('{text,varchar,bpchar,bytea,json,jsonb,bool,int2,int4,int8,float4,float8,numeric,date,time,timestamp,timestamptz,interval,uuid,inet}'::text[]) AS t
	UNION ALL
	SELECT 'encrypted'::regtype, t::regtype, 'e', 'f' FROM unnest('{text,varchar,bpchar,name,bytea,jsonb,bool,int2,int4,int8,float4,float8,numeric,date,time,timestamp,timestamptz,interval,uuid,inet}'::text[]) AS t
	UNION ALL
	SELECT 'encrypted'::regtype, 'encrypted'::regtype, 'i', 'f'$$, 'casts');
SELECT is_empty($$SELECT castsource::regtype, casttarget::regtype FROM pg_cast JOIN pg_proc ON pg_proc.oid = castfunc
	WHERE castsource = 'encrypted'::regtype AND casttarget <> 'encrypted'::regtype AND (prorettype <> casttarget OR pronargs <> 1)$$, 'cast functions give what they say, and take one argument');

SELECT results_eq($$SELECT typlen, typbyval, typtype::text, typcategory::text, typispreferred, typalign::text, typstorage::text, typcollation, typdelim::text, typdefault,
		typinput::regproc::text, typoutput::regproc::text, typreceive::regproc::text, typsend::regproc::text, typmodin::regproc::text, typmodout::regproc::text
	FROM pg_type WHERE oid = 'encrypted'::regtype$$, $$VALUES (-1::int2, false, 'b', 'U', false, 'i', 'e', 0::oid, ',', NULL,
		'themis_crypt.encrypted_in', 'themis_crypt.encrypted_out', 'themis_crypt.encrypted_recv', 'themis_crypt.encrypted_send',
		'themis_crypt.encrypted_typmod_in', 'themis_crypt.encrypted_typmod_out')$$, 'the type');
SELECT is((SELECT p.prosupport::regproc::text FROM pg_proc AS p WHERE p.oid = 'themis_crypt.coerce(encrypted,integer,boolean)'::regprocedure), 'themis_crypt.coerce_support',
	'the coercion has its support function');
-- Operators: = and <> among sealed values and with each plaintext type, and the
-- order of tokens under names that nobody types.
SELECT bag_eq($$SELECT oprname::text, oprleft::regtype, oprright::regtype FROM pg_operator WHERE 'encrypted'::regtype IN (oprleft, oprright) AND oprname <> '||'$$, $$
	SELECT name, 'encrypted'::regtype AS l, 'encrypted'::regtype AS r FROM unnest('{=,<>,#<,#<=,#>=,#>}'::text[]) AS name
	UNION ALL
	SELECT name, pair.l::regtype, pair.r::regtype
		FROM unnest('{=,<>}'::text[]) AS name, unnest('{text,bytea,jsonb,bool,int2,int4,int8,float4,float8,numeric,date,time,timestamp,timestamptz,interval,uuid,inet}'::text[]) AS t,
			LATERAL (VALUES ('encrypted', t), (t, 'encrypted')) AS pair(l, r)$$, 'operators');
SELECT is_empty($$SELECT o.oid::regoperator FROM pg_operator AS o
	LEFT JOIN pg_operator AS c ON c.oid = o.oprcom AND c.oprcom = o.oid AND c.oprleft = o.oprright AND c.oprright = o.oprleft
	LEFT JOIN pg_operator AS n ON n.oid = o.oprnegate AND n.oprnegate = o.oid AND n.oprleft = o.oprleft AND n.oprright = o.oprright
	WHERE 'encrypted'::regtype IN (o.oprleft, o.oprright) AND o.oprname <> '||'
		AND (c.oid IS NULL OR n.oid IS NULL OR o.oprcode = 0 OR o.oprrest = 0 OR o.oprjoin = 0 OR o.oprresult <> 'bool'::regtype
			OR (o.oprcanhash OR o.oprcanmerge) <> (o.oprname = '=' AND o.oprleft = o.oprright))$$,
	'each has its commutator, negator and estimators; one is hashed and merged');
SELECT bag_eq($$SELECT opcname::text, amname::text, opcintype::regtype, opcdefault, opckeytype FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod WHERE opcintype = 'encrypted'::regtype$$,
	$$VALUES ('encrypted_ops', 'btree', 'encrypted'::regtype, true, 0::oid), ('encrypted_ops', 'hash', 'encrypted', true, 0)$$, 'operator classes');
SELECT bag_eq($$SELECT amname::text, amopstrategy::int, amopopr::regoperator::text FROM pg_amop JOIN pg_opfamily AS f ON f.oid = amopfamily JOIN pg_am ON pg_am.oid = amopmethod WHERE opfname = 'encrypted_ops'
	UNION ALL SELECT amname, -amprocnum, amproc::regprocedure::text FROM pg_amproc JOIN pg_opfamily AS f ON f.oid = amprocfamily JOIN pg_am ON pg_am.oid = opfmethod WHERE opfname = 'encrypted_ops'$$,
	$$VALUES ('btree', 1, '#<(encrypted,encrypted)'), ('btree', 2, '#<=(encrypted,encrypted)'), ('btree', 3, '=(encrypted,encrypted)'), ('btree', 4, '#>=(encrypted,encrypted)'), ('btree', 5, '#>(encrypted,encrypted)'),
		('btree', -1, 'themis_crypt.cmp(encrypted,encrypted)'), ('btree', -2, 'themis_crypt.sortsupport(internal)'), ('hash', 1, '=(encrypted,encrypted)'),
		('hash', -1, 'themis_crypt.hash(encrypted)'), ('hash', -2, 'themis_crypt.hash_extended(encrypted,bigint)')$$, 'which equal sealed values only');
SELECT results_eq($$SELECT fdwhandler, fdwvalidator::regproc::text, fdwoptions FROM pg_foreign_data_wrapper WHERE fdwname = 'themis_crypt'$$,
	$$VALUES (0::oid, 'themis_crypt.validator', NULL::text[])$$, 'the wrapper has a validator, and nothing to read foreign tables with');
SELECT is_empty($$SELECT srvname FROM pg_foreign_server JOIN pg_foreign_data_wrapper AS w ON w.oid = srvfdw WHERE fdwname = 'themis_crypt'
	AND EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_foreign_server'::regclass AND objid = pg_foreign_server.oid AND refclassid = 'pg_extension'::regclass AND deptype = 'e')$$,
	'no key and no root belongs to the extension: a dump would leave it out');

SELECT * FROM finish();
ROLLBACK;
