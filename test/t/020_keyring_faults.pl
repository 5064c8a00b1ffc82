# Goal of this test: whatever has become of the keyring file, the server runs,
# stays sealed, names file and reason, and leaves file, folder and whatever a
# link leads to as they are; nothing is made anew, and the right file put back
# opens everything.  (test/unit/keyring_powerloss.sh lists the faults.)
use strict;
use warnings;
use ThemisCluster;
use File::Copy ();
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node = ThemisCluster->ready('main');
my $keyring = $node->keyring;
my $dir = $node->key_dir;

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

sub write_to
{
	my ($path, $content) = @_;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $content;
	close $file or die "$path: $!";
	chmod 0600, $path or die "$path: $!";
	return;
}

sub tool { my ($code, $said) = $node->keyring_tool(@_); die $said if $code; return }

# The right keyring, the one before it, and one of the same TPM made anew.
my $older = slurp_file($keyring);
tool('trust', '00112233445566778899aabbccddeeff', '0123456789abcdef0123456789abcdef');
my $right = slurp_file($keyring);
rename $keyring, "$keyring.kept" or die;
tool('init', '--recovery-pubkey', "$dir/recovery.pub");
my $other = slurp_file($keyring);
unlink $keyring;
rename "$keyring.kept", $keyring or die;
write_to("$dir/victim", $right);

my @watched = ($keyring, $dir, "$dir/victim", '/etc/passwd');

# Everything about a path that writing to it would change.
sub fingerprint
{
	my ($path) = @_;
	my @st = lstat $path or return 'nothing';
	my $content = -l _ ? readlink $path : -f _ && -r _ ? slurp_file($path) : '';
	return join ' ', @st[ 0 .. 7, 9, 10 ], unpack 'H*', $content;
}

sub stays_sealed
{
	my ($what, $reason) = @_;
	is($node->status('state'), 'failed', "$what: sealed");
	my $said = $node->status('reason');
	like($said, $reason, "$what: the reason");
	like($said, qr/keyring file "\Q$keyring\E"|key provider "(tpm2|none)"/, "$what: and what it is about");
	is($node->safe_psql('postgres', 'SELECT v FROM t'), $sealed, "$what: all else works");
	like($node->error_of('SELECT v::text FROM t'), qr/encryption keys are not unlocked/,
		"$what: values do not open");
	like($node->error_of('CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt', dbname => 'fresh'),
		qr/encryption keys are not unlocked/, "$what: no first key");
	return;
}

