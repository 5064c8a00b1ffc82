#!/bin/bash
#
# patroni.sh
#	  "With Patroni" of docs/operators.md, with Debian's units of Patroni and etcd,
#	  in a machine of machine.sh.
#
# Goal of this test: every command there does what the guide says, in its order,
# on one node; a node without keys does not lead, and leads as soon as it has them.
# What two nodes do is in test/t/027_patroni.pl.
#
# The machine is as guide.sh has left it, with what stands in for its TPM.  What
# the guide marks "yaml" is put into Patroni's configuration.
#
# Called by inside.sh, prints lines of its report.
#
# test/boot/patroni.sh
set -u
cd /themis || exit 1
. ./blocks

bin=/usr/lib/postgresql/$TC_VERSION/bin
config=/etc/patroni/config.yml
ok() { n=$((n + 1)); echo "ok|patroni: $1"; }
not_ok() { n=$((n + 1)); bad=1; echo "not|patroni: $1"; }
verdict() { if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3 ($1)"; fi; }

sql() { runuser -u postgres -- "$bin/psql" -XAtq -d "${db:-app}" -c "$1" 2>&1; }

within()
{	# SECONDS ANSWER QUERY
	local deadline=$((SECONDS + $1))

	until [ "$(sql "$3")" = "$2" ]; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.2
	done
}

# --- a node under Patroni, before its day 0 -----------------------------------------

pg_dropcluster --stop "$TC_VERSION" main
pg_dropcluster --stop "$TC_VERSION" container 2>/dev/null
systemctl stop themis-credential.service
rm -rf /etc/systemd/system/{postgresql@.service.d,themis-credential.service} /etc/themis-crypt/* /etc/credstore.encrypted/*
gpasswd -d postgres tss >/dev/null
mkdir -p node
cat >$config <<END
scope: main
name: node1
restapi: {listen: "127.0.0.1:8008", connect_address: "127.0.0.1:8008"}
etcd3: {host: "127.0.0.1:2379"}
bootstrap:
  dcs: {ttl: 20, loop_wait: 1, retry_timeout: 5}
  initdb: [encoding: UTF8, locale: C.UTF-8]
postgresql:
  listen: 127.0.0.1:5432
  connect_address: 127.0.0.1:5432
  use_unix_socket: true
  data_dir: /var/lib/postgresql/$TC_VERSION/patroni
  bin_dir: $bin
  pgpass: /var/lib/postgresql/pgpass
  authentication:
    superuser: {username: postgres, password: one}
    replication: {username: replicator, password: two}
  pg_hba: [local all all peer, host replication replicator 127.0.0.1/32 scram-sha-256]
  parameters: {unix_socket_directories: /var/run/postgresql, fsync: "off"}
END
cat >node/merge <<'END'
#!/usr/bin/python3
import sys, yaml

def merge(into, more):
    for name, value in more.items():
        if isinstance(value, dict) and name in into:
            merge(into[name], value)
        else:
            into[name] = value

config, more = (yaml.safe_load(open(name)) for name in sys.argv[1:])
merge(config, more)
yaml.safe_dump(config, open(sys.argv[1], "w"))
END
systemctl start etcd patroni
db=postgres within 60 f 'SELECT pg_is_in_recovery()' || not_ok "a cluster without themis_crypt"
db=postgres sql 'CREATE DATABASE app' >/dev/null

# --- the guide --------------------------------------------------------------------------

keyring() { PATH=$bin:$PATH themis-keyring "$@"; }

first_key=
first_key()
{
	sql "CREATE EXTENSION themis_crypt; SELECT themis_crypt.create_key('payroll');
		CREATE TABLE employee (note encrypted(payroll)); INSERT INTO employee VALUES ('sealed in the attic')" &&
		first_key=made
}

run_block() {
	local code
	# what the guide refers to
	case $(cat "$1") in
		*themis-credential*/etc/systemd*)
			keyring reseal --provider systemd-creds --with-key host+tpm2 || return ;;
	esac
	case $1 in
		*.sql) runuser -u postgres -- "$bin/psql" -Xq -d app -f - <"$1" ;;
		*.sh) (cd node && PATH=/themis/guide/bin:$bin:$PATH HOME=/root /themis/answer /themis/guide/answers bash -e "$1") ;;
	esac 2>&1 | sed 's|^psql:<stdin>:[0-9]*: ||'
	code=${PIPESTATUS[0]}
	case $(cat "$1") in
		*"systemctl restart patroni"*)
			within 60 f 'SELECT pg_is_in_recovery()' || return
			[ -n "$first_key" ] || first_key || return ;;
	esac
	return "$code"
}

chmod 755 node/merge
keyring recovery-keygen --out node/recovery.key >node/recovery.pub
mkdir node/blocks
awk '/^## / { here = $0 == "## With Patroni" } { print here ? $0 : "" }' operators.md >node/guide.md
blocks_split node/guide.md node/blocks
for yaml in node/blocks/*.yaml; do
	echo "/themis/node/merge $config /themis/$yaml" >"${yaml%.yaml}.sh"
done
blocks_run /themis/node/blocks

# --- what it promises ---------------------------------------------------------------------

status="SELECT concat_ws(' ', state, provider) FROM themis_crypt.status()"
value='SELECT note::text FROM employee'
within 30 'unlocked systemd-creds' "$status"
verdict "$(sql "$status")" 'unlocked systemd-creds' "the server has its keys"
verdict "$(sql "$value")" 'sealed in the attic' "encrypted columns open"
verdict "$(systemctl show -p LimitMEMLOCK --value patroni)" $((64 << 20)) "the unit lets the server lock 64 MB"
verdict "$(tr '\0' '\n' <"/proc/$(systemctl show -p MainPID --value patroni)/status" | awk '/^Groups:/' | grep -cw "$(getent group tss | cut -d: -f3)")" 1 "Patroni may use the TPM"

mv /etc/credstore.encrypted/themis.root node/
systemctl stop themis-credential
systemctl restart patroni
asked=no
for _ in $(seq 300); do
	journalctl -b -q -u patroni --no-pager | grep -q 'keys-are-open. exited with 1' && asked=yes && break
	sleep 0.1
done
verdict $asked yes "without keys: Patroni asks before it promotes"
verdict "$(sql 'SELECT pg_is_in_recovery()')" t "without keys the node runs, and does not lead"
mv node/themis.root /etc/credstore.encrypted/
systemctl restart themis-credential
within 60 f 'SELECT pg_is_in_recovery()'
verdict "$(sql 'SELECT pg_is_in_recovery()')" f "when there is a credential again, it leads by itself"
verdict "$(sql "$value")" 'sealed in the attic' "and encrypted columns open"
systemctl stop patroni etcd
[ "$bad" = 0 ]
