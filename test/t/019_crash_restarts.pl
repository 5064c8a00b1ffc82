# Goal of this test: crash after crash the TPM is asked once for each, and
# nothing piles up: no object or session in the TPM, no descriptor, no process.
# A TPM that is away comes back with nobody there.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

plan skip_all => 'missing tpm2_getcap' if system('tpm2_getcap --version >/dev/null 2>&1') != 0;
my $times = $ENV{TC_LONG} ? 100 : 10;

# The provider tpm2 under another name, counted.
my $node = ThemisCluster->new('main');
my $dir = PostgreSQL::Test::Utils::tempdir();
my $counted = $node->provider_dir . "/themis-keyprov-counted-$$";
open my $file, '>', $counted or plan skip_all => 'the private installation cannot be written to';
END { unlink $counted if defined $counted && -e $counted }
print $file <<"END";
#!/bin/sh
echo "\$1" >>$dir/runs
[ "\$1" != unseal ] || ! [ -e $dir/slow ] || { setsid sleep 600.$$ & sleep 600.$$; }
exec @{[ $node->provider_dir ]}/themis-keyprov-tpm2 "\$1" --tcti @{[ $node->tcti ]}
END
close $file;
chmod 0755, $counted;

$node->make_keyring('--provider', "counted-$$");
$node->init;
$node->append_conf('postgresql.conf', "restart_after_crash = on\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION themis_crypt');
$node->wait_unlocked;
$node->safe_psql('postgres', <<'END');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k));
INSERT INTO t VALUES ('one');
END

sub runs
{
	my $n = () = PostgreSQL::Test::Utils::slurp_file("$dir/runs") =~ /unseal/g;
	unlink "$dir/runs";
	PostgreSQL::Test::Utils::append_to_file("$dir/runs", '');
	return $n;
}

sub descriptors
{
	my ($pid) = @_;
	return scalar(() = glob "/proc/$pid/fd/*");
}

sub in_tpm
{
	return join '', map { `tpm2_getcap -T '@{[ $node->tcti ]}' handles-$_` }
	  qw(transient loaded-session saved-session);
}

# Kill the key worker, or another process of the server: a crash all the same.
sub crash
{
	my ($who) = @_;
	my $pid = $who eq 'worker' ? $node->status('worker_pid') :
	  $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = '$who'");
	die "no $who" unless $pid =~ /^\d+$/ && $pid > 1;
	kill 'KILL', $pid;
	return;
}

open my $pid_file, '<', $node->data_dir . '/postmaster.pid' or die "postmaster.pid: $!";
chomp(my $postmaster = <$pid_file>);
my @before = (descriptors($postmaster), descriptors($node->status('worker_pid')));
system("tpm2_startauthsession -T '@{[ $node->tcti ]}' -S $dir/session");
isnt(in_tpm(), '', 'what is left in the TPM is seen');
system("tpm2_flushcontext -T '@{[ $node->tcti ]}' $dir/session");
is(in_tpm(), '', 'nothing is');

# One after the other.
runs();
for my $i (1 .. $times)
{
	my $worker = $node->status('worker_pid');
	crash($i % 2 ? 'worker' : 'walwriter');
	$node->poll_query_until('postgres',
		"SELECT state = 'unlocked' AND worker_pid <> $worker FROM themis_crypt.status()")
	  or die 'does not come back';
}
my $runs = runs();
cmp_ok($runs, '<=', $times, "$times crash restarts: the TPM is asked at most once for each");
cmp_ok($runs, '>=', $times - 1, 'and it is the TPM that opens the keyring');
is($node->status('state || attempts'), 'unlocked1', 'each first attempt has succeeded');
is(in_tpm(), '', 'nothing is left in the TPM');
is_deeply([ descriptors($postmaster), descriptors($node->status('worker_pid')) ], \@before,
	'no descriptor is left open');
is(`pgrep -f 'themis-keyprov[-]counted-$$'`, '', 'no process is left');
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'values open');

# Crashes while a provider hangs: it ends with the server, and what it started,
# even if that has left its process group.
sub sleeping
{
	return scalar(() = `pgrep -f 'sleep 600[.]$$'` =~ /^\d+$/mg);
}
PostgreSQL::Test::Utils::append_to_file("$dir/slow", '');
for my $i (1 .. 3)
{
	my $worker = $node->status('worker_pid');
	crash('walwriter');
	$node->poll_query_until('postgres', "SELECT state = 'starting' AND worker_pid <> $worker FROM themis_crypt.status()");
	for (1 .. 100)
	{
		last if sleeping() >= 2;
		select undef, undef, undef, 0.1;
	}
}
is(sleeping(), 2, 'of providers that hang, only the last is left');
unlink "$dir/slow";
$node->restart;
is(sleeping(), 0, 'and ends with the server');
$node->wait_unlocked;

# The TPM goes away, the server starts without, the TPM comes back.
my $from = length $node->log_from;
$node->stop_tpm;
$node->restart;
$node->wait_state('failed');
like($node->status('reason'), qr/unavailable: could not talk to the TPM/, 'without TPM the server starts, and says why');
$node->poll_query_until('postgres', 'SELECT attempts > 1 FROM themis_crypt.status()');
$node->restart_tpm;
ok($node->wait_unlocked, 'it unlocks when the TPM is back, with nobody there');
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'values open');
is(scalar(() = $node->log_from($from) =~ /could not unlock encryption keys/g), 1, 'that took one line of the log');
done_testing();
