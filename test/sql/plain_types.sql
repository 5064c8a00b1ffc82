-- Each plaintext type comes back as it went in, converts as an ordinary column
-- of its type would, and its errors show no data.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
SET extra_float_digits = 1;

CREATE TABLE edge (type text, value text);
INSERT INTO edge SELECT v.type, unnest(v.edges) FROM (VALUES
	('text', ARRAY['', 'x', ' ', 'naïve 🔑', E'\n\t\\', repeat('x', 10000)]),
	('bytea', ARRAY['', '\x00', '\xff00ff', '\xf901', 'tc1\072']),
	('json', ARRAY['null', '{}', '{ "b": 1,  "a" : [1,2 ], "b": "\u00e9" }', '"tc1:"']),
	('jsonb', ARRAY['null', '{}', '{"b": 1, "a": [1, 2], "b": "\u00e9"}', '"tc1:"', '1e400']),
	('bool', ARRAY['t', 'f']),
	('int2', ARRAY['0', '-32768', '32767']),
	('int4', ARRAY['0', '-2147483648', '2147483647']),
	('int8', ARRAY['0', '-9223372036854775808', '9223372036854775807']),
	('float4', ARRAY['0', '-0', '1.1', '3.4028235e38', '1e-45', 'NaN', 'Infinity', '-Infinity']),
	('float8', ARRAY['0', '-0', '0.1', '1.7976931348623157e308', '5e-324', 'NaN', 'Infinity', '-Infinity']),
	('numeric', ARRAY['0', '0.00', '-1.50', '1e-1000', '1e1000', 'NaN', 'Infinity', '-Infinity']),
	('date', ARRAY['2000-01-01', '2024-02-29', '4713-01-01 BC', '5874897-12-31', 'infinity', '-infinity']),
	('time', ARRAY['00:00', '24:00', '12:34:56.789012']),
	('timestamp', ARRAY['2000-01-01', '4713-01-01 BC', '294276-12-31 23:59:59.999999', 'infinity', '-infinity']),
	('timestamptz', ARRAY['2000-01-01 00:00+00', '2024-03-31 02:30 Europe/Berlin', '294276-12-31 23:59:59.999999+00', 'infinity', '-infinity']),
	('interval', ARRAY['0', '-178000000 years', '1 mon -1 day 00:00:00.000001', '1 year 2 mons 3 days 04:05:06.789']),
	('uuid', ARRAY['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']),
	('inet', ARRAY['0.0.0.0/0', '10.1.2.3', '10.1.2.3/8', '::', 'ffff::1/64', '::ffff:1.2.3.4/128'])
	) AS v(type, edges);
SELECT count(DISTINCT type) AS types, count(*) AS edges FROM edge;

-- what a statement gives as text, or its SQLSTATE
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE statement INTO result;
	RETURN coalesce(result, '(null)');
EXCEPTION WHEN others THEN
	RETURN SQLSTATE;
END $$;

-- each type, each edge, each way in: no row is shown that comes back the same
CREATE FUNCTION roundtrip() RETURNS TABLE (type text, value text, way text, got text) LANGUAGE plpgsql AS $$
DECLARE
	e edge;
	open text;
	want text;
BEGIN
	FOR e IN SELECT * FROM edge LOOP
		EXECUTE format('CREATE TABLE t (v encrypted(regress_key, %I))', e.type);
		type := e.type;
		value := e.value;
		want := outcome(format('SELECT %L::%I::text', value, type));
		open := format(CASE type WHEN 'json' THEN 'themis_crypt.to_json(v)::text' ELSE 'v::%I::text' END, type);
		FOR way, got IN VALUES
			('literal', format('INSERT INTO t VALUES (%L) RETURNING %s', value, open)),
			('cast', format('INSERT INTO t VALUES (%L::%I) RETURNING %s', value, type, open)),
			('typed', format('INSERT INTO t SELECT x::%I FROM edge AS e(y, x) WHERE (y, x) = (%1$L, %2$L) RETURNING %3$s', type, value, open)),
			('input', format('INSERT INTO t SELECT * FROM json_populate_record(NULL::t, json_build_object(''v'', %L::text)) RETURNING %s', value, open)),
			('variable', format('SELECT through_variable(%L, %L, %L)', type, value, open)),
			('array', format('SELECT %3$s FROM unnest(ARRAY[%1$L::%2$I, NULL]::encrypted(regress_key, %2$I)[]) AS v WHERE v IS NOT NULL', value, type, open))
		LOOP
			got := outcome(got);
			IF got IS DISTINCT FROM want THEN
				RETURN NEXT;
			END IF;
		END LOOP;
		DROP TABLE t;
	END LOOP;
