# Goal of this test: queries on searchable columns answer as on a plain twin of
# the tables.  Hundreds of queries are made from a seed: every form of comparison
# on every type, grouping, set operations, and joins by every method.
use strict;
use warnings;
use ThemisTwin;
use Test::More;

my $twin = ThemisTwin->new;
my @columns = sort keys %{ $twin->{columns} };

sub ids { return "SELECT id FROM a WHERE $_[0]" }

# A column beside literals, plaintexts, and lists of them.
for my $c (@columns)
{
	my $type = $twin->type($c);
	my $l = sub { return $twin->literal($c) };
	my $ls = sub { return $twin->literals($c, @_) };
	my $t = sub { return $twin->typed($c) };
	my $array = sub { return "ARRAY[" . $ls->($_[0]) . "]::$type\[]" };

	$twin->add(ids($_)) for
		map({ "$c = $_" } $l->(), $l->(), $l->(), $t->(), $t->(), 'NULL', "NULL::$type", '(SELECT ' . $t->() . ')'), map({ "$_ = $c" } $l->(),
			$t->()),
		"$c <> " . $l->(), $l->() . " <> $c", "$c <> " . $t->(), $t->() . " != $c", "NOT $c = " . $l->(), "NOT $c <> " . $t->(),
		"$c IS NULL", "$c IS NOT NULL", "$c = $c", "$c <> $c",
		"$c IN (" . $ls->(1) . ')', "$c IN (" . $ls->(3) . ')', "$c IN (" . $ls->(12) . ')', "$c IN (" . $ls->(3, "::$type") . ')',
		"$c IN (" . $ls->(11, "::$type") . ')', "$c NOT IN (" . $ls->(3) . ')', "$c NOT IN (" . $ls->(12) . ')',
		"$c IN (NULL, " . $ls->(2) . ')', "$c NOT IN (NULL, " . $ls->(2) . ')', "$c NOT IN (NULL, " . $ls->(10) . ')',
		"$c IN ($c, " . $ls->(2) . ')', "$c IN ((SELECT min(k) FROM a WHERE false)::text::$type, " . $ls->(2) . ')',
		$t->() . " IN ($c, " . $t->() . ')', $l->() . " IN ($c, $c)",
		map({ ("$c = ANY (" . $array->($_) . ')', "$c <> ALL (" . $array->($_) . ')') } 0, 2, 12),
		"$c = ANY (" . $twin->array_literal($c, 3) . ')', $t->() . " = ANY (ARRAY[$c, NULL])", "$c <> ALL (" . $twin->array_literal($c, 11) . ')',
		"$c <> ANY (" . $array->(2) . ')', "$c = ALL (" . $array->(1) . ')', "$c = ANY (NULL::$type\[])", "$c = ANY (" . $array->(3) . " || NULL)",
		map({ ("$c IS DISTINCT FROM $_", "$c IS NOT DISTINCT FROM $_", "$_ IS DISTINCT FROM $c") } $l->(), $t->(), 'NULL', "NULL::$type"),
		"NULLIF($c, " . $l->() . ') IS NULL', "NULLIF($c, " . $t->() . ') IS NULL', 'NULLIF(' . $l->() . ", $c) IS NULL",
		'NULLIF(' . $t->() . ", $c) IS NULL",
		"NULLIF($c, " . $l->() . ') = ' . $l->(), "CASE $c WHEN " . $l->() . ' THEN true WHEN ' . $t->() . ' THEN k > 10 ELSE id < 20 END',
		"CASE WHEN $c = " . $l->() . ' THEN k ELSE id END = 3', "COALESCE($c, " . $l->() . ') = ' . $l->(), "COALESCE($c = " . $t->() . ', true)',
		"$c = " . $l->() . " OR $c = " . $t->() . ' OR id < 5', "$c = " . $l->() . ' AND k < 10', "($c = " . $l->() . ') IS NOT TRUE',
		"($c = " . $t->() . ') IS UNKNOWN',
		"($c, k) = (" . $l->() . ', 3)', "($c, k) <> (" . $l->() . ', 3)', "($c, k) IN ((" . $l->() . ', 3), (' . $l->() . ', 4))',
		"($c, k) IN (SELECT " . $t->() . ', generate_series(1, 5))', "ROW($c, k) IS DISTINCT FROM ROW(" . $l->() . ', 3)',
		"EXISTS (SELECT FROM b WHERE b.id = a.k AND a.$c = " . $l->() . ')', "$c IN (VALUES (" . join('), (', map { $t->() } 1 .. 3) . '))',
		"$c NOT IN (VALUES (" . join('), (', map { $t->() } 1 .. 3) . '))', "$c = ANY (SELECT unnest(" . $array->(3) . '))',
		"$c = (SELECT x.$c FROM a x WHERE x.id = " . int(rand 100) . ')', "$c IN (SELECT x.$c FROM a x WHERE x.id < 5)";

	# in target lists, aggregates and groups
	my $is = $l->();
	$twin->add($_) for
		"SELECT id, $c = $is, $c <> $is, $c IN (" . $ls->(2) . ") FROM a", "SELECT count(*) FILTER (WHERE $c = $is), bool_or($c = $is) FROM a",
		"SELECT k, count(*) FROM a GROUP BY k HAVING bool_or($c = $is)", "SELECT count(*), min(id) FROM a GROUP BY $c HAVING $c = $is",
		"SELECT count(*) FROM a GROUP BY $c = $is", "SELECT count(DISTINCT $c), count($c) FROM a", "SELECT k, count(DISTINCT $c) FROM a GROUP BY k",
		"SELECT count(*) FROM (SELECT DISTINCT $c FROM a) s", "SELECT count(*) FROM (SELECT DISTINCT ON ($c) $c, id FROM a) s",
		"SELECT id, count(*) OVER (PARTITION BY $c), min(id) OVER (PARTITION BY $c, k) FROM a",
		"SELECT min(id), count(*), grouping($c, k) FROM a GROUP BY GROUPING SETS (($c), (k), ($c, k), ())",
		"SELECT min(id), count(*) FROM a GROUP BY CUBE ($c, k)";

	# PostgreSQL 18 keeps grouped expressions away from where they are used
	my $case = "CASE WHEN a.k > 5 THEN a.$c END";
	$twin->add($_) for
		"SELECT min(id), count(*), $case IN (" . $ls->(3, "::$type") . ") FROM a GROUP BY $case",
		"SELECT min(id) FROM a GROUP BY $case HAVING $case IN (" . $ls->(3) . ") OR $case IS DISTINCT FROM $is",
		"SELECT min(id) FROM a GROUP BY $case HAVING EXISTS (SELECT FROM b WHERE b.$c = $case)",
		"SELECT min(id), grouping($case) FROM a GROUP BY ROLLUP ($case)",
		"SELECT count(*) FROM (SELECT $case FROM a GROUP BY 1 UNION SELECT $c FROM b GROUP BY 1) s";
	$twin->add($_, "SELECT min(id), count(*) FROM a GROUP BY $c", "SELECT min(id), count(*) FROM a GROUP BY $c, k",
		"SELECT count(*) FROM (SELECT DISTINCT $c, k FROM a) s",
		map { my $op = $_; "SELECT count(*) FROM (SELECT $c FROM a WHERE id < 400 $op SELECT $c FROM a WHERE id > 300) s" }
			'UNION', 'INTERSECT', 'EXCEPT', 'UNION ALL', 'INTERSECT ALL', 'EXCEPT ALL')
		for ['enable_hashagg = off'], ['enable_sort = off'];

	# parameters, in plans made for their values and for all
	for my $mode ('force_custom_plan', 'force_generic_plan')
	{
		my $set = ["plan_cache_mode = $mode"];
		$twin->add($set, "PREPARE q AS SELECT id FROM a WHERE $c = \$1", map { "EXECUTE q($_)" } $l->(), $l->(), 'NULL');
		$twin->add($set, "PREPARE q($type) AS SELECT id FROM a WHERE $c = \$1", map { "EXECUTE q($_)" } $l->(), $l->(), 'NULL');
		$twin->add($set, "PREPARE q($type) AS SELECT id FROM a WHERE \$1 <> $c", 'EXECUTE q(' . $l->() . ')');
		$twin->add($set, "PREPARE q AS SELECT id FROM a WHERE $c IN (\$1, \$2)", 'EXECUTE q(' . $ls->(2) . ')');
		$twin->add($set, "PREPARE q($type\[]) AS SELECT id FROM a WHERE $c = ANY (\$1)", map { 'EXECUTE q(' . $array->($_) . ')' } 0, 2, 12);
		$twin->add($set, "PREPARE q AS SELECT id FROM a WHERE $c = ANY (\$1)", map { "EXECUTE q($_)" } $twin->array_literal($c, 3),
			$twin->array_literal($c, 12), $array->(2), $array->(11), "'{}'", 'NULL');
		$twin->add($set, "PREPARE q($type\[]) AS SELECT id FROM a WHERE $c <> ALL (\$1)", 'EXECUTE q(' . $array->(11) . ')');
		$twin->add($set, "PREPARE q AS SELECT id FROM a WHERE $c IS NOT DISTINCT FROM \$1", map { "EXECUTE q($_)" } $l->(), 'NULL');
		$twin->add($set, "PREPARE q AS SELECT id FROM a WHERE ($c, k) = (\$1, \$2) OR NULLIF($c, \$3) IS NULL",
			'EXECUTE q(' . $l->() . ', 3, ' . $l->() . ')');
	}
}
$twin->compare('comparisons and groups of every type');

