#!/bin/bash
#
# keyring_powerloss.sh
#	  Whole runs of themis-keyring on a disk that loses power, fails, is full,
#	  or is slow.
#
# Goal of this test:
# - Whenever the power goes while a keyring or an identity is written, the file
#   is the old one or a new one, byte for byte, and opens through each of its
#   slots; what was reported as done is on the disk.
# - Whichever call fails, once or from then on, the same holds, the exit code
#   says so, and nothing is left beside the file.
# - Neighbours in the folder are never touched, whatever their names.
#
# The faults of keyrings, and where each is tried:
#	power loss, each prefix of what was not synchronised	here
#	disk full: temporary file		here (injected; as root on a full tmpfs)
#	fsync of file and folder		here, test/unit/keyring_disk.c
#	rename							here, test/unit/keyring_disk.c
#	short and interrupted calls		here, test/unit/keyring_disk.c
#	modes, owners, special bits		test/unit/keyring_disk.c, test/t/020
#	folders: mode, owner, symlink	test/unit/keyring_folders.c, test/t/020
#	the file a symlink, FIFO, ...	test/unit/keyring_disk.c, test/t/020
#	temporary name taken			test/unit/keyring_disk.c
#	altered bytes, any; mixtures	test/unit/keyring_file.c
#	sizes in it: 0, ff..ff			test/unit/keyring_layout.c
#	empty, zeros, ones, halves, an editor's newline, another machine's,
#	an older one, a wrong secret, deleted while the server runs: test/t/020
#
# Usage: keyring_powerloss.sh [PROGRAM]
#
# Prints TAP.  PROGRAM is else that of $TC_PGBIN, or of the build in this tree.
#
# test/unit/keyring_powerloss.sh

set -u
export LC_ALL=C

root=$(realpath "$(dirname "$0")/../..")
tool=${1:-${TC_PGBIN:+$TC_PGBIN/themis-keyring}}
tool=${tool:-$root/contrib-keyprov/keyring/themis-keyring}
for needed in "$tool" "$(command -v cc)" "$(command -v python3)"; do
	if [ ! -x "$needed" ]; then
		echo "1..0 # SKIP missing ${needed:-cc or python3}"
		exit 0
	fi
done
tool=$(realpath "$tool")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
tests=0
failures=0

ok()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		sed 's/^/# /' complaints 2>/dev/null | head -20
		failures=$((failures + 1))
	fi
	: >complaints
}

cc -shared -fPIC -O1 -Wall -Wextra -Werror -o faultydisk.so "$root/test/lib/faultydisk.c" || {
	echo "Bail out!  faultydisk.so was not built"
	exit 1
}

# A provider that keeps its secret in the open.
mkdir providers
cat >providers/themis-keyprov-fake <<'SH'
#!/bin/sh
case $1 in
	seal) printf 'BLOB'; cat ;;
	unseal) tail -c 32 ;;
	info) printf 'provider=fake\nbinding=host\npolicy=none\n' ;;
esac
SH
chmod 755 providers/themis-keyprov-fake

disk=$dir/disk
ring=$disk/keyring
with=(--keyring "$ring" --provider-dir "$dir/providers")
realm=00112233445566778899aabbccddeeff
kcv=0123456789abcdef0123456789abcdef

# Neighbours that are nobody's but somebody's.
mkdir empty
echo precious >empty/neighbour
echo theirs >empty/.keyring.0123456789abcdef
echo outside >target
ln -s "$dir/target" empty/.keyring.link
mkfifo empty/.keyring.fifo
mkdir empty/folder
chmod 600 empty/neighbour

# run FAULT COMMAND...: run the tool on the faulty disk; sets $rc; the journal
# is in the file journal.
run()
{
	local fault=$1

	shift
	: >journal
	timeout --signal=KILL 60 env LD_PRELOAD="$dir/faultydisk.so" TC_DISK="$disk" \
		TC_JOURNAL="$dir/journal" ${fault:+TC_FAULT="$fault"} "$tool" "$@" >out 2>err </dev/null
	rc=$?
}

