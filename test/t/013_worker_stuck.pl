# Goal of this test: while the key worker does not answer, sessions can be
# cancelled, keys in memory work, and afterwards all goes on.
use strict;
use warnings;
use ThemisCluster;
use Test::More;

my $node = ThemisCluster->ready('main');
$node->safe_psql('postgres', <<'END');
DO $$ BEGIN FOR i IN 1 .. 6 LOOP
	PERFORM themis_crypt.create_key('k' || i);
	EXECUTE 'CREATE TABLE t' || i || ' (v encrypted(k' || i || '))';
	EXECUTE 'INSERT INTO t' || i || ' SELECT $1' USING 'v' || i;
END LOOP; END $$;
END
$node->restart;
$node->wait_unlocked;
is($node->safe_psql('postgres', 'SELECT v::text FROM t1'), 'v1', 'one key is in memory');

my $worker = $node->status('worker_pid');
kill 'STOP', $worker;

is($node->safe_psql('postgres', 'SELECT v::text FROM t1'), 'v1', 'that one works on, in other sessions too');
is($node->status('state'), 'unlocked', 'status() answers');
like($node->error_of(q(SET statement_timeout = '100ms'; SELECT v::text FROM t2)),
	qr/canceling statement due to statement timeout/, 'statement_timeout ends the wait');
like($node->error_of(q(SET statement_timeout = '100ms'; CREATE SERVER k7 FOREIGN DATA WRAPPER themis_crypt)),
	qr/canceling statement due to statement timeout/, 'that for a new key, too');

sub waiting
{
	my ($sql) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()');
	$session->{stdin} .= "$sql;\n\\echo 'over'\n";
	$session->{run}->pump_nb;
	$node->poll_query_until('postgres',
		"SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $pid")
	  or die 'does not wait';
	return ($session, $pid);
}

sub result
{
	my ($session) = @_;
	my $out = $session->query_until(qr/over\n/, '');
	$session->{run}->pump_nb;
	my $err = $session->{stderr};
	$session->{stderr} = '';
	return $err ne '' ? $err : $out;
}

my ($session, $pid) = waiting('SELECT v::text FROM t2');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
like(result($session), qr/canceling statement due to user request/, 'pg_cancel_backend() ends the wait');
is($session->query('SELECT v::text FROM t1'), 'v1', 'the session goes on');

my ($other, $other_pid) = waiting('SELECT v::text FROM t3');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($other_pid)");
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $other_pid"),
	'pg_terminate_backend() ends the session');
$other->{run}->kill_kill;

# Somebody else may have that one's request cell by now; nobody gets an answer
# that was meant for another.
my @waiting = map { (waiting("SELECT v::text FROM t$_"))[0] } 4 .. 6;
if ($ENV{TC_LONG})
{
	like($node->error_of('SELECT v::text FROM t2'), qr/did not answer in time/, 'after 10 s an error');
	like(result($_), qr/did not answer in time/, 'for all who wait') for @waiting;
	@waiting = map { (waiting("SELECT v::text FROM t$_"))[0] } 4 .. 6;
}
kill 'CONT', $worker;
is(result($waiting[$_ - 4]), "v$_\nover\n", "key $_ comes when the worker goes on") for 4 .. 6;
is($session->query('SELECT v::text FROM t2'), 'v2', 'and for the one that was cancelled');
is($node->safe_psql('postgres', q(SELECT count(*) FROM themis_crypt.keys WHERE name = 'k7')), '0',
	'a new key that was cancelled did not come to pass');

# lock() is the emergency brake: it acts without the worker, cancelled or not.
kill 'STOP', $worker;
like($node->error_of(q(SET statement_timeout = '100ms'; SELECT themis_crypt.lock())),
	qr/canceling statement due to statement timeout/, 'lock() waits for the worker to wipe');
like($node->error_of("SET statement_timeout = '100ms'; SELECT v::text FROM t1"),
	qr/canceling statement due to statement timeout/, 'but no key can be used any more');
kill 'CONT', $worker;
ok($node->wait_state('locked'), 'and the worker goes on with it');
$node->safe_psql('postgres', 'SELECT themis_crypt.unlock()');

# Stopped, then dead: those that wait are told or served, none hangs.
$node->safe_psql('postgres', 'SELECT themis_crypt.lock(); SELECT themis_crypt.unlock()');
kill 'STOP', $worker;
($session, $pid) = waiting('SELECT v::text FROM t2');
kill 'TERM', $worker;
kill 'CONT', $worker;
like(result($session), qr/^v2\n|encryption keys are not unlocked/, 'the end of the worker ends the wait');
$node->poll_query_until('postgres', "SELECT worker_pid <> $worker FROM themis_crypt.status()");
is($session->query('SELECT v::text FROM t2'), 'v2', 'the next worker serves it');
$_->quit for $session, @waiting;
done_testing();