# Values of other types, which PostgreSQL compares with them.
$twin->add(ids($_)) for
	map({ ("t = $_\::varchar", "$_\::varchar(20) = t", "t = $_\::name", "t IN ($_\::varchar, 'a'::text)",
	"dom = $_\::varchar") } map { $twin->literal('t') } 1 .. 4),
	map({ ("t = $_\::bpchar", "t <> $_\::char(5)") } "'ä'", "'ss'"), "t = ANY ('{a,A,ä}')", "t = ANY ('{a,A,NULL}'::varchar[])",
	"t = ANY (string_to_array('a,ß', ','))", "dom = t", "t = dom", "dom <> t",
	map({ ("n = $_", "$_ = n", "n <> $_") } '1', '1::int2', '100::int8', '1.0', '0'), map({ ("i = $_", "i <> $_", "$_ = i") } '1', '32767::int2',
	'100.0', '100.5', '9223372036854775808'),
	map({ ("i4 = $_", "i4 <> $_") } '1::int2', '1::int8', '2147483648', '1.00', '1.5'), map({ ("i2 = $_", "i2 <> $_") } '1', '100000', '100::int8',
	'1.0'),
	"i4 IN (1, 2147483648)", "i4 = ANY ('{1,100,3000000000}'::int8[])", "n IN (1, 100::int8, 0.1)", "n = ANY ('{1,100}'::int[])",
	"ts = '2026-11-01'::date", "ts = '2026-11-01 12:00'::timestamp", "d = current_date", "iv = '24 hours'::interval", "ip = '127.0.0.0/8'::cidr",
	"f = true", "NOT f = true", "f IS NOT DISTINCT FROM true", "f <> (k > 3)", "f::bool",
	"f = 'yes'", "f = 't'", "d = 'today'", "d = '2026-1-7'", "d = 'Jan 7, 2026'", "n = ' 1.00 '", "n = '1e2'", "u = upper(u::text)::uuid",
	"u = '{00000000000000000000000000000000}'", "b = '\\000'", "j = '{ \"b\":2,\"a\":1 }'", "iv = 'P1D'", "iv = '1440 min'",
	"ts = '2026-11-01 13:00+01'", "ip = '127.0.0.1/32'", "i = ' 1 '", "i = '0001'",
	"t = ANY ('{{a,b},{A,ä}}'::text[])", "t = ANY (ARRAY[t, dom])", "t IN (t, dom, 'a')", "dom IN (t, 'a')", "'a' IN (t, dom)",
	"t = ANY (ARRAY[dom, NULL])", "t <> ALL (SELECT t FROM b WHERE t IS NOT NULL)", "t = ALL (SELECT t FROM b WHERE id < 2)",
	"i = ANY (ARRAY[1, 100, k])", "n IN (1, 2.5, 100::int8, k)",
	"COALESCE(t, dom, 'x') = 'x'", "COALESCE(NULL, t) = 'a'", "CASE WHEN k > 3 THEN 'a' WHEN k > 1 THEN dom ELSE t END = 'a'",
	"CASE WHEN k > 3 THEN t END IN ('a', 'A')", "NULLIF(dom, t) = 'a'", "NULLIF(NULLIF(t, 'a'), 'A') IS NULL",
	"(CASE WHEN f = true THEN t ELSE NULL END) IS NOT DISTINCT FROM 'a'",
	"(t, n) = ('a'::text, 1)", "(t, n, k) IN (('a'::text, 1, 3), ('ä'::text, 2.0, 4))", "('a'::text, 3) = (t, k)",
		"(t, n) <> ('a'::text, 1::numeric)",
	"(t, i) IN (SELECT t, i4 FROM p)", "(t, k) NOT IN (SELECT v, i4 FROM p WHERE v IS NOT NULL AND i4 IS NOT NULL)",
	"f = (k > 10)", "k::text = 'a' OR t = k::text", "t = lower('A')", "t = upper(t::text)", "t = k::text", "n = k", "n = k + 0.5", "i = id",
		"id = i4",
	"n = id::numeric AND i = k",
	"o::text = 'a'", "t = o::text", "o IS NULL", "COALESCE(t, 'x') = COALESCE(dom, 'x')", "CASE WHEN k > 10 THEN t ELSE dom END = 'a'";

