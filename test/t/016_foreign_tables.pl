# Goal of this test: postgres_fdw carries sealed values, and only those, where
# both sides ask for sealed input.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node = ThemisCluster->ready('main', conf => "log_statement = all\n");
my ($host, $port) = ($node->host, $node->port);
$node->safe_psql('postgres', <<"END");
CREATE EXTENSION postgres_fdw;
CREATE ROLE hr LOGIN;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
GRANT USAGE ON FOREIGN SERVER k TO hr;
CREATE TABLE t (i int, v encrypted(k));
GRANT ALL ON t TO hr;
CREATE SERVER wary FOREIGN DATA WRAPPER postgres_fdw
	OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE SERVER open FOREIGN DATA WRAPPER postgres_fdw
	OPTIONS (host '$host', port '$port', dbname 'postgres',
		options '-c themis_crypt.sealed_input=on -c themis_crypt.client_output=plaintext');
CREATE USER MAPPING FOR hr SERVER wary OPTIONS (user 'hr', password_required 'false');
CREATE USER MAPPING FOR hr SERVER open OPTIONS (user 'hr', password_required 'false');
CREATE FOREIGN TABLE wary_t (i int, v encrypted(k)) SERVER wary OPTIONS (table_name 't');
CREATE FOREIGN TABLE open_t (i int, v encrypted(k)) SERVER open OPTIONS (table_name 't');
GRANT ALL ON wary_t, open_t TO hr;
INSERT INTO t SELECT 1, 'first';
END

my @hr = (extra_params => [ '-U', 'hr' ]);
sub hr { return $node->safe_psql('postgres', "SET themis_crypt.sealed_input = on; $_[0]", @hr) }

like($node->error_of('SELECT v FROM wary_t', @hr), qr/sealed value is not accepted as input/,
	'what comes from another server is input, too');
like(hr('SELECT v FROM wary_t'), qr/^tc1:/, 'a foreign table gives sealed values');
like(hr('SELECT v FROM open_t'), qr/^tc1:/,
	'even if the connection asks for plaintext: it would be stored');
is(hr('SELECT v::text FROM open_t'), 'first', 'which open here');
is(hr("SET themis_crypt.client_output = plaintext; SELECT v FROM open_t"), 'first',
	'and for the client');
is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), '1', 'one row');

like($node->error_of(q(INSERT INTO wary_t SELECT 2, 'canary in a query'), @hr),
	qr/sealed value is not accepted as input/, 'a sealed value is not written where nobody asks for it');
hr(q(INSERT INTO open_t SELECT 2, 'canary ' || 'written'));
hr(q(UPDATE open_t SET v = upper(v::text) WHERE i = 2));
is($node->safe_psql('postgres', 'SELECT i, v::text FROM t ORDER BY i'), "1|first\n2|CANARY WRITTEN",
	'where somebody does, it is');
my $remote = join '', grep { /execute|pgsql_fdw|\$1 =/ } split /^/, slurp_file($node->logfile);
like($remote, qr/tc1:/, 'control: what was sent is in the log');
unlike($remote, qr/canary written|CANARY WRITTEN/, 'and it was sealed');

done_testing();
