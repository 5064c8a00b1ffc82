# Goal of this test: two values on searchable columns are equal if and only if
# PostgreSQL says so of the plain values, however they are written, by whatever
# plan, in whatever encoding; and values of other types compare with a column as
# they do with a plain one, or not at all.
use strict;
use warnings;
use List::Util qw(shuffle);
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $seed = $ENV{TC_SEED} // 20261123;
my $times = $ENV{TC_LONG} ? 4 : 1;
note "seed $seed";
srand $seed;

# A zone with clocks that change: one of its hours does not exist, another
# does twice.
my $node = ThemisCluster->ready('main', conf => "timezone = 'America/New_York'\nautovacuum = off\n");

sub any { return $_[ int rand @_ ] }

# ---------------------------------------------------------------------------
# Values, as they stand in E'...'.  What LATIN1 lacks has \u0[1-9] or \U in it.

my %values = (
	text => [ '', ' ', 'a', 'a', 'a ', ' a', 'A', 'a\t', 'ab', 'a\u00e9', '\u00e9', '\u00e9', 'e', 'e\u0301', '\u00c5', 'A\u030a', '\u212b',
		'K', '\u212a', 'ss', '\u00df', 'fi', '\ufb01', '\U0001f600', 'x' x 1500, 'x' x 1501, '1', '1.0', 'null', '\u00a0' ],
	bytea => [ '', '\\\\x', '\\\\x00', '\\\\000', '\\\\x0000', '\\\\xdeadbeef', '\\\\336\\\\255\\\\276\\\\357', '\\\\xDE AD BE EF',
		'abc', '\\\\x616263', 'abc ', '\\\\xc3a9', '\\\\xe9' ],
	bool => [ qw(t true yes on 1 f false no off 0) ],
	int2 => [ '0', '-0', '1', '+1', ' 1 ', '001', '-1', '32767', '-32768', '12', '0012' ],
	int4 => [ '0', '-0', '1', ' 1', '001', '-1', '32767', '32768', '-32768', '-32769', '2147483647', '-2147483648', '12' ],
	int8 => [ '0', '-0', '1', '1 ', '001', '-1', '32767', '32768', '-32768', '-32769', '2147483647', '2147483648', '-2147483648', '-2147483649',
		'9223372036854775807', '-9223372036854775808', '12' ],
	float4 => [ '0', '-0', '1', '1.5', 'NaN', 'Infinity' ],
	float8 => [ '0', '-0', '1', '1.5', 'NaN', 'Infinity' ],
	numeric => [ '0', '-0', '0.000', '-0.0', '0e5', '1', '1.0', '1.00', '1e0', '10e-1', '+1', '-1', '-1.000', '1.5', '0.5', '.50', '10000', '1e4',
		'10000.0', '100000000', '1e8', '0.0001', '1e-4', '0.00010', '0.00001', 'NaN', 'nan', 'Infinity', 'inf', '-Infinity', '32767', '32768', '-32768',
		'-32769', '-32768.5', '2147483647.0', '2147483648', '-2147483648', '9223372036854775807', '9223372036854775807.1', '9223372036854775808',
		'-9223372036854775808', '-9223372036854775809', '1e131071', '1e-1000', '1.0e-1000', '9' x 60, '9' x 60 . '.000' ],
	date => [ '2024-02-29', '29 Feb 2024', '20240229', '2024-060', 'J2460370', '2024-03-10', '2024-11-03', '1970-01-01', 'epoch', 'infinity',
		'-infinity', '4713-01-01 BC', '294276-12-31', '294277-01-01', '300000-01-01', '5874897-12-31' ],
	time => [ '00:00', '24:00', '23:59:60', '12:00', '12:00 PM', '12:00:00.000000', '04:05:06.7', '04:05:06.700', '040506.7', '00:00:00.0000001',
		'23:59:59.999999', '01:00' ],
	timestamp => [ '2024-02-29', '2024-02-29 00:00', '2024-02-29T00:00:00.000', '2024-02-28 24:00', '2024-02-29 00:00+05', '2024-02-29 00:00:00.000001',
		'infinity', '-infinity', 'epoch', '1970-01-01', '2024-03-10', '2024-03-10 02:30', '2024-03-10 03:30', '2024-11-03 00:30', '2024-11-03 01:30',
		'294276-12-31', '294276-12-31 23:59:59.999999', '4713-01-01 BC' ],
	timestamptz => [ '2024-02-29 00:00+00', '2024-02-29 01:00+01', '2024-02-28 19:00', '2024-02-28 19:00 America/New_York', '2024-02-28 19:00 EST',
		'2024-02-29 00:00', '2024-02-29 05:00Z', 'infinity', '-infinity', 'epoch', '1970-01-01', '1969-12-31 19:00', '2024-03-10 07:30+00',
		'2024-03-10 00:00', '2024-03-10 02:30', '2024-03-10 03:30', '2024-11-03 05:30+00', '2024-11-03 06:30+00', '2024-11-03 01:30',
		'294276-12-31 23:59:59.999999+00', '4713-01-01 00:00+00 BC' ],
	interval => [ '0', '1 mon', '30 days', '720:00', '720 hours', '29 days 24:00', '2 mons -30 days', '1 mon -1 us', '29 days 23:59:59.999999', '1 day',
		'24:00', '23:59:60', '23:59:59.999999', '48:00', '2 days', '1 year', '12 mons', '360 days', '365 days', '1 mon -30 days', '-1 day 24:00',
		'-1 mon', '-30 days', '-720:00', '00:00:00.000001', '-00:00:00.000001', '1 day -24:00:00.000001', '12:00', '04:05:06.7', '01:00',
		'178000000 years', '177999999 years 360 days', '-178000000 years', '2147483647 days', '-2147483648 days', '2562047788:00:54.775807',
		'-2562047788:00:54.775807', '106751991 days 04:00:54.775807', '106751991 days 04:00:54.775808',
		'178956970 years 7 mons 2147483647 days 2562047788:00:54.775806', '178956970 years 7 mons 2147483646 days 2562047788:00:54.775807' ],
	uuid => [ 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}',
		'a0eebc999c0b4ef8bb6d6bb9bd380a11', 'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12',
		'0' x 32, 'f' x 32 ],
	inet => [ '192.168.0.1', '192.168.0.1/32', '192.168.0.1/24', '192.168.0.0/24', '192.168.0.0/16', '192.168.0.0', '::1', '0:0:0:0:0:0:0:1', '::1/128',
		'::1/64', '::ffff:192.168.0.1', '::FFFF:c0a8:1', '0.0.0.0/0', '0.0.0.0', '::', '::/0', '10.1.2.3/8', '10.1.2.4/8', '10.0.0.0/8' ],
	jsonb => [ 'null', 'true', 'false', '1', '1.0', '1e0', '10e-1', '0', '-0', '0.00', '"1"', '""', '[]', '[[]]', '{}', '[{}]', '[1]', '[1.00]', '[[1]]',
		'[null]', '"a"', '["a"]', '{"a":1}', '{"a": 1.0}', '{"a":2,"a":1}', '{"a":"1"}', '{"a":[1,2]}', '{"a":[1.0,2e0]}', '[1,[2,3]]', '[[1,2],3]',
		'[1,2,3]', '[[[[[1.50]]]]]', '[[[[[15e-1]]]]]', '{"a":{"b":{"c":0.10}}}', '{"a":{"b":{"c":0.1}}}', '{"b":1,"a":2}', '{"a":2,"b":1}',
		'{"ab":1,"c":2}', '{"a":"b"}', '["a","b"]', '["ab"]', '["a",""]', '["","a"]', '"\u00e9"', '"\\\\u00e9"', '"e\u0301"', '"\\\\u0065\\\\u0301"',
		'{"z":1,"\u00e9":2,"ab":3}', '{"ab":3,"\u00e9":2.0,"z":1.00}', '{"z":1,"\u00e9":3,"ab":2}', '[{"\u00e9\u00e9":1,"abc":2,"\u00e9":{"\u00fc":3,"ab":null}}]',
		'[{"abc":2.0,"\u00e9":{"ab":null,"\u00fc":3.0},"\u00e9\u00e9":1e0}]', '{"":1}', '{"":{"":1.0}}', '"\\\\n\\\\u0001"', '"\\\\u000a\\\\u0001"',
		'["as","b"]', '["a","sb"]', '[true,"nt"]', '["n",true]', '{"a":"s","b":"c"}', '{"a":"sb","c":null}',
		'["' . '\u00e9' x 700 . '",1.0]', '["' . '\u00e9' x 700 . '",1.00]',
		'"' . 'x' x 1000 . '"', '[' . join(',', 1 .. 100) . ']', '[' . join(', ', map { "$_.0" } 1 .. 100) . ']', '[' x 200 . '1' . ']' x 200,
		'[' x 200 . '1.0' . ']' x 200 ],
	varchar => [ '', 'a', 'a ', 'A', '\u00e9', '\u00df', 'ab', '1' ],
	bpchar => [ '', ' ', 'a', 'a ', 'a  ', ' a', '\u00e9 ', 'ab', '1' ],
	name => [ '', 'a', 'a ', 'A', '\u00e9', 'ab', '1', 'x' x 70 ],
	cidr => [ '192.168.0.1', '192.168.0.0/24', '192.168.0/24', '192.168/16', '192.168.0.0', '10/8', '::1', '::/0', '0.0.0.0/0' ],
	json => [ 'null', '1', '"a"' ],
);
push @{ $values{interval} }, 'infinity', '-infinity' if $node->pg_version >= 17;

