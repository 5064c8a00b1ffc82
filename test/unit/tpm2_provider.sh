#!/bin/bash
#
# tpm2_provider.sh
#	  The key provider tpm2, run against software TPMs.
#
# Goal of this test:
# - A sealed secret comes back from the same TPM, also after a restart, and
#   from no other.
# - No altered blob ever gives anything; each failure has its exit code.
# - Nothing is left in the TPM, whatever happens.
# - The secret is not in the blob, on the bus, or in a message.
#
# Usage: tpm2_provider.sh PROGRAM
#
# Prints TAP.  Needs no privileges.  TPMs are started by test/cluster.
# A proxy between the program and a TPM stands in for TPMs that are busy,
# broken or listened to, because a software TPM is none of that at will.
#
# test/unit/tpm2_provider.sh

set -u
export LC_ALL=C

program=$(realpath "${1:?usage: tpm2_provider.sh PROGRAM}")
for tool in swtpm tpm2_getcap perl; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP missing $tool"; exit 0; }
done
cluster=$(realpath "$(dirname "$0")/../cluster")
dir=$(mktemp -d)
chmod 711 "$dir"		# test/cluster runs TPMs as another user, if we are root
proxy_pid=
deaf_pid=
tests=0
failures=0
faults=0				# runs that broke a rule that holds for every run

finish()
{
	[ -n "$proxy_pid" ] && kill "$proxy_pid" 2>/dev/null
	[ -n "$deaf_pid" ] && kill "$deaf_pid" 2>/dev/null
	for tpm in a b; do
		[ -d "$dir/$tpm" ] && "$cluster" swtpm-stop "$dir/$tpm" >/dev/null 2>&1
	done
	rm -rf "$dir"
}
trap finish EXIT
cd "$dir" || exit 1

# ---------------------------------------------------------------------------
# Tools
# ---------------------------------------------------------------------------

# ok STATUS NAME: report a test, and what the last run said if it failed.
ok()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		echo "# last run: exit code ${rc:-none}, message: $(head -c 500 err)"
		failures=$((failures + 1))
	fi
}

# start_tpm NAME: start the TPM with the state of that name, set $tcti.
start_tpm()
{
	local answer

	answer=$("$cluster" swtpm-start "$dir/$1") || return 1
	tcti=$(sed -n 's/^TCTI=//p' <<<"$answer")
	[ -n "$tcti" ]
}

stop_tpm()
{
	"$cluster" swtpm-stop "$dir/$1" >/dev/null
}

# run VERB INPUT [OPTION...]: run the program as its caller does.
# Sets $rc; the output is in the files out and err.
run()
{
	local verb=$1 input=$2

	shift 2
	env -i PATH=/usr/bin:/bin LC_ALL=C \
		timeout --signal=KILL 20 "$program" "$verb" "$@" \
		<"$input" >out 2>err
	rc=$?
	check_rules
}

