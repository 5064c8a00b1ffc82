# Goal of this test: a peer is enrolled in the keyring and in every database of
# a cluster, then its standby opens values; dropped, it no longer does.  What
# cannot be done in one database is said and stops no other one.  No recipient
# is added to a root that is not trusted, or was altered.
use strict;
use warnings;
use ThemisCluster;
use JSON::PP ();
use Test::More;

my $primary = ThemisCluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "max_prepared_transactions = 2\n");
$primary->start;
$primary->safe_psql('postgres', <<'END');
CREATE DATABASE app;
CREATE DATABASE unused;
CREATE DATABASE without;
CREATE DATABASE closed ALLOW_CONNECTIONS false;
CREATE EXTENSION themis_crypt;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k));
INSERT INTO t VALUES ('in postgres');
\c unused
CREATE EXTENSION themis_crypt;
\c app
CREATE EXTENSION themis_crypt;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k));
INSERT INTO t VALUES ('in app');
END
$primary->backup('base');
my $standby = ThemisCluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$standby->wait_unlocked;

my $value = 'SELECT v::text FROM t';
my $not_enrolled = qr/This machine is not among the recipients/;
like($standby->error_of($value), $not_enrolled, 'the standby of another machine opens nothing yet');

# What its operator reads there, and tells here.
my ($code, $said) = $standby->keyring_tool('show', '--unseal');
my ($key, $fingerprint) = $said =~ /^machine: (tcpub1:\S+) .*\n  fingerprint (\S+)$/m;
is($key, $standby->status('public_key'), 'the tool and the server tell the same public key');
my @peer = ('--public-key', $key, '--name', 'db2', '--fingerprint', $fingerprint);
my @all = ('--conninfo', $primary->connstr('postgres') . ' user=postgres', '--all-databases');

($code, $said) = $primary->keyring_tool('enroll', @peer[0 .. 3], @all);
is($code, 1, 'a fingerprint that nobody confirmed is refused');
is($primary->safe_psql('app', 'SELECT count(*) FROM themis_crypt.recipients'), '2', 'and nobody is added');

($code, $said) = $primary->keyring_tool('enroll', @peer, @all);
is($code, 0, 'enrolled in all databases') or diag $said;
my %result = $said =~ /^database "(\w+)": (.*)$/mg;
is_deeply(\%result, {
		app => 'the recipient was added to its roots',
		postgres => 'the recipient was added to its roots',
		template1 => 'skipped, since it does not have the extension',
		unused => 'has no root yet; the recipient will be in the first one',
		without => 'skipped, since it does not have the extension' }, 'one line for each database');
is($primary->safe_psql('app', "SELECT role, fingerprint, this_machine, attested FROM themis_crypt.recipients WHERE name = 'db2'"),
	"machine|$fingerprint|f|f", 'the view shows it');

$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $value), 'in postgres', 'the standby opens values, with no restart');
is($standby->safe_psql('app', $value), 'in app', 'of each database');
is($standby->safe_psql('app', 'SELECT this_machine FROM themis_crypt.recipients WHERE name = \'db2\''), 't',
	'and knows itself among the recipients');
for my $call ("add_recipient('x', '$key')", "drop_recipient('db2')")
{
	like($standby->error_of("SELECT themis_crypt.$call"), qr/cannot execute themis_crypt\.\w+\(\) during recovery/,
		'nothing is changed on a standby');
}

# A secret identity given by mistake, by hand or in a function, is not in the
# log but where statements are logged.
my $secret = 'TC-RECOVERY-1:gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp_nxMmZ';
my $from = length $primary->log_from;
for my $call ("add_recipient('x', '$secret')", "add_recipient('$secret', '$key')", "drop_recipient('$secret')",
	"drop_recipient(' $secret')", "add_recipient('x', ' $secret')")
{
	for my $sql ("SELECT themis_crypt.$call", "DO \$x\$ BEGIN PERFORM themis_crypt.$call; END \$x\$")
	{
		like($primary->error_of("SET log_statement = none; $sql"), qr/ERROR:  (?!.*TC-RECOVERY)/, "refused: $sql");
	}
}
like($primary->log_from($from), qr/ERROR:  this is not a public key but a secret recovery identity/, 'the log has the error');
unlike($primary->log_from($from), qr/TC-RECOVERY/, 'and not the secret');

