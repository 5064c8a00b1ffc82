#!/bin/bash
#
# themis_keyring_people.sh
#	  Recovery identities under a passphrase, and who is enrolled in a keyring:
#	  recovery-protect, enroll, drop.
#
# Goal of this test:
# - A protected identity opens with its passphrase, however a keyboard composes
#   it, and with no other; the key in it stays the same.
# - No passphrase and no identity is in output, arguments, environment or files.
# - Nobody is enrolled whose fingerprint was not confirmed, nor twice, nor this
#   machine; whatever is refused leaves the keyring as it was, byte for byte.
# - The last recovery key leaves only if that is typed.
#
# What enroll and drop do in databases is in test/t/025_recipients.pl.
#
# Usage: themis_keyring_people.sh [PROGRAM]
#
# Prints TAP.  test/unit/themis_keyring_people.sh

set -u
. "$(dirname "$0")/themis_keyring.bash"

ring=$dir/keys/keyring
with=(--keyring "$ring" --provider-dir "$dir/providers")
: >secrets

# at_terminal TYPED ARGUMENT...: run the tool where TYPED is typed, slowly
# enough for each question: what is typed before one is thrown away.
at_terminal()
{
	local typed=$1 line

	shift
	while IFS= read -r line; do
		for _ in $(seq 500); do
			sleep 0.02
			[ "$(grep -acE '(passphrase(, again)?: |\(yes/no\) )' typescript 2>/dev/null)" -gt "${asked:-0}" ] && break
		done
		asked=$((${asked:-0} + 1))
		printf '%s\n' "$line"
	done <<<"$typed" | SHELL=/bin/bash timeout --signal=KILL 60 \
		script -qefc "$(printf '%q ' "$tool" "$@")" typescript >out 2>err
	rc=$?
	rm -f typescript
	cat out err >>all_output
}

# run_with LINES ARGUMENT...: run the tool with these lines on descriptor 3.
run_with()
{
	local lines=$1

	shift
	setsid -w timeout --signal=KILL 60 "$tool" "$@" --passphrase-fd 3 3< <(printf '%s' "$lines") >out 2>err </dev/null
	rc=$?
	cat out err >>all_output
}

# gives CODE NAME: the exit code of the last run.
gives()
{
	[ "$rc" -eq "$1" ]
	ok $? "$2: exit code $1"
}

# ---------------------------------------------------------------------------
# Passphrases
# ---------------------------------------------------------------------------

# Composed, decomposed, and a sign that normal form C keeps apart.
nfc=$'correct horse b\xc3\xa4ttery'
nfd=$'correct horse ba\xcc\x88ttery'
printf '%s\n' "$nfc" "$nfd" 'a quite different one' >secrets

run recovery-keygen --out plain.key
gives 0 "an identity in the clear"
cp out plain.pub
sed 's/^/identity /' plain.key >identities
run_with "$nfc"$'\n' recovery-keygen --out safe.key
gives 0 "an identity under a passphrase"
grep -qxE 'tcpub1:[A-Za-z0-9_-]{50}' out && [ "$(wc -l <out)" -eq 1 ] &&
	grep -qE '^hint: The fingerprint of this public key is ([0-9a-f]{4}-){7}[0-9a-f]{4}\.$' err
ok $? "the public key alone goes to standard output, its fingerprint beside it"
cp out safe.pub
grep -qxE 'TC-RECOVERY-P1:[A-Za-z0-9_-]{183}' safe.key && [ "$(stat -c '%a %s' safe.key)" = "600 199" ]
ok $? "the file is one line of 198 characters, mode 0600"

for how in "$nfc"$'\nmore\n' "$nfd"; do
	run_with "$how" recovery-pubkey --identity safe.key
	[ "$rc" -eq 0 ] && cmp -s out safe.pub
	ok $? "it opens, composed or not, with a line end or without"
done
for wrong in 'correct horse battery' "$nfc "; do
	run_with "$wrong" recovery-pubkey --identity safe.key
	[ "$rc" -eq 4 ] && [ ! -s out ] && grep -q 'the passphrase is not that of' err
	ok $? "another passphrase does not: exit code 4"
