# Goal of this test: no two values of a key version have the same nonce, not
# those that were rolled back either, whoever sealed them and how.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $rounds = $ENV{TC_LONG} ? 2000 : 40;
my $parallel_rows = $ENV{TC_LONG} ? 1_000_000 : 30_000;
my $node = ThemisCluster->ready('main', conf => <<'END');
max_connections = 40
max_prepared_transactions = 20
autovacuum = off
log_statement = none
END

$node->safe_psql('postgres', <<'END');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (client int, v encrypted(k));
CREATE TABLE plain AS SELECT i FROM generate_series(1, 1) AS i;
END

# Each round seals 32 values, of which 26 stay: 25 of a client's, and one "h".
my $script = PostgreSQL::Test::Utils::tempdir() . '/script';
PostgreSQL::Test::Utils::append_to_file($script, <<'END');
INSERT INTO t SELECT :client_id, i::text FROM generate_series(1, 20) AS i;
BEGIN;
INSERT INTO t VALUES (:client_id, 'a'), (:client_id, 'b');
SAVEPOINT s;
INSERT INTO t VALUES (:client_id, 'c'), (:client_id, 'd');
ROLLBACK TO s;
INSERT INTO t VALUES (:client_id, 'e');
SAVEPOINT s2;
INSERT INTO t VALUES (:client_id, 'f');
RELEASE s2;
COMMIT;
BEGIN;
INSERT INTO t VALUES (:client_id, 'g');
ROLLBACK;
DO $$ BEGIN FOR i IN 1 .. 3 LOOP BEGIN INSERT INTO t VALUES (0, 'h'); IF i < 3 THEN RAISE 'undo'; END IF; EXCEPTION WHEN raise_exception THEN NULL; END; END LOOP; END $$;
BEGIN;
INSERT INTO t VALUES (:client_id, 'i');
PREPARE TRANSACTION 'p:client_id';
COMMIT PREPARED 'p:client_id';
BEGIN;
INSERT INTO t VALUES (:client_id, 'j');
PREPARE TRANSACTION 'p:client_id';
ROLLBACK PREPARED 'p:client_id';
END
$node->command_ok(
	[ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', 16, '-j', 2,
		'-t', $rounds, '-f', $script, 'postgres' ],
	'16 sessions seal, abort, roll back to savepoints, prepare');

# Parallel workers seal, each for itself.
my $ctas = q(CREATE TABLE par AS SELECT i AS client, i::text::encrypted(k) AS v FROM plain);
my $parallel = <<"END";
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
END
$node->safe_psql('postgres',
	"INSERT INTO plain SELECT i FROM generate_series(2, $parallel_rows) AS i; ANALYZE plain");
like($node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, VERBOSE) $ctas"),
	qr/Gather.*Workers Launched: [1-9].*Parallel Seq Scan.*\n\s+Output: [^\n]*(seal|encrypted\(k)/s, 'workers seal');

# Read the files rather than the tables: what was rolled back is there, too.
sub nonces
{
	my ($table) = @_;
	my ($path, $id) = split /\|/, $node->safe_psql('postgres',
		"SELECT pg_relation_filepath('$table'), id FROM themis_crypt.keys WHERE name = 'k'");
	my $key = pack 'H*', '0' x (6 - length $id) . $id;
	my $head = "\xf9\x01\x01" . reverse($key) . "\1\0";
	my $content = PostgreSQL::Test::Utils::slurp_file($node->data_dir . "/$path");
	return $content =~ /\Q$head\E(.{24})/sg;
}

sub duplicates
{
	my %count;
	$count{$_}++ for @_;
	return scalar grep { $_ > 1 } values %count;
}

$node->safe_psql('postgres', 'CHECKPOINT');
my @all = (nonces('t'), nonces('par'));
my $kept = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
is($kept, 16 * $rounds * 26, 'kept values');
cmp_ok(scalar @all, '==', 16 * $rounds * 32 + $parallel_rows, 'all values are seen in the files');
is(duplicates(@all), 0, 'no nonce twice');

my %salt;
$salt{ substr $_, 0, 16 }++ for @all;
cmp_ok(scalar keys %salt, '>=', 16 * $rounds, 'each transaction has salts of its own');
cmp_ok((sort { $b <=> $a } values %salt)[0], '<=', 1024, 'no run is longer than 1024 values');

# Positive control: moving a sealed value copies its nonce.
$node->safe_psql('postgres', 'INSERT INTO t SELECT * FROM t LIMIT 3; CHECKPOINT');
is(duplicates(nonces('t')), 3, 'three values that were copied are found');

# A crash starts no run again.
$node->stop('immediate');
$node->start;
$node->safe_psql('postgres', q(INSERT INTO t SELECT 0, i::text FROM generate_series(1, 2000) AS i; CHECKPOINT));
is(duplicates(nonces('t')), 3, 'no further ones after a crash');
done_testing();