# A number from a small set, written in some way.
sub written
{
	my ($number) = @_;
	my $how = int rand 5;
	my $point = $number =~ /\./ ? '' : '.';
	return $how == 0 ? $number . $point . '0' x (1 + int rand 9)
	  : $how == 1 ? "${number}e0"
	  : $how == 2 ? "$number${point}0e" . any('0', '+0', '-0')
	  : $how == 3 && $number !~ /^0|\./ ? "${number}000e-3"
	  : $number;
}
sub number { return written(any('', '-') . any(0, 1, 12, 9999, 10000, 10001, 99990000, '0.5', '0.0001', '0.00002', '123456.789', '1' . '0' x int rand 40)) }

# A tree of JSON in a canonical writing of its own, and then in another one.
sub tree
{
	my ($depth) = @_;
	my $how = int rand($depth > 0 ? 8 : 5);
	return any('null', 'true', 'false') if $how == 0;
	return \any(qw(0 1 -1 2.5 100)) if $how < 3;
	return any('"a"', '"b"', '""', '"\u00e9"') if $how < 5;
	return [ map { tree($depth - 1) } 1 .. int rand 3 ] if $how < 7;
	return { map { (any('a', 'b', 'ab', '\u00e9', 'z', '\u00fc\u00e9'), tree($depth - 1)) } 1 .. int rand 4 };
}
sub rewritten
{
	my ($tree) = @_;
	my $space = any('', ' ');
	return written($$tree) if ref $tree eq 'SCALAR';
	return '[' . join(",$space", map { rewritten($_) } @$tree) . ']' if ref $tree eq 'ARRAY';
	return $tree unless ref $tree;
	my @keys = shuffle(sort keys %$tree);
	my @pairs = map { qq("$_":$space) . rewritten($tree->{$_}) } @keys;
	unshift @pairs, qq("$keys[0]": "of two the last counts") if @keys && rand() < 0.2;
	return '{' . join(',', @pairs) . '}';
}

