#!/bin/bash
#
# themis_keyring_slots.sh
#	  Several provider slots in one keyring: add-provider, remove-provider,
#	  reseal, and the credential file of provider systemd-creds.
#
# Goal of this test:
# - A slot is added, removed and resealed, with all else kept.
# - Whatever goes wrong leaves the keyring as it was, byte for byte.
# - Killed at any call of a provider, at any fsync and rename, the tool leaves a
#   whole keyring with a slot that opens, and work can go on.
# - The last slot, and the only one that opens, are never removed.
# - No file but the one recorded in the resealed slot is overwritten at the
#   credential's place.
#
# Usage: themis_keyring_slots.sh [PROGRAM]
#
# Prints TAP.  Providers are fakes, and at the end the real ones, where a
# software TPM can be had.
#
# test/unit/themis_keyring_slots.sh

set -u
. "$(dirname "$0")/themis_keyring.bash"
more_providers

ring=$dir/keys/keyring
with=(--keyring "$ring" --provider-dir "$dir/providers")
realm=00112233445566778899aabbccddeeff
kcv=0123456789abcdef0123456789abcdef

# new_ring ARGUMENT...: a new keyring with one pin in it.
new_ring()
{
	rm -f "$ring"
	mode ok
	"$tool" init "${with[@]}" --owner "$me" --no-recovery "$@" >/dev/null 2>&1 &&
		"$tool" trust "${with[@]}" $realm $kcv >/dev/null 2>&1
}

# The providers of the slots, in their order; what an open keyring tells.
providers()
{
	"$tool" show "${with[@]}" | sed -n 's/^slot [0-9]*: provider \([^,]*\),.*/\1/p' | xargs
}
inside()
{
	"$tool" show "${with[@]}" "$@" --unseal --name here | grep -E '^(instance|machine|recovery|trusts)'
}

# refuses CODE NAME PATTERN ARGUMENT...: a run that must fail and change nothing.
refuses()
{
	local code=$1 name=$2 pattern=$3 inode

	shift 3
	cp "$ring" before
	inode=$(stat -c %i "$ring")
	run "$@"
	[ "$rc" -eq "$code" ] && cmp -s "$ring" before && [ ! -s out ] &&
		[ "$(stat -c %i "$ring")" = "$inode" ] && grep -qE -- "$pattern" err
	ok $? "$name: exit code $code, nothing written"
}

# ---------------------------------------------------------------------------
# Add and remove
# ---------------------------------------------------------------------------

new_ring --provider fake
inside >told
exits 2 "add-provider without a provider" add-provider "${with[@]}"
exits 2 "a provider name with a slash" add-provider "${with[@]}" --provider ../fake
refuses 1 "a provider that is not there" 'could not be found' add-provider "${with[@]}" --provider none
mode machine
refuses 4 "the keyring does not open" 'slot 1: .*another machine' add-provider "${with[@]}" --provider fake2
mode ok
for try in "3 gone unavailable" "4 denied denies" "1 silent bound.to" "1 short 31.bytes" "4 other wrong.secret" "1 empty could.not.make"; do
	read -r code word pattern <<<"$try"
	mode "$word" fake2
	refuses "$code" "the new provider is \"$word\"" "$pattern" add-provider "${with[@]}" --provider fake2
	mode ok
done
cp "$ring" single
exits 0 "add-provider" add-provider "${with[@]}" --provider fake2
[ "$(head -1 out)" = "slot 2 added" ] && [ "$(grep -c '^slot [12]: provider' out)" -eq 2 ] &&
	[ "$(stat -c '%a %U' "$ring")" = "600 $me" ]
ok $? "it says so, and lists the slots; mode and owner are kept"
[ "$(providers)" = "fake fake2" ] && inside | cmp -s - told
ok $? "two slots, and the same inside"
for one in fake fake2; do
	mode gone "$one"
	inside 2>/dev/null | cmp -s - told
	ok $? "it opens without provider $one"
	run verify "${with[@]}"
	[ "$rc" -eq 3 ] && [ "$(grep -c ': opens$' out)" -eq 1 ]
	ok $? "verify tells which slot does not: exit code 3"
	exits 0 "trust, meanwhile" trust "${with[@]}" $realm "${kcv%?}0"
	exits 0 "and back" distrust "${with[@]}" $realm "${kcv%?}0"
	mode ok
done