# Opened values, which are searched by tokens where that is the same.
$twin->add(ids($_)) for
	map({ my $x = $_; map { ("$_ = $x", "$x = $_", "$_ <> $x", "$_ IN ($x, 'A', 'ä')",
		"$_ IS NOT DISTINCT FROM $x") } qw(t::text t::varchar t::varchar(1) t::char(2) t::name dom::text l::text z::text) } "'a'", "'ä'::text",
		"'ss'::varchar", "''"),
	map({ my $x = $_; map { ("$_ = $x", "$x = $_", "$_ <> $x", "$_ IN ($x, 0)") } ('n::numeric', 'i4::numeric(20,0)', 'i2::numeric(9,1)', 'i::int8',
		'i::numeric', 'i4::int4', 'i4::int8', 'i2::int2', 'i2::int4', 'i4::numeric') } '1', "'1'", '0.10', '100::int8', '32767::int2',
		'12345678901234567890.1'),
	map({ "$_ = 1" } 'i4::float8', 'i2::float4', 'i::text::numeric'), "CASE WHEN n NOT IN ('Infinity', '-Infinity') THEN n::numeric(30,1) = 0.1 END",
	"CASE WHEN n NOT IN ('Infinity', '-Infinity') THEN n::numeric(30,0) IN (1, 100) END", "n::text = '1.0'", "n::text = '1'", "i::text = '1'", "f::bool = true",
		"f::text = 'true'", "f::bool", "NOT f::bool",
	"d::date = '2026-01-07'", "d::timestamp = '2026-01-07'", "d::date = timestamp '2026-01-07 00:00'", "d::date = timestamp '2026-01-07 12:00'",
		"d::text = '2026-01-07'", "ts::date = '2026-11-01'", "ts::timestamptz = '2026-11-01'::date", "ts::timestamptz(0) = '2026-11-01 12:00+00'",
	"ti::time(0) = '12:34:57'", "ti::time = '12:34:56.789'", "iv::interval = '1 mon'", "iv::text = '30 days'", "iv::interval hour = '1 hour'",
		"iv::interval(0) = '1 hour'", "j::jsonb = '1'", "j::text = '1.0'", "j::jsonb = '{\"a\": 1.0, \"b\": 2}'", "j::jsonb -> 'a' = '1'",
	"b::bytea = '\\x00'", "b::text = '\\x00'", "u::uuid = '00000000-0000-0000-0000-000000000000'", "u::text = '00000000-0000-0000-0000-000000000000'",
		"ip::inet = '127.0.0.0/8'", "ip::text = '127.0.0.1/32'", "t::text = dom::text", "t::text = t", "dom = t::text", "n::numeric = i",
		"i::int8 = n::numeric", "i4::int8 = i",
	"t::text LIKE 'a'", "t::text COLLATE \"C\" = 'a'", "lower(t::text) = 'a'", "t::text || '' = 'a'", "COALESCE(t::text, 'x') = 'x'",
		"NULLIF(t::text, 'a') IS NULL", "CASE t::text WHEN 'a' THEN true END", "(t::text, k) = ('a', 3)",
		"(t::text, n::numeric) IN (('a', 1), ('ä', 0.1))", "t::text = ANY ('{a,A}')", "t::text <> ALL ('{a,A,NULL}')",
		"n::numeric = ANY ('{1.00,0.1}')", "t::text::varchar(1) = 'a'", "t::text BETWEEN 'a' AND 'a'";
