# Goal of this test: no key is in the memory or a core of a server process
# outside secret memory, and after lock() nowhere; the scan finds a canary.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

# A process may look into another of its user's only where the kernel lets it.
my $yama = '/proc/sys/kernel/yama/ptrace_scope';
plan skip_all => 'this kernel does not let us look into other processes'
  if $> != 0 && -e $yama && PostgreSQL::Test::Utils::slurp_file($yama) =~ /[1-9]/;
plan skip_all => 'missing python3' if system('python3 -c 1') != 0;

my $node = ThemisCluster->ready('main', conf => "shared_buffers = 1MB\n");
my $secret_readable = $node->status('memory') ne 'memfd_secret';
my $dir = PostgreSQL::Test::Utils::tempdir();
my $scan = 'test/lib/keyscan';

$node->safe_psql('postgres', <<'END');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER sip FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'siphash128');
CREATE TABLE t (i int, v encrypted(k));
CREATE TABLE s (i int, v encrypted(k, text, searchable), n encrypted(k, numeric, searchable), d encrypted(sip, text, searchable));
CREATE INDEX ON s USING hash (v);
CREATE FUNCTION search_below(depth int, word text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	IF depth > 0 THEN
		RETURN search_below(depth - 1, word);
	END IF;
	RETURN (SELECT count(*) FROM s WHERE v = word) + (SELECT count(*) FROM s WHERE n = length(word)) + (SELECT count(*) FROM s WHERE d = word);
END $$;
CREATE FUNCTION open_below(depth int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF depth > 0 THEN
		RETURN open_below(depth - 1);
	END IF;
	RETURN (SELECT v::text FROM t WHERE i = 9);
END $$;
END

# A backend that did all there is to do with keys, failures included.  What the
# last one left on the stack, deep down, nothing writes over before the scan.
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query(<<'END');
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 5) AS i;
INSERT INTO t SELECT 6, repeat('x', 100000);
INSERT INTO t VALUES (7, 'literal');
DO $$ BEGIN INSERT INTO t SELECT 8, 'undone'; RAISE 'undo'; EXCEPTION WHEN raise_exception THEN NULL; END $$;
DO $$ BEGIN PERFORM v::text FROM t; END $$;
DO $$ BEGIN PERFORM (v::text)::int FROM t; EXCEPTION WHEN invalid_text_representation THEN NULL; END $$;
INSERT INTO s VALUES (1, 'short', 5, 'short');
INSERT INTO s SELECT i, repeat('w', 50 * i), 50 * i, repeat('w', 50 * i) FROM generate_series(2, 9) AS i;
INSERT INTO s VALUES (10, repeat('w', 100000), 100000, repeat('w', 100000));
UPDATE s SET n = -5, d = 'literal' WHERE v = 'short';
DO $$ BEGIN PERFORM count(*) FROM s WHERE v IN ('short', 'literal', repeat('w', 100)); END $$;
DO $$ BEGIN INSERT INTO s VALUES (11, 'undone', 11, 'undone'); RAISE 'undo'; EXCEPTION WHEN raise_exception THEN NULL; END $$;
DO $$ BEGIN PERFORM count(*) FROM s WHERE n = 'no number'; EXCEPTION WHEN invalid_text_representation THEN NULL; END $$;
INSERT INTO t SELECT 9, repeat('y', 2000);
DO $$ BEGIN PERFORM open_below(30); END $$;
DO $$ BEGIN PERFORM search_below(20, repeat('w', 400)); END $$;
DO $$ BEGIN PERFORM search_below(25, 'short'); END $$;
SELECT pg_backend_pid();
END
is($node->safe_psql('postgres', "SELECT count(*), count(DISTINCT n), sum((d = 'literal')::int) FROM s"), '10|10|1', 'values were sealed and found');
# Its words are in pieces here, so that only the server puts them together.
$session->query(q(SELECT set_config('tap.canary', 'canary in ' || 'ordinary memory', false)));
$session->query(q(SELECT set_config('tap.canary_words', repeat('lane', 4) || repeat('wide', 4), false)));
$session->query(q(SELECT set_config('tap.canary_wide', repeat('AVX2', 8) || repeat('regs', 8), false)));

my $facts = $node->key_facts('k', 'sip');
my $values = $node->safe_psql('postgres', 'SELECT v FROM t WHERE i <> 6; SELECT v FROM s WHERE i = 2; SELECT n FROM s WHERE i = 2; SELECT d FROM s WHERE i = 2');
$facts .= join '', map { "\nvalue $_" } split /\n/, $values;
PostgreSQL::Test::Utils::append_to_file("$dir/facts", "$facts\n");

chomp(my $pkglibdir = `'$ENV{TC_PGBIN}/pg_config' --pkglibdir`);
my $provider = "$pkglibdir/themis_crypt/themis-keyprov-tpm2";
is(system("$scan keys '" . $node->key_dir . "/recovery.key' '" . $node->keyring .
	"' '$provider' '" . $node->tcti . "' <'$dir/facts' >'$dir/patterns'"), 0, 'keys are derived');
my $patterns = PostgreSQL::Test::Utils::slurp_file("$dir/patterns");
is(scalar(() = $patterns =~ /^(?:seed|root|transit-key|(?:dek|slot-key|index-key|index-slot-key)-[01]|subkey-\d+) [0-9a-f]{64}$/mg), 3 + 4 * 2 + 10,
	'seed, root, transit key, data key, index key and their slot keys twice, ten subkeys');
is(join(' ', $patterns =~ /^(token-subkey-\S+) [0-9a-f]{64}$/mg), 'token-subkey-0-1 token-subkey-0-11 token-subkey-1-1', 'subkeys for tokens');
is(scalar(() = $patterns =~ /^token-subkey-\S+-word-[0-3] [0-9a-f]{16}$/mg), 12, 'and their words');
PostgreSQL::Test::Utils::append_to_file("$dir/patterns",
	'canary ' . unpack('H*', 'canary in ' . 'ordinary memory') . "\n"
	  . 'canary-wide ' . unpack('H*', 'a key, .regsAVX2of eight words, ') . "\n"
	  . 'canary-words ' . unpack('H*', 'key.wideroadlaneand more words .') . "\n");

# What a scan finds: where => names; with the bytes read as '#where'.
sub look
{
	my ($target) = @_;
	my %found;
	for my $line (split /\n/, `$scan '$dir/patterns' '$target' 2>&1`)
	{
		my (undef, $where, $count, @names) = split / /, $line;
		$found{$where} = "@names";
		$found{"#$where"} = $count;
	}
	return \%found;
}

sub holds_no_key
{
	my ($target, $what) = @_;
	my $found = look($target);
	is($found->{memory}, $what =~ /backend/ ? 'canary canary-wide canary-words' : '', "$what: no key in ordinary memory");
	cmp_ok($found->{'#memory'}, '>', 1e6, "$what: which was read");
	return $found;
}

my $postmaster = PostgreSQL::Test::Utils::slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/ ? $1 : 0;
my $worker = $node->status('worker_pid');
my $before = holds_no_key($pid, 'backend');
if ($secret_readable)
{
	like($before->{secret}, qr/slot-key/, 'control: the key is found in locked memory');
	like($before->{secret}, qr/(?<!token-)subkey-\d/, 'control: and a subkey');
	like($before->{secret}, qr/index-slot-key-0 index-slot-key-1/, 'control: what makes tokens');
	like($before->{secret}, qr/token-subkey-1-1 token-subkey-1-1-word-0/, 'control: and a subkey for them, word by word');
	unlike($before->{secret}, qr/seed|root|dek|transit-key|provider|index-key/, 'but nothing above them');
}
else
{
	is($before->{'#secret'} // 0, 0, 'secret memory cannot be read, not even by the kernel for us');
}
holds_no_key($postmaster, 'postmaster');
for my $type ('checkpointer', 'background writer', 'autovacuum launcher')
{
	holds_no_key($node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'"), $type);
}
if ($> == 0)
{
	holds_no_key($worker, 'worker');
}
else
{
	my $found = look($worker);
	ok(!exists $found->{memory}, 'worker: nobody but root may look into it');
}

SKIP:
{
	skip 'missing gdb', 2 if system('gdb --version >/dev/null 2>&1') != 0;
	for my $what ([ 'backend', $pid ], [ 'postmaster', $postmaster ])
	{
		my ($name, $of) = @$what;
		system("gcore -o '$dir/core' $of >/dev/null 2>&1");
		holds_no_key("$dir/core.$of", "core of a $name");
	}
	isnt(system("gcore -o '$dir/core' $worker >/dev/null 2>&1"), 0, 'no core of the worker')
	  if $> != 0;
}

$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
my $after = holds_no_key($pid, 'backend after lock()');
is($after->{secret} // '', '', 'after lock() no key is in secret memory, either');
is($before->{'#secret'} // 0, $after->{'#secret'} // 0, 'which was read as before');
$session->quit;
done_testing();