# from FOLDER: the disk is as that folder.
from()
{
	rm -rf "$disk"
	cp -a "$1" "$disk"
}

# What the keyring, or an identity, says when it is opened; nothing if it does
# not open.
content()
{
	case $file in
		keyring) "$tool" show "${with[@]}" --unseal 2>/dev/null ;;
		*) "$tool" recovery-pubkey --identity "$disk/$file" 2>/dev/null ;;
	esac
}

# Whether it opens through each slot.
opens()
{
	case $file in
		keyring) "$tool" verify "${with[@]}" >out 2>err ;;
		*) [ -n "$(content)" ] ;;
	esac
}

# Names, modes, owners, sizes and contents of all but the file.
neighbours()
{
	(cd "$1" && find . -mindepth 1 ! -name "$file" -printf '%p %M %U %s %l\n' | sort &&
		find . -type f ! -name "$file" -exec cksum {} + | sort)
}

complain()
{
	echo "$*" >>complaints
	sed 's/^/	/' err >>complaints
}

# What an init or keygen makes is another file each time.
same_content()	# THAN
{
	[ -n "$(content)" ] && { [ "$random" = yes ] || [ "$(content)" = "$1" ]; }
}

# after_fault FAULT WHAT [left]: judge what a run left; "left" says that a
# temporary file may be.
after_fault()
{
	local seen

	if [ "$rc" -eq 0 ]; then
		same_content "$new" || complain "$1 ($2): success, but the file does not open as meant"
	elif [ "$rc" -ge 5 ]; then
		complain "$1 ($2): exit code $rc"
	elif [ ! -s err ]; then
		complain "$1 ($2): not a word"
	elif grep -qE '(is in place|was made), but|new keyring is in place|(has|have) the old slot' err; then
		# Of several steps some have been done.
		same_content "$new" || { [ "$steps" -gt 2 ] && opens; } ||
			complain "$1 ($2): in place, but does not open as meant"
	elif [ -e "$start/$file" ]; then
		cmp -s "$start/$file" "$disk/$file" ||
			complain "$1 ($2): failed, and the file has changed"
	elif [ -e "$disk/$file" ]; then
		complain "$1 ($2): failed, and a file was made"
	fi
	seen=$(neighbours "$disk")
	if [ "${3:-}" != left ]; then
		[ "$seen" = "$before" ] || complain "$1 ($2): left behind $(ls -A "$disk" | xargs)"
	else
		for seen in "$disk"/."$file".????????????????; do
			[ -e "$start/${seen##*/}" ] || rm -f "$seen"
		done
		[ "$(neighbours "$disk")" = "$before" ] || complain "$1 ($2): a neighbour has changed"
	fi
}

