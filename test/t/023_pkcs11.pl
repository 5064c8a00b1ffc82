# Goal of this test: with its secret in a PKCS#11 token a server starts and
# opens values with nobody there, and never tries a wrong PIN twice.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $module = '/usr/lib/softhsm/libsofthsm2.so';
plan skip_all => "missing $module" unless -e $module;
plan skip_all => 'missing pkcs11-tool' if system('command -v pkcs11-tool >/dev/null') != 0;
plan skip_all => 'missing softhsm2-util' if system('command -v softhsm2-util >/dev/null') != 0;

my $dir = PostgreSQL::Test::Utils::tempdir();
my ($pin, $wrong) = ('right-24680', 'wrong-13579');

sub write_file
{
	my ($name, $content) = @_;
	unlink "$dir/$name";
	PostgreSQL::Test::Utils::append_to_file("$dir/$name", $content);
	chmod 0600, "$dir/$name";
	return;
}

# Pass each call on, and note it: a device would count refusals.
sub calls
{
	return scalar(() = PostgreSQL::Test::Utils::slurp_file("$dir/calls") =~ /--decrypt/g);
}

mkdir "$dir/tokens";
write_file('softhsm.conf', "directories.tokendir = $dir/tokens\nobjectstore.backend = file\n");
write_file('pin', "$pin\n");
write_file('calls', '');
mkdir "$dir/bin";
write_file('bin/pkcs11-tool', "#!/bin/sh\necho \"\$*\" >>$dir/calls\nexec /usr/bin/pkcs11-tool \"\$@\"\n");
chmod 0700, "$dir/bin/pkcs11-tool";
{
	local $ENV{SOFTHSM2_CONF} = "$dir/softhsm.conf";
	local $ENV{PIN} = $pin;
	PostgreSQL::Test::Utils::system_or_bail(qw(softhsm2-util --init-token --free --label themis --so-pin 11223344 --pin), $pin);
	PostgreSQL::Test::Utils::system_or_bail('pkcs11-tool', '--module', $module, qw(--token-label themis
		--login --pin env:PIN --keygen --key-type AES:32 --id 01 --label themis --sensitive));
}

chomp(my $cwd = `pwd`);
my $command = "PATH=$dir/bin:\$PATH SOFTHSM2_CONF=$dir/softhsm.conf " .
  "$cwd/contrib-keyprov/command/pkcs11-example \"\$1\" " .
  "--module $module --token themis --key 01 --pin-file $dir/pin";
my $node = ThemisCluster->new('main', tpm => 0);
$node->make_keyring('--provider', 'command', '--command', $command);
$node->init;
$node->append_conf('postgresql.conf', "themis_crypt.provider_command = '$command'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION themis_crypt');
$node->wait_unlocked;
$node->safe_psql('postgres', <<'END');
SET themis_crypt.allow_no_recovery = on;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(k));
INSERT INTO t VALUES ('one');
END
$node->restart;
$node->wait_unlocked;
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'values open after a restart');
is($node->status('provider || binding'), 'commandexternal', 'the provider is told');

write_file('pin', "$wrong\n");
write_file('calls', '');
$node->restart;
$node->wait_state('failed');
is($node->status('reason'), 'key provider "command": denied: the token refused the PIN', 'a wrong PIN: status says why');
is($node->status('next_retry IS NULL'), 't', 'it will not be tried again');
like($node->error_of('SELECT themis_crypt.unlock()'), qr/the token refused the PIN\nHINT:  Correct the PIN/, 'so does unlock()');
is(calls(), 2, 'each was one try');
write_file('pin', "$pin\n");
is($node->error_of('SELECT themis_crypt.unlock()'), '', 'with the right one it opens');

rename "$dir/tokens", "$dir/away";
mkdir "$dir/tokens";
$node->restart;
$node->wait_state('failed');
is($node->status('reason'), 'key provider "command": unavailable: the token "themis" is not there', 'no token: status says why');
rmdir "$dir/tokens";
rename "$dir/away", "$dir/tokens";
ok($node->wait_unlocked, 'when it is back, so are the keys, with nobody there');
is($node->safe_psql('postgres', 'SELECT v::text FROM t'), 'one', 'values open');

unlike($node->log_from, qr/$pin|$wrong/, 'no PIN in the log');
unlike(PostgreSQL::Test::Utils::slurp_file("$dir/calls"), qr/$pin|$wrong/, 'nor among arguments');
done_testing();
