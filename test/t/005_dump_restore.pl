# Goal of this test: a dump opens wherever its keys may be used: in a fresh
# database, a fresh cluster, and with the recovery identity on a new machine.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $node = ThemisCluster->ready('main');
my $key_dir = $node->key_dir;
my $dir = PostgreSQL::Test::Utils::tempdir();
my $dump = "$dir/dump";

# Server names on both sides of "themis_root": pg_dump goes by the alphabet.
$node->safe_psql('postgres', <<'END');
CREATE ROLE hr;
CREATE ROLE dumper LOGIN;
CREATE DATABASE source;
\c source
CREATE EXTENSION themis_crypt;
CREATE SERVER alpha FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER zeta FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'siphash128');
GRANT USAGE ON FOREIGN SERVER zeta TO hr;
CREATE TABLE alpha_t (i int PRIMARY KEY, v encrypted(alpha), z encrypted(zeta, numeric));
CREATE TABLE zeta_t (v encrypted(zeta) NOT NULL);
CREATE TABLE found_t (i int, v encrypted(alpha, text, searchable), z encrypted(zeta, int4, searchable) UNIQUE);
INSERT INTO found_t SELECT i, 'v' || i % 10, i FROM generate_series(1, 100) AS i;
CREATE TABLE listed (v encrypted(alpha, text, searchable), i int) PARTITION BY LIST (v);
CREATE TABLE listed_a PARTITION OF listed FOR VALUES IN ('v1', 'it''s', NULL);
CREATE TABLE listed_b PARTITION OF listed FOR VALUES IN ('v2');
CREATE TABLE listed_c PARTITION OF listed DEFAULT;
INSERT INTO listed SELECT nullif('v' || i % 5, 'v0'), i FROM generate_series(1, 50) AS i;
CREATE TABLE hashed (v encrypted(alpha, text, searchable) PRIMARY KEY) PARTITION BY HASH (v);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT 'v' || i FROM generate_series(1, 50) AS i;
CREATE DOMAIN code AS encrypted(alpha, text, searchable);
CREATE TABLE refers (v code REFERENCES hashed ON UPDATE CASCADE, EXCLUDE USING hash (v WITH =));
INSERT INTO refers VALUES ('v3'), ('v4');
CREATE STATISTICS listed_s ON v, i FROM listed;
INSERT INTO alpha_t SELECT i, 'v' || i, i * 1.10 FROM generate_series(1, 1000) AS i;
INSERT INTO alpha_t VALUES (0, '', NULL);
INSERT INTO zeta_t VALUES (repeat('long', 10000));
GRANT SELECT ON ALL TABLES IN SCHEMA public TO dumper, hr;
END

my $open = q(SELECT count(*), md5(string_agg(i || v::text || coalesce(z::numeric, -1), ',' ORDER BY i)),
	(SELECT md5(v::text) FROM zeta_t), (SELECT i FROM found_t WHERE z = 7), (SELECT count(*) FROM found_t WHERE v = 'v7'),
	(SELECT string_agg(part || n, ' ' ORDER BY part) FROM (SELECT tableoid::regclass::text AS part, count(*) AS n FROM listed GROUP BY 1) AS l),
	(SELECT count(*) FROM listed WHERE v = 'v2'), (SELECT count(*) FROM hashed JOIN refers ON hashed.v = refers.v WHERE hashed.v IN ('v3', 'v4', 'v5'))
	FROM alpha_t);
my $plain = $node->safe_psql('source', $open);
like($plain, qr/\|7\|10\|listed_a20 listed_b10 listed_c20\|10\|2$/, 'the source finds values by both algorithms of index keys');
my $servers = q(SELECT srvname, srvacl, array(SELECT unnest(srvoptions) ORDER BY 1)
	FROM pg_foreign_server ORDER BY 1);
my $keys = $node->safe_psql('source', $servers);
my $noted = $node->safe_psql('source', 'SELECT fingerprint FROM themis_crypt.root_records()');

$node->command_ok([ 'pg_dump', '-Fc', '-U', 'dumper', '-f', $dump, '-d', $node->connstr('source') . ' user=dumper' ],
	'a role without any key dumps');
my ($sql) = PostgreSQL::Test::Utils::run_command([ $node->installed_command('pg_restore'), '-f', '-', $dump ]);
unlike($sql, qr/\bv500\b|longlong/, 'the dump holds no plaintext');

# Into a database of this node, which must not exist; returns errors.
sub restore
{
	my ($to, $file, @options) = @_;
	local $ENV{PGOPTIONS} = '-c themis_crypt.restore=on';
	my ($out, $err);
	$to->safe_psql('postgres', 'CREATE DATABASE target');
	$to->run_log([ 'pg_restore', '-e', @options, '-d', $to->connstr('target'), $file ],
		'>', \$out, '2>', \$err);
	return $err;
}