# survives NAME START FILE RANDOM COMMAND...: a command that makes or changes
# FILE, begun with a copy of the folder START.
survives()
{
	local name=$1 i call calls number loss control

	start=$2 file=$3 random=$4
	shift 4
	before=$(neighbours "$start")

	from "$start"
	cp -a "$disk" before
	run '' "$@"
	new=$(content)
	[ "$rc" -eq 0 ] && [ -n "$new" ] || complain "exit code $rc"
	ok $? "$name: (on a good disk)"
	cp journal whole
	loss=$(python3 "$root/test/lib/powerloss.py" before journal "$disk" "$file" --save whole_ones 2>complaints)
	ok $? "$name: power lost at any time (${loss% *} states)"
	steps=$(find whole_ones -type f | wc -l)
	for i in whole_ones/*; do
		install -m 600 "$i" "$disk/$file"
		opens || complain "file ${i##*/} does not open"
	done
	[ ! -s complaints ]
	ok $? "$name: each of the $steps files that there may be opens"
	rm -rf whole_ones
	# The same eyes must see what would happen without a fsync.
	for i in sync syncdir; do
		control=$(python3 "$root/test/lib/powerloss.py" before journal "$disk" "$file" --ignore $i 2>/dev/null)
		[ "${control#* }" -gt 0 ]
		ok $? "$name: (control: without $i, ${control#* } of ${control% *} states are bad)"
	done
	rm -rf before

	calls=0
	while read -r _ number call; do
		calls=$((calls + 1))
		for i in $(errors "$call"); do
			from "$start"
			run "$number:$i" "$@"
			after_fault "call $number fails once with $i" "$call" "$([ "$call" != unlink ] || echo left)"
		done
		# Reads and the like come first or last, and change nothing.
		[[ -z "${TC_LONG:-}" && $call =~ ^(read|close|fch) ]] && continue
		from "$start"
		run "$number+:30" "$@"
		after_fault "call $number and all later ones fail" "$call" left
	done < <(grep '^call' whole)
	[ ! -s complaints ] && [ "$calls" -gt 5 ]
	ok $? "$name: each of $calls calls fails, once and for good"

	for i in short eintr noflag noflag,short; do
		from "$start"
		run $i "$@"
		[ "$rc" -eq 0 ] || complain "$i: exit code $rc"
		after_fault "$i" "all calls"
		[ ! -s complaints ]
		ok $? "$name: a disk that is \"$i\""
	done
	from "$start"
	cp -a "$disk" before
	run noflag "$@"
	loss=$(python3 "$root/test/lib/powerloss.py" before journal "$disk" "$file" 2>complaints)
	ok $? "$name: power lost without RENAME_NOREPLACE (${loss% *} states)"
	rm -rf before

	if [ "$(id -u)" -eq 0 ]; then
		# A page for the folder's files each, and none for a new one.
		mkdir -p full
		unshare --mount bash -c '
			mount -t tmpfs -o size=64k,mode=755 none "$1" && cp -a "$2/." "$1" || exit 99
			dd if=/dev/zero of="$1/filler" bs=4096 status=none 2>/dev/null
			shift 2
			tool=$1 disk=$2 file=$3
			shift 3
			"$tool" "$@" >out 2>err </dev/null
			rc=$?
			rm -f "$disk/filler"
			ls -A "$disk" >left
			cat "$disk/$file" >kept 2>/dev/null || rm -f kept
			exit $rc' - "$disk" "$start" "$tool" "$disk" "$file" "$@"
		rc=$?
		[ "$rc" -eq 1 ] && grep -q 'No space left on device' err &&
			[ "$(ls -A "$start")" = "$(cat left)" ] &&
			if [ -e "$start/$file" ]; then cmp -s kept "$start/$file"; else [ ! -e kept ]; fi ||
			{ complain "exit code $rc"; false; }
		ok $? "$name: a full disk"
	else
		tests=$((tests + 1))
		echo "ok $tests - $name: a full tmpfs # SKIP not root"
	fi
}

# The errors that a call may end with; more of them in the long run.
errors()
{
	local more=${TC_LONG:-}

	case $1 in
		open) echo 13 ${more:+5 24} ;;		# EACCES EIO EMFILE
		write) echo 28 ${more:+5 27} ;;		# ENOSPC EIO EFBIG
		fsync) echo 5 ${more:+28} ;;
		fchmod|fchown) echo 1 ${more:+30} ;;	# EPERM EROFS
		rename) echo 5 ${more:+18 30 13} ;;	# EIO EXDEV EROFS EACCES
		*) echo 5 ;;
	esac
}

me=$(id -un)
init=(init "${with[@]}" --provider fake --owner "$me" --name here --no-recovery)

survives init empty keyring yes "${init[@]}"
from empty
"$tool" "${init[@]}" >out 2>&1
cp -a disk made
survives trust made keyring no trust "${with[@]}" $realm $kcv
if [ -n "${TC_LONG:-}" ]; then
	from made
	"$tool" trust "${with[@]}" $realm $kcv >out 2>&1
	cp -a disk trusting
	survives distrust trusting keyring no distrust "${with[@]}" $realm $kcv
fi
survives recovery-keygen empty safe.key yes recovery-keygen --out "$disk/safe.key"

