#!/bin/bash
#
# themis_keyring_json.sh
#	  The results of themis-keyring for programs: --json.
#
# Goal of this test:
# - Each command with --json prints exactly one object, also where it fails,
#   with the command first and the exit code last.
# - The keys are those that contrib-keyprov/keyring/README.md documents.
# - Whatever bytes a name or a path has, the output is JSON.
#
# Usage: themis_keyring_json.sh [PROGRAM]
#
# Prints TAP.  Commands that need a server: themis_keyring_people.sh.
#
# test/unit/themis_keyring_json.sh

set -u
. "$(dirname "$0")/themis_keyring.bash"
if ! command -v python3 >/dev/null; then
	echo "1..0 # SKIP missing python3"
	exit 0
fi
more_providers

ring=$dir/keys/keyring
with=(--keyring "$ring" --provider-dir "$dir/providers" --json)
realm=00112233445566778899aabbccddeeff
kcv=0123456789abcdef0123456789abcdef

# Strict: one value, UTF-8, no name twice, no NaN, nothing behind it.
cat >check.py <<'PY'
import json, sys

def once(pairs):
    names = [name for name, value in pairs]
    assert len(names) == len(set(names)), "a name twice"
    return dict(pairs)

def no(word):
    raise ValueError(word)

text = open("out", "rb").read().decode("utf-8", "strict")
result = json.loads(text, object_pairs_hook=once, parse_constant=no)
assert list(result)[0] == "command" and list(result)[-1] == "exit_code", "order"
assert result["command"] == sys.argv[1], "command"
assert result["exit_code"] == int(sys.argv[2]), "exit code"
assert " ".join(sorted(result)) == " ".join(sorted(sys.argv[3].split())), "keys: " + " ".join(result)
for claim in sys.argv[4:]:
    assert eval("(" + claim + ")", {"r": result}), claim
PY

# prints CODE "KEYS" "CLAIM..." COMMAND ARGUMENT...: a run, and what it prints
# besides command and exit_code.  A claim is about the object r.
prints()
{
	local code=$1 keys=$2 claim=$3

	shift 3
	run "$@"
	[ "$rc" -eq "$code" ] && python3 check.py "$1" "$code" "command exit_code $keys" "$claim" 2>>err
	ok $? "$1, exit code $code${keys:+: $keys}"
}

slot_keys='all(set(s) == {"slot", "provider", "binding", "policy", "blob_bytes"} for s in r["slots"])'
prints 0 "public_key fingerprint" 'r["public_key"].startswith("tcpub1:")' recovery-keygen --out keys/safe.key --json
run recovery-pubkey --identity keys/safe.key
cp out keys/safe.pub
prints 0 "public_key fingerprint" 'r["public_key"] == open("keys/safe.pub").read().strip()' recovery-pubkey --identity keys/safe.key --json
prints 1 "" True recovery-keygen --out keys/safe.key --json
[ -s err ]
ok $? "the reason stays on standard error"

prints 0 "keyring owner instance slots recipients" "r['keyring'] == '$ring' and r['owner'] == '$me' and $slot_keys and
	[set(x) for x in r['recipients']] == 2 * [{'role', 'public_key', 'name', 'fingerprint'}] and
	[x['role'] for x in r['recipients']] == ['machine', 'recovery']" \
	init "${with[@]}" --provider fake --owner "$me" --name here --recovery-pubkey keys/safe.pub
prints 1 "" True init "${with[@]}" --provider fake --owner "$me" --no-recovery
prints 0 "instance slots" "$slot_keys and r['slots'][0]['slot'] == 1 and r['slots'][0]['policy'] == 'none at all'" show "${with[@]}"
prints 0 "result" 'r["result"] == "trusted"' trust "${with[@]}" $realm $kcv
prints 0 "result" 'r["result"] == "already trusted"' trust "${with[@]}" $realm $kcv
prints 0 "instance slots recipients trusted_roots" \
	"r['trusted_roots'] == [{'realm': '$realm', 'fingerprint': '$kcv'}] and r['recipients'][0]['name'] == 'here'" \
	show "${with[@]}" --unseal --name here
prints 0 "result" 'r["result"] == "no longer trusted"' distrust "${with[@]}" $realm $kcv
prints 1 "" True distrust "${with[@]}" $realm $kcv
prints 0 "slots" 'r["slots"] == [{"slot": 1, "provider": "fake", "opens": True, "exit_code": 0}]' verify "${with[@]}"
prints 0 "result slot keyring instance slots" 'r["result"] == "added" and r["slot"] == 2 and len(r["slots"]) == 2' \
	add-provider "${with[@]}" --provider fake2
mode gone fake2
prints 3 "slots" 'r["slots"][0]["opens"] and r["slots"][1] == {"slot": 2, "provider": "fake2", "opens": False,
	"exit_code": 3, "reason": "key provider \"fake2\" is unavailable: no device"}' verify "${with[@]}"
mode ok
prints 0 "result slot keyring instance slots" 'r["result"] == "resealed" and r["slot"] == 2' reseal "${with[@]}" --slot 2 --provider fake
prints 0 "result slot keyring instance slots" 'r["result"] == "removed" and r["slot"] == 1 and len(r["slots"]) == 1' \
	remove-provider "${with[@]}" --slot 1
prints 1 "" True remove-provider "${with[@]}" --slot 1
prints 2 "" True remove-provider "${with[@]}" --slot 3
prints 0 "result slot keyring instance slots credential" "r['credential'] == '$dir/keys/store/c' and
	r['slots'][1]['type_id'] == '5a1c6a86df9d4096b1d5a65e0862f19a'" \
	add-provider "${with[@]}" --provider systemd-creds --with-key host --credential "$dir/keys/store/c"
prints 0 "slots" 'r["slots"][1]["opens"]' verify "${with[@]}" --credential "$dir/keys/store/c"
prints 1 "slots" 'r["slots"][1]["opens"] and r["slots"][1]["exit_code"] == 1 and "does not exist" in r["slots"][1]["reason"]' \
	verify "${with[@]}" --credential "$dir/keys/store/none"

# Bytes of every kind in a path.
strange=$dir/keys/$(printf 'a"b\\c\td\001\177\303\244\377\355\240\200\360\237\224\221')
mkdir "$strange"
prints 0 "keyring owner instance slots recipients" \
	'r["keyring"].endswith("a\"b\\c\td\x01\x7f\u00e4\ufffd\ufffd\ufffd\ufffd\U0001F511/keyring")' \
	init --keyring "$strange/keyring" --provider-dir "$dir/providers" --json --provider fake --owner "$me" --no-recovery

run show --json=yes
[ "$rc" -eq 2 ] && [ ! -s out ]
ok $? "wrong usage prints no object"
"$tool" show "${with[@]}" >/dev/full 2>err
[ $? -eq 1 ]
ok $? "output that cannot be written: exit code 1"

# The documented keys are those tested here or there.
for key in command exit_code instance slots slot provider binding policy blob_bytes type_id recipients role \
	public_key name trusted_roots realm fingerprint version opens reason result keyring owner credential databases database roots root; do
	grep -q "\`$key\`" "$root/contrib-keyprov/keyring/README.md" || missing="${missing:-} $key"
done
[ -z "${missing:-}" ]
ok $? "README.md documents all keys${missing:+ but:$missing}"

echo "1..$tests"
[ "$failures" -eq 0 ]
