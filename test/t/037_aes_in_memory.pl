# Goal of this test: keys of aes256gcm and aegis256 are in no ordinary memory
# either: no round key of AES, no key of GHASH, after values of all lengths.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $yama = '/proc/sys/kernel/yama/ptrace_scope';
plan skip_all => 'this kernel does not let us look into other processes'
  if $> != 0 && -e $yama && PostgreSQL::Test::Utils::slurp_file($yama) =~ /[1-9]/;
plan skip_all => 'missing python3' if system('python3 -c 1') != 0;

my $node = ThemisCluster->ready('main', conf => "shared_buffers = 1MB\n");
my $secret_readable = $node->status('memory') ne 'memfd_secret';
my $dir = PostgreSQL::Test::Utils::tempdir();
my @algorithms = grep { $node->error_of("CREATE SERVER $_ FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm '$_')") eq '' }
  qw(aegis256 aes256gcm);
plan skip_all => 'this CPU and libsodium have no AES' unless @algorithms;
note "algorithms: @algorithms";

my @lengths = (0, 1, 16, 64, 127, 128, 129, 256, 1000, 2000, 100000);
for my $algorithm (@algorithms)
{
	$node->safe_psql('postgres', <<"END");
CREATE TABLE t_$algorithm (i int, v encrypted($algorithm));
CREATE FUNCTION open_below_$algorithm(depth int, which int) RETURNS int LANGUAGE plpgsql AS \$\$
BEGIN
	IF depth > 0 THEN
		RETURN open_below_$algorithm(depth - 1, which);
	END IF;
	RETURN (SELECT length(v::text) FROM t_$algorithm WHERE i = which);
END \$\$;
CREATE FUNCTION seal_below_$algorithm(depth int, len int) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
	IF depth > 0 THEN
		PERFORM seal_below_$algorithm(depth - 1, len);
	ELSE
		INSERT INTO t_$algorithm SELECT len, repeat('x', len);
	END IF;
END \$\$;
END
}

# Each value is sealed and opened deeper in the stack than the next one, so that
# what a call leaves there stays until the scan.
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query('SELECT pg_backend_pid()');
for my $algorithm (@algorithms)
{
	my $depth = 60;
	for my $length (@lengths)
	{
		$session->query("SELECT seal_below_$algorithm($depth, $length)");
		$depth -= 2;
		is($session->query("SELECT open_below_$algorithm($depth, $length)"), $length, "$algorithm: $length bytes");
		$depth -= 2;
	}
	$session->query("DO \$\$ BEGIN INSERT INTO t_$algorithm SELECT -1, repeat('x', 1000); RAISE 'undo'; EXCEPTION WHEN raise_exception THEN NULL; END \$\$");
}
$session->query(q(SELECT set_config('tap.canary', 'canary in ' || 'ordinary memory', false)));

my $facts = $node->key_facts(@algorithms);
for my $algorithm (@algorithms)
{
	$facts .= "\nvalue $_" for split /\n/, $node->safe_psql('postgres', "SELECT v FROM t_$algorithm WHERE i < 3000");
}
PostgreSQL::Test::Utils::append_to_file("$dir/facts", "$facts\n");
my $provider = $node->provider_dir . '/themis-keyprov-tpm2';
is(system("test/lib/keyscan keys '" . $node->key_dir . "/recovery.key' '" . $node->keyring .
	"' '$provider' '" . $node->tcti . "' <'$dir/facts' >'$dir/patterns'"), 0, 'keys are derived');
my $patterns = PostgreSQL::Test::Utils::slurp_file("$dir/patterns");
is(scalar(() = $patterns =~ /^(?:aes-round-\d+-\d+|ghash-\d+|ghash-reversed-\d+) [0-9a-f]{32}$/mg),
	(grep { $_ eq 'aes256gcm' } @algorithms) ? 10 * 17 : 0, 'round keys and keys of GHASH of ten values');
is(scalar(() = $patterns =~ /^aegis-half-\d+-[01] [0-9a-f]{32}$/mg),
	(grep { $_ eq 'aegis256' } @algorithms) ? 2 : 0, 'and halves of keys of AEGIS');
PostgreSQL::Test::Utils::append_to_file("$dir/patterns", 'canary ' . unpack('H*', 'canary in ' . 'ordinary memory') . "\n");

# The names of what is found in ordinary memory, and in secret memory.
sub look
{
	my %found = (memory => '', secret => '');
	for my $line (split /\n/, `test/lib/keyscan '$dir/patterns' $pid 2>&1`)
	{
		my (undef, $where, undef, @names) = split / /, $line;
		$found{$where} = "@names";
	}
	return @found{qw(memory secret)};
}

my ($memory, $secret) = look();
is($memory, 'canary', 'no key in ordinary memory, and the scan finds a canary');
SKIP: {
	skip 'secret memory cannot be read', 2 unless $secret_readable;
	like($secret, qr/slot-key-0/, 'control: the key is found in locked memory');
	skip 'no aes256gcm', 1 unless grep { $_ eq 'aes256gcm' } @algorithms;
	like($secret, qr/aes-round-.*ghash-/, 'control: and so is a key schedule');
}
$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
($memory, $secret) = look();
is($memory, 'canary', 'after lock() as before in ordinary memory');
SKIP: {
	skip 'secret memory cannot be read', 1 unless $secret_readable;
	is($secret, '', 'and nothing in locked memory');
}
done_testing();
