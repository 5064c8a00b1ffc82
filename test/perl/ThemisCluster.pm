# PostgreSQL::Test::Cluster with a software TPM and a keyring of its own.
#
#   use ThemisCluster;
#   my $node = ThemisCluster->new('main');               # tpm => 0 for none
#   $node->init;                                         # or init_from_backup
#   $node->start;
#   $node->wait_unlocked;
#
# or all of that, with the extension in database postgres, by
#
#   my $node = ThemisCluster->ready('main', conf => "max_connections = 40\n");
#
# The TPM and the keyring live in basedir/key and are made by test/cluster; the
# server is started by PostgreSQL::Test::Cluster, as ever.  A node with
# machine => $other has those of another node: both are on one machine.
package ThemisCluster;

use strict;
use warnings;
use parent 'PostgreSQL::Test::Cluster';
use File::Find ();
use IPC::Run ();
use MIME::Base64 ();
use PostgreSQL::Test::BackgroundPsql ();
use PostgreSQL::Test::Utils ();

my $program = $ENV{TC_CLUSTER} // 'test/cluster';
# Whether servers may use memfd_secret(2) where the kernel has it.
my $memfd_secret = $ENV{TC_MEMFD_SECRET} // 'on';
my @with_tpm;

# It would tell every statement.
{
	no warnings 'redefine';
	*PostgreSQL::Test::BackgroundPsql::note = sub { };
}

# The superuser is called so whatever the system user is, as in test/cluster.
$ENV{PGUSER} = 'postgres';

sub new
{
	my ($class, $name, %params) = @_;
	my $tpm = delete $params{tpm} // 1;
	my $machine = delete $params{machine};
	my $node = $class->SUPER::new($name, %params);

	$node->{_machine} = $machine;
	if ($tpm && !$machine)
	{
		$node->restart_tpm;
		PostgreSQL::Test::Utils::system_or_bail($program, 'keyring', $node->key_dir);
	}
	return $node;
}

sub ready
{
	my ($class, $name, %params) = @_;
	my $conf = delete $params{conf};
	my $node = $class->new($name, %params);

	$node->init;
	$node->append_conf('postgresql.conf', $conf) if defined $conf;
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION themis_crypt');
	$node->wait_unlocked;
	return $node;
}

