#!/bin/bash
#
# themis_keyring.sh
#	  The tool themis-keyring, with a key provider that lies and fails on
#	  demand, with a software TPM, and with a server to be recovered.
#
# Goal of this test:
# - A keyring is made whole or not at all, and never over another one.
# - Each way a provider can fail has its exit code, and changes nothing.
# - No secret is in output, arguments or the keyring's neighbourhood.
# - A machine that lost its TPM gets back in with the recovery identity, and no
#   root is trusted whose fingerprint nobody confirmed.
# - Of two writers of a keyring, none undoes what the other did.
#
# Usage: themis_keyring.sh [PROGRAM]
#
# Prints TAP.  Root tries more (other owners) than other users.  PROGRAM is
# else that of $TC_PGBIN, or of the build in this tree.  Parts that need a TPM
# or a server are skipped where they are not there.
#
# test/unit/themis_keyring.sh

set -u
. "$(dirname "$0")/themis_keyring.bash"

ring=$dir/keys/keyring
with=(--keyring "$ring" --provider-dir "$dir/providers")
init=(init "${with[@]}" --provider fake --owner "$me" --name here)

# ---------------------------------------------------------------------------
# Usage
# ---------------------------------------------------------------------------

exits 0 "--help" --help
grep -q recovery-keygen out && [ ! -s err ]
ok $? "it goes to standard output"
exits 0 "--version" --version
grep -qxF "themis-keyring (themis_crypt) $(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" "$root/themis_crypt.control")" out
ok $? "the version is the extension's"
for command in init show verify add-provider remove-provider reseal trust distrust recovery-keygen recovery-pubkey recovery-protect enroll drop recover; do
	run "$command" --help
	[ "$rc" -eq 0 ] && grep -q "^Usage: themis-keyring $command" out &&
		! grep -q '.\{80\}' out
	ok $? "$command --help"
done
exits 2 "no command"
says "no command was given"
exits 2 "a command that is none" open
exits 2 "an option that is none" show --colour
exits 2 "an option of another command" verify --unseal
exits 2 "an abbreviated option" "${init[@]}" --no-rec
exits 2 "an option without its value" show --keyring
exits 2 "an option with a value it has not" show --unseal=yes
exits 2 "an option given twice" show --keyring a --keyring b
exits 2 "an argument too many" show more
exits 2 "an argument too few" trust 00112233445566778899aabbccddeeff
exits 2 "a required option missing" recovery-keygen
exits 2 "another one" recover --identity x
exits 2 "a fingerprint too short" recover --identity x --conninfo x --fingerprint 0011
exits 2 "a fingerprint where none is asked for" trust --fingerprint 00112233445566778899aabbccddeeff
exits 2 "distrust without a fingerprint" distrust 00112233445566778899aabbccddeeff
exits 2 "neither recovery key nor --no-recovery" "${init[@]}"
says "either --recovery-pubkey or --no-recovery"
exits 2 "both" "${init[@]}" --no-recovery --recovery-pubkey x
exits 2 "a provider name with a slash" init "${with[@]}" --provider ../fake --owner "$me" --no-recovery
exits 2 "a machine name with a quote" init "${with[@]}" --provider fake --owner "$me" --no-recovery --name 'a"b'
"$tool" --help >/dev/full 2>err
[ $? -eq 1 ]
ok $? "output that cannot be written: exit code 1"
[ -z "$(files)" ]
ok $? "none of these made a file"

# ---------------------------------------------------------------------------
# Recovery identities
# ---------------------------------------------------------------------------

exits 0 "recovery-keygen" recovery-keygen --out "$dir/keys/safe.key"
cp out keys/safe.pub
[ "$(wc -l <out)" -eq 1 ] && grep -qxE 'tcpub1:[A-Za-z0-9_-]{50}' out
ok $? "standard output is the public key alone"
[ "$(stat -c '%a %h' keys/safe.key)" = "600 1" ] &&
	grep -qxE 'TC-RECOVERY-1:[A-Za-z0-9_-]{48}' keys/safe.key &&
	[ "$(wc -l <keys/safe.key)" -eq 1 ]
