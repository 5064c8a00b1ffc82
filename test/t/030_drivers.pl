# Goal of this test: applications that know nothing of encryption work with
# encrypted columns, through psycopg, psycopg2, node-postgres and JDBC, directly
# and through PgBouncer in transaction mode.  Each runs on a plain twin of the
# database first, so that it is known to be an ordinary one.
use strict;
use warnings;
use ThemisCluster;
use IPC::Run ();
use PostgreSQL::Test::Utils ();
use Test::More;

my $apps = 'test/drivers';
my $dir = PostgreSQL::Test::Utils::tempdir();
open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
read $random, my $password, 16;
$password = unpack 'H*', $password;

# --- what there is of drivers ----------------------------------------------------

sub works { return system("@_ >/dev/null 2>&1") == 0 }

my $jdbc = '/usr/share/java/postgresql.jar';

# Not python3 of whatever comes first in PATH: Debian's, which Debian's drivers are for.
my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';

# Debian's node-pg is refused by a nodejs that is not Debian's; its files will do.
my $nodes = $ENV{NODE_PATH} // '/usr/share/nodejs';
if (works('node', '--version') && !-e "$nodes/pg/package.json")
{
	$nodes = "$dir/nodejs";
	works('test/deps', 'node', $nodes);
}
$ENV{NODE_PATH} = $nodes;

my %driver = (
	psycopg => {
		missing => works($python, '-c', '"import psycopg"') ? undef : 'python3-psycopg',
		command => [ $python, "$apps/app_psycopg.py" ],
		ways => ['', 'eager'] },
	psycopg2 => {
		missing => works($python, '-c', '"import psycopg2"') ? undef : 'python3-psycopg2',
		command => [ $python, "$apps/app_psycopg2.py" ],
		ways => [''] },
	'node-postgres' => {
		missing => works('node', '-e', q('require("pg")')) ? undef : 'nodejs or node-pg',
		command => [ 'node', "$apps/app_node.js" ],
		ways => ['', 'eager'] },
	JDBC => {
		missing => works('java -XX:-UsePerfData --list-modules | grep jdk.compiler') && -e $jdbc ? undef : 'a JDK or libpostgresql-jdbc-java',
		# else it leaves a folder in /tmp
		command => [ 'java', '-XX:-UsePerfData', '-cp', $jdbc, "$apps/App.java" ],
		ways => ['', 'eager'] });

# --- a server that drivers reach, and the two databases -------------------------------

my $node = ThemisCluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'END');
listen_addresses = '127.0.0.1'
# as README, "Security", has it
log_statement = none
log_min_error_statement = panic
log_parameter_max_length = 0
autovacuum = off
END
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\nhost all app,clerk 127.0.0.1/32 scram-sha-256\n");
$node->start;
$node->safe_psql('postgres', "CREATE ROLE app LOGIN PASSWORD '$password'; CREATE ROLE clerk LOGIN PASSWORD '$password'");

my $schema = PostgreSQL::Test::Utils::slurp_file("$apps/schema.sql");
my $twin = $schema =~ s/encrypted\(crm, (\w+)(?:, searchable)?\)/$1/gr =~ s/^.*(?:FOREIGN|TO clerk).*\n//gmr;
unlike($twin, qr/crm/, 'the twin has no encrypted columns');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->safe_psql('plain', $twin);
$node->safe_psql('postgres', 'CREATE DATABASE sealed');
$node->safe_psql('sealed', 'SET client_min_messages = error; CREATE EXTENSION themis_crypt');
$node->wait_unlocked('sealed');
$node->safe_psql('sealed', "SET client_min_messages = error; $schema");

# --- running them ---------------------------------------------------------------------

# The tests of a program become tests of ours.
sub run_app
{
	my ($name, $database, $way, $port) = @_;
	my $driver = $driver{$name};
	my $label = join ' ', grep { $_ } $name, $database, $way;

	$node->safe_psql($database, 'TRUNCATE customer, orders, visit');
	local $ENV{PGHOST} = '127.0.0.1';
	local $ENV{PGPORT} = $port;
	local $ENV{PGDATABASE} = $database;
	local $ENV{PGUSER} = 'app';
	local $ENV{PGPASSWORD} = $password;
	local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
	local $ENV{PYTHONIOENCODING} = 'utf-8';

	my $out = '';
	my @command = (@{ $driver->{command} }, $database eq 'plain' ? 'plain' : (), $way || ());
	my $done = IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>&1',
		IPC::Run::timeout(2 * $PostgreSQL::Test::Utils::timeout_default));
	my ($count, $plan) = (0, -1);
	for (split /\n/, $out)
	{
		if (/^ok \d+ - (.*) # SKIP (.*)/)
		{
			$count++;
		  SKIP: { skip "$label: $1: $2", 1 }
		}
		elsif (/^(not )?ok \d+ - (.*)/)
		{
			$count++;
			ok(!$1, "$label: $2");
		}
		elsif (/^1\.\.(\d+)/) { $plan = $1 }
		else                  { diag("$label: $_") }
	}
	ok($done && $count == $plan && $plan > 0, "$label: all of its $plan tests are done");
	return;
}