# Break the keyring while its keys are locked, try to unlock, or start again.
sub broken
{
	my ($what, $break, $reason, %how) = @_;
	my (@before, @after);

	if ($how{restart})
	{
		$node->stop;
		$break->();
		@before = map { fingerprint($_) } @watched;
		$node->start;
		$node->wait_state('failed');
	}
	else
	{
		$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
		$break->();
		@before = map { fingerprint($_) } @watched;
		like($node->error_of('SELECT themis_crypt.unlock()'), $reason, "$what: unlock() says why");
	}
	stays_sealed($what, $reason);
	@after = map { fingerprint($_) } @watched;
	is("@after", "@before", "$what: nothing was written");

	($how{repair} // sub { unlink $keyring; rmdir $keyring; write_to($keyring, $right) })->();
	is($node->error_of('SELECT themis_crypt.unlock()'), '', "$what: unlock() after the repair");
	is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', "$what: values open");
	return;
}

# Other bytes in the file.
sub bytes
{
	my ($what, $content, $reason, %how) = @_;
	broken($what, sub { write_to($keyring, $content) }, $reason, %how);
	return;
}

sub patched { my ($at, $new) = @_; my $copy = $right; substr($copy, $at, length $new) = $new; return $copy }

my $len = length $right;
# The slots are the same in both generations, so halves are of what follows.
($right ^ $older) =~ /[^\0]/ or die 'the same keyring twice';
my $payload_at = $-[0];
my $half = int(($payload_at + length $older) / 2);
my $damaged = qr/is damaged/;
my $wrong = qr/gave the wrong secret, or the keyring file was altered/;
cmp_ok(length $older, '<', $len, 'the two generations differ');

bytes('0 bytes', '', qr/is empty/, restart => 1);
bytes('zeros', "\0" x $len, $damaged);
bytes('ones', "\xff" x $len, $damaged, restart => 1);
bytes('half new, half old', substr($right, 0, $half) . substr($older, $half), $wrong);
bytes('half old, half new', substr($older, 0, $half) . substr($right, $half), $wrong);
bytes('new, as long as the old', substr($right, 0, length $older), $wrong);
bytes('half', substr($right, 0, $half), $damaged);
bytes('half, then zeros', substr($right, 0, $half) . "\0" x ($len - $half), $wrong);
bytes('a newline at its end', "$right\n", $wrong, restart => 1);
bytes('twice', $right x 2, qr/is damaged|wrong secret/);
bytes('a byte order mark', "\xef\xbb\xbf$right", $damaged);
bytes('as an editor keeps text', $right =~ s/[\x80-\xff]/?/gr, qr/is damaged|wrong secret|sealed to another/);
bytes('too large', $right . "\0" x 70000, qr/is larger than a keyring can be/);
bytes('a later version', patched(7, '2'), qr/was written by a newer version/);

# Its sizes.
my $name_len = ord substr $right, 26, 1;
my $policy_at = 27 + $name_len + 17;
my $policy_len = unpack 'v', substr $right, $policy_at, 2;
my $blob_at = $policy_at + 2 + $policy_len;
my $blob_len = unpack 'V', substr $right, $blob_at, 4;
cmp_ok($blob_at + 4 + $blob_len + 72 + 81, '<=', $len, 'the sizes are where src/FORMAT says');
for my $size (0, 1, 0xffff)
{
	bytes("$size slots", patched(24, pack 'v', $size), $damaged) unless $size == 1;
	bytes("a policy of $size bytes", patched($policy_at, pack 'v', $size),
		qr/is damaged|sealed to another|wrong secret/) unless $size == $policy_len;
}
bytes("a blob of $_ bytes", patched($blob_at, pack 'V', $_), $damaged)
  for 0, 0x7fffffff, 0xffffffff;
bytes('a provider without a name', patched(26, "\0"), $damaged);
bytes('a provider that is a path', patched(27, '../x'), $damaged);
bytes('a provider that is none', patched(27, 'none'), qr/key provider "none"/);

# A secret of the right size that is another's.
my $blob = substr $other, $blob_at + 4, $blob_len;
bytes('a wrong secret', patched($blob_at + 4, $blob), $wrong);
unlike($node->safe_psql('postgres', 'SELECT v::text FROM t'), qr/corrupt/, 'and no value was to blame');

# Another kind of file.
my $remove = sub { unlink $keyring or die "$keyring: $!" };
my $link = sub { my ($to) = @_; return sub { $remove->(); symlink $to, $keyring or die } };
broken('a symlink to a good one', $link->("$dir/victim"), qr/is a symbolic link/);
broken('a symlink to another file', $link->('/etc/passwd'), qr/is a symbolic link/);
broken('a symlink to nothing', $link->("$dir/nothing"), qr/is a symbolic link/);
broken('a symlink to itself', $link->($keyring), qr/is a symbolic link/);
ok(!-e "$dir/nothing", 'nothing was made behind a link');
broken('a FIFO', sub { $remove->(); system('mkfifo', '-m', '600', $keyring) }, qr/is not a regular file/);
broken('a folder', sub { $remove->(); mkdir $keyring, 0700 }, qr/is not a regular file/);
broken('two names', sub { unlink "$dir/second"; link $keyring, "$dir/second" or die },
	qr/has more than one hard link/, repair => sub { unlink "$dir/second" });

# Modes of the file, and of the folders above.
for my $mode (0644, 0777, 0620, 0604)
{
	broken(sprintf('mode %04o', $mode), sub { chmod $mode, $keyring or die },
		qr/is accessible to its group or to others, and must have mode 0600/);
}
for my $mode (04600, 02600)
{
	broken(sprintf('mode %04o', $mode), sub { chmod $mode, $keyring or die },
		qr/has a setuid, setgid or sticky bit/);
}
my $above = $node->basedir;
my $mode_above = (stat $above)[2] & 07777;
for my $folder ([ $dir, 0770 ], [ $dir, 0777 ], [ $above, 0775 ])
{
	my ($path, $mode) = @$folder;
	my $kept = (stat $path)[2] & 07777;
	broken(sprintf('%s has mode %04o', $path eq $dir ? 'its folder' : 'a folder above', $mode),
		sub { chmod $mode, $path or die },
		qr/is below "\Q$path\E", which its group or others may write to \(mode 0\d+\)/,
		repair => sub { chmod $kept, $path });
}
broken('its folder is a symlink', sub { rename $dir, "$dir.real" or die; symlink "$dir.real", $dir or die },
	qr/is below "\Q$dir\E", which is a symbolic link/,
	repair => sub { unlink $dir; rename "$dir.real", $dir or die });

# Bytes that are genuine, but of another time or place.
my $relock = sub {
	$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
	return $node->error_of('SELECT themis_crypt.unlock()');
};
write_to($keyring, $older);
is($relock->(), '', 'an older generation opens: nobody can tell it from a backup put back');
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'and so do all values');
write_to($keyring, $other);
is($relock->(), '', 'the keyring of another instance on this TPM opens');
like($node->error_of('SELECT v::text FROM t'), qr/cannot be opened by this machine/,
	'but no root that was not boxed to it');
like($node->error_of('CREATE SERVER more FOREIGN DATA WRAPPER themis_crypt'),
	qr/cannot be opened by this machine/, 'no second root is made where there is one');
write_to($keyring, $right);
is($relock->(), '', 'the right one again');
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'opens all');

# Deleted while the server runs.
$remove->();
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'deleted: what is open stays so');
$node->safe_psql('postgres', 'CREATE SERVER later FOREIGN DATA WRAPPER themis_crypt');
like($node->error_of('SELECT themis_crypt.unlock()') . $node->status(q(state || ': ' || reason)),
	qr/unlocked: keyring file "\Q$keyring\E": could not be opened: No such file/,
	'deleted: unlock() tells, and does not lock');
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'deleted: values still open');
$keys = $node->safe_psql('postgres', $servers);
broken('deleted, then a restart', sub { }, qr/could not be opened: No such file/, restart => 1);

is($node->safe_psql('postgres', $servers), $keys, 'keys and root are as they were');
is($node->safe_psql('fresh', $servers), '', 'and none was made');
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC:|TRAP:|terminated by signal|FATAL:(?!  the database system is (starting|shutting))/,
	'nothing worse was logged');
done_testing();
