#!/bin/bash
#
# tpm2_faults.sh
#	  What a TPM can do to the key provider tpm2, and what others leave in it.
#
# Goal of this test:
# - Slots that others left occupied are freed where nobody else uses the TPM.
# - A TPM that asks for patience gets it, within bounds.
# - What a TPM loses is loaded again, once.
# - An object that does not hold 32 bytes, and an answer that no TPM gave, are
#   refused.
#
# Usage: tpm2_faults.sh [PROGRAM]
#
# Prints TAP.  Needs no privileges.
#
# test/unit/tpm2_faults.sh

program=$(realpath "${1:-${TC_PROVIDERS:?}/themis-keyprov-tpm2}")
. "$(dirname "$0")/../lib/tpm2"

umask 077
printf 'correct horse' >pin
new_tpm a
tcti_a=$tcti
tpm2_pcrextend -T "$tcti_a" 7:sha256="$(hex secret | tr '[0-9a-f]' '[1-9a-f0]')"
seals "a blob without a policy" blob --tcti "$tcti_a"
seals "a blob with all there is" full --tcti "$tcti_a" --pcrs 7 --pin-file pin

# leave_objects N, leave_sessions N: leave so many behind.
leave_objects()
{
	local i

	for ((i = 0; i < $1; i++)); do
		tpm2_createprimary -T "$tcti_a" -Q -C n -c "left.$i"
	done
}

leave_sessions()
{
	local i

	# StartAuthSession: no key, no bind, 16 bytes of nonce, HMAC, SHA-256
	perl -e 'print pack("nNN NN n/a* n C n n", 0x8001, 43, 0x176,
		0x40000007, 0x40000007, "n" x 16, 0, 0, 0x10, 0x0b)' >start_session
	for ((i = 0; i < $1; i++)); do
		tpm2_send -T "$tcti_a" -o /dev/null start_session
	done
}

# count KIND: how many handles of a kind there are.
count()
{
	tpm2_getcap -T "$tcti_a" "handles-$1" | grep -c 0x
}

# ---------------------------------------------------------------------------
# What others left in the TPM
# ---------------------------------------------------------------------------

tpm2_startauthsession -T "$tcti_a" -S saved.ctx --policy-session
leave_objects 3
leave_sessions 3
[ "$(count transient) $(count loaded-session) $(count saved-session)" = "3 3 1" ]
ok $? "(all slots of the TPM are occupied, and one session is saved)"
opens "all slots occupied: freed, and opened" full --tcti "$tcti_a" --pin-file pin
[ "$(count transient) $(count loaded-session)" = "0 0" ]
ok $? "nothing is left in the TPM"
tpm2_policypcr -T "$tcti_a" -Q -S saved.ctx -l sha256:7
ok $? "the session that was saved is still there"
flush_all "$tcti_a"

leave_objects 3
opens "no room for objects" blob --tcti "$tcti_a"
leave_sessions 3
opens "no room for sessions" blob --tcti "$tcti_a"
leave_objects 2
leave_sessions 2
seals "no room to seal" again --tcti "$tcti_a" --pcrs 7 --pin-file pin
is_empty "after that" "$tcti_a"
leave_objects 1
leave_sessions 1
opens "room enough" blob --tcti "$tcti_a"
[ "$(count transient) $(count loaded-session)" = "1 1" ]
ok $? "then what others left is not touched"
flush_all "$tcti_a"

start_proxy "$tcti_a"
for i in 1 2 3 4 5; do
	rule unseal stall 1
	{
		timeout --signal=KILL 0.5 "$program" unseal --tcti "$tcti_p" <blob >out 2>err
	} 2>/dev/null
	[ $? -eq 137 ] && [ ! -s out ] && [ ! -s err ] && [ "$(asked unseal)" -eq 1 ]
	ok $? "$i: killed while it waits for the secret"
done
opens "and a run after that finds room" full --tcti "$tcti_a" --pin-file pin
flush_all "$tcti_a"

# ---------------------------------------------------------------------------
# Patience
# ---------------------------------------------------------------------------

# A TPM that answers so a few times, at each step.  The library itself sends a
# command again up to five times at RETRY, TESTING and YIELDED.
for step in primary properties session load unseal policy_pcr policy_auth pcr_read; do
	rule $step 0x922 8
	opens "$step: RETRY for a while" full --tcti "$tcti_p" --pin-file pin
