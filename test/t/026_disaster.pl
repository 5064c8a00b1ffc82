# Goal of this test: a machine and its TPM are gone.  What is left is a base
# backup, or a dump, and the recovery identity, in the second drill under a
# passphrase: on a new machine every value opens, unattended ever after, the
# fingerprints are named, and nothing was sealed anew.
use strict;
use warnings;
use ThemisCluster;
use JSON::PP ();
use PostgreSQL::Test::Utils ();
use Test::More;
use Time::HiRes qw(time);

my @databases = ('payroll', 'clinic');
my $dir = PostgreSQL::Test::Utils::tempdir();
my $lost = ThemisCluster->ready('lost', conf => "wal_level = replica\nmax_wal_senders = 4\n");
for my $database (@databases)
{
	$lost->safe_psql('postgres', "CREATE DATABASE $database");
	$lost->safe_psql($database, <<'END');
CREATE EXTENSION themis_crypt;
CREATE SERVER a FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER b FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (i int PRIMARY KEY, v encrypted(a), n encrypted(b, numeric));
INSERT INTO t SELECT i, 'value ' || i, i / 7.0 FROM generate_series(1, 500) AS i;
INSERT INTO t VALUES (0, '', NULL);
INSERT INTO t VALUES (501, repeat('long', 50000), 0);
END
}

# What an operator knows, and what the values are: opened, and as they lie there.
my $opened = q(SELECT count(*), md5(string_agg(i || v::text || coalesce(n::numeric, -1), ',' ORDER BY i)) FROM t);
my $sealed = q(SELECT md5(string_agg(themis_crypt.encrypted_out(v)::text || coalesce(themis_crypt.encrypted_out(n)::text, ''), ',' ORDER BY i)) FROM t);
my $keys = q(SELECT md5(string_agg(srvname || o, ',' ORDER BY srvname, o)) FROM pg_foreign_server, unnest(srvoptions) AS o
	WHERE o NOT LIKE 'record=%');
my (%plain, %armor, %keys, %noted);
for my $database (@databases)
{
	$plain{$database} = $lost->safe_psql($database, $opened);
	$armor{$database} = $lost->safe_psql($database, $sealed);
	$keys{$database} = $lost->safe_psql($database, $keys);
	$noted{$database} = $lost->safe_psql($database, 'SELECT fingerprint FROM themis_crypt.root_records()');
}

# Somewhere else: the identity, and once more under a passphrase.
my $identity = "$dir/identity";
my $protected = "$dir/protected";
my $passphrase = "K\xc3\xa4se mit L\xc3\xb6chern";
rename($lost->key_dir . '/recovery.key', $identity) or die;
my ($code, $said) = with_input("$passphrase\n", 'recovery-protect', '--identity', $identity,
	'--out', $protected, '--passphrase-fd', '0');
is($code, 0, 'the recovery identity is put under a passphrase') or diag $said;

# The disaster.
$lost->backup('base');
PostgreSQL::Test::Utils::system_or_bail($lost->installed_command('pg_dump'), '-Fc', '-f', "$dir/$_.dump", $lost->connstr($_))
	for @databases;
$lost->stop('immediate');
$lost->stop_tpm;
unlink($lost->keyring) or die;

