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
# PCRs and PINs are in tpm2_policy.sh, what a TPM can do to us in tpm2_faults.sh.
#
# Usage: tpm2_provider.sh PROGRAM
#
# Prints TAP.  Needs no privileges.
#
# test/unit/tpm2_provider.sh

program=$(realpath "${1:?usage: tpm2_provider.sh PROGRAM}")
. "$(dirname "$0")/../lib/tpm2"

# Two sockets that accept and never answer.
cat >deaf.pl <<'PERL'
use IO::Socket::UNIX;
my @doors = map { IO::Socket::UNIX->new(Local => $_, Listen => 5) or die "$!" }
	($ARGV[0], "$ARGV[0].ctrl");
open(my $f, '>', 'deaf.up'); close $f;
sleep 60;
PERL

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
my $policy = $body; substr($policy, 5, 1) = "\x04";
spew('policy', $policy . crc32($policy));
for my $kind (0 .. 2) {
	my $of_kind = $body; substr($of_kind, 6, 1) = chr($kind);
	spew("kind.$kind", $of_kind . crc32($of_kind)); }
PERL

# ---------------------------------------------------------------------------
# Sealing and unsealing
# ---------------------------------------------------------------------------

new_tpm b
tcti_b=$tcti
new_tpm a
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
printf 'provider=tpm2\nbinding=software\nsrk_name=%s\npolicy=none\n' "$name" >want
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
grep -q "policy type 4" err
ok $? "the message names the policy type"
exits 22 "an empty blob" unseal empty --tcti "$tcti_a"
for kind in 0:software 1:tpm2 2:software; do
	run info kind.${kind%:*}
	grep -qx "binding=${kind#*:}" out
	ok $? "kind of TPM ${kind%:*} is binding ${kind#*:}"
done
cmp -s kind.2 blob
ok $? "a software TPM is recorded as such"
opens "a blob of before that record is opened" kind.0 --tcti "$tcti_a"
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

start_proxy "$tcti_a"

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
stop_proxy
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

finished
