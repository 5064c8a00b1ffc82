# Goal of this test: two machines under Patroni, each with a TPM and a keyring of
# its own.  Once the second one is enrolled, a failover needs nobody: it opens
# the old values, seals new ones and makes keys, and so does the first one when
# it is back.  What Patroni copies, rewinds and configures leaves keyrings alone.
use strict;
use warnings;
use ThemisCluster;
use HTTP::Tiny;
use PostgreSQL::Test::Utils ();
use Test::More;

plan skip_all => 'only in check-long' if !$ENV{TC_LONG};
for my $program (qw(etcd patroni patronictl))
{
	plan skip_all => "missing $program" if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $dir = PostgreSQL::Test::Utils::tempdir();
chomp(my $bindir = `pg_config --bindir`);
open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
read $random, my $password, 16;
$password = unpack 'H*', $password;

# --- programs that go on until we end them --------------------------------------

my %running;

sub start
{
	my ($name, @command) = @_;
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		setpgrp;
		open STDIN,  '<',  '/dev/null' or die;
		open STDOUT, '>>', "$dir/$name.log" or die;
		open STDERR, '>&', \*STDOUT or die;
		exec @command or die "$command[0]: $!";
	}
	$running{$name} = $pid;
	return;
}

sub end
{
	my ($name, $signal) = @_;
	my $pid = delete $running{$name} or return;
	kill $signal, $pid;
	waitpid $pid, 0;
	return;
}

# What has been said, for the one who has to find out why.
sub log_of
{
	my ($name) = @_;
	return PostgreSQL::Test::Utils::slurp_file("$dir/$name.log");
}

sub wait_logged
{
	my ($name, $pattern) = @_;
	for (1 .. 900)
	{
		return 1 if log_of($name) =~ $pattern;
		select undef, undef, undef, 0.1;
	}
	die "$name: not in 90 s: $pattern";
}