has()
{
	"$tool" "$1" --help >/dev/null 2>&1
}
if has add-provider; then
	survives add-provider made keyring no add-provider "${with[@]}" --provider fake
	from made
	"$tool" add-provider "${with[@]}" --provider fake >out 2>&1
	cp -a disk two
	[ -z "${TC_LONG:-}" ] ||
		survives remove-provider two keyring no remove-provider "${with[@]}" --slot 1
	survives reseal made keyring no reseal "${with[@]}" --slot 1
fi
if has enroll && [ -n "${TC_LONG:-}" ]; then
	public=$("$tool" recovery-keygen --out "$dir/machine.key" 2>/dev/null)
	print=$(python3 - "$root/test/unit" "$public" <<-'PY'
		import sys
		sys.path.insert(0, sys.argv[1])
		sys.dont_write_bytecode = True
		import decode
		print(decode.recipient_id(1, decode.public_from_text(sys.argv[2])).hex())
	PY
	)
	enroll=(enroll "${with[@]}" --public-key "$public" --name peer --fingerprint "$print")
	survives enroll made keyring no "${enroll[@]}"
	from made
	"$tool" "${enroll[@]}" >out 2>&1
	cp -a disk enrolled
	survives drop enrolled keyring no drop "${with[@]}" --name peer
fi

# A slot that opens with a file beside the keyring: at no time may the two not
# suit each other, or the server does not start by itself.
credential_tests()
{
	local i call number calls=0 loss

	cat >providers/themis-keyprov-systemd-creds <<-'SH'
		#!/bin/sh
		case $1 in
			seal) printf 'CREDENTIAL '; od -An -v -tx1 | tr -d ' \n' ;;
			credential) cat ;;
			unseal) sed 's/^CREDENTIAL //' | perl -e 'print pack "H*", <STDIN>' ;;
			info) printf 'provider=systemd-creds\nbinding=host\nname=themis.root\n'
				printf 'type_id=5a1c6a86df9d4096b1d5a65e0862f19a\npolicy=credential themis.root\n' ;;
		esac
	SH
	chmod 755 providers/themis-keyprov-systemd-creds
	file=keyring
	from empty
	"$tool" init "${with[@]}" --provider systemd-creds --with-key host --owner "$me" --name here \
		--no-recovery --credential "$disk/themis.root" >out 2>err
	python3 "$root/test/lib/powerloss.py" opens "$ring" "$disk/themis.root" 2>>err || complain "not made"
	ok $? "a keyring that opens with a credential file"
	cp -a disk paired
	set -- reseal "${with[@]}" --with-key host --credential "$disk/themis.root"

	cp -a disk before
	run '' "$@"
	[ "$rc" -eq 0 ] && ! cmp -s before/themis.root "$disk/themis.root" || complain "exit code $rc"
	ok $? "reseal of it: (on a good disk)"
	cp journal whole
	loss=$(python3 "$root/test/lib/powerloss.py" before journal "$disk" keyring --credential themis.root 2>complaints)
	ok $? "reseal of it: power lost at any time (${loss% *} states): the file suits a slot"
	loss=$(python3 "$root/test/lib/powerloss.py" before journal "$disk" keyring --credential themis.root --ignore syncdir 2>/dev/null)
	[ "${loss#* }" -gt 0 ]
	ok $? "reseal of it: (control: without syncdir, ${loss#* } of ${loss% *} states are bad)"
	while read -r _ number call; do
		calls=$((calls + 1))
		for i in "$number:5" ${TC_LONG:+"$number+:30"}; do
			from paired
			run "$i" "$@"
			grep -qaF -- "$(cat "$disk/themis.root")" "$ring" ||
				complain "$i ($call): exit code $rc, and no slot is for the credential that is there"
		done
	done < <(grep '^call' whole)
	[ ! -s complaints ] && [ "$calls" -gt 20 ]
	ok $? "reseal of it: each of $calls calls fails, once and for good"
}
if has reseal; then
	credential_tests
fi

[ "$(cat target)" = outside ]
ok $? "what a neighbouring link points to is not touched"

echo "1..$tests"
[ "$failures" -eq 0 ]
