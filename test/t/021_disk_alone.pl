# Goal of this test: PGDATA with its WAL, keyring, log and dump, without the
# enrolled secret: every path on the written list (test/lib/disk_attack) ends in
# the refusal that is meant for it, and shows no plaintext.  The same script
# finds the canary if it is given the TPM, and if it is given the recovery
# identity.
use strict;
use warnings;
use ThemisCluster;
use File::Copy ();
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node = ThemisCluster->ready('victim', conf => "log_statement = all\n");

# No canary stands in a statement: the server computes what is to be sealed.
my $canary = `printf 'of the disk' | md5sum` =~ s/ .*//sr;
my $planted = `printf 'in the clear' | md5sum` =~ s/ .*//sr;

$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->safe_psql('app', <<'END');
CREATE EXTENSION themis_crypt;
CREATE ROLE hr;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt;
GRANT USAGE ON FOREIGN SERVER k TO hr;
CREATE TABLE t (v encrypted(k));
INSERT INTO t SELECT md5('of the disk');
INSERT INTO t SELECT md5('of the disk') FROM generate_series(1, 3);
CREATE TABLE b (i int, v encrypted(k2, bytea), j encrypted(k2, jsonb));
INSERT INTO b SELECT 1, md5('of the disk')::bytea, to_jsonb(md5('of the disk'));
UPDATE b SET i = 2;
DELETE FROM t WHERE ctid = '(0,1)';
CREATE TABLE plain AS SELECT md5('in the clear') AS v;
ANALYZE;
END
is($node->safe_psql('app', 'SELECT v::text FROM t LIMIT 1'), $canary, 'the canary opens on its machine');

my $dir = PostgreSQL::Test::Utils::tempdir();
my $loot = "$dir/loot";
mkdir $loot or die;
$node->command_ok([ 'pg_dump', '-f', "$loot/dump.sql", $node->connstr('app') ], 'dumped');
$node->stop('immediate');
$node->stop_tpm;
system('cp', '-a', $node->data_dir, "$loot/data") == 0 or die;
File::Copy::copy($node->keyring, "$loot/keyring") or die;
File::Copy::copy($node->key_dir . '/recovery.pub', "$loot/recovery.pub") or die;
File::Copy::copy($node->logfile, "$loot/log") or die;

my $round = 0;
sub attack
{
	my (@with) = @_;
	$round++;
	my @command = ('test/lib/disk_attack', $loot, "$dir/$round", '--canary', $canary, '--planted', $planted, @with);
	my $said = `@command 2>&1`;
	is($?, 0, 'the attack ran to its end') or diag $said;
	my %verdicts = map { /^(\w+) (\w+): (.*)/ ? ($1 => [ $2, $3 ]) : () } split /\n/, $said;
	return ($said, %verdicts);
}

# The list itself, so that none gets lost.
my @paths = slurp_file('test/lib/disk_attack') =~ /^def (\w+)\(m\):\n    """/mg;
cmp_ok(scalar @paths, '>=', 29, 'the list has its paths');

my ($said, %alone) = attack();
for my $path (@paths)
{
	my ($verdict, $words) = @{ $alone{$path} // [ 'missing', '' ] };
  SKIP:
	{
		skip "$path: $words", 1 if $verdict eq 'skipped';
		is($verdict, 'refused', "$path: refused: $words");
	}
}
unlike($said, qr/$canary/, 'no plaintext is in what the script says');
diag $said =~ s/^/# /gmr if $said =~ /^\w+ (WRONG|FOUND)/m;

my %found;
($said, %found) = attack('--tpm', $node->key_dir . '/tpm', '--paths', 'files_in_the_clear,stolen_keyring,no_keyring,returned_disk');
is($found{stolen_keyring}[0], 'FOUND', 'control: with the TPM, the keyring opens all');
is($found{files_in_the_clear}[0], 'refused', 'control: files alone are as closed as before');
is($found{no_keyring}[0], 'refused', 'control: so is all, without the keyring');
is($found{returned_disk}[0], 'refused', 'a disk that comes back with a forged root: refused');
like($found{returned_disk}[1], qr/not trusted by this machine/, 'and nothing is sealed under that root');

($said, %found) = attack('--identity', $node->key_dir . '/recovery.key', '--paths', 'stolen_keyring,recover_with_own_identity');
is($found{recover_with_own_identity}[0], 'FOUND', 'control: the recovery identity opens all');
is($found{stolen_keyring}[0], 'refused', 'control: not the keyring, which it is not for');
done_testing();