done
run_with '' recovery-pubkey --identity safe.key
gives 1 "an empty passphrase"
says 'is empty'
run_with $'b\xe4ttery' recovery-pubkey --identity safe.key
gives 1 "a passphrase that is not UTF-8"
says 'not valid UTF-8'
run_with $'a\x01b' recovery-pubkey --identity safe.key
gives 1 "a control character in a passphrase"
run_with "$(printf '%01100d' 0)" recovery-pubkey --identity safe.key
gives 1 "a passphrase of 1100 bytes"
run recovery-pubkey --identity safe.key
gives 1 "nobody to ask for it"
says 'there is no terminal'
sed 's/.$/A/; t; s/A$/B/' safe.key >slip.key
chmod 600 slip.key
cmp -s slip.key safe.key && sed 's/A$/B/' safe.key >slip.key
run_with "$nfc" recovery-pubkey --identity slip.key
gives 1 "a slip of the pen"
says 'slip of the pen'
cp safe.key lax.key
chmod 644 lax.key
run_with "$nfc" recovery-pubkey --identity lax.key
gives 1 "an identity that others may read"
run_with '' recovery-keygen --out empty.key
[ "$rc" -eq 1 ] && [ ! -e empty.key ]
ok $? "an empty new passphrase: exit code 1, no file"
cp safe.key before
run_with "$nfc" recovery-keygen --out safe.key
[ "$rc" -eq 1 ] && cmp -s safe.key before && grep -q 'exists' err
ok $? "an identity is never overwritten"

run_with 'a quite different one' recovery-protect --identity plain.key --out protected.key
[ "$rc" -eq 0 ] && cmp -s out plain.pub && grep -q 'TC-RECOVERY-P1:' protected.key
ok $? "recovery-protect: an identity in the clear gets a passphrase, and stays the same"
run_with $'a quite different one\n'"$nfd"$'\n' recovery-protect --identity protected.key --out again.key
[ "$rc" -eq 0 ] && cmp -s out plain.pub && ! cmp -s protected.key again.key
ok $? "recovery-protect: another passphrase, the old one first"
run_with "$nfc" recovery-pubkey --identity again.key
[ "$rc" -eq 0 ] && cmp -s out plain.pub
ok $? "which opens it"
run_with $'wrong\nnew\n' recovery-protect --identity protected.key --out never.key
[ "$rc" -eq 4 ] && [ ! -e never.key ]
ok $? "recovery-protect with a wrong passphrase: exit code 4, no file"
run_with 'a quite different one' recovery-protect --identity protected.key --out never.key
[ "$rc" -eq 1 ] && [ ! -e never.key ]
ok $? "recovery-protect without a new one: exit code 1, no file"
run recovery-pubkey --json --identity plain.key
python3 -c 'import json, sys; it = json.load(open("out")); sys.exit(
	it["public_key"] != open("plain.pub").read().strip() or len(it["fingerprint"]) != 39 or it["exit_code"] != 0)'
ok $? "--json has public key and fingerprint"

if command -v script >/dev/null; then
	at_terminal "$nfc"$'\n'"$nfc" recovery-keygen --out typed.key --passphrase
	gives 0 "a passphrase typed twice"
	! grep -aqF "${nfc#correct }" out
	ok $? "it is not shown"
	at_terminal "$nfd" recovery-pubkey --identity typed.key
	[ "$rc" -eq 0 ] && grep -aq tcpub1: out
	ok $? "asked for on the terminal, it opens"
	at_terminal $'one\nother' recovery-keygen --out differ.key --passphrase
	[ "$rc" -eq 1 ] && [ ! -e differ.key ] && grep -aq 'not the same the second time' out
	ok $? "two that differ: exit code 1, no file"
else
	skip "typed on a terminal" "missing script"
fi

# ---------------------------------------------------------------------------
# Who is enrolled
# ---------------------------------------------------------------------------

one=tcpub1:AQoBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBrlusEQ
one_print=3a6e-ae24-7edd-c265-c07a-8cb2-5ed6-fd22
two=tcpub1:AQsCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICPotx3Q
two_print=dba6-52da-6038-f181-b459-179b-ca6e-eca8
zero=tcpub1:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXDB8cw

