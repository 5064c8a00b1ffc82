#!/bin/bash
#
# systemd-creds_provider.sh
#	  The key provider systemd-creds, run with the real systemd-creds and with
#	  false ones.
#
# Goal of this test:
# - What was sealed comes back from what systemd decrypts, and from nothing
#   else; each failure has its exit code.
# - Only a file that nobody else could have read or made is taken.
# - A credential under a null key, or under another key than the one asked for,
#   never becomes a blob.
# - The secret is in no blob, message, argument or environment.
#
# Usage: systemd-creds_provider.sh PROGRAM
#
# Prints TAP.  Sealing is for root, who would make the host key of this machine;
# so the test goes into a user namespace where it is root, or is root already,
# and into a mount namespace with a /var/lib/systemd of its own.  Where that is
# forbidden, those tests are skipped.
#
# test/unit/systemd-creds_provider.sh

set -u
export LC_ALL=C

program=$(realpath "${1:?usage: systemd-creds_provider.sh PROGRAM}")
for tool in python3 unshare swtpm tpm2_getcap; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP missing $tool"; exit 0; }
done
cluster=$(realpath "$(dirname "$0")/../cluster")
real=/usr/bin/systemd-creds

# Outside: make the folder, start two TPMs, and go in.
if [ -z "${TC_INSIDE:-}" ]; then
	dir=$(mktemp -d)
	chmod 711 "$dir"		# test/cluster runs TPMs as another user, if we are root
	trap 'for tpm in a b; do
			[ ! -d "$dir/$tpm" ] || "$cluster" swtpm-stop "$dir/$tpm" >/dev/null 2>&1
		done
		rm -rf "$dir"' EXIT
	for tpm in a b; do
		"$cluster" swtpm-start "$dir/$tpm" >"$dir/tcti.$tpm" ||
			{ echo "Bail out! no software TPM"; exit 1; }
	done
	enter=(unshare --mount)
	[ "$(id -u)" = 0 ] || enter=(unshare --user --map-root-user --mount)
	TC_INSIDE=no
	if [ ! -x $real ]; then
		TC_WHY="missing $real"
	elif "${enter[@]}" mount -t tmpfs none /var/lib/systemd 2>"$dir/why"; then
		TC_INSIDE=yes
	else
		TC_WHY="no namespace to be root in ($(head -c 100 "$dir/why"))"
	fi
	[ $TC_INSIDE = yes ] || enter=()
	export TC_INSIDE TC_WHY="${TC_WHY:-}" TC_PLACE="$dir" TC_UID="$(id -u)"
	"${enter[@]}" bash "$0" "$program"
	exit
fi

dir=$TC_PLACE
tests=0
failures=0
faults=0				# runs that broke a rule that holds for every run
cd "$dir" || exit 1

# ---------------------------------------------------------------------------
# Tools
# ---------------------------------------------------------------------------

# ok STATUS NAME: report a test, and what the last run said if it failed.
ok()
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

skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# run VERB INPUT [OPTION...]: run the program as its caller does.
# Sets $rc; the output is in the files out and err.
run()
{
	local verb=$1 input=$2

	shift 2
	env -i PATH="${path:-/usr/bin:/bin}" LC_ALL=C \
		timeout --signal=KILL 20 "$program" "$verb" "$@" \
		<"$input" >out 2>err
	rc=$?
	check_rules
}

