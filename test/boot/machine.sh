#!/bin/bash
#
# machine.sh
#	  Machines that boot: a real systemd, Debian's unit of PostgreSQL, and an
#	  encrypted credential.
#
# Goal of this test:
# - A machine starts with nobody there, and encrypted columns open: with a
#   credential under its host key, and with one that also needs its TPM.
# - With a credential that is wrong, expired, renamed, under a null key, of
#   another machine or missing the server runs all the same, and says why; it
#   opens its keys without a restart once that is mended.
# - The drop-ins that we ship do what they say, for Debian's unit, a plain unit
#   and one like Patroni's.
#
# A machine is a process 1 in namespaces of its own.  Its disk is this system's,
# under an overlay in memory, with empty folders where this system keeps its
# clusters and secrets, and with what test/run has installed.  "Rebooting" runs
# another process 1 over the same overlay.  What happens inside is in inside.sh.
#
# Run by root, from test/run, with TC_PGBIN as the programs to be tested; what an
# unprivileged user has built there is then run by root, inside the machine.
# Prints TAP.  TC_LONG=1 boots once for each faulty credential.
#
# test/boot/machine.sh
set -u
export LC_ALL=C
umask 022

here=$(cd "$(dirname "$0")" && pwd)
cluster=$here/../cluster
BOOT_SECONDS=300

skip_all() { echo "1..0 # SKIP $*"; exit 0; }

# ---------------------------------------------------------------------------
# Outside: what is needed, a place, a TPM
# ---------------------------------------------------------------------------

if [ -z "${TC_MACHINE:-}" ]; then
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	: "${TC_PGBIN:?}"
	version=$("$TC_PGBIN/postgres" -V | sed 's/[^0-9]*\([0-9]*\).*/\1/')
	for file in /lib/systemd/systemd /usr/bin/systemd-creds /usr/bin/pg_createcluster \
		/lib/systemd/system/postgresql@.service "/usr/lib/postgresql/$version/bin/postgres" \
		/usr/bin/swtpm /usr/bin/tpm2_getcap; do
		[ -e "$file" ] || skip_all "missing $file"
	done
	cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$cgroups" ] || skip_all "no cgroup2 is mounted here"
	cgroup=$cgroups$(sed -n 's/^0:://p' /proc/self/cgroup)
	cgroup=${cgroup%/}/themis-boot.$$
	mkdir "$cgroup" 2>/dev/null || skip_all "control groups cannot be made here"
	dir=$(mktemp -d)
	chmod 711 "$dir"		# the TPM runs as another user
	trap '"$cluster" swtpm-stop "$dir/tpm" >/dev/null 2>&1
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
		rm -rf --one-file-system "$dir"' EXIT
	if ! unshare --mount --pid --fork --cgroup --uts --ipc --net true 2>"$dir/why"; then
		skip_all "namespaces cannot be made here ($(head -n 1 "$dir/why"))"
	fi
	"$cluster" swtpm-start "$dir/tpm" >"$dir/tcti" || { echo "Bail out! no software TPM"; exit 1; }
	mkdir "$dir/disk"
	TC_MACHINE=$dir TC_VERSION=$version TC_CGROUP=$cgroup \
		unshare --mount --propagation private bash "$0"
	exit
fi

dir=$TC_MACHINE
disk=$dir/disk			# a file system in memory
root=$disk/root			# the machine's
tests=0
failures=0

ok()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		failures=$((failures + 1))
	fi
}

# ---------------------------------------------------------------------------
# The machine's disk
# ---------------------------------------------------------------------------

# Folders of this system that the machine must not see; it has its own.
PRIVATE="/etc/postgresql /var/lib/postgresql /var/log/postgresql /var/lib/systemd
	/etc/themis-crypt /etc/credstore.encrypted /etc/credstore /root /home"

# What the targets of an ordinary start want, and we need.
KEEP=" systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket
	systemd-tmpfiles-setup.service "

