# Goal of this test: searches use indexes and prune partitions, estimates are
# those of a plain twin, and what cannot be searched is an error that says what
# to do.
use strict;
use warnings;
use JSON::PP ();
use ThemisTwin;
use Test::More;

my $twin = ThemisTwin->new(extra => <<'END');
CREATE TABLE many AS SELECT i AS id, (1200 / (1 + i % 100))::text AS zipf, (i % 200)::text AS even, i % 10 AS k FROM generate_series(1, 6000) AS i;
ALTER TABLE many ALTER zipf TYPE @text@ USING zipf, ALTER even TYPE @text@ USING even;
CREATE INDEX ON many (zipf);
CREATE INDEX ON many USING hash (even);
CREATE FUNCTION inlined(x text) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM many WHERE zipf = ANY (ARRAY[x, x || ''x''])';
CREATE FUNCTION atomic(x text) RETURNS SETOF int LANGUAGE sql STABLE BEGIN ATOMIC SELECT id FROM many WHERE even = x; END;
CREATE FUNCTION leak(x int) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'leaked %', x; RETURN true; END $$;
CREATE VIEW behind WITH (security_barrier) AS SELECT * FROM many WHERE k > 0;
END
my $node = $twin->node;

# The plan of the last of some statements, and an error as "SQLSTATE message / hint".
sub session
{
	my (@sql) = @_;
	my ($code, $out, $err) = $node->psql('postgres', join '', "\\set VERBOSITY verbose\n", map { $twin->for_schema('sealed', $_) . ";\n" }
		'SET client_min_messages = error', 'SET search_path = sealed, public', @sql);
	my ($error) = $err =~ /ERROR:  (.*)/;
	my ($hint) = $err =~ /HINT:  (.*)/;
	return defined $error ? $error . ' / ' . ($hint // '') : $out;
}

sub plan_of
{
	my ($sql, @settings) = @_;
	return session('SET ROLE regress_twin', (map { "SET $_" } 'enable_seqscan = off', @settings), ref $sql ? @$sql[ 0 .. $#$sql - 1 ] : (),
		'EXPLAIN (COSTS OFF) ' . (ref $sql ? $sql->[-1] : $sql));
}

# An index with a condition on this column finds the rows.
sub indexed
{
	my ($column, $sql, @settings) = @_;
	my $plan = plan_of($sql, @settings);
	like($plan, qr/Index (Only )?Scan.*\n.*Index Cond: .*\b$column\b.*(=|ANY|NULL)/, 'index: ' . (ref $sql ? join '; ',
		@$sql : $sql) . (@settings ? " with @settings" : ''));
	return;
}

indexed('zipf', "SELECT id FROM many WHERE $_") for "zipf = '1'", "zipf = '1'::text", "'1' = zipf", "'1'::text = zipf", "zipf = '1'::varchar",
	"zipf IN ('1', '2')", "zipf IN ('1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11')", "zipf = ANY ('{1,2}'::text[])",
	"zipf = ANY (ARRAY['1', '2'])",
	"(zipf, k) = ('1', 3)", "zipf = (SELECT '1'::text)", "zipf = '1' AND k = 3", "zipf = '1' OR zipf = '2'::text", "zipf IN (SELECT t FROM p)",
	"zipf = lower('A')", "zipf = current_setting('server_version')", "zipf IS NULL";
indexed('zipf', "SELECT id FROM many WHERE $_") for "zipf::text = '1'", "'1' = zipf::text", "zipf::text IN ('1', '2')";
indexed('t', "SELECT id FROM vs WHERE ot = 'a'");
indexed('even', "SELECT id FROM many WHERE $_") for "even = '1'", "'1'::text = even", "even = '1'::varchar", "even = '1' OR even = '2'::text",
	"even = (SELECT '1'::text)";
indexed($_->[0], "SELECT id FROM a WHERE $_->[1]") for [ n => "n = 1" ], [ n => "n = 1::numeric" ], [ n => '1.0 = n' ], [ i => 'i = 1' ],
	[ i => 'i IN (1, 2, 3)' ], [ d => "d = '2026-01-01'" ], [ d => "d = date '2026-01-01'" ], [ ts => "ts = timestamptz '2026-01-01 00:00+00'" ],
	[ iv => "iv = interval '1 day'" ],
	[ b => "b = '\\x00'" ], [ u => "u = '00000000-0000-0000-0000-000000000000'" ], [ u => "u = '00000000-0000-0000-0000-000000000000'::uuid" ],
	[ ip => "ip = inet '::1'" ], [ j => "j = '{}'::jsonb" ], [ l => "l = repeat('x', 5000)" ], [ dom => "dom = 'a'" ], [ dom => "dom = 'a'::text" ],
	[ dom => "dom IN ('a', 'b')" ], [ i2 => 'i2 = 1' ];
for my $mode ('force_custom_plan', 'force_generic_plan')
{
	my $set = "plan_cache_mode = $mode";
	indexed('zipf', [ 'PREPARE q AS SELECT id FROM many WHERE zipf = $1', "EXECUTE q('1')" ], $set);
	indexed('even', [ 'PREPARE q(text) AS SELECT id FROM many WHERE $1 = even', "EXECUTE q('1')" ], $set);
	indexed('zipf', [ 'PREPARE q(varchar) AS SELECT id FROM many WHERE zipf = $1', "EXECUTE q('1')" ], $set);
	indexed('zipf', [ 'PREPARE q AS SELECT id FROM many WHERE zipf IN ($1, $2)', "EXECUTE q('1', '2')" ], $set);
	indexed('zipf', [ 'PREPARE q(text[]) AS SELECT id FROM many WHERE zipf = ANY ($1)', "EXECUTE q('{1,2}')" ], $set);
	indexed('zipf', [ 'PREPARE q AS UPDATE many SET k = 1 WHERE zipf = $1', "EXECUTE q('1')" ], $set);
	indexed('i', [ 'PREPARE q(int) AS SELECT id FROM a WHERE i = $1', "EXECUTE q(1)" ], $set);
	indexed('zipf', [ 'PREPARE q(text) AS SELECT * FROM inlined($1)', "EXECUTE q('1')" ], $set);
	indexed('even', [ 'PREPARE q(text) AS SELECT * FROM atomic($1)', "EXECUTE q('1')" ], $set);
}
indexed('zipf', $_) for "UPDATE many SET k = 1 WHERE zipf = '1'", "DELETE FROM many WHERE zipf = '1'::text",
	"MERGE INTO many USING (VALUES ('1')) v(x) ON zipf = x WHEN MATCHED THEN DELETE", "SELECT * FROM inlined('1')",
	"SELECT s.id FROM (SELECT * FROM many OFFSET 0) s JOIN many USING (zipf) WHERE s.id = 1",
	"WITH w AS (SELECT * FROM many) SELECT id FROM w WHERE zipf = '1'", "SELECT id FROM many WHERE zipf = '1' LIMIT 1",
	"SELECT DISTINCT id FROM behind WHERE zipf = '1'", "SELECT id FROM behind WHERE zipf = '1' AND k::text <> even::text";
indexed('even', $_) for "SELECT * FROM atomic('1')", "SELECT id FROM behind WHERE even = '1'::text";
indexed('zipf', 'SELECT a.id FROM p AS a, many WHERE a.t = zipf', 'enable_hashjoin = off', 'enable_mergejoin = off');
indexed('t', "SELECT id FROM rls WHERE t = 'a'", "test.who = 'alice'");
indexed('t', "SELECT id FROM rls WHERE t = 'a' AND k::text <> t::text", "test.who = 'alice'");
like(plan_of("SELECT zipf FROM many WHERE zipf = '1'", 'enable_bitmapscan = off'), qr/Index Only Scan/, 'index-only scan');
like(plan_of('SELECT id FROM many WHERE zipf IS NOT DISTINCT FROM NULL'), qr/Index Cond: \(zipf IS NULL\)/, 'IS NOT DISTINCT FROM NULL');

# A function that tells what it sees, and is cheap, sees only what policies and
# barriers let through; on a searchable condition no more than that.
sub leaked
{
	my (@sql) = @_;
	my (undef, undef, $err) = $node->psql('postgres', join '', map { "$_;\n" } 'SET search_path = sealed, public', 'SET ROLE regress_twin',
		'SET enable_seqscan = off', @sql);
	my %seen = map { $_ => 1 } $err =~ /leaked (\d+)/g;
	return join ' ', sort keys %seen;
}

my %hidden = map { $_ => 1 } split /\n/, $twin->in('plain', "SELECT id FROM rls WHERE owner <> 'alice'");
my @seen = split / /, leaked("SET test.who = 'alice'", "SELECT id FROM rls WHERE leak(id) AND t = 'a'");
cmp_ok(scalar @seen, '>', 0, 'control: rows of a policy are seen');
is(scalar grep({ $hidden{$_} } @seen), 0, 'but none that it hides');
cmp_ok(scalar grep({ $hidden{$_} } split / /, leaked("RESET ROLE", "SELECT id FROM rls WHERE leak(id) AND t = 'a'")), '>', 0,
	'control: without the policy they are');
unlike(leaked("SELECT id FROM behind WHERE leak(k) AND even = '10'"), qr/\b0\b/, 'nor what a barrier hides');
like(leaked("SELECT id FROM many WHERE leak(k) AND even = '10'"), qr/\b0\b/, 'control: without the barrier it is seen');

# Joins and groups by each method.
my %method = (hashjoin => qr/Hash Join/, mergejoin => qr/Merge Join/, nestloop => qr/Nested Loop/);
for my $on (sort keys %method)
{
	my @set = ('enable_seqscan = on', map { "enable_$_ = " . ($_ eq $on ? 'on' : 'off') } keys %method);
	like(plan_of('SELECT count(*) FROM a JOIN b USING (t)', @set), $method{$on}, "$on of sealed values");
	like(plan_of('SELECT count(*) FROM a JOIN p ON a.t = p.t', @set), $method{$on}, "$on with a text");
}
like(plan_of('SELECT count(*) FROM a GROUP BY t', 'enable_sort = off', 'enable_indexscan = off', 'enable_indexonlyscan = off', 'enable_seqscan = on'),
	qr/HashAggregate\n +Group Key: t/, 'groups by hash');
like(plan_of('SELECT count(*) FROM a GROUP BY t', 'enable_hashagg = off'), qr/GroupAggregate\n +Group Key: t/, 'groups by sort');
like(plan_of("SELECT id FROM a WHERE t IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j')", 'enable_indexscan = off', 'enable_bitmapscan = off',
	'enable_seqscan = on'), qr/Filter: \(t = ANY/, 'a long list is one condition');
my @parallel = ('max_parallel_workers_per_gather = 2', 'min_parallel_table_scan_size = 0', 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0',
	'enable_seqscan = on', 'enable_indexscan = off', 'enable_bitmapscan = off');
like(plan_of("SELECT count(*) FROM a WHERE t = 'a'::text", @parallel), qr/Parallel Seq Scan.*\n.*Filter: \(t = /, 'parallel scan');

# One partition is left of those that are there.
for my $t ('ph', 'pl')
{
	for my $sql ("SELECT id FROM $t WHERE t = 'a'", "SELECT id FROM $t WHERE 'ä'::text = t", "UPDATE $t SET k = 1 WHERE t = 'a'",
		"SELECT id FROM $t WHERE t IS NULL")
	{
		my $plan = plan_of($sql);
		my %scanned = map { $_ => 1 } $plan =~ /(?:Seq|Heap|Index|Only) Scan (?:using \w+ )?on (\w+)(?<!idx)\b/g;
		is(scalar keys %scanned, 1, "one partition: $sql") or diag $plan;
	}
	my $plan = plan_of([ "PREPARE q AS SELECT id FROM $t WHERE t = \$1", "EXECUTE q('a')" ], 'plan_cache_mode = force_generic_plan');
	like($plan, qr/Subplans Removed: 2/, "one partition of $t in a generic plan, when it starts");
}

# Estimates
sub estimate
{
	my ($schema, $where) = @_;
	my $plan = $node->safe_psql('postgres', "SET search_path = $schema, public; EXPLAIN (FORMAT JSON) SELECT id FROM many WHERE $where");
	return JSON::PP::decode_json($plan)->[0]{Plan}{'Plan Rows'};
}
for my $where ((map { "zipf = '$_'" } 12, 15, 60, 200, 1200, 'absent'), (map { "even = '$_'" } 0, 7, 199, 'absent'), "zipf IN ('12', '60')",
	"zipf <> '12'", "even IN ('1', '2', '3')", "zipf = '12'::text", "'12' = zipf")
{
	my ($plain, $sealed) = map { estimate($_, $where) } 'plain', 'sealed';
	cmp_ok($sealed, '<=', 2 * $plain, "estimate for $where: $sealed, plain $plain");
	cmp_ok($sealed, '>=', $plain / 2, 'and not less');
}
my $mcv = $node->safe_psql('postgres',
	"SELECT most_common_vals::text, most_common_freqs[1] FROM pg_stats WHERE schemaname = 'sealed' AND tablename = 'many' AND attname = 'zipf'");
like($mcv, qr/^\{tc1:[A-Za-z0-9_,:-]+\}\|0\.\d+$/, 'the most common values are sealed ones');
like($node->safe_psql('postgres',
	"SELECT coalesce(histogram_bounds::text, 'none') FROM pg_stats WHERE schemaname = 'sealed' AND tablename = 'many' AND attname = 'zipf'"),
	qr/^(none|\{tc1:.*\})$/, 'and there is no histogram of others');

# What is refused.  Statements, SQLSTATE with message, and hint.
$node->safe_psql('postgres',
	'SET client_min_messages = error; CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt; GRANT USAGE ON FOREIGN SERVER k2 TO regress_twin; GRANT CREATE ON SCHEMA sealed TO regress_twin');
$twin->in('sealed',
	"CREATE TABLE k2t (id int, t encrypted(k2, text, searchable)); GRANT ALL ON k2t TO regress_twin; CREATE FUNCTION a_value(int) RETURNS encrypted LANGUAGE sql STABLE AS 'SELECT t FROM a WHERE id = \$1'");
my $order = qr/^42883: could not identify an ordering operator for type encrypted \/ Sort or compare opened values, as in ORDER BY column::text\./;
my $operator = qr/^42883: operator does not exist: .* \/ \S/;
my $unsearchable = qr/^42883: could not identify an equality operator for type encrypted.* \/ To compare opened values row by row.*To search, change its type to encrypted\(k, (text|numeric), searchable\)/;
my $other = qr/^42883: operator does not exist: encrypted\(.*\) = encrypted\(.*\) \/ To compare opened values row by row/;
my $unbound = qr/^42P18: could not determine the encryption key of a comparison \/ Cast one side/;
my @refused = (
	map({ [ $order, $_ ] } 'SELECT id FROM a ORDER BY t', 'SELECT id FROM a ORDER BY k, t DESC LIMIT 1', 'SELECT rank() OVER (ORDER BY t) FROM a',
		'SELECT sum(k) OVER (PARTITION BY t ORDER BY n) FROM a', 'SELECT array_agg(id ORDER BY t) FROM a',
		'SELECT string_agg(t::text, $$,$$ ORDER BY t) FROM a',
		'SELECT mode() WITHIN GROUP (ORDER BY t) FROM a', 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM a',
			'SELECT DISTINCT ON (t) id FROM a ORDER BY t', 'SELECT id FROM va ORDER BY dom', 'SELECT id FROM co ORDER BY c',
			'SELECT id FROM co ORDER BY ts', 'SELECT id FROM (SELECT * FROM a ORDER BY t) s', 'SELECT t FROM a UNION SELECT t FROM b ORDER BY 1',
		'SELECT id FROM a WHERE GREATEST(t, dom) IS NULL', 'SELECT id FROM co WHERE c < c',
			'SELECT row_number() OVER w FROM a WINDOW w AS (ORDER BY u)', 'SELECT id FROM b ORDER BY b', 'SELECT id FROM a ORDER BY o'),
	map({ [ qr/^42883: (operator|function) .* does not exist|^42883: operator does not exist/, $_ ] } q(SELECT id FROM a WHERE t < 'a'),
		q(SELECT id FROM a WHERE t >= 'a'::text), q(SELECT id FROM a WHERE t LIKE 'a%'), q(SELECT id FROM a WHERE t ~ 'a'),
		q(SELECT id FROM a WHERE t BETWEEN 'a' AND 'b'), 'SELECT max(t) FROM a', 'SELECT min(n) FROM a', 'SELECT sum(n) FROM a',
		'SELECT n + 1 FROM a', q(SELECT j -> 'a' FROM a), q(SELECT length(t) FROM a)),
	map({ [ $operator, $_ ] } 'SELECT id FROM a WHERE t = 5', 'SELECT id FROM a WHERE n = true', q(SELECT id FROM a WHERE n = 'x'::text),
		q(SELECT id FROM a WHERE d = '2026-01-01 00:00'::timestamp), q(SELECT id FROM a WHERE t IN (1, 2)), q(SELECT id FROM a WHERE u = 'x'::text),
		'SELECT a.id FROM a JOIN p ON a.t = p.n', 'SELECT id FROM a WHERE t = ANY (ARRAY[1, 2])'),
	map({ [ $unsearchable, $_ ] } q(SELECT id FROM a WHERE o = 'a'), q(SELECT id FROM a WHERE 'a'::text = o), q(SELECT id FROM a WHERE o <> 'a'),
		q(SELECT id FROM a WHERE o IN ('a', 'b')), 'SELECT id FROM a WHERE og = 1', 'SELECT x.id FROM a x JOIN a y ON x.o = y.o',
		'SELECT count(*) FROM a GROUP BY o', 'SELECT DISTINCT og FROM a', 'SELECT count(DISTINCT o) FROM a', 'SELECT o FROM a UNION SELECT o FROM a',
		'SELECT o FROM a EXCEPT SELECT o FROM a', 'SELECT count(*) OVER (PARTITION BY o) FROM a', 'SELECT id FROM a WHERE o IN (SELECT o FROM a)',
			q(SELECT id FROM a WHERE o IS DISTINCT FROM 'a'), q(SELECT id FROM a WHERE NULLIF(o, 'a') IS NULL),
			q(SELECT CASE o WHEN 'a' THEN 1 END FROM a), 'SELECT count(*) FROM (SELECT DISTINCT a FROM a) s',
			q(PREPARE q AS SELECT id FROM a WHERE o = $1; EXECUTE q('a'))),
	map({ [ $other, $_ ] } 'SELECT t FROM a UNION SELECT t FROM k2t', 'SELECT a.id FROM a JOIN k2t ON a.t = k2t.t',
		'SELECT id FROM a WHERE t IN (SELECT t FROM k2t)', 'SELECT id FROM a WHERE t = n', 'SELECT id FROM a WHERE i = n',
		'SELECT x.id FROM a x JOIN a y ON x.i = y.i4', 'SELECT id FROM a WHERE t IS DISTINCT FROM (SELECT t FROM k2t LIMIT 1)',
		'SELECT a.id FROM a NATURAL JOIN k2t', q(SELECT id FROM a WHERE t = 'x'::text::encrypted(k2, text, searchable))),
	map({ [ $unbound, $_ ] } 'SELECT a_value(1) = a_value(2)', q(SELECT a_value(1) = 'a'), 'SELECT count(*) FROM a GROUP BY a_value(id)',
		'SELECT DISTINCT a_value(id) FROM a', 'SELECT count(DISTINCT a_value(id)) FROM a', q(SELECT 'a'::encrypted = 'b'::encrypted)),
	map({ [ $operator, $_ ] } 'SELECT id FROM a WHERE n = 1::float8', q(SELECT id FROM a WHERE d = '2026-01-01'::timestamptz)),
		[ qr/^42804: collations are not supported by type encrypted/, 'SELECT id FROM a WHERE t COLLATE "C" = t' ],
	map({ [ $unbound, $_ ] } q(SELECT t FROM a UNION SELECT 'x'), q(SELECT count(*) FROM a GROUP BY COALESCE(t, 'x'))),
		[ qr/^42P17: functions in index predicate must be marked IMMUTABLE/, q(RESET ROLE; CREATE INDEX ON a (id) WHERE t = 'a'::text) ],
	[ qr/^42804: JOIN\/USING types encrypted and text cannot be matched/, 'SELECT a.id FROM a JOIN p USING (t)' ],
		[ qr/^42804: argument of WHERE must be type boolean, not type encrypted/, 'SELECT id FROM a WHERE f' ],
	[ qr/^0A000: nondeterministic collations are not supported for encrypted columns \/ Compare opened values/,
		q(CREATE COLLATION pg_temp.ci (provider = icu, locale = 'und', deterministic = false); SELECT id FROM a WHERE t = 'a'::text COLLATE pg_temp.ci) ],
	map({ [ qr/^0A000: column "(t|o)" is not searchable and cannot be used in (an index or key|a partition key) \/ Its type must be encrypted\(k, text, searchable\)/,
		"RESET ROLE; $_" ] } 'CREATE INDEX ON a (o)', 'CREATE INDEX ON a USING hash (o)',
		'CREATE TABLE x (t @-text@ UNIQUE)', 'CREATE TABLE x (t @-text@, EXCLUDE USING hash (t WITH =))',
			'CREATE TABLE x (t @-text@) PARTITION BY HASH (t)', 'CREATE TABLE x (t @-text@) PARTITION BY LIST (t)'),
	[ qr/^42P17: encrypted columns cannot be partitioned by range \/ Partition a searchable column by HASH or LIST/,
		'RESET ROLE; CREATE TABLE x (t @text@) PARTITION BY RANGE (t)' ],
	map({ [ qr/^42804: foreign key constraint .* cannot be implemented \/ Both must have the same key and plaintext type, and be searchable/,
		"RESET ROLE; CREATE TABLE x (t $_ REFERENCES uq (t))" ] } 'encrypted(k2, text, searchable)', '@numeric@', '@-text@'),
	[ qr/^42804: foreign key constraint/, 'RESET ROLE; CREATE TABLE x (t text REFERENCES uq (t))' ], [ qr/^0A000: .* \/ Use jsonb/,
		'RESET ROLE; CREATE TABLE x (j encrypted(k, json, searchable))' ],
	map({ [ qr/^0A000: foreign key constraint .* cannot be implemented \/ Use ON UPDATE CASCADE or NO ACTION/,
		"RESET ROLE; CREATE TABLE x (t \@text\@ REFERENCES uq (t) ON UPDATE $_)" ] } 'SET NULL', 'SET DEFAULT'));
for my $case (@refused)
{
	like(session('SET ROLE regress_twin', $case->[1]), $case->[0], "refused: $case->[1]");
}
like(session('SET ROLE regress_twin', "SELECT 1 FROM a WHERE t = 'a' LIMIT 1"), qr/^1?$/, 'control: what is allowed is no error');
done_testing();