push @{ $values{numeric} }, map { number() } 1 .. 60 * $times;
for (1 .. 30 * $times)
{
	my $tree = tree(3);
	push @{ $values{jsonb} }, rewritten($tree), rewritten($tree);
}
push @{ $values{interval} }, map { any(-3 .. 3) . ' mons ' . any(-60, -30, -1, 0, 1, 30, 31) . ' days ' . any('', '-') . any(0, 24, 48, 720, 744) . ':00' } 1 .. 60 * $times;
push @{ $values{text} }, map { join '', map { any('a', 'b', '\u00e9', ' ') } 1 .. int rand 3 } 1 .. 20 * $times;

my @searchable = qw(text bytea jsonb bool int2 int4 int8 numeric date time timestamp timestamptz interval uuid inet);
my @others = qw(varchar bpchar name cidr float4 float8 json);

sub literal { return "E'" . ($_[0] =~ s/'/''/gr) . "'" }

sub values_in
{
	my ($encoding, $type) = @_;
	return grep { $encoding ne 'LATIN1' || !/\\(?:u(?!00)|U)/ } @{ $values{$type} };
}

# ---------------------------------------------------------------------------
# In each database: a table for each type, with the plain value p and, sealed, e.

sub database
{
	my ($name, $encoding) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name ENCODING '$encoding' TEMPLATE template0 LOCALE 'C'");
	$node->safe_psql($name, "CREATE EXTENSION themis_crypt;\nCREATE SERVER k FOREIGN DATA WRAPPER themis_crypt");
	for my $type (@searchable, @others)
	{
		my $rows = join ', ', map { '(' . literal($_) . "::$type)" } values_in($encoding, $type);
		my $is_searchable = grep { $_ eq $type } @searchable;
		$node->safe_psql($name, $is_searchable ? <<"END" : <<"END_PLAIN");
CREATE TABLE c_$type (i int GENERATED ALWAYS AS IDENTITY, p $type, e encrypted(k, $type, searchable));
INSERT INTO c_$type (p, e) SELECT x, x FROM (VALUES $rows, (NULL)) AS v(x);
CREATE INDEX c_${type}_btree ON c_$type (e);
ANALYZE c_$type;
END
CREATE TABLE c_$type (i int GENERATED ALWAYS AS IDENTITY, p $type);
INSERT INTO c_$type (p) VALUES $rows, (NULL);
END_PLAIN
	}
	return;
}

# Both operators agree with PostgreSQL's on all pairs.
sub all_pairs
{
	my ($db, $type) = @_;
	my ($wrong, $pairs, $equal) = split /\|/, $node->safe_psql($db, <<"END");
SELECT count(*) FILTER (WHERE (a.e = b.e) IS DISTINCT FROM (a.p = b.p) OR (a.e <> b.e) IS DISTINCT FROM (a.p <> b.p)),
       count(*), count(*) FILTER (WHERE a.p = b.p AND a.i < b.i)
  FROM c_$type AS a, c_$type AS b
END
	is($wrong, 0, "$db: $type: $pairs pairs, $equal of different rows are equal");
	cmp_ok($equal, '>', 0, "$db: $type: control: some are");
	return;
}

my %plans = (
	'Hash Join' => 'SET enable_mergejoin = off; SET enable_nestloop = off;',
	'Merge Join' => 'SET enable_hashjoin = off; SET enable_nestloop = off;',
	'Index (?:Only )?Scan using \w+_btree' => 'SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_bitmapscan = off;',
	'Index (?:Only )?Scan using \w+_hash' => 'SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_bitmapscan = off;
		DROP INDEX c_TYPE_btree; CREATE INDEX c_TYPE_hash ON c_TYPE USING hash (e);',
);

sub all_joins
{
	my ($db, $type) = @_;
	my $join = "SELECT string_agg(a.i || '=' || b.i, ' ' ORDER BY a.i, b.i) FROM c_$type AS a JOIN c_$type AS b ON";
	my $plain = $node->safe_psql($db, "$join a.p = b.p");
	for my $plan (sort keys %plans)
	{
		my $set = "BEGIN; $plans{$plan}" =~ s/TYPE/$type/gr;
		like($node->safe_psql($db, "$set EXPLAIN (COSTS off) $join a.e = b.e"), qr/$plan/, "$db: $type: a plan with $plan");
		ok($node->safe_psql($db, "$set $join a.e = b.e") eq $plain, "$db: $type: it joins the same rows");
	}
	my $groups = "SELECT string_agg(m::text, ' ' ORDER BY m) FROM (SELECT min(i) AS m FROM c_$type GROUP BY";
	for my $set ('SET enable_hashagg = off', 'SET enable_sort = off')
	{
		is($node->safe_psql($db, "$set; $groups e) AS x"), $node->safe_psql($db, "$groups p) AS x"), "$db: $type: $set: the same groups");
	}
	return;
}

# Each value is looked up as a literal, typed and not, in the column and its twin.
sub all_literals
{
	my ($db, $encoding, $type) = @_;
	my $find = "SELECT coalesce(string_agg(i::text, ' ' ORDER BY i), 'none') FROM c_$type WHERE";
	my @literals = map { literal($_) } values_in($encoding, $type);
	my $set = 'SET enable_seqscan = off;';
	my $plain = $node->safe_psql($db, join "\n", map { "$find p = $_\::$type;" } @literals);
	is($node->safe_psql($db, join "\n", $set, map { "$find e = $_\::$type;" } @literals), $plain, "$db: $type: literals find the same rows");
	is($node->safe_psql($db, join "\n", $set, map { "$find $_ = e;" } @literals), $plain, "$db: $type: untyped literals find the same rows");
	unlike($plain, qr/none/, "$db: $type: control: each finds some");
	return;
}

database('utf8', 'UTF8');
for my $type (@searchable)
{
	all_pairs('utf8', $type);
	all_joins('utf8', $type);
	all_literals('utf8', 'UTF8', $type);
}

# ---------------------------------------------------------------------------
# Types against each other.  What PostgreSQL casts implicitly is compared, here
# and in versions to come; and integers and numeric both ways.

my %is_implicit = map { $_ => 1 } split /\n/, $node->safe_psql('utf8', <<'END');
SELECT castsource || ' ' || casttarget FROM pg_cast WHERE castcontext = 'i'
END
my %oid = map { $_ => $node->safe_psql('utf8', "SELECT '$_'::regtype::oid") } @searchable, @others;
my %is_number = map { $_ => 1 } qw(int2 int4 int8 numeric);
my ($compared, $refused) = (0, 0);
for my $column (@searchable)
{
	for my $type (grep { $_ ne $column } @searchable, @others)
	{
		my $from = 'FROM c_COLUMN AS a, c_TYPE AS b' =~ s/COLUMN/$column/r =~ s/TYPE/$type/r;
		if ($is_implicit{"$oid{$type} $oid{$column}"} || $is_number{$column} && $is_number{$type})
		{
			my ($wrong, $pairs, $equal) = split /\|/, $node->safe_psql('utf8', <<"END");
SELECT count(*) FILTER (WHERE (a.e = b.p) IS DISTINCT FROM (a.p = b.p) OR (b.p = a.e) IS DISTINCT FROM (a.p = b.p) OR
                              (a.e <> b.p) IS DISTINCT FROM (a.p <> b.p) OR (b.p <> a.e) IS DISTINCT FROM (a.p <> b.p)),
       count(*), count(*) FILTER (WHERE a.p = b.p) $from
END
			is($wrong, 0, "column of $column, value of $type: $pairs pairs, $equal equal");
			cmp_ok($equal, '>', 0, "column of $column, value of $type: control: some are equal");
			$compared++;

			# and as constants, which the index is searched for
			my @literals = map { literal($_) . "::$type" } values_in('UTF8', $type);
			my $find = "SELECT count(*), sum(i) FROM c_$column WHERE";
			is($node->safe_psql('utf8', join "\n", 'SET enable_seqscan = off;', map { "$find e = $_;" } @literals),
				$node->safe_psql('utf8', join "\n", map { "$find p = $_;" } @literals),
				"column of $column, constants of $type: the same rows");
		}
		else
		{
			my @errors = map { $node->error_of("\\set VERBOSITY verbose\nSELECT count(*) $from WHERE $_", dbname => 'utf8') } 'a.e = b.p', 'b.p <> a.e';
			is(scalar(grep { /ERROR:  42883: operator does not exist/ } @errors), 2, "column of $column, value of $type: refused") or diag @errors;
			$refused++;
		}
	}
}
note "$compared pairs of types are compared, $refused refused";

# ---------------------------------------------------------------------------
# What a place in a plan remembers of its last comparison is only that: another
# time zone or another column's key makes another one.

is($node->safe_psql('postgres', <<'END'), "America/New_York t t, Asia/Tokyo f f, America/New_York t t", 'remembered for one time zone');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE FUNCTION zones() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	e encrypted(k, timestamptz, searchable) := '2020-01-01 12:00-05'::timestamptz;
	p timestamptz := '2020-01-01 12:00-05';
	x timestamp := '2020-01-01 12:00';
	zone text;
	results text[];
BEGIN
	FOREACH zone IN ARRAY ARRAY['America/New_York', 'Asia/Tokyo', 'America/New_York'] LOOP
		PERFORM set_config('TimeZone', zone, true);
		results := results || concat_ws(' ', zone, e = x, p = x);
	END LOOP;
	RETURN array_to_string(results, ', ');
END $$;
SELECT zones();
END
is($node->safe_psql('postgres', <<'END'), "a|t\nb|t", 'and for one type modifier');
CREATE SERVER other FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE modifiers (a encrypted(k, text, searchable), b encrypted(other, text, searchable));
INSERT INTO modifiers VALUES ('same', 'same');
SELECT attname, CASE attname WHEN 'a' THEN a = p ELSE b = p END
	FROM (SELECT attname, themis_crypt.probe('same'::text, atttypmod) AS p FROM pg_attribute
		WHERE attrelid = 'modifiers'::regclass AND attnum > 0 ORDER BY attname OFFSET 0) AS x, modifiers;
END
# ---------------------------------------------------------------------------
# A database with another encoding, and one with its dump in UTF-8, where keys of
# objects have another order: tokens are the same.

database('latin1', 'LATIN1');
is($node->safe_psql('latin1', 'SHOW server_encoding'), 'LATIN1', 'a database in LATIN1');
for my $type (qw(text jsonb))
{
	all_pairs('latin1', $type);
	all_literals('latin1', 'LATIN1', $type);
}
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('latin1') ], 'dumped');
$node->safe_psql('postgres', "CREATE DATABASE again ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C'");
{
	local $ENV{PGOPTIONS} = '-c themis_crypt.restore=on';
	$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('again'), $dump ], 'restored in UTF-8');
}
is($node->safe_psql('again', q(SELECT count(*) FROM c_jsonb AS a JOIN c_jsonb AS b USING (i) WHERE a.e <> b.e)), 0, 'tokens came through');
for my $type (@searchable)
{
	all_pairs('again', $type);
	all_literals('again', 'LATIN1', $type);
}
is($node->safe_psql('again', q(SELECT count(*) FROM c_jsonb WHERE e = E'{"z":1,"ab":3,"\u00e9":2}')), 2, 'and an object with its keys in another order is found');