# Whatever way the data came: nothing opens before, all of it afterwards.
sub drill
{
	my ($what, $node, $start, @recover) = @_;
	for my $database (@databases)
	{
		like($node->error_of($opened, dbname => $database), qr/cannot be opened by this machine.*themis-keyring recover/s,
			"$what: $database does not open, and says what to do");
		like($node->error_of("SELECT themis_crypt.add_recipient('x', 'tcpub1:AQsCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICPotx3Q')", dbname => $database),
			qr/cannot be opened by this machine/, "$what: nobody is let in by a machine that is not");
	}
	my @all = ('--all-databases', '--conninfo', $node->connstr('postgres') . ' user=postgres', '--name', 'new');

	# A fingerprint that is missing stops this one database only.
	my ($done, $out) = $recover[0]->('recover', @recover[1 .. $#recover], @all, '--fingerprint', $noted{payroll});
	is($done, 1, "$what: one fingerprint was not given: exit code 1");
	like($out, qr/^database "payroll", root "themis_root", fingerprint $noted{payroll}: recovered for machine "new"$/m,
		"$what: the other root is recovered, and its fingerprint named");
	like($out, qr/database "clinic", root "themis_root", realm [0-9a-f]{32}, fingerprint $noted{clinic}: this fingerprint is none of those you gave/,
		"$what: this one is not, and is named, too");
	is($node->safe_psql('payroll', $opened), $plain{payroll}, "$what: the values of the one open");
	like($node->error_of($opened, dbname => 'clinic'), qr/cannot be opened by this machine/, "$what: those of the other do not");

	($done, $out) = $recover[0]->('recover', @recover[1 .. $#recover], @all, '--json', map { ('--fingerprint', $_) } values %noted);
	is($done, 0, "$what: recovered") or diag $out;
	my $json = eval { JSON::PP::decode_json($out =~ s/^(?:hint|themis-keyring):.*\n//mgr) } // {};
	my %result = map { $_->{database} => $_->{result} } @{ $json->{databases} };
	is("$result{payroll} $result{clinic} $result{template1}", 'known recovered skipped', "$what: each database has its result");
	is_deeply([ sort map { $_->{fingerprint} } map { @{ $_->{roots} // [] } } @{ $json->{databases} } ],
		[ sort values %noted ], "$what: all fingerprints are named");
	diag(sprintf('%s: %.1f s from nothing to open values', $what, time - $start));

	for my $when ('at once', 'restarted')
	{
		$node->restart if $when eq 'restarted';
		$node->wait_unlocked;
		for my $database (@databases)
		{
			is($node->safe_psql($database, $opened), $plain{$database}, "$what: $when, each value of $database opens");
			is($node->safe_psql($database, $sealed), $armor{$database}, "$what: $when, as it was sealed");
		}
	}
	for my $database (@databases)
	{
		is($node->safe_psql($database, $keys), $keys{$database}, "$what: the keys of $database are the same");
		is($node->safe_psql($database, q(SELECT string_agg(role || ' ' || coalesce(this_machine, false), ', ' ORDER BY this_machine, role) FROM themis_crypt.recipients)),
			'machine false, recovery false, machine true', "$what: who can open $database: the lost machine, recovery, the new one");
		is($node->error_of(q(CREATE SERVER c FOREIGN DATA WRAPPER themis_crypt; CREATE TABLE u (v encrypted(c)); INSERT INTO u VALUES ('new');
			INSERT INTO t VALUES (1000, 'new', 1)), dbname => $database), '', "$what: work goes on");
	}

	# Nobody shall find the lost machine and open a later copy with it.
	my $gone = $node->safe_psql('clinic', q(SELECT public_key FROM themis_crypt.recipients WHERE role = 'machine' AND NOT this_machine));
	($done, $out) = $node->keyring_tool('drop', '--public-key', $gone, @all[0 .. 2]);
	is($done, 0, "$what: the lost machine is dropped") or diag $out;
	like($out, qr/^keyring: not enrolled\n.*^database "clinic": the recipient was dropped.*^database "payroll": the recipient was dropped/ms,
		"$what: from each database; it was not in the new keyring");
	$node->restart;
	$node->wait_unlocked;
	is($node->safe_psql($_, "SELECT count(*) FROM t WHERE v::text <> '' OR i = 0"), 503, "$what: and all values of $_ open") for @databases;
	$node->stop;
	$node->stop_tpm;
	return;
}

# A new machine, a new TPM, a new keyring, and the base backup.
my $start = time;
my $new = ThemisCluster->new('new');
$new->init_from_backup($lost, 'base');
$new->append_conf('postgresql.conf', "log_statement = all\n");
$new->start;
$new->wait_unlocked;
drill('base backup', $new, $start, sub { $new->keyring_tool(@_) }, '--identity', $identity);

# Another one, a fresh cluster, and the dumps.
$start = time;
my $fresh = ThemisCluster->ready('fresh', conf => "log_statement = all\n");
for my $database (@databases)
{
	local $ENV{PGOPTIONS} = '-c themis_crypt.restore=on';
	$fresh->safe_psql('postgres', "CREATE DATABASE $database");
	$fresh->command_ok([ 'pg_restore', '-e', '-d', $fresh->connstr($database), "$dir/$database.dump" ], "dump: $database is restored");
}
($code, $said) = with_input("wrong\n", 'recover', '--keyring', $fresh->keyring, '--tcti', $fresh->tcti, '--identity', $protected,
	'--passphrase-fd', '0', '--conninfo', $fresh->connstr('payroll'), '--fingerprint', $noted{payroll});
is($code, 4, 'dump: a wrong passphrase is refused');
like($said, qr/the passphrase is not that of identity file/, 'dump: in words');
drill('dump', $fresh, $start,
	sub { with_input("$passphrase\n", $_[0], '--keyring', $fresh->keyring, '--tcti', $fresh->tcti, @_[1 .. $#_]) },
	'--identity', $protected, '--passphrase-fd', '0');

# What was typed and read is in no log.
my $logs = join '', map { PostgreSQL::Test::Utils::slurp_file($_->logfile) } $new, $fresh;
my $secret = PostgreSQL::Test::Utils::slurp_file($identity);
chomp $secret;
is(index($logs, $secret), -1, 'the identity is in no server log');
is(index($logs, $passphrase), -1, 'nor is the passphrase');
cmp_ok(index($logs, 'replace_root_record($1)'), '>=', 0, '(where statements are)');
done_testing();

# The tool, with something on its standard input: exit code and all it says.
sub with_input
{
	my ($input, @command) = @_;
	my $out = '';
	IPC::Run::run([ $lost->installed_command('themis-keyring'), @command ], '<', \$input, '>', \$out, '2>&1');
	return ($? >> 8, $out);
}
