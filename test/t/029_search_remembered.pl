# Goal of this test: what is left of a time, or of a role, with a key finds nothing
# for a role without USAGE on it: plans and cursors from before a REVOKE, what was
# looked up for another role or before lock(), triggers, tokens that are copied.
use strict;
use warnings;
use MIME::Base64 ();
use ThemisCluster;
use Test::More;

my $node = ThemisCluster->ready('main', conf => "autovacuum = off\njit = off\n");
$node->safe_psql('postgres', <<'END');
CREATE ROLE holder LOGIN;
CREATE ROLE attacker LOGIN;
CREATE ROLE officer;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO officer;
SET ROLE officer;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
GRANT USAGE ON FOREIGN SERVER k TO holder;
RESET ROLE;
CREATE TABLE secret (id int PRIMARY KEY, v encrypted(k, text, searchable) UNIQUE);
CREATE INDEX ON secret USING hash (v);
GRANT ALL ON secret TO holder, attacker;
SET ROLE holder;
INSERT INTO secret SELECT i, CASE i WHEN 77 THEN 'needle' ELSE 'hay' || i END FROM generate_series(1, 300) AS i;
RESET ROLE;
ANALYZE;
CREATE SCHEMA holder AUTHORIZATION holder;
CREATE SCHEMA attacker AUTHORIZATION attacker;
ALTER ROLE holder SET search_path = holder, public;
ALTER ROLE attacker SET search_path = attacker, public;
END
for my $role ('holder', 'attacker')
{
	$node->safe_psql('postgres', <<"END");
SET SESSION AUTHORIZATION $role;
CREATE TABLE moved (id int, v encrypted(k, text, searchable) UNIQUE);
INSERT INTO moved SELECT id, v FROM secret;
END
}
my @guesses = ('needle', 'noodle');

# What depends on when it was prepared.
my $session = $node->background_psql('postgres', on_error_stop => 0,
	extra_params => [ '-U', 'attacker', '-v', 'VERBOSITY=verbose' ]);
sub says
{
	my ($sql) = @_;
	my ($out) = $session->query($sql);
	my $err = $session->{stderr};
	$session->{stderr} = '';
	return "$out" . ($err =~ /ERROR:\s+(\w+)/ ? $1 : '');
}
sub key { $node->safe_psql('postgres', "SET ROLE officer; $_[0]") }

key('GRANT USAGE ON FOREIGN SERVER k TO attacker');
says(<<'END');
PREPARE custom AS SELECT id FROM secret WHERE v = $1;
PREPARE generic(text) AS SELECT id FROM secret WHERE v = $1;
PREPARE literal AS SELECT id FROM secret WHERE v = 'needle';
PREPARE many(text[]) AS SELECT id FROM secret WHERE v = ANY ($1);
PREPARE adding AS INSERT INTO moved (v) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1;
SET plan_cache_mode = force_generic_plan;
CREATE FUNCTION look(x text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT id FROM secret WHERE v = x); END $$;
END
my @later = map { ("EXECUTE custom('$_')", "EXECUTE generic('$_')", 'EXECUTE literal', "EXECUTE many(ARRAY['$_'])", "SELECT look('$_')",
		"EXECUTE adding('$_')") } @guesses;
my @before = map { says($_) } @later;
is("@before", '77 77 77 77 77    77   1', 'control: found while the key is granted');
says('DELETE FROM moved WHERE v = ' . "'noodle'");
says(q(BEGIN; DECLARE c CURSOR FOR SELECT id FROM secret WHERE v <> current_setting('my.guess', true)));
says(q(SET my.guess = 'hay2'));
is(says('FETCH 2 FROM c'), "1\n3", 'control: a cursor finds');
says(q(DECLARE c2 CURSOR FOR SELECT id FROM secret WHERE v = 'needle'));
key('REVOKE USAGE ON FOREIGN SERVER k FROM attacker');
is(says('SAVEPOINT s; FETCH c2 '), '42501', 'revoked: a cursor that was opened before finds nothing');
says('ROLLBACK TO s');
says(q(SET my.guess = 'needle'));
is(says('FETCH ALL FROM c'), '42501', 'revoked: a cursor that was opened before makes no more probes');
says('ROLLBACK');
is(says($_), '42501', "revoked: $_") for @later;
is(says('DISCARD PLANS; EXECUTE literal'), '42501', 'and planned anew');

