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

# The others again, in a folder of their own: their nodes are called as before.
my $folder = File::Basename::dirname($0);
my @again = map { "$folder/$_.pl" } qw(002_story_and_restart 008_lock 009_memlock 011_keys_in_memory 037_aes_in_memory);
@again = grep { !/010_memfd_off/ } glob "$folder/*.pl" if $ENV{TC_LONG};
$ENV{TESTDIR} = "$ENV{TESTDIR}/tmp_check/memfd_off";
$ENV{TESTDATADIR} = "$ENV{TESTDIR}/tmp_check";	# for 16 and newer
$ENV{TESTLOGDIR} = "$ENV{TESTDATADIR}/log";
mkdir $ENV{TESTDIR};
for my $file (@again)
{
	my $name = File::Basename::basename($file);
	my $parser = TAP::Parser->new({ exec => [ $^X, (map { "-I$_" } @INC), $file ], merge => 1 });
	while (my $result = $parser->next)
	{
		diag("$name: " . $result->as_string) if $result->is_test && !$result->is_ok;
	}
	SKIP:
	{
		skip "$name: " . $parser->skip_all, 1 if $parser->skip_all;
		ok(!$parser->has_problems, "$name, " . $parser->passed . ' tests');
	}
}
done_testing();