$twin->add("SELECT $_") for "a.id, b.id FROM a JOIN b ON a.t::text = b.t::text", "a.id, p.id FROM a JOIN p ON a.t::text = p.t",
	"a.id, p.id FROM a JOIN p ON a.t::text = p.c", "a.id, p.id FROM a JOIN p ON a.n::numeric = p.i4",
	"a.id, b.id FROM a JOIN b ON a.i::int8 = b.n::numeric",
	"id FROM a WHERE t::text IN (SELECT v FROM p)", "count(*) FROM a GROUP BY t::text", "count(*) FROM a GROUP BY n::numeric",
		"count(*) FROM a WHERE n IN (0, 1) GROUP BY n::numeric::int8", "DISTINCT t::text FROM a",
		"id FROM a WHERE t::text = (SELECT t::text FROM a WHERE id = 5)", "count(*) FROM a, b WHERE a.t::text = b.t AND a.id < 100";
for my $mode ('force_custom_plan', 'force_generic_plan')
{
	$twin->add(["plan_cache_mode = $mode"], "PREPARE q AS SELECT id FROM a WHERE t::text = \$1 OR n::numeric = \$2 OR i::int8 = \$3",
		"EXECUTE q('a', 1.0, 1)", "EXECUTE q(NULL, NULL, 100)");
}
$twin->compare('opened values');