# The processes of a server, by where they live.
sub processes
{
	my ($node) = @_;
	my $home = $node->data_dir;
	return grep { (readlink("/proc/$_/cwd") // '') eq $home } map { m{(\d+)$} } glob '/proc/[0-9]*';
}

sub power_cut
{
	my ($node) = @_;
	end($node->name, 'KILL');
	kill 'KILL', processes($node);
	for (1 .. 100)
	{
		last if !processes($node);
		select undef, undef, undef, 0.1;
	}
	$node->stop_tpm;
	return;
}

# --- the two machines, and what they agree in -----------------------------------

my $etcd = PostgreSQL::Test::Cluster::get_free_port();
my ($one, $two) = map { ThemisCluster->new($_) } qw(one two);

END
{
	my $exit_code = $?;
	end($_, 'KILL') for keys %running;
	kill 'KILL', map { $_ ? processes($_) : () } $one, $two;
	for my $name ($exit_code ? grep { -e "$dir/$_.log" } qw(one two) : ())
	{
		my @lines = split /^/, log_of($name);
		diag("$name:\n", @lines > 40 ? @lines[ -40 .. -1 ] : @lines);
	}
	$? = $exit_code;
}

# Both are set up with one recovery key.
PostgreSQL::Test::Utils::system_or_bail('cp', $one->key_dir . '/recovery.pub', $two->key_dir);
$two->make_keyring('--provider', 'tpm2', '--tcti', $two->tcti);

# Whoever may write there decides what runs on each machine.
my $peer = PostgreSQL::Test::Cluster::get_free_port();
start('etcd', 'etcd', '--name', 'etcd', '--data-dir', "$dir/etcd",
	'--listen-client-urls', "http://127.0.0.1:$etcd", '--advertise-client-urls', "http://127.0.0.1:$etcd",
	'--listen-peer-urls', "http://127.0.0.1:$peer", '--initial-advertise-peer-urls', "http://127.0.0.1:$peer",
	'--initial-cluster', "etcd=http://127.0.0.1:$peer");
for my $call ([ 'user/add', qq({"name": "root", "password": "$password"}) ],
	[ 'role/add', '{"name": "root"}' ], [ 'user/grant', '{"user": "root", "role": "root"}' ], [ 'enable', '{}' ])
{
	my $answer;
	for (1 .. 300)
	{
		$answer = HTTP::Tiny->new->post("http://127.0.0.1:$etcd/v3/auth/$call->[0]", { content => $call->[1] });
		last if $answer->{status} != 599;
		select undef, undef, undef, 0.1;
	}
	die "etcd: $call->[0]: $answer->{content}" if !$answer->{success};
}

# Promotes nobody without keys.
open my $script, '>', "$dir/keys-are-open" or die "keys-are-open: $!";
print $script <<'END';
#!/bin/sh
for i in 1 2 3 4 5; do
	[ "$("$1/psql" -XAt -h "$2" -p "$3" -U postgres -c 'SELECT state FROM themis_crypt.status()')" != unlocked ] || exit 0
	sleep 1
done
exit 1
END
close $script;
chmod 0755, "$dir/keys-are-open";

sub configure
{
	my ($node) = @_;
	my ($name, $port, $api) = ($node->name, $node->port, PostgreSQL::Test::Cluster::get_free_port());
	open my $file, '>', "$dir/$name.yml" or die "$name.yml: $!";
	print $file <<"END";
scope: themis
name: $name
restapi:
  listen: 127.0.0.1:$api
  connect_address: 127.0.0.1:$api
  authentication: {username: patroni, password: $password}
etcd3:
  host: 127.0.0.1:$etcd
  username: root
  password: $password
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    postgresql:
      use_pg_rewind: true
      parameters:
        shared_preload_libraries: themis_crypt
  initdb:
    - encoding: UTF8
    - locale: C.UTF-8
    - data-checksums
postgresql:
  listen: 127.0.0.1:$port
  connect_address: 127.0.0.1:$port
  use_unix_socket: true
  data_dir: @{[ $node->data_dir ]}
  bin_dir: $bindir
  pgpass: $dir/$name.pgpass
  pre_promote: $dir/keys-are-open $bindir @{[ $node->host ]} $port
  basebackup:
    - checkpoint: fast
  authentication:
    superuser: {username: postgres, password: $password}
    replication: {username: replicator, password: $password}
  pg_hba:
    - local all all trust
    - host all all 127.0.0.1/32 scram-sha-256
    - host replication replicator 127.0.0.1/32 scram-sha-256
  parameters:
    unix_socket_directories: @{[ $node->host ]}
    themis_crypt.keyring: @{[ $node->keyring ]}
    themis_crypt.tpm2_tcti: @{[ $node->tcti ]}
    themis_crypt.memfd_secret: "@{[ $ENV{TC_MEMFD_SECRET} // 'on' ]}"
END
	close $file;
	return;
}

sub up
{
	my ($node) = @_;
	local $ENV{CREDENTIALS_DIRECTORY} = "$dir/credentials";
	start($node->name, 'patroni', "$dir/" . $node->name . '.yml');
	return;
}

sub patronictl
{
	my ($command, @args) = @_;
	my $out = '';
	IPC::Run::run([ 'patronictl', '-c', "$dir/one.yml", $command, @args ],
		'<', \undef, '>', \$out, '2>&1', IPC::Run::timeout(120));
	note("$command: $out");
	return $out;
}

# Of a server that may be away; psql may then end before it has read anything.
sub wait_for
{
	my ($node, $sql) = @_;
	for (1 .. 900)
	{
		my $out = eval { ($node->psql('postgres', "SELECT $sql"))[1] } // '';
		return 1 if $out eq 't';
		select undef, undef, undef, 0.1;
	}
	die $node->name . ": not in 90 s: $sql";
}

sub wait_leader
{
	my ($node) = @_;
	return wait_for($node, 'NOT pg_is_in_recovery()');
}

sub wait_standby
{
	my ($node, $leader) = @_;
	wait_for($node, 'pg_is_in_recovery() AND EXISTS (SELECT FROM pg_stat_wal_receiver)');
	$leader->wait_for_catchup($node);
	return;
}

sub wait_state
{
	my ($node, $state) = @_;
	return wait_for($node, "state = '$state' FROM themis_crypt.status()");
}

# --- day 0 ----------------------------------------------------------------------

configure($_) for $one, $two;
up($one);
wait_leader($one);
$one->safe_psql('postgres', <<'END');
CREATE EXTENSION themis_crypt;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (i int, v encrypted(k));
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 100) AS i;
END
my $open = q(SELECT count(*) FILTER (WHERE v::text = 'v' || i) FROM t);
is($one->safe_psql('postgres', $open), '100', 'the first node has settings of its own, and seals');
my ($postmaster) = PostgreSQL::Test::Utils::slurp_file($one->data_dir . '/postmaster.pid') =~ /^(\d+)/;
like(PostgreSQL::Test::Utils::slurp_file("/proc/$postmaster/environ"), qr/(^|\0)CREDENTIALS_DIRECTORY=\Q$dir\E/,
	'Patroni hands its environment on');

up($two);
wait_standby($two, $one);
wait_state($two, 'unlocked');
like($two->error_of($open), qr/cannot be opened by this machine/, 'the second node replays, and opens nothing yet');

# Each lets the other one in; what the second one makes later is for both.
sub public_key
{
	my ($node) = @_;
	my ($code, $said) = $node->keyring_tool('show', '--unseal', '--name', $node->name);
	$said =~ /^machine: (tcpub1:\S+) .*\n\s+fingerprint (\S+)/m or die $said;
	return ('--name', $node->name, '--public-key', $1, '--fingerprint', $2);
}

sub done
{
	my ($what, $code, $said) = @_;
	is($code, 0, $what) or diag $said;
	return;
}

my $postgres = $one->connstr('postgres') . ' user=postgres';
done('the second node is enrolled on the first one',
	$one->keyring_tool('enroll', public_key($two), '--conninfo', $postgres, '--all-databases'));
done('and the first one in the keyring of the second one', $two->keyring_tool('enroll', public_key($one)));
done('which trusts the root', $two->keyring_tool('trust', split ' ',
	$one->safe_psql('postgres', q(SELECT realm || ' ' || fingerprint FROM themis_crypt.root_records()))));
$two->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
$one->wait_for_catchup($two);
is($two->safe_psql('postgres', $open), '100', 'values open on both');

# --- settings -------------------------------------------------------------------

patronictl('edit-config', '--force', '-p', 'themis_crypt.unlock_timeout=7s', '-p', 'themis_crypt.require_unlocked=on',
	'-p', 'themis_crypt.keyring=/nowhere');
for my $node ($one, $two)
{
	my $name = $node->name;
	ok(wait_for($node, q(current_setting('themis_crypt.unlock_timeout') = '7s')), "$name: a setting for all is taken over");
	ok(wait_for($node, q(pending_restart FROM pg_settings WHERE name = 'themis_crypt.require_unlocked')),
		"$name: one that needs a restart waits for it");
	is($node->safe_psql('postgres', 'SHOW themis_crypt.keyring'), $node->keyring, "$name: its own settings go first");
}

# --- a node without its TPM -------------------------------------------------------

$two->stop_tpm;
patronictl('restart', 'themis', 'two', '--force');
wait_state($two, 'failed');
is($two->safe_psql('postgres', 'SHOW themis_crypt.require_unlocked'), 'on', 'a node without TPM starts with require_unlocked, too');
wait_standby($two, $one);
patronictl('switchover', 'themis', '--candidate', 'two', '--force');
ok(wait_logged('two', qr/pre_promote script .* exited with 1/), 'it is not promoted');
wait_leader($one);
is($one->safe_psql('postgres', $open), '100', 'the one with keys goes on as leader');
$two->restart_tpm;
wait_standby($two, $one);
ok(wait_state($two, 'unlocked'), 'the TPM is back: it unlocks by itself');

# --- failover ---------------------------------------------------------------------

# What the old leader has not sent yet is lost, and it has to be rewound.
my $sender = $one->safe_psql('postgres', 'SELECT pid FROM pg_stat_replication');
kill 'STOP', $sender;
$one->safe_psql('postgres', q(INSERT INTO t VALUES (101, 'lost'); CREATE SERVER lost FOREIGN DATA WRAPPER themis_crypt));
my $keyring = PostgreSQL::Test::Utils::slurp_file($one->keyring);
power_cut($one);
wait_leader($two);
is($two->safe_psql('postgres', $open), '100', 'failover: old values open');
$two->safe_psql('postgres', <<'END');
INSERT INTO t VALUES (101, 'v101');
CREATE SERVER later FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE l (v encrypted(later));
INSERT INTO l VALUES ('later');
CREATE DATABASE other;
END
$two->safe_psql('other', <<'END');
CREATE EXTENSION themis_crypt;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k));
INSERT INTO t VALUES ('other');
END
is($two->safe_psql('postgres', "$open UNION ALL SELECT length(v::text) FROM l"), "101\n5", 'it seals, and makes keys');