sub machine { return $_[0]->{_machine} // $_[0] }
sub key_dir { return $_[0]->machine->basedir . '/key' }
sub keyring { return $_[0]->key_dir . '/keyring' }
sub tcti    { return $_[0]->machine->{_tcti} // 'swtpm:path=' . $_[0]->key_dir . '/none' }

sub init
{
	my ($self, %params) = @_;
	$params{extra} = [ '-U', 'postgres', '--locale=C.UTF-8', @{ $params{extra} // [] } ];
	$self->SUPER::init(%params);
	$self->_configure;
	return;
}

sub init_from_backup
{
	my ($self, @params) = @_;
	$self->SUPER::init_from_backup(@params);
	$self->_configure;
	return;
}

# A copied configuration has these lines already, with the other node's names.
sub _configure
{
	my ($self) = @_;
	my ($keyring, $tcti) = ($self->keyring, $self->tcti);
	$self->append_conf('postgresql.conf', <<"END");
shared_preload_libraries = 'themis_crypt'
themis_crypt.keyring = '$keyring'
themis_crypt.tpm2_tcti = '$tcti'
themis_crypt.memfd_secret = $memfd_secret
END
	return;
}

# As a power cut; the state of the TPM stays.
sub stop_tpm
{
	my ($self) = @_;
	PostgreSQL::Test::Utils::system_or_bail($program, 'swtpm-stop', $self->key_dir);
	return;
}

sub restart_tpm
{
	my ($self) = @_;
	my $dir = $self->key_dir;
	my $out = `'$program' swtpm-start '$dir'`;
	die "could not start a TPM: $out" unless $out =~ /^TCTI=(\S+)$/m;
	$self->{_tcti} = $1;
	push @with_tpm, $self unless grep { $_ == $self } @with_tpm;
	return;
}

# While a server starts again, psql ends before it has read the query, and may
# so end us: then once more.
sub poll_query_until
{
	my ($self, @params) = @_;
	my $ok;
	for (1 .. 20)
	{
		return $ok if eval { $ok = $self->SUPER::poll_query_until(@params); 1 };
		die $@ unless $@ =~ /Broken pipe/;
	}
	return 0;
}

# The extension must exist in the database.
sub wait_unlocked
{
	my ($self, $dbname) = @_;
	return $self->wait_state('unlocked', $dbname);
}

sub wait_state
{
	my ($self, $state, $dbname) = @_;
	return $self->poll_query_until($dbname // 'postgres',
		"SELECT state = '$state' FROM themis_crypt.status()");
}

# One column of status(), or an expression over them.
sub status
{
	my ($self, $what, $dbname) = @_;
	return $self->safe_psql($dbname // 'postgres',
		"SELECT $what FROM themis_crypt.status()");
}

# What psql says of a statement that fails; nothing if it does not.
sub error_of
{
	my ($self, $sql, %params) = @_;
	my $dbname = delete $params{dbname} // 'postgres';
	my ($code, $out, $err) = $self->psql($dbname, $sql, %params);
	return $code == 0 ? '' : $err;
}

# themis-keyring with this node's keyring and TPM: exit code and all it says.
sub keyring_tool
{
	my ($self, $command, @args) = @_;
	my $out = '';
	my $ok = IPC::Run::run(
		[ $self->installed_command('themis-keyring'), $command,
			'--keyring', $self->keyring, '--tcti', $self->tcti, @args ],
		'<', \undef, '>', \$out, '2>&1');
	return ($? >> 8, $out);
}

# Another keyring in the place of this node's, with these options of
# "themis-keyring init", --provider among them; for a node that has none yet, too.
sub make_keyring
{
	my ($self, @options) = @_;
	my $dir = $self->key_dir;
	mkdir $dir, 0700;
	unlink $self->keyring;
	push @options, -e "$dir/recovery.pub" ? ('--recovery-pubkey', "$dir/recovery.pub") : '--no-recovery';
	PostgreSQL::Test::Utils::system_or_bail($self->installed_command('themis-keyring'),
		'init', '--keyring', $self->keyring, @options);
	return;
}

# Where the providers of the private installation are.
sub provider_dir
{
	my ($self) = @_;
	chomp(my $dir = `'@{[ $self->installed_command('pg_config') ]}' --pkglibdir`);
	return "$dir/themis_crypt";
}

# What test/lib/keyscan wants to know of the root and of keys, a line for each:
# their options, by the names of the servers.
sub key_facts
{
	my ($self, @keys) = @_;
	my $names = join ', ', map { "'$_'" } @keys;
	return $self->safe_psql('postgres', <<"END");
SELECT 'root ' || o.id || ' ' || o.record || ' ' || o.transit FROM (
	SELECT max(option_value) FILTER (WHERE option_name = 'id') AS id,
	       max(option_value) FILTER (WHERE option_name = 'record') AS record,
	       max(option_value) FILTER (WHERE option_name = 'transit1') AS transit
	  FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname = 'themis_root') AS o;
SELECT 'key ' || o.id || ' ' || o.uuid || ' ' || o.realm || ' ' || o.v1 || ' ' || o.index FROM (
	SELECT srvname, max(option_value) FILTER (WHERE option_name = 'id') AS id,
	       max(option_value) FILTER (WHERE option_name = 'uuid') AS uuid,
	       max(option_value) FILTER (WHERE option_name = 'realm') AS realm,
	       max(option_value) FILTER (WHERE option_name = 'v1') AS v1,
	       max(option_value) FILTER (WHERE option_name = 'index') AS index
	  FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname IN ($names) GROUP BY srvname) AS o ORDER BY srvname;
END
}

# What the server has logged, from a position on.
sub log_from
{
	my ($self, $from) = @_;
	return substr PostgreSQL::Test::Utils::slurp_file($self->logfile), $from // 0;
}

# Where canaries stand in the data directory or the log, as they are or encoded:
# for each a hash of places, "base", "pg_wal", "pgsql_tmp", "log" or "other".
sub traces
{
	my ($self, @canaries) = @_;
	my (%found, %forms);

	for my $canary (@canaries)
	{
		my @forms = ($canary, unpack('H*', $canary), join("\0", split //, $canary));
		# Base64 at each of three alignments, without the characters that depend
		# on what stands before and behind.
		for my $before (0 .. 2)
		{
			my $base64 = MIME::Base64::encode_base64(("\0" x $before) . $canary, '');
			push @forms, substr $base64, 4, length($base64) - 8;
			push @forms, $forms[-1] =~ tr{+/}{-_}r;
		}
		$forms{$canary} = \@forms;
	}
	my $look = sub {
		my ($file, $where) = @_;
		my $content = PostgreSQL::Test::Utils::slurp_file($file);
		for my $canary (@canaries)
		{
			$found{$canary}{$where}++ if grep { index($content, $_) >= 0 } @{ $forms{$canary} };
		}
	};
	File::Find::find(
		sub {
			return unless -f $_;
			$look->($_, $File::Find::name =~ m{/(pg_wal|pgsql_tmp|base(?!/pgsql_tmp))/} ? $1 : 'other');
		},
		$self->data_dir);
	$look->($self->logfile, 'log');
	return \%found;
}

# The servers are stopped after this, by PostgreSQL::Test::Cluster's own.
END
{
	my $exit_code = $?;
	# What failed is kept to be looked at.
	my $verb = $exit_code == 0 ? 'destroy' : 'swtpm-stop';
	system("'$program' $verb '" . $_->key_dir . "' >/dev/null 2>&1") for @with_tpm;
	$? = $exit_code;
}

1;