ok $? "the identity is one line, mode 600"
cp -p keys/safe.key identity
exits 0 "recovery-pubkey" recovery-pubkey --identity "$dir/keys/safe.key"
cmp -s out keys/safe.pub
ok $? "recovery-pubkey: prints the same key"
exits 1 "recovery-pubkey of no identity" recovery-pubkey --identity "$dir/keys/safe.pub"
exits 1 "onto a file that exists" recovery-keygen --out "$dir/keys/safe.key"
cmp -s identity keys/safe.key && [ ! -s out ]
ok $? "which is not touched"
exits 1 "into a folder that is not there" recovery-keygen --out "$dir/none/safe.key"
run recovery-keygen --out "$dir/keys/other.key"
cp out keys/other.pub

# ---------------------------------------------------------------------------
# Init
# ---------------------------------------------------------------------------

# refuses CODE NAME [ARGUMENT...]: an init that must fail and leave nothing.
refuses()
{
	local code=$1 name=$2 before

	shift 2
	before=$(files)
	run "${init[@]}" "$@"
	[ "$rc" -eq "$code" ] && [ "$(files)" = "$before" ] && [ ! -s out ]
	ok $? "$name: exit code $code, no file"
}

# provider_refuses CODE MODE PATTERN
provider_refuses()
{
	mode "$2"
	refuses "$1" "a provider that is \"$2\"" --no-recovery
	says "$3"
	mode ok
}

provider_refuses 3 gone 'is unavailable: no device$'
provider_refuses 3 busy 'is busy: too busy$'
provider_refuses 4 machine 'sealed on another machine: another machine$'
provider_refuses 4 policy 'policy is not met: another state$'
provider_refuses 4 damaged 'is damaged: no blob of mine$'
provider_refuses 4 denied 'denies access: locked out$'
provider_refuses 1 crash 'failed: was ended by signal 11$'
provider_refuses 1 large 'failed: wrote more than a provider may$'
provider_refuses 1 empty 'could not make a keyring'
provider_refuses 1 silent 'does not say what its secret is bound to'
provider_refuses 1 strange 'does not say what its secret is bound to'
provider_refuses 1 rude 'could not make a keyring'
provider_refuses 1 short 'cannot be opened again: .* gave 31 bytes instead of 32'
provider_refuses 1 long 'cannot be opened again: .* gave 36 bytes instead of 32'
provider_refuses 4 other 'cannot be opened again: .* gave the wrong secret'
mode appear
exits 1 "a keyring that somebody else makes meanwhile" "${init[@]}" --no-recovery
says 'exists: File exists'
[ "$(cat "$ring")" = theirs ] && [ "$(files | xargs)" = "keyring other.key other.pub safe.key safe.pub" ]
ok $? "it is not touched, and no other file is there"
rm "$ring"
mode ok
exits 1 "a provider that is not there" init --keyring "$ring" --provider-dir "$dir/keys" \
	--provider fake --owner "$me" --no-recovery
says 'key provider "fake" could not be found: No such file'

printf 'tcpub1:' >keys/bad.pub
refuses 1 "a public key cut short" --recovery-pubkey keys/bad.pub
sed 's/.$/_/' keys/safe.pub >keys/bad.pub
refuses 1 "a public key with a slip of the pen" --recovery-pubkey keys/bad.pub
cat keys/safe.pub keys/safe.pub >keys/bad.pub
refuses 1 "two public keys in a file" --recovery-pubkey keys/bad.pub
refuses 1 "a public key file that is not there" --recovery-pubkey keys/none.pub
refuses 1 "the identity instead of its public key" --recovery-pubkey keys/safe.key
says 'looks like the secret identity'
refuses 1 "a public key given twice" --recovery-pubkey keys/safe.pub --recovery-pubkey keys/safe.pub
# The point zero: everybody shares a secret with it.
if command -v python3 >/dev/null; then
	python3 - >keys/zero.pub <<'PY'
import base64, hashlib
label = b"themis/identity/v1"
def field(b): return len(b).to_bytes(4, "little") + b
kind, key = b"\1", bytes(32)
data = len(label).to_bytes(2, "little") + label + field(kind) + field(key)
check = hashlib.blake2b(data, digest_size=16).digest()[:4]
print("tcpub1:" + base64.urlsafe_b64encode(kind + key + check).rstrip(b"=").decode())
PY
	refuses 1 "a public key of low order" --recovery-pubkey keys/zero.pub
