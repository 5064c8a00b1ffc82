#!/bin/bash
#
# tpm2_policy.sh
#	  PCRs and PINs with the key provider tpm2, run against software TPMs.
#
# Goal of this test:
# - A secret sealed to PCRs comes back while they hold what they held; after
#   that the message names those that changed.
# - A secret sealed with a PIN comes back with it.  A wrong PIN is tried once,
#   and never is the TPM locked by us.
# - The policy is the only way to such a secret: no password opens it.
# - No PIN is in a blob, on the bus, or in a message.
#
# Usage: tpm2_policy.sh [PROGRAM]
#
# Prints TAP.  Needs no privileges.
#
# test/unit/tpm2_policy.sh

program=$(realpath "${1:-${TC_PROVIDERS:?}/themis-keyprov-tpm2}")
. "$(dirname "$0")/../lib/tpm2"

umask 077
printf 'correct horse' >pin
printf 'wrong' >wrong_pin
new_tpm a
tcti_a=$tcti

# extend PCR...: measure something into each.
extend()
{
	local pcr

	for pcr in "$@"; do
		head -c 32 /dev/urandom >event
		tpm2_pcrextend -T "$tcti_a" "$pcr:sha256=$(hex event)"
	done
}

# failed: how many failed authorizations the TPM has counted.
failed()
{
	property "$tcti_a" TPM2_PT_LOCKOUT_COUNTER
}

# unchanged NUMBER: test that none was added.
unchanged()
{
	[ "$(failed)" -eq "$1" ]
	ok $? "the TPM has counted no failure ($1 before, $(failed) after)"
}

# describes POLICY BLOB: test what info says of the policy.
describes()
{
	run info "$2"
	[ "$rc" -eq 0 ] && grep -qxF "policy=$1" out
	ok $? "info says policy=$1"
}

# ---------------------------------------------------------------------------
# PCRs
# ---------------------------------------------------------------------------

exits 21 "PCRs that are all zeros" seal secret --tcti "$tcti_a" --pcrs 0,7
says 'nothing has been measured into PCR 0,7 of the bank sha256'
exits 21 "PCRs that are all ones" seal secret --tcti "$tcti_a" --pcrs 17,18
extend 7
seals "one with a measurement is enough" zero_and_7 --tcti "$tcti_a" --pcrs 0,7
extend 0 2 4
seals "sealed to PCRs" blob --tcti "$tcti_a" --pcrs 7,0,2
describes "pcr sha256:0,2,7" blob
opens "a secret sealed to PCRs comes back" blob --tcti "$tcti_a"
! holds blob secret
ok $? "no piece of the secret is in the blob"
extend 4
opens "another PCR does not matter" blob --tcti "$tcti_a"
exits 21 "a PCR has changed" unseal zero_and_7 --tcti "$tcti_a"
says 'PCR 0 has changed since the secret was sealed'
extend 7 2
exits 21 "two PCRs have changed" unseal blob --tcti "$tcti_a"
says 'PCR 2,7 have changed since the secret was sealed'

all=$(seq -s, 0 23)
seals "sealed to all PCRs, more than a TPM gives at a time" all_pcrs --tcti "$tcti_a" --pcrs "$all"
describes "pcr sha256:$all" all_pcrs
opens "and opened" all_pcrs --tcti "$tcti_a"
extend 23
exits 21 "the last of them has changed" unseal all_pcrs --tcti "$tcti_a"
says 'PCR 23 has changed'

for list in "" , 24 7, ,7 7,7 -1 7.0 "7 8" 0x7 007 sha1:7 99999999999; do
	exits 64 "PCRs \"$list\"" seal secret --tcti "$tcti_a" --pcrs "$list"
done
exits 64 "PCRs with unseal" unseal blob --tcti "$tcti_a" --pcrs 7
exits 64 "PCRs twice" seal secret --tcti "$tcti_a" --pcrs 7 --pcrs 0

