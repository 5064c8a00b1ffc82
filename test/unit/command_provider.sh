#!/bin/bash
#
# command_provider.sh
#	  The key provider command, and its example with a PKCS#11 token.
#
# Goal of this test:
# - The command gets verb, input and nothing else, and its answer goes through
#   as it is.
# - The example's secret comes back from the same token with the right PIN
#   only; each failure has its exit code.
# - Neither secret nor PIN is in a blob, a message, or an argument.
#
# Usage: command_provider.sh PROGRAM
#
# Prints TAP.  Needs no privileges.
#
# test/unit/command_provider.sh

set -u
export LC_ALL=C

program=$(realpath "${1:?usage: command_provider.sh PROGRAM}")
example=$(realpath "$(dirname "$0")/../../contrib-keyprov/command/pkcs11-example")
module=/usr/lib/softhsm/libsofthsm2.so
for tool in softhsm2-util pkcs11-tool; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP missing $tool"; exit 0; }
done
[ -e $module ] || { echo "1..0 # SKIP missing $module"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
tests=0
failures=0
rc=

ok()	# STATUS NAME
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

# Run the program as its caller does.  Sets $rc; output in out and err.
run()	# VERB INPUT [OPTION...]
{
	local verb=$1 input=$2
	shift 2
	{ (cd / && exec env -i PATH=/usr/bin:/bin LC_ALL=C timeout -s KILL 20 \
		"$program" "$verb" "$@") <"$input" >out 2>err; } 2>/dev/null
	rc=$?
	cat err >>all_messages
}

exits()	# CODE NAME VERB INPUT [OPTION...]
{
	local code=$1 name=$2
	shift 2
	run "$@"
	[ "$rc" -eq "$code" ]
	ok $? "$name: exit code $code"
}

says()	# TEXT
{
	[ "$(cat err)" = "$1" ]
	ok $? "and the message is: $1"
}

head -c 32 /dev/urandom >secret
head -c 16384 /dev/urandom >big
: >nothing

# --- the program -----------------------------------------------------------------

exits 0 "seal" seal secret --command 'cat; echo "$0 $#"; printf %s "$1"'
printf '%s' "$(cat secret | od -An -v -tx1 | tr -d ' \n')" >want
[ "$(od -An -v -tx1 -N32 out | tr -d ' \n')" = "$(cat want)" ]
ok $? "the command reads what the caller gives"
[ "$(tail -c +33 out | tr '\n' ' ')" = "sh 1 seal" ]
ok $? "and has the verb as its only argument"
exits 0 "unseal" unseal big --command 'test "$1" = unseal && cat'
cmp -s big out
ok $? "the largest blob goes through unchanged"
exits 0 "environment" unseal nothing --command 'exec env'
[ "$(grep -v '^PWD=' out | sort | tr '\n' ' ')" = "LC_ALL=C PATH=/usr/bin:/bin " ]
ok $? "the command has PATH and LC_ALL, nothing else"
exits 0 "umask" unseal nothing --command 'umask; ulimit -c'
[ "$(tr '\n' ' ' <out)" = "0077 0 " ]
ok $? "what it writes is its own, and it dumps no core"

for code in 1 10 11 20 21 22 23 64 70 77; do
	exits $code "a command that ends so" unseal big --command "echo because >&2; exit $code"
done
says because
exits 137 "a command that is killed" unseal big --command 'kill -KILL $$'
exits 127 "a command that is not there" unseal big --command /nonexistent

exits 0 "info" info big
[ "$(cat out)" = $'provider=command\nbinding=external' ]
ok $? "info says that the secret is kept elsewhere"
exits 0 "info runs no command" info big --command 'echo evil'
! grep -q evil out
ok $? "really"
exits 22 "info on nothing" info nothing
exits 22 "info on too much" info <(cat big nothing; echo)
exits 64 "no command" unseal big
exits 64 "an empty command" unseal big --command ''
exits 64 "option without value" unseal big --command
exits 64 "another option" unseal big --comand x
exits 64 "another verb" open big --command cat
exits 64 "no verb" '' big

# --- the example -----------------------------------------------------------------

pin=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
mkdir tokens
cat >softhsm.conf <<END
directories.tokendir = $dir/tokens
objectstore.backend = file
log.level = ERROR
END
export SOFTHSM2_CONF=$dir/softhsm.conf
new_token()	# LABEL ID...
{
	local label=$1 id
	shift
	softhsm2-util --init-token --free --label "$label" --so-pin 12345678 --pin "$pin" >>setup 2>&1 || return 1
	for id in "$@"; do
		PIN=$pin pkcs11-tool --module $module --token-label "$label" --login --pin env:PIN \
			--keygen --key-type AES:32 --id "$id" --label root --sensitive >>setup 2>&1 || return 1
	done
}
new_token themis 01 02 && new_token other 01
ok $? "tokens"
(umask 077; echo "$pin" >pin)

# The command, with options changed.
with()	# [OPTION VALUE]...
{
	echo "SOFTHSM2_CONF=$SOFTHSM2_CONF $example \"\$1\" --module $module --token themis --key 01 --pin-file $dir/pin $*"
}
exits 0 "seal" seal secret --command "$(with)"
cp out blob
exits 0 "unseal" unseal blob --command "$(with)"
cmp -s secret out
ok $? "the secret comes back"
exits 0 "seal again" seal secret --command "$(with)"
cmp -s blob out
[ $? -eq 1 ]
ok $? "and the blob is another one"
printf '%s' "$pin" >pin
exits 0 "a PIN file without end of line" unseal blob --command "$(with)"
cmp -s secret out
ok $? "opens, too"

exits 10 "no such token" unseal blob --command "$(with --token nobody)"
says 'the token "nobody" is not there'
exits 20 "no such key" unseal blob --command "$(with --key 03)"
says 'the token has no key with id 03'
for other in '--key 02' '--token other'; do
	run unseal blob --command "$(with "$other")"
	! cmp -s secret out
	ok $? "another key ($other) does not give the secret: exit code $rc"
done
exits 64 "a missing option" unseal blob --command "$example \$1"
exits 70 "no such module" unseal blob --command "$(with --module /nonexistent)"
exits 70 "no PIN file" unseal blob --command "$(with --pin-file /nonexistent)"
chmod 640 pin
exits 70 "a PIN file that others read" unseal blob --command "$(with)"
chmod 600 pin
echo >pin
exits 70 "a PIN file whose first line is empty" unseal blob --command "$(with)"
says "the first line of PIN file \"$dir/pin\" is empty"
echo wrong1 >pin
exits 23 "a wrong PIN" unseal blob --command "$(with)"
says 'the token refused the PIN'
echo "$pin" >pin

# A blob cut off or altered gives no secret: its caller tells, by the size or
# the keyring.
size=$(stat -c %s blob)
bad=0
for ((i = 0; i < size; i += 5)); do
	head -c $i blob >short
	run unseal short --command "$(with)"
	[ $rc -ne 0 ] || ! cmp -s out secret || { bad=$((bad + 1)); echo "# opened with $i bytes"; }
	{ head -c $i blob; tail -c +$((i + 1)) blob | head -c 1 | tr '\000-\377' '\001-\377\000'; tail -c +$((i + 2)) blob; } >altered
	run unseal altered --command "$(with)"
	# what came before a failure is thrown away by the caller
	[ $rc -ne 0 ] || ! cmp -s out secret || { bad=$((bad + 1)); echo "# opened with byte $i altered"; }
done
[ $bad -eq 0 ]
ok $? "no part of a blob and no altered one gives the secret"
# What was altered decrypts to something, whatever it is.  With padding it would
# fail or not, and so give the secret away to whoever can alter and try again.
bad=0
for ((i = size - 32; i < size; i += 3)); do
	{ head -c $i blob; tail -c +$((i + 1)) blob | head -c 1 | tr '\000-\377' '\001-\377\000'; tail -c +$((i + 2)) blob; } >altered
	run unseal altered --command "$(with)"
	[ $rc -eq 0 ] && [ "$(stat -c %s out)" -eq 32 ] || { bad=$((bad + 1)); echo "# byte $i: exit code $rc"; }
done
[ $bad -eq 0 ]
ok $? "nothing but the keyring tells that a blob was altered"
exits 22 "a blob of something else" unseal secret --command "$(with)"
exits 22 "no blob" unseal nothing --command "$(with)"

# The arguments of the tool; its PIN it has from the environment.
mkdir bin
cat >bin/pkcs11-tool <<END
#!/bin/sh
echo "\$0 \$*" >$dir/arguments
env >$dir/environment
exec /usr/bin/pkcs11-tool "\$@"
END
chmod 755 bin/pkcs11-tool
run unseal blob --command "PATH=$dir/bin:\$PATH; export PATH; $(with)"
cmp -s secret out && grep -qF "$pin" environment
ok $? "the tool has the PIN"
! grep -qF "$pin" arguments
ok $? "but not as an argument"
! grep -qF "$pin" blob all_messages
ok $? "nor has the blob, or a message"
hex=$(od -An -v -tx1 secret | tr -d ' \n')
! { cat blob all_messages | od -An -v -tx1 | tr -d ' \n' | grep -qF "${hex:0:16}"; }
ok $? "the secret is in neither"

echo "1..$tests"
[ $failures -eq 0 ]