# The keyring has it: a new root needs nothing more.
$primary->safe_psql('unused', 'CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt; CREATE TABLE t (v encrypted(k)); INSERT INTO t VALUES (\'later\')');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('unused', $value), 'later', 'a root that was made later is boxed to it, too');

($code, $said) = $primary->keyring_tool('enroll', @peer, @all, '--json');
my $json = eval { JSON::PP::decode_json($said =~ s/^hint:.*\n//mgr) } // {};
is_deeply([ map { "$_->{database} $_->{result}" } @{ $json->{databases} } ],
	[ 'app known', 'postgres known', 'template1 skipped', 'unused known', 'without skipped' ], 'once more: nothing to do, in JSON');
is("$json->{keyring} $json->{exit_code}", 'known 0', 'and in the keyring');

# A second root in one database, of another realm, that the peer is not in yet.
$primary->safe_psql('app', 'SELECT themis_crypt.drop_recipient(\'db2\')');
my $root_of_app = $primary->safe_psql('app', q(SELECT string_agg(format('%I %L', option_name, option_value), ', ')
	FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname = 'themis_root'));
$primary->safe_psql('postgres', "CREATE SERVER themis_root_2 FOREIGN DATA WRAPPER themis_crypt OPTIONS ($root_of_app)");
my $having = q(SELECT string_agg(root, ' ' ORDER BY root) FROM themis_crypt.recipients WHERE name = 'db2');
is($primary->safe_psql('postgres', $having), 'themis_root', 'two roots, the recipient in one');
$primary->safe_psql('postgres', "SELECT themis_crypt.add_recipient('db2', '$key')");
is($primary->safe_psql('postgres', $having), 'themis_root themis_root_2', 'added where it was missing');
$primary->safe_psql('postgres', "SELECT themis_crypt.drop_recipient('$key')");
is($primary->safe_psql('postgres', $having), '', 'dropped from both');
$primary->safe_psql('postgres', 'SET themis_crypt.allow_drop_key = on; DROP SERVER themis_root_2');

# In two phases, and a session that wants to change the same root meanwhile.
my $spare = 'tcpub1:AQwDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDXPcCqQ';
$primary->safe_psql('postgres', "BEGIN; SELECT themis_crypt.add_recipient('prepared', '$spare'); PREPARE TRANSACTION 'p'");
like($primary->error_of("SET lock_timeout = '100ms'; SELECT themis_crypt.add_recipient('db2', '$key')"),
	qr/canceling statement due to lock timeout/, 'prepared, it keeps others waiting');
$primary->safe_psql('postgres', "COMMIT PREPARED 'p'");
is($primary->safe_psql('postgres', "SELECT public_key FROM themis_crypt.recipients WHERE name = 'prepared'"), $spare, 'and is there in the end');
$primary->safe_psql('postgres', "SELECT themis_crypt.drop_recipient('prepared')");

# A record that somebody altered: its mac does not fit.
my $option = q(SELECT option_value FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname = 'themis_root' AND option_name = 'record');
my $record = $primary->safe_psql('app', $option);
my $altered = substr($record, 0, -9) . (substr($record, -9, 1) eq 'A' ? 'B' : 'A') . substr($record, -8);
my $put = q(SET allow_system_table_mods = on; UPDATE pg_foreign_server SET srvoptions = array(SELECT CASE WHEN o LIKE 'record=%' THEN 'record=%s' ELSE o END FROM unnest(srvoptions) AS o) WHERE srvname = 'themis_root');
$primary->safe_psql('app', sprintf($put =~ s/'record=%'/'record=%%'/r, $altered));
like($primary->error_of("SELECT themis_crypt.add_recipient('db2', '$key')", dbname => 'app'),
	qr/could not open encryption key "themis_root": authentication failed/, 'nobody is added to an altered record');
is($primary->safe_psql('app', $option), $altered, 'which stays as it is');
($code, $said) = $primary->keyring_tool('enroll', @peer, @all);
is($code, 1, 'one database fails: exit code 1');
%result = $said =~ /^database "(\w+)": (.*)$/mg;
is("$result{app} / $result{postgres} / $result{unused}",
	'failed / the recipient was added to its roots / the recipient can open its roots already', 'and the others are done');
like($said, qr/^themis-keyring: database "app", could not add the recipient: .*authentication failed/m, 'with the reason');
$primary->safe_psql('app', sprintf($put =~ s/'record=%'/'record=%%'/r, $record));
($code, $said) = $primary->keyring_tool('enroll', @peer, @all);
is($code, 0, 'repaired and repeated, all are done') or diag $said;

# As many as a record holds; a name and key of each.
my $n = 0;
my $error = '';
while ($n < 70 && $error eq '')
{
	my (undef, $made) = run_tool('recovery-keygen', '--out', $primary->basedir . '/spare' . ++$n, '--json');
	my $spare = JSON::PP::decode_json($made =~ s/^hint:.*\n//mgr)->{public_key};
	$error = $primary->error_of("SELECT themis_crypt.add_recipient('spare $n', '$spare', 'recovery')");
}
like($error, qr/root of encryption keys "themis_root" cannot have more recipients/, 'a record is full at some time, and says so');
is($primary->safe_psql('postgres', 'SELECT count(*) FROM themis_crypt.recipients'), 64, 'at 64');
is($primary->safe_psql('postgres', $value), 'in postgres', 'and values open as before');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $value), 'in postgres', 'on the standby, too');
$primary->safe_psql('postgres', q(SELECT count(themis_crypt.drop_recipient(public_key)) FROM themis_crypt.recipients WHERE name LIKE 'spare%'));

# A name that another recipient will have, too.
$primary->safe_psql('postgres', "SELECT themis_crypt.add_recipient('twice', 'tcpub1:AQoBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBrlusEQ')");

($code, $said) = $primary->keyring_tool('drop', '--name', 'recovery', @all);
is($code, 1, 'the last recovery key is not dropped');
like($said, qr/is the last recovery key of this keyring/, 'in words');

($code, $said) = $primary->keyring_tool('drop', '--name', 'db2', @all);
is($code, 0, 'dropped from all databases') or diag $said;
%result = $said =~ /^database "(\w+)": (.*)$/mg;
is("$result{app} / $result{postgres} / $result{unused}", join(' / ', ('the recipient was dropped from its roots') x 3), 'each of them');
like($said, qr/^hint: It has held the roots:/m, 'with what that means');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $value), 'in postgres', 'the standby keeps the keys it has loaded');
$standby->restart;
$standby->wait_unlocked;
like($standby->error_of($value), $not_enrolled, 'the standby, restarted, opens nothing');
($code, $said) = $primary->keyring_tool('drop', '--name', 'db2', @all);
is($code, 1, 'once more: nobody to be dropped');