# --- a pooler in between ----------------------------------------------------------------

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
my ($bouncer, $bouncer_port);

END
{
	my $exit_code = $?;
	if ($bouncer)
	{
		kill 'KILL', $bouncer;
		waitpid $bouncer, 0;
		diag(PostgreSQL::Test::Utils::slurp_file("$dir/pgbouncer.log")) if $exit_code;
	}
	$? = $exit_code;
}

# "one" has one connection to the server; "opened" asks for plaintext when it makes one.
sub start_pgbouncer
{
	my ($host, $port) = ($node->host, $node->port);
	$bouncer_port = PostgreSQL::Test::Cluster::get_free_port();
	PostgreSQL::Test::Utils::append_to_file("$dir/users", qq("app" "$password"\n"clerk" "$password"\n));
	PostgreSQL::Test::Utils::append_to_file("$dir/pgbouncer.ini", <<"END");
[databases]
one = host=$host port=$port dbname=sealed pool_size=1
opened = host=$host port=$port dbname=sealed connect_query='SET themis_crypt.client_output = plaintext'
* = host=$host port=$port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $bouncer_port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $dir/users
pool_mode = transaction
default_pool_size = 3
ignore_startup_parameters = extra_float_digits
END
	$bouncer = fork // die "fork: $!";
	if ($bouncer == 0)
	{
		open STDIN,  '<', '/dev/null' or die;
		open STDOUT, '>', "$dir/pgbouncer.log" or die;
		open STDERR, '>&', \*STDOUT or die;
		exec $pgbouncer, '-q', "$dir/pgbouncer.ini" or die "$pgbouncer: $!";
	}
	for (1 .. 600)
	{
		return if pooled('one', 'SELECT 1') eq '1';
		select undef, undef, undef, 0.1;
	}
	die 'no connection through the pooler';
}

# What psql prints, through the pooler.
sub pooled
{
	my ($database, $sql) = @_;
	local $ENV{PGPASSWORD} = $password;
	my $out = '';
	IPC::Run::run([ $node->installed_command('psql'), '-XAtq', '-h', '127.0.0.1', '-p', $bouncer_port, '-U', 'app', '-d', $database ],
		'<', \$sql, '>', \$out, '2>&1');
	chomp $out;
	return $out;
}

# --- all of it --------------------------------------------------------------------------

for my $name (sort keys %driver)
{
  SKIP:
	{
		skip "missing $driver{$name}{missing}", 1 if $driver{$name}{missing};
		for my $way (@{ $driver{$name}{ways} })
		{
			my $from = -s $node->logfile;
			run_app($name, 'plain', $way, $node->port);
			like($node->log_from($from), qr/\@example\.com/, "$name $way: control: the server log has values of the twin");
			$from = -s $node->logfile;
			run_app($name, 'sealed', $way, $node->port);
			unlike($node->log_from($from), qr/\@example\.com/, "$name $way: and none of the encrypted columns");
		}
	}
}

if (grep { !$driver{$_}{missing} } keys %driver)
{
	my %scans = map { split /\|/ } split /\n/, $node->safe_psql('sealed', 'SELECT indexrelname, idx_scan FROM pg_stat_user_indexes');
	cmp_ok($scans{$_}, '>', 10, "index $_ was scanned") for qw(customer_birth customer_email_key orders_customer);
}

SKIP:
{
	skip 'missing pgbouncer', 1 if !$pgbouncer;
	start_pgbouncer();
	for my $name (grep { !$driver{$_}{missing} } sort keys %driver)
	{
		run_app($name, $_, 'pooled', $bouncer_port) for qw(plain sealed);
	}

	$node->safe_psql('sealed', 'TRUNCATE customer, orders');
	pooled('one', q(INSERT INTO customer (email, birth) VALUES ('anna@example.com', '1990-05-17')));
	my $read = 'SELECT email, birth FROM customer';
	like(pooled('one', $read), qr/^tc1:[^|]+\|tc1:/, 'one connection for all: a value is sealed');
	is(pooled('one', "BEGIN; SET LOCAL themis_crypt.client_output = 'plaintext'; $read; COMMIT"),
		'anna@example.com|1990-05-17', 'SET LOCAL shows it in one transaction');
	like(pooled('one', $read), qr/^tc1:/, 'the next one has it sealed');
	pooled('one', "SET themis_crypt.client_output = 'plaintext'");
	is(pooled('one', $read), 'anna@example.com|1990-05-17', 'but SET changes it for whoever comes next');
	is(pooled('opened', $read), 'anna@example.com|1990-05-17', 'a pool of its own has plaintext by connect_query');
}
done_testing();
