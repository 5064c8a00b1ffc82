# Goal of this test: a provider that does anything but its duty is refused with
# a reason, within bounds; nothing of it stays, the server and its sessions do
# not notice, and what passes by itself passes without anybody.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Time::HiRes ();
use Test::More;

my $node = ThemisCluster->new('main', tpm => 0);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $program = "$dir/provider";

# The provider of this test: seals nothing, and does what it is told.
sub provider
{
	my ($body) = @_;
	open my $file, '>', "$program.new" or die "$program.new: $!";
	print $file <<"END";
#!/bin/sh
echo "\$1" >>$dir/runs
case \$1 in
	seal) cat >$dir/secret; echo blob; exit ;;
esac
cat >/dev/null
good() { cat $dir/secret; }
$body
END
	close $file or die "$program.new: $!";
	chmod 0700, "$program.new";
	rename "$program.new", $program or die "$program: $!";
	return;
}

sub runs
{
	return scalar(() = PostgreSQL::Test::Utils::slurp_file("$dir/runs") =~ /unseal/g);
}

# Whatever a provider of this test starts has our folder among its arguments,
# or sleeps for this long.
my $nap = "600.$$";

sub residue
{
	my @found;
	for my $file (glob '/proc/[0-9]*/cmdline')
	{
		open my $process, '<', $file or next;
		my $line = <$process> // '';
		$line =~ tr/\0/ /;
		push @found, $line if $line =~ m{\Q$program\E|sleep \Q$nap\E};
	}
	return join "\n", @found;
}

provider('good');
$node->make_keyring('--provider', 'command', '--command', "$program \"\$1\"");
$node->init;
$node->append_conf('postgresql.conf', <<"END");
themis_crypt.provider_command = '$program "\$1"'
themis_crypt.unlock_timeout = 1s
END

# Programs like those that providers use, first in the server's PATH.
mkdir "$dir/evil";
for my $name (qw(sh cat head wc sleep env themis-keyprov-command systemd-creds tpm2_unseal pkcs11-tool))
{
	PostgreSQL::Test::Utils::append_to_file("$dir/evil/$name", "#!/bin/sh\necho $name >>$dir/evil.ran\n");
	chmod 0755, "$dir/evil/$name";
}
{
	local $ENV{PATH} = "$dir/evil:$ENV{PATH}";
	$node->start;
}
$node->safe_psql('postgres', 'CREATE EXTENSION themis_crypt');
$node->wait_unlocked;
my $postmaster = $node->safe_psql('postgres', 'SHOW data_directory');
open my $pid_file, '<', "$postmaster/postmaster.pid" or die "postmaster.pid: $!";
chomp($postmaster = <$pid_file>);
like(PostgreSQL::Test::Utils::slurp_file("/proc/$postmaster/environ"), qr/PATH=\Q$dir\E\/evil/,
	'the server has an evil folder first in its PATH');
ok(!-e "$dir/evil.ran", 'and no program from there has run');
is($node->status('provider || binding'), 'commandexternal', 'provider and binding are told');
$node->safe_psql('postgres', <<'END');
SET themis_crypt.allow_no_recovery = on;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k));
INSERT INTO t VALUES ('one');
END
my $open = 'SELECT v::text FROM t';