sub is_same
{
	my ($to, $where) = @_;
	is($to->safe_psql('target', $open), $plain, "$where: all values open");
	is($to->safe_psql('target', $servers), $keys, "$where: keys, root and grants are the same");
	$to->safe_psql('target', "BEGIN; INSERT INTO listed VALUES ('it''s'); INSERT INTO hashed VALUES ('new'); UPDATE hashed SET v = 'other' WHERE v = 'v3'; DELETE FROM refers WHERE v = 'other'; "
			. "DO \$\$ BEGIN ASSERT (SELECT tableoid = 'listed_a'::regclass FROM listed WHERE v = 'it''s') AND (SELECT count(*) = 1 FROM refers); END \$\$; ROLLBACK");
	return;
}

is(restore($node, $dump, '-j4'), '', 'fresh database: restored');
is_same($node, 'fresh database');
is($node->error_of('CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt', dbname => 'target'), '',
	'fresh database: new keys can be made');

# Values may move between databases with one root.
my $sealed = $node->safe_psql('source', 'SELECT v FROM zeta_t');
is($node->error_of("SET themis_crypt.sealed_input = on; INSERT INTO zeta_t VALUES ('$sealed')", dbname => 'target'), '',
	'fresh database: a sealed value of the source goes in');

$node->safe_psql('postgres', 'DROP DATABASE target');
$node->command_ok([ 'pg_dump', '--inserts', '-f', "$dump.sql", $node->connstr('source') ],
	'dumped as INSERT statements');
$node->safe_psql('postgres', 'CREATE DATABASE target');
$node->psql('target', "SET themis_crypt.restore = on;\n\\i $dump.sql", on_error_die => 1);
is_same($node, 'INSERT statements');

$node->command_ok([ 'pg_dumpall', '-f', "$dump.all", '-d', $node->connstr('postgres') ], 'pg_dumpall');

# Another cluster on this machine.
my $twin = ThemisCluster->ready('twin', machine => $node);
$twin->safe_psql('postgres', 'CREATE ROLE hr; CREATE ROLE dumper');
is(restore($twin, $dump, '-j4'), '', 'fresh cluster: restored');
is_same($twin, 'fresh cluster');
$twin->restart;
is_same($twin, 'fresh cluster, restarted');
$twin->stop;

# A locked or failed server restores as well.
my $other = ThemisCluster->ready('other');
$other->safe_psql('postgres', 'CREATE ROLE hr; CREATE ROLE dumper; SELECT themis_crypt.lock()');
is(restore($other, $dump, '-j4'), '', 'another machine, locked: restored');
$other->safe_psql('postgres', 'SELECT themis_crypt.unlock()');

my $not_enrolled = qr/cannot be opened by this machine.*themis-keyring recover/s;
like($other->error_of($open, dbname => 'target'), $not_enrolled, 'another machine: says what to do');
like($other->error_of('CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt', dbname => 'target'),
	$not_enrolled, 'another machine: no new root is made');
is($other->safe_psql('target', $servers), $keys, 'another machine: keys are as they were');

my @to = ('--fingerprint', $noted, '--conninfo', $other->connstr('target') . ' user=postgres');
my ($code, $said) = $other->keyring_tool('recover', '--identity', $other->key_dir . '/recovery.key', @to);
isnt($code, 0, 'a wrong recovery identity is refused');
like($said, qr/was not made for this recovery identity/, 'in words');
is($other->safe_psql('target', $servers), $keys, 'and changes nothing');
($code, $said) = $other->keyring_tool('recover', '--identity', "$key_dir/recovery.key",
	'--fingerprint', '0' x 32, @to[2, 3]);
is($code, 1, 'a fingerprint that was not noted is refused');
like($said, qr/"themis_root", realm [0-9a-f]{32}, fingerprint $noted: this fingerprint is none of those you gave/, 'in words');
is($other->safe_psql('target', $servers), $keys, 'and changes nothing, either');

($code, $said) = $other->keyring_tool('recover', '--identity', "$key_dir/recovery.key", @to);
is($code, 0, 'the recovery identity lets the machine in') or diag $said;
is($other->safe_psql('target', $open), $plain, 'recovered: all values open');
my $after = $other->safe_psql('target', $servers);
is($other->error_of('CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt', dbname => 'target'), '',
	'recovered: new keys can be made');
$other->safe_psql('target', 'CREATE TABLE n (v encrypted(k)); INSERT INTO n VALUES (1)');

($code, $said) = $other->keyring_tool('recover', '--identity', "$key_dir/recovery.key", @to);
is($code, 0, 'once more is allowed');
like($said, qr/this machine can open it already/, 'and does nothing');
is($other->safe_psql('target', q(SELECT recipients FROM themis_crypt.root_records())), '3',
	'recipients: the old machine, recovery, the new machine');
$other->restart;
is($other->safe_psql('target', $open), $plain, 'recovered, restarted: all values open');

# And back: what the new machine wrote opens on the old one.
$other->command_ok([ 'pg_dump', '-Fc', '-f', "$dump.back", $other->connstr('target') ], 'dumped there');
$node->safe_psql('postgres', 'DROP DATABASE target');
is(restore($node, "$dump.back"), '', 'restored here');
is($node->safe_psql('target', $open), $plain, 'the old machine opens the new dump');
is($node->safe_psql('target', 'SELECT v::text FROM n'), '1', 'and what was made there');
done_testing();