refuses 2 "remove a slot that is not there" 'no slot 3' remove-provider "${with[@]}" --slot 3
exits 2 "remove no slot" remove-provider "${with[@]}"
exits 2 "slot 0" remove-provider "${with[@]}" --slot 0
exits 2 "slot 9" remove-provider "${with[@]}" --slot 9
exits 2 "a slot that is no number" remove-provider "${with[@]}" --slot 1x
mode gone fake
refuses 3 "remove the only slot that opens" 'no other slot opens, so slot 2 stays' remove-provider "${with[@]}" --slot 2
exits 0 "remove the one that does not" remove-provider "${with[@]}" --slot 1
mode ok
[ "$(providers)" = fake2 ] && inside | cmp -s - told && [ "$(head -1 out)" = "slot 1 removed" ]
ok $? "the other one is left, with the same inside"
refuses 1 "remove the last one" 'is the last one' remove-provider "${with[@]}" --slot 1

for i in 2 3 4 5 6 7 8; do
	"$tool" add-provider "${with[@]}" --provider fake >/dev/null 2>&1 || break
done
[ "$(providers | wc -w)" -eq 8 ]
ok $? "8 slots"
refuses 1 "a ninth" 'has 8 slots, and no room' add-provider "${with[@]}" --provider fake
refuses 1 "reseal, which needs room" 'has 8 slots, and no room' reseal "${with[@]}" --slot 3
exits 0 "one of the middle removed" remove-provider "${with[@]}" --slot 4
inside | cmp -s - told && [ "$("$tool" verify "${with[@]}" | grep -c ': opens$')" -eq 7 ]
ok $? "all others open, with the same inside"

# ---------------------------------------------------------------------------
# Reseal
# ---------------------------------------------------------------------------

new_ring --provider fake
inside >told
cp "$ring" single
exits 0 "reseal" reseal "${with[@]}"
! cmp -s "$ring" single && [ "$(providers)" = fake ] && inside | cmp -s - told &&
	[ "$(head -1 out)" = "slot 1 resealed" ]
ok $? "one slot, a new one, with the same inside"
# A blob is BLOB and the secret.
secret_of() { grep -aboF BLOB "$1" | { IFS=: read -r at _; tail -c +$((at + 5)) "$1" | head -c 32 | sha256sum; }; }
[ "$(secret_of single)" != "$(secret_of "$ring")" ] && [ "$(grep -aoF BLOB "$ring" | wc -l)" -eq 1 ]
ok $? "with a secret of its own"
exits 0 "to another provider" reseal "${with[@]}" --provider fake2
[ "$(providers)" = fake2 ] && inside | cmp -s - told
ok $? "that one alone, with the same inside"
run add-provider "${with[@]}" --provider fake
refuses 2 "reseal without --slot, of two" 'say with --slot' reseal "${with[@]}"
refuses 2 "reseal a slot that is not there" 'no slot 3' reseal "${with[@]}" --slot 3
mode gone fake2
exits 0 "reseal a slot that does not open, through the other" reseal "${with[@]}" --slot 1 --provider fake
mode ok
[ "$(providers)" = "fake fake" ] && [ "$("$tool" verify "${with[@]}" | grep -c ': opens$')" -eq 2 ]
ok $? "both open"
run reseal "${with[@]}" --slot 2 --provider fake2
[ "$(providers)" = "fake fake2" ] && inside | cmp -s - told
ok $? "the second slot: in its place, with the same inside"
for try in "3 gone unavailable" "4 denied denies" "1 strange bound.to" "1 long 36.bytes" "4 other wrong.secret"; do
	read -r code word pattern <<<"$try"
	new_ring --provider fake
	mode "$word" fake2
	refuses "$code" "the new provider is \"$word\"" "$pattern" reseal "${with[@]}" --provider fake2
	mode ok
done
[ "$(files)" = keyring ]
ok $? "no other file is left"

# A policy is not dropped by an oversight.
new_ring --provider tpm2 --pcrs 0,7
refuses 2 "reseal of a slot with PCRs, without" 'Give --pcrs again, or --no-pcrs' reseal "${with[@]}"
exits 2 "--pcrs and --no-pcrs" reseal "${with[@]}" --pcrs 0 --no-pcrs
exits 0 "with other PCRs" reseal "${with[@]}" --pcrs 4
grep -q 'policy "pcr sha256:4"' out
ok $? "they are recorded"
exits 0 "with --no-pcrs" reseal "${with[@]}" --no-pcrs
grep -q 'policy "none"' out
ok $? "that is recorded, too"
refuses 2 "an option of the wrong provider" '"--with-key" is one of key provider "systemd-creds"' reseal "${with[@]}" --with-key host
refuses 2 "an option for sealing where another one seals" '"--pcrs" is one of key provider "tpm2"' \
	add-provider "${with[@]}" --provider fake --pcrs 7
