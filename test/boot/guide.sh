#!/bin/bash
#
# guide.sh
#	  docs/operators.md, followed to the letter in a machine of machine.sh.
#
# Goal of this test: every command of the operator's guide does what the guide
# says, in its order, on one machine; test/lib/blocks has how blocks are run.
#
# In place of what the machine lacks: its TPM is a program, so providers are told
# where it is; "systemctl reboot" restarts the server after an update that has
# changed PCR 7; questions on the terminal are answered.
#
# Called by inside.sh, prints lines of its report.
#
# test/boot/guide.sh
set -u
cd /themis || exit 1
. ./blocks

bin=/usr/lib/postgresql/$TC_VERSION/bin
providers=/usr/lib/postgresql/$TC_VERSION/lib/themis_crypt
ok() { n=$((n + 1)); echo "ok|guide: $1"; }
not_ok() { n=$((n + 1)); bad=1; echo "not|guide: $1"; }

# --- a machine on its day 0 -------------------------------------------------------

pg_dropcluster --stop "$TC_VERSION" main 2>/dev/null
systemctl stop themis-credential.service 2>/dev/null
rm -rf /etc/systemd/system/postgresql@.service.d /etc/systemd/system/themis-credential.service \
	/etc/themis-crypt/* /etc/credstore.encrypted/*
systemctl daemon-reload
groupadd -f tss
pg_createcluster "$TC_VERSION" main -- -N -E UTF8 --locale=C.UTF-8 >/dev/null
echo 'fsync = off' >"/etc/postgresql/$TC_VERSION/main/conf.d/test.conf"
systemctl start "postgresql@$TC_VERSION-main"

mkdir -p guide/bin guide/cwd
stand_in() { cat >"$2" && chmod 755 "$2"; }	# WHAT FILE

for name in tpm2 systemd-creds; do
	mv "$providers/themis-keyprov-$name" "$providers/real-$name"
done
stand_in "the TPM of this machine is a program" "$providers/themis-keyprov-tpm2" <<END
#!/bin/bash
args=()
while [ \$# -gt 0 ]; do
	if [ "\$1" = --tcti ]; then shift; else args+=("\$1"); fi
	shift
done
exec $providers/real-tpm2 "\${args[@]}" --tcti $TCTI
END
# systemd 252 leaves a session behind each time, and there is no resource manager.
stand_in "the same for systemd" "$providers/themis-keyprov-systemd-creds" <<END
#!/bin/bash
case " \$* " in
	"seal "*|*" seal "*|*" --decrypt "*)
		for option in -l -s -t; do tpm2_flushcontext -T $TCTI \$option; done >/dev/null 2>&1
		exec $providers/real-systemd-creds "\$@" --tpm2-device $TCTI ;;
esac
exec $providers/real-systemd-creds "\$@"
END
PATH=$bin:$PATH
stand_in "a reboot after an update" guide/bin/systemctl <<END
#!/bin/bash
if [ "\$1" = reboot ]; then
	tpm2_pcrextend -T $TCTI 7:sha256=$(printf '%064d' 7)
	exec /bin/systemctl restart postgresql@$TC_VERSION-main
fi
for option in -l -s -t; do tpm2_flushcontext -T $TCTI \$option; done >/dev/null 2>&1
exec /bin/systemctl "\$@"
END
export TPM2TOOLS_TCTI=$TCTI

printf '%s\t%s\n' '[Pp]assphrase(, again)?: ' 'three words and a date' \
	'PIN of the token: ' '271828' '[Pp]lease (re)?enter .*: ' '271828' \
	'Lockout password: ' 'locked out' 'PIN.*: ' '493817' '\(yes/no\) ' 'yes' >guide/answers

# --- between the lines ----------------------------------------------------------

# A container as the guide has it: no systemd, the server is process 1, and the
# platform mounts the secret a little late.
container()
{
	local settings=/etc/postgresql/$TC_VERSION/container state='' pid

	pg_createcluster "$TC_VERSION" container -p 5499 -- -N -E UTF8 --locale=C.UTF-8 >/dev/null
	sed -n '/^```ini$/,/^```$/{//!p}' operators.md >"$settings/conf.d/themis_crypt.conf"
	mkdir -p /run/secrets
	install -o postgres -m 400 /var/lib/themis-crypt/secret guide/secret
	rm /var/lib/themis-crypt/secret
	unshare --pid --fork --kill-child --mount-proc setpriv --reuid postgres --regid postgres --init-groups \
		"$bin/postgres" -D "/var/lib/postgresql/$TC_VERSION/container" \
		-c config_file="$settings/postgresql.conf" >/dev/null 2>&1 &
	pid=$!
	in_container() { runuser -u postgres -- "$bin/psql" -XAtq -p 5499 -c "$1" 2>&1; }
	until in_container 'CREATE EXTENSION themis_crypt' >/dev/null || [ $SECONDS -gt 100 ]; do sleep 0.1; done
	case $(in_container 'SELECT reason FROM themis_crypt.status()') in
		*"unavailable: no secret is mounted"*) ok "a container waits for its secret" ;;
		*) not_ok "a container waits for its secret" ;;
	esac
	mv guide/secret /run/secrets/themis
	until [ "$state" = unlocked ] || [ $SECONDS -gt 100 ]; do
		state=$(in_container 'SELECT state FROM themis_crypt.status()')
		sleep 0.1
	done
	if [ "$state" = unlocked ]; then ok "a container has its keys"; else not_ok "a container has its keys"; fi
	pkill -INT -P $pid
	wait $pid 2>/dev/null
}

# In place of Patroni, whose own test is test/t/027_patroni.pl: its unit, which
# starts the server.
patroni_begins()
{
	systemctl stop "postgresql@$TC_VERSION-main"
	mv /etc/themis-crypt/keyring guide/keyring	# day 0 is told again
	mkdir -p /etc/patroni
	cat >/etc/systemd/system/patroni.service <<-END
	[Service]
	User=postgres
	ExecStart=$bin/postgres -D /var/lib/postgresql/$TC_VERSION/main -c config_file=/etc/postgresql/$TC_VERSION/main/postgresql.conf
	END
}

patroni_ends()
{
	if sed 's/-d app/-d postgres/' /etc/patroni/keys-are-open |
		runuser -u postgres -- env PATH="$PATH" sh; then
		ok "Patroni may promote a server with keys"
	else
		not_ok "Patroni may promote a server with keys"
	fi
	themis-keyring drop --name node2 --conninfo dbname=postgres --all-databases >/dev/null ||
		not_ok "drop after Patroni"
	systemctl stop patroni
	rm -r /etc/systemd/system/patroni.service*
	systemctl daemon-reload
	systemctl start "postgresql@$TC_VERSION-main"
}

# What happens to the machine before a section of the guide begins.
before()
{
	case $1 in
		"Day 0 with Patroni")
			patroni_begins ;;
		"Enrolling the nodes")
			mv guide/keyring /etc/themis-crypt/keyring
			systemctl restart patroni ;;
		"With an HSM, a vault or a key service")
			patroni_ends ;;
		"A new main board")
			container
			tpm2_clear -c p || not_ok "another TPM"
			/bin/systemctl restart "postgresql@$TC_VERSION-main" ;;
	esac
}

# --- the guide ----------------------------------------------------------------------

section=
run_block() {
	if [ "$section" != "$(cat "${1%.*}.head")" ]; then
		section=$(cat "${1%.*}.head")
		before "$section" >&4 2>&1
	fi
	case $1 in
		*.sql) runuser -u postgres -- "$bin/psql" -Xq -v ON_ERROR_STOP=0 -f - <"$1" ;;
		*.sh) (cd guide/cwd &&
			PATH=/themis/guide/bin:$bin:$PATH HOME=/root /themis/answer /themis/guide/answers bash -e "$1") ;;
	esac 2>&1 | sed 's|^psql:<stdin>:[0-9]*: ||'
	return "${PIPESTATUS[0]}"
}

cp -r contrib-keyprov guide/cwd/
mkdir /themis/guide/blocks
blocks_split operators.md /themis/guide/blocks
exec 4>&1
blocks_run /themis/guide/blocks
[ "$bad" = 0 ]
