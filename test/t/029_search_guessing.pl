# Goal of this test: a role without USAGE on a key, but with all else that can be
# granted, cannot find out whether a plaintext that it guesses stands in a
# searchable column.  Each form is tried with a right guess and with a wrong one:
# nothing that comes back may differ.  The same forms, by a role that holds the
# key, do find the row.
use strict;
use warnings;
use IPC::Run ();
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $node = ThemisCluster->ready('main', conf => "autovacuum = off\njit = off\n");

# Types that are searched, with a right guess and a wrong one of the same length.
my %guess_of = (
	text => [ 'needle', 'noodle' ], bytea => [ '\x6e65', '\x6e6f' ], jsonb => [ '{"a": 1}', '{"a": 2}' ],
	bool => [ 'true ', 'false' ], int2 => [ 7007, 8008 ], int4 => [ 700007, 800008 ], int8 => [ 700007, 800008 ], numeric => [ '7.5', '8.5' ],
	date => [ '2020-01-07', '2020-01-08' ], time => [ '07:00', '08:00' ],
	timestamp => [ '2020-01-07 07:00', '2020-01-08 07:00' ], timestamptz => [ '2020-01-07 07:00+00', '2020-01-08 07:00+00' ],
	interval => [ '7 days', '8 days' ], uuid => [ map { "0000000$_-0000-0000-0000-000000000000" } 7, 8 ],
	inet => [ '10.0.0.7', '10.0.0.8' ]);
my @types = sort keys %guess_of;

# Types that are compared with columns of these.
my %column_of = (varchar => 'text', bpchar => 'text', name => 'text', json => 'jsonb', float4 => 'numeric', float8 => 'numeric',
	map { $_ => $_ } @types);
my %name_of = ('character varying' => 'varchar', character => 'bpchar', boolean => 'bool', smallint => 'int2', integer => 'int4',
	bigint => 'int8', real => 'float4', 'double precision' => 'float8', 'time without time zone' => 'time',
	'timestamp without time zone' => 'timestamp', 'timestamp with time zone' => 'timestamptz');

$node->safe_psql('postgres', <<'END');
SET client_min_messages = warning;
CREATE ROLE holder LOGIN;
CREATE ROLE attacker LOGIN;
CREATE ROLE officer;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO officer;
SET ROLE officer;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt;
GRANT USAGE ON FOREIGN SERVER k TO holder;
GRANT USAGE ON FOREIGN SERVER k2 TO attacker, holder;
RESET ROLE;
CREATE TABLE secret (id int PRIMARY KEY, v encrypted(k, text, searchable) UNIQUE,
	n encrypted(k, int8, searchable), s encrypted(k, text));
CREATE INDEX ON secret USING hash (v);
CREATE INDEX ON secret (n);
CREATE VIEW seen AS SELECT * FROM secret;
CREATE VIEW seen_as_invoker WITH (security_invoker, security_barrier) AS SELECT * FROM secret;
CREATE TABLE parted (v encrypted(k, text, searchable)) PARTITION BY HASH (v);
CREATE TABLE parted0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE limited (id int, v encrypted(k, text, searchable));
ALTER TABLE limited ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON limited USING (v <> 'other'::text) WITH CHECK (true);
GRANT ALL ON secret, seen, seen_as_invoker, parted, limited TO holder, attacker;
SET ROLE holder;
INSERT INTO secret SELECT i, CASE i WHEN 77 THEN 'needle' ELSE 'hay' || i END, CASE WHEN i < 7 THEN i ELSE 700007 END, 'needle'
	FROM generate_series(1, 300) AS i;
INSERT INTO parted SELECT CASE i WHEN 77 THEN 'needle' ELSE 'hay' || i END FROM generate_series(1, 100) AS i;
INSERT INTO limited VALUES (1, 'needle'), (2, 'other');
RESET ROLE;
ANALYZE;
-- Each role has the same things of its own; sealed values may be moved there.
DO $$
DECLARE r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['holder', 'attacker'] LOOP
		EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %1$I', r);
		EXECUTE format('ALTER ROLE %I SET search_path = %1$I, public', r);
	END LOOP;
END $$;
END
$node->safe_psql('postgres', 'CREATE TABLE typed (' . join(', ', map { qq("$_" encrypted(k, "$_", searchable)) } @types)
	  . "); GRANT ALL ON typed TO holder, attacker; SET ROLE holder; INSERT INTO typed VALUES ("
	  . join(', ', map { "'$guess_of{$_}[0]'" } @types) . ')');