else
	skip "a public key of low order" "missing python3"
fi
exits 1 "a folder that is not there" init --keyring "$dir/none/keyring" \
	--provider-dir "$dir/providers" --provider fake --owner "$me" --no-recovery

: >providers/arguments
exits 0 "init" "${init[@]}" --recovery-pubkey keys/safe.pub --recovery-pubkey keys/other.pub
[ "$(stat -c '%a %U %h' "$ring")" = "600 $me 1" ]
ok $? "the keyring has mode 600 and its owner"
grep -qxF "recovery: $(cat keys/safe.pub) \"safe\"" out &&
	grep -qxF "recovery: $(cat keys/other.pub) \"other\"" out &&
	grep -qxE 'machine: tcpub1:[A-Za-z0-9_-]{50} "here"' out &&
	grep -qxE 'instance: [0-9a-f]{32}' out &&
	grep -qxF 'slot 1: provider fake, binding host, policy "none at all", blob 36 bytes' out
ok $? "it prints instance, slot, machine and recovery keys"
cp out made
[ "$(sort -u providers/arguments | xargs)" = "info seal unseal" ]
ok $? "the provider is given nothing but its verbs"
cp -p "$ring" first
exits 1 "init again" "${init[@]}" --no-recovery
says 'exists, and is not made anew'
cmp -s "$ring" first
ok $? "which is not touched"
ln -s "$dir/keys/target" keys/way
exits 1 "init over a symlink" init --keyring "$dir/keys/way" --provider-dir "$dir/providers" \
	--provider fake --owner "$me" --no-recovery
[ ! -e keys/target ]
ok $? "which is not followed"
rm keys/way

# ---------------------------------------------------------------------------
# Show and verify
# ---------------------------------------------------------------------------

mode gone
exits 0 "show without the provider" show "${with[@]}"
grep -vE '^(machine|recovery|keyring):|^  fingerprint' made | cmp -s - out
ok $? "it prints instance and slots"
exits 3 "show --unseal without the provider" show "${with[@]}" --unseal
says 'slot 1: key provider "fake" is unavailable: no device'
mode ok
exits 0 "show --unseal" show "${with[@]}" --unseal --name here
grep -v '^keyring:' made | cmp -s - out
ok $? "it prints what init printed"

exits 0 "verify" verify "${with[@]}"
[ "$(cat out)" = "slot 1: provider fake: opens" ]
ok $? "one line, for one slot"
for try in "3 gone" "3 busy" "4 machine" "4 policy" "4 damaged" "4 denied" "1 crash" "1 short" "4 other"; do
	mode "${try#* }"
	exits "${try% *}" "verify, provider is \"${try#* }\"" verify "${with[@]}"
done
mode ok

# bad NAME PATTERN: the keyring as it is now must be refused.
bad()
{
	run verify "${with[@]}"
	[ "$rc" -ne 0 ] && grep -qE "$2" err
	ok $? "$1: refused"
}

chmod 640 "$ring"
bad "a keyring readable by its group" 'is accessible to its group'
chmod 600 "$ring"
ln "$ring" keys/second
bad "a keyring with two names" 'more than one hard link'
rm keys/second
mv "$ring" keys/moved
ln -s moved "$ring"
bad "a symlink" 'symbolic link'
rm "$ring"
bad "no keyring" 'No such file'
says 'themis-keyring init'
mkfifo -m 600 "$ring"
bad "a FIFO" 'not a regular file'
rm "$ring"
mv keys/moved "$ring"
head -c 100 first >"$ring"
bad "a keyring cut short" 'is damaged'
exits 4 "its exit code" verify "${with[@]}"
{ printf TCKRING2; tail -c +9 first; } >"$ring"
bad "a keyring of a later version" 'newer version'
{ head -c 300 first; printf '\377'; tail -c +302 first; } >"$ring"
cmp -s "$ring" first && printf '\0' | dd of="$ring" bs=1 seek=300 conv=notrunc 2>/dev/null
run verify "${with[@]}"
[ "$rc" -eq 4 ] && grep -q 'wrong secret, or the keyring file was altered' out
ok $? "a keyring with an altered byte: refused"
cat first >"$ring"

# ---------------------------------------------------------------------------
# Trust
# ---------------------------------------------------------------------------

