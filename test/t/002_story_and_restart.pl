# Goal of this test: the story of the design, and a restart with nobody there.
use strict;
use warnings;
use ThemisCluster;
use Test::More;

my $node = ThemisCluster->ready('main');

$node->safe_psql('postgres', <<'END');
CREATE ROLE key_officer;
CREATE ROLE hr LOGIN;
CREATE ROLE other LOGIN;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO key_officer;
SET ROLE key_officer;
CREATE SERVER payroll FOREIGN DATA WRAPPER themis_crypt;
GRANT USAGE ON FOREIGN SERVER payroll TO hr;
REVOKE USAGE ON FOREIGN SERVER payroll FROM key_officer;
RESET ROLE;
CREATE TABLE employee (
	id     bigint PRIMARY KEY,
	salary encrypted(payroll, numeric),
	hired  encrypted(payroll, date),
	note   encrypted(payroll));
GRANT SELECT, INSERT ON employee TO hr, other, key_officer;
END

my %as_hr = (extra_params => [ '-U', 'hr' ]);
my $copy = "COPY employee FROM STDIN;\n3\t100\t2024-02-29\t\\N\n\\.\n";
$node->safe_psql('postgres', <<"END", %as_hr);
INSERT INTO employee VALUES (1, '5200.50', '2020-01-31', 'x');
PREPARE add(bigint, numeric, date, text) AS INSERT INTO employee VALUES (\$1, \$2, \$3, \$4);
EXECUTE add(2, 0.10, 'epoch', '');
$copy
END

my $open = 'SELECT id, salary::numeric, hired::date, note::text FROM employee ORDER BY id';
my $plain = "1|5200.50|2020-01-31|x\n2|0.10|1970-01-01|\n3|100|2024-02-29|";
is($node->safe_psql('postgres', $open, %as_hr), $plain, 'hr reads what hr wrote');
is($node->safe_psql('postgres', 'SELECT sum(salary::numeric) FROM employee', %as_hr),
	'5300.60', 'and computes with it');
my $sealed = $node->safe_psql('postgres', 'SELECT * FROM employee ORDER BY id', %as_hr);
like($sealed, qr/^1\|tc1:[\w-]+\|tc1:[\w-]+\|tc1:[\w-]+$/m, 'without a cast values stay sealed');

my $denied = qr/permission denied for encryption key "payroll"/;
for my $role (qw(postgres other key_officer))
{
	like($node->error_of("SET ROLE $role; $open"), $denied, "$role cannot read");
	like($node->error_of("SET ROLE $role; INSERT INTO employee VALUES (9, 1, 'epoch', 'y')"),
		$denied, "$role cannot write");
}
like($node->error_of('SELECT themis_crypt.lock()', %as_hr), qr/permission denied for function/,
	'hr cannot lock');

my $identity = $node->status('public_key');
for my $mode (qw(fast immediate))
{
	$node->stop($mode);
	$node->start;
	is($node->safe_psql('postgres', $open, %as_hr), $plain,
		"after a restart ($mode) values open, with nobody there and no waiting");
	is($node->status(q(state || ' ' || provider || ' ' || binding)), 'unlocked tpm2 software',
		'the TPM opened the keyring');
}
is($node->status('public_key'), $identity, 'it is still the same machine');
is($node->safe_psql('postgres', 'SELECT * FROM employee ORDER BY id'), $sealed,
	'sealed values are unchanged');

$node->safe_psql('postgres', q(INSERT INTO employee VALUES (4, 7, 'epoch', 'later')), %as_hr);
is($node->safe_psql('postgres', 'SELECT note::text FROM employee WHERE id = 4', %as_hr),
	'later', 'and new ones can be made');
done_testing();
