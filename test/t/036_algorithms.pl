# Goal of this test: a key of an algorithm that a machine lacks is not made
# there; where one exists, its values stay closed with an error that says why,
# status() names it, and nothing else is affected.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

# A machine without AES, for libsodium: this one, with a library in between.
my $noaes = PostgreSQL::Test::Utils::tempdir() . '/noaes.so';
PostgreSQL::Test::Utils::system_or_bail('cc', '-shared', '-fPIC', '-Wall', '-Wextra', '-Werror', '-o', $noaes, 'test/lib/noaes.c');

sub start_without_aes
{
	my ($node) = @_;
	local $ENV{LD_PRELOAD} = $noaes;
	$node->start;
	$node->wait_unlocked;
	return;
}

my $primary = ThemisCluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION themis_crypt');
$primary->wait_unlocked;
$primary->safe_psql('postgres', <<'END');
CREATE SERVER slow FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'siphash128');
CREATE TABLE t (i int, s encrypted(slow, text, searchable));
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10) AS i;
END

# aegis256 is a matter of the libsodium that we were built with.
my $makes_aegis = q(CREATE SERVER aegis FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'aegis256'));
my $has_aegis = $primary->error_of($makes_aegis) eq '';
SKIP: {
	skip 'this libsodium has aegis256', 2 if $has_aegis;
	like($primary->error_of($makes_aegis), qr/ERROR:  encryption algorithm "aegis256" is not supported here\nDETAIL:  It needs an extension built with libsodium 1\.0\.19 or newer\.\nHINT:  Use xchacha20poly1305, the default\./,
		'where libsodium lacks aegis256, no key is made');
	like($primary->error_of(q(SELECT themis_crypt.create_key('aegis', 'aegis256'))), qr/"aegis256" is not supported here/, 'by no function');
}
SKIP: {
	skip 'this libsodium lacks aegis256', 1 unless $has_aegis;
	is($primary->safe_psql('postgres', "SELECT 'x'::text::encrypted(aegis)::text"), 'x', 'where libsodium has aegis256, values open');
}

# aes256gcm is a matter of the CPU.
my $makes_aes = sub { "CREATE SERVER $_[0] FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm 'aes256gcm')" };
my $lacks = qr/ERROR:  encryption algorithm "aes256gcm" is not supported here\nDETAIL:  It needs a CPU with AES instructions .*\nHINT:  Use xchacha20poly1305, the default\./;
my $error = $primary->error_of($makes_aes->('fast'));
if ($error ne '')
{
	like($error, $lacks, 'on this CPU no key of aes256gcm is made');
	note 'the rest of this test needs a CPU with AES instructions';
	done_testing();
	exit;
}
pass('on this CPU a key of aes256gcm is made');
$primary->safe_psql('postgres', <<'END');
ALTER TABLE t ADD f encrypted(fast, text, searchable), ADD g encrypted(fast, int4);
UPDATE t SET f = s::text, g = i;
END
$primary->backup('base');
my $counts = q(SELECT count(*) FILTER (WHERE s::text = 'v' || i), count(*) FILTER (WHERE f::text = s::text AND g::int = i) FROM t);
is($primary->safe_psql('postgres', $counts), '10|10', 'values open');
is($primary->status('unsupported'), '', 'status() has nothing to warn of');

# A standby that was given another CPU.
my $standby = ThemisCluster->new('standby', machine => $primary);
$standby->init_from_backup($primary, 'base', has_streaming => 1);
start_without_aes($standby);
$primary->wait_for_catchup($standby);
is($standby->status('unsupported'), '{fast}', 'on a standby without AES status() names the key');
is($standby->safe_psql('postgres', q(SELECT count(*) FILTER (WHERE s::text = 'v' || i) FROM t)), '10', 'values of other keys open');
my $unsupported = qr/ERROR:  encryption key "fast" has an algorithm that is not supported here\nDETAIL:  Its values are sealed by aes256gcm\.  It needs a CPU with AES instructions .*\nHINT:  Use the key on a machine that has it\./;
like($standby->error_of('SELECT f::text FROM t'), $unsupported, 'its own do not, and the error says why');
is($standby->safe_psql('postgres', q(SELECT i FROM t WHERE f = 'v7')), '7', 'they are found: tokens are made another way');
like($standby->safe_psql('postgres', 'SELECT f FROM t LIMIT 1'), qr/^tc1:/, 'and sealed values come out, for pg_dump');
my ($code, $out, $err) = $standby->psql('postgres', "SET ROLE pg_monitor; SELECT f::text FROM t");
like($err, qr/permission denied/, 'privilege comes first');

# It becomes the primary.
$standby->promote;
like($standby->error_of($makes_aes->('another')), $lacks, 'no key of it is made there');
like($standby->error_of(q(SELECT themis_crypt.create_key('another', 'aes256gcm'))), $lacks, 'by no function');
like($standby->error_of("INSERT INTO t (i, f) VALUES (11, 'new')"), $unsupported, 'nothing is sealed under the key');
like($standby->error_of("INSERT INTO t (i, g) SELECT 11, i FROM t LIMIT 1"), $unsupported, 'by no way');
is($standby->error_of("INSERT INTO t (i, s) VALUES (11, 'v11')"), '', 'other keys seal');
is($standby->safe_psql('postgres', "SET themis_crypt.sealed_input = on; UPDATE t SET f = f; SELECT count(*), count(f) FROM t"), '11|10', 'sealed values are copied');
$standby->safe_psql('postgres', 'CREATE DATABASE other');
$standby->safe_psql('other', 'CREATE EXTENSION themis_crypt');
is($standby->status('unsupported', 'other'), '', 'other databases are not warned of');

# And gets its CPU back.
$standby->stop;
$standby->start;
$standby->wait_unlocked;
is($standby->safe_psql('postgres', "$counts WHERE i <= 10"), '10|10', 'nothing was lost: with AES all values open');
is($standby->status('unsupported IS NULL'), 't', 'and status() is content');

done_testing();
