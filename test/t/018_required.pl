# Goal of this test: with require_unlocked a server starts with its keys or not
# at all, and its postmaster never has them; with require_hardware_binding only
# what is bound to a TPM unlocks.
use strict;
use warnings;
use ThemisCluster;
use IPC::Run ();
use PostgreSQL::Test::Utils ();
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $program = "$dir/provider";

# A provider of ours, as the program of the provider "command".
sub provider
{
	my ($body) = @_;
	open my $file, '>', "$program.new" or die "$program.new: $!";
	print $file "#!/bin/sh\necho \"\$1\" >>$dir/runs\n[ \"\$1\" != seal ] || { f=\$(mktemp $dir/secret.XXXXXX); cat >\$f; printf %s \$f; exit; }\n$body\n";
	close $file or die "$program.new: $!";
	chmod 0700, "$program.new";
	rename "$program.new", $program or die "$program: $!";
	return;
}

sub runs
{
	my $n = () = PostgreSQL::Test::Utils::slurp_file("$dir/runs") =~ /unseal/g;
	unlink "$dir/runs";
	PostgreSQL::Test::Utils::append_to_file("$dir/runs", '');
	return $n;
}

# A blob is the name of a file.
my $good = 'cat "$(cat)"';
provider($good);
my $node = ThemisCluster->new('main', tpm => 0);
$node->make_keyring('--provider', 'command', '--command', "$program \"\$1\"");
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<"END");
themis_crypt.provider_command = '$program "\$1"'
themis_crypt.require_unlocked = on
themis_crypt.allow_no_recovery = on
restart_after_crash = on
END
runs();
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION themis_crypt');
$node->wait_unlocked;
is(runs(), 2, 'the provider runs twice: before the start, and for the key worker');
$node->safe_psql('postgres', <<'END');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k));
INSERT INTO t VALUES ('one');
END
my $open = 'SELECT v::text FROM t';

# The provider's secret is nowhere in the postmaster, nor is it in the worker
# outside of secret memory; this process, which has read it, is the control.
my $yama = '/proc/sys/kernel/yama/ptrace_scope';
SKIP:
{
	skip 'this kernel does not let us look into other processes', 2
	  if $> != 0 && -e $yama && PostgreSQL::Test::Utils::slurp_file($yama) =~ /[1-9]/;
	skip 'missing python3', 2 if system('python3 -c 1') != 0;
	open my $pid_file, '<', $node->data_dir . '/postmaster.pid' or die "postmaster.pid: $!";
	chomp(my $postmaster = <$pid_file>);
	my $secret = PostgreSQL::Test::Utils::slurp_file(glob "$dir/secret.*");
	PostgreSQL::Test::Utils::append_to_file("$dir/patterns", 'secret ' . unpack('H*', $secret) . "\n");
	my $found = `test/lib/keyscan $dir/patterns $$ $postmaster`;
	like($found, qr/^$$ memory \d+ secret/m, 'the scan finds what is there');
	like($found, qr/^$postmaster memory \d{6,}$/m, 'the postmaster has not even the secret of the provider');
}

# Start what must not start; what it says.
sub does_not_start
{
	my ($what, $reason) = @_;
	my $from = length $node->log_from;
	$node->stop;
	is($node->start(fail_ok => 1), 0, "$what: the server does not start");
	my $log = $node->log_from($from);
	like($log, qr/FATAL: +could not unlock encryption keys: $reason/, "$what: and says why");
	like($log, qr/HINT: .*turn themis_crypt.require_unlocked off/, "$what: and what to do");
	ok(!-e $node->data_dir . '/postmaster.pid', "$what: it leaves no process behind");
	provider($good);
	$node->start;
	$node->wait_unlocked;
	is($node->safe_psql('postgres', $open), 'one', "$what: when it is mended, the server starts");
	return;
}

provider('echo "no network" >&2; exit 10');
does_not_start('unavailable', 'key provider "command": unavailable: no network');
provider("$good | head -c 31");
does_not_start('short', 'key provider "command": failed: gave 31 bytes');
provider('cat >/dev/null; head -c 32 /dev/zero');
does_not_start('wrong', 'key provider "command" gave the wrong secret');
if ($ENV{TC_LONG})
{
	provider('sleep 600');
	does_not_start('hanging', 'key provider "command": did not answer in time');
}

# A crash is not a start: sessions come first.
provider('exit 1');
runs();
my $from = length $node->log_from;
kill 'KILL', $node->status('worker_pid');
$node->wait_for_log(qr/could not unlock encryption keys: key provider "command": failed/, $from);
$node->poll_query_until('postgres', q(SELECT state = 'failed' FROM themis_crypt.status()));
is(runs(), 1, 'after a crash the server goes on without keys');
provider($good);
is($node->error_of('SELECT themis_crypt.unlock()'), '', 'and takes them later');

