#!/bin/bash
#
# themis_keyring_creds.sh
#	  themis-keyring with the real key provider systemd-creds.
#
# Goal of this test:
# - A keyring is made, checked and resealed with credentials that systemd itself
#   encrypts, under the host key and under a TPM, and systemd decrypts the file
#   beside it to what the slot's provider gives.
#
# Usage: themis_keyring_creds.sh [PROGRAM]
#
# Prints TAP.  Sealing is for root, and makes the host key of a machine: so this
# goes into a namespace where it is root, and into a tree of its own with
# nothing of the machine but its programs.  Skipped where that is forbidden.
#
# test/unit/themis_keyring_creds.sh

set -u
real=/usr/bin/systemd-creds

# Inside: the tree is / by now, and all of it ours.
if [ -n "${TC_INSIDE:-}" ]; then
	set -- /tool/themis-keyring
	. /test/unit/themis_keyring.bash
	ring=/keys/keyring
	cred=/etc/credstore.encrypted/themis.root name=themis.root
	with=(--keyring "$ring" --provider-dir /providers)
	with_tpm=("${with[@]}" --tpm2-device "$TC_INSIDE")

	# decrypted: whether what systemd makes of the file opens the keyring, as in a unit.
	decrypted()
	{
		local folder=$dir/credentials

		rm -rf "$folder"
		mkdir -m 700 "$folder"
		flush
		systemd-creds decrypt "$@" --name="$name" "$cred" - >"$folder/secret" 2>log &&
			python3 - "$folder/secret" "$ring" "$cred" <<-'PY'
				import sys
				secret, *others = [open(name, "rb").read() for name in sys.argv[1:]]
				sys.exit(len(secret) != 32 or any(secret in other for other in others))
			PY
	}
	# systemd 252 leaves sessions in a TPM without resource manager.
	flush()
	{
		for option in -l -s -t; do
			tpm2_flushcontext -T "$TC_INSIDE" $option 2>/dev/null
		done
		return 0
	}

	exits 0 "init with systemd-creds" init "${with[@]}" --owner root --no-recovery --provider systemd-creds --with-key host
	grep -qx 'slot 1: provider systemd-creds, binding host, policy "credential themis.root", blob [0-9]* bytes' out &&
		grep -qx "credential: $cred" out && [ "$(stat -c %a "$cred" /etc/credstore.encrypted | xargs)" = "600 700" ]
	ok $? "binding and credential are told, and in the place where systemd looks"
	exits 0 "verify" verify "${with[@]}"
	run show "${with[@]}" --json
	grep -q '"type_id": "5a1c6a86df9d4096b1d5a65e0862f19a"' out
	ok $? "the type of a credential under the host key is recorded"
	decrypted
	ok $? "systemd decrypts the file, and the secret is nowhere else"
	cp "$cred" first
	exits 0 "reseal" reseal "${with[@]}" --with-key host
	! cmp -s "$cred" first && decrypted && ! grep -q 'Nothing needs' err
	ok $? "the file is the new one"
	exits 0 "verify" verify "${with[@]}"
	cp "$cred" new
	cat first >"$cred"
	exits 4 "verify with the old file" verify "${with[@]}"
	cat new >"$cred"
	systemd-creds encrypt --with-key=tpm2-absent --name=themis.root new null 2>/dev/null ||
		systemd-creds encrypt --with-key=null --name=themis.root new null
	cat null >"$cred"
	exits 4 "verify with one under a null key" verify "${with[@]}"
	cat new >"$cred"
	exits 1 "a key that is none of ours" reseal "${with[@]}" --with-key auto
	mv /var/lib/systemd/credential.secret away
	exits 4 "verify on another host" verify "${with[@]}"
	mv away /var/lib/systemd/credential.secret

	tpm2_pcrextend -T "$TC_INSIDE" 7:sha256="$(printf '%064d' 1)" >log 2>&1
	flush
	exits 0 "one more slot, under the TPM" add-provider "${with_tpm[@]}" --provider systemd-creds \
		--with-key tpm2 --tpm2-pcrs 7 --credential-name second
	grep -q '^slot 2: provider systemd-creds, binding software, policy "credential second, pcrs sha256:7"' out &&
		[ -s /etc/credstore.encrypted/second ]
	ok $? "it is recorded as what it is, and has its own file"
	flush
	exits 0 "verify, both" verify "${with_tpm[@]}"
	flush
	cred=/etc/credstore.encrypted/second name=second
	decrypted "--tpm2-device=$TC_INSIDE"
	ok $? "systemd decrypts it"
	flush
	tpm2_pcrextend -T "$TC_INSIDE" 7:sha256="$(printf '%064d' 2)" >log 2>&1
	flush
	exits 4 "verify after the PCR changed" verify "${with_tpm[@]}"
	grep -q '^slot 1: .*: opens$' out && grep -q '^slot 2: .*policy is not met' out
	ok $? "the slot under the host key opens, the other one does not"
	flush
	exits 0 "it is removed" remove-provider "${with[@]}" --slot 2
	says '^hint: Nothing needs the credential "second" any more\.  Delete its file'
	echo "1..$tests"
	[ "$failures" -eq 0 ]
	exit