# Joins of tables, by each method.
my @methods = map { my $on = $_; [ map({ "enable_$_ = " . ($_ eq $on ? 'on' : 'off') } qw(hashjoin mergejoin nestloop)),
	'enable_memoize = ' . ($on eq 'nestloop' ? 'on' : 'off') ] }
	qw(hashjoin mergejoin nestloop);
for my $method (@methods)
{
	for my $c (qw(t n i u d l))
	{
		$twin->add($method, $_) for
			map({ "SELECT a.id, b.id FROM a $_ JOIN b ON a.$c = b.$c WHERE coalesce(a.id, 0) < 150" } 'INNER', 'LEFT'),
			"SELECT a.id, b.id FROM a RIGHT JOIN b ON b.$c = a.$c AND a.k = b.k",
			"SELECT a.id, b.id FROM (SELECT * FROM a WHERE id < 80) a FULL JOIN b USING ($c)",
			"SELECT count(*) FROM a NATURAL JOIN (SELECT $c, k FROM b) s",
			"SELECT id FROM a WHERE $c IN (SELECT $c FROM b)", "SELECT id FROM a WHERE $c NOT IN (SELECT $c FROM b WHERE $c IS NOT NULL)",
			"SELECT id FROM a WHERE $c NOT IN (SELECT $c FROM b)",
			"SELECT id FROM a WHERE EXISTS (SELECT FROM b WHERE b.$c = a.$c)",
			"SELECT id FROM a WHERE NOT EXISTS (SELECT FROM b WHERE b.$c = a.$c AND b.k = a.k)",
			"SELECT b.id, (SELECT count(*) FROM a WHERE a.$c = b.$c) FROM b",
				"SELECT x.id, y.id FROM a x JOIN a y ON x.$c = y.$c AND x.id = y.id + 1",
			"SELECT count(*) FROM a JOIN b USING ($c) JOIN b c USING ($c) WHERE a.id < 30",
			"SELECT a.id, s.id FROM a, LATERAL (SELECT id FROM b WHERE b.$c = a.$c LIMIT 1000) s WHERE a.id < 100",
			"SELECT a.id FROM a JOIN b ON a.$c = b.$c AND a.$c = " . $twin->literal($c),
			"SELECT count(*) FROM a LEFT JOIN b ON a.$c = b.$c WHERE b.id IS NULL";
	}
	$twin->add($method, $_) for
		map({ ("SELECT a.id, p.id FROM a JOIN p ON a.$_", "SELECT a.id, p.id FROM a LEFT JOIN p ON a.$_ WHERE a.id < 100",
		"SELECT id FROM a WHERE EXISTS (SELECT FROM p WHERE a.$_)",
			"SELECT id FROM a WHERE NOT EXISTS (SELECT FROM p WHERE a.$_)", "SELECT a.id, p.id FROM a RIGHT JOIN p ON a.$_") }
		't = p.t', 't = p.v', 'n = p.n', 'n = p.i4', 'i = p.i4', 'i = p.i2', 'd = p.d', 'b = p.b', 'i4 = p.n', 'dom = p.t'),
		"SELECT a.id, p.id FROM p JOIN a ON p.c = a.t", "SELECT id FROM a WHERE t IN (SELECT t FROM p)",
		"SELECT id FROM a WHERE t NOT IN (SELECT v FROM p WHERE v IS NOT NULL)",
		"SELECT id FROM p WHERE t IN (SELECT t FROM a)", "SELECT id FROM p WHERE i4 = ANY (SELECT i4 FROM a)",
		"SELECT a.id, x FROM a JOIN (VALUES ('a'), ('ä'), (NULL), ('a')) v(x) ON t = x",
		"SELECT a.id, x FROM a JOIN unnest(ARRAY['a', 'A', 'ß']) x ON x = t", "SELECT a.id, x FROM generate_series(1, 100) x LEFT JOIN a ON i = x",
		"SELECT a.id, x FROM generate_series(1, 100) x JOIN a ON n = x",
		"SELECT a.id, b.id FROM a JOIN b ON (a.t, a.n) = (b.t, b.n)", "SELECT id FROM a WHERE (t, n) IN (SELECT t, n FROM b)",
		"SELECT a.id, p.id FROM a JOIN p ON (a.t, a.n) = (p.t, p.n)", "SELECT a.id, co.id FROM a JOIN co ON a.t = ANY (co.ts) WHERE a.id < 200",
		"SELECT a.id, p.id FROM a JOIN p ON a.t = ANY (string_to_array(p.t, NULL)) WHERE a.id < 200",
		"SELECT id FROM (SELECT id, t, lag(t) OVER (ORDER BY id) AS l FROM a) s WHERE l = t",
		"SELECT a.id, b.id FROM a JOIN b ON a.t = b.t OR a.n = b.n WHERE a.id < 50",
		"SELECT a.id FROM a, LATERAL (VALUES (a.t), (a.dom)) s(x) WHERE s.x = a.t AND a.id < 50",
		"SELECT id FROM a WHERE (t, k) NOT IN (SELECT t, k FROM b WHERE t IS NOT NULL)";
}
$twin->compare('other types and joins');

