# Goal of this test: no plaintext is in data files, WAL, temporary files,
# statistics or the log; the same scan finds canaries that were planted there.
use strict;
use warnings;
use ThemisCluster;
use Test::More;

my $node = ThemisCluster->ready('main', conf => <<'END');
autovacuum = off
wal_level = logical
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
log_error_verbosity = verbose
log_min_messages = debug1
END

# No canary stands in a statement: the server computes those that are to be
# sealed ("md5" and a suffix that tells what became of it).
sub canary { return unpack 'H*', pack 'H*', `printf %s '$_[0]' | md5sum | cut -c1-32` =~ s/\n//r }

my @sealed = map { canary($_) } qw(insert update copy long deleted rolledback array coerce
	error default exec);
my %planted = map { $_ => canary($_) } qw(heap wal temp log stats);

$node->safe_psql('postgres', <<'END');
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (i int, v encrypted(k), b encrypted(k2, bytea)) WITH (autovacuum_enabled = off);
CREATE TABLE plain (v text);
SELECT pg_create_logical_replication_slot('slot', 'test_decoding') IS NOT NULL;

INSERT INTO t SELECT i, md5('insert'), md5('insert')::bytea FROM generate_series(1, 100) AS i;
UPDATE t SET v = md5('update') WHERE i <= 30;
INSERT INTO t SELECT 101, repeat(md5('long'), 10000), repeat(md5('long'), 10000)::bytea;
INSERT INTO t SELECT 102, md5('deleted');
DELETE FROM t WHERE i = 102;
BEGIN;
INSERT INTO t SELECT 103, md5('rolledback');
ROLLBACK;
PREPARE p(text) AS INSERT INTO t VALUES (104, $1);
EXECUTE p(md5('exec'));
INSERT INTO t (i, b) SELECT 105, (md5('coerce')::bytea::encrypted)::encrypted(k2, bytea);
DO $$ BEGIN EXECUTE 'INSERT INTO t VALUES ($1, $2)' USING 106, md5('default'); END $$;
ANALYZE t;
END
$node->safe_psql('postgres', "COPY t (i, v) FROM STDIN;\n107\t" . canary('copy') . "\n\\.\n");

# Errors quote no plaintext: of a type, of a constraint, of a whole row.  What
# the client sent it may be told again, so only our own errors matter to it;
# the log is looked at below.
$node->safe_psql('postgres', <<'END');
CREATE TABLE e (i int NOT NULL CHECK (i > 0), v encrypted(k), n encrypted(k, numeric));
END
my $canary = canary('error');
for my $copy ("COPY e FROM STDIN;\n0\t$canary\t1", "COPY e (v, i) FROM STDIN;\n$canary\tx",
	"COPY e FROM STDIN;\n1\t$canary")
{
	isnt($node->error_of("$copy\n\\.\n"), '', 'COPY of a wrong line is an error');
}
my @errors = (
	$node->error_of(q(INSERT INTO e SELECT 0, md5('error'))),
	$node->error_of(q(INSERT INTO e SELECT NULL, md5('error'))),
	$node->error_of(q(INSERT INTO e (i, n) SELECT 1, md5('error'))),
	$node->error_of("COPY e (n, i) FROM STDIN;\n$canary\t1\n\\.\n"),
	$node->error_of(q(DO $$ BEGIN EXECUTE 'INSERT INTO e VALUES (0, $1)' USING md5('error'); END $$)));
for my $i (0 .. $#errors)
{
	isnt($errors[$i], '', "error $i is one");
	unlike($errors[$i], qr/$canary/, "error $i does not quote the plaintext");
}

# Controls.
$node->safe_psql('postgres', <<"END");
INSERT INTO plain SELECT md5('heap');
INSERT INTO plain SELECT md5('wal');
SELECT '$planted{log}';
CREATE TABLE stats AS SELECT md5('stats') AS v FROM generate_series(1, 100);
ANALYZE stats;
END

# Temporary files, while they are in use: of a cursor over sealed values, and
# one over plain text.
my $session = $node->background_psql('postgres');
$session->query(<<'END');
SET work_mem = '64kB';
BEGIN;
DECLARE c1 CURSOR WITH HOLD FOR SELECT t.* FROM t, generate_series(1, 100);
DECLARE c2 CURSOR WITH HOLD FOR SELECT md5('temp') FROM generate_series(1, 10000);
COMMIT;
END
$node->safe_psql('postgres', 'CHECKPOINT');

my %found = %{ $node->traces(@sealed, values %planted) };
my $temp_files = () = glob $node->data_dir . '/base/pgsql_tmp/*';
cmp_ok($temp_files, '>=', 2, 'there are temporary files to look into');
ok($found{ $planted{heap} }{base}, 'control: a plain column is found in a data file');
ok($found{ $planted{wal} }{pg_wal}, 'control: and in the WAL');
ok($found{ $planted{temp} }{pgsql_tmp}, 'control: plain text is found in a temporary file');
ok($found{ $planted{stats} }{base}, 'control: and in statistics');
ok($found{ $planted{log} }{log}, 'control: a literal is found in the log');
for my $canary (@sealed)
{
	is_deeply($found{$canary} // {}, {}, "no trace of $canary");
}
$session->quit;

is($node->safe_psql('postgres', q(SELECT count(*) FROM t WHERE v::text = md5('update'))), '30',
	'the values are there, sealed');
my $decoded = $node->safe_psql('postgres', q(SELECT string_agg(data, '') FROM pg_logical_slot_get_changes('slot', NULL, NULL)));
unlike($decoded, qr/$sealed[0]|$sealed[2]/, 'logical decoding tells no plaintext');
like($decoded, qr/$planted{heap}/, 'control: but that of a plain column');
done_testing();