# Somebody who may do nothing of that.
$primary->safe_psql('postgres', 'CREATE ROLE clerk LOGIN');
($code, $said) = $primary->keyring_tool('recover', '--identity', $primary->key_dir . '/recovery.key', '--conninfo',
	$primary->connstr('postgres') . ' user=clerk');
is($code, 1, 'recover as another role');
like($said, qr/permission denied for function root_records.*^hint: Connect as a superuser of the database\.$/ms, 'says as whom');

# Trust: what another machine made is opened, but nobody is added to it.
my @recovery = ('--identity', $primary->key_dir . '/recovery.key', '--fingerprint',
	$primary->safe_psql('postgres', 'SELECT fingerprint FROM themis_crypt.root_records()'));
($code, $said) = $standby->keyring_tool('recover', @recovery, @all[0, 1], '--name', 'twice');
is($code, 0, 'the standby is let in with the recovery identity') or diag $said;
$primary->wait_for_catchup($standby);
my ($realm, $kcv) = split /\|/, $standby->safe_psql('postgres', 'SELECT realm, fingerprint FROM themis_crypt.root_records()');
($code, $said) = $standby->keyring_tool('distrust', $realm, $kcv);
is($code, 0, 'and no longer trusts the root');
$primary->stop('immediate');
$standby->promote;
$standby->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
is($standby->safe_psql('postgres', $value), 'in postgres', 'promoted, it opens values');
my $add = 'SELECT themis_crypt.add_recipient(\'x\', \'tcpub1:AQsCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICPotx3Q\')';
like($standby->error_of($add), qr/"themis_root" is not trusted by this machine.*\n.*fingerprint is $kcv, and this machine trusts none for this realm/,
	'adds nobody to a root that it does not trust');