# Queries in queries, views, composites, arrays, cursors of a client.
$twin->add($_) for
	"WITH w AS (SELECT * FROM a) SELECT id FROM w WHERE t = 'a'", "WITH w AS MATERIALIZED (SELECT t, id FROM a) SELECT id FROM w WHERE t = 'a'",
	"WITH w AS NOT MATERIALIZED (SELECT t, id FROM a) SELECT x.id, y.id FROM w x JOIN w y USING (t) WHERE x.id < 40",
	"WITH RECURSIVE r AS (SELECT t, k FROM b WHERE id < 5 UNION SELECT b.t, b.k FROM r JOIN b ON b.t = r.t OR b.k = r.k) SELECT t::text, k FROM r",
	"WITH RECURSIVE r(t, n) AS (SELECT t, 1 FROM b WHERE id < 5 UNION ALL SELECT t, n + 1 FROM r WHERE n < 3) SELECT count(*), count(DISTINCT t) FROM r",
	"WITH RECURSIVE r AS (SELECT t FROM b WHERE id < 3 UNION SELECT a.t FROM a JOIN r ON a.t = r.t) CYCLE t SET c USING p SELECT count(*) FROM r",
	map({ my $v = $_; map { "SELECT id FROM $v WHERE $_" } "t = 'a'", "'ä' = t", "t IN ('a', 'ß')", "n = 1 AND t <> 'a'", "dom = 'A'", "i = 100",
	"z = 'z3'", "t = ANY ('{a,b}'::text[])", "t IS NOT DISTINCT FROM NULL" } 'va', 'vb'),
	"SELECT id FROM vs WHERE t = 'a'", "SELECT id FROM vs WHERE ot = 'a'", "SELECT id FROM vs WHERE onum = 1 AND t <> ot",
	"SELECT x.id FROM vs x JOIN vb y USING (t) WHERE y.id < 9", "SELECT id FROM (SELECT id, t AS x FROM a OFFSET 0) s WHERE x = 'a'",
	"SELECT id FROM (SELECT id, t FROM a UNION ALL SELECT id, t FROM b) s WHERE t = 'a'",
	"SELECT id FROM (SELECT id, t FROM a UNION SELECT id, t FROM b) s WHERE t IN ('a', 'b')", "SELECT t::text FROM a INTERSECT SELECT t FROM p",
	"SELECT t::text FROM (SELECT t FROM a EXCEPT SELECT t FROM b) s", "SELECT t::text, count(*) FROM a GROUP BY t",
	"SELECT DISTINCT t::text FROM a", "SELECT s.t::text, s.c FROM (SELECT t, count(*) AS c FROM a GROUP BY t) s WHERE s.t = 'a' OR s.c = 1",
	"SELECT trim_scale(n::numeric), count(*) FROM a GROUP BY n", "SELECT x.c FROM (SELECT t, count(*) c FROM a GROUP BY t) x JOIN b USING (t)",
	map({ "SELECT id FROM co WHERE $_" } "c = ROW('a', 1)::pair", "c <> ROW('a', 1)::pair", "(c).x = 'a'", "'ä' = (c).x AND (c).y = 2",
	"(c).y IN (1, 3)", "c IN (SELECT c FROM co WHERE id < 4)", "c IS NOT DISTINCT FROM ROW('b', 2)::pair", "ROW((c).x, (c).y) = ROW('a', 2)",
	"'a' = ANY (ts)", "'ä' <> ALL (ts)", "(c).x = ANY (ts)", "ts = (SELECT ts FROM co WHERE ts IS NOT NULL ORDER BY id LIMIT 1)", "ts[1] = 'a'",
	"'b' = ts[2]"),
	"SELECT count(*) FROM co GROUP BY c", "SELECT count(DISTINCT c) FROM co", "SELECT x.id, y.id FROM co x JOIN co y ON x.c = y.c WHERE x.id < 10",
	"SELECT co.id, a.id FROM co JOIN a ON (co.c).x = a.t WHERE a.id < 100", "SELECT co.id, x::text FROM co, unnest(ts) AS x WHERE x IS NULL",
	"SELECT count(*) FROM (SELECT DISTINCT t, n FROM b) s", "SELECT count(*) FROM (SELECT DISTINCT b FROM b) s",
	"SELECT x.id FROM b x, b y WHERE x = y", "SELECT count(*) FROM a TABLESAMPLE BERNOULLI (100) WHERE t = 'a'",
	"SELECT id FROM ONLY a WHERE t = 'a' FOR UPDATE", "SELECT id FROM a WHERE id IN (SELECT id FROM b WHERE t = 'a') FOR SHARE";
