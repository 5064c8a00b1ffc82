# Goal of this test: keys come and go with their transactions: rolled back,
# prepared, copied with a database, or made at once by many sessions.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

my $node = ThemisCluster->ready('main',
	conf => "max_prepared_transactions = 10\nmax_connections = 30\n");
my $make = 'CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt';

sub database
{
	my ($name) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE EXTENSION themis_crypt');
	return;
}

# The first key, and the root with it, is rolled back and made again.
database('savepoint');
$node->safe_psql('savepoint', <<"END");
BEGIN;
SAVEPOINT s;
$make;
CREATE TABLE lost (v encrypted(k));
INSERT INTO lost VALUES ('lost');
SELECT v::text FROM lost;
ROLLBACK TO s;
$make;
CREATE TABLE t (v encrypted(k));
INSERT INTO t VALUES ('kept');
COMMIT;
BEGIN;
CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE gone (v encrypted(k2));
INSERT INTO gone VALUES ('gone');
ROLLBACK;
CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t2 (v encrypted(k2));
INSERT INTO t2 VALUES ('too');
END
is($node->safe_psql('savepoint', 'SELECT v::text FROM t UNION ALL SELECT v::text FROM t2'), "kept\ntoo",
	'made again after a rollback: values open');

# In one session, which has seen them all.
is($node->safe_psql('savepoint', <<'END'), "a\nb\nkept", 'in one session: values open');
BEGIN;
CREATE SERVER x FOREIGN DATA WRAPPER themis_crypt;
SELECT 'a'::text::encrypted(x)::text;
ROLLBACK;
CREATE SERVER x FOREIGN DATA WRAPPER themis_crypt;
SELECT 'b'::text::encrypted(x)::text;
SELECT v::text FROM t;
END

database('prepared');
like($node->error_of("BEGIN; $make; PREPARE TRANSACTION 'first'", dbname => 'prepared'),
	qr/cannot prepare a transaction that made the first encryption key/, 'the first key cannot be prepared');
is($node->safe_psql('prepared', 'SELECT count(*) FROM pg_foreign_server'), '0', 'nothing is left of it');
$node->safe_psql('prepared', <<"END");
$make;
BEGIN;
CREATE SERVER second FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (v encrypted(second));
INSERT INTO t VALUES ('prepared');
PREPARE TRANSACTION 'second';
BEGIN;
CREATE SERVER third FOREIGN DATA WRAPPER themis_crypt;
PREPARE TRANSACTION 'third';
END
$node->restart;
$node->safe_psql('prepared', q(COMMIT PREPARED 'second'; ROLLBACK PREPARED 'third'));
is($node->safe_psql('prepared', 'SELECT v::text FROM t'), 'prepared', 'a later one can, over a restart');
is($node->safe_psql('prepared', q(SELECT string_agg(name, ' ' ORDER BY name) FROM themis_crypt.keys)),
	'k second', 'and rolled back it is gone');
is($node->error_of('BEGIN; CREATE SERVER y FOREIGN DATA WRAPPER themis_crypt; ROLLBACK;'
	  . " BEGIN; SELECT 1; PREPARE TRANSACTION 'other'; ROLLBACK PREPARED 'other'", dbname => 'prepared'),
	'', 'other transactions are prepared as ever');

# A copy has the same keys; what becomes of one side is nothing to the other.
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE savepoint');
is($node->safe_psql('copy', 'SELECT v::text FROM t'), 'kept', 'a copied database: values open');
$node->safe_psql('copy', <<'END');
CREATE SERVER own FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE o (v encrypted(own));
INSERT INTO o VALUES ('own');
INSERT INTO t VALUES ('copy');
END
$node->safe_psql('savepoint', q(INSERT INTO t VALUES ('source')));
is($node->safe_psql('copy', 'SELECT v::text FROM t UNION ALL SELECT v::text FROM o'), "kept\ncopy\nown",
	'the copy goes its own way');
is($node->safe_psql('savepoint', 'SELECT v::text FROM t'), "kept\nsource", 'and so does its source');