my $twice = 'tcpub1:AQoBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBrlusEQ';
like($standby->error_of("SELECT themis_crypt.drop_recipient('$twice')"), qr/is not trusted by this machine/, 'nor drops anybody from it');
my $other = 'f' x 32;
$standby->keyring_tool('trust', $realm, $other);
$standby->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
like($standby->error_of($add), qr/fingerprint is $kcv, but this machine trusts $other for this realm/, 'where it trusts another, both are named');
$standby->keyring_tool('distrust', $realm, $other);
$standby->keyring_tool('trust', $realm, $kcv);
$standby->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
is($standby->error_of($add), '', 'trusted, it does');

# The tool's recover takes any name: here one that there was.
like($standby->error_of("SELECT themis_crypt.drop_recipient('twice')"), qr/there are several recipients "twice".*\n.*Give the public key/,
	'of two recipients with one name, neither is dropped by it');
is($standby->error_of("SELECT themis_crypt.drop_recipient('$twice')"), '',
	'but by its public key');
like($standby->error_of("SELECT themis_crypt.drop_recipient('twice')"), qr/recipient "twice" is this machine/, 'and never this machine');

# What a server says must not act on the terminal where fingerprints are compared.
$standby->safe_psql('postgres', 'CREATE DATABASE spoofed');
$standby->safe_psql('spoofed', <<'END');
CREATE EXTENSION themis_crypt;
CREATE OR REPLACE FUNCTION themis_crypt.unlock() RETURNS void LANGUAGE plpgsql AS
	$$BEGIN RAISE WARNING E'warned \033[2J \u009b31m'; RAISE EXCEPTION E'failed \033[8m \u009b8m caf\u00e9\nsecond \r line'; END$$;
END
my ($spoofed, $shown) = $standby->keyring_tool('enroll', '--name', 'x', '--public-key', 'tcpub1:AQsCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICPotx3Q',
	'--fingerprint', $standby->safe_psql('postgres', q(SELECT fingerprint FROM themis_crypt.recipients WHERE name = 'x')),
	'--conninfo', $standby->connstr('spoofed') . ' user=postgres');
is($spoofed, 1, 'a server that fails in colours: exit code 1');
like($shown, qr/failed \?\[8m \?+8m caf\xc3\xa9\nsecond \? line/, 'what it says is shown without them');
unlike($shown, qr/[\0-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/, 'nothing of it controls the terminal');

# Who is who can be told without keys, but not who this is.
$standby->stop;
$standby->stop_tpm;
$standby->start;
$standby->wait_state('failed');
is($standby->safe_psql('postgres', 'SELECT count(*) > 2, count(this_machine) FROM themis_crypt.recipients'), 't|0',
	'not unlocked, the view does not know its own machine');
like($standby->error_of("SELECT themis_crypt.drop_recipient('x')"), qr/encryption keys are not unlocked/, 'and nobody is dropped');
done_testing();

# The tool without a keyring.
sub run_tool
{
	my @command = ($primary->installed_command('themis-keyring'), @_);
	my $out = '';
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>&1');
	return ($? >> 8, $out);
}