# The policy keeps others out, not the comparison before: a blob that claims
# the values of today is refused by the TPM.
seals "sealed again" blob --tcti "$tcti_a" --pcrs 0,7
extend 7
tpm2_pcrread -T "$tcti_a" -Q -o value sha256:7
head -c -36 blob | cat - value | with_crc >forged
exits 21 "a blob that claims the values of today" unseal forged --tcti "$tcti_a"
says 'the policy of the sealed object is not satisfied'
seals "sealed again" blob --tcti "$tcti_a" --pcrs 0,7

# PCRs that change while we are at it.
start_proxy "$tcti_a"
cat >hook <<END
#!/bin/bash
tpm2_pcrextend -T "$tcti_a" \$(cat pcr):sha256=$(hex secret | tr '[0-9a-f]' '[1-9a-f0]')
END
chmod +x hook
echo 5 >pcr
for step in load policy_pcr unseal; do
	rule $step hook 1
	opens "another PCR changes before $step: tried again" blob --tcti "$tcti_p"
done
rule unseal hook 99
exits 11 "PCRs that change for ever" unseal blob --tcti "$tcti_p"
says 'the PCRs of the TPM are changing'
[ "$(asked unseal)" -le 8 ]
ok $? "Unseal was asked for $(asked unseal) times"
echo 7 >pcr
rule unseal hook 1
exits 21 "our PCR changes before unseal" unseal blob --tcti "$tcti_p"
says 'PCR 7 has changed'
rule policy_pcr hook 1
exits 21 "our PCR changes while it is sealed to" seal secret --tcti "$tcti_p" --pcrs 0,7
says 'PCR 7 has changed'
stop_proxy
is_empty "after all these" "$tcti_a"

new_tpm b
tpm2_pcrallocate -T "$tcti" -Q sha1:all+sha256:none
tpm2_shutdown -T "$tcti" -c
stop_tpm b
start_tpm b
exits 21 "a TPM whose bank sha256 is switched off" seal secret --tcti "$tcti" --pcrs 0,7
says 'the TPM has no PCR 0,7 in the bank sha256'
stop_tpm b

# ---------------------------------------------------------------------------
# PINs, and where they come from
# ---------------------------------------------------------------------------

seals "sealed with a PIN" with_pin --tcti "$tcti_a" --pin-file pin
describes pin with_pin
opens "the PIN opens it" with_pin --tcti "$tcti_a" --pin-file pin
{ cat pin; echo; } >pin_line
opens "also with a line end in the file" with_pin --tcti "$tcti_a" --pin-file pin_line
cat pin_line with_pin >pin_and_blob
opens "also from standard input" pin_and_blob --tcti "$tcti_a" --pin-stdin
cat pin_line secret >pin_and_secret
run seal pin_and_secret --tcti "$tcti_a" --pin-stdin --pcrs 0,7
cp out with_both
ok "$rc" "sealed with a PIN from standard input, and to PCRs"
describes "pcr sha256:0,7 + pin" with_both
cp out want
run info with_both --tcti swtpm:path=nothing --pin-stdin --pcrs 7
[ "$rc" -eq 0 ] && cmp -s out want
ok $? "info has no use for the options of the others"
opens "PCRs and PIN open it" with_both --tcti "$tcti_a" --pin-file pin
! holds with_pin secret && ! holds with_both pin
ok $? "neither the secret nor the PIN is in a blob"
seals "sealed without a PIN" no_pin --tcti "$tcti_a"
opens "no PIN file is looked for if the blob needs none" no_pin --tcti "$tcti_a" --pin-file nowhere

exits 23 "no PIN" unseal with_pin --tcti "$tcti_a"
says 'protected by a PIN, and none was given'
exits 64 "two PINs" unseal with_pin --tcti "$tcti_a" --pin-file pin --pin-stdin

ln -s pin link
mkfifo pipe
mkdir folder
cp pin open_to_group; chmod 640 open_to_group
cp pin open_to_all; chmod 604 open_to_all
for file in link:'symbolic link' pipe:'regular file' folder:'regular file' \
	open_to_group:'accessible to others' open_to_all:'accessible to others' \
	nowhere:'No such file' /dev/null:'regular file'; do
	exits 23 "PIN file ${file%:*}" unseal with_pin --tcti "$tcti_a" --pin-file "${file%:*}"
	says "${file#*:}"