fi

. "$(dirname "$0")/themis_keyring.bash"
providers=${TC_PROVIDERS:-$(dirname "$tool")/../lib/themis_crypt}
why=
{ [ -x $real ] && command -v python3 && command -v unshare; } >/dev/null || why="missing $real, python3 or unshare"
[ -x "$providers/themis-keyprov-systemd-creds" ] || why="missing provider systemd-creds"
has_tpm2 && command -v tpm2_pcrextend >/dev/null || why="missing swtpm, tpm2-tools or test/cluster"
enter=(unshare --mount)
[ "$(id -u)" -eq 0 ] || enter=(unshare --user --map-root-user --mount)

# A tree with the programs of this machine, and nothing else of it.
cat >make_tree <<'SH'
set -e
mkdir tree
mount -t tmpfs -o mode=755 none tree
cd tree
mkdir usr dev proc etc var var/lib var/lib/systemd run tmp tool providers test keys tpm
chmod 1777 tmp
for link in bin sbin lib lib32 lib64; do
	[ ! -L /$link ] || cp -P /$link .
done
mount --rbind /usr usr
mount --rbind /dev dev
mount --rbind /proc proc
mount --bind "$TC_TOOL" tool
mount --bind "$TC_PROVIDER_FOLDER" providers
mount --bind "$TC_TEST" test
mount --bind "$TC_TPM" tpm
printf 'root:x:0:0::/:/bin/sh\n' >etc/passwd
printf 'root:x:0:\n' >etc/group
cp /etc/machine-id etc 2>/dev/null || printf '%032d\n' 1 >etc/machine-id
SH
if [ -z "$why" ]; then
	tcti=$("$cluster" swtpm-start "$dir/tpm" | sed -n 's/^TCTI=//p')
	socket=${tcti#swtpm:path=}
	export TC_TOOL TC_PROVIDER_FOLDER TC_TEST TC_TPM
	TC_TOOL=$(dirname "$tool") TC_PROVIDER_FOLDER=$(realpath "$providers") TC_TEST=$root/test TC_TPM=$(dirname "$socket")
	"${enter[@]}" sh make_tree 2>log || why="no namespace to be root in ($(head -c 100 log | tr '\n' ' '))"
	rmdir tree 2>/dev/null
fi
if [ -n "$why" ]; then
	echo "1..0 # SKIP $why"
	exit 0
fi
"${enter[@]}" sh -c ". ./make_tree; exec chroot . env -i PATH=/usr/bin:/usr/sbin:/bin TC_INSIDE=swtpm:path=/tpm/${socket##*/} bash /test/unit/themis_keyring_creds.sh"
