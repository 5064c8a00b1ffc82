# What the scripts themis_keyring*.sh share; read by them with ".", after
# "set -u".  Sets $tool, $cluster, $dir (a new folder, removed in the end, and
# the working folder), $me, and a provider "fake" in $dir/providers.
#
# test/unit/themis_keyring.bash

export LC_ALL=C

root=$(realpath "$(dirname "$0")/../..")
tool=${1:-${TC_PGBIN:+$TC_PGBIN/themis-keyring}}
tool=${tool:-$root/contrib-keyprov/keyring/themis-keyring}
cluster=${TC_CLUSTER:-$root/test/cluster}
if [ ! -x "$tool" ]; then
	echo "1..0 # SKIP $tool is not built"
	exit 0
fi
tool=$(realpath "$tool")
dir=$(mktemp -d)
chmod 755 "$dir"
tests=0
failures=0
sleeper=

finish()
{
	[ -n "$sleeper" ] && kill "$sleeper" 2>/dev/null
	for machine in "$dir"/tpm "$dir"/db; do
		[ -e "$machine" ] && "$cluster" destroy "$machine" >/dev/null 2>&1
	done
	rm -rf "$dir"
}
trap finish EXIT
cd "$dir" || exit 1
mkdir providers keys
chmod 755 providers
: >all_output
: >out
: >err
me=$(id -un)

# ok STATUS NAME: report a test, and what the last run said if it failed.
ok()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		echo "# last run: exit code ${rc:-none}"
		sed 's/^/# /' out err | head -20
		failures=$((failures + 1))
	fi
}

skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# run ARGUMENT...: run the tool, without a terminal that it could ask on.  Sets
# $rc; output in the files out and err.
run()
{
	setsid -w timeout --signal=KILL 60 "$tool" "$@" >out 2>err </dev/null
	rc=$?
	cat out err >>all_output
}

# exits CODE NAME ARGUMENT...: test the exit code of a run.
exits()
{
	local code=$1 name=$2

	shift 2
	run "$@"
	[ "$rc" -eq "$code" ]
	ok $? "$name: exit code $code"
}

# says PATTERN: whether the last run said so on stderr.
says()
{
	grep -qE -- "$1" err
	ok $? "  and says: $1"
}

# mode WORD [PROVIDER]: what the fake providers, or one, do from now on.
mode()
{
	if [ $# -eq 1 ]; then
		echo "$1" >providers/mode
		rm -f providers/mode.*
	else
		echo "$1" >"providers/mode.$2"
	fi
}

files()
{
	ls -A "$dir/keys"
}

# The installation's own providers, as the tool finds them by itself.
has_tpm2()
{
	[ -x "${TC_PROVIDERS:-$(dirname "$tool")/../lib/themis_crypt}/themis-keyprov-tpm2" ] &&
		command -v swtpm >/dev/null && [ -x "$cluster" ]
}

# A provider that keeps its secret in the open, and does as it is told.  With a
# number N in the file kill_at, its Nth call from then on kills its caller.
cat >providers/themis-keyprov-fake <<'SH'
#!/bin/sh
here=${0%/*}
name=${0##*/themis-keyprov-}
mode=$(cat "$here/mode.$name" 2>/dev/null || cat "$here/mode")
echo "$*" >>"$here/arguments" 2>/dev/null
if [ -e "$here/kill_at" ]; then
	left=$(($(cat "$here/kill_at") - 1))
	echo $left >"$here/kill_at"
	[ $left -ne 0 ] || kill -KILL $PPID
fi
fail() { echo "$2" >&2; exit "$1"; }
case $mode in
	gone) fail 10 "no device" ;;
	busy) fail 11 "too busy" ;;
	machine) fail 20 "another machine" ;;
	policy) fail 21 "another state" ;;
	damaged) fail 22 "no blob of mine" ;;
	denied) fail 23 "locked out" ;;
	crash) kill -SEGV $$ ;;
	root) [ "$(id -u)" = 0 ] || fail 10 "not for this user" ;;
	hang) echo $$ >"$here/hanging"; exec sleep 60 ;;
