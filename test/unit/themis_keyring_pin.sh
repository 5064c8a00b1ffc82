#!/bin/bash
#
# themis_keyring_pin.sh
#	  The PIN of key provider tpm2: asked for on a terminal, or read from a
#	  descriptor or a file.
#
# Goal of this test:
# - A PIN is not shown on the terminal, and the terminal is as it was afterwards,
#   also after a signal.
# - It reaches the provider by standard input, and is in no argument and in no
#   output.
# - A wrong PIN is tried once, however many slots there are.
#
# Usage: themis_keyring_pin.sh [PROGRAM]
#
# Prints TAP.  The provider is a fake, and at the end the real one, where a
# software TPM can be had.
#
# test/unit/themis_keyring_pin.sh

set -u
. "$(dirname "$0")/themis_keyring.bash"
more_providers

ring=$dir/keys/keyring
with=(--keyring "$ring" --provider-dir "$dir/providers")
init=(init "${with[@]}" --owner "$me" --no-recovery)
realm=00112233445566778899aabbccddeeff
kcv=0123456789abcdef0123456789abcdef
pin='a Pin, 3$' second=another-pin
umask 077
printf '%s\n' "$pin" >pin
printf '%s' "$pin" >pin_without_end
printf '%s\n' "$second" >second
printf '%s\n%s\n' "$pin" "$second" >both

tries() { cat providers/tries 2>/dev/null | wc -l; }

# ---------------------------------------------------------------------------
# From files and descriptors
# ---------------------------------------------------------------------------

for try in "empty:" "tab:a	b" "long:123456789012345678901234567890123"; do
	printf '%s\n' "${try#*:}" >bad
	exits 1 "a PIN that is ${try%%:*}" "${init[@]}" --pin-file bad
done
printf 'a\0b\n' >bad
exits 1 "a PIN with a zero byte" "${init[@]}" --pin-file bad
exits 1 "a PIN file that is not there" "${init[@]}" --pin-file none
cp both bad
exits 1 "a PIN file with a second line" "${init[@]}" --pin-file bad
cp pin bad
chmod 644 bad
exits 1 "a PIN file that others may read" "${init[@]}" --pin-file bad
rm bad
ln -s pin bad
exits 1 "a symlink as PIN file" "${init[@]}" --pin-file bad
rm bad
mkfifo bad
exits 1 "a FIFO as PIN file" "${init[@]}" --pin-file bad
exits 1 "a descriptor that is closed" "${init[@]}" --pin-fd 77
exits 2 "a descriptor that is no number" "${init[@]}" --pin-fd x
exits 2 "a descriptor that is no descriptor" "${init[@]}" --pin-fd -1
exits 2 "two PINs" "${init[@]}" --pin-fd 3 --pin-file pin
exits 2 "the PIN as an argument" "${init[@]}" --pin=1234
exits 2 "a PIN for a provider without" "${init[@]}" --provider fake --pin-file pin
exits 1 "no terminal to ask on" "${init[@]}" --pin
says 'there is no terminal'
[ ! -e "$ring" ] && [ ! -e providers/tries ]
ok $? "none of these made a keyring"

exits 0 "init with a PIN file" "${init[@]}" --pin-file pin
says 'unless the TPM has a lockout password'
grep -q 'provider tpm2, binding tpm2, policy "pin"' out
ok $? "the PIN is recorded, as a fact"
exits 0 "verify" verify "${with[@]}" --pin-file pin
exits 0 "verify, a file without a line end" verify "${with[@]}" --pin-file pin_without_end
run verify "${with[@]}" --pin-fd 5 5<pin
[ "$rc" -eq 0 ]
ok $? "verify, a descriptor"
exits 4 "verify without the PIN" verify "${with[@]}"
grep -q 'sealed with a PIN: give it with --pin' out
ok $? "it says what to do"
[ "$(tries)" -eq 0 ]
ok $? "and does not bother the TPM"
exits 4 "trust without the PIN" trust "${with[@]}" $realm $kcv
exits 0 "trust with it" trust "${with[@]}" $realm $kcv --pin-file pin
exits 4 "a wrong PIN" verify "${with[@]}" --pin-file second
[ "$(tries)" -eq 1 ]
ok $? "is tried once"

