#!/usr/bin/env python3
"""What a power loss may leave of a folder that faultydisk.so kept a journal of.

    powerloss.py BEFORE JOURNAL AFTER FILE [--ignore sync|syncdir] [--save FOLDER]
                 [--credential NAME]
    powerloss.py opens KEYRING CREDENTIAL

BEFORE is a copy (cp -a) of the folder before the program ran, AFTER is it now;
FILE is the name that the program replaced or made.  The model is that of
POSIX, not of a kind file system: until fsync(2) of a file, what was written to
it may be there in part, as zeros, or not at all, and the same goes for mode
and owner; until fsync(2) of the folder, each name that was made, renamed or
removed since may be so or not, in any combination.

After each call of the journal every state of that kind is looked at:
  - FILE is what it was before, or one of the files that the program gave its
    name, whole, with mode and owner;
  - all else that was there before is as it was;
  - nothing else is there but names that begin with ".FILE.";
  - after the last call, FILE is what it is now.
Prints "STATES BAD", and the first bad states on stderr; exit code 1 if there
are any.  With --ignore, calls of that kind count as not made.  --save writes
what FILE may be into a new folder, one file each.

With --credential, NAME is a file that changes together with the keyring FILE,
and always must be what a provider that compares the two wants to see: the blob
of one of its slots.  "opens" says by its exit code whether it is.
"""
import itertools
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))
sys.dont_write_bytecode = True
from decode import Keyring  # noqa: E402


class Content:
    def __init__(self, data, mode, owner):
        self.data, self.mode, self.owner = data, mode, owner

    def key(self):
        return self.data, self.mode, self.owner


def read_folder(folder):
    names, contents = {}, {}
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        st = os.lstat(path)
        if stat.S_ISREG(st.st_mode):
            with open(path, "rb") as file:
                data = file.read()
        elif stat.S_ISLNK(st.st_mode):
            data = b"-> " + os.fsencode(os.readlink(path))
        else:
            data = b"special %o" % stat.S_IFMT(st.st_mode)
        names[name] = st.st_ino
        contents[st.st_ino] = Content(data, "%o" % stat.S_IMODE(st.st_mode),
                                      "%d:%d" % (st.st_uid, st.st_gid))
    return names, contents


def read_journal(path):
    """Calls; a file that is made counts as a new one even if its inode was used before."""
    used, current, calls = 0, {}, []
    with open(path) as file:
        for line in file:
            call = line.split()
            if call[0] == "call":
                continue
            if call[0] == "create":
                used += 1
                current[call[2]] = "new%d" % used
            for at, word in enumerate(call):
                if (call[0], at) in (("create", 2), ("write", 1), ("attr", 1), ("truncate", 1),
                                     ("sync", 1), ("rename", 3), ("link", 3)):
                    call[at] = current.get(word, int(word))
            calls.append(call)
    return calls