"$tool" init "${with[@]}" --owner "$me" --provider fake --name here --recovery-pubkey plain.pub >made 2>&1
own=$(sed -n 's/^machine: \(.*\) ".*/\1/p' made)
enrolled()
{
	"$tool" show "${with[@]}" --unseal --name here | sed -n 's/^\(recovery\|peer\|machine\): [^ ]* "\(.*\)"$/\1 \2/p' | tr '\n' ';'
}
[ "$(enrolled)" = "machine here;recovery plain;" ]
ok $? "a keyring with a recovery key"

# refuses CODE NAME PATTERN ARGUMENT...: a run that must fail and change nothing.
refuses()
{
	local code=$1 name=$2 pattern=$3

	shift 3
	cp "$ring" before
	run "$@"
	[ "$rc" -eq "$code" ] && cmp -s "$ring" before && grep -qE -- "$pattern" err
	ok $? "$name: exit code $code, nothing written"
}

peer=(enroll "${with[@]}" --public-key "$one" --name db2)
refuses 1 "a fingerprint that nobody confirmed" "\"db2\", fingerprint $one_print: you have not confirmed" "${peer[@]}"
refuses 1 "another fingerprint" 'is none of those you gave' "${peer[@]}" --fingerprint "$two_print"
refuses 2 "no name" '"--name" is missing' enroll "${with[@]}" --public-key "$one" --fingerprint "$one_print"
refuses 2 "a name with a quote" 'name of a recipient' enroll "${with[@]}" --public-key "$one" --name 'a"b' --fingerprint "$one_print"
refuses 2 "a name like a public key" 'name of a recipient' enroll "${with[@]}" --public-key "$one" --name "$two" --fingerprint "$one_print"
refuses 2 "neither key nor file" 'give either' enroll "${with[@]}" --name db2
refuses 2 "both of them" 'give either' "${peer[@]}" --recovery-pubkey plain.pub
refuses 2 "a role that is none" 'a role is' "${peer[@]}" --role friend --fingerprint "$one_print"
refuses 2 "a recovery key as a machine" 'role of a recovery key' enroll "${with[@]}" --recovery-pubkey plain.pub --role machine
refuses 2 "a slip of the pen" 'slip of the pen' enroll "${with[@]}" --public-key "${one/AQoB/AQoC}" --name db2 --fingerprint "$one_print"
refuses 2 "a key with which everybody shares a secret" 'public key' enroll "${with[@]}" --public-key "$zero" --name db2
refuses 2 "all databases of nothing" '"--conninfo" is missing' "${peer[@]}" --all-databases --fingerprint "$one_print"
own_print=$("$tool" show "${with[@]}" --unseal | sed -n '/^machine/{n;s/.*fingerprint //p}')
refuses 1 "this machine" 'is this machine itself' enroll "${with[@]}" --public-key "$own" --name self --fingerprint "$own_print"
mode gone
refuses 3 "a provider that is not there" 'unavailable' "${peer[@]}" --fingerprint "$one_print"
mode ok
refuses 1 "the secret identity in place of its public key" 'secret identity itself' enroll "${with[@]}" --recovery-pubkey plain.key

run "${peer[@]}" --fingerprint "${one_print//-/}"
gives 0 "enroll, confirmed by --fingerprint"
[ "$(enrolled)" = "machine here;recovery plain;peer db2;" ] && [ "$(stat -c '%a %U' "$ring")" = "600 $me" ] &&
	grep -qx 'keyring: enrolled' out && grep -qx "  fingerprint $one_print" out && grep -q 'Only the keyring was changed' err
ok $? "it is in the keyring; mode and owner are kept"
cp "$ring" before
run "${peer[@]}" --fingerprint "$one_print"
[ "$rc" -eq 0 ] && cmp -s "$ring" before && grep -qx 'keyring: enrolled before' out
ok $? "once more: said, and nothing is written"
refuses 1 "the same key under another name" 'enrolled already, as machine "db2"' \
	enroll "${with[@]}" --public-key "$one" --name db3 --fingerprint "$one_print"
refuses 1 "the same key in another role" 'enrolled already, as machine "db2"' \
	"${peer[@]}" --role recovery --fingerprint "$one_print"
