# Goal of this test: what newer versions of PostgreSQL do with equality answers as
# on a plain twin, or is refused: index scans that skip or sort what they look for
# (17, 18), ORs that become one condition, RETURNING of old and new rows,
# functions that sort, virtual columns, keys without overlaps, and
# statistics in dumps.
use strict;
use warnings;
use ThemisTwin;
use PostgreSQL::Test::Utils ();
use Test::More;

my $twin = ThemisTwin->new(extra => <<'END');
CREATE TABLE multi (id int, x @int4@, y @text@, k int);
INSERT INTO multi SELECT i, CASE WHEN i % 11 <> 0 THEN i % 5 END, CASE WHEN i % 13 <> 0 THEN 'y' || i % 7 END, i % 400 FROM generate_series(1, 4000) AS i;
CREATE INDEX ON multi (x, k);
CREATE INDEX ON multi (y, x, k);
CREATE INDEX ON multi (k, y);
CREATE TABLE target (t @text@ UNIQUE NOT NULL, n @numeric@, k int);
INSERT INTO target SELECT 'v' || i, i, i FROM generate_series(1, 20) AS i;
END
my $node = $twin->node;
my $version = $node->pg_version;

sub since
{
	my ($first, $what) = @_;
	return 1 if $version >= $first;
	SKIP: { skip "$what: PostgreSQL $first or newer", 1 }
	return 0;
}

# What statements in the sealed schema return, with their errors.
sub session
{
	my $sql = join '', map { $twin->for_schema('sealed', $_) . "\n" }
		'\\set VERBOSITY verbose', 'SET search_path = sealed, public;', 'SET ROLE regress_twin;', @_;
	my ($code, $out, $err) = $node->psql('postgres', $sql, on_error_stop => 0);
	return $out . $err;
}

# --- an index of several columns, by any part of it --------------------------------

my $serial = ['enable_seqscan = off', 'enable_bitmapscan = off'];
my @conditions = (
	'k = 7', 'k IN (7, 3, 3, NULL, 399, 5000)', 'k BETWEEN 5 AND 9', 'x = 2 AND k = 7', 'x IN (4, 1, 1, NULL, 77) AND k < 20',
	"x = ANY ('{4,1,1,NULL,77}'::int8[]) AND k IN (1, 2, 3)", "x = ANY ('{}'::int8[])", "x = ANY ('{NULL}'::int4[])",
	"x IN (1, 2, 3) AND x = ANY ('{2,3,9}'::int4[])", "x = 2 AND x = ANY ('{3,4}'::int4[])", 'x IS NULL AND k > 390', 'x IS NOT NULL AND k = 7',
	"y = 'y3' AND k = 7", "y IN ('y1', 'y1', NULL, 'y6', 'no') AND x = 3", "y = ANY ('{y5,y1,y5,NULL}'::text[]) AND x = ANY ('{1,1,NULL,3}'::int4[]) AND k < 50",
	"y = 'y1' OR y = 'y2' OR y = 'y1'", "y = 'y1' OR y = 'y2'::text OR y IS NULL", "(y = 'y1' OR y = 'y2') AND k = 7", 'x = 1 OR x = 2.5 OR x = 3::int8',
	"y IN (VALUES ('y1'), ('y2'), ('y1'))", 'x IN (VALUES (1::int8), (3), (NULL))', "(y, x) IN (VALUES ('y1', 1), ('y2', 2))",
	'x <> ALL (ARRAY[1, 2, 2])', 'x NOT IN (1, 2, NULL)', 'k = 7 AND x <> 3');
$twin->add($serial, "SELECT id FROM multi WHERE $_") for @conditions;
$twin->add("SELECT id FROM multi WHERE $_") for @conditions;
$twin->add($serial, "SELECT count(*), max(id) FROM multi WHERE $_ GROUP BY y, x") for @conditions;
$twin->add($serial, 'SELECT count(*) FROM (SELECT DISTINCT y, x FROM multi) AS s');
$twin->add($serial, "SELECT p.id, m.id FROM p JOIN multi m ON (m.y = p.t OR m.y = 'y1') AND m.k = p.id");
for my $mode ('force_custom_plan', 'force_generic_plan')
{
	$twin->add([ @$serial, "plan_cache_mode = $mode" ], q{PREPARE q(text, text) AS SELECT id FROM multi WHERE y = $1 OR y = $2 OR y = 'y3'},
		q{EXECUTE q('y1', 'y2')}, q{EXECUTE q('y1', NULL)});
	$twin->add([ @$serial, "plan_cache_mode = $mode" ], q{PREPARE q(text) AS SELECT id FROM multi WHERE y IN (VALUES ($1), ('y3'))}, q{EXECUTE q('y1')});
}
# self-joins on something unique, which 18 removes
$twin->add("SELECT a.k FROM target a JOIN target b ON a.t = b.t WHERE $_")
	for 'b.k = 3', "b.n IN (3, 4)", "a.t = 'v1' AND b.t = 'v2'", "a.t = 'v1' AND b.k = 1", 'a.n IS DISTINCT FROM 4 AND b.k < 9';
