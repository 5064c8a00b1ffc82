# Goal of this test: too little lockable memory is a clear refusal at start,
# little of it means fewer slots and cells, and more keys and sessions all work.
use strict;
use warnings;
use ThemisCluster;
use PostgreSQL::Test::Utils ();
use Test::More;

plan skip_all => 'root may lock memory without a limit' if $> == 0;
plan skip_all => 'missing prlimit' if system('prlimit --version >/dev/null') != 0;

# 48 kB are some 400 slots.
my $keys = $ENV{TC_LONG} ? 2000 : 800;
$keys = 100 if !$ENV{TC_LONG} && ($ENV{TC_MEMFD_SECRET} // '') eq 'off';
my $node = ThemisCluster->ready('main', conf => <<'END');
max_connections = 70
max_locks_per_transaction = 500
log_statement = none
END

# The server inherits our soft limit; ours comes back afterwards.
my ($soft) = `prlimit --pid $$ --memlock --noheadings --raw --output SOFT` =~ /(\S+)/;

sub start_with
{
	my ($bytes) = @_;
	$node->stop;
	$node->rotate_logfile;
	system("prlimit --pid $$ --memlock=$bytes:") == 0 or die 'prlimit';
	my $started = $node->start(fail_ok => 1);
	system("prlimit --pid $$ --memlock=$soft:") == 0 or die 'prlimit';
	return $started;
}

ok(!start_with(0), 'with nothing to lock the server does not start');
my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
like($log, qr/FATAL:  could not lock \d+ bytes of memory for encryption keys: .*\n.*HINT:  Raise the limit on locked memory/,
	'and says why, and what to do');
unlike($log, qr/PANIC|terminated by signal/, 'that is no crash');
$node->start;

$node->safe_psql('postgres', <<"END");
CREATE ROLE hr LOGIN;
DO \$\$ BEGIN FOR i IN 1 .. $keys LOOP
	PERFORM themis_crypt.create_key('k' || i);
	EXECUTE 'CREATE TABLE t' || i || ' (v encrypted(k' || i || '))';
END LOOP; END \$\$;
DO \$\$ BEGIN FOR i IN 1 .. $keys LOOP
	EXECUTE 'INSERT INTO t' || i || ' SELECT \$1' USING i::text;
END LOOP; END \$\$;
END

# All of them in one statement, each as many times as asked.
my $all = <<"END";
DO \$\$ DECLARE n int; plain text; BEGIN
	FOR round IN 1 .. 2 LOOP FOR i IN 1 .. $keys LOOP
		EXECUTE 'SELECT v::text FROM t' || i || ' LIMIT 1' INTO plain;
		IF plain <> i::text THEN RAISE 'wrong value of key %', i; END IF;
		EXECUTE 'INSERT INTO t' || i || ' SELECT \$1' USING i::text;
	END LOOP; END LOOP;
END \$\$
END

ok(start_with(48 * 1024), 'with 48 kB it starts');
ok($node->wait_unlocked, 'and unlocks');
is($node->error_of($all), '', "$keys keys work, in turn");
my $union = join ' UNION ALL ', map { "(SELECT v::text AS v FROM t$_)" } 1 .. $keys;
is($node->safe_psql('postgres', "SELECT count(*), sum(v::int) FROM ($union) AS u"),
	3 * $keys . '|' . 3 * $keys * ($keys + 1) / 2, 'and in one statement');

my @sessions = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. ($ENV{TC_LONG} ? 50 : 4);
$_->{stdin} .= "$all;\n\\echo 'over'\n" for @sessions;
$_->{run}->pump_nb for @sessions;
for my $session (@sessions)
{
	$session->query_until(qr/over\n/, '');
	$session->{run}->pump_nb;
	is($session->{stderr}, '', 'and in several sessions at once');
	$session->quit;
}

# Half of 48 kB are cells for 20 sessions, without key schedules of aes256gcm;
# in 256 kB, less a sixteenth, all have cells and a few of them schedules.
my $aes = $node->error_of("SELECT themis_crypt.create_key('aes', 'aes256gcm')") eq '' ? 'aes' : 'k1';
note "a key of aes256gcm: $aes";
for my $kb (48, 256)
{
	ok(start_with($kb * 1024) && $node->wait_unlocked, "with $kb kB");
	like(PostgreSQL::Test::Utils::slurp_file($node->logfile),
		qr/LOG:  memory for encryption keys is limited to (?:48|240) kB, of \d+ kB .*\n.*DETAIL:  \d+ keys fit at a time; \d+ of \d+ sessions keep subkeys, \d+ of these also key schedules/,
		'the log says what that means');
	cmp_ok($node->status('key_slots'), '>=', $kb == 48 ? 384 : 1300, 'status() counts the keys that fit in');
	cmp_ok($node->status('key_slots'), '<', $kb * 1024 / 64, 'but no more than that is memory for');
	$node->safe_psql('postgres', "CREATE TABLE s (v encrypted(k1), w encrypted(k2, text, searchable), a encrypted($aes))");
	my @first = map { $node->background_psql('postgres') } 1 .. 22;
	for my $i (1 .. @first)
	{
		$first[$i - 1]->query_safe("INSERT INTO s SELECT $i, $i, $i");
	}
	is($node->safe_psql('postgres', <<'END'), '44|22|22', 'one session more seals, searches and opens');
INSERT INTO s SELECT i, i, i FROM generate_series(23, 44) AS i;
SELECT count(DISTINCT v::text), count(*) FILTER (WHERE a::text::int <= 22 AND w::text = a::text),
	(SELECT count(*) FROM s WHERE w = ANY (ARRAY(SELECT g::text FROM generate_series(1, 22) AS g)::encrypted(k2, text, searchable)[])) FROM s
END
	my $wrong = grep { $_->query_safe("SELECT sum(v::text::int), sum(w::text::int), sum(a::text::int) FROM s") ne '990|990|990' } @first;
	is($wrong, 0, 'each session opens what it and the others sealed');

	# what those had that are gone others take, in the middle of a statement
	my @staying = splice @first, 0, 2;
	push @staying, pop @first;
	$_->quit for @first;
	$wrong = grep { $_->query_safe("SELECT count(*) FROM s, generate_series(1, 20) AS g WHERE a::text || g = v::text || g") ne '880' } @staying;
	is($wrong, 0, 'and goes on when others end');
	$_->quit for @staying;
	$node->safe_psql('postgres', 'DROP TABLE s');
}
$node->stop;
$node->rotate_logfile;
$node->start;
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/memory for encryption keys is limited/,
	'where all fits the log is silent');
cmp_ok($node->status('key_slots'), '>=', 1024 * 1024 / 64 - 16, 'and there is 1 MB for keys');
done_testing();