# Equal names, and equal ids, in two databases are two keys.
database('b');
my $id = $node->safe_psql('savepoint', q(SELECT id FROM themis_crypt.keys WHERE name = 'k'));
$node->safe_psql('b', "$make; CREATE TABLE t (v encrypted(k)); INSERT INTO t VALUES ('b')");
isnt($node->safe_psql('b', q(SELECT realm FROM themis_crypt.root_records())),
	$node->safe_psql('savepoint', q(SELECT realm FROM themis_crypt.root_records())), 'another database, another root');
my $sealed = $node->safe_psql('savepoint', q(SELECT v FROM t LIMIT 1));
# The same id is rare; bring it about as a dump would, with altered options.
my ($b_id) = $node->safe_psql('b', q(SELECT option_value FROM pg_foreign_server, pg_options_to_table(srvoptions)
	WHERE srvname = 'k' AND option_name = 'id'));
my $raw = pack('V', $b_id);
$node->safe_psql('b', 'SET themis_crypt.restore = on; CREATE TABLE alien (v encrypted(k))');
my $copied = $node->safe_psql('savepoint', q(SELECT encode(themis_crypt.encrypted_send(v), 'hex') FROM t LIMIT 1));
substr($copied, 6, 6) = unpack 'H6', $raw;
my $file = PostgreSQL::Test::Utils::tempdir() . '/copy';
open my $fh, '>', $file or die $!;
binmode $fh;
print $fh "PGCOPY\n\xff\r\n\0", pack('NNnN', 0, 0, 1, length($copied) / 2), pack('H*', $copied), pack('n', 0xffff);
close $fh;
is($node->error_of("SET themis_crypt.restore = on; COPY alien FROM '$file' (FORMAT binary)", dbname => 'b'),
	'', 'a value of another root, with the id of a key of ours');
like($node->error_of('SELECT v::text FROM alien', dbname => 'b'),
	qr/could not decrypt value: authentication failed/, 'is refused');
is($node->safe_psql('savepoint', 'SELECT v::text FROM t LIMIT 1') . $node->safe_psql('b', 'SELECT v::text FROM t'),
	'keptb', 'each opens its own');

# Many sessions make the first key at once.
database('race');
my $script = PostgreSQL::Test::Utils::tempdir() . '/script';
PostgreSQL::Test::Utils::append_to_file($script, <<'END');
CREATE SERVER "k:client_id" FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE "t:client_id" (v encrypted("k:client_id"));
INSERT INTO "t:client_id" VALUES ('v:client_id');
END
$node->command_ok([ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', 16, '-t', 1,
		'-f', $script, 'race' ], '16 sessions make a first key');
is($node->safe_psql('race', 'SELECT count(*) FROM themis_crypt.root_records()'), '1', 'there is one root');
is($node->safe_psql('race', join(' UNION ALL ', map { qq(SELECT v::text FROM "t$_") } 0 .. 15)),
	join("\n", map { "v$_" } 0 .. 15), 'all keys work');
like($node->error_of('BEGIN; SELECT 1; CREATE SERVER "k1" FOREIGN DATA WRAPPER themis_crypt', dbname => 'race'),
	qr/server "k1" already exists/, 'a name is used once');

# The root is made as the wrapper's owner.  An event trigger must not run with
# those rights: it would meet functions of whoever makes the key.
database('trigger');
my (undef, undef, $err) = $node->psql('trigger', <<'END');
CREATE ROLE officer;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO officer;
CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN RAISE NOTICE 'as % with %', current_user, current_setting('search_path'); END $$;
CREATE EVENT TRIGGER tell ON ddl_command_start WHEN tag IN ('CREATE SERVER') EXECUTE FUNCTION tell();
SET ROLE officer;
SET search_path = evil;
CREATE SERVER first FOREIGN DATA WRAPPER themis_crypt;
END
my @told = $err =~ /as (\S+ with .*)/g;
is_deeply(\@told, ['officer with evil'], 'no event trigger runs for the root');

$node->restart;
is($node->safe_psql('savepoint', 'SELECT v::text FROM t'), "kept\nsource", 'restarted: values open');
is($node->safe_psql('copy', 'SELECT v::text FROM o'), 'own', 'in the copy, too');
done_testing();