# What was looked up for one role and is remembered does not serve the next one.
$node->safe_psql('postgres', <<'END');
CREATE FUNCTION simple(v encrypted, x text) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN v::encrypted(k, text, searchable) = x; END $$;
CREATE FUNCTION simple_array(v encrypted, x text[]) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN v::encrypted(k, text, searchable) = ANY (x); END $$;
CREATE FUNCTION simple_constant(v encrypted, x text) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN v::encrypted(k, text, searchable) = 'needle'::text; END $$;
END
for my $call (q(simple(v, 'needle')), q(simple_array(v, ARRAY['needle'])), q(simple_constant(v, '')))
{
	my ($code, $out, $err) = $node->psql('postgres', <<"END", on_error_stop => 0);
BEGIN;
SET ROLE holder;
SELECT $call FROM secret WHERE id = 77;
SELECT $call FROM secret WHERE id = 77;
SET ROLE attacker;
SELECT $call FROM public.secret WHERE id = 77;
END
	is($out, "t\nt", "control: found by one role: $call");
	like($err, qr/permission denied for encryption key "k"/, "and refused to the next: $call");
}

# Nor does it serve anybody once keys are locked.
{
	my $call = q(DO $$ DECLARE v encrypted(k, text, searchable) := 'needle'::text; x text := 'needle'; BEGIN
		FOR i IN 1..3 LOOP
			RAISE NOTICE 'found %: %', i, v = x;
			IF i = 2 THEN PERFORM themis_crypt.lock(); END IF;
		END LOOP; END $$);
	my ($code, $out, $err) = $node->psql('postgres', "GRANT USAGE ON FOREIGN SERVER k TO CURRENT_USER; $call");
	like($err, qr/found 2: t/, 'control: found twice');
	unlike($err, qr/found 3/, 'locked: what is remembered is not used');
	like($err, qr/encryption keys are locked/, 'but refused');
	$node->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
	$node->wait_unlocked;
	$node->safe_psql('postgres', 'REVOKE USAGE ON FOREIGN SERVER k FROM CURRENT_USER');
}

# The right to put a trigger on a table is that to run code as whoever writes
# there, in PostgreSQL.  It finds nothing for the role itself, but what
# the trigger is told while the holder writes is the holder's.
$node->safe_psql('postgres', <<'END');
SET SESSION AUTHORIZATION attacker;
CREATE TABLE told (t text);
GRANT INSERT ON told TO PUBLIC;
GRANT USAGE ON SCHEMA attacker TO PUBLIC;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO attacker.told SELECT 'found' WHERE NEW.v = 'needle'::text; RETURN NEW; END $$;
CREATE TRIGGER tell BEFORE UPDATE ON secret FOR EACH ROW EXECUTE FUNCTION tell();
END
like($node->error_of('SET SESSION AUTHORIZATION attacker; UPDATE secret SET id = id WHERE id = 77'),
	qr/permission denied for encryption key "k"/, 'a trigger of its own finds nothing for who has no key');
$node->safe_psql('postgres', 'SET SESSION AUTHORIZATION holder; UPDATE secret SET id = id WHERE id = 77');
is($node->safe_psql('postgres', 'SELECT t FROM attacker.told'), 'found', 'but runs as the holder where the holder writes');
$node->safe_psql('postgres', 'DROP TRIGGER tell ON secret');