refuses 2 "an option of a provider that no slot has" '"--command" is one of' trust "${with[@]}" --command true $realm $kcv
exits 2 "verify --command" verify "${with[@]}" --command true
exits 0 "an option of a slot's provider" verify "${with[@]}" --tcti some
tail -1 providers/arguments | grep -qx 'tpm2 unseal --tcti some'
ok $? "it reaches the provider"

# Provider "command" finds its command there alone.
new_ring --provider fake
refuses 2 "provider command without a command" 'needs option "--command"' add-provider "${with[@]}" --provider command
refuses 1 "a command that only hands the secret back" 'gave back the secret itself' \
	add-provider "${with[@]}" --provider command --command cat
refuses 1 "one that hides it among others" 'gave back the secret itself' \
	add-provider "${with[@]}" --provider command \
	--command "case \$1 in seal) printf BLOB; cat; echo end ;; *) tail -c +5 | head -c 32 ;; esac"
turn="LC_ALL=C tr '\\000-\\377' '\\200-\\377\\000-\\177'"
exits 0 "with one" add-provider "${with[@]}" --provider command --command "$turn # '\$1' \"x\""
exits 0 "verify with it" verify "${with[@]}" --command "$turn"
run verify "${with[@]}"
[ "$rc" -ne 0 ] && [ "$(grep -c ': opens$' out)" -eq 1 ]
ok $? "verify without it: that slot does not open"
exits 2 "a seal without --command" reseal "${with[@]}" --slot 2

# ---------------------------------------------------------------------------
# The credential file
# ---------------------------------------------------------------------------

