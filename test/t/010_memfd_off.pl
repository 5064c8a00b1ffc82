# Goal of this test: all holds without memfd_secret(2), too: in memory that is
# locked and left out of core dumps.
use strict;
use warnings;
use ThemisCluster;
use File::Basename ();
use TAP::Parser;
use Test::More;

$ENV{TC_MEMFD_SECRET} = 'off';
my $node = ThemisCluster->ready('main');
$node->append_conf('postgresql.conf', 'themis_crypt.memfd_secret = off');
$node->restart;
$node->wait_unlocked;
is($node->status('memory'), 'locked', 'status tells the kind of memory');
$node->stop;

# In a folder of their own: their nodes are called as before.
my $folder = File::Basename::dirname($0);
$ENV{TESTDIR} = "$ENV{TESTDIR}/tmp_check/memfd_off";
mkdir $ENV{TESTDIR};
for my $again (qw(002_story_and_restart 004_crash_restart 008_lock 009_memlock 011_keys_in_memory))
{
	my $parser = TAP::Parser->new(
		{ exec => [ $^X, (map { "-I$_" } @INC), "$folder/$again.pl" ], merge => 1 });
	while (my $result = $parser->next)
	{
		diag("$again: " . $result->as_string) if !$result->is_ok;
	}
	ok(!$parser->has_problems, "$again, " . $parser->passed . ' tests')
	  if !$parser->skip_all;
	note("$again skipped: " . $parser->skip_all) if $parser->skip_all;
}
done_testing();
