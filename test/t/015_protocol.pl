# Goal of this test: parameters and results in text and binary, portals run in
# parts, the fastpath and parameter logging treat values as they should.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node = ThemisCluster->ready('main', conf => <<'END');
log_statement = all
log_parameter_max_length = -1
session_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_verbose = on
END
$node->safe_psql('postgres', <<'END');
CREATE ROLE hr LOGIN;
CREATE ROLE bob LOGIN;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
GRANT USAGE ON FOREIGN SERVER k TO hr;
CREATE TABLE t (i int CHECK (i > 0), v encrypted(k));
GRANT ALL ON t TO hr, bob;
END

open(my $client, '-|', 'python3', 'test/t/015_protocol.py', $node->host, $node->port)
  or die "could not run the client: $!";
my $planned = 0;
while (my $line = <$client>)
{
	if ($line =~ /^1\.\.(\d+)$/) { $planned = $1; }
	elsif ($line =~ /^(not )?ok \d+ - (.*)$/) { ok(!$1, $2); }
	else { diag($line); }
}
close($client);
is($?, 0, 'the client came to its end');
cmp_ok($planned, '>', 0, 'and had something to say');

my $log = slurp_file($node->logfile);
like($log, qr/[Pp]arameters: \$1 = 'tc1:/, 'control: parameters are logged');
unlike($log, qr/\$1 = 'untyped'/, 'a parameter of the type is logged sealed');
like($log, qr/Output: .*'tc1:[^']+'::encrypted/, 'control: plans with values are logged');
unlike($log, qr/'untyped'::/, 'sealed, whatever the client sees');
like($log, qr/\$1 = 'typed'/, 'control: one that is of type text is not');

done_testing();