done
if [ "$(id -u)" -eq 0 ]; then
	cp pin of_another
	chown nobody of_another
	exits 23 "PIN file of another user" unseal with_pin --tcti "$tcti_a" --pin-file of_another
else
	ok 0 "PIN file of another user # SKIP only root can make one"
fi

# pin_of NAME BYTES CODE: seal with a PIN, from a file and from standard input.
pin_of()
{
	printf "%b" "$2" >some_pin
	exits "$3" "a PIN $1 in a file" seal secret --tcti "$tcti_a" --pin-file some_pin
	{ printf "%b\n" "$2"; cat secret; } >pin_and_secret
	exits "$3" "a PIN $1 in a line" seal pin_and_secret --tcti "$tcti_a" --pin-stdin
}

pin_of "of 4 bytes" 1234 0
pin_of "of 32 bytes" 12345678901234567890123456789012 0
pin_of "of 3 bytes" 123 64
pin_of "of 33 bytes" 123456789012345678901234567890123 64
pin_of "that is empty" '' 64
pin_of "with a byte that is zero" '12345\0' 64
pin_of "with the line end of another system" '12345\r' 64
pin_of "outside ASCII" 'k\303\266nig' 0
printf '1234\n5678\n' >some_pin
exits 64 "a PIN of two lines" seal secret --tcti "$tcti_a" --pin-file some_pin
exits 64 "no line in the input" unseal pin --tcti "$tcti_a" --pin-stdin
printf 'correct horse\n' >some_pin
cat some_pin - <<<"123" >pin_and_secret
exits 64 "a PIN, and a secret of 4 bytes" seal pin_and_secret --tcti "$tcti_a" --pin-stdin
{ cat some_pin; cat secret secret; } >pin_and_secret
exits 64 "a PIN, and a secret of 64 bytes" seal pin_and_secret --tcti "$tcti_a" --pin-stdin

# Flip each byte of a blob with all there is.
size=$(stat -c %s with_both)
perl -e 'local $/; open(my $in, "<:raw", "with_both") or die; my $blob = <$in>;
	for my $i (0 .. length($blob) - 1) { my $flip = $blob;
		substr($flip, $i, 1) ^= chr(1 << ($i % 8));
		open(my $f, ">:raw", "flip.$i") or die; print $f $flip; close $f; }'
for ((i = 0; i < size; i++)); do
	run unseal flip.$i --tcti "$tcti_a" --pin-file pin
	[ "$rc" -eq 22 ] || break
done
[ "$i" -eq "$size" ]
ok $? "each of $size flipped bytes of a blob with PCRs and PIN is damage"

# ---------------------------------------------------------------------------
# The TPM is never locked
# ---------------------------------------------------------------------------

max=$(property "$tcti_a" TPM2_PT_MAX_AUTH_FAIL)
[ "$max" -eq 3 ] && [ "$(failed)" -eq 0 ]
ok $? "(this TPM locks at $max failures, and counts none so far)"
start_proxy "$tcti_a"
rule
exits 23 "a wrong PIN" unseal with_pin --tcti "$tcti_p" --pin-file wrong_pin
says 'the PIN is wrong'
[ "$(failed)" -eq 1 ] && [ "$(asked unseal)" -eq 1 ]
ok $? "it was tried once, and counted"
exits 23 "a wrong PIN, and PCRs" unseal with_both --tcti "$tcti_a" --pin-file wrong_pin
[ "$(failed)" -eq 2 ]
ok $? "it was counted"
rule
for file in wrong_pin pin; do
	exits 23 "one failure before the TPM locks" unseal with_pin --tcti "$tcti_p" --pin-file $file
	says 'the PIN was not tried: the TPM has counted 2 failed authorizations, and 3 lock it'
