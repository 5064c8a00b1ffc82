#!/bin/bash
#
# inside.sh
#	  What is tested in a machine of machine.sh, after it has started.
#
# The file stage names one of the functions at the end.  A line of the file
# report is "ok|WHAT" or "not|WHAT", or a remark; the last one is "end".
#
# test/boot/inside.sh
set -u
cd /themis || exit 1
exec >>report 2>>report

bin=/usr/lib/postgresql/$TC_VERSION/bin
conf=/etc/postgresql/$TC_VERSION/main
ready=/usr/share/postgresql/$TC_VERSION/themis_crypt/systemd
server=postgresql@$TC_VERSION-main.service
unit=themis-credential.service
log=/var/log/postgresql/postgresql-$TC_VERSION-main.log
file=/etc/credstore.encrypted/themis.root
cursor=

# ---------------------------------------------------------------------------
# Tools
# ---------------------------------------------------------------------------

ok()
{
	if [ "$1" -eq 0 ]; then echo "ok|$2"; else echo "not|$2"; fi
}

as_postgres()
{
	setpriv --reuid=postgres --regid=postgres --init-groups env -i LC_ALL=C.UTF-8 PATH="$bin:/usr/bin:/bin" "$@"
}

sql()
{
	as_postgres psql -XAtq -h /var/run/postgresql -d "${db:-app}" -c "$1" 2>&1
}

tool()
{
	PATH=$bin:$PATH themis-keyring "$@"
}

# Something that takes a moment: a postmaster is there before its worker is.
within()
{	# SECONDS COMMAND...
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}

settled()
{
	[[ $(sql 'SELECT state FROM themis_crypt.status()') =~ ^(unlocked|failed)$ ]]
}

server_pid()
{
	head -n 1 "/var/lib/postgresql/$TC_VERSION/main/postmaster.pid"
}

status()
{
	within 30 settled
	sql "SELECT concat_ws('|', state, provider, binding, nullif(reason, '')) FROM themis_crypt.status()"
}

read_value()
{
	sql 'SET ROLE hr; SELECT note::text FROM employee'
}

opens()
{	# WHAT
	local state

	state=$(status)
	[[ $state == unlocked\|systemd-creds\|* ]]
	ok $? "$1: the server has its keys ($state)"
	[ "$(read_value)" = 'sealed in the attic' ]
	ok $? "$1: encrypted columns open"
}

# The server runs, has no keys, and says REASON; what is not encrypted works.
says_why()
{	# WHAT REASON
	local state

	state=$(status)
	[[ $state == failed\|* ]] && [[ $state == *"$2"* ]]
	ok $? "$1: the server runs, and status() says \"$2\""
	[[ $state == *"$2"* ]] || echo "it says: $state"
	grep -F 'could not unlock encryption keys' $log | tail -n 2 | grep -qF -- "$2"
	ok $? "$1: so does the log"
	[ "$(sql 'SELECT name FROM employee')" = Ada ]
	ok $? "$1: what is not encrypted is there"
	[[ $(read_value) == *ERROR* ]]
	ok $? "$1: what is encrypted is refused"
}

# All that was said since the last restart(): what systemd does before a unit's
# own program runs does not bear the unit's name.
journal()
{
	journalctl -b -q -o cat --no-pager ${cursor:+--after-cursor="$cursor"}
}

# The unit with the credential failed, for REASON.
unit_says()
{	# WHAT REASON: as one of the versions of systemd tells it
	[ "$(systemctl show -p ActiveState --value $unit)" != active ] && [ ! -e "/run/credentials/$unit" ]
	ok $? "$1: there is no credential"
	journal >journal
	grep -qE -- "$2" journal
	ok $? "$1: the journal says \"$2\""
	grep -qE -- "$2" journal || tail -n 10 journal
}

