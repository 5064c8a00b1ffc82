# PostgreSQL::Test::Cluster with a software TPM and a keyring of its own.
#
#   use ThemisCluster;
#   my $node = ThemisCluster->new('main');               # tpm => 0 for none
#   $node->init;                                         # or init_from_backup
#   $node->start;
#   $node->wait_unlocked;
#
# The TPM and the keyring live in basedir/key and are made by test/cluster; the
# server is started by PostgreSQL::Test::Cluster, as ever.
package ThemisCluster;

use strict;
use warnings;
use parent 'PostgreSQL::Test::Cluster';
use PostgreSQL::Test::Utils ();

my $program = $ENV{TC_CLUSTER} // 'test/cluster';
my @with_tpm;

# The superuser is called so whatever the system user is, as in test/cluster.
$ENV{PGUSER} = 'postgres';

sub new
{
	my ($class, $name, %params) = @_;
	my $tpm = delete $params{tpm} // 1;
	my $node = $class->SUPER::new($name, %params);

	$node->{_tpm} = $tpm;
	if ($tpm)
	{
		$node->restart_tpm;
		PostgreSQL::Test::Utils::system_or_bail($program, 'keyring', $node->key_dir);
	}
	return $node;
}

sub key_dir { return $_[0]->basedir . '/key' }
sub keyring { return $_[0]->key_dir . '/keyring' }
sub tcti    { return $_[0]->{_tcti} // 'swtpm:path=' . $_[0]->key_dir . '/none' }

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

# The extension must exist in the database.
sub wait_unlocked
{
	my ($self, $dbname) = @_;
	return $self->poll_query_until($dbname // 'postgres',
		q{SELECT state = 'unlocked' FROM themis_crypt.status()});
}

END
{
	my $exit_code = $?;
	for my $node (@with_tpm)
	{
		$node->teardown_node;
		system($program, 'swtpm-stop', $node->key_dir);
	}
	$? = $exit_code;
}

1;