# Who may bring in sealed values, but has no key, can copy a token that it has
# seen into a value of its own making.  That finds what the token stood for, which
# could be seen before; and it opens for nobody.
$node->safe_psql('postgres', <<'END');
GRANT SET ON PARAMETER themis_crypt.restore TO attacker;
SET SESSION AUTHORIZATION attacker;
SET themis_crypt.restore = on;
CREATE TABLE forged (v encrypted(k, text, searchable));
DO $$
DECLARE armor text := (SELECT themis_crypt.encrypted_out(v) FROM secret WHERE id = 77);
BEGIN
	-- behind header and token (24 bytes, 32 characters) all is new
	EXECUTE format('INSERT INTO forged VALUES (%L)', left(armor, 4 + 32) || repeat('A', length(armor) - 36));
END $$;
GRANT SELECT ON forged TO holder;
END
is($node->safe_psql('postgres', 'SET SESSION AUTHORIZATION attacker; SELECT id FROM secret JOIN forged USING (v)'), '77',
	'a token that was copied finds its row');
like($node->error_of(q(SET SESSION AUTHORIZATION attacker; SELECT v = 'needle' FROM forged)),
	qr/permission denied for encryption key "k"/, 'what it stands for is not told');
like($node->error_of('SET SESSION AUTHORIZATION holder; SELECT v::text FROM attacker.forged'),
	qr/could not decrypt value: authentication failed/, 'and it opens for nobody');

# Nor is a probe taken for a sealed value: header and token alone, with and
# without a version.
my ($armor) = $node->safe_psql('postgres', 'SELECT v FROM secret WHERE id = 77') =~ /^tc1:(.{32})/;
my $sealed_head = MIME::Base64::decode_base64($armor =~ tr{-_}{+/}r);
for my $head ($sealed_head, map { my $bytes = $sealed_head; substr($bytes, 6, 2) = "\0\0"; substr($bytes, 1, 1) = $_; $bytes } "\x10", "\x11")
{
	my $forged = 'tc1:' . MIME::Base64::encode_base64($head, '') =~ tr{+/}{-_}r;
	for my $sql ("INSERT INTO forged VALUES ('$forged')", "SELECT id FROM secret WHERE v = '$forged'::encrypted",
		"SELECT id FROM secret WHERE v = '$forged'", "SELECT id FROM secret WHERE v = '$forged'::encrypted(k, text, searchable)")
	{
		for my $role ('attacker', 'holder')
		{
			isnt($node->error_of("GRANT SET ON PARAMETER themis_crypt.restore TO $role; SET SESSION AUTHORIZATION $role; SET search_path = attacker, public; SET themis_crypt.restore = on; $sql"),
				'', "no probe is brought in by $role: $sql");
		}
	}
}

# Locked, nobody finds anything, and is told so before anything else.
$session = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-U', 'holder', '-v', 'VERBOSITY=verbose' ]);
says('PREPARE p(text) AS SELECT id FROM secret WHERE v = $1');
is(says("EXECUTE p('needle')"), '77', 'control: not locked');
$node->safe_psql('postgres', 'SELECT themis_crypt.lock()');
is(says($_), '55000', "locked: $_")
  for map { ("EXECUTE p('$_')", "SELECT id FROM secret WHERE v = '$_'", "SELECT id FROM secret WHERE v = '$_'::text",
		"SELECT id FROM secret WHERE v IN ('$_', 'x')", "INSERT INTO moved (v) VALUES ('$_')") } @guesses;
is(says('SELECT count(*) FROM secret AS a JOIN secret AS b USING (v)'), '300', 'sealed values are compared without a key');
is(says('SELECT count(*) FROM (SELECT DISTINCT v FROM secret) AS x'), '300', 'and told apart');
$node->safe_psql('postgres', 'SELECT themis_crypt.unlock()');
$node->wait_unlocked;
is(says("EXECUTE p('needle')"), '77', 'unlocked: found');
$session->quit;
done_testing();