realm=00112233-4455-6677-8899-aabbccddeeff
kcv=0123456789ABCDEF0123456789abcdef
exits 0 "trust" trust "${with[@]}" $realm $kcv
[ "$(cat out)" = trusted ] && [ "$(stat -c '%a %U' "$ring")" = "600 $me" ]
ok $? "it says so; mode and owner are kept"
says '^hint: .*root_records\(\) does not say "open"'
blob_end=$((24 + 2 + 1 + 4 + 1 + 16 + 2 + 11 + 4 + 36 + 72))
! cmp -s "$ring" first && cmp -s -n $blob_end "$ring" first
ok $? "the slots are kept byte for byte"
cp -p "$ring" second
before=$(stat -c %i "$ring")
exits 0 "trust again, spelled otherwise" trust "${with[@]}" "${realm//-/}" 01234567-89ab-cdef-0123-456789ABCDEF
[ "$(cat out)" = "already trusted" ] && cmp -s "$ring" second && [ "$(stat -c %i "$ring")" = "$before" ]
ok $? "nothing is written"
run show "${with[@]}" --unseal
grep -qx 'trusts: realm 00112233445566778899aabbccddeeff, fingerprint 0123456789abcdef0123456789abcdef' out &&
	[ "$(grep -c ^trusts: out)" -eq 1 ] && [ "$(grep -c ^recovery: out)" -eq 2 ]
ok $? "it is shown, once, and the rest is kept"
exits 2 "a realm too short" trust "${with[@]}" 0011 $kcv
exits 2 "a fingerprint too long" trust "${with[@]}" $realm ${kcv}0
exits 2 "a fingerprint of other digits" trust "${with[@]}" $realm "${kcv%?}g"
for try in "3 gone" "4 machine" "4 other" "1 short"; do
	mode "${try#* }"
	exits "${try% *}" "trust, provider is \"${try#* }\"" trust "${with[@]}" $realm "${kcv%?}0"
done
mode ok
cmp -s "$ring" second && [ "$(stat -c %i "$ring")" = "$before" ]
ok $? "the keyring is not touched by any of these"
exits 1 "distrust what is not trusted" distrust "${with[@]}" $realm "${kcv%?}0"
says 'holds no such root'

# One writer waits for its provider, the keyring read already; others come.
mode wait
"$tool" trust "${with[@]}" $realm "${kcv%??}ab" >/dev/null &
for i in $(seq 100); do
	[ -e providers/waiting ] && break
	sleep 0.05
done
mode ok
exits 1 "trust while another process changes the keyring" trust "${with[@]}" $realm "${kcv%?}0"
says 'is being changed'
exits 1 "distrust meanwhile" distrust "${with[@]}" $realm $kcv
exits 0 "verify meanwhile" verify "${with[@]}"
cmp -s "$ring" second
ok $? "neither changed it"
rm providers/waiting
wait $!
ok $? "the first one succeeds"
exits 0 "distrust what it trusted" distrust "${with[@]}" $realm "${kcv%??}AB"
[ "$(cat out)" = "no longer trusted" ] && [ "$(stat -c '%a %U' "$ring")" = "600 $me" ]
ok $? "it says so; mode and owner are kept"

# Changed by somebody who cares for no lock.
cp "$ring" unchanged
cat first >changed
mode change
exits 1 "trust, the keyring changes after it was read" trust "${with[@]}" $realm "${kcv%?}0"
says 'was changed by another process meanwhile; nothing was written'
cmp -s "$ring" first
ok $? "what the other one wrote stays"
mode ok
cat unchanged >"$ring"
for i in $(seq 10 72); do
	"$tool" trust "${with[@]}" $realm "${kcv%??}$i" >/dev/null || break
done
exits 1 "the 65th root" trust "${with[@]}" $realm "${kcv%??}99"
says 'trusts 64 roots already'
run show "${with[@]}" --unseal
[ "$(grep -c ^trusts: out)" -eq 64 ]
ok $? "64 there are"
for i in $(seq 10 17); do
	for try in $(seq 200); do
		"$tool" distrust "${with[@]}" $realm "${kcv%??}$i" >/dev/null 2>&1 && break
		sleep 0.05
	done &