make_disk()
{
	local folder unit

	mount -t tmpfs -o mode=755,size=1g none "$disk" || return 1
	mkdir "$disk/upper" "$disk/work" "$disk/private" "$root"
	mount -t overlay none "$root" \
		-o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" || return 1
	for folder in $PRIVATE; do
		mkdir -p "$disk/private$folder" "$root$folder"
		case $folder in
			*/postgresql) chown postgres: "$disk/private$folder" ;;
			/etc/credstore*|/root|/home) chmod 700 "$disk/private$folder" ;;
		esac
	done

	# No disks, no services and no timers of this system.
	: >"$root/etc/fstab"
	: >"$root/etc/crypttab"
	echo machine >"$root/etc/hostname"
	rm -f "$root/etc/machine-id"
	printf '%032d\n' 1 >"$root/etc/machine-id"
	rm -rf "$root/etc/systemd/system" "$root/var/lib/private" "$root/var/log/journal"
	mkdir -p "$root/etc/systemd/system"
	for unit in "$root"/lib/systemd/system/*.target.wants/*; do
		unit=${unit##*/}
		[[ $KEEP =~ [[:space:]]$unit[[:space:]] ]] ||
			ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	ln -sf /dev/null "$root/etc/systemd/system/timers.target"
}

# Install as "make install" does, into the folders of Debian's PostgreSQL.
install_programs()
{
	local lib=$root/usr/lib/postgresql/$TC_VERSION share=$root/usr/share/postgresql/$TC_VERSION
	local from_lib from_share

	from_lib=$("$TC_PGBIN/pg_config" --pkglibdir)
	from_share=$("$TC_PGBIN/pg_config" --sharedir)
	rm -rf "$lib"/lib/themis_crypt* "$share"/extension/themis_crypt* "$share/themis_crypt"
	cp "$from_lib/themis_crypt.so" "$lib/lib/" &&
		cp -r "$from_lib/themis_crypt" "$lib/lib/" &&
		cp "$TC_PGBIN/themis-keyring" "$lib/bin/" &&
		cp "$from_share"/extension/themis_crypt* "$share/extension/" &&
		cp -r "$from_share/themis_crypt" "$share/" &&
		chown -R root: "$lib"/lib/themis_crypt* "$share/themis_crypt" "$lib/bin/themis-keyring" &&
		sed -i "s|^ExecStartPre=.*/themis-keyprov|ExecStartPre=/usr/lib/postgresql/$TC_VERSION/lib/themis_crypt/themis-keyprov|" \
			"$share/themis_crypt/systemd/themis-credential.service"
}

# The machine starts PostgreSQL as Debian does, then runs inside.sh and goes off.
install_test()
{
	local units=$root/etc/systemd/system

	mkdir "$root/themis"
	cp "$here/inside.sh" "$here/guide.sh" "$here/patroni.sh" "$here/../lib/blocks" \
		"$here/../lib/answer" "$root/themis/"
	sed "s/\(postgresql[@/]\)15\>/\1$TC_VERSION/g" "$here/../../docs/operators.md" \
		>"$root/themis/operators.md"
	mkdir -p "$root/themis/contrib-keyprov"
	cp -r "$here/../../contrib-keyprov/command" "$root/themis/contrib-keyprov/"
	cat >"$units/themis-test.target" <<-END
	[Unit]
	Requires=basic.target
	After=basic.target
	Wants=postgresql.service themis-test.service
	AllowIsolate=yes
	END
	cat >"$units/themis-test.service" <<-END
	[Unit]
	After=postgresql.service
	[Service]
	Type=oneshot
	Environment=LC_ALL=C.UTF-8 TC_VERSION=$TC_VERSION TCTI=$TCTI
	ExecStart=/bin/bash /themis/inside.sh
	ExecStopPost=/bin/systemctl poweroff --no-block
	TimeoutStartSec=${BOOT_SECONDS}s
	END
}

# ---------------------------------------------------------------------------
# Booting
# ---------------------------------------------------------------------------