store=$dir/keys/store
cred=$store/themis.root
seal=(--provider systemd-creds --with-key host --credential "$cred")
credential_tests()
{
	local kind

	new_ring --provider fake
	rm -rf "$store"
	refuses 2 "systemd-creds without --with-key" 'needs option "--with-key"' add-provider "${with[@]}" --provider systemd-creds
	refuses 2 "a name with a slash" 'must be one of a file' \
		add-provider "${with[@]}" --provider systemd-creds --with-key host --credential-name a/b
	exits 0 "add-provider systemd-creds" add-provider "${with[@]}" "${seal[@]}"
	[ "$(stat -c '%a %U' "$cred")" = "600 $me" ] && [ "$(stat -c %a "$store")" = 700 ] &&
		grep -qxF "credential: $cred" out
	ok $? "the credential is there, mode 600, in a folder of mode 700"
	grep -q 'slot 2: provider systemd-creds, binding host, policy "credential themis.root"' out
	ok $? "and the slot is recorded"
	run show "${with[@]}" --json
	grep -q '"type_id": "5a1c6a86df9d4096b1d5a65e0862f19a"' out
	ok $? "with its type id"
	exits 0 "verify" verify "${with[@]}" --credential "$cred"
	grep -qx 'systemd-creds unseal --decrypt' providers/arguments
	ok $? "it decrypts what the slot holds"
	if [ "$(id -u)" -ne 0 ]; then
		: >providers/arguments
		CREDENTIALS_DIRECTORY=/run/of/unit run verify "${with[@]}" --credential "$cred"
		grep -qx 'systemd-creds unseal --directory /run/of/unit' providers/arguments
		ok $? "within a unit, what the unit was given"
	else
		skip "within a unit, what the unit was given" "root decrypts"
	fi
	mv "$cred" "$cred.away"
	exits 1 "verify, the file is gone" verify "${with[@]}" --credential "$cred"
	grep -q 'slot 2: .* opens, but credential file .* does not exist' out
	ok $? "it says so"
	(umask 077; echo other >"$cred")
	exits 4 "verify, the file is another one" verify "${with[@]}" --credential "$cred"
	grep -q 'is not the one that this slot was sealed with' out
	ok $? "it says so"
	mv "$cred.away" "$cred"
	mode type systemd-creds
	exits 4 "verify, the credential is of another type" verify "${with[@]}" --credential "$cred"
	grep -q 'of another type than the slot records' out
	ok $? "it says so"
	mode ok

	cp "$cred" credential
	exits 0 "reseal" reseal "${with[@]}" --slot 2 "${seal[@]}"
	! cmp -s "$cred" credential && [ "$(providers)" = "fake systemd-creds" ]
	ok $? "the file is the new one"
	exits 0 "verify" verify "${with[@]}" --credential "$cred"
	refuses 1 "one more slot with the same file" 'exists, and is not one that this may replace' add-provider "${with[@]}" "${seal[@]}"
	exits 0 "one more with another" add-provider "${with[@]}" --provider systemd-creds --with-key host \
		--credential-name second --credential "$store/second"
	cp "$cred" credential
	refuses 1 "reseal slot 3 onto the file of slot 2" 'exists, and is not one' reseal "${with[@]}" --slot 3 "${seal[@]}"
	cmp -s "$cred" credential
	ok $? "it is not touched"
	run remove-provider "${with[@]}" --slot 3

	# What is not the tool's is not touched.
	cp "$cred" credential
	for kind in other symlink dangling fifo folder hardlink; do
		rm -rf "$cred" target
		case $kind in
			other) (umask 077; echo mine >"$cred") ;;
			symlink) cp -p credential target; ln -s "$dir/target" "$cred" ;;
			dangling) ln -s "$dir/target" "$cred" ;;
			fifo) mkfifo -m 600 "$cred" ;;
			folder) mkdir "$cred" ;;
			hardlink) (umask 077; cat credential >target); ln target "$cred" ;;
		esac
		stat -c '%F %i %a %h' "$cred" >state
		refuses 1 "reseal over a credential that is: $kind" "credential file .*($kind|exists|symbolic|regular|link)" \
			reseal "${with[@]}" --slot 2 "${seal[@]}"
		stat -c '%F %i %a %h' "$cred" | cmp -s - state
		ok $? "it is not touched"
	done
	[ ! -e target ] || cmp -s target credential
	ok $? "nor what a link leads to"
	rm -rf "$cred" target
	if [ "$(id -u)" -eq 0 ]; then
		install -m 600 -o nobody credential "$cred"
		refuses 1 "a credential of another owner" 'another owner' reseal "${with[@]}" --slot 2 "${seal[@]}"
		[ "$(stat -c %U "$cred")" = nobody ] && cmp -s "$cred" credential
		ok $? "it is not touched"
		rm "$cred"
	else
		skip "a credential of another owner" "only root can make one"
	fi
	install -m 600 credential "$cred"
	exits 0 "the recorded one again" reseal "${with[@]}" --slot 2 "${seal[@]}"

	# A failure after the file was written takes it back.
	cp "$ring" before
	cp "$cred" credential
	chmod 500 "$store"
	if [ "$(id -u)" -ne 0 ]; then
		refuses_back "the credential cannot be written"
	else
		skip "the credential cannot be written" "root can"
	fi
	chmod 700 "$store"

	# Init: the credential comes first, and is removed if the keyring fails.
	rm -rf "$ring" "$store"
	exits 0 "init with systemd-creds" init "${with[@]}" --owner "$me" --no-recovery "${seal[@]}"
	[ -s "$cred" ] && [ "$(providers)" = systemd-creds ] && grep -qxF "credential: $cred" out
	ok $? "keyring and credential are there"
	exits 0 "verify" verify "${with[@]}" --credential "$cred"
	rm "$ring"
	exits 1 "init again, the credential is still there" init "${with[@]}" --owner "$me" --no-recovery "${seal[@]}"
	says 'exists, and is not one that this may replace'
	says 'left by an init that was interrupted'
	[ ! -e "$ring" ]
	ok $? "no keyring is made"
	rm "$cred"
	exits 1 "init into a folder that is not there" init --keyring "$dir/none/keyring" --provider-dir "$dir/providers" \
		--owner "$me" --no-recovery "${seal[@]}"
	[ ! -e "$cred" ]
	ok $? "the credential is taken back"
}

# refuses_back NAME: a reseal that fails late, and puts all back.
refuses_back()
{
	run reseal "${with[@]}" --slot 2 "${seal[@]}"
	[ "$rc" -eq 1 ] && cmp -s "$ring" before && cmp -s "$cred" credential && grep -q 'the keyring is as it was' err
	ok $? "$1: all is as it was"
}
credential_tests

