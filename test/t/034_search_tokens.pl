# Goal of this test: tokens are the same only for equal values of one type under
# one key, in whatever column, and after a dump; no function shows or stores one
# that was made for a search; and searching leaves no plaintext in data files,
# statistics or the log.
use strict;
use warnings;
use ThemisCluster;
use MIME::Base64 ();
use PostgreSQL::Test::Utils ();
use Test::More;

my $node = ThemisCluster->ready('main', conf => <<'END');
autovacuum = off
wal_level = logical
log_statement = none
END

# --- tokens ----------------------------------------------------------------------

# The header, and the token behind it, of what an expression gives; as hex.
sub token
{
	my ($sql, $dbname) = @_;
	my ($armor) = $node->safe_psql($dbname // 'postgres', "SET ROLE holder; $sql") =~ /^tc1:(\S+)$/ or die $sql;
	my $bytes = MIME::Base64::decode_base64($armor =~ tr{-_}{+/}r);
	return unpack 'x8 H32', $bytes;
}

sub keys_and_tables
{
	my ($dbname) = @_;
	$node->safe_psql($dbname, <<'END');
SET client_min_messages = warning;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO officer;
SET ROLE officer;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt;
GRANT USAGE ON FOREIGN SERVER k, k2 TO holder;
RESET ROLE;
CREATE TABLE t (a encrypted(k, text, searchable), b encrypted(k, text, searchable), c encrypted(k2, text, searchable),
	d encrypted(k, bytea, searchable), e encrypted(k, int8, searchable), f encrypted(k, int4, searchable), s encrypted(k, text));
CREATE TABLE other (x encrypted(k, text, searchable) UNIQUE);
GRANT ALL ON t, other TO holder;
SET ROLE holder;
INSERT INTO t VALUES ('same', 'same', 'same', 'same', 7, 7, 'same');
INSERT INTO other VALUES ('same');
INSERT INTO other VALUES ('Same');
END
}

$node->safe_psql('postgres', 'CREATE ROLE officer; CREATE ROLE holder LOGIN; CREATE DATABASE second');
$node->safe_psql('second', 'CREATE EXTENSION themis_crypt');
keys_and_tables($_) for 'postgres', 'second';

my $token = token('SELECT a FROM t');
is(token('SELECT b FROM t'), $token, 'equal values of two columns: one token');
is(token("SELECT x FROM other WHERE x = 'same'"), $token, 'in another table, too');
is(token("SELECT 'same'::encrypted(k, text, searchable)"), $token, 'and in no table');
isnt(token("SELECT x FROM other WHERE x = 'Same'"), $token, 'another value: another token');
isnt(token('SELECT c FROM t'), $token, 'another key: another token');
isnt(token('SELECT d FROM t'), $token, 'another type of the same bytes: another token');
isnt(token('SELECT e FROM t'), token('SELECT f FROM t'), 'of int8 and int4, too');
isnt(token('SELECT a FROM t', 'second'), $token, 'the key of the same name in another database: another token');
isnt(token('SELECT s FROM t'), $token, 'what is not searchable has none');

$node->safe_psql('postgres', <<'END');
GRANT CREATE, TEMP ON DATABASE postgres TO holder;
CREATE SCHEMA holder AUTHORIZATION holder;
SET ROLE holder;
CREATE TABLE holder.listed (v encrypted(k, text, searchable)) PARTITION BY LIST (v);
CREATE TABLE holder.listed_same PARTITION OF holder.listed FOR VALUES IN ('same');
CREATE TABLE holder.listed_other PARTITION OF holder.listed DEFAULT;
INSERT INTO holder.listed VALUES ('same'), ('other');
END
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('postgres') ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
{
	local $ENV{PGOPTIONS} = '-c themis_crypt.restore=on';
	$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('restored'), $dump ], 'restore');
}
is(token('SELECT a FROM t', 'restored'), $token, 'dumped and restored: the same token');
is(token("SELECT 'same'::encrypted(k, text, searchable)", 'restored'), $token, 'and for values that are sealed there');
is($node->safe_psql('restored', "SET ROLE holder; SELECT count(*) FROM other WHERE x = 'same'"), '1', 'found there');
like($node->error_of("SET ROLE holder; INSERT INTO other VALUES ('same')", dbname => 'restored'), qr/duplicate key value violates unique/,
	'and unique');

