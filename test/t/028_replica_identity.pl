# Goal of this test: logical replication finds rows of a table with REPLICA
# IDENTITY FULL, or with a searchable key as the identity, by their tokens, as on
# a plain twin.  The subscriber is a database with the same keys.
use strict;
use warnings;
use ThemisCluster;
use Test::More;

my $node = ThemisCluster->ready('main', conf => "wal_level = logical\nmax_wal_senders = 10\nmax_replication_slots = 10\n");
$node->safe_psql('postgres', <<'END');
SET client_min_messages = error;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
END
# A copy has the keys of its template.
$node->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE postgres');
my $tables = join '', map { my ($name, $text, $numeric) = @$_; <<"END" }
CREATE TABLE $name (t $text, n $numeric, k int);
ALTER TABLE $name REPLICA IDENTITY FULL;
CREATE TABLE ${name}_keyed (t $text PRIMARY KEY, k int);
CREATE TABLE ${name}_indexed (t $text NOT NULL, o text, k int);
CREATE UNIQUE INDEX ${name}_i ON ${name}_indexed (t);
ALTER TABLE ${name}_indexed REPLICA IDENTITY USING INDEX ${name}_i;
END
  [qw(plain text numeric)], [ 'sealed', 'encrypted(k, text, searchable)', 'encrypted(k, numeric, searchable)' ];
$node->safe_psql($_, $tables) for 'postgres', 'copy';
my @tables = map { my $t = $_; map { "$t$_" } '', '_keyed', '_indexed' } 'plain', 'sealed';

sub both
{
	my ($sql) = @_;
	$node->safe_psql('postgres', "BEGIN; " . join(' ', map { $sql =~ s/\bTWIN/$_/gr } 'plain', 'sealed') . ' COMMIT;');
	return;
}

# Rows before the subscription are copied, others are applied.
both(q(INSERT INTO TWIN SELECT 'v' || i % 10, i % 3, i FROM generate_series(1, 100) AS i;
	INSERT INTO TWIN_keyed SELECT 'v' || i, i FROM generate_series(1, 50) AS i; INSERT INTO TWIN_indexed SELECT 'v' || i, 'o', i FROM generate_series(1, 50) AS i;));
$node->safe_psql('postgres', 'CREATE PUBLICATION pub FOR TABLE ' . join(', ', @tables));
$node->safe_psql('postgres', q(SELECT pg_create_logical_replication_slot('sub', 'pgoutput')));
$node->safe_psql('copy', "CREATE SUBSCRIPTION sub CONNECTION '" . $node->connstr . " dbname=postgres user=postgres' PUBLICATION pub WITH (create_slot = false, slot_name = 'sub')");
$node->wait_for_subscription_sync($node, 'sub', 'copy');

sub rows
{
	my ($database, $table) = @_;
	my $columns = $table =~ /_/ ? 't::text, k' : 't::text, trim_scale(n::numeric), k';
	return join "\n", sort split /\n/, $node->safe_psql($database, "SELECT $columns FROM $table");
}

sub same
{
	my ($what) = @_;
	$node->wait_for_catchup('sub');
	for my $suffix ('', '_keyed', '_indexed')
	{
		my $expected = rows('postgres', "plain$suffix");
		is(rows('copy', "plain$suffix"), $expected, "$what: plain$suffix");
		is(rows('copy', "sealed$suffix"), $expected, "$what: sealed$suffix");
	}
	return;
}

same('rows that were there');
both(q(UPDATE TWIN SET k = k + 1000 WHERE t = 'v3'; UPDATE TWIN_keyed SET k = 0 WHERE t = 'v3'; UPDATE TWIN_indexed SET k = 0 WHERE t IN ('v3', 'v4');));
same('an update of others');
both(q(UPDATE TWIN SET t = 'new', n = NULL WHERE t = 'v4' AND n = 1; UPDATE TWIN_keyed SET t = 'new' WHERE t = 'v4'; UPDATE TWIN_indexed SET t = 'new' WHERE t = 'v5';));
same('an update of the searchable ones');
both(q(DELETE FROM TWIN WHERE t = 'v5' OR n IS NULL; DELETE FROM TWIN_keyed WHERE t IN ('v5', 'new'); DELETE FROM TWIN_indexed WHERE t = 'new';));
same('deletes');
both(q(INSERT INTO TWIN VALUES ('double', 1, 1), ('double', 1.0, 1), (NULL, NULL, NULL);));
both(q(DELETE FROM TWIN WHERE ctid = (SELECT max(ctid) FROM TWIN WHERE t = 'double'); UPDATE TWIN SET k = 7 WHERE t IS NULL;));
same('one of two equal rows');
like($node->safe_psql('copy', q(SELECT t FROM sealed LIMIT 1)), qr/^tc1:/, 'and all of it is sealed');
$node->safe_psql('copy', 'DROP SUBSCRIPTION sub');
done_testing();