# One PIN for all slots, unless something else is said.
exits 0 "add-provider with the same PIN" add-provider "${with[@]}" --provider tpm2 --pin-file pin --pcrs 7
grep -q 'slot 2: .*policy "pcr sha256:7 + pin"' out
ok $? "PCRs and PIN are recorded"
exits 0 "verify" verify "${with[@]}" --pin-file pin
rm -f providers/tries
exits 4 "a wrong PIN, two slots" verify "${with[@]}" --pin-file second
[ "$(tries)" -eq 1 ] && grep -q 'slot 2: .*not tried: the PIN was refused' out
ok $? "is tried once"
rm -f providers/tries
exits 4 "a wrong PIN for trust, two slots" trust "${with[@]}" $realm "${kcv%?}0" --pin-file second
[ "$(tries)" -eq 1 ]
ok $? "is tried once"
exits 0 "one removed" remove-provider "${with[@]}" --slot 1 --pin-file pin

exits 2 "--new-pin twice" reseal "${with[@]}" --pin-file pin --new-pin-file second --new-pin-fd 3 --pcrs 7
exits 2 "--new-pin and --no-pin" reseal "${with[@]}" --pin-file pin --new-pin-file second --no-pin --pcrs 7
cp "$ring" before
run add-provider "${with[@]}" --provider fake --pin-file pin
[ "$rc" -eq 0 ]
ok $? "a slot of another provider, opened with the PIN"
exits 2 "reseal without the PIN, through the other slot" reseal "${with[@]}" --slot 1 --pcrs 7
says 'slot 1 has a PIN, and the new one would not have'
cp before "$ring"
exits 0 "reseal with the same PIN" reseal "${with[@]}" --pin-file pin --pcrs 7
exits 0 "verify" verify "${with[@]}" --pin-file pin
run reseal "${with[@]}" --pin-fd 5 --new-pin-fd 5 --pcrs 7 5<both
[ "$rc" -eq 0 ]
ok $? "reseal with a new PIN, both from one descriptor"
exits 4 "the old PIN" verify "${with[@]}" --pin-file pin
exits 0 "the new PIN" verify "${with[@]}" --pin-file second
exits 0 "reseal with --no-pin" reseal "${with[@]}" --pin-file second --no-pin --no-pcrs
grep -q 'policy "none"' out
ok $? "no PIN is recorded"
exits 0 "verify without a PIN" verify "${with[@]}"
exits 2 "verify with one" verify "${with[@]}" --pin-file pin
says 'no slot of the keyring has one'
exits 0 "reseal with a PIN where there was none" reseal "${with[@]}" --pin-file pin
exits 0 "verify" verify "${with[@]}" --pin-file pin

