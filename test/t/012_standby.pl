# Goal of this test: a standby with a TPM of its own is let in on the primary,
# opens values read-only, and goes on as a primary; one on the same machine needs
# nothing.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $primary = ThemisCluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', <<'END');
CREATE EXTENSION themis_crypt;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (i int, v encrypted(k));
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 100) AS i;
END
$primary->backup('base');
my $in_backup = `grep -rlaF TCKRING1 '@{[ $primary->backup_dir ]}/base'`;
is($in_backup, '', 'a base backup holds no keyring');

my $open = q(SELECT count(*) FILTER (WHERE v::text = 'v' || i) FROM t);

sub standby
{
	my ($name, %params) = @_;
	my $node = ThemisCluster->new($name, %params);
	$node->init_from_backup($primary, 'base', has_streaming => 1);
	$node->start;
	$node->wait_unlocked;
	$primary->wait_for_catchup($node);
	return $node;
}

my $twin = standby('twin', machine => $primary);
is($twin->safe_psql('postgres', $open), '100', 'same machine: values open');

my $standby = standby('standby');
isnt($standby->status('public_key'), $primary->status('public_key'), 'another machine');
like($standby->error_of($open), qr/cannot be opened by this machine/, 'another machine: not yet');
my $noted = $primary->safe_psql('postgres', 'SELECT fingerprint FROM themis_crypt.root_records()');
my ($code, $said) = $standby->keyring_tool('recover', '--identity',
	$primary->key_dir . '/recovery.key', '--name', 'standby', '--fingerprint', $noted,
	'--conninfo', $primary->connstr('postgres') . ' user=postgres');
is($code, 0, 'it is let in on the primary') or diag $said;
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $open), '100', 'and values open, with no restart');

# A session that has the root already goes on with the new record.
my $session = $standby->background_psql('postgres');
is($session->query($open), '100', 'a session opens values');
like($standby->error_of(q(SELECT 'literal'::encrypted(k)::text)), qr/not trusted by this machine/,
	'nothing is sealed there before it has read its keyring');
$standby->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
$primary->safe_psql('postgres', <<'END');
CREATE SERVER later FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE l (v encrypted(later));
INSERT INTO l VALUES ('from the primary');
END
$primary->wait_for_catchup($standby);
is($session->query('SELECT v::text FROM l'), 'from the primary', 'a later key is known at once');
like($standby->error_of(q(INSERT INTO t VALUES (0, 'x'))), qr/read-only transaction/, 'read-only');
like($standby->error_of('CREATE SERVER s FOREIGN DATA WRAPPER themis_crypt'),
	qr/read-only transaction|during recovery/, 'no key is made there');
is($standby->safe_psql('postgres', q(SELECT 'literal'::encrypted(k)::text)), 'literal',
	'a literal is sealed and opened there');

# lock() is of the server, not of the cluster of servers.
$standby->safe_psql('postgres', 'SELECT themis_crypt.lock()');
like($session->query('SELECT 1') . $standby->error_of($open), qr/encryption keys are locked/,
	'lock() works on a standby');
is($primary->safe_psql('postgres', $open), '100', 'and leaves the primary alone');
$standby->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
$session->quit;

$primary->stop('immediate');
$primary->stop_tpm;
$twin->stop;
$standby->promote;
is($standby->safe_psql('postgres', $open), '100', 'promoted: values open');
$standby->safe_psql('postgres', <<'END');
INSERT INTO t VALUES (101, 'v101');
CREATE SERVER own FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE o (v encrypted(own));
INSERT INTO o VALUES ('own');
END
$standby->restart;
is($standby->safe_psql('postgres', "$open UNION ALL SELECT length(v::text) FROM o"), "101\n3",
	'promoted, restarted: it seals, makes keys, and opens all');
done_testing();
