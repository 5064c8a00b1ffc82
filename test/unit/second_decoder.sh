#!/bin/bash
# Goal of this test: a decoder written from src/FORMAT alone, in another
# language, reads what the C code writes.
#
# - every frozen vector
# - from the command line: a value by its DEK, a value by root and wrap, a
#   pending one, a record by each of its recipients, and the whole way from a
#   keyring file to a plaintext
# - what is altered is refused
set -u

here=$(cd "$(dirname "$0")" && pwd)
decode=$here/decode.py
vectors=$here/vectors.txt

if ! python3 -c '' 2>/dev/null; then
	echo "1..0 # SKIP missing python3"
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
bad=0

is() {	# WHAT EXPECTED GOT
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		bad=1
		echo "not ok $n - $1"
		printf '# expected %s\n# got      %s\n' "$2" "$3"
	fi
}

vector() { sed -n "s/^$1 //p" "$vectors"; }

hex() { od -An -v -tx1 | tr -d ' \n'; }

option() { vector "$1" | python3 -c 'import base64, sys
print(base64.urlsafe_b64encode(bytes.fromhex(sys.stdin.read())).decode().rstrip("="), end="")'; }

realm=$(vector realm)
uuid=$(vector uuid)

code=0
python3 "$decode" check "$vectors" >"$work/check" 2>&1 || code=$?
grep '^not ok' "$work/check" | sed 's/^/# /'
is "all frozen vectors decode" 0 "$code"
is "and there are 135 claims about them" 135 "$(grep -c '^ok' "$work/check")"

is "a value, by its DEK" "123-45-6789" \
	"$(python3 "$decode" value "$(vector value.text.armor)" --realm "$realm" --uuid "$uuid" --dek "$(vector dek)")"
is "a value, by root and wrap" "123-45-6789" \
	"$(python3 "$decode" value "$(vector value.text.armor)" --realm "$realm" --uuid "$uuid" \
		--root "$(vector root)" --wrap "xchacha20poly1305:$(option value.wrap)")"
is "an empty value" "" \
	"$(python3 "$decode" value "$(vector value.empty.armor)" --realm "$realm" --uuid "$uuid" --dek "$(vector dek)" | hex)"
for algorithm in aes256gcm aegis256; do
	is "a value of $algorithm, by its DEK" "123-45-6789" \
		"$(python3 "$decode" value "$(vector $algorithm.text.armor)" --realm "$realm" --uuid "$uuid" --dek "$(vector dek)")"
	is "by root and wrap" "123-45-6789" \
		"$(python3 "$decode" value "$(vector $algorithm.text.armor)" --realm "$realm" --uuid "$uuid" \
			--root "$(vector root)" --wrap "$algorithm:$(option $algorithm.wrap)")"
done
published=${TC_VECTORS:-$here/../../../shared/vectors}/aes_gcm_test.json
if [ -r "$published" ]; then
	python3 "$here/vectors.py" aead "$published" >"$work/gcm"
	is "its AES-256-GCM is that of Project Wycheproof" "66 agreed, 0 wrong" "$(python3 "$decode" gcm "$work/gcm")"
else
	n=$((n + 1))
	echo "ok $n - aes_gcm_test.json # SKIP the vectors are not here: TC_VECTORS names their folder"
fi
is "a searchable value" "$(vector value.searchable.plain)" \
	"$(python3 "$decode" value "$(vector value.searchable.armor)" --realm "$realm" --uuid "$uuid" --dek "$(vector dek)" | hex)"
pending=$(vector value.pending.armor)
is "a pending value, by its transit key" "5200.50" \
	"$(python3 "$decode" value "$pending" --realm "$realm" --uuid "$realm" --dek "$(vector transit.key)")"
is "a pending value, by root and wrap" "5200.50" \
	"$(python3 "$decode" value "$pending" --realm "$realm" --uuid "$realm" \
		--root "$(vector root)" --wrap "xchacha20poly1305:$(option transit.wrap)")"

token_of() {	# VALUE ALGORITHM WRAP
	python3 "$decode" token "$(vector "$1.armor")" --realm "$realm" --uuid "$uuid" --root "$(vector root)" \
		--wrap "xchacha20poly1305:$(option value.wrap)" --index "$2:$(option "$3")" 2>&1
}
is "a token, by root and wraps" "$(vector token.numeric.blake2b)" "$(token_of value.numeric blake2b index.wrap)"
is "one by the other algorithm" "$(vector token.interval.siphash128)" \
	"$(token_of value.interval siphash128 index.siphash128.wrap)"
is "which is not the first one's" "refused: rejected" "$(token_of value.interval blake2b index.siphash128.wrap)"
is "nor its key" "refused: rejected: another token" "$(token_of value.interval blake2b index.wrap)"

record=$(vector record.option)
is "a record, by the recovery identity" "$(vector root)" \
	"$(python3 "$decode" record "$record" --identity "$(vector recovery.identity)" | sed -n 's/^root //p')"
is "which did not attest it" no \
	"$(python3 "$decode" record "$record" --identity "$(vector recovery.identity)" | sed -n 's/^attested //p')"

# The whole way: keyring file, seed, root, value.
vector keyring.file | python3 -c 'import sys
sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' >"$work/keyring"
seed=$(python3 "$decode" keyring "$work/keyring" --slot 1 --secret "$(vector keyring.secret1)" | sed -n 's/^seed //p')
root=$(python3 "$decode" record "$record" --seed "$seed" | sed -n 's/^root //p')
is "from the keyring file to the plaintext" "123-45-6789" \
	"$(python3 "$decode" value "$(vector value.text.armor)" --realm "$realm" --uuid "$uuid" \
		--root "$root" --wrap "xchacha20poly1305:$(option value.wrap)")"

refused() {	# WHAT ARGUMENT...
	local what=$1
	shift
	python3 "$decode" "$@" >"$work/out" 2>"$work/err"
	is "$what" "1 refused:" "$? $(cat "$work/out")$(cut -d' ' -f1 "$work/err")"
}
other=$(vector uuid | tr b c)
refused "another uuid" value "$(vector value.text.armor)" --realm "$realm" --uuid "$other" --dek "$(vector dek)"
refused "another wrap" value "$(vector value.text.armor)" --realm "$realm" --uuid "$uuid" \
	--root "$(vector root)" --wrap "xchacha20poly1305:$(option index.wrap)"
refused "another algorithm's wrap" value "$(vector aegis256.text.armor)" --realm "$realm" --uuid "$uuid" \
	--root "$(vector root)" --wrap "xchacha20poly1305:$(option aegis256.wrap)"
refused "a wrap of another algorithm" value "$(vector aes256gcm.text.armor)" --realm "$realm" --uuid "$uuid" \
	--root "$(vector root)" --wrap "aes256gcm:$(option aegis256.wrap)"
refused "a changed character" value "$(vector value.text.armor | sed 's/7mMTE$/7mMTA/')" \
	--realm "$realm" --uuid "$uuid" --dek "$(vector dek)"
refused "padding" value "$(vector value.text.armor)=" --realm "$realm" --uuid "$uuid" --dek "$(vector dek)"
refused "another provider secret" keyring "$work/keyring" --slot 1 --secret "$(vector keyring.secret0)"
refused "a stranger" record "$record" --seed "$(vector root)"

echo "1..$n"
exit $bad
