# Goal of this test: every function of the extension, called with NULL, empty,
# huge, random and altered arguments and with wrong types: an error with a
# SQLSTATE of ours or the server's, never an internal one, a crash, or plaintext
# in a message.  Sealed values are altered in place, as on a disk that somebody
# else wrote to.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $seed = $ENV{TC_SEED} // 20261122;
my $times = $ENV{TC_LONG} ? 20 : 1;
note "seed $seed";
srand $seed;

my $node = ThemisCluster->ready('main', conf => "autovacuum = off\nstatement_timeout = 120s\n");
$node->safe_psql('postgres', <<'END');
SET client_min_messages = warning;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k), n encrypted(k, numeric), j encrypted(k, jsonb), b encrypted(k, bytea));
INSERT INTO t VALUES ('canary of a value', 12345.678, '{"canary": [1, 2]}', 'canary of bytes');

-- From here on bytes may be taken for a sealed value as they are.
CREATE TYPE any_bytes;
CREATE FUNCTION any_bytes_in(cstring) RETURNS any_bytes LANGUAGE internal IMMUTABLE STRICT AS 'byteain';
CREATE FUNCTION any_bytes_out(any_bytes) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'byteaout';
CREATE TYPE any_bytes (INPUT = any_bytes_in, OUTPUT = any_bytes_out, STORAGE = extended);
SET allow_system_table_mods = on;
INSERT INTO pg_cast VALUES (987654, 'any_bytes'::regtype, 'encrypted'::regtype, 0, 'e', 'b');
RESET allow_system_table_mods;

CREATE TABLE cases (i int, sql text);
CREATE FUNCTION try(sql text, OUT state text, OUT said text) LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; hint text; context text;
BEGIN
	EXECUTE sql;
	RAISE SQLSTATE 'TC000';
EXCEPTION
	WHEN SQLSTATE 'TC000' THEN
		state := 'done';
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
			detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		said := concat_ws(' / ', message, detail, hint);
END $$;
END

my ($k) = $node->safe_psql('postgres', q(SELECT atttypmod FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum)) =~ /(\d+)/;
my @sealed = map { pack 'H*', $_ } split /\n/, $node->safe_psql('postgres',
	q(SELECT encode(themis_crypt.encrypted_send(x), 'hex') FROM t, LATERAL (VALUES (v), (n), (j), (b), ('pending'::encrypted)) AS y(x)));
is(scalar @sealed, 5, 'four sealed values and a pending one');
my $record = pack 'H*', $node->safe_psql('postgres', q(SELECT encode(record, 'hex') FROM themis_crypt.root_records()));
my $public = $node->status('public_key');

sub any { return $_[ int rand @_ ] }
sub random_bytes { return join '', map { chr int rand 256 } 1 .. $_[0] }

# A sealed value, or a record, with something wrong.
sub altered
{
	my ($bytes) = @_;
	my $len = length $bytes;
	my $how = int rand 9;
	if ($how == 0) { substr($bytes, int rand $len, 1) ^= chr 1 << int rand 8 }
	elsif ($how == 1) { $bytes = substr $bytes, 0, int rand $len }
	elsif ($how == 2) { $bytes .= random_bytes(1 + int rand 40) }
	elsif ($how == 3) { substr($bytes, int rand 8, 1) = random_bytes(1) }
	elsif ($how == 4) { $bytes = substr($bytes, 0, 8) . random_bytes(int rand 60) }
	elsif ($how == 5) { $bytes = random_bytes(int rand 100) }
	elsif ($how == 6) { $bytes = "\xf9" . random_bytes(int rand 100) }
	elsif ($how == 7) { substr($bytes, any(0 .. $len - 1), 4) = any("\0\0\0\0", "\xff\xff\xff\xff", "\xff\xff\xff\x7f") }
	else { $bytes = substr($bytes, 0, any(0, 1, 7, 8, 9, 31, 32, 47, 48, 49) % ($len + 1)) }
	return $bytes;
}

sub hex_of { return "'\\x" . unpack('H*', $_[0]) . "'" }

my %huge = (text => q(repeat('canary', 200000)), bytea => q(repeat('canary', 200000)::bytea));

