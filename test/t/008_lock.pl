# Goal of this test: lock() acts on idle sessions and in the middle of scans,
# and lasts until unlock() or a restart; nothing is sealed meanwhile.
use strict;
use warnings;
use ThemisCluster;
use Test::More;

my $node = ThemisCluster->ready('main');
$node->safe_psql('postgres', <<'END');
CREATE ROLE guard;
GRANT EXECUTE ON FUNCTION themis_crypt.lock() TO guard;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (i int, v encrypted(k));
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10000) AS i;
CREATE TABLE searched (v encrypted(k, text, searchable));
INSERT INTO searched SELECT 'v' || i % 5 FROM generate_series(1, 1000) AS i;
END

my $locked = qr/encryption keys are locked.*Role "guard" called themis_crypt\.lock/s;

sub session
{
	my ($sql) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query($sql) if defined $sql;
	return $session;
}

# What a session says to a statement, errors first.
sub said
{
	my ($session, $sql) = @_;
	my $out = $session->query($sql);
	my $err = $session->{stderr};
	$session->{stderr} = '';
	return $err ne '' ? $err : $out;
}

# Statements that go on until they meet a lock: each row takes a while.
my %running = (
	scan => 'SELECT sum(length(v::text)) FROM t, LATERAL pg_sleep(0.01 + 0 * i)',
	sealing => q(INSERT INTO t SELECT i, 'new' || pg_sleep(0.01) FROM generate_series(20001, 30000) AS i),
	resealing => q(UPDATE t SET v = v::text || pg_sleep(0.01) WHERE i <= 10000));
my $idle = session('SELECT v::text FROM t WHERE i = 1');
my $open = session('BEGIN; DECLARE c CURSOR FOR SELECT v::text FROM t; FETCH 3 FROM c');
my %session;
for my $what (sort keys %running)
{
	my $session = $session{$what} = session("SET application_name = '$what'");
	$session->{stdin} .= "$running{$what};\n\\echo 'over'\n";
	$session->{run}->pump_nb;
	$node->poll_query_until('postgres',
		"SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE application_name = '$what'");
}

is($node->error_of('SET ROLE guard; SELECT themis_crypt.lock()'), '', 'locked');
is($node->status(q(state || ' ' || locked_by)), 'locked guard', 'status says so');
for my $what (sort keys %session)
{
	my $session = $session{$what};
	$session->query_until(qr/over\n/, '');
	$session->{run}->pump_nb;
	like($session->{stderr}, $locked, "$what ends at its next row");
	$session->quit;
}
like(said($idle, 'SELECT v::text FROM t WHERE i = 1'), $locked, 'an idle session opens no more');
like(said($open, 'FETCH 3 FROM c'), $locked, 'nor does an open cursor');
like(said($open, 'ROLLBACK; FETCH 3 FROM c'), qr/cursor "c" does not exist/, 'the session lives on');
like(said($idle, q(INSERT INTO t VALUES (0, 'zero'))), $locked, 'nothing is sealed');
like(said($idle, q(SELECT 'literal'::encrypted)), $locked, 'not even a literal');
like(said($idle, 'CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt'), $locked, 'no key is made');
like(said($idle, 'SELECT v FROM t WHERE i = 1'), qr/^tc1:/, 'sealed values are readable as such');
is($node->error_of('ANALYZE t, searched'), '', 'ANALYZE needs no key');
is($node->safe_psql('postgres', q(SELECT tablename || ' ' || n_distinct || ' ' || coalesce(most_common_freqs::text, 'none') FROM pg_stats WHERE attname = 'v' ORDER BY 1)),
	"searched 5 {0.2,0.2,0.2,0.2,0.2}\nt -1 none", 'and counts what is sealed');
is($node->error_of('SELECT themis_crypt.lock()'), '', 'lock() twice is no error');
is($node->status('locked_by'), 'postgres', 'the last one counts');

like($node->error_of('SET ROLE guard; SELECT themis_crypt.unlock()'),
	qr/permission denied for function unlock/, 'who may lock may not unlock');
$node->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
is(said($idle, 'SELECT v::text FROM t WHERE i = 1'), 'v1', 'after unlock() the idle session opens again');
is($node->safe_psql('postgres', q(SELECT count(*), count(*) FILTER (WHERE v::text = 'v' || i) FROM t)),
	'10000|10000', 'no value was lost or half written');

# Locking and unlocking under sessions that seal and open: errors, no lies.
my $pgbench = $node->background_psql('postgres', on_error_stop => 0);
$pgbench->query('CREATE TABLE busy (i int, v encrypted(k))');
$pgbench->quit;
my @busy = map { session() } 1 .. 3;
$_->{stdin} .= <<'END' x 20 . "\\echo 'over'\n" for @busy;
INSERT INTO busy SELECT i, i::text FROM generate_series(1, 500) AS i;
SELECT count(*) FROM busy WHERE v::text <> i::text;
END
for (1 .. 30)
{
	$_->{run}->pump_nb for @busy;
	$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
	$node->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
}
for my $session (@busy)
{
	my $out = $session->query_until(qr/over\n/, '');
	$session->{run}->pump_nb;
	unlike($out, qr/^[1-9]/m, 'no session ever opened a value to something else');
	is(join('', grep { !/encryption keys are|DETAIL|HINT/ } split /^/m, $session->{stderr}), '',
		'and none had another error');
	$session->quit;
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM busy WHERE v::text <> i::text'), '0',
	'whatever was sealed meanwhile opens');

$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
$_->quit for $idle, $open;
$node->restart;
is($node->safe_psql('postgres', 'SELECT v::text FROM t WHERE i = 1'), 'v1', 'a restart unlocks');
done_testing();