# Who stops a server that is still trying does not wait.
$node->stop;
provider('echo >' . "$dir/hangs; sleep 600.$$; true");
my @postgres = ($node->installed_command('postgres'), '-D', $node->data_dir);
my $err = '';
my $server = IPC::Run::start(\@postgres, '<', \undef, '>', \$err, '2>&1', IPC::Run::timeout(60));
for (1 .. 300)
{
	last if -e "$dir/hangs";
	select undef, undef, undef, 0.1;
}
$server->signal('INT');
$server->finish;
like($err, qr/FATAL: +could not unlock encryption keys: the server was told to stop/, 'a start ends when it is told to');
is(`pgrep -f 'sleep 600[.]$$'`, '', 'with its provider');

# Single-user mode is there to mend things, and never has keys.
unlink "$dir/hangs";
runs();
my $out = '';
IPC::Run::run([ $node->installed_command('postgres'), '--single', '-D', $node->data_dir, 'postgres' ],
	'<', \"SELECT 'sin' || 'gle'\n", '>', \$out, '2>&1', IPC::Run::timeout(60));
like($out, qr/= "single"/, 'single-user mode starts');
is(runs(), 0, 'and runs no provider');

# A standby replays, keys or not.
provider($good);
$node->start;
$node->wait_unlocked;
$node->backup('base');
my $standby = ThemisCluster->new('standby', machine => $node);
$standby->init_from_backup($node, 'base', has_streaming => 1);
provider('exit 21');
$standby->start;
$node->safe_psql('postgres', 'CREATE TABLE later (i int)');
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT count(*) FROM later'), '0', 'a standby starts and replays without keys');
like($standby->log_from, qr/WARNING: +could not unlock encryption keys: .*the policy is not met/, 'and says so');
$standby->stop;
provider($good);

# A provider with another name, that says it is bound to a TPM.
my $fake = $node->provider_dir . "/themis-keyprov-fake-$$";
my $made = open my $file, '>', $fake;
END { unlink $fake if defined $fake && -e $fake }
SKIP:
{
	skip 'the private installation cannot be written to', 12 unless $made;
	print $file "#!/bin/sh\ncase \$1 in info) echo binding=tpm2 ;; *) exec $program \"\$1\" ;; esac\n";
	close $file;
	chmod 0755, $fake;
	$node->append_conf('postgresql.conf', <<"END");
themis_crypt.require_unlocked = off
themis_crypt.require_hardware_binding = on
END
	runs();
	$from = length $node->log_from;
	$node->restart;
	$node->wait_state('failed');
	like($node->status('reason'), qr/^key provider "command": its binding "external" is not to a TPM$/,
		'a provider that is not bound to a TPM does not unlock');
	is(runs(), 0, 'it is not even run');
	like($node->log_from($from), qr/HINT: .*themis-keyring add-provider/, 'the log says what to do');
	like($node->error_of('SELECT themis_crypt.unlock()'), qr/not to a TPM\nHINT: .*require_hardware_binding off/, 'so does unlock()');

	rename $node->keyring, $node->keyring . '.external';
	$node->make_keyring('--provider', "fake-$$");
	is($node->error_of('SELECT themis_crypt.unlock()'), '', 'one that is bound to a TPM does');
	is($node->status('binding'), 'tpm2', 'as the keyring has recorded');

	# Both in one keyring, the external one first.
	rename $node->keyring . '.external', $node->keyring;
	PostgreSQL::Test::Utils::system_or_bail($node->installed_command('themis-keyring'), 'add-provider',
		'--keyring', $node->keyring, '--provider', "fake-$$", '--command', "$program \"\$1\"");
	runs();
	$node->restart;
	$node->wait_unlocked;
	is($node->status('provider'), "fake-$$", 'a slot that may not is passed over');
	is(runs(), 1, 'and not run');
	is($node->safe_psql('postgres', $open), 'one', 'values open');
	provider('head -c 600 /dev/zero | tr "\0" x >&2; exit 23');
	$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
	like($node->error_of('SELECT themis_crypt.unlock()'),
		qr/slot 1: key provider "command": its binding "external" is not to a TPM; slot 2: key provider "fake-$$": denied: x+\.\.\.$/m,
		'the reason names each slot');
	$node->append_conf('postgresql.conf', 'themis_crypt.require_hardware_binding = off');
	$node->restart;
	$node->wait_state('failed');
	like($node->status('reason'),
		qr/^slot 1: key provider "command": denied: x{400,}\.\.\.; slot 2: key provider "fake-$$": denied: x{400,}\.\.\.$/,
		'and leaves room for each');
	provider($good);
	is($node->error_of('SELECT themis_crypt.unlock()'), '', 'in the end all is well');
}
done_testing();