refuses 1 "another key under the same name" 'already, with another public key' \
	enroll "${with[@]}" --public-key "$two" --name db2 --fingerprint "$two_print"
if command -v script >/dev/null; then
	asked=0
	at_terminal no enroll "${with[@]}" --public-key "$two" --name typed
	[ "$rc" -eq 1 ] && cmp -s "$ring" before && grep -aq "fingerprint  $two_print" out
	ok $? "asked on the terminal, and not confirmed: exit code 1, nothing written"
	asked=0
	at_terminal yes enroll "${with[@]}" --public-key "$two" --name typed
	[ "$rc" -eq 0 ] && [ "$(enrolled)" = "machine here;recovery plain;peer db2;peer typed;" ]
	ok $? "asked on the terminal, and confirmed"
	run drop "${with[@]}" --public-key "$two"
	gives 0 "drop, by the public key"
else
	skip "confirmed on a terminal" "missing script"
fi
safe_print=$(run_with "$nfc" recovery-pubkey --identity safe.key; sed -n 's/.*key is \(.*\)\.$/\1/p' err)
run enroll "${with[@]}" --recovery-pubkey safe.pub --fingerprint "$safe_print" --json
python3 -c 'import json, sys; it = json.load(open("out")); sys.exit(
	it["command"] != "enroll" or it["keyring"] != "added" or it["exit_code"] != 0 or
	[(r["role"], r["name"], r["fingerprint"]) for r in it["recipients"]] != [("recovery", "safe", sys.argv[1])])' "$safe_print"
ok $? "a second recovery key, named after its file; --json says all of it"

run drop "${with[@]}" --name plain
gives 0 "drop a recovery key, while there is another"
[ "$(enrolled)" = "machine here;peer db2;recovery safe;" ]
ok $? "the others are left"
refuses 1 "drop the last recovery key" 'is the last recovery key' drop "${with[@]}" --name safe
refuses 1 "drop whom nobody knows" 'no such recipient' drop "${with[@]}" --name nobody
refuses 2 "drop nobody" 'give either' drop "${with[@]}"
refuses 2 "drop by name and key" 'give either' drop "${with[@]}" --name db2 --public-key "$one"
run drop "${with[@]}" --name safe --no-recovery
[ "$rc" -eq 0 ] && [ "$(enrolled)" = "machine here;peer db2;" ]
ok $? "drop the last recovery key, as typed"
run drop "${with[@]}" --name db2 --json
python3 -c 'import json, sys; it = json.load(open("out")); sys.exit(it["keyring"] != "dropped" or it["exit_code"] != 0)'
ok $? "drop says so in JSON"

# Up to what the keyring holds.
for i in $(seq 33); do
	"$tool" recovery-keygen --out "keys/$i.key" --json >out 2>/dev/null || break
	read -r key print < <(python3 -c 'import json; it = json.load(open("out")); print(it["public_key"], it["fingerprint"])')
	[ "$i" -lt 33 ] || break
	"$tool" enroll "${with[@]}" --public-key "$key" --name "r$i" --role recovery --fingerprint "$print" >/dev/null 2>&1 || break
done
cat keys/*.key | sed 's/^/identity /' >>identities
[ "$i" -eq 33 ] && [ "$(enrolled | tr -cd ';' | wc -c)" -eq 33 ]
ok $? "32 recipients"
refuses 1 "a 33rd" 'holds as many as it can' enroll "${with[@]}" --public-key "$key" --name r33 --fingerprint "$print"
rm keys/*.key

# ---------------------------------------------------------------------------
# Secrets
# ---------------------------------------------------------------------------

sed -n 's/^identity //p' identities >>secrets
cat providers/arguments >>all_output
! LC_ALL=C grep -aqF -f secrets all_output
ok $? "no passphrase and no identity was printed or handed to a provider"
head -1 secrets >>all_output
LC_ALL=C grep -aqF -f secrets all_output
ok $? "(and it would have been found)"
[ -z "$(find keys providers -name '.*' -type f)" ]
ok $? "no temporary file is left"

echo "1..$tests"
[ "$failures" -eq 0 ]