# ---------------------------------------------------------------------------
# Killed
# ---------------------------------------------------------------------------

# Stop the process at the Nth fsync or rename: before it (odd) or after it.
cat >stop.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
static int	point;
static void
step(void)
{
	const char *at = getenv("STOP_AT");

	if (at != NULL && ++point == atoi(at))
		kill(getpid(), SIGKILL);
}
#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))
int
fsync(int fd)
{
	int			result;

	step();
	result = REAL(fsync) (fd);
	step();
	return result;
}
int
renameat(int a, const char *b, int c, const char *d)
{
	int			result;
	extern int	renameat(int, const char *, int, const char *);

	step();
	result = REAL(renameat) (a, b, c, d);
	step();
	return result;
}
int
renameat2(int a, const char *b, int c, const char *d, unsigned int e)
{
	int			result;
	extern int	renameat2(int, const char *, int, const char *, unsigned int);

	step();
	result = REAL(renameat2) (a, b, c, d, e);
	step();
	return result;
}
C
stopper=
if command -v cc >/dev/null && cc -shared -fPIC -o stop.so stop.c -ldl 2>cc.log &&
	LD_PRELOAD=$dir/stop.so "$tool" --help >/dev/null 2>&1; then
	stopper=$dir/stop.so
fi

# whole: whether one slot opens, with what systemd would give the server, and
# the keyring has the same inside as ever.
whole()
{
	run verify "${with[@]}" ${check[@]+"${check[@]}"}
	grep -q ': opens$' out && inside 2>/dev/null | cmp -s - told
}