restart()
{
	systemctl stop $server $unit
	systemctl reset-failed $unit
	cursor=$(journalctl -b -q -n 0 --show-cursor --no-pager | sed -n 's/^-- cursor: //p')
	truncate -c -s 0 "$log"
	systemctl start $server
}

flush()
{
	local option

	for option in -l -s -t; do
		tpm2_flushcontext -T "$TCTI" $option >/dev/null 2>&1
	done
	return 0
}

# systemd-creds 252 leaves a session in the TPM at each run, which a resource
# manager would take away.  This TPM has none, so we do.
take_away_sessions()
{
	mv /usr/bin/systemd-creds /usr/bin/systemd-creds.genuine
	cat >/usr/bin/systemd-creds <<-END
	#!/bin/sh
	/usr/bin/systemd-creds.genuine "\$@"
	code=\$?
	for option in -l -s -t; do
		tpm2_flushcontext -T $TCTI \$option >/dev/null 2>&1
	done
	exit \$code
	END
	chmod 755 /usr/bin/systemd-creds
	flush
}

secret()
{
	systemd-creds decrypt --name=themis.root ${1:+"--tpm2-device=$1"} saved - 2>/dev/null
}

seal()
{	# OPTION...: what is on standard input, as the credential
	systemd-creds encrypt "$@" - new 2>/dev/null && install -m 600 new $file
}

# ---------------------------------------------------------------------------
# Faulty credentials: one function makes it, one looks at what comes of it
# ---------------------------------------------------------------------------

prepare_wrong() { head -c 32 /dev/urandom | seal --with-key=host --name=themis.root; }
prepare_other_machine()
{
	mv /var/lib/systemd/credential.secret kept
	secret_of_other=$(head -c 32 /dev/urandom | base64)
	base64 -d <<<"$secret_of_other" | seal --with-key=host --name=themis.root
	cat kept >/var/lib/systemd/credential.secret
}
prepare_expired()
{
	secret | seal --with-key=host --name=themis.root --timestamp=2020-01-01 --not-after=2020-01-02
}
prepare_renamed() { secret | seal --with-key=host --name=other; }
prepare_null_key() { secret | seal --with-key=tpm2-absent --name=themis.root; }
prepare_missing() { rm $file; }

boots_wrong() { says_why wrong "gave the wrong secret"; }
boots_other_machine()
{
	unit_says "of another machine" "Decryption failed"
	says_why "of another machine" "systemctl status $unit"
}
boots_expired()
{
	unit_says expired "time passed"
	says_why expired "systemctl status $unit"
}
boots_renamed()
{
	unit_says renamed "does not match"
	says_why renamed "systemctl status $unit"
}
boots_null_key()
{
	unit_says "null key" "null key"
	says_why "null key" "systemctl status $unit"
}
boots_missing()
{
	unit_says missing "No such file"
	says_why missing "systemctl status $unit"
}

# ---------------------------------------------------------------------------
# Stages
# ---------------------------------------------------------------------------

# An administrator's first day.
stage_day_0()
{
	pg_createcluster "$TC_VERSION" main -- -N -E UTF8 --locale=C.UTF-8 >/dev/null
	cat >"$conf/conf.d/themis_crypt.conf" <<-END
	shared_preload_libraries = 'themis_crypt'
	themis_crypt.credential = '/run/credentials/$unit/themis.root'
	fsync = off
	END
	tool recovery-keygen --out recovery.key >recovery.pub
	tool init --owner postgres --provider systemd-creds --with-key host --recovery-pubkey recovery.pub
	ok $? "day 0: themis-keyring init makes keyring and credential"
	[ -s $file ]
	ok $? "day 0: the credential is in $file"
	cp "$ready/$unit" /etc/systemd/system/
	mkdir -p /etc/systemd/system/postgresql@.service.d
	cp "$ready/server.conf" /etc/systemd/system/postgresql@.service.d/themis_crypt.conf
	systemctl daemon-reload
	systemctl start $server
	ok $? "day 0: the server starts"
	db=postgres sql "CREATE DATABASE app" >/dev/null
	sql "CREATE EXTENSION themis_crypt; CREATE ROLE hr;
		CREATE SERVER payroll FOREIGN DATA WRAPPER themis_crypt;
		GRANT USAGE ON FOREIGN SERVER payroll TO hr;
		CREATE TABLE employee (name text, note encrypted(payroll));
		GRANT ALL ON employee TO hr;
		SET ROLE hr; INSERT INTO employee VALUES ('Ada', 'sealed in the attic')"
	opens "day 0"
}