# What holds for every run: success says nothing, failure gives nothing and
# says one printable line.
check_rules()
{
	local lines

	mapfile -t lines <err
	printf '%s\n' "${lines[@]}" >>all_messages
	if [ "$rc" -eq 0 ]; then
		[ ${#lines[@]} -eq 0 ] && return
	else
		[ ! -s out ] && [ ${#lines[@]} -eq 1 ] &&
			[[ ${lines[0]} =~ ^[\ -~]{1,499}$ ]] && return
	fi
	faults=$((faults + 1))
	echo "# rule broken: exit code $rc, $(wc -c <out) bytes of output," \
		"${#lines[@]} lines of message"
}

# exits CODE NAME VERB INPUT [OPTION...]: test the exit code of a run.
exits()
{
	local code=$1 name=$2

	shift 2
	run "$@"
	[ "$rc" -eq "$code" ]
	ok $? "$name: exit code $code"
}

hex()
{
	od -An -v -tx1 "$1" | tr -d ' \n'
}

# holds FILE SECRET: is any 8-byte piece of SECRET in FILE, raw or as hex?
holds()
{
	local raw text piece i

	raw=$(hex "$1")
	text=$(tr 'A-F' 'a-f' <"$1" | tr -d '\000')
	piece=$(hex "$2")
	for ((i = 0; i + 16 <= ${#piece}; i += 2)); do
		[[ $raw == *"${piece:i:16}"* ]] && return 0
		[[ $text == *"${piece:i:16}"* ]] && return 0
	done
	return 1
}

# left_in TCTI: what is loaded in the TPM.
left_in()
{
	local what

	for what in transient loaded-session saved-session; do
		tpm2_getcap -T "$1" "handles-$what" || echo "could not ask for $what"
	done
}

# is_empty NAME TCTI: test that nothing is loaded in the TPM.
is_empty()
{
	local left

	left=$(left_in "$2")
	[ -z "$left" ]
	ok $? "$1: nothing is left in the TPM$left"
}

# ---------------------------------------------------------------------------
# The proxy.  It reads the file rules at each command: command code, action and
# how many times.  Actions: an answer code (the command does not
# reach the TPM), "tamper" (a bit of the answer is flipped), "hangup".  Each
# command code is added to the file log, all bytes of both ways to the file
# bus.
# ---------------------------------------------------------------------------

cat >proxy.pl <<'PERL'
use strict;
use warnings;
use IO::Socket::UNIX;

my ($here, $there) = @ARGV;
my %used;

sub append { my ($name, $what) = @_;
	open(my $f, '>>:raw', $name) or die; print $f $what; close $f; }

sub take { my ($from, $len) = @_;
	my $got = '';
	while (length($got) < $len) {
		my $n = sysread($from, $got, $len - length($got), length($got));
		return undef unless $n; }
	return $got; }

# A command or an answer: tag, size, code, and the rest.
sub message { my ($from) = @_;
	my $head = take($from, 10) // return undef;
	my $size = unpack('x2 N', $head);
	my $rest = $size > 10 ? take($from, $size - 10) : '';
	return defined $rest ? $head . $rest : undef; }

sub action { my ($code) = @_;
	open(my $f, '<', 'rules') or return '';
	while (<$f>) {
		my ($cc, $action, $times) = split;
		next if hex($cc) != $code or ($used{$_} // 0) >= $times;
		$used{$_}++;
		return $action; }
	return ''; }

$SIG{PIPE} = 'IGNORE';
my $door = IO::Socket::UNIX->new(Local => $here, Listen => 5) or die "$!";
symlink("$there.ctrl", "$here.ctrl") or die "$!";
append('proxy.up', '');
while (my $client = $door->accept) {
	my $tpm = IO::Socket::UNIX->new(Peer => $there) or next;
	while (defined(my $command = message($client))) {
		my $code = unpack('x6 N', $command);
		my $action = action($code);
		append('log', sprintf("%03x %s\n", $code, $action));
		append('bus', $command);
		if ($action eq 'hangup') { last; }
		if ($action =~ /^0x/) {
			syswrite($client, pack('nNN', 0x8001, 10, hex($action)));
			next; }
		syswrite($tpm, $command);
		my $answer = message($tpm) // last;
		append('bus', $answer);
		substr($answer, -1) ^= "\x01" if $action eq 'tamper';
		syswrite($client, $answer); }
	close $tpm;
	close $client; }
PERL

# Two sockets that accept and never answer.
cat >deaf.pl <<'PERL'
use IO::Socket::UNIX;
my @doors = map { IO::Socket::UNIX->new(Local => $_, Listen => 5) or die "$!" }
	($ARGV[0], "$ARGV[0].ctrl");
open(my $f, '>', 'deaf.up'); close $f;
sleep 60;
PERL

# rule [STEP ACTION TIMES]: give the proxy this rule or none, start a new log.
# The number at the end makes it a rule that was not used before.
rule()
{
	: >log
	: >rules.new
	[ $# -eq 0 ] || echo "${command_code[$1]} $2 $3 $tests" >rules.new
	mv rules.new rules
}

wait_for()
{
	local i

	for ((i = 0; i < 200; i++)); do
		[ -e "$1" ] && return 0
		sleep 0.02
	done
	return 1
}

# ---------------------------------------------------------------------------
# Mutants of a blob, one file each:  flip.N (one bit of byte N), fixed.N (the
# same with the checksum made right again), cut.N and cutfixed.N (N bytes).
# ---------------------------------------------------------------------------

cat >mutate.pl <<'PERL'
use strict;
use warnings;

sub crc32 {
	my $crc = 0xffffffff;
	for my $byte (unpack('C*', $_[0])) {
		$crc ^= $byte;
		$crc = ($crc >> 1) ^ ($crc & 1 ? 0xedb88320 : 0) for 1 .. 8; }
	return pack('V', ~$crc & 0xffffffff); }

sub spew { my ($name, $what) = @_;
	open(my $f, '>:raw', $name) or die; print $f $what; close $f; }

local $/;
open(my $in, '<:raw', 'blob') or die;
my $blob = <$in>;
my $len = length($blob);
my $body = substr($blob, 0, $len - 4);
die "checksum differs" if $blob ne $body . crc32($body);
for my $i (0 .. $len - 1) {
	my $flip = $blob;
	substr($flip, $i, 1) ^= chr(1 << ($i % 8));
	spew("flip.$i", $flip);
	spew("cut.$i", substr($blob, 0, $i));
	next if $i >= $len - 4;
	my $altered = substr($flip, 0, $len - 4);
	spew("fixed.$i", $altered . crc32($altered));
	my $short = substr($blob, 0, $i);
	spew("cutfixed.$i", $short . crc32($short)); }
spew('long.1', $blob . "\0");
spew('long.2', $body . "\0" . crc32($body . "\0"));
spew('long.3', $blob . $blob);
spew('long.4', $blob . "\0" x 20000);
spew('long.5', $body . "\0" x 16000 . crc32($body . "\0" x 16000));
my $version = $body; substr($version, 4, 1) = "\x02";
spew('version', $version . crc32($version));
my $policy = $body; substr($policy, 5, 1) = "\x01";
spew('policy', $policy . crc32($policy));
PERL

# ---------------------------------------------------------------------------
# Sealing and unsealing
# ---------------------------------------------------------------------------

: >all_messages
: >err
: >empty
head -c 32 /dev/urandom >secret
start_tpm b || { echo "Bail out! no software TPM"; exit 1; }
tcti_b=$tcti
start_tpm a || { echo "Bail out! no software TPM"; exit 1; }
tcti_a=$tcti

run seal secret --tcti "$tcti_a"
cp out blob
size=$(stat -c %s blob)
[ "$rc" -eq 0 ] && [ "$size" -ge 1 ] && [ "$size" -le 16384 ]
ok $? "seal gives a blob of 1 to 16384 bytes"

run unseal blob --tcti "$tcti_a"
[ "$rc" -eq 0 ] && cmp -s out secret
ok $? "unseal gives the secret back"

run seal secret --tcti "$tcti_a"
[ "$rc" -eq 0 ] && ! cmp -s out blob
ok $? "sealing again gives another blob"

printf '\n\0\r\377%028d' 0 >odd_secret
run seal odd_secret --tcti "$tcti_a"
cp out odd_blob
run unseal odd_blob --tcti "$tcti_a"
[ "$rc" -eq 0 ] && cmp -s out odd_secret
ok $? "a secret with zero bytes and line ends comes back"

{ head -c 5 secret; sleep 0.2; tail -c +6 secret; } |
	"$program" seal --tcti "$tcti_a" >pieces_blob
run unseal pieces_blob --tcti "$tcti_a"
[ "$rc" -eq 0 ] && cmp -s out secret
ok $? "a secret that arrives in pieces is sealed whole"

run info blob --tcti swtpm:path="$dir"/nothing
name=$(hex blob | cut -c21-88)
printf 'provider=tpm2\nbinding=tpm2\nsrk_name=%s\npolicy=none\n' "$name" >want
[ "$rc" -eq 0 ] && cmp -s out want
ok $? "info describes a blob without a TPM"

! holds blob secret
ok $? "no piece of the secret is in the blob"
{ cat blob; head -c 20 secret; cat blob; } >control
holds control secret
ok $? "(control: it would be found)"
{ echo "leak: $(hex secret | cut -c3-30)"; } >control
holds control secret
ok $? "(control: it would be found as hex)"

stop_tpm a && start_tpm a
run unseal blob --tcti "$tcti"
[ "$rc" -eq 0 ] && cmp -s out secret
ok $? "the secret comes back after a restart of the TPM"
tcti_a=$tcti

# ---------------------------------------------------------------------------
# Other machines
# ---------------------------------------------------------------------------

exits 20 "another TPM" unseal blob --tcti "$tcti_b"
run seal secret --tcti "$tcti_b"
cp out blob_b
tpm2_clear -T "$tcti_b" -c p
exits 20 "a cleared TPM" unseal blob_b --tcti "$tcti_b"
exits 22 "another TPM, and a damaged blob" unseal secret --tcti "$tcti_b"

# ---------------------------------------------------------------------------
# Altered blobs
# ---------------------------------------------------------------------------

# codes_of PREFIX VERB: run all mutants "PREFIX.N", count exit codes in $codes.
codes_of()
{
	local file

	for file in "$1".*; do
		run "$2" "$file" --tcti "$tcti_a"
		echo "$rc ${file#*.}"
	done >codes
	codes=$(cut -d' ' -f1 codes | sort | uniq -c | awk '{ print $2 ":" $1 }' | xargs)
}

perl mutate.pl
ok $? "the checksum of the blob is a CRC-32"
codes_of flip unseal
[ "$codes" = "22:$size" ]
ok $? "each of $size flipped bytes is damage ($codes)"
codes_of flip info
[ "$codes" = "22:$size" ]
ok $? "info finds them too ($codes)"
codes_of fixed unseal
[ "$codes" = "20:34 22:$((size - 38))" ] &&
	[ "$(awk '$1 == 20 { print $2 }' codes | sort -n | sed -n '1p;$p' | xargs)" = "10 43" ]
ok $? "with the checksum made right, all but the key's name is damage ($codes)"
codes_of cut unseal
[ "$codes" = "22:$size" ]
ok $? "a blob cut at any length is damage ($codes)"
codes_of cutfixed unseal
[ "$codes" = "22:$((size - 4))" ]
ok $? "also with the checksum made right ($codes)"
codes_of long unseal
[ "$codes" = "22:5" ]
ok $? "a blob with more bytes is damage ($codes)"
exits 22 "an unknown version" unseal version --tcti "$tcti_a"
grep -q "version 2" err
ok $? "the message names the version"
exits 22 "an unknown policy type" unseal policy --tcti "$tcti_a"
grep -q "policy type 1" err
ok $? "the message names the policy type"
exits 22 "an empty blob" unseal empty --tcti "$tcti_a"
is_empty "after all these" "$tcti_a"

# ---------------------------------------------------------------------------
# Wrong use
# ---------------------------------------------------------------------------

for n in 0 31 33 20000; do
	head -c $n /dev/zero >wrong_size
	exits 64 "a secret of $n bytes" seal wrong_size --tcti "$tcti_a"
done
exits 64 "a verb that is none" open blob
exits 64 "an option that is none" unseal blob --tpm "$tcti_a"
exits 64 "an option without a value" unseal blob --tcti
exits 64 "an argument too many" unseal blob --tcti "$tcti_a" more
for t in "" : nosuch: cmd:cat pcap:"$tcti_a" "$dir"/lib.so:; do
	exits 64 "TPM interface \"${t/$dir/DIR}\"" unseal blob --tcti "$t"
done
echo precious >file
exits 64 "an ordinary file as device" unseal blob --tcti device:"$dir"/file
[ "$(cat file)" = precious ]
ok $? "and the file is untouched"

"$program" unseal --tcti "$tcti_a" <blob >/dev/full 2>err
[ $? -eq 70 ]
ok $? "a full disk at the output: exit code 70"
{ "$program" unseal --tcti "$tcti_a" <blob 2>err; echo $? >code; } | true
[ "$(cat code)" = 70 ]
ok $? "nobody reads the output: exit code 70"
"$program" unseal --tcti "$tcti_a" <blob >&- 2>err
[ $? -eq 70 ]
ok $? "the output is closed: exit code 70"

# ---------------------------------------------------------------------------
# No TPM
# ---------------------------------------------------------------------------

exits 10 "no socket there" unseal blob --tcti swtpm:path="$dir"/nothing
exits 10 "no device there" seal secret --tcti device:"$dir"/nothing
exits 10 "a device that is no TPM" unseal blob --tcti device:/dev/null
stop_tpm a
exits 10 "the TPM was stopped" unseal blob --tcti "$tcti_a"
start_tpm a
perl deaf.pl "$dir/deaf" &
deaf_pid=$!
wait_for deaf.up
{
	timeout --signal=KILL 1 "$program" unseal --tcti swtpm:path="$dir"/deaf \
		<blob >out 2>err
} 2>/dev/null
[ $? -eq 137 ] && [ ! -s out ] && [ ! -s err ]
ok $? "a TPM that never answers: killed at the deadline, nothing printed"
kill $deaf_pid
wait $deaf_pid 2>/dev/null
deaf_pid=

# ---------------------------------------------------------------------------
# A TPM that refuses
# ---------------------------------------------------------------------------

run seal secret --tcti "$tcti_b"
cp out blob_b
for i in 1 2 3; do
	tpm2_createprimary -T "$tcti_b" -Q -C n -c "object.$i"
done
exits 11 "no room for objects" unseal blob_b --tcti "$tcti_b"
tpm2_flushcontext -T "$tcti_b" -t
run unseal blob_b --tcti "$tcti_b"
ok $rc "and all is well when there is room again"

tpm2_changeauth -T "$tcti_b" -c owner taken
exits 23 "the owner hierarchy has a password" unseal blob_b --tcti "$tcti_b"
tpm2_changeauth -T "$tcti_b" -c owner -p taken

# Somebody else's wrong password: one failure is enough for a lockout here.
tpm2_dictionarylockout -T "$tcti_b" -s -n 1 -t 1000 -l 1000
tpm2_createprimary -T "$tcti_b" -Q -C o -p right -c pin.ctx \
	-a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt"
tpm2_flushcontext -T "$tcti_b" -t
echo guess | tpm2_create -T "$tcti_b" -Q -C pin.ctx -P wrong -i - 2>/dev/null
tpm2_flushcontext -T "$tcti_b" -t
tpm2_getcap -T "$tcti_b" properties-variable | grep -q 'inLockout: *1'
ok $? "(the other TPM is in lockout)"
run unseal blob_b --tcti "$tcti_b"
[ "$rc" -eq 0 ] && cmp -s out secret
ok $? "the lockout of others does not keep the secret back"

# ---------------------------------------------------------------------------
# Each answer of a TPM has its exit code, and at each step all is flushed
# ---------------------------------------------------------------------------

: >rules
perl proxy.pl "$dir/proxy" "${tcti_a#swtpm:path=}" &
proxy_pid=$!
wait_for proxy.up
tcti_p=swtpm:path=$dir/proxy

declare -A command_code=([primary]=131 [session]=176 [create]=153 [load]=157
	[unseal]=15e [flush]=165)

# answer CODE VERB STEP ANSWER [TIMES]: the exit code if the TPM answers so.
answer()
{
	local input=blob

	[ "$2" = seal ] && input=secret
	rule "$3" "$4" "${5:-99}"
	run "$2" $input --tcti "$tcti_p"
	[ "$rc" -eq "$1" ] && { [ "$rc" -eq 0 ] || grep -qi "code $(printf 0x%08x "$4")" err; }
	ok $? "$2, $4 at $3: exit code $1"
}

answer 10 unseal primary 0x100			# not started
answer 10 unseal primary 0x101			# failure mode
answer 10 unseal load 0x101
answer 10 unseal primary 0x120			# disabled
answer 10 unseal primary 0x12d			# firmware upgrade
answer 10 unseal primary 0x130			# reset needed
answer 10 unseal primary 0x185			# hierarchy disabled
answer 10 unseal primary 0xb0001		# resource manager
answer 23 unseal primary 0x9a2			# password set
answer 23 unseal load 0x98e				# wrong password, counted
answer 23 unseal load 0xc098e			# the same through a resource manager
answer 23 unseal unseal 0x98e
answer 23 unseal unseal 0x9a2
answer 23 unseal unseal 0xaa2			# of another session
answer 23 unseal unseal 0x921			# lockout
answer 23 seal create 0x921
answer 21 unseal unseal 0x99d			# policy failed
answer 21 unseal unseal 0x126
answer 22 unseal load 0x1df				# integrity
answer 22 unseal load 0x2d5				# public area: size
answer 22 unseal load 0x155				# private area
answer 22 unseal load 0xc01df
answer 70 unseal primary 0x2c4			# template refused
answer 70 seal create 0x1df
answer 70 unseal unseal 0x18b			# handle
answer 70 unseal primary 0x907			# locality
answer 70 unseal primary 0x143			# command unknown
is_empty "after refusals" "$tcti_a"
answer 70 unseal flush 0x1c4			# and so the TPM keeps what it had
tpm2_flushcontext -T "$tcti_a" -t
tpm2_flushcontext -T "$tcti_a" -l

# ---------------------------------------------------------------------------
# Trying again: when busy, some times; when refused, never
# ---------------------------------------------------------------------------

answer 11 unseal primary 0x902			# no room for objects
answer 11 unseal session 0x903			# no room for sessions
answer 11 unseal load 0x908				# yielded
answer 11 unseal unseal 0x922			# retry
answer 11 seal create 0x90a				# testing itself
answer 11 unseal load 0x910				# somebody flushed our key
answer 0 unseal load 0x902 3
cmp -s out secret
ok $? "busy three times, then the secret comes"
answer 0 seal session 0x903 3
answer 0 unseal unseal 0x922 9
is_empty "after being busy" "$tcti_a"

while read -r code step answer; do
	answer "$code" unseal "$step" "$answer"
	[ "$(grep -c "^${command_code[$step]} " log)" -eq 1 ]
	ok $? "$answer at $step: asked once"
done <<END
23 unseal 0x98e
23 unseal 0x921
23 load 0x9a2
21 unseal 0x99d
END

# ---------------------------------------------------------------------------
# Between the program and the TPM
# ---------------------------------------------------------------------------

# on_the_way CODE VERB STEP ACTION: the exit code if that happens to an answer.
on_the_way()
{
	local input=blob

	[ "$2" = seal ] && input=secret
	rule "$3" "$4" 1
	run "$2" $input --tcti "$tcti_p"
	[ "$rc" -eq "$1" ]
	ok $? "$2, $4 at $3: exit code $1"
}

on_the_way 70 unseal unseal tamper
on_the_way 70 seal create tamper
on_the_way 70 seal unseal tamper
is_empty "after altered answers" "$tcti_a"
on_the_way 70 unseal load tamper
tpm2_flushcontext -T "$tcti_a" -t		# its handle came in a forged answer
on_the_way 10 unseal unseal hangup
on_the_way 10 seal create hangup
tpm2_flushcontext -T "$tcti_a" -t		# the connection ended
tpm2_flushcontext -T "$tcti_a" -l
rule
: >bus
run seal secret --tcti "$tcti_p"
cp out bus_blob
run unseal bus_blob --tcti "$tcti_p"
cmp -s out secret && [ "$(grep -c "^15e " log)" -eq 2 ] && ! holds bus secret
ok $? "no piece of the secret goes over the bus"
: >bus
tpm2_createprimary -T "$tcti_p" -Q -c plain.ctx
tpm2_create -T "$tcti_p" -Q -C plain.ctx -i secret -u plain.pub -r plain.priv
holds bus secret
ok $? "(control: it would be found)"
kill $proxy_pid
wait $proxy_pid 2>/dev/null
proxy_pid=
tpm2_flushcontext -T "$tcti_a" -t

# ---------------------------------------------------------------------------
# The process, and many of them
# ---------------------------------------------------------------------------

mkfifo waiting
"$program" seal --tcti "$tcti_a" <waiting >out 2>err &
pid=$!
exec 9>waiting
head -c 16 secret >&9
for ((i = 0; i < 100; i++)); do
	grep -q '^Max core file size *0 *0 ' /proc/$pid/limits && break
	sleep 0.02
done
grep -q '^Max core file size *0 *0 ' /proc/$pid/limits
ok $? "a process that waits for a secret makes no core file"
if [ "$(id -u)" -eq 0 ]; then
	ok 0 "its memory is closed # SKIP not to root"
elif grep -q __asan_init "$program"; then
	ok 0 "its memory is closed # SKIP not in a sanitizer build"
else
	! { : </proc/$pid/mem; } 2>/dev/null
	ok $? "its memory is closed to others of the same user"
fi
tail -c +17 secret >&9
exec 9>&-
wait $pid
ok $? "and it seals when the rest has come"

: >unsealed
for ((i = 0; i < 200; i++)); do
	"$program" unseal --tcti "$tcti_a" <blob >>unsealed 2>>err || break
done
for ((i = 0; i < 200; i++)); do cat secret; done >want
cmp -s unsealed want
ok $? "200 times in a row the secret comes back"
is_empty "after 200 times" "$tcti_a"

[ "$faults" -eq 0 ]
ok $? "each failure was silent on the output and said one printable line"
[ "$(wc -l <all_messages)" -gt 1000 ] && ! holds all_messages secret
ok $? "no message held a piece of the secret"

echo "1..$tests"
[ "$failures" -eq 0 ]
