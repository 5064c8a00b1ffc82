# Goal of this test: without the preload line everything of ours is a clean
# error with a hint, nothing crashes, and with the line all is as before.
use strict;
use warnings;
use ThemisCluster;
use Test::More;

my $line = qr/must be loaded via shared_preload_libraries.*HINT:.*postgresql\.conf/s;
my $node = ThemisCluster->ready('main');

$node->safe_psql('postgres', <<'END');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (i int, v encrypted(k));
INSERT INTO t VALUES (1, 'one');
CREATE DATABASE other;
END
my $sealed = $node->safe_psql('postgres', 'SELECT v FROM t');
like($sealed, qr/^tc1:/, 'a value is sealed');

sub preload
{
	my ($library) = @_;
	$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "'$library'");
	$node->restart;
	return;
}

preload('');
my %statement = (
	'CREATE EXTENSION' => [ 'other', 'CREATE EXTENSION themis_crypt' ],
	'LOAD' => [ 'other', q(LOAD 'themis_crypt') ],
	'a new key' => [ 'postgres', q(SELECT themis_crypt.create_key('k2')) ],
	'status' => [ 'postgres', 'SELECT * FROM themis_crypt.status()' ],
	'lock' => [ 'postgres', 'SELECT themis_crypt.lock()' ],
	'unlock' => [ 'postgres', 'SELECT themis_crypt.unlock()' ],
	'reading' => [ 'postgres', 'SELECT v FROM t' ],
	'opening' => [ 'postgres', 'SELECT v::text FROM t' ],
	'sealing' => [ 'postgres', q(INSERT INTO t VALUES (2, 'two')) ],
	'a column' => [ 'postgres', 'CREATE TABLE t2 (v encrypted(k))' ],
	'CREATE SERVER' => [ 'postgres', 'CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt' ],
	'ALTER SERVER' => [ 'postgres', 'ALTER SERVER k OPTIONS (DROP v1)' ]);
for my $what (sort keys %statement)
{
	my ($dbname, $sql) = @{ $statement{$what} };
	like($node->error_of($sql, dbname => $dbname), $line, "$what says what to do");
}

# Our hooks are not there to refuse this, but the columns depend on the key.
like($node->error_of('BEGIN; DROP SERVER k; ROLLBACK'),
	qr/cannot drop server k because other objects depend on it/,
	'a key that columns use is not dropped');

preload('themis_crypt');
$node->wait_unlocked;
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'the value opens again');
is($node->safe_psql('postgres', 'SELECT v FROM t'), $sealed, 'and is the same');
is($node->safe_psql('other', q(SELECT count(*) FROM pg_extension WHERE extname = 'themis_crypt')),
	'0', 'no half of an extension was left');

$node->stop;
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal/,
	'nothing crashed');
done_testing();