done
wait
run show "${with[@]}" --unseal
[ "$(grep -c ^trusts: out)" -eq 56 ]
ok $? "8 writers at once: each of them removed one"
[ "$(files | xargs)" = "bad.pub keyring other.key other.pub safe.key safe.pub zero.pub" ]
ok $? "no temporary file is left"

# ---------------------------------------------------------------------------
# The process
# ---------------------------------------------------------------------------

mode hang
"$tool" verify "${with[@]}" >out 2>err &
sleeper=$!
for i in $(seq 100); do
	[ -s providers/hanging ] && break
	sleep 0.05
done
grep -qE '^Max core file size +0 +0 ' /proc/$sleeper/limits
ok $? "no core file"
if [ "$(id -u)" -ne 0 ]; then
	! cat /proc/$sleeper/environ >/dev/null 2>&1 && ! cat /proc/$sleeper/maps >/dev/null 2>&1
	ok $? "other processes of its user cannot look into it"
else
	skip "other processes of its user cannot look into it" "root can"
fi
{ kill -KILL $sleeper; wait $sleeper; } 2>/dev/null
sleeper=
sleep 0.5
# Dead, though perhaps not buried.
! grep -q '^State:.[^Z]' "/proc/$(cat providers/hanging)/status" 2>/dev/null
ok $? "a provider that hangs dies with the tool"
mode ok

# Standard descriptors that are closed must not become those of a keyring.
"$tool" trust "${with[@]}" $realm $kcv <&- >&- 2>&-
rc=$?
[ "$rc" -eq 0 ] && run verify "${with[@]}" && [ "$rc" -eq 0 ]
ok $? "closed standard descriptors do no harm"
rm "$ring"
"$tool" "${init[@]}" --no-recovery <&- >&- 2>&-
rc=$?
[ "$rc" -eq 0 ] && run verify "${with[@]}" && [ "$rc" -eq 0 ]
ok $? "not to a new keyring, either"

