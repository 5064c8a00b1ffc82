# Goal of this test: after a backend, the key worker or the postmaster died in
# any way, values open again with nobody there; lock() survives a crash.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $node = ThemisCluster->ready('main',
	conf => "restart_after_crash = on\nlog_min_messages = info\n");
$node->safe_psql('postgres', <<'END');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER unused FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k));
CREATE TABLE t2 (v encrypted(unused));
INSERT INTO t VALUES ('one');
INSERT INTO t2 VALUES ('two');
END
my $both = 'SELECT t.v::text, t2.v::text FROM t, t2';

# Wait for a new postmaster's child: the crash has been dealt with.
sub after_crash
{
	my ($started) = @_;
	$node->poll_query_until('postgres',
		"SELECT backend_start > '$started' FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
	  or die 'no crash restart';
	return;
}

sub checkpointer_start
{
	return $node->safe_psql('postgres',
		q(SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'));
}

sub kill_hard
{
	my ($what, $pid) = @_;
	my $started = checkpointer_start();
	kill 'KILL', $pid;
	after_crash($started);
	return;
}

my $session = $node->background_psql('postgres', on_error_stop => 0);
is($session->query($both), 'one|two', 'values open');
kill_hard('backend', $session->query('SELECT pg_backend_pid()'));
$session->{run}->kill_kill;
is($node->safe_psql('postgres', $both), 'one|two', 'after kill -9 of a backend, too');

my $worker = $node->status('worker_pid');
kill_hard('worker', $worker);
is($node->safe_psql('postgres', $both), 'one|two', 'after kill -9 of the worker, too');
isnt($node->status('worker_pid'), $worker, 'there is another worker');

# An orderly end of the worker is no crash: sessions live on.
$session = $node->background_psql('postgres', on_error_stop => 0);
$session->query($both);
$worker = $node->status('worker_pid');
kill 'TERM', $worker;
is($session->query($both), 'one|two', 'keys in memory work while there is no worker');
$node->poll_query_until('postgres',
	"SELECT worker_pid <> $worker FROM themis_crypt.status()");
is($node->error_of(q(CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt)), '',
	'a new key waits for the new worker');
is($session->query($both), 'one|two', 'the session lives on');

# Again and again: no limit of the TPM is reached, nothing runs full.
for my $i (1 .. ($ENV{TC_LONG} ? 100 : 5))
{
	kill_hard('worker', $node->status('worker_pid'));
	$node->wait_unlocked;
}
is($node->safe_psql('postgres', $both), 'one|two', 'after several crashes, too');
is($node->status('state || attempts'), 'unlocked1', 'each time the first attempt succeeded');
$session->{run}->kill_kill;

$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
is($node->status('locked_by'), 'postgres', 'status tells who called lock()');
for my $who ('worker', 'backend')
{
	$session = $node->background_psql('postgres', on_error_stop => 0);
	kill_hard($who, $who eq 'worker' ? $node->status('worker_pid') :
		$session->query('SELECT pg_backend_pid()'));
	$session->{run}->kill_kill;
	$node->poll_query_until('postgres',
		'SELECT worker_pid IS NOT NULL FROM themis_crypt.status()');
	is($node->status('state'), 'locked', "lock() survives kill -9 of a $who");
	my $err = $node->error_of($both);
	like($err, qr/encryption keys are locked/, 'and values do not open');
	unlike($err, qr/Role ""/, 'the error names no role rather than an empty one');
}
$node->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
is($node->safe_psql('postgres', $both), 'one|two', 'unlock() opens them');

# A worker that ends while locked stays locked, too.
$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
$worker = $node->status('worker_pid');
kill 'TERM', $worker;
$node->poll_query_until('postgres', "SELECT worker_pid <> $worker FROM themis_crypt.status()");
is($node->status('state'), 'locked', 'lock() survives the end of the worker');

# Until the old processes are gone the data directory is taken.
$node->kill9;
for (1 .. 100)
{
	last if $node->start(fail_ok => 1);
	$node->stop('immediate', fail_ok => 1);
	select undef, undef, undef, 0.1;
}
is($node->safe_psql('postgres', $both), 'one|two',
	'after kill -9 of the postmaster values open: lock() ends with the server');
done_testing();