$twin->add('SELECT a.k FROM target a WHERE EXISTS (SELECT FROM target b WHERE a.t = b.t AND b.n = 3)');
$twin->compare('indexes of several columns, and joins of a table with itself');

if (since(18, 'plans that skip the first column'))
{
	like(session("SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN (COSTS OFF) SELECT k FROM multi WHERE $_->[0];"),
		$_->[1], "plan: $_->[0]")
		for [ 'x IS NOT NULL AND k IN (7, 8)', qr/Index Cond: .*k = ANY/ ], [ "y = 'y1' OR y = 'y2'", qr/Index Cond: \(y = ANY \(ARRAY/ ],
		[ 'x = 1 OR x = 2::int8', qr/Index Cond: \(x = ANY \(ARRAY/ ], [ "y IN (VALUES ('y1'), ('y2'))", qr/Index Cond: \(y = ANY/ ];
}

# --- MERGE and RETURNING ------------------------------------------------------------

my $source = "(VALUES ('v3', 33), ('v4', 44), ('new', 55)) AS s (t, k)";
if (since(17, 'MERGE with RETURNING'))
{
	$twin->add($_) for
		"MERGE INTO target USING $source ON target.t = s.t WHEN MATCHED THEN UPDATE SET k = s.k WHEN NOT MATCHED THEN INSERT VALUES (s.t, s.k, s.k)"
		. " RETURNING merge_action(), target.t::text, target.t = 'v3', target.t IN ('v4', 'new'), target.n = s.k, target.t IS DISTINCT FROM 'new'",
		"MERGE INTO target USING $source ON target.t = s.t WHEN MATCHED AND target.t IN ('v3', 'v9') THEN DELETE"
		. " WHEN NOT MATCHED BY SOURCE AND target.n IN (7, 8) THEN UPDATE SET t = 'was ' || target.t::text RETURNING merge_action(), target.t::text",
		"WITH m AS (MERGE INTO target USING $source ON target.t = s.t WHEN MATCHED THEN UPDATE SET n = s.k RETURNING target.*)"
		. " SELECT m.t = 'v3', a.k FROM m JOIN target a ON a.t = m.t WHERE m.n IN (33, 44)";
	$twin->add($_) for
		q{SELECT a.k FROM target a JOIN JSON_TABLE('["v3", "v4", "v3", null]'::jsonb, '$[*]' COLUMNS (t @text@ PATH '$')) j ON a.t = j.t},
		q{SELECT k FROM target WHERE t = JSON_VALUE('{"a": "v3"}'::jsonb, '$.a')},
		q{SELECT k FROM target WHERE t = JSON_VALUE('{"a": "v3"}'::jsonb, '$.a' RETURNING @text@)};
	$twin->compare('MERGE with RETURNING, JSON_TABLE');
	my $said = session('CREATE TEMP TABLE input (id int, n @int4@);', 'COPY input FROM stdin (ON_ERROR ignore, LOG_VERBOSITY verbose);',
		"1\tplaintext that is no number", 'x', "\\.", "SELECT pg_input_is_valid('plaintext too', '\@int4\@');",
		q{SELECT JSON_VALUE('"plaintext as well"'::jsonb, '$' RETURNING @int4@ DEFAULT 7 ON ERROR);});
	is(() = $said =~ /ERROR:  22P02: invalid value for type integer/g, 3, 'input that does not fit is an error even where errors are to be ignored');
	unlike($said, qr/plaintext/, 'and is not shown');
	is(session(q{BEGIN; CREATE FUNCTION f() RETURNS text RETURN JSON_VALUE(NULL::jsonb, '$.a' RETURNING @text@)::text;},
			q{SELECT srvname FROM pg_depend JOIN pg_foreign_server s ON refobjid = s.oid WHERE objid = 'f'::regproc;}),
		'k', 'a function depends on the key that it names');
}
if (since(18, 'RETURNING of old and new rows'))
{
	my $returning = "RETURNING old.t = new.t, old.t = 'v3', new.t IN ('v3', 'x'), old.n IS NOT DISTINCT FROM new.n, NULLIF(old.t, 'v3')::text, new.t::text";
	$twin->add($_) for "UPDATE target SET t = 'x' WHERE n = 3 $returning", "UPDATE target SET t = t, n = n + 1 WHERE k < 4 $returning" =~ s/n \+ 1/n::numeric + 1/r,
		"INSERT INTO target VALUES ('v3', 1, 1) ON CONFLICT (t) DO UPDATE SET n = 4 $returning", "DELETE FROM target WHERE t IN ('v3', 'v4') $returning",
		"UPDATE target a SET k = b.k + 1 FROM target b WHERE a.t = b.t AND b.n = 3 RETURNING a.k, old.t = b.t, new.t = b.t",
		"MERGE INTO target USING $source ON target.t = s.t WHEN MATCHED THEN UPDATE SET t = 'w' || s.k WHEN NOT MATCHED BY SOURCE AND n = 1 THEN DELETE"
		. " WHEN NOT MATCHED BY TARGET THEN INSERT VALUES (s.t, 0, 0) $returning";
	$twin->compare('RETURNING of old and new rows');
}

# --- what is refused ----------------------------------------------------------------

sub refused
{
	my ($sql, $state, $message) = @_;
	like(session("$sql;"), qr/ERROR:  $state: $message/, "refused: $sql");
	return;
}

my @order = ('42883', 'could not identify an ordering operator for type encrypted');
refused($_, @order) for 'SELECT btarraycmp(ts, ts) FROM co', 'SELECT btrecordcmp(ROW(t), ROW(t)) FROM a';
if (since(18, 'array_sort(), max(record)'))
{
	refused($_, @order) for 'SELECT array_sort(ts) FROM co', 'SELECT array_sort(ts, true) FROM co', 'SELECT array_sort(ts, true, false) FROM co',
		'SELECT max(ROW(t)) FROM a', 'SELECT min(c) FROM co', 'SELECT max(uq) FROM uq';
	is(session("SELECT DISTINCT array_reverse(ts)::text[] FROM co WHERE array_length(ts, 1) = 2 AND ts[1] = 'a' AND ts[2] = 'b';"), '{b,a}',
		'what does not sort may turn arrays around');
	refused("CREATE TEMP TABLE v (t \@text\@, g $_ VIRTUAL)", '0A000|42P17', '.*(user-defined|not immutable)')
		for '@text@ GENERATED ALWAYS AS (t)', 'text GENERATED ALWAYS AS (t::text)', q{bool GENERATED ALWAYS AS (t = 'a'::text)}, 'bool GENERATED ALWAYS AS (t = t)';
	refused('CREATE TEMP TABLE o (t @text@, d daterange, PRIMARY KEY (t, d WITHOUT OVERLAPS))', '42704', '.*no default operator class for access method "gist"');
	refused('CREATE TABLE o (t @-text@ REFERENCES target (t) NOT ENFORCED)', '42804', 'foreign key constraint "o_t_fkey" cannot be implemented');
}

# --- statistics ---------------------------------------------------------------------

if (since(18, 'statistics in dumps'))
{
	my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
	my $frequencies = q{SELECT attname, most_common_freqs FROM pg_stats WHERE tablename = 'a' AND schemaname = 'sealed' AND most_common_vals::text LIKE '%tc1:%' ORDER BY 1};
	my $before = $node->safe_psql('postgres', $frequencies);
	like($before, qr/^z\|/m, 'most-common values are kept');
	$node->command_ok([ 'pg_dump', '--statistics', '-Fc', '-f', $dump, '-d', $node->connstr('postgres') ], 'a dump with statistics');
	$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE template0") for 'restored';
	{
		local $ENV{PGOPTIONS} = '-c themis_crypt.restore=on';
		$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('restored'), $dump ], 'is restored');
	}
	is($node->safe_psql('restored', $frequencies), $before, 'with the same sealed values');
	is($node->safe_psql('restored', q{SET ROLE regress_twin; SELECT count(*) FROM sealed.a WHERE z = 'z1'}),
		$node->safe_psql('postgres', q{SET ROLE regress_twin; SELECT count(*) FROM sealed.a WHERE z = 'z1'}), 'and the table answers');
	$node->command_fails_like([ 'pg_restore', '--statistics-only', '-e', '-d', $node->connstr('restored'), $dump ],
		qr/sealed value is not accepted as input/, 'not without themis_crypt.restore');
}
done_testing();