# --- the old leader comes back ------------------------------------------------------

sub opens_all
{
	my ($node, $when) = @_;
	is($node->safe_psql('postgres', "$open UNION ALL SELECT length(v::text) FROM l"), "101\n5", "$when: it opens what both have sealed");
	is($node->safe_psql('other', 'SELECT v::text FROM t'), 'other', "$when: and a database whose root the other one has made");
	ok(PostgreSQL::Test::Utils::slurp_file($one->keyring) eq $keyring, "$when: its keyring is as it was");
	is($node->safe_psql('postgres', 'SHOW themis_crypt.keyring'), $node->keyring, "$when: and the setting names it");
	return;
}

$one->restart_tpm;
up($one);
wait_standby($one, $two);
wait_state($one, 'unlocked');
like(log_of('one'), qr/doing crash recovery in a single user mode.*running pg_rewind/s, 'the old leader is rewound');
is($one->safe_psql('postgres', q(SELECT count(*) FROM themis_crypt.keys WHERE name = 'lost')), '0', 'what it has not sent is lost');
opens_all($one, 'rewound');

patronictl('reinit', 'themis', 'one', '--force', '--wait');
wait_standby($one, $two);
wait_state($one, 'unlocked');
opens_all($one, 'copied anew');

patronictl('switchover', 'themis', '--candidate', 'one', '--force');
wait_leader($one);
opens_all($one, 'leader again');
$one->safe_psql('postgres', q(INSERT INTO l VALUES ('again')));
like($one->error_of(q(INSERT INTO t VALUES ('more')), dbname => 'other'), qr/not trusted by this machine/,
	'a root that the other one has made is not sealed under before it is trusted');


# A leader that is restarted is not promoted, but started as one; with
# require_unlocked it is not, and comes up as a standby.
wait_standby($two, $one);
$one->stop_tpm;
patronictl('restart', 'themis', 'one', '--force');
wait_leader($two);
like(log_of('one'), qr/FATAL: +could not unlock encryption keys/, 'a leader that is restarted without TPM does not lead on');
$one->restart_tpm;
wait_standby($one, $two);
ok(wait_state($one, 'unlocked'), 'the TPM is back: it unlocks by itself');
is($_->safe_psql('postgres', q(SELECT string_agg(v::text, ' ' ORDER BY v::text) FROM l)), 'again later', 'values open on ' . $_->name)
  for $one, $two;

end($_, 'TERM') for qw(two one etcd);
is(join(' ', map { processes($_) } $one, $two), '', 'no process is left');
done_testing();
