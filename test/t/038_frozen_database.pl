# Goal of this test: root, keys and values of the frozen vectors, as a dump would
# bring them, open on this machine once it has recovered the root; those of an
# algorithm that it lacks are named, and stay closed with an error that says why.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

plan skip_all => 'missing python3' if system('python3 -c 1') != 0;

my %vector = map { split / /, $_, 2 } grep { !/^#|^$/ }
  split /\n/, PostgreSQL::Test::Utils::slurp_file('test/unit/vectors.txt');

# The options of servers, by FORMAT; the mac is made by the second decoder.
my $python = <<'END';
import base64, sys
sys.path.insert(0, "test/unit")
sys.dont_write_bytecode = True
import decode as d
check = d.Check("test/unit/vectors.txt")
text = lambda name: base64.urlsafe_b64encode(check.bytes(name)).decode().rstrip("=")
create = "CREATE SERVER %s FOREIGN DATA WRAPPER themis_crypt OPTIONS (%s);"
options = lambda pairs: ", ".join("%s '%s'" % pair for pair in pairs)
algorithm, wrap = sys.argv[1:]
print(create % ("themis_root", options((
    ("kind", "root"), ("id", check.text["transit.key_id"]), ("realm", text("realm")), ("record", check.text["record.option"]),
    ("transit3", "xchacha20poly1305:" + text("transit.wrap")), ("transit_current", "3")))))
key = [("kind", "key"), ("uuid", text("uuid")), ("id", check.text["key_id"]), ("algorithm", algorithm), ("current", "7"),
       ("min_version", "7"), ("state", "enabled"), ("index", "blake2b:" + text("index.wrap")), ("v7", algorithm + ":" + text(wrap))]
mac = d.key_mac(check.bytes("root"), int(check.text["root_version"]),
                [value for name, value in key[:-1]] + ["v7", key[-1][1]])[1]
key += [("realm", text("realm")), ("mac", base64.urlsafe_b64encode(mac).decode().rstrip("="))]
print(create % ("k", options(key)))
END

# Text that is none, sealed by whoever has the key: lines of "name armor".
my $forge = <<'END';
import base64, ctypes, sys
sys.path.insert(0, "test/unit")
sys.dont_write_bytecode = True
import decode as d
check = d.Check("test/unit/vectors.txt")
header, key = check.bytes("value.text")[:8], check.bytes("value.text.slot_key")
def seal(name, plain):
    out, nonce = ctypes.create_string_buffer(len(plain) + 16), bytes(range(24))
    d.need(d.sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, None, plain, ctypes.c_ulonglong(len(plain)), header, ctypes.c_ulonglong(8), None, nonce, key) == 0, "not sealed")
    value = header + nonce + out.raw
    d.need(d.Value(value).open_sealed(key) == plain, "does not open")
    print(name, "tc1:" + base64.urlsafe_b64encode(value).decode().rstrip("="))
for size in (1, 7, 8, 9, 16, 17, 40, 64, 81, 145):
    seal("good-%d" % size, b"x" * size)
    for at in range(size):
        for byte in (b"\0", b"\x80", b"\xff"):
            seal("%02x-at-%d-of-%d" % (byte[0], at, size), b"x" * at + byte + b"x" * (size - at - 1))
seal("good-utf8", "\u00fcber \u4e2d\u6587 \U0001f600".encode())
seal("cut-utf8", "\u00fcber \u4e2d\u6587 \U0001f600".encode()[:-1])
END

my $node = ThemisCluster->ready('main');
my $identity = $node->basedir . '/frozen';
umask 077;
PostgreSQL::Test::Utils::append_to_file($identity, "$vector{'recovery.identity'}\n");