is($node->safe_psql('restored', "SET ROLE holder; INSERT INTO holder.listed VALUES ('same'); SELECT tableoid::regclass, count(*) FROM holder.listed WHERE v = 'same' GROUP BY 1"),
	'listed_same|2', 'partitions by lists are what they were');

# --- probes ------------------------------------------------------------------------

my $typmod = $node->safe_psql('postgres', q(SELECT atttypmod FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'));
my $probe = "themis_crypt.probe('same'::text, $typmod)";
my $probes = "themis_crypt.probe_array(ARRAY['same'], $typmod)";
my @forms = ("$token", MIME::Base64::encode_base64(pack('H*', $token), ''));
is($node->safe_psql('postgres', "SET ROLE holder; SELECT count(*) FROM t WHERE a = $probe AND b = ANY ($probes)"), '1', 'control: probes find');
$node->safe_psql('postgres', 'CREATE TYPE composite AS (v encrypted(k, text, searchable))');
my @shown = (
	"SELECT $probe", "SELECT $probes", "SELECT ROW($probe)", "SELECT themis_crypt.encrypted_send($probe)", "SELECT themis_crypt.encrypted_out($probe)",
	"COPY (SELECT $probe) TO STDOUT", "COPY (SELECT $probe) TO STDOUT (FORMAT binary)", "COPY (SELECT $probe) TO STDOUT (FORMAT csv)",
	"SELECT record_send(ROW($probe))", "SELECT array_send($probes)",
	(map { "SELECT $_($probe)" } qw(to_json to_jsonb quote_literal quote_nullable concat json_build_array jsonb_build_array array_agg json_agg jsonb_agg)),
	"SELECT row_to_json(ROW($probe))", "SELECT array_to_json($probes)", "SELECT array_to_string($probes, ',')", "SELECT format('%s', $probe)", "SELECT format('%L', $probe)",
	"SELECT jsonb_object_agg('a', $probe)", "SELECT json_build_object($probe, 1)", "SELECT concat_ws(',', 'a', $probe)", "SELECT xmlelement(name a, $probe)",
	"SELECT xmlforest($probe AS a)", "SELECT $probe || 'x'", "SELECT 'x' || $probe", "SELECT $probes || 'x'::encrypted", "SELECT string_agg($probe\::text, '')",
	(map { "SELECT $probe\::$_" } qw(text varchar bytea int8 jsonb encrypted)), "SELECT $probe\::encrypted(k, text, searchable)",
	"SELECT $probe\::encrypted(k, text)", "SELECT $probe\::encrypted(k2, text, searchable)", "SELECT ROW($probe)::composite", "SELECT ROW($probe)::text",
	"SELECT themis_crypt.probe($probe, $typmod)", "SELECT themis_crypt.coerce($probe, $typmod, true)", 
	"SELECT md5($probe\::text)", "SELECT set_config('my.x', $probe\::text, false)", "SELECT textin(themis_crypt.encrypted_out($probe))",
	"INSERT INTO other SELECT $probe", "INSERT INTO other VALUES ($probe)", "UPDATE other SET x = $probe", "INSERT INTO other SELECT unnest($probes)",
	"INSERT INTO t (s) SELECT $probe", "INSERT INTO t (c) SELECT $probe",
	"CREATE TEMP TABLE z (v encrypted(k, text, searchable)); INSERT INTO z SELECT $probe",
	"CREATE TEMP TABLE z (v encrypted(k, text, searchable)[]); INSERT INTO z SELECT $probes",
	"CREATE TEMP TABLE z (v composite); INSERT INTO z (v.v) SELECT $probe", "CREATE TEMP TABLE z (v text); INSERT INTO z SELECT themis_crypt.encrypted_out($probe)",
	"DO \$\$ BEGIN RAISE NOTICE '%', $probe; END \$\$", "DO \$\$ DECLARE x encrypted(k, text, searchable) := $probe; BEGIN RAISE NOTICE '%', x; END \$\$",
	"DO \$\$ DECLARE x text := $probe; BEGIN RAISE NOTICE '%', x; END \$\$", "DO \$\$ DECLARE x record; BEGIN SELECT $probe AS v INTO x; RAISE NOTICE '%', x; END \$\$",
	"PREPARE p(encrypted) AS SELECT \$1; EXECUTE p($probe)", "SELECT lag(v, 1, $probe) OVER () FROM (SELECT a AS v FROM t) AS x",
	"SELECT coalesce(NULL, $probe)", "SELECT nullif($probe, 'x'::encrypted(k, text, searchable))", "SELECT a FROM t UNION ALL SELECT $probe",
	"SELECT CASE WHEN true THEN $probe END", "DECLARE c CURSOR WITH HOLD FOR SELECT $probe; COMMIT; FETCH c",
	"SET themis_crypt.client_output = plaintext; SELECT $probe");
for my $sql (@shown)
{
	my ($code, $out, $err) = $node->psql('postgres', "SET ROLE holder; BEGIN; $sql; ROLLBACK", extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	my ($state) = $err =~ /ERROR:\s+(\w+)/;
	is($state // 'done', '0A000', "refused: $sql") or diag $out . $err;
	ok(!(grep { index("$out$err", $_) >= 0 } @forms), "and not shown: $sql");
}
for ("SELECT $probe AS v INTO TEMP z", "CREATE TABLE holder.z AS SELECT $probe AS v", "CREATE MATERIALIZED VIEW holder.z AS SELECT $probe AS v")
{
	like($node->error_of("SET ROLE holder; $_"), qr/column "v" of type encrypted has no encryption key/, "no table of it: $_");
}
like($node->error_of("SET ROLE holder; SELECT themis_crypt.seal($probe, $typmod)"), qr/type encrypted cannot be encrypted/, 'it is not sealed');
is($node->safe_psql('postgres', 'SET ROLE holder; SELECT count(*) FROM other'), '2', 'nothing was stored');

# --- traces --------------------------------------------------------------------------

# Each statement has a plaintext of its own.  Those that succeed, and those that
# fail with an error of ours, may have it as a literal; errors of PostgreSQL's own
# are logged with their statements, so there the server computes it.
sub canary { return unpack 'H*', pack 'H*', `printf %s '$_[0]' | md5sum | cut -c1-32` =~ s/\n//r }

$node->safe_psql('postgres', <<'END');
CREATE TABLE c (v encrypted(k, text, searchable) UNIQUE, d encrypted(k, date, searchable), n encrypted(k, numeric, searchable), s encrypted(k, text),
	w encrypted(k, text, searchable));
CREATE TABLE child (v encrypted(k, text, searchable) REFERENCES c (v));
CREATE TABLE plain (v text);
CREATE ROLE nobody;
GRANT ALL ON c, child, plain TO holder, nobody;
GRANT USAGE ON FOREIGN SERVER k TO postgres;
INSERT INTO c (v, w) SELECT md5('value' || i), md5('common') FROM generate_series(1, 300) AS i;
INSERT INTO c (v) SELECT md5('uniq');
ANALYZE;
END
my (@canaries, %said);
sub try
{
	my ($tag, $sql, %params) = @_;
	my $canary = canary($tag);
	push @canaries, $canary;
	$sql =~ s/<C>/$canary/g;
	my $role = $params{role} // 'holder';
	my ($code, $out, $err) = $node->psql('postgres', "SET ROLE $role;\n$sql", extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	is(($err =~ /ERROR:\s+(\w+)/)[0] // 'done', $params{state} // 'done', "$tag: as it should end") or diag $err;
	unlike($err =~ s/^LINE \d+:.*//mgr, qr/$canary/, "$tag is not quoted") unless $params{told};
	return $out;
}
push @canaries, canary("value$_") for 1, 77, 300;
push @canaries, canary('common');
try('literal', "SELECT * FROM c WHERE v = '<C>'");
try('typed', "SELECT * FROM c WHERE v = '<C>'::text");
try('array', "SELECT * FROM c WHERE v IN ('<C>', 'x') OR v = ANY ('{<C>}')");
try('parameter', "PREPARE p AS SELECT * FROM c WHERE v = \$1; EXECUTE p('<C>')");
try('text parameter', "PREPARE p(text) AS SELECT * FROM c WHERE v = \$1; EXECUTE p('<C>')");
try('generic', "SET plan_cache_mode = force_generic_plan; PREPARE p(text) AS SELECT * FROM c WHERE v = \$1; EXECUTE p('<C>')");
try('explain', "EXPLAIN SELECT * FROM c WHERE w = '<C>'");
try('verbose', "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM c WHERE v = '<C>'");
try('join', "SELECT * FROM c JOIN (VALUES ('<C>')) AS g (t) ON v = t");
try('upsert', "INSERT INTO c (v) VALUES ('<C>') ON CONFLICT (v) DO UPDATE SET v = excluded.v");
try('again', "INSERT INTO c (v) VALUES ('<C>'); UPDATE c SET w = '<C>' WHERE v = '<C>'; DELETE FROM c WHERE w = '<C>'");
try('function', "DO \$\$ DECLARE x text := '<C>'; BEGIN PERFORM * FROM c WHERE v = x; END \$\$");
try('uniq', q(INSERT INTO c (v) SELECT md5('uniq')), state => '23505');
try('foreign', q(INSERT INTO child SELECT md5('foreign')), state => '23503');
try('no usage', "SELECT * FROM c WHERE v = '<C>'", role => 'nobody', state => '42501');
try('no usage, typed', "SELECT * FROM c WHERE v = '<C>'::text", role => 'nobody', state => '42501');
try('no usage, array', "SELECT * FROM c WHERE v IN ('<C>', 'x')", role => 'nobody', state => '42501');
try('no date', "SELECT * FROM c WHERE d = '<C>'", state => '22007');
try('no number', "SELECT * FROM c WHERE n = '<C>'", state => '22P02');
try('no number, array', "SELECT * FROM c WHERE n IN ('<C>', '7')", state => '22P02');
try('no date, parameter', "PREPARE p AS SELECT * FROM c WHERE d = \$1; EXECUTE p('<C>')", state => '22007');
try('unsearchable', "SELECT * FROM c WHERE s = '<C>'", state => '42883');
try('other type', "SELECT * FROM c WHERE n = '<C>'::text", state => '42883');
try('unbound', "SELECT array_position(ARRAY[v], '<C>') FROM c", state => '42P18');
try('order', "SELECT '<C>' FROM c ORDER BY v", state => '42883');
try('bound', "CREATE TABLE holder.bound PARTITION OF holder.listed FOR VALUES IN ('<C>')");
try('in a block', "DO \$\$ BEGIN PERFORM * FROM c WHERE v = '<C>'; END \$\$", role => 'nobody', state => '42501', told => 1);
try('executed', "DO \$\$ BEGIN EXECUTE 'SELECT * FROM c WHERE v = ''<C>'''; END \$\$", role => 'nobody', state => '42501', told => 1);
try('no date, executed', "DO \$\$ BEGIN EXECUTE 'SELECT * FROM c WHERE d = ''<C>'''; END \$\$", state => '22007', told => 1);
try('unsearchable, executed', "DO \$\$ BEGIN EXECUTE 'SELECT * FROM c WHERE s = ''<C>'''; END \$\$", state => '42883', told => 1);
try('not a constant', "SELECT count(*) FROM c WHERE v = (SELECT x FROM (VALUES ('<C>')) AS y (x)) OR s IS NULL", role => 'nobody', state => '42501');
try('revoked', "PREPARE p AS SELECT * FROM c WHERE v = '<C>'; EXECUTE p; RESET ROLE; REVOKE USAGE ON FOREIGN SERVER k FROM holder; SET ROLE holder; EXECUTE p", state => '42501');
$node->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER k TO holder');
$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
try('locked', "SELECT * FROM c WHERE v = '<C>'", state => '55000');
try('locked, typed', "SELECT * FROM c WHERE v = '<C>'::text", state => '55000');
try('locked, array', "SELECT * FROM c WHERE v IN ('<C>'::text, 'x')", state => '55000');
$node->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
$node->wait_unlocked;
try('copy', "COPY c (v, n) FROM STDIN;\n<C>\t<C>\n\\.\n", state => '22P02');
$node->safe_psql('postgres', 'ANALYZE c; REINDEX TABLE c; CHECKPOINT');
my %planted = map { $_ => canary($_) } qw(planted logged);
$node->safe_psql('postgres', "INSERT INTO plain SELECT md5('planted'); CHECKPOINT");
isnt($node->error_of("SELECT '$planted{logged}' / 'x'"), '', 'control: an error of PostgreSQL');
my $found = $node->traces(@canaries, values %planted);
ok($found->{ $planted{planted} }{base} && $found->{ $planted{planted} }{pg_wal}, 'control: a plain column is found in a file, and in the WAL');
ok($found->{ $planted{logged} }{log}, 'control: a literal is found in the log');
is_deeply($found->{$_} // {}, {}, "no trace of $_") for @canaries;
is($node->safe_psql('postgres', q(SELECT bool_and(most_common_vals::text ~ '^\{tc1:') FROM pg_stats WHERE tablename = 'c' AND attname = 'w' AND most_common_vals IS NOT NULL)),
	't', 'most common values stand sealed in the statistics');
done_testing();