done
exits 23 "nor is a PIN tried to seal" seal secret --tcti "$tcti_a" --pin-file pin
unchanged 2
[ "$(asked load)" -eq 0 ]
ok $? "nothing was loaded"
extend 7
exits 21 "a PCR has changed, too" unseal with_both --tcti "$tcti_a" --pin-file pin
says 'PCR 7 has changed'
seals "sealing without a PIN goes on" blob --tcti "$tcti_a" --pcrs 0,7
opens "as does unsealing" blob --tcti "$tcti_a"
tpm2_dictionarylockout -T "$tcti_a" -c
opens "when the failures are forgotten the PIN opens it" with_pin --tcti "$tcti_a" --pin-file pin
unchanged 0

extend 7
exits 21 "a PCR has changed, and the PIN is wrong" unseal with_both --tcti "$tcti_a" --pin-file wrong_pin
unchanged 0
for i in 0x98e 0x9a2; do
	rule unseal $i 99
	exits 23 "$i at unseal" unseal with_pin --tcti "$tcti_p" --pin-file pin
	says 'the PIN is wrong'
	[ "$(asked unseal)" -eq 1 ]
	ok $? "it was tried once"
done
for i in hangup late; do
	rule unseal $i 1
	exits 23 "the connection is lost ($i) when the PIN was sent" unseal with_pin \
		--tcti "$tcti_p" --pin-file pin
	[ "$(asked unseal)" -eq 1 ]
	ok $? "it was tried once"
	flush_all "$tcti_a"