if [ "$(id -u)" -eq 0 ] && setpriv --reuid nobody --clear-groups test -x "$dir"; then
	rm "$ring"
	chmod 755 keys
	chmod 666 providers/*
	chmod 755 providers/themis-keyprov-*
	exits 0 "init for another owner, who opens it with the PIN" init "${with[@]}" --owner nobody --no-recovery --pin-file pin
	exits 0 "reseal for another owner" reseal "${with[@]}" --pin-file pin --new-pin-file second
	exits 0 "verify as root" verify "${with[@]}" --pin-file second
else
	skip "another owner" "only root can"
fi

# ---------------------------------------------------------------------------
# On a terminal
# ---------------------------------------------------------------------------

# terminal DIALOGUE COMMAND...: run at a terminal.  DIALOGUE is lines
# "PROMPT=>ANSWER", or "PROMPT=>^SIGNAL".  Sets $rc; what the terminal showed
# is in the file out; exit code 99: the terminal was not left as it was.
cat >terminal.py <<'PY'
import fcntl, os, select, signal, sys, termios, time

dialogue = [line.split("=>") for line in sys.argv[1].splitlines()]
master, slave = os.openpty()
before = termios.tcgetattr(slave)
told, tell = os.pipe()

# A session with a leader that stays, as a shell does: without one, a process
# cannot be stopped from the terminal.
leader = os.fork()
if leader == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(slave, os.getpid())
        # also those that whoever started the tests has ignored
        for each in ("SIGTTOU", "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
            signal.signal(getattr(signal, each), signal.SIG_DFL)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(slave, 1)
        os.dup2(slave, 2)
        os.execv(sys.argv[2], sys.argv[2:])
    os.write(tell, b"%d " % pid)
    status = os.waitpid(pid, 0)[1]
    code = os.WTERMSIG(status) + 128 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    os.write(tell, b"%d " % code)
    os._exit(0)
os.close(tell)
pid = int(os.read(told, 20).split()[0])
code = None

shown, seen, end = b"", 0, time.time() + 60
while time.time() < end:
    if select.select([master], [], [], 0.05)[0]:
        shown += os.read(master, 4096)
    elif code is not None:
        break
    elif select.select([told], [], [], 0)[0]:
        code = int(os.read(told, 20).split()[0])
    if dialogue and dialogue[0][0].encode() in shown[seen:]:
        seen = len(shown)
        # Echo is off by the time of the prompt.
        if termios.tcgetattr(slave)[3] & termios.ECHO:
            sys.exit(98)
        answer = dialogue.pop(0)[1]
        if answer.startswith("^"):
            os.kill(pid, getattr(signal, answer[1:]))
            if answer == "^SIGTSTP":
                while open("/proc/%d/stat" % pid).read().rsplit(")")[-1].split()[0] != "T":
                    if time.time() > end:
                        sys.exit(95)
                    time.sleep(0.02)
                if termios.tcgetattr(slave) != before:
                    sys.exit(99)
                os.kill(pid, signal.SIGCONT)
        else:
            os.write(master, answer.encode() + b"\n")
else:
    os.kill(pid, signal.SIGKILL)
    sys.exit(97)
sys.stdout.buffer.write(shown)
if dialogue:
    sys.exit(96)
if termios.tcgetattr(slave) != before:
    sys.exit(99)
sys.exit(code)
PY
terminal()
{
	python3 terminal.py "$@" >out 2>err
	rc=$?
	cat out err >>all_output
}

terminal_tests()
{
	local ask="$tool verify --keyring $ring --provider-dir $dir/providers --pin" signal

	rm -f "$ring"
	terminal "PIN: =>$pin"$'\n'"PIN, again: =>$pin" "$tool" "${init[@]}" --pin
	[ "$rc" -eq 0 ] && grep -q 'policy "pin"' out
	ok $? "init asks twice"
	grep -q 'sealing with key provider tpm2 \.\.\.' out
	ok $? "and says what it is doing, at a terminal"
	! grep -qF "$pin" out
	ok $? "the PIN is not shown"
	terminal "PIN: =>$pin" $ask
	[ "$rc" -eq 0 ] && grep -q ': opens' out
	ok $? "verify asks once"
	rm -f providers/tries
	terminal "PIN: =>wrong one" $ask
	[ "$rc" -eq 4 ] && [ "$(tries)" -eq 1 ]
	ok $? "a wrong PIN: exit code 4, tried once, not asked for again"
	terminal "PIN: =>" $ask
	[ "$rc" -eq 1 ] && grep -q 'PIN is empty' out
	ok $? "no PIN: refused"
	terminal "PIN: =>123456789012345678901234567890123" $ask
	[ "$rc" -eq 1 ] && grep -q 'PIN has more than 32 bytes' out
	ok $? "a long one: refused, and its rest not left to the shell"
	for signal in SIGINT SIGTERM SIGHUP SIGQUIT; do
		terminal "PIN: =>^$signal" $ask
		[ "$rc" -eq $((128 + $(kill -l "${signal#SIG}"))) ]
		ok $? "$signal while asked: dies of it, the terminal as it was"
	done
	terminal "PIN: =>^SIGTSTP"$'\n'"PIN: =>$pin" $ask
	[ "$rc" -eq 0 ]
	ok $? "stopped while asked: the terminal as it was meanwhile, asked again afterwards"
	cp "$ring" before
	terminal "PIN: =>$pin"$'\n'"new PIN: =>$second"$'\n'"new PIN, again: =>$second?" \
		"$tool" reseal "${with[@]}" --pin --new-pin
	[ "$rc" -eq 1 ] && cmp -s "$ring" before && grep -q 'not the same the second time' out
	ok $? "a new PIN with a slip: refused, nothing written"
	terminal "PIN: =>$pin"$'\n'"new PIN: =>$second"$'\n'"new PIN, again: =>$second" \
		"$tool" reseal "${with[@]}" --pin --new-pin
	[ "$rc" -eq 0 ]
	ok $? "a new PIN, asked for twice"
	terminal "PIN: =>$second" $ask
	[ "$rc" -eq 0 ]
	ok $? "it opens"
}

if command -v python3 >/dev/null; then
	terminal_tests
else
	skip "asked on a terminal" "missing python3"
fi

# ---------------------------------------------------------------------------
# A TPM
# ---------------------------------------------------------------------------

# Change PCR 16.
measure()
{
	local as=()

	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups)
	${as[@]+"${as[@]}"} tpm2_pcrextend -T "$tcti" "16:sha256=$(printf '%064d' 1)" >log 2>&1
	${as[@]+"${as[@]}"} tpm2_flushcontext -T "$tcti" -t >>log 2>&1
}

if has_tpm2 && command -v tpm2_pcrextend >/dev/null; then
	tcti=$("$cluster" swtpm-start "$dir/tpm" | sed -n 's/^TCTI=//p')
	owner=$(stat -c %U "$dir/tpm")
	rm -f "$ring"
	with=(--keyring "$ring" --tcti "$tcti")
	measure
	exits 0 "init with a TPM and a PIN" init "${with[@]}" --owner "$owner" --no-recovery --pin-file pin
	grep -q '^slot 1: provider tpm2, binding software, policy "pin"' out
	ok $? "it is recorded, and that the TPM is a program"
	exits 0 "verify" verify "${with[@]}" --pin-file pin
	exits 4 "a wrong PIN" verify "${with[@]}" --pin-file second
	exits 0 "reseal with PCRs and another PIN" reseal "${with[@]}" --pin-file pin --new-pin-file second --pcrs 16
	grep -q 'policy "pcr sha256:16 + pin"' out
	ok $? "both are recorded"
	exits 0 "verify" verify "${with[@]}" --pin-file second
	exits 0 "a second slot, without PCRs" add-provider "${with[@]}" --provider tpm2 --pin-file second
	measure
	exits 4 "verify after the PCR changed" verify "${with[@]}" --pin-file second
	[ "$(grep -c ': opens$' out)" -eq 1 ] && grep -q 'slot 1: .*PCR 16' out
	ok $? "the slot without PCRs opens, and the other one names the PCR"
	exits 0 "reseal to the new state, through the other slot" reseal "${with[@]}" --slot 1 --pin-file second --pcrs 16
	exits 0 "verify" verify "${with[@]}" --pin-file second
else
	skip "a TPM" "missing provider tpm2, swtpm, test/cluster or tpm2-tools"
fi

# ---------------------------------------------------------------------------
# Secrets
# ---------------------------------------------------------------------------

grep -qF 'tpm2 unseal --pin-stdin' providers/arguments
ok $? "(the providers' arguments were written down)"
! grep -qF -e "$pin" -e "$second" providers/arguments all_output
ok $? "no PIN was an argument, and none was printed"
! grep -q 'AddressSanitizer\|runtime error' all_output
ok $? "no sanitizer had anything to say"

echo "1..$tests"
[ "$failures" -eq 0 ]