for my $role ('holder', 'attacker')
{
	$node->safe_psql('postgres', <<"END");
SET SESSION AUTHORIZATION $role;
CREATE TABLE guesses (t text);
CREATE TABLE moved (id int, v encrypted(k, text, searchable) UNIQUE);
INSERT INTO moved SELECT id, v FROM secret;
ANALYZE moved;
CREATE TABLE mine (v encrypted(k, text, searchable) UNIQUE, w encrypted(k2, text, searchable));
CREATE FUNCTION swallow(q text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE r text; s text; m text; d text; h text;
BEGIN
	EXECUTE q INTO r;
	RETURN 'result ' || coalesce(r, 'none');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(' / ', 'swallowed ' || s, m, d, h);
END \$\$;
END
}

# Run statements, each line in a transaction of its own that is rolled back, with
# one guess.  Returns for each line what came back, with its SQLSTATE.
sub attempts
{
	my ($role, $which, @lines) = @_;
	my ($out, $err, $script) = ('', '', "\\set VERBOSITY verbose\nCREATE TEMP TABLE temporary (t text, v encrypted(k, text, searchable));\n");
	my ($text, $number) = ($guess_of{text}[$which], $guess_of{int8}[$which]);
	my $i = 0;
	for (@lines)
	{
		my $line = $_;
		$line =~ s/<T>/'$text'/g;
		$line =~ s/<N>/$number/g;
		$line =~ s/<t>/$text/g;
		$line =~ s/<(\w+)>/exists $column_of{$1} ? "'$guess_of{$column_of{$1}}[$which]'::$1" : $&/ge;
		$line =~ s/\\n/\n/g;
		$script .= "\\echo === $i\n\\warn === $i\nBEGIN;\n$line;\nROLLBACK;\nDEALLOCATE ALL;\n";
		$i++;
	}
	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-U', $role ], '<', \$script, '>', \$out, '2>', \$err)
	  or die "psql: $err";
	my @out = split /^=== \d+\n/m, $out, -1;
	my @err = split /^=== \d+\n/m, $err, -1;
	shift @out;
	is(shift(@err) // '', '', "$role, guess $which: prepared");
	is(scalar @out, scalar @lines, "$role, guess $which: all attempts were made");
	my @results;
	for my $n (0 .. $#lines)
	{
		my $said = $err[$n] // '';
		my ($state) = $said =~ /ERROR:\s+(\w{5}):/;
		my $all = $out[$n] . $said;
		# what a run makes anew: nonces of pending values, numbers of lines, objects
		$all =~ s/tc1:[\w-]+|\\x(?=f9)[0-9a-f]+/'sealed, ' . length $&/ge;
		$all =~ s/psql:<stdin>:\d+/psql/g;
		$all =~ s/\Q$_\E/GUESS/g for map { $guess_of{$_}[$which] } grep { $_ ne 'bool' } @types;
		push @results, { state => $state // 'done', all => $all };
	}
	return @results;
}

# SQLSTATE without the key; with it "found", or the SQLSTATE where the form is
# refused to everybody; the form.  <T> is a text, <N> a number.
my @forms = map { [ split /\s+\|\s+/, $_, 3 ] } grep { /\S/ && !/^#/ } split /\n/, <<'END';
# literals and parameters
42501 | found | SELECT id FROM secret WHERE v = <T>
42501 | found | SELECT id FROM secret WHERE <T> = v
42501 | found | SELECT id FROM secret WHERE v = <T>::text
42501 | found | SELECT id FROM secret WHERE <T>::varchar = v
42501 | found | SELECT id FROM secret WHERE v = <T>::name
42501 | found | SELECT id FROM secret WHERE v = text <T>
42501 | found | SELECT id FROM secret WHERE v = <T>::encrypted(k, text, searchable)
42501 | found | SELECT id FROM secret WHERE v = <T>::text::encrypted(k, text, searchable)
42501 | found | SELECT id FROM secret WHERE v = CAST(<T> AS encrypted(k, text, searchable))
42501 | found | SELECT id FROM secret WHERE v = (<T>::encrypted)::encrypted(k, text, searchable)
42501 | found | SELECT id FROM secret WHERE v = <T>::encrypted
42883 | 42883 | SELECT id FROM secret WHERE v = <T>::encrypted(k)
42883 | 42883 | SELECT id FROM secret WHERE v = <T>::encrypted(k, bytea, searchable)
42883 | 42883 | SELECT id FROM secret WHERE v = <T>::encrypted(k2, text, searchable)
42501 | found | SELECT id FROM secret WHERE n = <N>
42501 | found | SELECT id FROM secret WHERE n = <N>::int4
42501 | found | SELECT id FROM secret WHERE n = <N>.0
42501 | found | SELECT id FROM secret WHERE n = '<N>'
42501 | found | SELECT count(*) FROM secret WHERE v <> <T>
42501 | found | SELECT count(*) FROM secret WHERE NOT v = <T>
42501 | found | SELECT count(*) FROM secret WHERE (v = <T>) IS NOT TRUE
42501 | found | PREPARE p AS SELECT id FROM secret WHERE v = $1; EXECUTE p(<T>)
42501 | found | PREPARE p(text) AS SELECT id FROM secret WHERE v = $1; EXECUTE p(<T>)
42501 | found | SET LOCAL plan_cache_mode = force_generic_plan; PREPARE p(text) AS SELECT id FROM secret WHERE v = $1; EXECUTE p(<T>)
42501 | found | SET LOCAL plan_cache_mode = force_custom_plan; PREPARE p(text) AS SELECT id FROM secret WHERE v = $1; EXECUTE p(<T>)
42501 | found | PREPARE p(encrypted) AS SELECT id FROM secret WHERE v = $1; EXECUTE p(<T>)
42501 | found | PREPARE p(text[]) AS SELECT id FROM secret WHERE v = ANY ($1); EXECUTE p(ARRAY[<T>])
42501 | found | SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; SELECT id FROM secret WHERE v = <T>
42501 | found | SET LOCAL my.guess = <T>; SELECT id FROM secret WHERE v = current_setting('my.guess')
# arrays, rows, other comparisons
42501 | found | SELECT id FROM secret WHERE v IN (<T>, 'x')
42501 | found | SELECT id FROM secret WHERE v IN (<T>::text, 'x')
42501 | found | SELECT count(*) FROM secret WHERE v NOT IN (<T>, 'x')
42501 | found | SELECT id FROM secret WHERE v = ANY (ARRAY[<T>, 'x'])
42501 | found | SELECT id FROM secret WHERE v = ANY ('{<t>, x}')
42501 | found | SELECT id FROM secret WHERE v = ANY (ARRAY[<T>]::encrypted(k, text, searchable)[])
42501 | found | SELECT count(*) FROM secret WHERE v <> ALL (ARRAY[<T>, 'x'])
42501 | found | SELECT bool_or(<T> = ANY (ARRAY[v])) FROM secret
42501 | found | SELECT count(*) FROM secret WHERE v IS DISTINCT FROM <T>
42501 | found | SELECT id FROM secret WHERE v IS NOT DISTINCT FROM <T>
42501 | found | SELECT count(nullif(v, <T>)) FROM secret
42501 | found | SELECT count(nullif(<T>::text, v)) FROM secret
42501 | found | SELECT id FROM secret WHERE CASE v WHEN <T> THEN true ELSE false END
42501 | found | SELECT sum(CASE WHEN v = <T> THEN 1 ELSE 0 END) FROM secret
42501 | found | SELECT id FROM secret WHERE (v, id) = (<T>, 77)
42501 | found | SELECT id FROM secret WHERE (id, v) IN ((77, <T>), (78, 'x'))
42501 | found | SELECT id FROM secret WHERE coalesce(v = <T>, false)
42501 | found | SELECT id, v = <T> FROM secret ORDER BY 2 DESC, 1 LIMIT 1
42501 | found | SELECT count(*) FILTER (WHERE v = <T>) FROM secret
42501 | found | SELECT id FROM secret GROUP BY id, v HAVING v = <T>
42501 | found | SELECT id FROM secret WHERE id = 77 LIMIT (SELECT count(*) FROM secret WHERE v = <T>)
42501 | found | SELECT id FROM secret WHERE v = <T> FOR UPDATE
42501 | found | SELECT id FROM secret WHERE v OPERATOR(pg_catalog.=) <T>
42501 | found | SELECT id FROM seen WHERE v = <T>
42501 | found | SELECT id FROM seen_as_invoker WHERE v = <T>
42501 | found | SELECT id FROM limited WHERE v = <T>
42501 | found | SELECT tableoid::regclass FROM parted WHERE v = <T>
42501 | found | SELECT id FROM secret TABLESAMPLE SYSTEM (100) WHERE v = <T>
42501 | found | SELECT id FROM moved WHERE moved = ROW(77, <T>)::moved
42501 | found | SELECT id FROM secret WHERE id = 77 AND (v = <T> OR v IS NULL)
42501 | found | SELECT id FROM secret WHERE v = lower(<T>)
42501 | found | SELECT id FROM secret WHERE v = coalesce(<T>, 'x')
42501 | 22P02 | SELECT id FROM secret WHERE n = <T>
42501 | 42883 | SELECT id FROM secret WHERE v = <N>
42501 | found | SET ROLE holder; SELECT id FROM public.secret WHERE v = <T>
# joins and sets
42501 | found | INSERT INTO guesses VALUES (<T>); SELECT id FROM secret WHERE v = ANY (SELECT t FROM guesses)
42501 | found | INSERT INTO guesses VALUES (<T>); SELECT id FROM secret, guesses WHERE v = t
42501 | found | INSERT INTO temporary (t) VALUES (<T>); SELECT id FROM secret JOIN temporary ON secret.v = t
42501 | found | INSERT INTO guesses VALUES (<T>); SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; SELECT id FROM secret, guesses WHERE v = t
42501 | found | INSERT INTO guesses VALUES (<T>); SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SELECT id FROM secret, guesses WHERE v = t
42501 | found | SELECT id FROM secret JOIN (VALUES (<T>), ('x')) AS g (t) ON v = t
42501 | found | SELECT id FROM secret WHERE v IN (SELECT <T>::text)
42501 | found | SELECT id FROM secret WHERE v = (SELECT <T>)
42501 | found | SELECT id FROM secret WHERE EXISTS (SELECT FROM (VALUES (<T>)) AS g (t) WHERE v = t)
42501 | found | SELECT count(*) FROM secret WHERE v NOT IN (SELECT <T>::text)
42501 | found | SELECT id FROM secret, unnest(ARRAY[<T>]) AS t WHERE v = t
42501 | found | SELECT id FROM secret, LATERAL (SELECT <T>::text || left(id::text, 0) AS t) AS g WHERE v = t
42501 | found | WITH g AS MATERIALIZED (SELECT <T>::text AS t) SELECT id FROM secret, g WHERE v = t
42501 | found | WITH RECURSIVE g AS (SELECT <T>::text AS t UNION SELECT 'x' FROM g) SELECT id FROM secret, g WHERE v = t
42501 | found | SELECT count(*) FROM (SELECT v FROM secret UNION SELECT <T>::encrypted(k, text, searchable)) AS x
42501 | found | SELECT count(*) FROM (SELECT v FROM secret UNION SELECT <T>::text::encrypted(k, text, searchable)) AS x
42501 | found | SELECT count(*) FROM (SELECT v FROM secret INTERSECT SELECT <T>::encrypted(k, text, searchable)) AS x
42501 | found | SELECT count(*) FROM (SELECT v FROM secret EXCEPT SELECT <T>::encrypted(k, text, searchable)) AS x
42P18 | 42P18 | SELECT count(*) FROM (SELECT v FROM secret UNION SELECT <T>) AS x
42P18 | 42P18 | SELECT count(*) FROM (SELECT v FROM secret INTERSECT SELECT <T>::encrypted) AS x
42804 | 42804 | SELECT count(*) FROM (SELECT v FROM secret UNION SELECT <T>::text) AS x
42501 | found | SELECT count(*) FROM (SELECT v FROM (SELECT v FROM secret UNION ALL SELECT <T>::encrypted(k, text, searchable)) AS x GROUP BY v) AS y
42501 | found | SELECT count(DISTINCT v) FROM (SELECT v FROM secret UNION ALL SELECT <T>::encrypted(k, text, searchable)) AS x
42P18 | 42P18 | SELECT count(DISTINCT v) FROM (SELECT v FROM secret UNION ALL SELECT <T>) AS x
42501 | found | SELECT DISTINCT v IS NULL, count(*) OVER (PARTITION BY v) FROM (SELECT v FROM secret UNION ALL SELECT <T>::encrypted(k, text, searchable)) AS x
42501 | found | SELECT id FROM secret WHERE coalesce(v, <T>) = <T>
42501 | found | SELECT id FROM secret WHERE CASE WHEN id > 0 THEN v ELSE <T> END = <T>
42501 | found | SELECT id FROM secret AS a WHERE (SELECT v FROM secret AS b WHERE b.id = a.id) = <T>
42501 | found | SELECT count(*) FROM (SELECT id, v FROM secret UNION ALL SELECT id, v FROM moved) AS x WHERE v = <T>
42501 | found | SELECT count(*) FROM (SELECT v FROM secret UNION SELECT v FROM moved) AS x WHERE v = <T>
42501 | found | SELECT count(*) FROM (SELECT v FROM secret GROUP BY v) AS x WHERE v = <T>::text
42501 | found | SELECT count(*) FROM (SELECT v, row_number() OVER () FROM secret) AS x WHERE v = <T>
42501 | found | SELECT count(*) FROM (SELECT min(id) OVER (PARTITION BY v = <T>) AS m FROM secret) AS x WHERE m = 77
42501 | found | SELECT count(*) FROM secret GROUP BY v = <T> ORDER BY 1
42501 | found | SELECT count(*) FROM secret GROUP BY GROUPING SETS ((v = <T>), ()) ORDER BY 1
42501 | found | SELECT count(*) FROM secret GROUP BY CASE WHEN v IN (<T>, 'x') THEN 1 END ORDER BY 1
42501 | found | SELECT (ARRAY[v])[1] = <T> FROM secret WHERE id = 77
42501 | found | SELECT id FROM secret, unnest(ARRAY[v]) AS u WHERE u = <T>::text
42501 | found | SELECT array_agg(v)::encrypted(k, text, searchable)[] @> ARRAY[<T>::encrypted(k, text, searchable)] FROM secret
42501 | found | SELECT array_position(array_agg(v)::encrypted(k, text, searchable)[], <T>::encrypted(k, text, searchable)) FROM secret
42P18 | 42P18 | SELECT array_position(array_agg(v), <T>::encrypted(k, text, searchable)) FROM secret
# values of no known key
42P18 | 42P18 | SELECT id FROM secret WHERE array_position(ARRAY[v], <T>::encrypted) IS NOT NULL
42P18 | 42P18 | SELECT id FROM secret WHERE array_remove(ARRAY[v], <T>::encrypted) = '{}'
42P18 | 42P18 | SELECT array_position(array_agg(v), <T>) FROM secret
42P18 | 42P18 | SELECT array_agg(v) @> ARRAY[<T>]::encrypted[] FROM secret
42P18 | 42P18 | SELECT array_agg(v) && ARRAY[<T>]::encrypted[] FROM secret
42P18 | 42P18 | SELECT ARRAY[v] = ARRAY[<T>]::encrypted[] FROM secret WHERE id = 77
42P18 | 42P18 | SELECT array_replace(ARRAY[v], <T>, 'x') FROM secret WHERE id = 77
42501 | found | SELECT ROW(v) = ROW(<T>::encrypted) FROM secret WHERE id = 77
42501 | found | SELECT (SELECT <T>::encrypted) = v FROM secret, (SELECT 1 OFFSET 0) AS x WHERE id = 77
done | done | SELECT record_image_eq(ROW(v), ROW(<T>::encrypted)) FROM secret WHERE id = 77
42P18 | 42P18 | SELECT hash_record(ROW(v)) = hash_record(ROW(<T>::encrypted)) FROM secret WHERE id = 77
42P18 | 42P18 | SELECT hash_array(ARRAY[v]) = hash_array(ARRAY[<T>::encrypted]) FROM secret WHERE id = 77
42883 | 42883 | SELECT max(v) FROM secret
42883 | 42883 | SELECT <T> FROM secret ORDER BY v USING #<
42883 | 42883 | SELECT greatest(v, <T>) FROM secret
42883 | 42883 | SELECT id FROM secret WHERE v < <T>
42883 | 42883 | SELECT id FROM secret WHERE v LIKE <T>
42883 | 42883 | SELECT width_bucket(<T>::encrypted, array_agg(v)) FROM secret
42883 | 42883 | SELECT rank(<T>) WITHIN GROUP (ORDER BY v) FROM secret
42883 | 42883 | SELECT mode() WITHIN GROUP (ORDER BY v) FROM secret
# opened values
42501 | found | SELECT id FROM secret WHERE v::text = <T>
42501 | found | SELECT id FROM secret WHERE s::text = <T> AND id = 77
42883 | 42883 | SELECT id FROM secret WHERE s = <T>
42883 | 42883 | SELECT id FROM secret AS a JOIN secret AS b USING (id) WHERE a.s = b.v AND a.v = <T>
# changes
42501 | found | UPDATE secret SET id = id WHERE v = <T> RETURNING id
42501 | found | DELETE FROM secret WHERE v = <T> RETURNING id
42501 | found | UPDATE secret SET id = id FROM (VALUES (<T>)) AS g (t) WHERE v = t RETURNING id
42501 | found | MERGE INTO secret USING (VALUES (<T>)) AS g (t) ON v = t WHEN MATCHED THEN UPDATE SET id = -1; SELECT count(*) FROM secret WHERE id = -1
42501 | found | INSERT INTO secret (id, v) VALUES (1000, <T>)
42501 | found | INSERT INTO secret (id, v) VALUES (1000, <T>::text)
42501 | found | INSERT INTO secret (id, v) SELECT 1000, <T>
42501 | found | INSERT INTO secret (id, v) VALUES (1000, <T>) ON CONFLICT DO NOTHING RETURNING id
42501 | found | INSERT INTO secret (id, v) VALUES (1000, <T>) ON CONFLICT (v) DO UPDATE SET id = 1001 RETURNING id
42501 | found | INSERT INTO secret (id, v) SELECT 77, v FROM secret WHERE id = 77 ON CONFLICT (id) DO UPDATE SET id = 77 WHERE secret.v = <T> RETURNING id
42501 | found | UPDATE secret SET v = <T> WHERE id = 1
42501 | found | INSERT INTO secret (id, v) SELECT 1000, v FROM secret WHERE v = <T>
42501 | found | COPY (SELECT id FROM secret WHERE v = <T>) TO STDOUT
42501 | found | CREATE TABLE t AS SELECT id FROM secret WHERE v = <T>; TABLE t
42501 | found | CREATE MATERIALIZED VIEW m AS SELECT id FROM secret WHERE v = <T>::text; TABLE m
42501 | found | DECLARE c CURSOR FOR SELECT id FROM secret WHERE v = <T>; FETCH c
# tables of one's own
42501 | done | INSERT INTO temporary (v) VALUES (<T>)
42501 | done | INSERT INTO mine (v) VALUES (<T>)
42501 | found | INSERT INTO moved (v) VALUES (<T>)
42501 | found | INSERT INTO moved (v) VALUES (<T>) ON CONFLICT DO NOTHING RETURNING 1
42501 | found | UPDATE moved SET v = <T> WHERE id = 1
42501 | found | SELECT id FROM moved WHERE v = <T>
42501 | done | INSERT INTO mine (w) SELECT <T>; INSERT INTO mine (v) SELECT w FROM mine
42883 | 42883 | INSERT INTO mine (w) SELECT <T>; SELECT id FROM secret, mine WHERE secret.v = w
42501 | found | INSERT INTO mine (w) SELECT <T>; SELECT id FROM secret, mine WHERE secret.v = w::text
42501 | found | ALTER TABLE moved ADD CHECK (v <> <T>::text)
0A000 | 0A000 | ALTER TABLE moved ADD CHECK (v <> <T>)
42501 | found | CREATE TABLE t (v encrypted(k, text, searchable) CHECK (v <> <T>::text)); INSERT INTO t SELECT v FROM secret
42501 | found | CREATE DOMAIN d AS encrypted(k, text, searchable) CHECK (VALUE <> <T>::text); SELECT count(v::d) FROM secret
42501 | found | CREATE DOMAIN d AS encrypted(k, text, searchable); SELECT id FROM secret WHERE v::d = <T>
42501 | found | CREATE TABLE t (v encrypted(k, text, searchable)) PARTITION BY LIST (v); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (<T>); INSERT INTO t SELECT v FROM secret WHERE id = 77
42501 | found | CREATE TABLE t (v encrypted(k, text, searchable) REFERENCES secret (v)); INSERT INTO t VALUES (<T>)
42501 | found | CREATE TABLE t (v encrypted(k, text, searchable)); INSERT INTO t VALUES (<T>); ALTER TABLE t ADD FOREIGN KEY (v) REFERENCES secret (v)
42804 | 42804 | CREATE TABLE t (v text REFERENCES secret (v)); INSERT INTO t VALUES (<T>)
42501 | found | CREATE TABLE t (v encrypted(k, text, searchable), EXCLUDE (v WITH =)); INSERT INTO t SELECT v FROM secret; INSERT INTO t VALUES (<T>)
42P17 | 42P17 | CREATE INDEX ON moved (id) WHERE v = <T>::text
42P17 | 42P17 | CREATE INDEX ON moved ((v = <T>::text))
42P17 | 42P17 | ALTER TABLE moved ADD g bool GENERATED ALWAYS AS (v = <T>::text) STORED
42501 | found | CREATE TABLE t (v encrypted(k, text, searchable)) PARTITION BY HASH (v); CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO t SELECT v FROM secret; SELECT tableoid::regclass FROM t WHERE v = <T>
42501 | found | ALTER TABLE moved ENABLE ROW LEVEL SECURITY; ALTER TABLE moved FORCE ROW LEVEL SECURITY; CREATE POLICY p ON moved USING (v = <T>::text); SELECT id FROM moved
42501 | found | CREATE VIEW w AS SELECT id FROM secret WHERE v = <T>::text; TABLE w
42501 | found | CREATE VIEW w WITH (security_invoker) AS SELECT id FROM secret WHERE v = <T>::text; TABLE w
0A000 | 0A000 | CREATE VIEW w AS SELECT id FROM secret WHERE v = <T>
42501 | found | CREATE TABLE t AS SELECT id, v FROM moved WHERE false; CREATE VIEW w AS SELECT * FROM t WHERE v <> <T>::text WITH CHECK OPTION; INSERT INTO w SELECT id, v FROM secret WHERE id = 77
42501 | found | CREATE RULE r AS ON INSERT TO guesses DO ALSO SELECT id FROM moved WHERE v = NEW.t; INSERT INTO guesses VALUES (<T>)
42501 | found | CREATE RULE r AS ON UPDATE TO moved WHERE OLD.v = <T>::text DO INSTEAD NOTHING; UPDATE moved SET id = -1 WHERE id = 77; SELECT count(*) FROM moved WHERE id = -1
42501 | done | ALTER TABLE moved ADD g encrypted(k, text, searchable) DEFAULT <T>::text
42501 | found | ALTER TABLE moved ADD g encrypted(k, text, searchable) DEFAULT <T>::text; SELECT id FROM moved WHERE v = g
42501 | found | ALTER TABLE moved ALTER v TYPE encrypted(k2, text, searchable); SELECT id FROM moved WHERE v = <T>
42501 | found | ALTER TABLE moved ALTER v TYPE text USING v::text; SELECT id FROM moved WHERE v = <T>
# functions and triggers of one's own
42501 | found | CREATE FUNCTION f(text) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM secret WHERE v = $1'; SELECT f(<T>)
42501 | found | CREATE FUNCTION f(text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM secret WHERE v = $1)'; SELECT f(<T>)
42501 | found | CREATE FUNCTION f(text) RETURNS SETOF int LANGUAGE sql STABLE BEGIN ATOMIC SELECT id FROM secret WHERE v = $1; END; SELECT f(<T>)
42501 | found | CREATE FUNCTION f(text) RETURNS SETOF int LANGUAGE sql SECURITY DEFINER AS 'SELECT id FROM secret WHERE v = $1'; SELECT f(<T>)
42501 | found | CREATE FUNCTION f(encrypted, text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT $1 = $2'; SELECT id FROM secret WHERE f(v, <T>)
42501 | found | CREATE FUNCTION f(encrypted, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN $1 = $2; END'; SELECT id FROM secret WHERE f(v, <T>)
42P18 | 42P18 | CREATE FUNCTION f(encrypted, encrypted) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN $1 = $2; END'; SELECT id FROM secret WHERE f(v, <T>)
42501 | found | DO $$ DECLARE x encrypted(k, text, searchable) := <T>; BEGIN RAISE NOTICE '%', (SELECT id FROM secret WHERE v = x); END $$
42501 | found | DO $$ BEGIN RAISE NOTICE '%', (SELECT id FROM secret WHERE v = <T>::text); END $$
done | found | SELECT swallow($$SELECT id FROM secret WHERE v = <T>$$)
done | found | SELECT swallow($$INSERT INTO secret (id, v) VALUES (1000, <T>) RETURNING 1$$)
done | found | SELECT swallow($$INSERT INTO secret (id, v) VALUES (1000, <T>) ON CONFLICT (v) DO NOTHING RETURNING 1$$)
done | found | SELECT swallow($$INSERT INTO moved (v) VALUES (<T>) RETURNING 1$$)
done | found | SELECT swallow($$SELECT string_agg(id::text, ' ') FROM secret WHERE v <> <T>$$)
42501 | found | CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.v = <T>::text THEN RAISE NOTICE 'found'; END IF; RETURN NEW; END$$; CREATE TRIGGER t BEFORE UPDATE ON secret FOR EACH ROW EXECUTE FUNCTION f(); UPDATE secret SET id = id WHERE id = 77
42501 | found | CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'found'; RETURN NEW; END$$; CREATE TRIGGER t BEFORE UPDATE ON secret FOR EACH ROW WHEN (NEW.v = <T>::text) EXECUTE FUNCTION f(); UPDATE secret SET id = id WHERE id = 77
42501 | found | CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE '%', (SELECT count(*) FROM n WHERE v = <T>); RETURN NULL; END$$; CREATE TRIGGER t AFTER UPDATE ON secret REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f(); UPDATE secret SET id = id WHERE id = 77
# operators, casts, aggregates and types of one's own
42501 | found | CREATE OPERATOR === (LEFTARG = encrypted, RIGHTARG = text, FUNCTION = themis_crypt.eq); SELECT id FROM secret WHERE v === <T>::text
42501 | found | CREATE OPERATOR === (LEFTARG = encrypted, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq); SELECT id FROM secret WHERE v === <T>
42501 | found | CREATE FUNCTION eq(encrypted, text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT themis_crypt.eq($1, $2)'; CREATE OPERATOR = (LEFTARG = encrypted, RIGHTARG = text, FUNCTION = eq); SET LOCAL search_path = attacker, holder, public, pg_catalog; SELECT id FROM secret WHERE v = <T>::text
42501 | 42501 | CREATE OPERATOR #<< (LEFTARG = encrypted, RIGHTARG = encrypted, FUNCTION = themis_crypt.lt); SELECT <T>
42501 | 42501 | SELECT themis_crypt.lt(a.v, <T>) FROM secret AS a
42501 | 42501 | SELECT a.v #< <T> FROM secret AS a
42501 | 42501 | CREATE OPERATOR CLASS oc FOR TYPE encrypted USING hash AS OPERATOR 1 =, FUNCTION 1 themis_crypt.hash(encrypted); SELECT <T>
42501 | 42501 | CREATE OPERATOR FAMILY f USING btree; SELECT <T>
0A000 | 0A000 | CREATE CAST (text AS encrypted) WITH INOUT AS IMPLICIT; SELECT <T>
0A000 | 0A000 | CREATE CAST (bytea AS encrypted) WITHOUT FUNCTION; SELECT <T>
0A000 | 0A000 | CREATE TYPE own AS (t text); CREATE FUNCTION as_encrypted(own) RETURNS encrypted LANGUAGE sql AS 'SELECT ($1.t)::encrypted'; CREATE CAST (own AS encrypted) WITH FUNCTION as_encrypted(own) AS IMPLICIT; SELECT id FROM secret WHERE v = ROW(<T>)::own
42501 | found | CREATE FUNCTION is_found(bool, encrypted, text) RETURNS bool LANGUAGE sql AS 'SELECT coalesce($1, false) OR $2 = $3'; CREATE AGGREGATE found_in(encrypted, text) (SFUNC = is_found, STYPE = bool); SELECT found_in(v, <T>::text) FROM secret
42501 | 42501 | CREATE FUNCTION f(encrypted) RETURNS bytea LANGUAGE internal AS 'byteaout'; SELECT <T>
0A000 | 0A000 | CREATE TYPE r AS RANGE (subtype = encrypted); SELECT <T>
# input of sealed values, and of plaintext through other doors
42501 | done | COPY mine (v) FROM STDIN;\n<t>\n\.\nSELECT count(*) FROM mine
42501 | found | COPY moved (v) FROM STDIN;\n<t>\n\.\nSELECT count(*) FROM moved
22P02 | 22P02 | COPY mine (v) FROM STDIN;\ntc1:<t>\n\.\nSELECT count(*) FROM mine
22P02 | 22P02 | SELECT 'tc1:<t>'::encrypted
42501 | done | SET LOCAL themis_crypt.sealed_input = on; DO $$ DECLARE x text := (SELECT themis_crypt.encrypted_out(v) FROM secret WHERE id = 77); BEGIN EXECUTE format('INSERT INTO mine (v) VALUES (%L)', x); END $$; SELECT <T>
42501 | 42501 | SET LOCAL themis_crypt.restore = on; SELECT <T>
42501 | done | CREATE TYPE c AS (v encrypted(k, text, searchable)); SELECT ('(<t>)'::c).v IS NULL
42501 | found | SELECT id FROM secret WHERE v = ANY (('{<t>}'::encrypted(k, text, searchable)[]))
42501 | found | SELECT id FROM secret, jsonb_populate_record(NULL::mine, jsonb_build_object('v', <T>::text)) AS j WHERE secret.v = j.v
42501 | found | SELECT id FROM secret, jsonb_to_record(jsonb_build_object('x', <T>::text)) AS j (x encrypted(k, text, searchable)) WHERE v = x
42501 | found | SELECT id FROM secret, xmltable('/a' PASSING (('<a>' || <T> || '</a>')::xml) COLUMNS x encrypted(k, text, searchable) PATH '.') WHERE v = x
42501 | done | INSERT INTO mine (v) SELECT v::text FROM secret WHERE v = <T>
# estimates, plans and statistics
42501 | found | EXPLAIN SELECT id FROM secret WHERE n = <N>
42501 | found | EXPLAIN (ANALYZE, TIMING off, SUMMARY off) SELECT id FROM secret WHERE v = <T>
42501 | found | EXPLAIN SELECT id FROM secret WHERE n = <N>::int8
42501 | found | EXPLAIN SELECT id FROM secret WHERE n IN (<N>, 1000)
42501 | found | EXPLAIN SELECT id FROM secret WHERE n <> <N>
42501 | found | EXPLAIN SELECT id FROM secret WHERE n IS DISTINCT FROM <N>
42501 | done | EXPLAIN SELECT tableoid FROM parted WHERE v = <T>
42501 | found | PREPARE p(int8) AS SELECT id FROM secret WHERE n = $1; EXPLAIN EXECUTE p(<N>)
done | done | SET LOCAL plan_cache_mode = force_generic_plan; PREPARE p(int8) AS SELECT id FROM secret WHERE n = $1; EXPLAIN EXECUTE p(<N>)
42501 | found | CREATE FUNCTION f(int8) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM secret WHERE n = $1'; EXPLAIN SELECT * FROM f(<N>)
42501 | found | SET LOCAL themis_crypt.sealed_input = on; SELECT count(*) FROM pg_stats, unnest(most_common_vals::text::encrypted(k, int8, searchable)[]) AS m WHERE tablename = 'secret' AND attname = 'n' AND m = <N>
done | done | SELECT most_common_vals, most_common_freqs, histogram_bounds, <N> FROM pg_stats WHERE tablename = 'secret' AND attname IN ('v', 'n')
42501 | 42501 | SELECT <T> FROM pg_statistic
0A000 | 0A000 | CREATE STATISTICS x ON (v = <T>::text) FROM moved; ANALYZE moved; SELECT most_common_vals, most_common_freqs FROM pg_stats_ext_exprs
END
my @sql = map { $_->[2] } @forms;
my %run = map { my $role = $_; ($role => [ map { [ attempts($role, $_, @sql) ] } 0, 1 ]) } 'attacker', 'holder';
for my $i (0 .. $#forms)
{
	my ($state, $control, $sql) = @{ $forms[$i] };
	my ($right, $wrong) = map { $run{attacker}[$_][$i] } 0, 1;
	my ($held, $missed) = map { $run{holder}[$_][$i] } 0, 1;
	is($right->{state}, $state, "refused: $sql") or diag $right->{all};
	is($right->{all}, $wrong->{all}, "right or wrong, it is told the same: $sql");
	if ($control eq 'found')
	{
		isnt($held->{all}, $missed->{all}, "control: with the key it is found: $sql") or diag $held->{all};
	}
	else
	{
		is($held->{state}, $control, "control: with the key: $sql") or diag $held->{all};
	}
}

# Every function that may be called, directly, with guesses wherever they fit.
my $typmod = q((SELECT atttypmod FROM pg_attribute WHERE attrelid = 'secret'::regclass AND attname = 'v'));

sub arguments
{
	my ($name, $type, $column) = @_;
	$type = $name_of{$type} // $type;
	return ("<$type>") if exists $column_of{$type} && $name =~ /^(eq|ne|from_plain)$/;
	return ("(SELECT \"$column\" FROM typed)", '<text>::encrypted', "<$column>::encrypted(k, \"$column\", searchable)")
	  if $type eq 'encrypted';
	return ('<text>', '<text>::encrypted', '(SELECT text FROM typed)') if $type eq '"any"';
	return ('ARRAY[<text>]', 'ARRAY[<text>::encrypted]', 'ARRAY[(SELECT text FROM typed)]') if $type eq 'anyarray';
	return ('ARRAY[<text>]::text[]') if $type eq 'text[]';
	return ('ARRAY[<text>]::cstring[]', q('{k,text,searchable}'::cstring[])) if $type eq 'cstring[]';
	return ('<text>::cstring') if $type eq 'cstring';
	return (q('encrypted'::regtype)) if $type eq 'oid';
	return ($typmod) if $type eq 'int4';
	return ($type eq 'text' ? '<text>' : $type eq 'bool' ? 'true' : 1) if $type =~ /^(text|bool|int8)$/;
	die "no arguments of type $type";
}

sub combinations
{
	my ($first, @rest) = @_;
	return ([]) unless defined $first;
	return map { my $value = $_; map { [ $value, @$_ ] } combinations(@rest) } @$first;
}

my @functions = map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql('postgres', <<'END');
SELECT nspname, proname, (SELECT string_agg(format_type(a, NULL), ';' ORDER BY i) FROM unnest(proargtypes) WITH ORDINALITY AS x(a, i))
  FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid JOIN pg_proc AS p ON p.oid = d.objid
  JOIN pg_namespace AS n ON n.oid = pronamespace
 WHERE extname = 'themis_crypt' AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
   AND has_function_privilege('attacker', p.oid, 'EXECUTE')
 ORDER BY 1, 2, p.oid
END

# A function that is not in this list has to be thought about first: what can be
# found out with it, and are the arguments below those that do.
my %known = map { $_ => 1 } qw(
	quote_literal quote_nullable cmp coerce coerce_support concat_after concat_before create_key encrypted_in encrypted_out
	encrypted_recv encrypted_send encrypted_typmod_in encrypted_typmod_out eq ne from_plain hash hash_extended probe probe_array
	root_recipients seal search_support sortsupport typanalyze validator), map { "to_$_" } keys %column_of;
is(join(' ', grep { !$known{$_} } map { $_->[1] } @functions), '', 'all functions are known to this test');

my (@calls, %called);
for my $function (@functions)
{
	my ($schema, $name, $args) = @$function;
	my @args = split /;/, $args;
	next if grep { $_ eq 'internal' } @args or $name eq 'create_key';
	my ($plain) = grep { exists $column_of{$_} } map { $name_of{$_} // $_ } grep { $_ ne 'encrypted' } @args;
	my ($of_type) = $name =~ /^to_(\w+)/;
	my $column = $column_of{ $of_type // '' } // (@args == 2 && defined $plain ? $column_of{$plain} : 'text');
	my @combinations = combinations(map { [ arguments($name, $_, $column) ] } @args);
	$called{$name} += @combinations;
	push @calls, map { "SELECT $schema.$name(" . join(', ', @$_) . ')' } @combinations;
}
# and the results of some in others
for my $probe ("themis_crypt.probe(<text>, $typmod)", "themis_crypt.probe(<text>::encrypted, $typmod)",
	"(themis_crypt.probe_array(ARRAY[<text>], $typmod))[1]", "themis_crypt.seal(<text>, $typmod)",
	"themis_crypt.coerce(<text>::encrypted, $typmod, true)")
{
	push @calls, "SELECT themis_crypt.eq(v, $probe) FROM secret WHERE id = 77", "SELECT themis_crypt.cmp(v, $probe) FROM secret WHERE id = 77",
	  "SELECT themis_crypt.hash(v) = themis_crypt.hash($probe) FROM secret WHERE id = 77",
	  "SELECT themis_crypt.hash_extended(v, 1) = themis_crypt.hash_extended($probe, 1) FROM secret WHERE id = 77";
}
my @by_attacker = map { [ attempts('attacker', $_, @calls) ] } 0, 1;
my @by_holder = map { [ attempts('holder', $_, @calls) ] } 0, 1;
my (@leaks, @internal, %finds);
for my $i (0 .. $#calls)
{
	my ($right, $wrong) = map { $_->[$i] } @by_attacker;
	push @leaks, "$calls[$i]: $right->{all}$wrong->{all}" if $right->{all} ne $wrong->{all};
	push @internal, "$calls[$i]: $right->{all}" if $right->{state} =~ /^XX/;
	my ($name) = $calls[$i] =~ /\.(\w+)/;
	$finds{$name}++ if $name !~ /^to_/ && $by_holder[0][$i]{all} ne $by_holder[1][$i]{all};
}
note scalar @calls, ' calls';
is(join("\n", @leaks), '', 'no call tells a right guess from a wrong one');
is(join("\n", @internal), '', 'none fails in a way that is not foreseen');
is(join(' ', sort keys %finds), 'cmp eq hash hash_extended ne', 'control: with the key these find');

# Parameters of the protocol.
for my $role ('attacker', 'holder')
{
	for my $which (0, 1)
	{
		my $script = PostgreSQL::Test::Utils::tempdir() . "/script";
		PostgreSQL::Test::Utils::append_to_file($script, <<'END');
SELECT 1 / (2 - count(*)) AS one, count(*) AS n FROM secret WHERE v = :guess \gset
\if :n = 1
SELECT 1 / 0;
\endif
END
		my ($out, $err) = ('', '');
		IPC::Run::run([ 'pgbench', '-n', '-M', 'prepared', '-t', 1, '-D', "guess=$guess_of{text}[$which]", '-f', $script,
				'-d', 'postgres', '-h', $node->host, '-p', $node->port, '-U', $role ], '>', \$out, '2>', \$err);
		like($err, $role eq 'attacker' ? qr/permission denied for encryption key "k"/ : $which == 0 ? qr/division by zero/ : qr/^((?!ERROR).)*$/s,
			"$role, a parameter of the protocol, guess $which");
	}
}
done_testing();