$twin->add("DECLARE c SCROLL CURSOR FOR SELECT id FROM a WHERE t IN ('a', 'A') ORDER BY id", 'FETCH 3 FROM c', 'FETCH LAST FROM c',
	'FETCH BACKWARD 2 FROM c');
$twin->add("DECLARE c CURSOR FOR SELECT id FROM uq WHERE t <> 'a' ORDER BY id FOR UPDATE", 'FETCH 2 FROM c',
	"UPDATE uq SET t = 'moved' WHERE CURRENT OF c", "SELECT id FROM uq WHERE t = 'moved'", 'FETCH 1 FROM c', 'DELETE FROM uq WHERE CURRENT OF c',
	'SELECT count(*) FROM uq');
for my $t ('ph', 'pl')
{
	$twin->add($_) for map({ "SELECT id FROM $t WHERE $_" } "t = 'a'", "t = 'ä'::text", "'' = t", "t IS NULL", "t IN ('a', 'A', 'ss')", "t <> 'a'",
		"t = ANY ('{a,ß}'::text[])", "t = (SELECT t FROM b WHERE id = 7)", "t IS DISTINCT FROM 'a'", "t = 'a' OR k = 3", "t = 'absent'"),
		"SELECT x.id, y.id FROM $t x JOIN $t y USING (t) WHERE x.id < 50", "SELECT count(*) FROM $t GROUP BY t",
		"SELECT x.id, p.id FROM $t x JOIN p ON x.t = p.t";
	$twin->add([ 'enable_partitionwise_join = on', 'enable_partitionwise_aggregate = on' ],
		"SELECT x.id, y.id FROM $t x JOIN $t y USING (t) WHERE x.id < 50", "SELECT count(*), min(id) FROM $t GROUP BY t");
	for my $mode ('force_custom_plan', 'force_generic_plan')
	{
		$twin->add(["plan_cache_mode = $mode"], "PREPARE q(text) AS SELECT id FROM $t WHERE t = \$1", map { "EXECUTE q('$_')" } 'a', 'A', 'absent');
		$twin->add(["plan_cache_mode = $mode"], "PREPARE q(text[]) AS SELECT id FROM $t WHERE t = ANY (\$1)", "EXECUTE q('{a,A,NULL}')");
	}
}