def apply(content, call, part=None):
    """One change of a file: all of it, half of it, or zeros instead."""
    data, mode, owner = content.key()
    if call[0] == "write":
        offset, new = int(call[2]), bytes.fromhex(call[3])
        if part == "half":
            new = new[:len(new) // 2]
        elif part == "zeros":
            new = bytes(len(new))
        data = data.ljust(offset, b"\0")
        data = data[:offset] + new + data[offset + len(new):]
    elif call[0] == "truncate":
        data = data[:int(call[2])].ljust(int(call[2]), b"\0")
    elif call[2] == "mode":
        mode = call[3].lstrip("0") or "0"
    else:
        owner = call[3]
    return Content(data, mode, owner)


def versions(content, calls, durable):
    """What a file may hold: its durable calls, then some of the others."""
    for call in calls[:durable]:
        content = apply(content, call)
    yield content
    for call in calls[durable:]:
        if call[0] == "write":
            yield apply(content, call, "half")
            yield apply(content, call, "zeros")
        content = apply(content, call)
        yield content


def rename(names, call):
    if call[0] == "create":
        names[call[1]] = call[2]
    elif call[0] == "rename":
        names.pop(call[1], None)
        names[call[2]] = call[3]
    elif call[0] == "link":
        names[call[2]] = call[3]
    else:
        names.pop(call[1], None)


def states(names, contents, calls):
    """All folders that may be found after a power loss, as dicts of contents."""
    fresh, file_calls, durable, folder_calls, folder_durable = dict(contents), {}, {}, [], 0
    for call in calls:
        if call[0] == "create":
            fresh[call[2]] = Content(b"", call[3], "%d:%d" % (os.geteuid(), os.getegid()))
        if call[0] in ("create", "rename", "link", "unlink"):
            folder_calls.append(call)
        elif call[0] == "sync":
            durable[call[1]] = len(file_calls.get(call[1], ()))
        elif call[0] == "syncdir":
            folder_durable = len(folder_calls)
        else:
            file_calls.setdefault(call[1], []).append(call)
    possible = {inode: list(versions(content, file_calls.get(inode, []), durable.get(inode, 0)))
                for inode, content in fresh.items()}
    base = dict(names)
    for call in folder_calls[:folder_durable]:
        rename(base, call)
    pending = folder_calls[folder_durable:]
    for chosen in itertools.product((False, True), repeat=len(pending)):
        found = dict(base)
        for call, happened in zip(pending, chosen):
            if happened:
                rename(found, call)
        inodes = sorted(set(found.values()), key=str)
        for picks in itertools.product(*(possible[inode] for inode in inodes)):
            content = dict(zip(inodes, picks))
            yield {name: content[inode] for name, inode in found.items()}


def generations(names, contents, calls, file):
    """What FILE was, and all that was given its name since, in order; None if there was none."""
    found = [contents[names[file]] if file in names else None]
    for done, call in enumerate(calls):
        if call[0] in ("create", "rename", "link") and call[1 if call[0] == "create" else 2] == file:
            found.append(in_full(names, contents, calls[:done + 1])[file])
    return found


def in_full(names, contents, calls):
    """The folder after these calls, if no power is lost."""
    synced = [["sync", inode] for inode in {c[1] for c in calls if c[0] in ("write", "attr", "truncate")}]
    *_, last = states(names, contents, calls + synced + [["syncdir"]])
    return last


def opens(keyring, credential):
    return credential in [slot[2] for slot in Keyring(keyring).slots]


def judge(state, before, good, file, credential, at_end):
    """Why a state is bad, or None."""
    found = state.get(file)
    if found is None and good[0] is not None:
        return "the file is gone"
    if found is not None and found.key() not in [c.key() for c in good if c is not None]:
        return "the file is neither old nor new: %d bytes, mode %s, owner %s" % (
            len(found.data), found.mode, found.owner)
    if at_end and (found is None or found.key() != good[-1].key()):
        return "what was done is not on the disk"
    if credential and (credential not in state or not opens(found.data, state[credential].data)):
        return "no slot is for the credential that is there"
    for name, content in before.items():
        if name not in (file, credential) and (name not in state or state[name].key() != content.key()):
            return "%s has changed" % name
    for name in state:
        if name != file and name not in before and not name.startswith(
                tuple(".%s." % known for known in (file, credential))):
            return "%s has appeared" % name
    return None


def main():
    if sys.argv[1] == "opens":
        with open(sys.argv[2], "rb") as keyring, open(sys.argv[3], "rb") as credential:
            sys.exit(0 if opens(keyring.read(), credential.read()) else 1)
    options = sys.argv[5:]
    names, contents = read_folder(sys.argv[1])
    names_after, contents_after = read_folder(sys.argv[3])
    # cp gave the files other inodes than the journal names; it names none of them
    # but those that were there and have stayed
    calls = read_journal(sys.argv[2])
    file = sys.argv[4]
    before = {name: contents[inode] for name, inode in names.items()}
    after = {name: contents_after[inode] for name, inode in names_after.items()}
    credential = options[options.index("--credential") + 1] if "--credential" in options else None
    ignored = options[options.index("--ignore") + 1] if "--ignore" in options else None

    # In full, the journal must tell all that happened.
    last = in_full(names, contents, calls)
    if {n: c.key() for n, c in last.items()} != {n: c.key() for n, c in after.items()}:
        sys.exit("the journal does not tell all: %s, but there is %s" % (sorted(last), sorted(after)))
    good = generations(names, contents, calls, file)
    if "--save" in options:
        folder = options[options.index("--save") + 1]
        os.mkdir(folder)
        for number, content in enumerate(c for c in good if c is not None):
            with open(os.path.join(folder, str(number)), "wb") as copy:
                copy.write(content.data)

    calls = [call for call in calls if call[0] != ignored]
    seen, bad = 0, []
    for done in range(len(calls) + 1):
        at_end = done == len(calls)
        for state in states(names, contents, calls[:done]):
            seen += 1
            why = judge(state, before, good, file, credential, at_end)
            if why:
                bad.append("after %d calls (%s): %s" % (
                    done, " ".join(calls[done - 1][:2]) if done else "none", why))
    print(seen, len(bad))
    for line in bad[:5]:
        print(line, file=sys.stderr)
    sys.exit(1 if bad else 0)


main()
