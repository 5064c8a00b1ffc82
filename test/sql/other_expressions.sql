-- The extension changes no expression that has nothing to do with it: what was
-- an error is the same error, what gave a type and value gives the same.
CREATE SCHEMA regress_other;
SET search_path = regress_other;
CREATE TABLE expression (id int GENERATED ALWAYS AS IDENTITY, e text);
INSERT INTO expression (e) VALUES
	-- errors
	('1 = ''x''::text'), ('now() = 5'), ('true = 1'), ('''x''::text = 1'), ('''2000-01-01''::date = 1'), ('1 || 2'), ('1::numeric = ''x''::varchar'),
	('''{}''::json = ''{}''::json'), ('point(1,2) = point(1,2)'), ('length(5)'), ('upper(now())'), ('''x''::text + 1'), ('''x'' + ''y'''), ('now() + now()'),
	('''x''::bytea = ''x''::text'), ('ARRAY[1, ''x''::text]'), ('ARRAY[now(), 1]'), ('CASE WHEN true THEN 1 ELSE ''x''::text END'), ('coalesce(1, ''x''::text)'),
	('greatest(1, ''x''::text)'), ('nullif(1, ''x''::text)'), ('1 IN (''x''::text)'), ('ROW(1, 2) = ROW(''x''::text, 2)'), ('1 = ANY (ARRAY[''x''::text])'),
	('''x''::text LIKE 1'), ('NOT 1'), ('''x''::text AND true'), ('sum(''x''::text)'), ('to_char(''x''::text, 1)'), ('substring(1 from 2)'),
	('''1.2.3.4''::inet = ''1.2.3.4''::text'), ('gen_random_uuid() = ''x''::text'), ('''1 day''::interval = 1'), ('1::int2 = ''1''::text'), ('''t''::bool = ''t''::text'),
	('make_date(2000, 1, ''x''::text)'), ('jsonb_build_object(1)'), ('nosuchfunction(1)'), ('1 <=> 2'), ('encrypted'), ('''x''::nosuchtype'), ('(''x''::text).field'),
	-- results
	('1 = ''1'''), ('''x'' = ''x'''), ('''x'' || 1'), ('1 || ''x'''), ('''a'' || ''b'''), ('''a''::varchar || ''b''::bpchar'), ('''a''::name || ''b'''), ('now() > ''2000-01-01'''),
	('''x''::name = ''x''::text'), ('''x''::char(3) = ''x'''), ('''x''::"char" = ''x'''), ('1 + ''1'''), ('''1''::text::int'), ('1::text'), ('true::text'), ('''t''::bool::int'), ('date ''2000-01-01'' + 1'),
	('date ''2000-01-01'' - ''1 day'''), ('coalesce(NULL, ''x'')'), ('greatest(''a'', ''b'')'), ('ARRAY[''a'', ''b'']'), ('ARRAY[1, 2.5]'), ('CASE WHEN true THEN ''x'' END'), ('NULL'), ('''x'''),
	('NULL = NULL'), ('''a'' < ''b'''), ('''b'' IN (''a'', ''b'')'), ('1 IN (''1'', 2)'), ('ROW(1, ''x'') = ROW(1, ''x'')'), ('upper(''x'')'), ('length(''x'')'), ('concat(1, ''x'', true)'), ('format(''%s'', 1)'),
	('to_json(''x''::text)'), ('to_jsonb(1)'), ('jsonb ''{"a":1}'' ->> ''a'''), ('''{"a":1}''::jsonb @> ''{}'''), ('quote_literal(1)'), ('quote_literal(''x'')'), ('textcat(''a'', ''b'')'), ('string_agg(''x'', '','')'), ('array_agg(1)'),
	('max(''x''::text)'), ('count(DISTINCT ''x''::text)'), ('array_to_string(ARRAY[1, 2], '','')'), ('''x''::varchar(3)'), ('substring(''abc'' from 2)'), ('position(''b'' in ''abc'')'), ('trim(''  x '')'),
	('''x'' LIKE ''x%'''), ('''abc'' ~ ''b'''), ('bit ''101'' = ''101'''), ('''1.2.3.4'' = ''1.2.3.4''::inet'), ('pg_typeof(''x'')'), ('pg_typeof(NULL)'), ('pg_typeof(1 = ANY (''{1}''))'), ('''\x00'' = ''\x00''::bytea'),
	('nullif(''a'', ''b'')'), ('''a'' IS DISTINCT FROM ''b'''), ('(SELECT ''x'')'), ('EXISTS (SELECT ''x'')'), ('lower(''[1,2)''::int4range)'), ('int4range(1, 2)'), ('''x'' COLLATE "C"'), ('unnest(ARRAY[''x''])'), ('generate_series(1, ''2'')');

-- the type and value of each, or its error
CREATE FUNCTION outcomes() RETURNS TABLE (id int, outcome text) LANGUAGE plpgsql AS $$
DECLARE
	e text;
BEGIN
	FOR id, e IN SELECT x.id, x.e FROM expression AS x ORDER BY x.id LOOP
		BEGIN
			EXECUTE format('SELECT pg_typeof(x) || '' '' || x::text FROM (SELECT %s) AS y(x)', e) INTO outcome;
		EXCEPTION WHEN others THEN
			outcome := SQLSTATE || ' ' || SQLERRM;
		END;
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TABLE with_extension AS SELECT * FROM outcomes();
SELECT count(*), count(*) FILTER (WHERE outcome ~ '^[0-9A-Z]{5} ') AS errors FROM with_extension;
SELECT substr(outcome, 1, 5) AS sqlstate, count(*) FROM with_extension WHERE outcome ~ '^[0-9A-Z]{5} ' GROUP BY 1 ORDER BY 1;

-- without the extension, for as long as a transaction
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL themis_crypt.allow_drop_key = on;
DROP EXTENSION themis_crypt CASCADE;
CREATE TABLE without_extension AS SELECT * FROM outcomes();
SELECT e, w.outcome AS with_extension, o.outcome AS without_extension
	FROM expression JOIN with_extension AS w USING (id) JOIN without_extension AS o USING (id)
	WHERE w.outcome IS DISTINCT FROM o.outcome;
SELECT count(*) FROM without_extension;
ROLLBACK;

-- it is there again
SELECT count(*) FROM pg_type WHERE typname = 'encrypted';

SET client_min_messages = warning;
DROP SCHEMA regress_other CASCADE;