stage_host_key()
{
	local place=/run/credentials/$unit limit

	opens "after a boot, with the host key"
	[[ $(status) == 'unlocked|systemd-creds|host' ]]
	ok $? "binding is host"
	# Newer systemd lets the account in with an access control list.
	[[ $(stat -c '%U %a' $place $place/themis.root | xargs) =~ ^('postgres 500 postgres 400'|'root 550 root 440')$ ]]
	ok $? "the decrypted file is the server's own, and nobody else's"
	[[ $(findmnt -n -o FSTYPE,OPTIONS -T $place) =~ ^ramfs|noswap ]]
	ok $? "it is in memory that is not swapped"
	limit=$(awk '/^Max locked memory/ { print $4 }' "/proc/$(server_pid)/limits")
	if (($(sed -n 's/^CapEff:[[:space:]]*/0x/p' /proc/1/status) & 1 << 24)); then
		[ "$limit" = $((64 << 20)) ]
		ok $? "the server may lock 64 MB"
	else
		[ "$(systemctl show -p LimitMEMLOCK --value $server)" = $((64 << 20)) ]
		ok $? "the unit lets the server lock 64 MB (root may not, here: $limit bytes)"
	fi
	[[ $(sql "SELECT encode(pg_read_binary_file('$place/themis.root'), 'hex')") =~ ^[0-9a-f]{64}$ ]]
	ok $? "(what README.md admits: a superuser can read the credential)"
	cp $file saved
}

stage_faults()
{
	local fault

	for fault in wrong other_machine expired renamed null_key missing; do
		"prepare_$fault"
		restart
		"boots_$fault"
	done
	stage_mend
}

# Mended, without a restart of the server.
stage_mend()
{
	local pid

	pid=$(server_pid)
	install -m 600 saved $file
	systemctl reset-failed $unit
	systemctl restart $unit
	ok $? "mended: the credential is there"
	sql "SELECT themis_crypt.unlock()" >/dev/null
	opens "mended"
	[ "$pid" = "$(server_pid)" ]
	ok $? "mended: it is the same server"
	pg_ctlcluster --skip-systemctl-redirect "$TC_VERSION" main restart
	opens "restarted outside of its unit"
}