# In the machine's namespaces, before its process 1 is there.  /sys and most of
# /proc/sys are this system's own, so they are only to be read.
become_machine()
{
	set -e
	local node folder

	mount --rbind "$root" "$root"
	for folder in $PRIVATE; do
		mount --bind "$disk/private$folder" "$root$folder"
	done
	cd "$root"
	mount -t proc proc proc
	mount --bind proc/sys proc/sys
	mount -o remount,bind,ro proc/sys
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs -o mode=755 none dev
	mkdir dev/pts dev/shm
	for node in null zero full random urandom tty; do
		: >"dev/$node"
		mount --bind "/dev/$node" "dev/$node"
	done
	mount -t tmpfs -o mode=1777 none dev/shm
	mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	mount -t tmpfs -o mode=755 none run
	mount -t tmpfs -o mode=1777 none tmp
	mkdir run/tpm run/outside
	mount --bind "$dir/tpm/run" run/tpm
	pivot_root . run/outside
	cd /
	umount -l run/outside
	rmdir run/outside
	# Else what systemd mounts for a service stays in that service's namespace.
	mount --make-rshared /
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=themis-test \
		${device:+SYSTEMD_TPM2_DEVICE="$device"} \
		/lib/systemd/systemd --unit=themis-test.target --log-target=journal
}

# boot STAGE [WITHOUT_TPM]: run a function of inside.sh in a machine that has
# just started, and add what it reports to our own results.
boot()
{
	local device=$TCTI verdict name

	[ $# -eq 1 ] || device=
	tpm_flush
	echo "# boot: $1"
	echo "$1" >"$root/themis/stage"
	: >"$root/themis/report"
	(
		echo $BASHPID >"$TC_CGROUP/cgroup.procs"
		export -f become_machine
		export dir disk root PRIVATE device
		exec timeout --signal=KILL $BOOT_SECONDS \
			unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --net \
			bash -c become_machine
	) </dev/null >"$dir/console" 2>&1

	while IFS='|' read -r verdict name; do
		case $verdict in
			ok) ok 0 "$name" ;;
			not) ok 1 "$name" ;;
			*) echo "# $verdict${name:+|$name}" ;;
		esac
	done <"$root/themis/report"
	tail -n 1 "$root/themis/report" | grep -qx "end"
	ok $? "$1: the machine went off when it was done"
	[ "$failures" -eq 0 ] || tail -n 20 "$dir/console" | sed 's/^/# /'
}

# systemd 252 leaves a session behind in a TPM without a resource manager.
tpm_flush()
{
	local option

	for option in -l -s -t; do
		tpm2_flushcontext -T "$outside" $option >/dev/null 2>&1
	done
}

outside=$(sed -n 's/^TCTI=//p' "$dir/tcti")		# the same TPM, seen from here
TCTI=swtpm:path=/run/tpm/tpm
case $outside in
	"swtpm:path=$dir/tpm/run/tpm") ;;
	*) skip_all "the socket of the TPM is elsewhere, because the name of $dir is too long" ;;
esac

make_disk 2>"$dir/why" || skip_all "an overlay cannot be mounted here ($(tail -n 1 "$dir/why"))"
[ -x "$root/usr/lib/postgresql/$TC_VERSION/bin/postgres" ] && [ -x "$root/lib/systemd/systemd" ] ||
	skip_all "/usr is not on the root file system"
{ install_programs && install_test; } 2>"$dir/why" ||
	{ echo "Bail out! $(tail -n 1 "$dir/why")"; exit 1; }
tpm2_pcrextend -T "$outside" 7:sha256="$(printf '%064d' 1)" || { echo "Bail out! TPM"; exit 1; }

boot day_0
boot host_key
if [ -n "${TC_LONG:-}" ]; then
	for fault in wrong other_machine expired renamed null_key missing; do
		boot "prepare_$fault"
		boot "boots_$fault"
	done
	boot mend
else
	boot faults
fi
boot drop_ins
boot to_tpm
boot tpm_key
tpm2_pcrextend -T "$outside" 7:sha256="$(printf '%064d' 2)"
boot pcr_changed
boot no_tpm without

boot guide
if [ -z "${TC_LONG:-}" ]; then
	echo "# not booted: patroni, only in check-long"
elif [ ! -x /usr/bin/patroni ] || [ ! -x /usr/bin/etcd ]; then
	echo "# not booted: patroni, missing patroni or etcd-server"
else
	boot patroni
fi

left=$(find "$TC_CGROUP" -name cgroup.procs -exec cat {} +)
[ -z "$left" ]
ok $? "no process stays behind"
echo "1..$tests"
[ "$failures" -eq 0 ]