esac
case $1.$mode in
	seal.empty) ;;
	seal.large) head -c 20000 /dev/zero ;;
	seal.*) printf 'BLOB'; cat ;;
	unseal.short) tail -c 31 ;;
	unseal.long) cat ;;
	unseal.other) head -c 32 /dev/zero ;;
	unseal.change) cat "$here/../changed" >"$here/../keys/keyring"; tail -c 32 ;;
	unseal.wait) touch "$here/waiting"
		while [ -e "$here/waiting" ]; do sleep 0.02; done; tail -c 32 ;;
	unseal.*) tail -c 32 ;;
	info.silent) ;;
	info.appear) echo theirs >"$here/../keys/keyring"; echo "binding=host" ;;
	info.strange) echo "binding=paper" ;;
	info.rude) printf 'binding=host\npolicy=a\001b\n' ;;
	info.*) printf 'provider=%s\nbinding=host\npolicy=none at all\n' "$name" ;;
esac
SH
chmod 755 providers/themis-keyprov-fake
touch providers/arguments
chmod 666 providers/arguments
mode ok

# Another one that does the same, and further ones that look like our own from
# the tool's side.  "tpm2" keeps its options and PIN in the first line of the
# blob and counts wrong PINs in tries; "systemd-creds" keeps its options there.
more_providers()
{
	cp providers/themis-keyprov-fake providers/themis-keyprov-fake2
	cat >providers/own <<-'SH'
		#!/bin/sh
		here=${0%/*}
		name=${0##*/themis-keyprov-}
		echo "$name $*" >>"$here/arguments" 2>/dev/null
		if [ -e "$here/kill_at" ]; then
			left=$(($(cat "$here/kill_at") - 1))
			echo $left >"$here/kill_at"
			[ $left -ne 0 ] || kill -KILL $PPID
		fi
		mode=$(cat "$here/mode.$name" 2>/dev/null || cat "$here/mode")
		[ "$mode" != gone ] || { echo "no device" >&2; exit 10; }
		verb=$1 pin= pcrs= with_key= cred=themis.root opens=
		shift
		while [ $# -gt 0 ]; do
			case $1 in
				--pin-stdin) IFS= read -r pin ;;
				--pcrs) pcrs=$2; shift ;;
				--with-key) with_key=$2; shift ;;
				--name) cred=$2; shift ;;
				--decrypt) opens=1 ;;
				--directory) opens=1; shift ;;
				--tcti|--tpm2-device|--tpm2-pcrs) shift ;;
				*) echo "what is $1" >&2; exit 64 ;;
			esac
			shift
		done
		case $name.$verb in
			tpm2.seal) echo "${pcrs:--} $pin"; cat ;;
			tpm2.unseal)
				IFS= read -r line
				if [ "${line#* }" != "$pin" ]; then
					echo wrong >>"$here/tries"; echo "wrong PIN" >&2; exit 23
				fi
				cat ;;
			tpm2.info)
				IFS= read -r line
				policy=none
				[ "${line%% *}" = - ] || policy="pcr sha256:${line%% *}"
				[ -z "${line#* }" ] || policy="$policy + pin"
				printf 'binding=tpm2\npolicy=%s\n' "${policy#none + }" ;;
			systemd-creds.seal)
				[ -n "$with_key" ] || exit 64
				echo "$cred $with_key $$"; cat ;;
			systemd-creds.unseal)
				[ -n "$opens" ] || { echo "no way to open" >&2; exit 64; }
				IFS= read -r line; cat ;;
			systemd-creds.credential)
				base64 ;;
			systemd-creds.info)
				read -r cred with_key line
				[ "$mode" != type ] || with_key=tpm2
				case $with_key in
					host) type_id=5a1c6a86df9d4096b1d5a65e0862f19a ;;
					*) type_id=0c7c6a86df9d4096b1d5a65e0862f19a ;;
				esac
				printf 'binding=%s\nname=%s\ntype_id=%s\npolicy=credential %s\n' \
					"$with_key" "$cred" "$type_id" "$cred" ;;
			*) exit 64 ;;
		esac
	SH
	chmod 755 providers/own
	for name in tpm2 systemd-creds; do
		cp providers/own "providers/themis-keyprov-$name"
	done
	cat >providers/themis-keyprov-command <<-'SH'
		#!/bin/sh
		[ "$1" != info ] || { printf 'binding=external\npolicy=command\n'; exit; }
		[ "$2" = --command ] || exit 64
		exec /bin/sh -c "$3" sh "$1"
	SH
	chmod 755 providers/themis-keyprov-command
}
