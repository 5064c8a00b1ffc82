# Two schemas with the same tables and the same rows, "plain" and "sealed", and
# statements that must do the same in both.
#
#   my $twin = ThemisTwin->new;                  # a server, the tables, the rows
#   $twin->add('SELECT id FROM a WHERE t = ' . $twin->literal('t'));
#   $twin->add(\@settings, @statements);         # "SET LOCAL" before them
#   $twin->compare('what they are about');       # one test for all that were added
#
# A case is one or more statements in a transaction of its own, which is rolled
# back; the schema is switched by search_path.  In a statement @numeric@ stands
# for the type in one schema and encrypted(k, numeric, searchable) in the other,
# @-numeric@ for one that is not searchable.  Same means: the same rows in any
# order, or an error with the same SQLSTATE.
#
# All of it is made from a seed, which is printed; TC_SEED takes another one.
# With TC_TWIN=plain the twin is plain, too, to try out statements.
package ThemisTwin;

use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Utils ();
use Test::More;
use ThemisCluster;

my $seed = $ENV{TC_SEED} // 20261123;
my $plain_twin = ($ENV{TC_TWIN} // '') eq 'plain';

sub any { return $_[ int rand @_ ] }
sub quoted { my ($s) = @_; return 'NULL' unless defined $s; $s =~ s/'/''/g; return $s =~ s/\\/\\\\/g ? " E'$s'" : "'$s'" }
sub random_text { return join '', map { ('a' .. 'z', 0 .. 9)[ int rand 36 ] } 1 .. $_[0] }

sub random_uuid
{
	return sprintf '%08x-%04x-4%03x-8%03x-%012x', map { int rand $_ } 2**32, 2**16, 2**12, 2**12, 2**40;
}

# What columns hold, and some values that none holds: of each type, by its name
# in tables.  Different spellings of equal values are among them.
sub values_of_types
{
	my %pool = (
		text => [ '', ' ', 'a', 'A', 'a ', 'ä', "a\x{308}", 'Ä', 'ß', 'ss', '日本語', '🔑', "O'Brien", 'back\\slash', "two\nlines", 'NULL',
			'0', '00', map { random_text(1 + int rand 12) } 1 .. 40 ],
		numeric => [ qw(0 -0 0.0 1 1.0 1.000 -1 0.1 0.10 100 1e2 32767 32768 2147483648 9223372036854775808 NaN Infinity -Infinity
			12345678901234567890.123456789 0.00000000000000000001), map { int(rand 200) / 4 } 1 .. 20 ],
		int8 => [ 0, 1, -1, 100, 32767, 32768, 2147483647, 2147483648, '-9223372036854775808', '9223372036854775807',
			map { int rand 1000 } 1 .. 30 ],
		int4 => [ 0, 1, -1, 100, 32767, 32768, 2147483647, -2147483648, map { int rand 50 } 1 .. 20 ],
		int2 => [ 0, 1, -1, 100, 32767, -32768, map { int rand 20 } 1 .. 10 ],
		date => [ qw(infinity -infinity 2000-02-29 0001-01-01 1999-12-31), '4713-01-01 BC', map { '2026-01-' . (1 + int rand 28) } 1 .. 20 ],
		time => [ '00:00', '24:00:00', '12:34:56.789', map { int(rand 24) . ':00' } 1 .. 10 ],
		timestamptz => [ qw(infinity -infinity), '2026-03-29 02:30+01', '2026-03-29 01:30+00', map { "2026-11-0$_ 12:00+00" } 1 .. 9 ],
		interval => [ '1 day', '24:00', '30 days', '1 mon', '-1 day', '0', '1 year', '360 days', map { "$_ hours" } 1 .. 9 ],
		bytea => [ '\\x', '\\x00', '\\x0000', '\\xf9ff', map { '\\x' . join '', map { sprintf '%02x', rand 256 } 1 .. 1 + int rand 5 } 1 .. 20 ],
		uuid => [ '00000000-0000-0000-0000-000000000000', map { random_uuid() } 1 .. 20 ],
		bool => [ qw(true false) ],
		inet => [ qw(::1 127.0.0.1 127.0.0.1/8 127.0.0.0/8 10.0.0.1 2001:db8::1), map { "10.1.1.$_" } 1 .. 9 ],
		jsonb => [ 'null', '""', '0', '1.0', '1', '{"a": 1, "b": 2}', '{"b": 2, "a": 1.00}', '[1, 2]', '[2, 1]', '{}', '[]', '"ä"',
			map { "{\"n\": $_}" } 1 .. 9 ]);
	$pool{zipf} = [ map { "z$_" } 1 .. 200 ];
	$pool{long} = [ map { random_text(2000 + int rand 4000) } 1 .. 20 ];
	$pool{long}[1] = $pool{long}[0] . 'x';
	$pool{long}[2] = 'x' . substr $pool{long}[0], 1;
	my %absent = (
		text => [ 'absent', 'aa', ' a' ], numeric => [ '77.77', '-3.5' ], int8 => [ 77777, -77777 ], int4 => [ 77777, -77777 ],
		int2 => [ 7777, -7777 ], date => ['1980-01-01'], time => ['01:02:03'], timestamptz => ['1980-01-01 00:00+00'], interval => ['77 days'],
		bytea => ['\\xabcdef0123456789'], uuid => ['11111111-1111-1111-1111-111111111111'], bool => ['true'],
		inet => ['192.168.0.1'], jsonb => ['{"absent": true}'], zipf => ['z0'], long => [ random_text(3000) ]);
	return (\%pool, \%absent);
}

# The searchable columns of table a: type, pool of values, index.
my %columns = (
	t => [qw(text text btree)], n => [qw(numeric numeric btree)], i => [qw(int8 int8 btree)], i4 => [qw(int4 int4 none)],
	i2 => [qw(int2 int2 hash)], d => [qw(date date btree)], ti => [qw(time time none)], ts => [qw(timestamptz timestamptz btree)],
	iv => [qw(interval interval btree)], b => [qw(bytea bytea hash)], u => [qw(uuid uuid hash)], f => [qw(bool bool none)],
	ip => [qw(inet inet btree)], j => [qw(jsonb jsonb hash)], z => [qw(text zipf btree)], l => [qw(text long hash)],
	dom => [qw(text text btree)]);

my $tables = <<'END';
CREATE DOMAIN dom AS @text@;
CREATE TYPE pair AS (x @text@, y @int8@);
CREATE TABLE a (id int PRIMARY KEY, k int,
	t @text@, n @numeric@, i @int8@, i4 @int4@, i2 @int2@, d @date@, ti @time@, ts @timestamptz@, iv @interval@,
	b @bytea@, u @uuid@, f @bool@, ip @inet@, j @jsonb@, z @text@, l @text@, dom dom, o @-text@, og @-numeric@);
CREATE TABLE b (id int PRIMARY KEY, k int, t @text@, n @numeric@, i @int8@, u @uuid@, d @date@, l @text@);
CREATE TABLE p (id int PRIMARY KEY, t text, v varchar, c char(5), n numeric, i4 int4, i2 int2, d date, b bytea);
CREATE TABLE uq (id int PRIMARY KEY, t @text@ UNIQUE, n @numeric@, k int);
CREATE TABLE ph (id int, t @text@, k int) PARTITION BY HASH (t);
CREATE TABLE ph0 PARTITION OF ph FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE ph1 PARTITION OF ph FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE ph2 PARTITION OF ph FOR VALUES WITH (MODULUS 3, REMAINDER 2);
CREATE TABLE pl (id int, t @text@, k int) PARTITION BY LIST (t);
CREATE TABLE pl_a PARTITION OF pl FOR VALUES IN ('a', 'ä');
CREATE TABLE pl_b PARTITION OF pl FOR VALUES IN ('A', '', NULL);
CREATE TABLE pl_rest PARTITION OF pl DEFAULT;
CREATE TABLE co (id int PRIMARY KEY, c pair, ts @text@[]);
CREATE VIEW va AS SELECT * FROM a;
CREATE VIEW vb WITH (security_barrier) AS SELECT * FROM a WHERE k < 15;
CREATE VIEW vs WITH (security_invoker) AS SELECT id, t, t::text AS ot, n::numeric AS onum FROM a;
CREATE TABLE rls (id int PRIMARY KEY, owner @text@, t @text@, k int);
CREATE INDEX ON rls (t);
ALTER TABLE rls ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON rls USING (owner = current_setting('test.who')) WITH CHECK (owner = current_setting('test.who'));
CREATE INDEX ON ph (t);
CREATE INDEX ON b (t);
CREATE INDEX ON b USING hash (n);
END

sub new
{
	my ($class, %params) = @_;
	my $self = bless { cases => [], columns => \%columns }, $class;
	note "seed $seed";
	srand $seed;
	$self->{node} = ThemisCluster->ready('main', conf => ($params{conf} // '') . "autovacuum = off\nmax_parallel_workers_per_gather = 0\n");
	($self->{pool}, $self->{absent}) = values_of_types();
	$self->node->safe_psql('postgres', <<'END');
SET client_min_messages = warning;
CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
CREATE ROLE regress_twin LOGIN;
GRANT USAGE ON FOREIGN SERVER k TO regress_twin;
END
	my $indexes = join '', map { my $how = $columns{$_}[2]; $how eq 'none' ? '' : "CREATE INDEX a_$_ ON a USING $how ($_);\n" } sort keys %columns;
	my $rows = $self->_rows;
	for my $schema ('plain', 'sealed')
	{
		$self->in($schema, "CREATE SCHEMA $schema; $tables");
		$self->in($schema, $rows . $indexes . ($params{extra} // '') . <<"END");
GRANT ALL ON SCHEMA $schema TO regress_twin;
GRANT ALL ON ALL TABLES IN SCHEMA $schema TO regress_twin;
ANALYZE;
END
	}
	return $self;
}

sub node { return $_[0]{node} }

# The text of a statement for one of the schemas.
sub for_schema
{
	my ($self, $schema, $sql) = @_;
	my $sealed = $schema eq 'sealed' && !$plain_twin;
	$sql =~ s/\@(-?)([a-z0-9]+)\@/!$sealed ? $2 : $1 ? "encrypted(k, $2)" : "encrypted(k, $2, searchable)"/ge;
	return $sql;
}

# Runs statements in one schema as the superuser; what they return.
sub in
{
	my ($self, $schema, $sql) = @_;
	return $self->node->safe_psql('postgres', "SET client_min_messages = warning; SET search_path = $schema, public; "
	  . $self->for_schema($schema, $sql));
}

sub _insert
{
	my ($table, @rows) = @_;
	my $sql = '';
	while (my @some = splice @rows, 0, 100)
	{
		$sql .= "INSERT INTO $table VALUES\n" . join(",\n", map { '(' . join(', ', map { quoted($_) } @$_) . ')' } @some) . ";\n";
	}
	return $sql;
}

# A table in the form of COPY.
sub _copy
{
	my ($table, @rows) = @_;
	my $escaped = sub { my ($v) = @_; return '\\N' unless defined $v; $v =~ s/\\/\\\\/g; $v =~ s/\n/\\n/g; return $v };
	return "COPY $table FROM stdin;\n" . join('', map { join("\t", map { $escaped->($_) } @$_) . "\n" } @rows) . "\\.\n";
}

# A value as a column gets it: often NULL, and some far more often than others.
sub some_value
{
	my ($self, $pool) = @_;
	my @values = @{ $self->{pool}{$pool} };
	return undef if rand() < 0.06;
	return $values[ $pool eq 'zipf' ? int(@values ** rand()) - 1 : rand() < 0.3 ? int rand(5) % @values : int rand @values ];
}

sub _rows
{
	my ($self) = @_;
	my $of = sub { return $self->some_value(@_) };
	my (@a, @b, @p, @uq, @ph, @pl, @co, @rls);
	for my $id (1 .. 1200)
	{
		push @a, [ $id, int rand 20, map({ $of->($columns{$_}[1]) } qw(t n i i4 i2 d ti ts iv b u f ip j z l dom)), $of->('text'), $of->('numeric') ];
	}
	push @b, [ $_, int rand 20, map({ $of->($_) } qw(text numeric int8 uuid date long)) ] for 1 .. 150;
	push @p, [ $_, $of->('text'), $of->('text'), substr($of->('text') // '', 0, 5), map({ $of->($_) } qw(numeric int4 int2 date bytea)) ] for 1 .. 60;
	my %seen;
	my @unique = grep { !$seen{$_}++ } @{ $self->{pool}{text} };
	push @uq, [ $_, $unique[$_], $of->('numeric'), int rand 5 ] for 0 .. $#unique;
	push @uq, [ 1000 + $_, undef, $of->('numeric'), int rand 5 ] for 0 .. 2;
	push @ph, [ $_, $of->('text'), int rand 20 ] for 1 .. 300;
	push @pl, [ $_, $of->('text'), int rand 20 ] for 1 .. 300;
	push @rls, [ $_, any('alice', 'bob', 'ä'), $of->('text'), int rand 20 ] for 1 .. 300;
	push @co, [ $_, rand() < 0.05 ? undef : '(' . any('a', 'b', '"ä"', '') . ',' . any(1, 2, 3, '') . ')',
		any(undef, '{}', '{a,b}', '{a,NULL,ä}', '{"","a "}') ] for 1 .. 100;
	return _copy('a', @a) . _insert('b', @b) . _copy('p', @p) . _insert('uq', @uq) . _insert('ph', @ph) . _copy('pl', @pl)
	  . _copy('co', @co) . _insert('rls', @rls);
}

# A value that a column of table a may hold, or, rarely, does not.
sub value
{
	my ($self, $column) = @_;
	my $pool = $columns{$column}[1];
	return any(@{ $self->{absent}{$pool} }) if rand() < 0.15;
	return any(@{ $self->{pool}{$pool} }[ 0 .. ($pool eq 'zipf' ? 20 : $#{ $self->{pool}{$pool} }) ]);
}

sub type { my ($self, $column) = @_; return $columns{$column}[0] }
sub literal { my ($self, $column) = @_; return quoted($self->value($column)) }
sub typed { my ($self, $column) = @_; return $self->literal($column) . '::' . $self->type($column) }

# Literals with commas between them.
sub literals
{
	my ($self, $column, $count, $suffix) = @_;
	return join ', ', map { $self->literal($column) . ($suffix // '') } 1 .. $count;
}

# The text form of an array.
sub array_literal
{
	my ($self, $column, $count) = @_;
	return quoted('{' . join(',', map { '"' . $self->value($column) =~ s/(["\\])/\\$1/gr . '"' } 1 .. $count) . '}');
}

sub add
{
	my ($self, @case) = @_;
	my @settings = ref $case[0] ? @{ shift @case } : ();
	push @{ $self->{cases} }, [ (map { "SET LOCAL $_" } @settings), @case ];
	return;
}

# Runs all cases in one schema; for each what it returned, and its error.
sub _run
{
	my ($self, $schema) = @_;
	my $script = PostgreSQL::Test::Utils::tempdir() . '/cases';
	open my $file, '>', $script or die "$script: $!";
	print $file "SET ROLE regress_twin;\nSET search_path = $schema, public;\n\\set VERBOSITY verbose\n";
	my $i = 0;
	for my $case (@{ $self->{cases} })
	{
		print $file "\\echo === $i\n\\warn === $i\nBEGIN;\n", map({ $self->for_schema($schema, $_) . ";\n" } @$case), "ROLLBACK;\nDEALLOCATE ALL;\n";
		$i++;
	}
	close $file;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $self->node->installed_command('psql'), '-XAtq', '-P', 'null=~', '-d', $self->node->connstr('postgres'), '-f', $script ],
		'<', \undef, '>', \$out, '2>', \$err);
	my @result;
	for my $part (split /^=== /m, $out)
	{
		my ($n, $rows) = $part =~ /^(\d+)\n(.*)/s or next;
		$result[$n]{rows} = join "\n", sort split /\n/, $rows;
	}
	for my $part (split /^=== /m, $err)
	{
		my ($n, $said) = $part =~ /^(\d+)\n(.*)/s or next;
		($result[$n]{state}, $result[$n]{message}) = $said =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/;
		($result[$n]{hint}) = $said =~ /HINT:  (.*)/;
	}
	die "not all cases have an end in $schema: $err" unless @result == $i && !grep { !defined $_->{rows} } @result;
	return \@result;
}

# The cases that differ, as text.
sub differences
{
	my ($self) = @_;
	my ($plain, $sealed) = map { $self->_run($_) } 'plain', 'sealed';
	my @differ;
	$self->{errors} = 0;
	$self->{empty} = 0;
	for my $n (0 .. $#{ $self->{cases} })
	{
		my ($p, $s) = ($plain->[$n], $sealed->[$n]);
		$self->{errors}++ if defined $p->{state};
		$self->{empty}++ if $p->{rows} eq '';
		next if $p->{rows} eq $s->{rows} && ($p->{state} // '') eq ($s->{state} // '');
		push @differ, join("; ", @{ $self->{cases}[$n] }) . "\n"
		  . join '', map { "  $_->[0]: " . substr($_->[1]{rows} =~ s/\n/ /gr, 0, 300)
			  . (defined $_->[1]{state} ? " ERROR $_->[1]{state} $_->[1]{message}" : '') . "\n" } [ plain => $p ], [ sealed => $s ];
	}
	return @differ;
}

# The test: no case differs.
sub compare
{
	my ($self, $what) = @_;
	my $count = @{ $self->{cases} };
	my @differ = $self->differences;
	is(scalar @differ, 0, "$what: $count cases, no difference");
	diag(join "\n", @differ[ 0 .. ($#differ < 29 ? $#differ : 29) ]) if @differ;
	note "$self->{errors} of them are errors, $self->{empty} return nothing";
	$self->{total} += $count;
	$self->{cases} = [];
	return;
}

sub total { return $_[0]{total} // 0 }

1;
