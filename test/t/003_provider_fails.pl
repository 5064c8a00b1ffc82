# Goal of this test: whatever is wrong with keyring or TPM, the server runs and
# says why, nothing is made anew, and unlock() works after the repair.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use File::Copy ();
use IO::Socket::UNIX;
use Socket ();
use Test::More;

my $node = ThemisCluster->ready('main', conf => "themis_crypt.unlock_timeout = 500ms\n");
my $stranger = ThemisCluster->new('stranger');
my $keyring = $node->keyring;
my $aside = "$keyring.aside";

$node->safe_psql('postgres', <<'END');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (i int, v encrypted(k));
INSERT INTO t VALUES (1, 'one');
CREATE DATABASE fresh;
END
$node->safe_psql('fresh', 'CREATE EXTENSION themis_crypt');
my $sealed = $node->safe_psql('postgres', 'SELECT v FROM t');
my $servers = 'SELECT srvname, srvoptions FROM pg_foreign_server ORDER BY 1';
my $keys = $node->safe_psql('postgres', $servers);
my $bytes = PostgreSQL::Test::Utils::slurp_file($keyring);

my $unlocked_not = qr/encryption keys are not unlocked/;

# Start with something broken, look, repair, unlock.
sub broken
{
	my ($what, $break, $reason, $repair) = @_;

	$node->stop;
	$break->();
	$node->start;
	$node->wait_state('failed');
	like($node->status('reason'), $reason, "$what: status says why");
	is($node->safe_psql('postgres', 'SELECT v FROM t'), $sealed, "$what: all else works");
	like($node->error_of('SELECT v::text FROM t'), $unlocked_not, "$what: values do not open");
	like($node->error_of(q(INSERT INTO t VALUES (2, 'two'))), $unlocked_not,
		"$what: nothing is stored unsealed");
	like($node->error_of('CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt', dbname => 'fresh'),
		$unlocked_not, "$what: no first key");
	like($node->error_of('SELECT themis_crypt.unlock()'), $reason, "$what: unlock() says why");

	$repair->();
	is($node->error_of('SELECT themis_crypt.unlock()'), '', "$what: unlock() after the repair");
	is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', "$what: values open");
	is(PostgreSQL::Test::Utils::slurp_file($keyring), $bytes, "$what: the keyring is as it was");
	return;
}

my $away = sub { rename $keyring, $aside or die "$keyring: $!" };
my $back = sub { rename $aside, $keyring or die "$keyring: $!" };
my $put = sub {
	my ($content) = @_;
	open my $file, '>', $keyring or die "$keyring: $!";
	print $file $content;
	close $file or die "$keyring: $!";
	chmod 0600, $keyring;
};

broken('no TPM', sub { $node->stop_tpm }, qr/key provider "tpm2": unavailable/,
	sub { $node->restart_tpm });
broken('no keyring', $away, qr/could not be opened: No such file/, $back);
broken('keyring of another machine',
	sub { $away->(); File::Copy::copy($stranger->keyring, $keyring); chmod 0600, $keyring },
	qr/sealed to another machine/, $back);
broken('mode', sub { chmod 0640, $keyring }, qr/is accessible to its group or to others/,
	sub { chmod 0600, $keyring });
broken('symbolic link', sub { $away->(); symlink $aside, $keyring }, qr/is a symbolic link/, $back);
broken('empty', sub { $put->('') }, qr/is empty/, sub { $put->($bytes) });
broken('zeros', sub { $put->("\0" x length $bytes) }, qr/is damaged/, sub { $put->($bytes) });
broken('one bit', sub { $put->($bytes ^ ("\0" x (length($bytes) - 1) . "\1")) },
	qr/wrong secret, or the keyring file was altered/, sub { $put->($bytes) });

# A file that is somebody else's: nobody but root could give ours away.
my $conf = sub { $node->adjust_conf('postgresql.conf', 'themis_crypt.keyring', "'$_[0]'") };
$node->stop;
$conf->('/etc/passwd');
$node->start;
$node->wait_state('failed');
like($node->status('reason'), $> == 0 ? qr/accessible/ : qr/has another owner than expected/,
	'owner: status says why');
# One that would lie in the data directory, and in every base backup.
$node->stop;
$conf->('keyring');
$node->start;
$node->wait_state('failed');
is($node->status('reason'), 'themis_crypt.keyring "keyring" is not an absolute path', 'a relative path: status says so');
$node->stop;
$conf->($keyring);
$node->start;

# A TPM that takes connections and never answers.
$node->stop;
$node->stop_tpm;
my ($path) = $node->tcti =~ /path=(.*)/;
unlink $path, "$path.ctrl";
my @silent = map {
	IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM, Local => $_, Listen => 5)
	  or die "$_: $!"
} $path, "$path.ctrl";
$node->start;
is($node->status('state'), 'starting', 'silent TPM: the server has started');
is($node->safe_psql('postgres', 'SELECT v FROM t'), $sealed, 'silent TPM: all else works');
like($node->error_of('SELECT v::text FROM t'), $unlocked_not,
	'silent TPM: opening waits no longer than unlock_timeout');
if ($ENV{TC_LONG})
{
	$node->wait_state('failed');
	like($node->status('reason'), qr/key provider "tpm2": did not answer in time/,
		'silent TPM: status says why');
}
is($node->error_of('SELECT themis_crypt.lock()'), '', 'silent TPM: lock() does not wait for it');
my $worker = $node->status('worker_pid');
is(`pgrep -P $worker -f themis-keyprov`, '', 'and leaves no provider behind');
close $_ for @silent;
unlink $path, "$path.ctrl";
$node->restart_tpm;
is($node->error_of('SELECT themis_crypt.unlock()'), '', 'silent TPM: unlock() after the repair');
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'silent TPM: values open');

# Two slots: the first one's TPM is away, which passes; the second denies, as
# for a wrong PIN, and must not be asked again just because of the first.
my $asked = $node->basedir . '/asked';
PostgreSQL::Test::Utils::append_to_file($asked, '');
my $command = "case \$1 in seal) cat >$asked.secret; echo blob;; unseal) echo x >>$asked; cat $asked.secret; test ! -e $asked.deny || exit 23;; esac";
my ($added, $said) = $node->keyring_tool('add-provider', '--provider', 'command', '--command', $command);
is($added, 0, 'a second slot') or diag($said);
$node->append_conf('postgresql.conf', "themis_crypt.provider_command = '" . $command . "'\n");
PostgreSQL::Test::Utils::append_to_file("$asked.deny", '');
unlink $asked;
$node->stop_tpm;
$node->restart;
$node->poll_query_until('postgres', 'SELECT attempts >= 3 FROM themis_crypt.status()');
is(PostgreSQL::Test::Utils::slurp_file($asked), "x\n", 'two slots: what was denied is not tried again by itself');
like($node->status('reason'), qr/slot 1: key provider "tpm2": unavailable.*; slot 2: key provider "command": denied/,
	'two slots: status says why of both');
like($node->error_of('SELECT themis_crypt.unlock()'), qr/slot 2: key provider "command": denied/, 'two slots: unlock() tries both');
is(PostgreSQL::Test::Utils::slurp_file($asked), "x\nx\n", 'and the second one once more');
unlink "$asked.deny";
is($node->error_of('SELECT themis_crypt.unlock()'), '', 'two slots: the second one opens');
is($node->status('provider'), 'command', 'and status says so');
$node->restart_tpm;

is($node->safe_psql('postgres', $servers), $keys, 'keys and root are as they were');
is($node->safe_psql('fresh', $servers), '', 'and none was made');
done_testing();