# Parallel plans.
my $debug = $twin->node->pg_version >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';
my @parallel = ('max_parallel_workers_per_gather = 2', 'min_parallel_table_scan_size = 0', 'min_parallel_index_scan_size = 0',
	'parallel_setup_cost = 0', 'parallel_tuple_cost = 0');
for my $set ([@parallel], [ @parallel, "$debug = on" ])
{
	$twin->add($set, $_) for "SELECT id FROM a WHERE t = 'a'", "SELECT id FROM a WHERE t = 'a'::text OR n = 1",
		"SELECT count(*) FROM a WHERE l <> 'x'", "SELECT count(*), min(id) FROM a GROUP BY t", "SELECT count(*) FROM a JOIN b USING (t)",
		"SELECT id FROM a WHERE n IN (1, 100, 0.1)", "SELECT count(*) FROM a JOIN p ON a.t = p.t";
}

# Leaky conditions come after policies and barriers; what they do not let through
# must not be seen by such a function.
$twin->add("SELECT id FROM vb WHERE t = 'a' AND t::text = 'a'", "SELECT id FROM vb WHERE t::text::int IS NULL AND t = 'absent'");
for my $who ('alice', 'ä', 'nobody')
{
	$twin->add(["test.who = '$who'"], $_) for "SELECT id FROM rls", "SELECT id FROM rls WHERE t = 'a'",
		"SELECT id FROM rls WHERE t IN ('a', 'A') AND owner = 'alice'", "SELECT id FROM rls WHERE t::text = 'a'",
		"UPDATE rls SET k = 0 WHERE t = 'a' RETURNING id", "DELETE FROM rls RETURNING id",
		"INSERT INTO rls VALUES (999, 'alice', 'x', 1) RETURNING id", "UPDATE rls SET owner = 'bob' WHERE id < 9",
		"SELECT count(*) FROM rls x JOIN rls y USING (owner)";
}
$twin->compare('subqueries, views, partitions, parallel plans, policies');

# The comparison itself sees one changed row.
$twin->in('sealed', "UPDATE a SET t = 'odd' WHERE id = 7");
$twin->add("SELECT id FROM a WHERE t = 'odd'");
$twin->add("SELECT id FROM a WHERE t = 'a' AND k < 0");
$twin->add("SELECT id FROM a WHERE t < 'a'");
is(scalar $twin->differences, 2, 'control: a changed value and a refused query are found');
cmp_ok($twin->total, '>', 1000, 'cases in all: ' . $twin->total);
done_testing();