# Moved to another place, with its providers.
mkdir -p moved/bin moved/lib/themis_crypt
cp "$tool" moved/bin/themis-keyring
cp -p providers/* moved/lib/themis_crypt/
moved/bin/themis-keyring verify --keyring "$ring" >out 2>err
rc=$?
[ "$rc" -eq 0 ]
ok $? "providers are found beside an installation that was moved"

# ---------------------------------------------------------------------------
# Another owner
# ---------------------------------------------------------------------------

# as USER COMMAND...: run as that user, who is in no other group.
as()
{
	local user=$1

	shift
	setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups "$@"
}

if [ "$(id -u)" -eq 0 ] && other=nobody && as "$other" test -x "$dir"; then
	rm -f "$ring"
	chmod 755 keys
	as_other=(init "${with[@]}" --provider fake --no-recovery)
	exits 2 "root without --owner" "${as_other[@]}"
	says '--owner postgres'
	exits 1 "an owner that does not exist" "${as_other[@]}" --owner no_such_user
	mode root
	exits 3 "a provider that the owner may not use" "${as_other[@]}" --owner "$other"
	says "user \"$other\" cannot open the keyring: .*not for this user"
	[ ! -e "$ring" ]
	ok $? "no file is made"
	mode ok
	exits 0 "init for another owner" "${as_other[@]}" --owner "$other"
	[ "$(stat -c '%a %U %g' "$ring")" = "600 $other $(id -g "$other")" ]
	ok $? "it is that user's"
	exits 0 "root opens it" verify "${with[@]}"
	exits 0 "root changes it" trust "${with[@]}" $realm $kcv
	[ "$(stat -c '%a %U %g' "$ring")" = "600 $other $(id -g "$other")" ]
	ok $? "it is still that user's"
	as "$other" "$tool" verify "${with[@]}" >out 2>err
	rc=$?
	[ "$rc" -eq 0 ]
	ok $? "its owner opens it"
	rm "$ring"
	chmod 700 keys
	exits 1 "a folder that the owner may not enter" "${as_other[@]}" --owner "$other"
	says "was made, but user \"$other\" finds that it could not be opened"
	rm -f "$ring"
	chmod 755 keys
elif [ "$(id -u)" -eq 0 ]; then
	skip "another owner" "nobody may not enter $dir"
else
	exits 1 "another owner, not as root" init --keyring "$dir/keys/theirs" \
		--provider-dir "$dir/providers" --provider fake --no-recovery --owner root
	[ ! -e keys/theirs ]
	ok $? "no file is made"
fi

# ---------------------------------------------------------------------------
# A TPM
# ---------------------------------------------------------------------------

if has_tpm2; then
	tcti=$("$cluster" swtpm-start "$dir/tpm" | sed -n 's/^TCTI=//p')
	owner=$(stat -c %U "$dir/tpm")
	rm -f "$ring"
	with_tpm=(--keyring "$ring" --tcti "$tcti")
	exits 0 "init with a TPM" init "${with_tpm[@]}" --owner "$owner" --recovery-pubkey keys/safe.pub
	grep -q '^slot 1: provider tpm2, binding software, ' out
	ok $? "it is bound to it"
	exits 0 "verify with the TPM" verify "${with_tpm[@]}"
	exits 0 "trust with the TPM" trust "${with_tpm[@]}" $realm $kcv
	"$cluster" swtpm-stop "$dir/tpm" >/dev/null
	exits 3 "the TPM is off" verify "${with_tpm[@]}"
	"$cluster" swtpm-start "$dir/tpm" >/dev/null
	exits 0 "the TPM is on again" verify "${with_tpm[@]}"
	"$cluster" swtpm-stop "$dir/tpm" >/dev/null
	rm -f "$dir"/tpm/tpm/tpm2-00.permall
	"$cluster" swtpm-start "$dir/tpm" >/dev/null
	exits 4 "another TPM" verify "${with_tpm[@]}"
	exits 4 "trust with another TPM" trust "${with_tpm[@]}" $realm "${kcv%?}0"
	says 'make a new one with "init"'
else
	skip "init with a TPM" "missing provider tpm2, swtpm or test/cluster"
fi

# ---------------------------------------------------------------------------
# Recovery of a database whose machine lost its TPM
# ---------------------------------------------------------------------------

sql()
{
	"$cluster" psql "$dir/db" -AtX -v ON_ERROR_STOP=1 "$@" 2>&1
}

# as_owner ARGUMENT...: run the tool as the owner of the server.
as_owner()
{
	local command=(setsid -w timeout --signal=KILL 60 "$tool" "$@")

	if [ "$(id -u)" -eq 0 ]; then
		command=(setpriv --reuid "$owner" --regid "$(id -g "$owner")" --init-groups "${command[@]}")
	fi
	"${command[@]}" >out 2>err </dev/null
	rc=$?
	cat out err >>all_output
}

# on_terminal ANSWER ARGUMENT...: the same at a terminal where ANSWER is typed.
on_terminal()
{
	local answer=$1 as=()

	shift
	if [ "$(id -u)" -eq 0 ]; then
		as=(setpriv --reuid "$owner" --regid "$(id -g "$owner")" --init-groups)
	fi
	echo "$answer" | SHELL=/bin/bash ${as[@]+"${as[@]}"} timeout --signal=KILL 60 \
		script -qec "$(printf '%q ' "$tool" "$@")" /dev/null >out 2>err
	rc=$?
	cat out err >>all_output
}

catalog()
{
	sql -c 'SELECT srvname, srvoptions FROM pg_foreign_server ORDER BY 1'
}

new_tpm()
{
	"$cluster" swtpm-stop "$dir/db" >/dev/null
	rm -f "$dir/db/tpm/tpm2-00.permall"
	"$cluster" swtpm-start "$dir/db" >/dev/null
}

recover_tests()
{
	local tcti fingerprint realm conninfo noted

	"$cluster" start "$dir/db" >vars 2>&1 || return 1
	owner=$(stat -c %U "$dir/db")
	tcti=$("$cluster" swtpm-start "$dir/db" | sed -n 's/^TCTI=//p')
	conninfo=$(eval "$("$cluster" env "$dir/db" | sed 's/^export //')"
		echo "host=$PGHOST port=$PGPORT dbname=${PGDATABASE:-themis} user=postgres")
	ring=$dir/db/keyring
	with_db=(--keyring "$ring" --tcti "$tcti")
	recover=(recover "${with_db[@]}" --identity "$dir/db/recovery.key" --conninfo "$conninfo")

	as_owner "${recover[@]}"
	[ "$rc" -eq 1 ] && grep -q 'has no root' err
	ok $? "a database without a root: exit code 1"

	sql >log <<-'SQL'
		CREATE SERVER k FOREIGN DATA WRAPPER themis_crypt;
		CREATE TABLE t (v encrypted(k));
		INSERT INTO t VALUES ('precious');
	SQL
	[ "$(sql -c 'SELECT v::text FROM t')" = precious ]
	ok $? "(a value sealed on the old machine)"
	fingerprint=$(sql -c 'SELECT fingerprint FROM themis_crypt.root_records()')
	realm=$(sql -c 'SELECT realm FROM themis_crypt.root_records()')
	as_owner "${recover[@]}"
	[ "$rc" -eq 0 ] && grep -q "fingerprint $fingerprint: this machine can open it already" out
	ok $? "a machine that is in already: said, exit code 0"

	new_tpm
	as_owner verify "${with_db[@]}"
	[ "$rc" -eq 4 ]
	ok $? "(with another TPM the keyring does not open)"
	as_owner "${recover[@]}"
	[ "$rc" -eq 4 ] && grep -q 'let it in with "recover"' err
	ok $? "recover needs a keyring of this machine first"
	mv "$ring" "$dir/db/keyring.old"
	as_owner init "${with_db[@]}" --recovery-pubkey "$dir/db/recovery.pub"
	[ "$rc" -eq 0 ]
	ok $? "(a new keyring)"
	"$cluster" restart "$dir/db" >/dev/null 2>&1
	[ "$(sql -c 'SELECT v::text FROM t')" != precious ]
	ok $? "(it does not open the value)"

	cp "$ring" "$dir/before"
	as_owner recover "${with_db[@]}" --conninfo "$conninfo" --identity "$dir/db/recovery.pub"
	[ "$rc" -eq 1 ]
	ok $? "a public key instead of the identity: refused"
	as_owner recovery-keygen --out "$dir/db/wrong.key"
	as_owner recover "${with_db[@]}" --conninfo "$conninfo" --identity "$dir/db/wrong.key"
	[ "$rc" -eq 1 ] && grep -q 'was not made for this recovery identity' err
	ok $? "another identity: refused, exit code 1"
	chmod 644 "$dir/db/recovery.key"
	as_owner "${recover[@]}"
	[ "$rc" -eq 1 ] && grep -q 'is accessible to its group or to others' err
	ok $? "an identity that others may read: refused"
	chmod 600 "$dir/db/recovery.key"
	as_owner recover "${with_db[@]}" --identity "$dir/db/recovery.key" --conninfo "$conninfo dbname=nosuch"
	[ "$rc" -eq 1 ] && grep -q 'could not connect' err
	ok $? "no such database: exit code 1"
	cmp -s "$ring" "$dir/before"
	ok $? "none of these touched the keyring"

	catalog >"$dir/catalog"
	as_owner "${recover[@]}"
	[ "$rc" -eq 1 ] &&
		grep -q "^themis-keyring: root \"themis_root\", realm ${realm//-/}, fingerprint $fingerprint: you have not confirmed" err &&
		grep -q '^hint: .*run this again with --fingerprint FINGERPRINT\.$' err
	ok $? "no fingerprint, and nobody to ask: refused, exit code 1"
	as_owner "${recover[@]}" --fingerprint "$realm" --fingerprint 00112233445566778899aabbccddeeff
	[ "$rc" -eq 1 ] && grep -q 'is none of those you gave' err
	ok $? "other fingerprints: refused, exit code 1"
	if command -v script >/dev/null; then
		on_terminal no "${recover[@]}"
		[ "$rc" -eq 1 ] && grep -q 'Is this the fingerprint that you noted?' out && grep -q 'you have not confirmed' out
		ok $? "asked on the terminal, and not confirmed: refused, exit code 1"
		on_terminal yes "${recover[@]}" --fingerprint 00112233445566778899aabbccddeeff
		[ "$rc" -eq 1 ] && ! grep -q 'Is this the fingerprint' out
		ok $? "another fingerprint, at a terminal: refused, and nothing is asked"
	else
		skip "asked on the terminal" "missing script"
	fi
	cmp -s "$ring" "$dir/before" && catalog | cmp -s - "$dir/catalog"
	ok $? "neither keyring nor record was touched"

	noted=${fingerprint:0:8}-$(tr a-f A-F <<<"${fingerprint:8}")
	as_owner "${recover[@]}" --fingerprint 00112233445566778899aabbccddeeff --fingerprint "$noted" --name second
	[ "$rc" -eq 0 ] &&
		grep -qE "^root \"themis_root\", fingerprint $fingerprint: recovered for machine \"second\"" out
	ok $? "recover: exit code 0, root and fingerprint named"
	[ "$(sql -c 'SELECT v::text FROM t')" = precious ]
	ok $? "the value opens"
	[ "$(sql -c 'SELECT fingerprint FROM themis_crypt.root_records()')" = "$fingerprint" ]
	ok $? "it is the same root"
	sql -c 'CREATE SERVER k2 FOREIGN DATA WRAPPER themis_crypt' >log
	ok $? "and trusted: a key can be made under it"
	as_owner show "${with_db[@]}" --unseal
	grep -q "^trusts: realm [0-9a-f]*, fingerprint $fingerprint" out
	ok $? "it is pinned in the keyring"
	"$cluster" restart "$dir/db" >/dev/null 2>&1
	[ "$(sql -c 'SELECT v::text FROM t')" = precious ]
	ok $? "the value opens after a restart, too"
	as_owner "${recover[@]}"
	[ "$rc" -eq 0 ] && grep -q 'can open it already' out
	ok $? "recover again: nothing to do"
	if [ "$(id -u)" -eq 0 ]; then
		install -m 600 "$dir/db/recovery.key" "$dir/root.key"
		run recover "${with_db[@]}" --identity "$dir/root.key" --conninfo "$conninfo"
		[ "$rc" -eq 0 ] && grep -q 'can open it already' out
		ok $? "the same as root, who connects as the owner"
	fi

	as_owner distrust "${with_db[@]}" "$realm" "$fingerprint"
	[ "$rc" -eq 0 ] && sql -c 'SELECT themis_crypt.unlock()' >log
	ok $? "distrust"
	sql -c 'CREATE SERVER k3 FOREIGN DATA WRAPPER themis_crypt' | grep -q 'is not trusted by this machine'
	ok $? "no key can be made under the root any more"
	[ "$(sql -c 'SELECT v::text FROM t')" = precious ]
	ok $? "the value opens"
	as_owner trust "${with_db[@]}" "$realm" "$fingerprint"
	[ "$rc" -eq 0 ] && sql -c 'SELECT themis_crypt.unlock()' >log &&
		sql -c 'CREATE SERVER k3 FOREIGN DATA WRAPPER themis_crypt' >log
	ok $? "trusted again, one can"

	if command -v script >/dev/null; then
		new_tpm
		rm "$ring"
		as_owner init "${with_db[@]}" --recovery-pubkey "$dir/db/recovery.pub"
		"$cluster" restart "$dir/db" >/dev/null 2>&1
		on_terminal yes "${recover[@]}" --name third
		[ "$rc" -eq 0 ] && grep -q "fingerprint  $fingerprint" out && [ "$(sql -c 'SELECT v::text FROM t')" = precious ]
		ok $? "asked on the terminal, and confirmed: recovered"
	else
		skip "confirmed on the terminal" "missing script"
	fi
	cat "$dir/db/server.log" >>all_output
	cat "$dir/db/recovery.key" >>identities
}

: >identities
if has_tpm2 && [ -n "${TC_PGBIN:-}" ] &&
	[ -f "$("$TC_PGBIN/pg_config" --sharedir)/extension/themis_crypt.control" ]; then
	recover_tests || ok 1 "a cluster to be recovered"
else
	skip "recover" "missing an installed extension (TC_PGBIN), provider tpm2, swtpm or test/cluster"
fi

# ---------------------------------------------------------------------------
# Secrets
# ---------------------------------------------------------------------------

cat keys/safe.key keys/other.key >>identities
! sed 's/^TC-RECOVERY-1://' identities | grep -qFf - all_output && [ -s all_output ]
ok $? "no identity was ever printed"
! grep -q 'AddressSanitizer\|runtime error' all_output
ok $? "no sanitizer had anything to say"

echo "1..$tests"
[ "$failures" -eq 0 ]