# The same drop-in for other units, and the strict one.
stage_drop_ins()
{
	local data=/var/lib/postgresql/$TC_VERSION/main plain=/etc/systemd/system/postgresql.service
	local start="$bin/postgres -D $data -c config_file=$conf/postgresql.conf"

	systemctl stop $server $unit
	cat >$plain <<-END
	[Service]
	Type=notify
	User=postgres
	ExecStart=$start
	END
	mkdir -p $plain.d
	cp "$ready/server.conf" $plain.d/themis_crypt.conf
	systemctl daemon-reload
	systemctl start postgresql.service
	ok $? "a plain unit starts"
	opens "a plain unit"
	systemctl stop postgresql.service $unit
	rm -r $plain $plain.d

	# Patroni starts the server as a child, and is a unit much like this one.
	plain=/etc/systemd/system/patroni.service
	cat >$plain <<-END
	[Service]
	Type=simple
	User=postgres
	Group=postgres
	EnvironmentFile=-/etc/patroni_env.conf
	ExecStart=/bin/sh -c '$start & wait'
	KillMode=process
	ExecStop=$bin/pg_ctl -D $data stop
	END
	mkdir -p $plain.d
	cp "$ready/server.conf" $plain.d/themis_crypt.conf
	systemctl daemon-reload
	systemctl start patroni.service
	within 30 settled
	opens "a unit like Patroni's"
	printf '%s\n' '[Service]' Type=oneshot User=postgres \
		"ExecStart=/usr/bin/test -r /run/credentials/$unit/themis.root" >/run/systemd/system/free.service
	{ cat /run/systemd/system/free.service; echo PrivateTmp=yes; } >/run/systemd/system/confined.service
	systemctl daemon-reload
	systemctl start free.service && ! systemctl start confined.service 2>/dev/null
	ok $? "(a confined unit does not see the credential of another unit, a free one does)"
	systemctl stop patroni.service $unit
	rm -r $plain $plain.d

	plain=/etc/systemd/system/postgresql@.service.d/themis_crypt.conf
	cp "$ready/server-strict.conf" $plain
	sed -i "s|/run/credentials/[^/]*/|/run/credentials/$server/|" "$conf/conf.d/themis_crypt.conf"
	systemctl daemon-reload
	systemctl start $server
	ok $? "strict: the server starts with its own credential"
	opens strict
	systemctl stop $server
	rm $file
	! systemctl start $server 2>/dev/null && ! sql 'SELECT 1' >/dev/null
	ok $? "strict: without a credential it does not"
	journal >journal
	grep -qF CREDENTIALS journal
	ok $? "strict: the journal says why"
	systemctl reset-failed $server
	install -m 600 saved $file
	cp "$ready/server.conf" $plain
	sed -i "s|/run/credentials/[^/]*/|/run/credentials/$unit/|" "$conf/conf.d/themis_crypt.conf"
	systemctl daemon-reload

	systemd-analyze verify --man=no /etc/systemd/system/$unit 2>&1 | grep -F $unit
	[ "${PIPESTATUS[1]}" -ne 0 ]
	ok $? "systemd-analyze finds nothing wrong with the unit"
}

# The administrator binds the credential to the TPM as well.
stage_to_tpm()
{
	opens "before sealing anew"
	take_away_sessions
	tool reseal --provider systemd-creds --with-key host+tpm2 --tpm2-device "$TCTI" --tpm2-pcrs 7
	ok $? "themis-keyring reseal, to host key and TPM"
	restart
	opens "with host key and TPM"
	cp $file saved
}

stage_tpm_key()
{
	opens "after a boot, with host key and TPM"
	[[ $(status) == 'unlocked|systemd-creds|host' ]]
	ok $? "binding is host: this TPM is a program"
	"$bin/../lib/themis_crypt/themis-keyprov-systemd-creds" check --with-key host+tpm2 <$file
	ok $? "the credential is under host key and TPM"
	flush
	mv /var/lib/systemd/credential.secret kept
	restart
	unit_says "without the host key" "No such file"
	says_why "without the host key" "systemctl status $unit"
	mv kept /var/lib/systemd/credential.secret
}

stage_pcr_changed()
{
	unit_says "a PCR changed" "policy|unseal secret using TPM2: Operation not permitted"
	says_why "a PCR changed" "systemctl status $unit"
}

stage_no_tpm()
{
	# systemd does not say more here; the tool does.
	unit_says "no TPM" "status=243/CREDENTIALS"
	says_why "no TPM" "systemctl status $unit"
	tool verify >verify 2>&1
	[ $? -eq 3 ] && grep -q TPM verify
	ok $? "no TPM: themis-keyring verify says so ($(head -n 1 verify))"
}

# What the operator's guide says.
stage_guide() { bash guide.sh; }
stage_patroni() { bash patroni.sh; }

stage=$(cat stage)
case $stage in
	prepare_*|boots_*) "$stage" ;;
	*) "stage_$stage" ;;
esac
sync
echo end