# An expression of each type that functions take.
my %of = (
	encrypted => sub {
		return any('NULL::encrypted', '(SELECT v FROM t)', '(SELECT n FROM t)', "'canary'::encrypted",
			"repeat('canary', 20000)::encrypted") if rand() < 0.1;
		return hex_of(altered(any(@sealed))) . '::any_bytes::encrypted' if rand() < 0.9;
		# as it comes from a table: short, compressed, or out of line
		return '(SELECT x FROM (VALUES ' . join(', ', map { '(' . hex_of(altered($_)) . '::any_bytes::encrypted)' } @sealed)
		  . ') AS y(x) ORDER BY random() LIMIT 1)';
	},
	integer => sub { any('NULL::int', 0, 1, -1, 2147483647, '(-2147483648)', $k, $k ^ (1 << int rand 31), int rand 2**31) },
	oid => sub { any('NULL::oid', 0, 25, 4294967295, "'encrypted'::regtype", '1417', '2328', int rand 2**32) },
	boolean => sub { any('NULL::bool', 'true', 'false') },
	text => sub { any('NULL::text', "''", "'canary'", "'k'", "'themis_root'", "'themis_rooted'", "repeat('x', 64)", $huge{text},
			q(E'a\\nb'), "'xchacha20poly1305'", "'aes256gcm'", "'machine'", "'recovery'", "'$public'",
			"'" . altered($public) =~ s/[^ -~]|'|\\/x/gr . "'", "chr(233) || chr(8364)", "'main'") },
	bytea => sub { any('NULL::bytea', "''::bytea", hex_of(altered($record)) . '::bytea', hex_of(altered($record)) . '::bytea',
			hex_of(altered($record)) . '::bytea', hex_of($record) . '::bytea', $huge{bytea}) },
	cstring => sub { any('NULL::cstring', "''::cstring", "'canary'::cstring", "'tc1:'::cstring", "'tc1:====canary'::cstring",
			'themis_crypt.encrypted_out(' . hex_of(altered(any(@sealed))) . '::any_bytes::encrypted)') },
	'cstring[]' => sub { any('NULL::cstring[]', "'{}'::cstring[]", "'{k}'::cstring[]", "'{k,numeric}'::cstring[]", "'{k,canary}'::cstring[]",
			"'{NULL}'::cstring[]", "'{k,NULL,x}'::cstring[]", "'{{k,text},{k,text}}'::cstring[]", "'{#ffffff}'::cstring[]",
			"'{#0,text}'::cstring[]", "'{#,text}'::cstring[]", "ARRAY(SELECT 'k'::text FROM generate_series(1, 10000))::cstring[]",
			"'{k,text,searchable,x,y}'::cstring[]", "'[5:6]={k,text}'::cstring[]") },
	'text[]' => sub { any('NULL::text[]', "'{}'::text[]", "'{kind=key}'::text[]", "'{kind}'::text[]", "'{NULL}'::text[]",
			"'{{kind=key,id=1}}'::text[]", "'{=}'::text[]", "(SELECT srvoptions FROM pg_foreign_server WHERE srvname = 'k')",
			"ARRAY(SELECT 'v' || i || '=x' FROM generate_series(1, 70000) AS i)", "ARRAY[$huge{text}]") },
	'"any"' => sub { any('NULL', "'canary'::text", "'untyped'", 'ROW(1, 2)', 'ARRAY[1, 2]', "'x'::name", "'x'::cstring", "'x'::\"char\"", '1::money', "'a'::bit varying",
			"'{1}'::int2vector", "'(1,2)'::point", "'<a/>'::text::varchar", 'ROW()', '(SELECT t FROM t)', "'pg_class'::regclass",
			"'canary'::bpchar", "12.5::numeric(3,1)", "'1 day'::interval", "'::1'::inet", "'[1,2]'::int4range", "'{\"a\": 1}'::jsonb",
			'clock_timestamp()', "'1'::xid8", "'x'::unknown", 'NULL::void', $huge{text}, $huge{bytea}, "'a'::tsvector",
			hex_of(altered(any(@sealed))) . '::any_bytes::encrypted') });

# Plaintext of each type that can be sealed.  What is no input for its type is
# refused, and quoted, before any function of ours is called.
sub plain_of
{
	my ($type) = @_;
	my $text = $type =~ /^(text|character.*|bytea)$/ ? "'canary'" : $type =~ /json/ ? q('{"canary": 1}') :
	  any("'no input'", "''", "'1'", "'-1'", "'NaN'", "'infinity'", "'2026-11-22'", "'::1'", 'NULL');
	return "$text\::$type";
}

my @functions = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', <<'END');
SELECT p.oid::regproc, (SELECT string_agg(format_type(a, NULL), ';' ORDER BY i) FROM unnest(proargtypes) WITH ORDINALITY AS x(a, i))
  FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid JOIN pg_proc AS p ON p.oid = d.objid
 WHERE extname = 'themis_crypt' AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
   AND proname NOT IN ('lock', 'unlock')
 ORDER BY p.oid
END
cmp_ok(scalar @functions, '>', 50, 'the functions of the extension are known');

my @cases;
for my $function (@functions)
{
	my ($name, $types) = @$function;
	my @types = split /;/, $types // '';
	# regproc quotes no arguments, so overloaded names have their schema only
	$name = 'themis_crypt.from_plain' if $name =~ /from_plain/;
	my $count = !@types ? 2 : grep({ $_ eq 'encrypted' } @types) ? 40 : 80;
	for (1 .. $count * $times)
	{
		push @cases, "SELECT $name(" . join(', ', map { $of{$_} ? $of{$_}->() : plain_of($_) } @types) . ')';
	}
	# and arguments that are not of its types
	push @cases, "SELECT $name(" . join(', ', map { $of{'"any"'}->() } 1 .. int rand 5) . ')' for 1 .. 5 * $times;
}

# Values as columns hold them: stored, read, moved to other columns, copied.
for (1 .. 150 * $times)
{
	my $value = $of{encrypted}->();
	push @cases, any(
		"INSERT INTO t (v) VALUES ($value)", "UPDATE t SET n = $value", "INSERT INTO t (j) SELECT v FROM (SELECT $value AS v) AS x",
		"SELECT $value\::" . any(qw(text int numeric jsonb date uuid bytea inet)), "SELECT $value || 'x'", "SELECT 'x' || $value",
		"SELECT $value\::encrypted(k, " . any(qw(text numeric jsonb bytea)) . ')', "SELECT quote_nullable($value)",
		"SELECT to_jsonb($value), md5($value\::text)", "SELECT hashtext($value\::text)",
		"SELECT count(*) FROM (SELECT $value AS v UNION ALL SELECT v FROM t) AS x WHERE v IS NOT NULL",
		"SET LOCAL themis_crypt.client_output = 'plaintext'; SELECT $value");
}

my $file = PostgreSQL::Test::Utils::tempdir() . '/cases';
open my $out, '>', $file or die;
my $i = 0;
for my $case (@cases)
{
	$i++;
	print $out "INSERT INTO cases VALUES ($i, \$case\$$case\$case\$);\n";
}
print $out "INSERT INTO cases VALUES (0, \$\$SELECT 'canary'::text::int\$\$);\n";
close $out;
my $worker = $node->status('worker_pid');
$node->psql('postgres', "BEGIN;\n\\i $file\nCOMMIT;", on_error_die => 1);
$node->safe_psql('postgres', 'SET client_min_messages = error; CREATE TABLE results AS SELECT i, sql, (try(sql)).* FROM cases');

is($node->safe_psql('postgres', 'SELECT count(*) FROM results'), @cases + 1, 'all ' . @cases . ' cases have an end');
is($node->safe_psql('postgres', q(SELECT state, said, left(sql, 300) FROM results WHERE state LIKE 'XX%' AND state <> 'XX001' LIMIT 10)),
	'', 'no internal error');
my $leaks = q(SELECT i, state, left(said, 300), left(sql, 300) FROM results
	WHERE said ~* 'canary' AND said !~ '(type|name|key|column|recipient|algorithm|option|server|modifier) "'
	AND i WHICH 0 LIMIT 10);
is($node->safe_psql('postgres', $leaks =~ s/WHICH/<>/r), '', 'no plaintext in a message');
like($node->safe_psql('postgres', $leaks =~ s/WHICH/=/r), qr/^0\|22P02/, 'control: that of a function that quotes is found');
my %states = map { split /\|/ } split /\n/, $node->safe_psql('postgres', 'SELECT state, count(*) FROM results GROUP BY 1 ORDER BY 2 DESC');
note join ', ', map { "$_: $states{$_}" } sort keys %states;
for my $state ('done', 'XX001', '22P02', '0A000', '42704', '42804', '42883')
{
	cmp_ok($states{$state} // 0, '>', 0, "control: some cases end with $state");
}

# Output functions on what nobody could have sealed.
for my $bytes ('', "\0", "\xf9", random_bytes(5), random_bytes(100), map { altered($_) } @sealed)
{
	my ($code) = $node->psql('postgres', 'SELECT ' . hex_of($bytes) . '::any_bytes::encrypted');
	cmp_ok($code, '<', 4, length($bytes) . ' bytes are printed, or refused');
}

is($node->safe_psql('postgres', 'SELECT v::text FROM t LIMIT 1'), 'canary of a value', 'values open as before');
is($node->status('worker_pid'), $worker, 'the key worker is the same');
unlike(slurp_file($node->logfile), qr/PANIC:|TRAP:|terminated by signal|AddressSanitizer/, 'nothing crashed');
done_testing();