# What holds for every run: success says nothing, failure gives nothing and
# says one printable line.
check_rules()
{
	local lines

	mapfile -t lines <err
	printf '%s\n' "${lines[@]}" >>all_messages
	if [ "$rc" -eq 0 ]; then
		[ ${#lines[@]} -eq 0 ] && return
	else
		[ ! -s out ] && [ ${#lines[@]} -eq 1 ] &&
			[[ ${lines[0]} =~ ^[\ -~]{1,499}$ ]] && return
	fi
	faults=$((faults + 1))
	echo "# rule broken: exit code $rc, $(wc -c <out) bytes of output," \
		"${#lines[@]} lines of message"
}

# exits CODE NAME VERB INPUT [OPTION...]: test the exit code of a run.
exits()
{
	local code=$1 name=$2

	shift 2
	run "$@"
	[ "$rc" -eq "$code" ]
	ok $? "$name: exit code $code"
}

# says WORDS: test that the last message has them.
says()
{
	grep -qF -- "$1" err
	ok $? "and it says \"$1\""
}

hex()
{
	od -An -v -tx1 "$1" | tr -d ' \n'
}

# holds FILE SECRET: is any 8-byte piece of SECRET in FILE, raw, as hex, or as
# base64?
holds()
{
	python3 - "$1" "$2" <<-'PY'
	import base64, sys
	data, secret = (open(name, 'rb').read() for name in sys.argv[1:])
	forms = []
	for i in range(len(secret) - 7):
	    piece = secret[i:i + 8]
	    forms += [piece, piece.hex().encode(), base64.b64encode(secret[i:i + 9])[:8]]
	sys.exit(not any(form in data or form.upper() in data.upper() for form in forms))
	PY
}

# ---------------------------------------------------------------------------
# A blob that was made once: its bytes are the format, version 1.  Its secret
# is 32 zero bytes, under the host key of a machine that is no more.
# ---------------------------------------------------------------------------

: >all_messages
: >err
: >empty
umask 077
base64 -d >blob <<'END'
VENTQwEACwB0aGVtaXMucm9vdIAAWhxqht+dQJax1aZeCGLxmiAAAAABAAAADAAAABAAAABHmZso
AeCLF+ppqEoAAAAA2mZ0ug4jODQqYiaTUqM+I9IG346W7NaCsbj/0KiZvCc5/rERruapUF1vmMX5
XN6YDuyQ2GIiYH29zxPZEfv5ISCPJeYiF2syfyoaKRsBktoFaXnqGtdXrESEOIMJOuax
END
head -c 32 /dev/urandom >secret
cp secret credential

run info blob
cat >want <<'END'
provider=systemd-creds
binding=host
name=themis.root
type_id=5a1c6a86df9d4096b1d5a65e0862f19a
policy=credential themis.root
END
[ "$rc" -eq 0 ] && cmp -s out want
ok $? "info describes a blob without systemd"
run credential blob
[ "$rc" -eq 0 ] && base64 -d out >credential_bytes &&
	whole=$(hex blob) && [ "$(hex credential_bytes)" = "${whole:42:-32}" ] &&
	! grep -q '.\{77\}' out
ok $? "credential prints what systemd made, in lines"

# ---------------------------------------------------------------------------
# What systemd has decrypted
# ---------------------------------------------------------------------------

run unseal blob --credential "$dir/credential"
[ "$rc" -eq 0 ] && cmp -s out secret
ok $? "unseal --credential gives what is in the file"
mkdir folder
cp secret folder/themis.root
run unseal blob --directory "$dir/folder"
[ "$rc" -eq 0 ] && cmp -s out secret
ok $? "unseal --directory takes the file with the blob's name"

exits 10 "no credential was passed" unseal blob
says "LoadCredentialEncrypted=themis.root"
says "themis_crypt.credential"
exits 10 "no such folder" unseal blob --directory "$dir/nothing"
says "LoadCredentialEncrypted="
says "themis_crypt.credential"
exits 10 "no such file" unseal blob --credential "$dir/nothing"
exits 10 "no such unit" unseal blob --directory /run/credentials/themis.service
says "systemctl status themis.service"

for n in 0 31 33 64 100000; do
	head -c $n /dev/zero >wrong_size
	exits 22 "a file of $n bytes" unseal blob --credential "$dir/wrong_size"
done
for mode in 0440 0404 0620 0602 0644 0410; do
	install -m $mode secret open
	exits 23 "a file with mode $mode" unseal blob --credential "$dir/open"
done
for mode in 0400 0600 0700; do
	install -m $mode secret closed
	exits 0 "a file with mode $mode" unseal blob --credential "$dir/closed"
done
ln -s credential link
exits 23 "a symbolic link" unseal blob --credential "$dir/link"
says "symbolic link"
mkfifo -m 600 fifo
exits 23 "a FIFO that nobody writes to" unseal blob --credential "$dir/fifo"
exits 23 "a folder" unseal blob --credential "$dir/folder"
exits 23 "a device" unseal blob --credential /dev/zero
exits 64 "a relative path" unseal blob --credential credential
long=$(printf '/%01100d' 0)
exits 64 "a path that is too long" unseal blob --directory "$long"
if [ "$TC_UID" = 0 ]; then
	install -m 400 -o 65534 secret foreign
	foreign=$dir/foreign
else
	foreign=/etc/passwd
fi
if [ $TC_INSIDE = yes ]; then
	exits 23 "a file of another account" unseal blob --credential "$foreign"
	says "belongs to neither"
else
	skip "a file of another account" "$TC_WHY"
fi

# acl FILE ENTRY...: put an access control list on a file; an entry is
# TAG:RIGHTS[:ID], as in the kernel.
acl()
{
	python3 - "$@" <<-'PY'
	import os, struct, sys
	name, *entries = sys.argv[1:]
	value = struct.pack('<I', 2)
	for entry in entries:
	    tag, rights, *who = (int(x, 0) for x in entry.split(':'))
	    value += struct.pack('<HHI', tag, rights, who[0] if who else 0xffffffff)
	os.setxattr(name, 'system.posix_acl_access', value)
	PY
}

me=$(id -u)
install -m 400 secret listed
if acl listed 0x01:4 "0x02:4:$me" 0x04:0 0x10:4 0x20:0 2>acl_error; then
	[ "$(stat -c %a listed)" = 440 ]
	ok $? "(control: an access control list shows as a mode of 440)"
	exits 0 "a list with us alone" unseal blob --credential "$dir/listed"
	acl listed 0x01:4 "0x02:4:$me" 0x04:4 0x10:4 0x20:0
	exits 23 "a list with the owning group" unseal blob --credential "$dir/listed"
	acl listed 0x01:4 0x04:0 "0x08:4:$(id -g)" 0x10:4 0x20:0
	exits 23 "a list with a group" unseal blob --credential "$dir/listed"
	acl listed 0x01:4 "0x02:4:$me" 0x04:0 0x10:4 0x20:4
	exits 23 "a list with everybody" unseal blob --credential "$dir/listed"
else
	skip "access control lists" "$(tail -n 1 acl_error)"
fi

# ---------------------------------------------------------------------------
# Altered blobs: flip.N (one bit of byte N), cut.N (N bytes), cutfixed.N and
# fixed.N (the same with the hash made right again; of the latter every fourth,
# or all with TC_LONG=1, since each is for systemd-creds), and some made by hand.
# ---------------------------------------------------------------------------

cat >mutate.py <<'PY'
import hashlib, os

def put(name, data):
    open(name, 'wb').write(data)

def hashed(body):
    return body + hashlib.blake2b(body, digest_size=16).digest()

blob = open('blob', 'rb').read()
body = blob[:-16]
assert blob == hashed(body)
for i in range(len(blob)):
    flip = bytearray(blob)
    flip[i] ^= 1 << i % 8
    put(f'flip.{i}', flip)
    put(f'cut.{i}', blob[:i])
    if i < len(body):
        put(f'cutfixed.{i}', hashed(body[:i]))
    if i < len(body) and (i % 4 == 0 or os.environ.get('TC_LONG')):
        put(f'fixed.{i}', hashed(bytes(flip[:-16])))
put('long.1', blob + b'\0')
put('long.2', hashed(body + b'\0'))
put('long.3', blob + blob)
put('long.4', blob + b'\0' * 20000)

def frame(name, credential, version=1, flags=0):
    return hashed(b'TCSC' + bytes([version, flags]) + len(name).to_bytes(2, 'little') + name +
                  len(credential).to_bytes(2, 'little') + credential)

credential = body[21:]
assert blob == frame(b'themis.root', credential)
put('version', frame(b'themis.root', credential, version=2))
put('flags', frame(b'themis.root', credential, flags=2))
put('tpm_flag', frame(b'themis.root', credential, flags=1))
null = bytes.fromhex('058469daf6f54324800549da0f8ea2fb')
put('null', frame(b'themis.root', null + credential[16:]))
user = bytes.fromhex('55b9ed1d38594d43a8319d2ebb332ac6')
put('user', frame(b'themis.root', user + credential[16:]))
put('head', frame(b'themis.root', credential[:48]))
put('huge_nonce', frame(b'themis.root', credential[:24] + b'\xff' * 4 + credential[28:]))
put('big', frame(b'themis.root', credential + b'\0' * 9000))
for n, name in enumerate([b'', b'.', b'..', b'../x', b'a/b', b'.hidden', b'-x', b'a b', b'a:b',
                          b'a\0b', b'a\nb', b'a' * 65, b'\xc3\xa4']):
    put(f'name.{n}', frame(name, credential))
put('longest', frame(b'a' * 64, credential))
PY
python3 mutate.py
ok $? "the blob has the bytes that its description says"
size=$(stat -c %s blob)

# codes_of PREFIX VERB [OPTION...]: run all mutants "PREFIX.N", count exit codes
# in $codes.
codes_of()
{
	local file prefix=$1 verb=$2

	shift 2
	for file in "$prefix".*; do
		run "$verb" "$file" "$@"
		echo "$rc"
	done >codes
	codes=$(sort codes | uniq -c | awk '{ print $2 ":" $1 }' | xargs)
}

for verb in info credential "unseal --credential $dir/credential"; do
	# shellcheck disable=SC2086
	codes_of flip $verb
	[ "$codes" = "22:$size" ]
	ok $? "${verb%% *}: each of $size flipped bytes is damage ($codes)"
done
codes_of cut info
[ "$codes" = "22:$size" ]
ok $? "a blob cut at any length is damage ($codes)"
codes_of cutfixed info
[ "$codes" = "22:$((size - 16))" ]
ok $? "also with the hash made right ($codes)"
codes_of long info
[ "$codes" = "22:4" ]
ok $? "a blob with more bytes is damage ($codes)"
codes_of name info
[ "$codes" = "22:13" ]
ok $? "a name that cannot be a file's is damage ($codes)"
exits 0 "the longest name" info longest
exits 22 "an unknown version" info version
says "version 2"
exits 22 "an unknown flag" info flags
exits 22 "a TPM that is not there" info tpm_flag
exits 22 "a head and no more" info head
exits 22 "a nonce larger than all" info huge_nonce
exits 22 "a credential that is too large" info big
exits 22 "an empty blob" unseal empty --credential "$dir/credential"
exits 22 "no blob at all" unseal secret --credential "$dir/credential"
for verb in info credential "unseal --credential $dir/credential"; do
	set -- $verb
	verb=$1
	shift
	exits 23 "$verb of a null key" "$verb" null "$@"
	says "null key"
done
exits 23 "a credential of a user's own" unseal user --credential "$dir/credential"

run credential blob
cp out text
exits 0 "check of a good credential" check text
exits 0 "check for its key" check text --with-key host
exits 23 "check for another key" check text --with-key host+tpm2
head -c 20 blob | cat - null >junk
exits 22 "check of something else" check junk
exits 22 "check of nothing" check empty
head -c 20000 /dev/zero | base64 >junk
exits 22 "check of something large" check junk
python3 -c "
import base64, sys
blob = open('null', 'rb').read()
sys.stdout.buffer.write(base64.b64encode(blob[21:-16]))" >null_text
exits 23 "check of a null key" check null_text
says "null key"

# ---------------------------------------------------------------------------
# Wrong use
# ---------------------------------------------------------------------------

exits 64 "a verb that is none" open blob
exits 64 "no verb" "" blob
exits 64 "an option that is none" unseal blob --tcti x
exits 64 "an option of another verb" unseal blob --with-key host
exits 64 "an option without a value" unseal blob --credential
exits 64 "an option twice" unseal blob --credential /x --credential /y
exits 64 "two ways" unseal blob --credential /x --decrypt
exits 64 "an argument too many" info blob more

# ---------------------------------------------------------------------------
# Sealing, with the real systemd-creds
# ---------------------------------------------------------------------------

# In a file of its own, for the length of this one.
finish()
{
	[ "$faults" -eq 0 ]
	ok $? "no run broke a rule: one line of message, and no output on failure"
	! holds all_messages secret
	ok $? "no piece of the secret is in a message"
	cat all_messages secret >control
	holds control secret
	ok $? "(control: it would be found)"
	echo "1..$tests"
	[ "$failures" -eq 0 ]
	exit
}

if [ $TC_INSIDE != yes ]; then
	skip "sealing" "$TC_WHY"
	finish
fi
mount -t tmpfs none /var/lib/systemd || { echo "Bail out! mount"; exit 1; }

run seal secret --with-key host
cp out host_blob
[ "$rc" -eq 0 ]
ok $? "seal with the host key"
exits 0 "info" info host_blob
cmp -s out want
ok $? "it has the binding \"host\""
run unseal host_blob --decrypt
[ "$rc" -eq 0 ] && cmp -s out secret
ok $? "unseal --decrypt gives the secret back"
run credential host_blob
cp out themis.root
systemd-creds decrypt --name=themis.root themis.root opened 2>/dev/null && cmp -s opened secret
ok $? "systemd opens the credential under its name"
! systemd-creds decrypt --name=other themis.root - >/dev/null 2>&1
ok $? "and under no other name"
! holds host_blob secret && ! holds themis.root secret
ok $? "no piece of the secret is in blob and credential"

printf '\n\0\r\377%028d' 0 >odd_secret
run seal odd_secret --with-key host --name my_cred-1.x
cp out odd_blob
run unseal odd_blob --decrypt
[ "$rc" -eq 0 ] && cmp -s out odd_secret
ok $? "a secret with zero bytes and line ends comes back, under a name of its own"
run info odd_blob
grep -qx 'name=my_cred-1.x' out && grep -qx 'policy=credential my_cred-1.x' out
ok $? "info says that name"

cp blob frozen_blob
cp host_blob blob
rm -f flip.* cut.* fixed.* cutfixed.*
python3 mutate.py
codes_of fixed unseal --decrypt
[ "$(grep -vcxE '20|22|23|70' codes)" = 0 ]
ok $? "a blob with any bit flipped and its hash made right is refused ($codes)"

for n in 0 31 33 20000; do
	head -c $n /dev/zero >wrong_size
	exits 64 "a secret of $n bytes" seal wrong_size --with-key host
done
exits 64 "no key is chosen for us" seal secret
for key in auto null tpm2-absent "" Host host+tpm; do
	exits 64 "the key \"$key\"" seal secret --with-key "$key"
done
for name in "" . ../x a/b -x "a b" "$(printf '%065d' 0)"; do
	exits 64 "the name \"$name\"" seal secret --with-key host --name "$name"
done
exits 64 "a TPM for the host key" seal secret --with-key host --tpm2-device /dev/tpmrm0
for device in list auto "" nosuch:x cmd:cat; do
	exits 64 "the TPM \"$device\"" seal secret --with-key tpm2 --tpm2-device "$device"
done
exits 64 "a list of PCRs that is none" seal secret --with-key tpm2 --tpm2-pcrs 0:x

# Another machine, and a machine whose host key is gone.
mv /var/lib/systemd/credential.secret host_key
exits 20 "no host key" unseal host_blob --decrypt
run seal secret --with-key host
cp out other_blob
exits 20 "another host key" unseal host_blob --decrypt
exits 0 "(control: its own)" unseal other_blob --decrypt
cp host_key /var/lib/systemd/credential.secret

# Expired credentials, and those with another name, in our blob.
pack()
{	# NAME: a blob with the credential in the file made
	python3 - "$1" <<-'PY'
	import base64, hashlib, sys
	name, credential = sys.argv[1].encode(), base64.b64decode(open('made').read())
	body = b'TCSC\1\0' + len(name).to_bytes(2, 'little') + name
	body += len(credential).to_bytes(2, 'little') + credential
	open('packed', 'wb').write(body + hashlib.blake2b(body, digest_size=16).digest())
	PY
}
systemd-creds encrypt --with-key=host --name=themis.root --timestamp='2020-01-01' \
	--not-after='2020-01-02' secret made 2>/dev/null
pack themis.root
exits 21 "an expired credential" unseal packed --decrypt
says "expired"
systemd-creds encrypt --with-key=host --name=other secret made 2>/dev/null
pack themis.root
exits 22 "a renamed credential" unseal packed --decrypt
says "another name"
head -c 31 secret | systemd-creds encrypt --with-key=host --name=themis.root - made 2>/dev/null
pack themis.root
exits 22 "a credential of 31 bytes" unseal packed --decrypt
systemd-creds encrypt --with-key=tpm2-absent --name=themis.root secret made 2>/dev/null ||
	systemd-creds encrypt --with-key=null --name=themis.root secret made
systemd-creds decrypt --name=themis.root made - >/dev/null 2>&1
ok $? "(control: systemd opens a credential under a null key)"
pack themis.root
exits 23 "a credential under a null key" unseal packed --decrypt
exits 23 "check of such a file" check made

# ---------------------------------------------------------------------------
# The TPM.  systemd 252 leaves a session in a TPM without resource manager at
# each run, so there is a flush before each of ours.
# ---------------------------------------------------------------------------

flush()
{
	local option

	for option in -l -s -t; do
		tpm2_flushcontext -T "$tcti" $option 2>/dev/null
	done
	return 0
}

tcti=$(sed -n 's/^TCTI=//p' tcti.b)
tcti_b=$tcti
tcti=$(sed -n 's/^TCTI=//p' tcti.a)
tpm2_pcrextend -T "$tcti" 7:sha256="$(printf '%064d' 1)"
ok $? "(a TPM whose PCR 7 is not zero)"
flush
for key in tpm2 host+tpm2; do
	[ $key = tpm2 ] && binding=software || binding=host
	# newer systemd binds to the TPM's primary key, too, and has other types for that
	[ $key = tpm2 ] && ids='0c7cc07b117645919c4b0bea08bc20fe d4062dfb71ad4c86804b40ef1180f1fc' ||
		ids='93a894094874449090caf2fc93cab553 1414258818a240cd900bce862db5c7b9'
	run seal secret --with-key $key --tpm2-device "$tcti" --tpm2-pcrs 7
	cp out $key.blob
	[ "$rc" -eq 0 ]
	ok $? "seal with the key $key"
	flush
	run info $key.blob
	id=$(sed -n 's/^type_id=//p' out)
	[[ " $ids " == *" $id "* ]] || id=
	printf '%s\n' provider=systemd-creds binding=$binding name=themis.root type_id=$id \
		'policy=credential themis.root, pcrs sha256:7' >want
	[ "$rc" -eq 0 ] && cmp -s out want
	ok $? "info: of a TPM that is a program, it is binding=$binding"
	run unseal $key.blob --decrypt --tpm2-device "$tcti"
	[ "$rc" -eq 0 ] && cmp -s out secret
	ok $? "unseal --decrypt gives the secret back"
	flush
	tcti=$tcti_b
	exits 20 "another TPM" unseal $key.blob --decrypt --tpm2-device "$tcti"
	flush
	tcti=$(sed -n 's/^TCTI=//p' tcti.a)
done
python3 - <<'PY'
import hashlib
blob = bytearray(open('tpm2.blob', 'rb').read()[:-16])
blob[5] = 0
open('hardware.blob', 'wb').write(bytes(blob) + hashlib.blake2b(blob, digest_size=16).digest())
PY
run info hardware.blob
grep -qx binding=tpm2 out
ok $? "info: of any other TPM it is binding=tpm2"
exits 10 "no TPM there" unseal tpm2.blob --decrypt --tpm2-device "swtpm:path=$dir/nothing"
exits 10 "no TPM to seal to" seal secret --with-key tpm2 --tpm2-device "swtpm:path=$dir/nothing"
run seal secret --with-key tpm2 --tpm2-device "$tcti" --tpm2-pcrs ''
flush
case $(systemd-creds --version) in
	systemd\ 25[0-2]*)
		[ "$rc" -eq 21 ]
		ok $? "without PCRs this systemd seals what it cannot open: refused" ;;
	*)
		[ "$rc" -eq 0 ]
		ok $? "sealed without PCRs" ;;
esac
for i in 1 2 3; do
	tpm2_createprimary -T "$tcti" -Q -C n -c "object.$i"
done
exits 11 "no room for objects" unseal tpm2.blob --decrypt --tpm2-device "$tcti"
flush
tpm2_pcrextend -T "$tcti" 7:sha256="$(printf '%064d' 2)"
exits 21 "a PCR changed" unseal tpm2.blob --decrypt --tpm2-device "$tcti"
flush

# ---------------------------------------------------------------------------
# False programs
# ---------------------------------------------------------------------------

# First in PATH: it must never run.
mkdir evil
printf '#!/bin/sh\ntouch %s/evil_ran\nexec %s "$@"\n' "$dir" $real >evil/systemd-creds
chmod 700 evil/systemd-creds
path=$dir/evil:/usr/bin:/bin
PATH=$path systemd-creds --version >/dev/null
[ -e evil_ran ]
ok $? "(control: PATH finds the evil program)"
rm evil_ran
exits 0 "seal with an evil program first in PATH" seal secret --with-key host
exits 0 "unseal too" unseal host_blob --decrypt
[ ! -e evil_ran ]
ok $? "it never ran"
path=

cp $real genuine

# fake SCRIPT: put a shell script in the place of systemd-creds.
fake()
{
	umount $real 2>/dev/null
	printf '#!/bin/sh\n%s\n' "$1" >"fake.$tests"
	chmod "${2:-700}" "fake.$tests"
	mount --bind "fake.$tests" $real
}

fake "echo \"\$0 \$*\" >>$dir/seen; cat /proc/self/environ >>$dir/seen
	env >>$dir/seen; exec $dir/genuine \"\$@\""
: >seen
exits 0 "seal through a program that looks at what it is given" seal secret --with-key host
! holds seen secret
ok $? "the secret is in none of its arguments and variables"
grep -q -- '--name=themis.root --with-key=host' seen
ok $? "name and key are"
[ "$(grep -a '=' seen | tr '\0' '\n' | grep -a '^[A-Z_]*=' | grep -avE '^(PATH=/usr/bin:/bin|LC_ALL=C|PWD=/|_=.*)$')" = "" ]
ok $? "it gets PATH and LC_ALL, and no variable more"
hex secret >>seen
holds seen secret
ok $? "(control: the secret would be found)"

fake "exec $dir/genuine \"\$@\"" 600
exits 64 "no program to run" seal secret --with-key host
says "systemd 250 or newer"
fake "[ \"\$1\" = --version ] && echo 'systemd 249 (249.11)' || exec $dir/genuine \"\$@\""
exits 64 "an older version" seal secret --with-key host
says "systemd 250 or newer"
exits 64 "also when unsealing" unseal host_blob --decrypt
fake "[ \"\$1\" = --version ] && echo 'systemd 999 (999~rc1)' || exec $dir/genuine \"\$@\""
exits 0 "a newer version" seal secret --with-key host
fake "[ \"\$1\" = --version ] && echo 'GNU thing' || exec $dir/genuine \"\$@\""
exits 64 "another program" seal secret --with-key host

version="[ \"\$1\" = --version ] && exec $dir/genuine --version"
fake "$version; [ \"\$1\" = encrypt ] || exec $dir/genuine \"\$@\"
	exec $dir/genuine encrypt --name=themis.root --with-key=tpm2-absent - -"
exits 23 "it takes a null key" seal secret --with-key host
says "null key"
fake "$version; [ \"\$1\" = encrypt ] || exec $dir/genuine \"\$@\"
	exec $dir/genuine encrypt --name=themis.root --with-key=host - -"
exits 70 "it takes another key" seal secret --with-key host+tpm2
says "host+tpm2"
fake "$version; [ \"\$1\" = encrypt ] || exec $dir/genuine \"\$@\"
	cat >/dev/null; exec $dir/genuine encrypt --name=themis.root --with-key=host /dev/null -"
exits 22 "it seals nothing" seal secret --with-key host
fake "$version; [ \"\$1\" = encrypt ] && exec $dir/genuine \"\$@\"
	head -c 32 /dev/zero"
exits 70 "it gives back something else" seal secret --with-key host
says "did not give back"
for n in 0 31 33; do
	fake "$version; head -c $n /dev/zero"
	exits 22 "it gives back $n bytes" unseal host_blob --decrypt
done
fake "$version; head -c 100000 /dev/zero"
exits 70 "it does not stop writing" unseal host_blob --decrypt
fake "$version; head -c 32 $dir/secret; exit 1"
exits 70 "it gives 32 bytes and fails" unseal host_blob --decrypt
fake "$version; kill -9 \$\$"
exits 70 "it is killed" unseal host_blob --decrypt
says "signal 9"
fake "$version; yes 'a long complaint' | head -c 20000 >&2; printf '\\n\\033[31mthe last word\\n' >&2; exit 1"
exits 70 "it complains at length" unseal host_blob --decrypt
says "the last word"

fake "$version; echo \$\$ >$dir/pid; exec sleep 60"
{ timeout --signal=KILL 1 "$program" unseal --decrypt <host_blob >out 2>err; } 2>/dev/null
[ $? -eq 137 ] && [ ! -s out ] && [ -s pid ]
ok $? "it never answers: killed at the deadline, nothing printed"

# Gone, or about to be reaped by whoever inherited it.
dead()
{
	[ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*[ZX]' "/proc/$1/status" 2>/dev/null ||
		[ ! -e "/proc/$1" ]
}
for _ in 1 2 3 4 5 6 7 8 9 10; do
	dead "$(cat pid)" && break
	sleep 0.1
done
dead "$(cat pid)"
ok $? "and it died with us"

# What systemd 252, 257 and 262 say.
while IFS='|' read -r code message; do
	printf 'Credential secret file is not located on encrypted media, using anyway.\n%s\n' \
		"$message" >complaint
	fake "$version; cat $dir/complaint >&2; exit 1"
	exits "$code" "\"$message\"" unseal host_blob --decrypt
done <<'END'
10|Failed to initialize TCTI context: tcti:IO failure
10|No TPM2 (tpmrm) device found.
10|ERROR:tcti:src/tss2-tcti/tcti-device.c:455:Tss2_Tcti_Device_Init() Failed to open specified TCTI device file /dev/tpmrm0: No such file or directory
11|Failed to start session: tpm:warn(2.0): out of memory for session contexts
20|Decryption failed (incorrect key?): error:00000000:lib(0)::reason(0)
20|Failed to determine local credential key: No such file or directory
20|Failed to load HMAC key in TPM: tpm:parameter(1):integrity check failed
20|ERROR:esys:src/tss2-esys/api/Esys_Load.c:110:Esys_Load() Esys Finish ErrorCode (0x0000018b)
21|TPM policy does not match current system state. Either system has been tampered with or policy out-of-date: Operation not permitted
20|ERROR:esys:src/tss2-esys/api/Esys_Load.c:112:Esys_Load() Esys Finish ErrorCode (0x000001df)
21|Credential's time passed, refusing to use.
21|Current policy digest does not match stored policy digest, cancelling TPM2 authentication attempt.
21|Failed to unseal secret using TPM2: Operation not permitted
22|Embedded credential name 'x' does not match filename 'themis.root', refusing.
22|Bad credential format.
23|Failed to determine local credential key: Permission denied
23|Failed to decrypt: org.varlink.service.PermissionDenied
23|ERROR:tcti:src/tss2-tcti/tcti-device.c:455:Tss2_Tcti_Device_Init() Failed to open specified TCTI device file /dev/tpmrm0: Permission denied
23|TPM2 device is in dictionary attack lockout mode.
70|Something that nobody has seen before
END
umount $real

left=$(find . -newer frozen_blob -name '*.tmp*'; ls /var/lib/systemd)
[ "$left" = credential.secret ]
ok $? "nothing is left behind but the host key"
finish
