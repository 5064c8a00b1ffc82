# Goal of this test: the operators of the type are in pg_catalog, and yet no
# expression without an encrypted operand is read in another way than before.
# Every pair of many types, unknown literals among them, is given to operators
# and to CASE; what PostgreSQL makes of it, or its error, is the same in a
# database with the extension and in one without.
use strict;
use warnings;
use ThemisCluster;
use Test::More;

my $node = ThemisCluster->ready('main');
$node->safe_psql('postgres', 'CREATE DATABASE without TEMPLATE template0');

my $probe = <<'END';
SET client_min_messages = error;
CREATE FUNCTION pg_temp.read_as(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'CREATE TEMP VIEW reading AS SELECT ' || expression || ' AS x';
	result := pg_get_viewdef('reading'::regclass);
	DROP VIEW reading;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
WITH type(name) AS (VALUES ('unknown'), ('text'), ('varchar'), ('bpchar'), ('name'), ('"char"'),
		('bytea'), ('json'), ('jsonb'), ('bool'), ('int2'), ('int4'), ('int8'), ('float4'), ('float8'),
		('numeric'), ('money'), ('date'), ('time'), ('timetz'), ('timestamp'), ('timestamptz'), ('interval'),
		('uuid'), ('inet'), ('cidr'), ('oid'), ('regclass'), ('xml'), ('point'), ('bit'), ('int4range'),
		('text[]'), ('int4[]'), ('tsvector')),
	operand(name, expression) AS (
		SELECT name, CASE name WHEN 'unknown' THEN $$'1'$$ ELSE 'NULL::' || name END FROM type)
SELECT l.name, operator, r.name, md5(pg_temp.read_as(
		CASE operator WHEN 'case' THEN 'CASE ' || l.expression || ' WHEN ' || r.expression || ' THEN 1 END'
			ELSE l.expression || ' ' || operator || ' ' || r.expression END))
	FROM operand l, operand r, unnest(ARRAY['=', '<>', '<', '||', 'case']) AS operator
	WHERE operator IN ('=', '<>') OR r.name = 'unknown' OR l.name IN ('unknown', 'text', 'jsonb')
	ORDER BY 1, 2, 3;
END

my @with = split /\n/, $node->safe_psql('postgres', $probe);
my @without = split /\n/, $node->safe_psql('without', $probe);
cmp_ok(scalar @with, '>', 2500, 'so many expressions were read');
my %read = map { (split /\|/)[3] => 1 } @with;
cmp_ok(scalar keys %read, '>', 400, 'control: in so many ways');
my @differ = grep { $with[$_] ne ($without[$_] // '') } 0 .. $#with;
is(scalar @differ, 0, 'all are read as without the extension')
  or diag(join "\n", map { "$with[$_] / $without[$_]" } @differ);
done_testing();