# killed NAME WAY ARGUMENT...: a run that is killed at every step of one kind.
killed()
{
	local name=$1 way=$2 n=0 bad=0 states='' after

	shift 2
	while [ $((n += 1)) -lt 60 ]; do
		cp -p start "$ring"
		rm -f "$store"/* keys/.keyring.*
		[ ! -e start.credential ] || install -m 600 start.credential "$cred"
		if [ "$way" = call ]; then
			echo $n >providers/kill_at
			"$tool" "$@" >/dev/null 2>&1
			after=$?
			rm -f providers/kill_at
		else
			STOP_AT=$n LD_PRELOAD=$stopper "$tool" "$@" >/dev/null 2>&1
			after=$?
		fi
		[ $after -eq 0 ] && break
		[ $after -eq 137 ] || bad=$((bad + 1))
		whole || { bad=$((bad + 1)); echo "# $name: step $n"; sed 's/^/# /' out err; }
		states="$states $(providers | wc -w)"
	done 2>/dev/null
	rm -f keys/.keyring.* "$store"/.themis.root.*
	[ $bad -eq 0 ] && [ $n -gt 2 ] && [ $n -lt 60 ] && [ $after -eq 0 ] && whole
	ok $? "$name, killed at each of $((n - 1)) steps ($way): a slot opens always (slots:$states)"
}

killed_all()
{
	local way=$1

	check=()
	rm -f start.credential
	new_ring --provider fake
	inside >told
	cp -p "$ring" start
	killed "add-provider" "$way" add-provider "${with[@]}" --provider fake2
	killed "reseal" "$way" reseal "${with[@]}" --provider fake2
	"$tool" add-provider "${with[@]}" --provider fake2 >/dev/null 2>&1
	cp -p "$ring" start
	killed "remove-provider" "$way" remove-provider "${with[@]}" --slot 2

	check=(--credential "$cred")
	rm -rf "$store" "$ring"
	"$tool" init "${with[@]}" --owner "$me" --no-recovery "${seal[@]}" >/dev/null 2>&1
	inside >told
	cp -p "$ring" start
	cp -p "$cred" start.credential
	killed "reseal of a credential" "$way" reseal "${with[@]}" "${seal[@]}"
	# One step before the end: both slots, and the work goes on.
	if [ "$way" = call ]; then
		cp -p start "$ring"
		install -m 600 start.credential "$cred"
		mode ok
		for n in $(seq 60); do
			echo "$n" >providers/kill_at
			"$tool" reseal "${with[@]}" "${seal[@]}" >/dev/null 2>&1
			[ "$(providers | wc -w)" -ne 2 ] || break
		done 2>/dev/null
		rm -f providers/kill_at
		run verify "${with[@]}" "${check[@]}"
		opens=$(sed -n 's/^slot \([12]\): .*: opens$/\1/p' out)
		[ "$(wc -w <<<"$opens")" -eq 1 ]
		ok $? "interrupted between: verify tells which of two slots opens"
		exits 0 "the other one is removed" remove-provider "${with[@]}" --slot $((3 - opens))
		exits 0 "and reseal goes through" reseal "${with[@]}" "${seal[@]}"
		whole
		ok $? "the keyring is whole"
	fi
}
killed_all call
if [ -n "$stopper" ]; then
	killed_all disk
else
	skip "killed at each fsync and rename" "missing cc, or a tool that cannot be stopped"
fi

# ---------------------------------------------------------------------------
# Others
# ---------------------------------------------------------------------------

new_ring --provider fake
rm -rf "$store"
mode wait fake2
touch providers/arguments
"$tool" add-provider "${with[@]}" --provider fake2 >/dev/null 2>&1 &
for i in $(seq 100); do
	[ -e providers/waiting ] && break
	sleep 0.05
done
mode ok
for command in "add-provider --provider fake" "remove-provider --slot 1" "reseal"; do
	# shellcheck disable=SC2086
	refuses 1 "${command%% *} while another process changes the keyring" 'is being changed' $command "${with[@]}"
done
rm providers/waiting
wait $!
ok $? "the first one succeeds"
[ "$(providers)" = "fake fake2" ]
ok $? "with its slot"
cp "$ring" changed
new_ring --provider fake
mode change fake2
run add-provider "${with[@]}" --provider fake2
[ "$rc" -eq 1 ] && cmp -s "$ring" changed
ok $? "a keyring that changed meanwhile is not overwritten"
mode ok

if [ "$(id -u)" -eq 0 ] && setpriv --reuid nobody --clear-groups test -x "$dir"; then
	rm -f "$ring"
	chmod 755 keys
	as_nobody=(--owner nobody --no-recovery --provider fake)
	exits 0 "init for another owner" init "${with[@]}" "${as_nobody[@]}"
	mode root fake2
	refuses 3 "add a provider that the owner may not use" 'user "nobody" cannot open' add-provider "${with[@]}" --provider fake2
	refuses_nobody="user \"nobody\" cannot open"
	cp "$ring" before
	run reseal "${with[@]}" --provider fake2
	[ "$rc" -eq 3 ] && grep -q "$refuses_nobody" err && [ "$(providers)" = fake ]
	ok $? "reseal to it: refused, and the old slot is back"
	mode ok
	exits 0 "reseal as root" reseal "${with[@]}" --provider fake2
	[ "$(stat -c '%a %U' "$ring")" = "600 nobody" ]
	ok $? "the keyring is still its owner's"
	exits 0 "add systemd-creds as root" add-provider "${with[@]}" "${seal[@]}"
	says 'Slot 2 opens for root, and for user "nobody" only within the unit'
	exits 0 "verify as root" verify "${with[@]}" --credential "$cred"
else
	skip "another owner" "only root can"
fi

# ---------------------------------------------------------------------------
# A TPM
# ---------------------------------------------------------------------------

if has_tpm2; then
	tcti=$("$cluster" swtpm-start "$dir/tpm" | sed -n 's/^TCTI=//p')
	owner=$(stat -c %U "$dir/tpm")
	rm -f "$ring"
	with=(--keyring "$ring")
	exits 0 "init with a TPM" init "${with[@]}" --tcti "$tcti" --owner "$owner" --no-recovery
	inside --tcti "$tcti" >told
	exits 0 "reseal to the same TPM" reseal "${with[@]}" --tcti "$tcti"
	inside --tcti "$tcti" | cmp -s - told
	ok $? "the same inside"
	with=(--keyring "$ring" --tcti "$tcti")
	exits 0 "one more slot of the TPM" add-provider "${with[@]}" --provider tpm2
	exits 0 "the first one removed" remove-provider "${with[@]}" --slot 1
	inside | cmp -s - told
	ok $? "the same inside"
	"$cluster" swtpm-stop "$dir/tpm" >/dev/null
	refuses 3 "reseal without the TPM" 'is unavailable' reseal "${with[@]}"
else
	skip "reseal with a TPM" "missing provider tpm2, swtpm or test/cluster"
fi

! grep -q 'AddressSanitizer\|runtime error' all_output
ok $? "no sanitizer had anything to say"

echo "1..$tests"
[ "$failures" -eq 0 ]