# An attempt that fails, in a server without keys.
sub refused
{
	my ($what, $body, $reason, $hint) = @_;
	$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
	provider($body);
	my $start = Time::HiRes::time();
	my $err = $node->error_of('SET themis_crypt.unlock_timeout = 60000; SELECT themis_crypt.unlock()');
	cmp_ok(Time::HiRes::time() - $start, '<', 25, "$what: within bounds");
	like($err, $reason, "$what: refused");
	like($err, $hint // qr/HINT:  Mend the cause, then call themis_crypt.unlock\(\)/, "$what: a hint")
	  if !defined $hint || $hint ne '';
	is($node->status('state'), 'failed', "$what: state");
	is(residue(), '', "$what: nothing stays");
	return;
}

my $failed = qr/key provider "command": failed/;
refused('10 MB', 'head -c 10000000 /dev/zero', qr/$failed: wrote more than a provider may/);
refused('10 MB of reasons', 'head -c 10000000 /dev/zero | tr "\0" x >&2; exit 23',
	qr/"command": denied: x{500}$/m, qr/HINT:  Correct the PIN or the permission/);
refused('binary', 'head -c 16000 /dev/urandom', qr/$failed: gave 16000 bytes instead of 32/);
refused('binary reason', 'printf "a\001\377\033[2Jb\n" >&2; exit 1', qr/$failed: a\?\?\?\[2Jb$/m);
refused('nothing', 'exec >/dev/null; exit 1', $failed);
refused('nothing, well', 'exit 0', qr/$failed: gave 0 bytes instead of 32/);
refused('31 bytes', 'good | head -c 31', qr/$failed: gave 31 bytes instead of 32/);
refused('33 bytes', 'good; echo', qr/$failed: gave 33 bytes instead of 32/);
refused('another secret', 'good | tr "\000-\377" "\001-\377\000"', qr/gave the wrong secret/,
	qr/HINT:  Restore the keyring file/);
refused('the secret and a failure', 'good; exit 1', $failed);
refused('exit 139', 'exit 139', $failed);
refused('a crash', 'good; kill -SEGV $$', $failed);
refused('a daemon', "setsid sh -c 'sleep $nap; : $program' </dev/null >/dev/null 2>&1 & exit 21",
	qr/"command": the policy is not met/, qr/HINT:  Undo what changed/);
refused('20', 'exit 20', qr/"command": sealed to another machine/, qr/HINT:  If this machine or its TPM was replaced/);

# As 10 it is tried again, for as long as it takes, and told once.
my $from = length $node->log_from;
refused('10', 'echo "no network" >&2; exit 10', qr/"command": unavailable: no network/,
	qr/HINT:  This will be tried again/);
my $attempts = $node->status('attempts');
$node->poll_query_until('postgres', "SELECT attempts > $attempts FROM themis_crypt.status()");
is($node->status('next_retry > now()'), 't', 'the next try is told');
provider('echo "no route" >&2; exit 11');
$node->poll_query_until('postgres', q(SELECT reason ~ 'busy: no route' FROM themis_crypt.status()));
provider('good');
ok($node->wait_unlocked, 'when the provider is back, so are the keys, with nobody there');
is($node->safe_psql('postgres', $open), 'one', 'values open');
is(join('', $node->log_from($from) =~ /LOG: +could not unlock encryption keys: .*: (no \w+)$/mg), 'no networkno route',
	'each cause is in the log once');

# The worst of all, at the start of the server: never ends, ignores signals,
# its daemon holds the pipes.
$node->stop;
my @hangs = ("trap '' TERM HUP INT; setsid sh -c 'sleep $nap; : $program' & sleep $nap; sleep $nap");
push @hangs, "trap '' TERM HUP INT; sleep $nap; sleep $nap",
  "setsid sh -c 'sleep $nap; : $program' & good", 'kill -STOP $$' if $ENV{TC_LONG};
for my $hang (@hangs)
{
	$from = length $node->log_from;
	provider($hang);
	my $start = Time::HiRes::time();
	$node->start;
	is($node->status('state'), 'starting', "the server starts beside: $hang");
	like($node->error_of($open), qr/encryption keys are not unlocked/, 'statements wait for unlock_timeout');
	cmp_ok(Time::HiRes::time() - $start, '<', 12, 'and no longer');
	isnt(residue(), '', 'the provider is there');
	$node->wait_state('failed');
	cmp_ok(Time::HiRes::time() - $start, '<', 22, 'it has a deadline');
	like($node->status('reason'), qr/"command": did not answer in time/, 'status says why');

	# In a second it runs again, and nobody waits for that.
	$node->poll_query_until('postgres', 'SELECT next_retry IS NULL FROM themis_crypt.status()');
	isnt(residue(), '', 'the provider is there again');
	like($node->error_of("SET statement_timeout = '3s'; $open"), qr/encryption keys are not unlocked/,
		'no session waits for it any more');
	is($node->error_of('SELECT themis_crypt.lock()'), '', 'lock() ends it');
	is(residue(), '', 'and nothing stays');
	provider('good');
	is($node->error_of('SELECT themis_crypt.unlock()'), '', 'unlock() when it is back');
	is($node->safe_psql('postgres', $open), 'one', 'values open');
	is(scalar(() = $node->log_from($from) =~ /LOG: +could not unlock encryption keys/g), 1, 'one line in the log');
	$node->stop if $hang ne $hangs[-1];
}

# Signals end a provider with the worker, whatever it does.
provider($hangs[0]);
$node->restart;
isnt(residue(), '', 'a provider hangs');
$node->stop('fast');
is(residue(), '', 'it ends with the server');
provider('good');
$node->start;
$node->wait_unlocked;

# Settings of providers are those of the start, whatever the file says.
$from = length $node->log_from;
my $runs = runs();
$node->append_conf('postgresql.conf', <<"END");
themis_crypt.provider_command = '/nonexistent'
themis_crypt.require_unlocked = on
themis_crypt.unlock_timeout = 'soon'
END
$node->reload;
$node->poll_query_until('postgres', q(SELECT count(*) = 3 FROM pg_file_settings WHERE name ~ '^themis' AND error IS NOT NULL))
  or die 'no error';
$node->wait_for_log(qr/invalid value for parameter "themis_crypt.unlock_timeout": "soon"/, $from);
like($node->log_from($from), qr/parameter "themis_crypt.provider_command" cannot be changed without restarting the server/,
	'PostgreSQL says what is wrong');
is($node->safe_psql('postgres', q(SELECT setting FROM pg_settings WHERE name = 'themis_crypt.unlock_timeout')), '1000',
	'the old setting stays');
is($node->safe_psql('postgres', q(SELECT pending_restart FROM pg_settings WHERE name = 'themis_crypt.provider_command')), 't',
	'PostgreSQL knows that a restart is due');
is($node->error_of('SELECT themis_crypt.unlock()'), '', 'unlock() works on');
is(runs(), $runs + 1, 'through the old command');
is($node->safe_psql('postgres', $open), 'one', 'values open');
$node->append_conf('postgresql.conf', <<"END");
themis_crypt.provider_command = '$program "\$1"'
themis_crypt.require_unlocked = off
themis_crypt.unlock_timeout = '2s'
END
$node->reload;
ok($node->poll_query_until('postgres', q(SELECT setting = '2000' FROM pg_settings WHERE name = 'themis_crypt.unlock_timeout')),
	'a good file is taken');
like($node->error_of(q(ALTER SYSTEM SET themis_crypt.provider_command = 'x')),
	qr/parameter "themis_crypt.provider_command" cannot be changed/, 'ALTER SYSTEM does not set the command');
like($node->error_of(q(SET themis_crypt.provider_command = 'x')),
	qr/parameter "themis_crypt.provider_command" cannot be changed/, 'nor does a session');
$node->safe_psql('postgres', 'CREATE ROLE regress_nobody');
like($node->error_of('SET ROLE regress_nobody; SHOW themis_crypt.provider_command'), qr/must be superuser or|permission denied to examine/,
	'who is no superuser does not see it');
ok(!-e "$dir/evil.ran", 'no program of the evil folder has run');
done_testing();