done
for i in 0x922:9 0x920:2 0x902:3 0x910:1; do
	rule unseal ${i%:*} ${i#*:}
	opens "${i%:*} at unseal, before the PIN was looked at" with_pin \
		--tcti "$tcti_p" --pin-file pin
done
unchanged 0

# What is locked by others.
seals "sealed again" blob --tcti "$tcti_a" --pcrs 0,7
tpm2_dictionarylockout -T "$tcti_a" -s -n 1 -t 1000 -l 1000
exits 23 "a TPM that locks at the first failure" unseal with_pin --tcti "$tcti_a" --pin-file pin
tpm2_createprimary -T "$tcti_a" -Q -C o -p right -c other.ctx \
	-a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt"
tpm2_flushcontext -T "$tcti_a" -t
echo guess | tpm2_create -T "$tcti_a" -Q -C other.ctx -P wrong -i - 2>/dev/null
tpm2_flushcontext -T "$tcti_a" -t
tpm2_getcap -T "$tcti_a" properties-variable | grep -q 'inLockout: *1'
ok $? "(the TPM is in lockout)"
rule
exits 23 "a PIN, in lockout" unseal with_pin --tcti "$tcti_p" --pin-file pin
[ "$(asked unseal)" -eq 0 ]
ok $? "it was not tried"
opens "PCRs alone do not care" blob --tcti "$tcti_a"
tpm2_dictionarylockout -T "$tcti_a" -c
tpm2_dictionarylockout -T "$tcti_a" -s -n 3 -t 1000 -l 1000
is_empty "after all these" "$tcti_a"

# ---------------------------------------------------------------------------
# The policy is the only way
# ---------------------------------------------------------------------------

# load BLOB: load its object as anybody could who has it, as object.ctx.
load()
{
	parts "$1" sealed
	same_srk "$tcti_a"
	tpm2_load -T "$tcti_a" -Q -C srk.ctx -u sealed.pub -r sealed.priv -c object.ctx
	tpm2_flushcontext -T "$tcti_a" -t
	tpm2_readpublic -T "$tcti_a" -c object.ctx >public
	tpm2_flushcontext -T "$tcti_a" -t
}

# with_password NAME [OPTION...]: test that a password does not open it.
with_password()
{
	local name=$1

	shift
	: >got
	tpm2_unseal -T "$tcti_a" -c object.ctx -o got "$@" 2>tool_err
	[ $? -ne 0 ] && [ ! -s got ] && grep -q '0x12F' tool_err
	ok $? "$name does not open the object: $(sed -n 's/.*(\(0x[0-9A-F]*\)).*/\1/p' tool_err | head -n 1)"
	flush_all "$tcti_a"
}

# with_policy COMMAND...: open the object with a policy session made so.
with_policy()
{
	local command

	tpm2_startauthsession -T "$tcti_a" -S session.ctx --policy-session
	for command in "$@"; do
		$command -T "$tcti_a" -Q -S session.ctx
	done
	: >got
	tpm2_unseal -T "$tcti_a" -c object.ctx -o got -p session:session.ctx 2>tool_err
	flush_all "$tcti_a"
	cmp -s got secret
}

pcr_policy='tpm2_policypcr -l sha256:0,7'
seals "sealed without a policy" no_policy --tcti "$tcti_a"
seals "sealed to PCRs" blob --tcti "$tcti_a" --pcrs 0,7
seals "sealed with PCRs and PIN" with_both --tcti "$tcti_a" --pcrs 0,7 --pin-file pin

load no_policy
tpm2_unseal -T "$tcti_a" -c object.ctx -o got
cmp -s got secret
ok $? "(control: without a policy the empty password opens the object)"
flush_all "$tcti_a"
load blob
grep -q 'value: fixedtpm|fixedparent|adminwithpolicy|noda$' public
ok $? "attributes with PCRs: $(sed -n 's/.*value: \(.*|.*\)/\1/p' public)"
with_password "PCRs: the empty password"
with_password "PCRs: a password" -p "correct horse"
with_policy "$pcr_policy"
ok $? "(control: the policy opens it)"
! with_policy tpm2_policypassword && [ ! -s got ]
ok $? "another policy does not"
load with_pin
grep -q 'value: fixedtpm|fixedparent|adminwithpolicy$' public
ok $? "attributes with a PIN: $(sed -n 's/.*value: \(.*|.*\)/\1/p' public)"
with_password "PIN: the empty password"
with_password "PIN: the PIN as a password" -p "correct horse"
load with_both
grep -q 'value: fixedtpm|fixedparent|adminwithpolicy$' public
ok $? "attributes with both: $(sed -n 's/.*value: \(.*|.*\)/\1/p' public)"
with_password "both: the PIN as a password" -p "correct horse"
! with_policy "$pcr_policy" && [ ! -s got ]
ok $? "the PCRs alone do not open it"
unchanged 0

# ---------------------------------------------------------------------------
# On the bus
# ---------------------------------------------------------------------------

: >bus
rule
seals "sealed, and listened to" with_both --tcti "$tcti_p" --pcrs 0,7 --pin-file pin
opens "opened, and listened to" with_both --tcti "$tcti_p" --pin-file pin
[ "$(asked unseal)" -eq 2 ] && [ "$(asked create)" -eq 1 ]
ok $? "(all of it was heard: $(stat -c %s bus) bytes)"
! holds bus secret && ! holds bus pin
ok $? "neither the secret nor the PIN goes over the bus"
load no_policy
: >bus
tpm2_unseal -T "$tcti_p" -c object.ctx -o got
holds bus secret
ok $? "(control: an Unseal without encryption would be found)"
flush_all "$tcti_a"
same_srk "$tcti_a"
: >bus
tpm2_create -T "$tcti_p" -Q -C srk.ctx -i secret -p "$(cat pin)" -u plain.pub -r plain.priv
holds bus pin
ok $? "(control: so would a PIN)"
flush_all "$tcti_a"
stop_proxy

# A power cut when a PIN was used since the start counts as a failure: nobody
# shall find a way around the counter with the mains switch.
before=$(failed)
opens "the PIN is used" with_pin --tcti "$tcti_a" --pin-file pin
stop_tpm a
start_tpm a
[ "$(failed)" -eq $((before + 1)) ]
ok $? "a power cut after that counts as a failure"
opens "and the PIN opens it after a restart" with_pin --tcti "$tcti_a" --pin-file pin
is_empty "at the end" "$tcti_a"

! holds all_messages pin
ok $? "no message held a piece of the PIN"
finished