for my $case ([ xchacha20poly1305 => 'value.wrap', 'value' ], map { [ $_, "$_.wrap", $_ ] } qw(aes256gcm aegis256))
{
	my ($algorithm, $wrap, $values) = @$case;
	my $probe = $node->error_of("BEGIN; CREATE SERVER probe FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm '$algorithm'); ROLLBACK");
	my $supported = $probe !~ /is not supported here/;
	note $algorithm, $supported ? '' : ': not supported here';
	$node->safe_psql('postgres', "CREATE DATABASE $algorithm");
	$node->safe_psql($algorithm, 'CREATE EXTENSION themis_crypt');

	my $sql = '';
	IPC::Run::run([ 'python3', '-c', $python, $algorithm, $wrap ], '>', \$sql) or die 'no options';
	is($node->error_of($sql, dbname => $algorithm), '', "$algorithm: root and key are taken");
	$node->safe_psql($algorithm, <<"END");
GRANT USAGE ON FOREIGN SERVER k TO postgres;
SET themis_crypt.restore = on;
CREATE TABLE t (id int, v encrypted(k), s encrypted(k, text, searchable));
INSERT INTO t (id, v) VALUES (1, '$vector{"$values.text.armor"}');
END
	$node->safe_psql($algorithm, "SET themis_crypt.restore = on; INSERT INTO t (id, s) VALUES (2, '$vector{qq($values.searchable.armor)}')")
	  if $algorithm ne 'xchacha20poly1305';
	like($node->error_of('SELECT v::text FROM t WHERE id = 1', dbname => $algorithm), qr/cannot be opened by this machine/,
		'values do not open: it is no recipient');
	my ($code, $said) = $node->keyring_tool('recover', '--identity', $identity, '--name', 'here',
		'--fingerprint', $vector{'kcv.root'}, '--conninfo', $node->connstr($algorithm) . ' user=postgres');
	is($code, 0, 'the frozen identity recovers the root') or diag $said;
	$node->safe_psql($algorithm, 'SELECT themis_crypt.unlock()');
	my $unsupported = qr/ERROR:  encryption key "k" has an algorithm that is not supported here\nDETAIL:  Its values are sealed by $algorithm\.  It needs /;
	if ($supported)
	{
		is($node->status('unsupported', $algorithm), '', 'status() does not warn');
		is($node->safe_psql($algorithm, 'SELECT v::text FROM t WHERE id = 1'), '123-45-6789', 'the value opens');
		is($node->safe_psql($algorithm, 'SELECT s::text FROM t WHERE id = 2'), $algorithm eq 'xchacha20poly1305' ? '' : 'sixteen bytes...',
			'and so does the searchable one');
		is($node->safe_psql($algorithm, "INSERT INTO t (id, v) VALUES (3, 'new'); SELECT v::text FROM t WHERE id = 3"), 'new', 'new ones are sealed');
	}
	else
	{
		is($node->status('unsupported', $algorithm), '{k}', 'status() names the key');
		like($node->error_of('SELECT v::text FROM t WHERE id = 1', dbname => $algorithm), $unsupported, 'the value does not open');
		like($node->error_of('SELECT s::text FROM t WHERE id = 2', dbname => $algorithm), $unsupported, 'nor does the searchable one');
		like($node->error_of("INSERT INTO t (id, v) VALUES (3, 'new')", dbname => $algorithm), $unsupported, 'nothing is sealed');
	}
	is($node->safe_psql($algorithm, "SELECT count(*) FROM t WHERE s = 'anything'"), '0', 'tokens can be made');
	next if $algorithm ne 'xchacha20poly1305';

	my $forged = '';
	IPC::Run::run([ 'python3', '-c', $forge ], '>', \$forged) or die 'nothing forged';
	my $rows = join ', ', map { "('" . join("', '", split / /) . "')" } split /\n/, $forged;
	my @opened = map { [ split /\|/, $_, 2 ] } split /\n/, $node->safe_psql($algorithm, <<"END");
CREATE FUNCTION opened(armor text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE len int;
BEGIN
	EXECUTE format('SELECT length(%L::encrypted(k)::text)', armor) INTO len;
	RETURN 'opened';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END \$\$;
SET themis_crypt.sealed_input = on;
SELECT name, opened(armor) FROM (VALUES $rows) AS forged (name, armor);
END
	my @wrong = grep { $_->[1] ne ($_->[0] =~ /^good/ ? 'opened' : 'invalid byte sequence for encoding "UTF8"') } @opened;
	is(join("\n", map { "@$_" } @wrong), '', 'genuine values that are no text in UTF-8 do not open as text');
	# a wrong byte of three kinds at each place of each length; good ones; one cut
	is(scalar @opened, 3 * 388 + 10 + 2, 'of all lengths, and at every place');
}

done_testing();