done
for code in 0x90a:7 0x908:7 0x920:2; do
	rule load ${code%:*} ${code#*:}
	opens "load: ${code%:*} for a while" full --tcti "$tcti_p" --pin-file pin
	rule create ${code%:*} ${code#*:}
	seals "create: ${code%:*} for a while" again --tcti "$tcti_p" --pcrs 7 --pin-file pin
done
for code in 0x922 0x90a 0x908 0x920; do
	rule unseal $code 1000
	exits 11 "unseal: $code for ever" unseal full --tcti "$tcti_p" --pin-file pin
	[ "$(asked unseal)" -le 30 ]
	ok $? "it was asked for $(asked unseal) times"
done
for code in 0x902 0x903; do
	rule session $code 1000
	exits 11 "session: $code for ever" unseal blob --tcti "$tcti_p"
	[ "$(asked session)" -le 8 ]
	ok $? "it was asked for $(asked session) times"
done
is_empty "after this" "$tcti_a"

# ---------------------------------------------------------------------------
# What the TPM loses
# ---------------------------------------------------------------------------

seals "a blob with a PIN alone" with_pin --tcti "$tcti_a" --pin-file pin
cat >hook <<END
#!/bin/bash
"$cluster" swtpm-stop "$dir/a" && "$cluster" swtpm-start "$dir/a" >restarted
END
chmod +x hook
for step in session load policy_auth unseal; do
	tpm2_dictionarylockout -T "$tcti_a" -c
	rule $step hook 1
	opens "the TPM restarts before $step" with_pin --tcti "$tcti_p" --pin-file pin
	[ "$(asked primary)" -eq 2 ]
	ok $? "all was loaded again, once"
done
tpm2_dictionarylockout -T "$tcti_a" -c
rule unseal hook 99
exits 11 "a TPM that restarts for ever" unseal with_pin --tcti "$tcti_p" --pin-file pin
says 'the TPM has lost what was loaded into it'
[ "$(asked unseal)" -eq 2 ]
ok $? "it was tried twice"
is_empty "after this" "$tcti_a"

for step in primary session load unseal flush; do
	for how in hangup late; do
		rule $step $how 1
		opens "the connection is lost at $step ($how)" blob --tcti "$tcti_p"
	done
done
is_empty "after this" "$tcti_a"
rule create late 1
seals "the connection is lost at create" again --tcti "$tcti_p"
opens "and the blob opens" again --tcti "$tcti_a"
rule load hangup 99
exits 10 "a connection that is lost for ever" unseal blob --tcti "$tcti_p"
says 'lost the connection to the TPM'
[ "$(asked load)" -eq 2 ]
ok $? "it was tried twice"
flush_all "$tcti_a"

cat >hook <<END
#!/bin/bash
"$cluster" swtpm-stop "$dir/a"
END
for step in primary load unseal; do
	rule $step die 1
	exits 10 "the TPM dies at $step" unseal blob --tcti "$tcti_p"
	start_tpm a
	rule
	opens "and is there again" blob --tcti "$tcti_p"
done

# ---------------------------------------------------------------------------
# What is not the secret
# ---------------------------------------------------------------------------

same_srk "$tcti_a"
for n in 32 1 31 33 64 128; do
	head -c $n /dev/urandom >other
	[ $n -ne 32 ] || cp secret other
	tpm2_create -T "$tcti_a" -Q -C srk.ctx -i other -u other.pub -r other.priv \
		-a "fixedtpm|fixedparent|noda|userwithauth"
	tpm2_flushcontext -T "$tcti_a" -t
	{ head -c 44 blob; cat other.pub other.priv; } | with_crc >other_blob
	if [ $n -eq 32 ]; then
		opens "(control: an object made by other tools, of 32 bytes)" other_blob --tcti "$tcti_a"
	else
		exits 22 "an object of $n bytes" unseal other_blob --tcti "$tcti_a"
		says 'does not hold 32 bytes'
	fi
done
for answer in data:0 data:31 data:32 data:33 data:3000 data:65000 says:65535 says:32; do
	rule unseal $answer 1000
	run unseal blob --tcti "$tcti_p"
	[ "$rc" -ne 0 ] && [ ! -s out ] && [ "$(asked unseal)" -le 2 ]
	ok $? "an answer of nobody, $answer: exit code $rc, asked $(asked unseal) times"
	[ $answer != data:32 ] || says 'an answer of the TPM was altered on its way'
done
flush_all "$tcti_a"
for step in primary session load unseal; do
	rule $step code:0x0000 1
	run unseal blob --tcti "$tcti_p"
	[ "$rc" -ne 0 ]
	ok $? "success without an answer at $step: exit code $rc"
done
stop_proxy
flush_all "$tcti_a"
opens "and all is well at the end" blob --tcti "$tcti_a"
is_empty "at the end" "$tcti_a"

! holds all_messages pin
ok $? "no message held a piece of the PIN"
finished
