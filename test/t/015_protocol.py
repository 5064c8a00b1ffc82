"""The protocol side of 015_protocol.pl; prints TAP.  Arguments: host port."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from wire import Connection, ServerError  # noqa: E402

host, port = sys.argv[1:3]
count = 0


def ok(good, what):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)


def connect(user, **options):
    return Connection(host, port, user, "postgres", **options)


def fails(what, code, call):
    try:
        call()
        ok(False, what + " (no error)")
    except ServerError as e:
        ok(e.fields["C"] == code, f"{what} ({e.fields['C']})")


TEXT = 25
admin = connect("postgres")
hr = connect("hr")
bob = connect("bob")
SELECT = "SELECT v FROM t WHERE i = $1"


def fetch(session, i, **how):
    return session.extended(SELECT, [str(i).encode()], **how)[0][0]


# Parameters in: without a type, as text, as the plaintext's own type.
hr.extended("INSERT INTO t VALUES (1, $1)", [b"untyped"])
hr.extended("INSERT INTO t VALUES (2, $1)", [b"typed"], [TEXT])
hr.extended("INSERT INTO t VALUES (3, $1)", [None])
hr.extended("INSERT INTO t VALUES (4, $1)", [b""])
rows = hr.simple("SELECT v::text FROM t ORDER BY i")
ok(rows == [[b"untyped"], [b"typed"], [None], [b""]], "parameters are sealed, NULL and empty too")
hr.extended("INSERT INTO t VALUES (5, $1)", [b"binary"], binary_params=True)
ok(hr.simple("SELECT v::text FROM t WHERE i = 5") == [[b"binary"]], "a binary parameter is text, sealed")

# Results out, sealed.
ok(fetch(hr, 1).startswith(b"tc1:"), "text result: armor")
sealed = fetch(hr, 1, binary_results=True)
ok(sealed[0] == 0xF9, "binary result: the sealed value")

# Sealed values in: only where the session asks for it.
fails("a sealed binary parameter is not taken by default", "42501",
      lambda: hr.extended("INSERT INTO t VALUES (6, $1)", [sealed], binary_params=True))
for session in hr, bob:
    session.simple("SET themis_crypt.sealed_input = on")
hr.extended("INSERT INTO t VALUES (6, $1)", [sealed], binary_params=True)
ok(hr.simple("SELECT v::text FROM t WHERE i = 6") == [[b"untyped"]], "a sealed binary parameter is taken as it is")
fails("not from a role without USAGE", "42501",
      lambda: bob.extended("INSERT INTO t VALUES (7, $1)", [sealed], binary_params=True))
fails("a damaged one is refused", "22P02",
      lambda: hr.extended("INSERT INTO t VALUES (7, $1)", [sealed[:20]], binary_params=True))
fails("one of another format is refused", "0A000",
      lambda: hr.extended("INSERT INTO t VALUES (7, $1)", [b"\xf8" + sealed[1:]], binary_params=True))
fails("what is neither sealed nor UTF-8 is refused", "22021",
      lambda: hr.extended("INSERT INTO t VALUES (7, $1)", [b"a\xc3"], binary_params=True))
flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
hr.extended("INSERT INTO t VALUES (8, $1)", [flipped], binary_params=True)
fails("an altered one does not open", "XX001", lambda: hr.simple("SELECT v::text FROM t WHERE i = 8"))
hr.simple("DELETE FROM t WHERE i = 8")

# Plaintext for a client that asks for it.
hr.simple("SET themis_crypt.client_output = plaintext")
ok(fetch(hr, 1) == b"untyped", "text result: plaintext")
ok(fetch(hr, 1, binary_results=True) == b"untyped", "binary result: the same text")
ok(fetch(hr, 4) == b"" and fetch(hr, 3) is None, "empty and NULL")
armor = hr.simple("SELECT themis_crypt.encrypted_out(v)::text FROM t WHERE i = 1")[0][0].decode()
hr.simple(f"UPDATE t SET v = '{armor}' WHERE i = 6")
ok(hr.simple(f"UPDATE t SET v = '{armor}' WHERE i = 6 RETURNING v") == [[b"untyped"]], "RETURNING")
rows = hr.extended("SELECT v FROM t WHERE i <= 2 ORDER BY i", max_rows=1)
ok(rows == [[b"untyped"], [b"typed"]], "a portal run in parts")
rows = hr.extended("INSERT INTO t VALUES (9, 'nine'), (10, 'ten') RETURNING v", max_rows=1)
ok(rows == [[b"nine"], [b"ten"]], "RETURNING in parts")
hr.simple("BEGIN; DECLARE c CURSOR FOR SELECT v FROM t WHERE i <= 2 ORDER BY i")
ok(hr.extended("FETCH 2 FROM c", binary_results=True) == [[b"untyped"], [b"typed"]], "FETCH, binary")
hr.simple("COMMIT")
hr.simple("PREPARE p AS SELECT v FROM t WHERE i = 1")
ok(hr.extended("EXECUTE p") == [[b"untyped"]], "EXECUTE")
ok(connect("hr", options="-c themis_crypt.client_output=plaintext").simple(
    "SELECT v FROM t WHERE i = 1") == [[b"untyped"]], "by the options of the connection")
bob.simple("SET themis_crypt.client_output = plaintext")
ok(fetch(bob, 1).startswith(b"tc1:"), "not for a role without USAGE")
ok(connect("hr", application_name="pg_dump", options="-c themis_crypt.client_output=plaintext")
   .simple("SELECT v FROM t WHERE i = 1")[0][0].startswith(b"tc1:"), "not for pg_dump")

# The fastpath and COPY never open.
out = int(admin.simple("SELECT 'themis_crypt.encrypted_out'::regproc::oid::int")[0][0])
send = int(admin.simple("SELECT 'themis_crypt.encrypted_send'::regproc::oid::int")[0][0])
ok(hr.fastpath(send, [sealed], True)[0][0][-len(sealed):] == sealed, "fastpath: sealed")
try:
    result = hr.fastpath(out, [sealed])[0][0]
except ServerError:
    result = b""
ok(b"untyped" not in result, "fastpath: the output function is no way around")

# Errors tell no value.
try:
    hr.extended("INSERT INTO t (i, v) VALUES (0, $1)", [b"canary in a row"])
    ok(False, "CHECK fails")
except ServerError as e:
    ok("canary" not in str(e.fields), "a failing CHECK shows the row sealed")

print(f"1..{count}")
