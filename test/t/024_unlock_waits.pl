# Goal of this test: unlock() tells the outcome of an attempt at what the
# keyring holds now, whatever else happens while it waits; and what only the
# moment is to blame for passes without anybody.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $node = ThemisCluster->new('main', tpm => 0);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $program = "$dir/provider";

# Its blob is the name of a file with the secret.  It waits while there is a
# file "hold", and then fails if there is a file "deny".
open my $file, '>', $program or die "$program: $!";
print $file <<"END";
#!/bin/sh
[ "\$1" != seal ] || { f=\$(mktemp $dir/secret.XXXXXX); cat >\$f; printf %s \$f; exit; }
echo x >>$dir/runs
[ ! -e $dir/hold ] || sleep 600
[ ! -e $dir/deny ] || exit 23
cat "\$(cat)"
END
close $file or die "$program: $!";
chmod 0700, $program;

sub put { PostgreSQL::Test::Utils::append_to_file("$dir/$_[0]", 'x'); return }

my @command = ('--provider', 'command', '--command', "$program \"\$1\"");
$node->make_keyring(@command);
$node->init;
$node->append_conf('postgresql.conf', <<"END");
themis_crypt.provider_command = '$program "\$1"'
themis_crypt.unlock_timeout = 60s
END
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION themis_crypt');
$node->wait_unlocked;

# A session that calls unlock(), once its provider is running; what it says.
sub unlocking
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	unlink "$dir/runs";
	$session->{stdin} .= "SELECT themis_crypt.unlock();\n\\echo 'over'\n";
	$session->{run}->pump_nb;
	for (1 .. 600)
	{
		last if -e "$dir/runs";
		$session->{run}->pump_nb;
		select undef, undef, undef, 0.1;
	}
	die 'no provider has run' unless -e "$dir/runs";
	return $session;
}

sub said
{
	my ($session) = @_;
	$session->query_until(qr/over\n/, '');
	$session->{run}->pump_nb;
	my $err = $session->{stderr};
	$session->quit;
	return $err;
}

# Locked meanwhile, by another session.
put('hold');
my $session = unlocking();
$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
like(said($session), qr/encryption keys are locked\nDETAIL:  Role "postgres" called/, 'locked while unlock() waits: it says so');
unlink "$dir/hold";

# The worker ends: the next one tries, and its outcome is the one that counts,
# whether it has the same number or another one.
put('deny');
for my $before (1, 3)
{
	$node->restart;
	$node->poll_query_until('postgres', 'SELECT attempts = 1 FROM themis_crypt.status()');
	$node->error_of('SELECT themis_crypt.unlock()') for 2 .. $before;
	is($node->status('attempts'), $before, "after attempt $before");
	kill 'TERM', $node->status('worker_pid');
	like($node->error_of('SELECT themis_crypt.unlock()'), qr/could not unlock encryption keys: key provider "command": denied/,
		'unlock() over a restart of the worker waits for the outcome');
	is($node->status('state'), 'failed', 'which is the one that status() has');
}
unlink "$dir/deny";
is($node->error_of('SELECT themis_crypt.unlock()'), '', 'unlocked');

# The keyring is replaced while an attempt is under way.
my $before = $node->status('public_key');
put('hold');
$session = unlocking();
unlink "$dir/hold";
$node->make_keyring(@command);
is($node->error_of('SELECT themis_crypt.unlock()'), '', 'unlock() beside an attempt at an older keyring');
isnt($node->status('public_key'), $before, 'takes the keyring as it is now');
is(said($session), '', 'and so does the one that has waited');

# An attempt at the same keyring is not made twice: it may cost a try at a PIN.
put('hold');
$session = unlocking();
my $attempts = $node->status('attempts');
like($node->error_of('SET themis_crypt.unlock_timeout = 500; SELECT themis_crypt.unlock()'), qr/has not answered yet/,
	'unlock() beside an attempt at the same keyring waits for that');
is(PostgreSQL::Test::Utils::slurp_file("$dir/runs"), "x\n", 'and runs no other provider');
unlink "$dir/hold";
$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
like(said($session), qr/encryption keys are locked/, 'lock() ends it');

# No process to be had: that passes, and no provider has seen a PIN.
SKIP:
{
	my $worker = $node->status('worker_pid');
	my ($soft, $hard) = `prlimit --noheadings --raw -o SOFT,HARD --nproc --pid $worker` =~ /^(\w+) (\w+)$/;
	skip 'missing prlimit', 3 unless defined $hard;
	skip 'root has no limit on processes', 3 if $> == 0;
	system('prlimit', '--pid', $worker, "--nproc=1:$hard") == 0 or die 'prlimit failed';
	like($node->error_of('SELECT themis_crypt.unlock()'),
		qr/could not run key provider "command": .*\nHINT:  This will be tried again/, 'no process for a provider');
	isnt($node->status('next_retry'), '', 'it will be tried again');
	system('prlimit', '--pid', $worker, "--nproc=$soft:$hard") == 0 or die 'prlimit failed';
	ok($node->wait_unlocked, 'and then there is one');
}

# A reason that is too long is cut between characters.
$node->stop;
$node->adjust_conf('postgresql.conf', 'themis_crypt.keyring', "'/x" . ("\303\251" x 700) . "'");
$node->start;
$node->wait_state('failed');
like($node->status(q(convert_from(textsend(reason), 'UTF8'))), qr/\303\251\z/, 'a reason with long names is valid text');
done_testing();