END $$;
CREATE FUNCTION through_variable(type text, value text, open text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('CREATE FUNCTION assign(x %1$I) RETURNS text LANGUAGE plpgsql AS
		''DECLARE v encrypted(regress_key, %1$I) := x; BEGIN RETURN %2$s; END''', type, open);
	EXECUTE format('SELECT assign(%L)', value) INTO result;
	EXECUTE format('DROP FUNCTION assign(%I)', type);
	RETURN result;
END $$;
SELECT type, left(value, 30) AS value, way, left(got, 30) AS got FROM roundtrip();

-- json keeps its spelling, jsonb does not
SELECT ('{ "b":1 }'::encrypted(regress_key, json))::text, ('{ "b":1 }'::encrypted(regress_key, jsonb))::text;

-- No cast to json is there for to_json() to find; this function is for it.
SELECT ('{ "b":1 }'::encrypted(regress_key, json))::json;
SELECT themis_crypt.to_json('{ "b":1 }'::encrypted(regress_key, json));

-- A value of one type into a column of another: what an ordinary column makes
-- of it, or its SQLSTATE.  And out again, as an explicit cast of that type.
CREATE FUNCTION conversions() RETURNS TABLE (way text, from_type text, to_type text, value text, ordinary text, ours text)
LANGUAGE plpgsql AS $$
DECLARE
	t text;
BEGIN
	FOR t IN SELECT DISTINCT edge.type FROM edge LOOP
		EXECUTE format('CREATE TABLE ordinary_%1$s (v %1$I); CREATE TABLE ours_%1$s (v encrypted(regress_key, %1$I))', t);
	END LOOP;
	FOR from_type, value, to_type IN SELECT e.type, e.value, x.type
		FROM edge AS e, (SELECT DISTINCT edge.type FROM edge) AS x
		WHERE e.type <> x.type AND length(e.value) < 1000 ORDER BY 1, 2, 3
	LOOP
		way := 'into a column';
		ordinary := outcome(format('INSERT INTO ordinary_%s SELECT %L::%I RETURNING v::text', to_type, value, from_type));
		ours := outcome(format('INSERT INTO ours_%s SELECT %L::%I RETURNING v::text', to_type, value, from_type));
		RETURN NEXT;
		way := 'by an explicit cast';
		ordinary := outcome(format('SELECT %L::%I::%I::text', value, from_type, to_type));
		ours := outcome(format('SELECT ' || CASE to_type WHEN 'json' THEN 'themis_crypt.to_json(%L::encrypted(regress_key, %I))::text'
			ELSE '(%L::encrypted(regress_key, %I))::%I::text' END, value, from_type, to_type));
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TABLE conversion AS SELECT * FROM conversions();
SELECT way, count(*), bool_or(ours = '42804') AS "42804", bool_or(ours = '42846') AS "42846",
	bool_or(ours ~ '^22...$') AS class_22, bool_or(ours !~ '^[24]....$') AS converted
	FROM conversion GROUP BY way ORDER BY way;
SELECT * FROM conversion WHERE ours <> ordinary ORDER BY 1, 2, 3, 4;

-- in words
CREATE TABLE n (v encrypted(regress_key, numeric));
INSERT INTO n VALUES ('12.30');
INSERT INTO n VALUES (true);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO n SELECT now();
SELECT v::text, v::int4, v::varchar(2), v::numeric(5,1), v::name FROM n;
SELECT v::date FROM n;
\echo :LAST_ERROR_SQLSTATE

-- Wrong input: the class of the error is as ever, the data are not in it.
CREATE FUNCTION complaint(type text, input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE format('INSERT INTO ours_%s VALUES (%L)', type, input);
	RETURN 'taken';
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE wrong (type text, input text);
INSERT INTO wrong VALUES ('bytea', '\xsecret'), ('json', '{secret'), ('jsonb', '{"secret"'), ('bool', 'secret'),
	('int2', 'secret'), ('int2', '99999'), ('int4', 'secret'), ('int4', '99999999999'), ('int8', 'secret'), ('int8', '99999999999999999999'),
	('float4', 'secret'), ('float4', '1e99'), ('float8', 'secret'), ('float8', '1e999'), ('numeric', 'secret'),
	('date', 'secret'), ('date', '2023-02-29'), ('time', 'secret'), ('time', '25:00'), ('timestamp', 'secret'), ('timestamptz', '2023-01-01 secret/zone'),
	('interval', 'secret'), ('uuid', 'secret'), ('inet', 'secret'), ('inet', '1.2.3.999');
SELECT type, input, complaint(type, input) FROM wrong ORDER BY 1, 2;
SELECT count(*) AS quoted FROM wrong WHERE strpos(complaint(type, input), input) > 0;
SELECT count(*) FROM wrong WHERE outcome(format('INSERT INTO ours_%s VALUES (%L)', type, input)) <>
	outcome(format('INSERT INTO ordinary_%s VALUES (%L)', type, input));
INSERT INTO ours_int4 VALUES ('secret'::text);
INSERT INTO ours_int4 SELECT 1e10::numeric;
\echo :LAST_ERROR_SQLSTATE
SELECT ('secret'::encrypted(regress_key))::int4;
\echo :LAST_ERROR_SQLSTATE

-- types that cannot be encrypted have no cast
INSERT INTO n VALUES ('(1,2)'::point);
INSERT INTO ours_text VALUES ('1 USD'::money);
INSERT INTO ours_text VALUES (ARRAY['x']);
INSERT INTO ours_text VALUES ('a'::"char");
SELECT themis_crypt.seal('(1,2)'::point, 1);

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