# ---------------------------------------------------------------------------
# A character that an encoding lacks is not quoted: it is of a value.

$node->safe_psql('postgres', 'CREATE TABLE euros (v encrypted(k, text, searchable), j encrypted(k, jsonb, searchable))');
$node->safe_psql('postgres', q(INSERT INTO euros VALUES (E'\u20ac', '"\u20ac"')));
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'dumped');
$node->safe_psql('postgres', "CREATE DATABASE lacking ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
$node->safe_psql('postgres', "CREATE DATABASE japanese ENCODING 'EUC_JP' TEMPLATE template0 LOCALE 'C'");
{
	local $ENV{PGOPTIONS} = '-c themis_crypt.restore=on';
	$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('lacking'), $dump ], 'restored where there is no euro');
}
$node->safe_psql('japanese', 'CREATE EXTENSION themis_crypt; CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt; CREATE TABLE t (v encrypted(k, text, searchable))');
my %lacking = (
	'SELECT v::text FROM euros' => 'lacking', 'SELECT j::jsonb FROM euros' => 'lacking',
	map { $_ => 'japanese' } q(INSERT INTO t VALUES (E'\xa9\xa1')), q(INSERT INTO t VALUES (E'\xa9\xa1'::text)), q(SELECT * FROM t WHERE v = E'\xa9\xa1'));
for my $sql (sort keys %lacking)
{
	my $error = $node->error_of("SET client_encoding = SQL_ASCII; $sql", dbname => $lacking{$sql});
	like($error, qr/a character without equivalent in encoding/, "refused: $sql");
	unlike($error, qr/0x/, "and not quoted: $sql");
}
done_testing();
