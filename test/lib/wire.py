"""A client that speaks PostgreSQL's protocol and nothing else.

What libpq hides is needed by tests: row limits of Execute, binary parameters
and results for a type it does not know, the fastpath.  Protocol 3.0 over a
Unix socket with trust authentication; see "Frontend/Backend Protocol" in
PostgreSQL's manual.
"""
import socket
import struct


class ServerError(Exception):
    """The fields of an ErrorResponse, by their letters."""

    def __init__(self, fields):
        super().__init__(fields.get("M"))
        self.fields = fields


class Connection:
    def __init__(self, host, port, user, dbname, **options):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{host}/.s.PGSQL.{port}")
        words = {"user": user, "database": dbname, **options}
        body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in words.items())
        body = struct.pack("!i", 196608) + body + b"\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self.results()

    def send(self, kind, body=b""):
        self.socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def read(self, n):
        data = b""
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise EOFError("the server has gone")
            data += part
        return data

    def message(self):
        kind = self.read(1)
        return kind, self.read(struct.unpack("!i", self.read(4))[0] - 4)

    def results(self):
        """Rows up to ReadyForQuery, each a list of bytes or None."""
        rows, error = [], None
        while True:
            kind, body = self.message()
            if kind == b"D":
                rows.append(self.row(body))
            elif kind == b"V":
                rows.append([self.value(body, 0)[0]])
            elif kind == b"E":
                error = dict((f[:1].decode(), f[1:].decode()) for f in body.split(b"\0") if f)
            elif kind == b"Z":
                if error:
                    raise ServerError(error)
                return rows

    @staticmethod
    def value(body, at):
        length = struct.unpack_from("!i", body, at)[0]
        if length < 0:
            return None, at + 4
        return body[at + 4:at + 4 + length], at + 4 + length

    def row(self, body):
        at, row = 2, []
        for _ in range(struct.unpack_from("!h", body)[0]):
            value, at = self.value(body, at)
            row.append(value)
        return row

    def simple(self, sql):
        self.send(b"Q", sql.encode() + b"\0")
        return self.results()

    def extended(self, sql, params=(), types=(), binary_params=False,
                 binary_results=False, max_rows=0):
        """Parse, Bind, Execute; Execute again until the portal is done."""
        self.send(b"P", b"\0" + sql.encode() + b"\0" + struct.pack("!h", len(types)) +
                  b"".join(struct.pack("!I", t) for t in types))
        body = b"\0\0" + struct.pack("!hh", 1, int(binary_params))
        body += struct.pack("!h", len(params))
        for p in params:
            body += struct.pack("!i", -1) if p is None else struct.pack("!i", len(p)) + p
        self.send(b"B", body + struct.pack("!hh", 1, int(binary_results)))
        for _ in range(3 if max_rows else 1):
            self.send(b"E", b"\0" + struct.pack("!i", max_rows))
        self.send(b"S")
        return self.results()

    def fastpath(self, function, args, binary_result=False):
        body = struct.pack("!Ihhh", function, 1, 1, len(args))
        body += b"".join(struct.pack("!i", len(a)) + a for a in args)
        self.send(b"F", body + struct.pack("!h", int(binary_result)))
        return self.results()
