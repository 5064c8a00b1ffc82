#!/usr/bin/env python3
"""A second decoder of the formats of themis_crypt, written from src/FORMAT.

It shares nothing with the C code but that text and libsodium's primitives:
generichash, XChaCha20-Poly1305, HChaCha20, sealed boxes, secretstream.  Tokens,
AES-256-GCM and AEGIS-256 are made without libsodium.

    decode.py value ARMOR --realm HEX --uuid HEX --dek HEX
    decode.py value ARMOR --realm HEX --uuid HEX --root HEX --wrap OPTION
    decode.py token ARMOR --realm HEX --uuid HEX --root HEX --wrap OPTION --index OPTION
    decode.py record OPTION (--seed HEX | --identity TEXT)
    decode.py keyring FILE --secret HEX [--slot N]
    decode.py check VECTORS
    decode.py gcm LINES

ARMOR is a value as text, pending ones included: for them give the transit key
as --dek or --wrap, and the realm as --uuid too.  OPTION is the text of a server
option: a version ("xchacha20poly1305:..."), an index key ("blake2b:...") or a
record.  "value" prints the plaintext's bytes; "token" makes the token of a
searchable value's plaintext, compares it with the value's and prints it; "check"
decodes every frozen vector and prints TAP; "gcm" opens the AES-256-GCM vectors of
Project Wycheproof that vectors.py printed and counts.
"""
import argparse
import base64
import ctypes
import ctypes.util
import decimal
import hashlib
import json
import re
import sys
import unicodedata

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
if sodium.sodium_init() < 0:
    sys.exit("libsodium cannot be used")

ALGORITHMS = {"xchacha20poly1305": 1, "aes256gcm": 2, "aegis256": 3}
INDEX_ALGORITHMS = {"blake2b": 1, "siphash128": 2}
VALUE, INDEX, PENDING, ROOT = 1, 2, 3, 6
TYPES = ("untyped text bytea json jsonb bool int2 int4 int8 float4 float8 numeric date time "
         "timestamp timestamptz interval uuid inet").split()


class Refused(Exception):
    """Not in our format, or not genuine."""


def need(condition, what):
    if not condition:
        raise Refused(what)


# Primitives


def blake2b(size, message, key=b""):
    out = ctypes.create_string_buffer(size)
    failed = sodium.crypto_generichash(
        out, ctypes.c_size_t(size), message, ctypes.c_ulonglong(len(message)),
        key or None, ctypes.c_size_t(len(key)))
    need(failed == 0, "BLAKE2b")
    return out.raw


def aead_open(key, nonce, ad, body):
    need(len(key) == 32 and len(nonce) == 24 and len(body) >= 16, "rejected")
    out = ctypes.create_string_buffer(max(1, len(body) - 16))
    size = ctypes.c_ulonglong()
    failed = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, ctypes.byref(size), None, body, ctypes.c_ulonglong(len(body)),
        ad, ctypes.c_ulonglong(len(ad)), nonce, key)
    need(failed == 0 and size.value == len(body) - 16, "rejected")
    return out.raw[:size.value]


def hchacha20(key, salt):
    out = ctypes.create_string_buffer(32)
    need(sodium.crypto_core_hchacha20(out, salt, key, None) == 0, "HChaCha20")
    return out.raw


def xor(*blocks):
    out = 0
    for block in blocks:
        out ^= int.from_bytes(block, "big")
    return out.to_bytes(len(blocks[0]), "big")


def both(one, other):
    return bytes(a & b for a, b in zip(one, other))


def doubled(byte):
    return (byte << 1 ^ (0x1B if byte & 0x80 else 0)) & 0xFF


def aes_sbox():
    """FIPS 197: the inverse in the field, then an affine map; by logarithms of 3."""
    powers = [1]
    for _ in range(254):
        powers.append(powers[-1] ^ doubled(powers[-1]))
    box = bytearray(256)
    for number in range(256):
        byte = powers[-powers.index(number) % 255] if number else 0
        for turn in range(1, 5):
            box[number] ^= byte << turn & 0xFF | byte >> (8 - turn)
        box[number] ^= byte ^ 0x63
    return bytes(box)


SBOX = aes_sbox()


def aes_round(block, key, last=False):
    """SubBytes, ShiftRows, MixColumns unless it is the last one, AddRoundKey."""
    shifted = [SBOX[block[(at + 4 * (at % 4)) % 16]] for at in range(16)]
    if last:
        return xor(bytes(shifted), key)
    out = bytearray()
    for at in range(0, 16, 4):
        column = shifted[at:at + 4]
        for row in range(4):
            a, b, c, d = column[row:] + column[:row]
            out.append(doubled(a) ^ doubled(b) ^ b ^ c ^ d)
    return xor(bytes(out), key)


def aes256_schedule(key):
    words = [key[at:at + 4] for at in range(0, 32, 4)]
    constant = 1
    for number in range(8, 60):
        word = words[-1]
        if number % 8 == 0:
            word = bytes([SBOX[byte] for byte in word[1:] + word[:1]])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = doubled(constant)
        elif number % 8 == 4:
            word = bytes([SBOX[byte] for byte in word])
        words.append(xor(words[-8], word))
    return [b"".join(words[at:at + 4]) for at in range(0, 60, 4)]


def aes256(schedule, block):
    block = xor(block, schedule[0])
    for key in schedule[1:-1]:
        block = aes_round(block, key)
    return aes_round(block, schedule[-1], last=True)


def blocks_of(data):
    return [data[at:at + 16].ljust(16, b"\0") for at in range(0, len(data), 16)]


def ghash(subkey, ad, body):
    """NIST SP 800-38D, with the bits of a block as an integer."""
    h, y = int.from_bytes(subkey, "big"), 0
    lengths = (8 * len(ad)).to_bytes(8, "big") + (8 * len(body)).to_bytes(8, "big")
    for block in blocks_of(ad) + blocks_of(body) + [lengths]:
        y ^= int.from_bytes(block, "big")
        product, factor = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                product ^= factor
            factor = factor >> 1 ^ (0xE1 << 120 if factor & 1 else 0)
        y = product
    return y.to_bytes(16, "big")


def gcm_open(key, nonce, ad, body):
    need(len(key) == 32 and len(nonce) == 12 and len(body) >= 16, "rejected")
    text, tag = body[:-16], body[-16:]
    schedule = aes256_schedule(key)
    expected = xor(ghash(aes256(schedule, bytes(16)), ad, text), aes256(schedule, nonce + bytes([0, 0, 0, 1])))
    need(tag == expected, "rejected")
    stream = b"".join(aes256(schedule, nonce + (2 + number).to_bytes(4, "big")) for number in range(len(blocks_of(text))))
    return xor(text, stream[:len(text)]) if text else b""


class Aegis256:
    """draft-irtf-cfrg-aegis-aead."""

    def __init__(self, key, nonce):
        c0 = bytes.fromhex("000101020305080d1522375990e97962")
        c1 = bytes.fromhex("db3d18556dc22ff12011314273b528dd")
        k0, k1, n0, n1 = key[:16], key[16:], nonce[:16], nonce[16:]
        self.state = [xor(k0, n0), xor(k1, n1), c1, c0, xor(k0, c0), xor(k1, c1)]
        for _ in range(4):
            for block in k0, k1, xor(k0, n0), xor(k1, n1):
                self.update(block)

    def update(self, block):
        s = self.state
        self.state = [aes_round(s[5], xor(s[0], block))] + [aes_round(s[at - 1], s[at]) for at in range(1, 6)]

    def mask(self):
        s = self.state
        return xor(s[1], s[4], s[5], both(s[2], s[3]))

    def tag(self, ad_len, text_len):
        block = xor(self.state[3], u(8 * ad_len, 8) + u(8 * text_len, 8))
        for _ in range(7):
            self.update(block)
        s = self.state
        return xor(s[0], s[1], s[2]) + xor(s[3], s[4], s[5])


def aegis256_open(key, nonce, ad, body):
    need(len(key) == 32 and len(nonce) == 32 and len(body) >= 32, "rejected")
    text, tag = body[:-32], body[-32:]
    aegis = Aegis256(key, nonce)
    for block in blocks_of(ad):
        aegis.update(block)
    plain = b""
    for at in range(0, len(text), 16):
        part = text[at:at + 16]
        opened = xor(part, aegis.mask()[:len(part)])
        aegis.update(opened.ljust(16, b"\0"))
        plain += opened
    need(aegis.tag(len(ad), len(text)) == tag, "rejected")
    return plain


def box_open(box, public, secret):
    out = ctypes.create_string_buffer(len(box) - 48)
    failed = sodium.crypto_box_seal_open(
        out, box, ctypes.c_ulonglong(len(box)), public, secret)
    need(failed == 0, "rejected")
    return out.raw


def x25519_public(secret):
    out = ctypes.create_string_buffer(32)
    need(sodium.crypto_scalarmult_base(out, secret) == 0, "X25519")
    return out.raw


def stream_open(key, payload, ad):
    prefix = "crypto_secretstream_xchacha20poly1305_"
    size_of_state = getattr(sodium, prefix + "statebytes")
    size_of_state.restype = ctypes.c_size_t
    state = ctypes.create_string_buffer(size_of_state())
    out = ctypes.create_string_buffer(max(1, len(payload) - 24 - 17))
    size = ctypes.c_ulonglong()
    tag = ctypes.c_ubyte()
    need(getattr(sodium, prefix + "init_pull")(state, payload[:24], key) == 0, "rejected")
    failed = getattr(sodium, prefix + "pull")(
        state, out, ctypes.byref(size), ctypes.byref(tag), payload[24:],
        ctypes.c_ulonglong(len(payload) - 24), ad, ctypes.c_ulonglong(len(ad)))
    need(failed == 0 and tag.value == getattr(sodium, prefix + "tag_final")(), "rejected")
    return out.raw[:size.value]


def siphash128(key, message):
    """SipHash-2-4 with an output of 128 bits."""
    k0, k1 = (int.from_bytes(key[at:at + 8], "little") for at in (0, 8))
    v0, v1, v2, v3 = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    mask = (1 << 64) - 1

    def turn(word, bits):
        return (word << bits | word >> (64 - bits)) & mask

    def rounds(count):
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0, v2 = (v0 + v1) & mask, (v2 + v3) & mask
            v1, v3 = turn(v1, 13) ^ v0, turn(v3, 16) ^ v2
            v0 = turn(v0, 32)
            v0, v2 = (v0 + v3) & mask, (v2 + v1) & mask
            v1, v3 = turn(v1, 17) ^ v2, turn(v3, 21) ^ v0
            v2 = turn(v2, 32)

    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at:at + 8], "little")
        v3 ^= word
        rounds(2)
        v0 ^= word
    v2 ^= 0xEE
    rounds(4)
    first = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xDD
    rounds(4)
    return u(first, 8) + u(v0 ^ v1 ^ v2 ^ v3, 8)


# Conventions, and derivation


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        need(self.at + size <= len(self.data), "too short")
        self.at += size
        return self.data[self.at - size:self.at]

    def uint(self, size):
        return int.from_bytes(self.take(size), "little")

    def rest(self):
        return self.take(len(self.data) - self.at)

    def done(self):
        return self.at == len(self.data)


def u(number, size):
    return number.to_bytes(size, "little")


def from_base64(text):
    need(re.fullmatch("[A-Za-z0-9_-]*", text) is not None and len(text) % 4 != 1, "not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(base64.urlsafe_b64encode(data).decode().rstrip("=") == text, "not the canonical base64url")
    return data


def kdf(key, label, *fields, size=32):
    message = u(len(label), 2) + label.encode()
    for field in fields:
        message += u(len(field), 4) + field
    return blake2b(size, message, key)


def kcv(key, purpose):
    return kdf(key, "themis/kcv/v1", u(purpose, 1), size=16)


# Values


class Value:
    """A sealed or a pending value, taken apart."""

    def __init__(self, data):
        need(len(data) >= 8 and data[0] >= 0xF8, "malformed")
        need(data[0] == 0xF9, "unsupported format")
        reader = Reader(data)
        reader.take(1)
        how = reader.uint(1)
        self.algorithm, flags = how & 0x0F, how & 0xF0
        self.type_code = reader.uint(1)
        self.key_id = reader.uint(3)
        self.version = reader.uint(2)
        self.compressed = flags & 0x40 != 0
        self.pending = self.version == 0
        self.role = None
        need(self.algorithm != 0 and self.key_id != 0, "malformed")
        need(self.algorithm <= 3 and flags & 0xA0 == 0 and self.type_code < len(TYPES), "unsupported")
        if self.pending:
            need(flags == 0, "malformed")
            self.version = reader.uint(2)
            self.role = reader.take(reader.uint(1))
            need(self.version != 0 and 1 <= len(self.role) <= 63 and 0 not in self.role, "malformed")
        else:
            need(self.type_code != 0, "malformed")
            self.token = reader.take(16) if flags & 0x10 else b""
        self.ad = data[:reader.at]
        nonce_size, tag_size = (32, 32) if self.algorithm == 3 else (24, 16)
        self.nonce = reader.take(nonce_size)
        self.body = reader.rest()
        need(tag_size <= len(self.body) <= tag_size + (256 << 20), "malformed or too large")

    def open(self, key, realm, uuid):
        slot_key = kdf(key, "themis/value/v1", realm, uuid, u(self.version, 2), u(self.algorithm, 1),
                       u(PENDING if self.pending else VALUE, 1))
        plain = self.open_sealed(slot_key)
        return decompress(plain) if self.compressed else plain

    def open_sealed(self, slot_key):
        if self.algorithm == 2:
            return gcm_open(hchacha20(slot_key, self.nonce[:16]), bytes(4) + self.nonce[16:], self.ad, self.body)
        if self.algorithm == 3:
            return aegis256_open(slot_key, self.nonce, self.ad, self.body)
        return aead_open(slot_key, self.nonce, self.ad, self.body)


def lz4_length(reader, length):
    while length >= 15:
        more = reader.uint(1)
        length += more
        if more < 255:
            break
    return length


def decompress(data):
    reader = Reader(data)
    length = reader.uint(4)
    need(128 <= length <= 256 << 20 and len(data) <= length - length // 8, "malformed")
    plain = bytearray()
    while True:
        how = reader.uint(1)
        plain += reader.take(lz4_length(reader, how >> 4))
        if reader.done():
            break
        back = reader.uint(2)
        need(1 <= back <= len(plain), "malformed")
        for _ in range(lz4_length(reader, how & 15) + 4):
            plain.append(plain[-back])
    need(len(plain) == length, "malformed")
    return bytes(plain)


def from_armor(text):
    need(text.startswith("tc1:"), "not armor")
    return Value(from_base64(text[4:]))


# Wrapped keys


def unwrap(wrap, root, realm, uuid, key_id, version, purpose, algorithm):
    reader = Reader(wrap)
    need(len(wrap) == 80 and reader.take(4) == b"TCW1", "malformed wrap")
    root_version = reader.take(4)
    nonce = reader.take(24)
    ad = (b"TCW1" + realm + root_version + uuid + u(key_id, 4) + u(version, 2) +
          u(purpose, 1) + u(algorithm, 1))
    return aead_open(kdf(root, "themis/wrap/v1", u(purpose, 1)), nonce, ad, reader.rest())


def slot_address(wrap, realm, uuid, key_id, version, purpose, algorithm):
    return kdf(b"", "themis/address/v1", realm, wrap[4:8], uuid, u(key_id, 4), u(version, 2),
               u(purpose, 1), u(algorithm, 1), wrap, size=16)


def key_mac(root, root_version, texts):
    digest = kdf(b"", "themis/key-fields/v1", *[text.encode() for text in texts])
    subkey = kdf(root, "themis/key-mac/v1", u(root_version, 4))
    return digest, u(root_version, 4) + kdf(subkey, "themis/key-mac/v1", digest)


# Blind tokens


def numeric_of(number):
    """The canonical form of a decimal number."""
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)) + "0" * max(0, exponent)
    whole, part = (text[:exponent], text[exponent:].zfill(-exponent)) if exponent < 0 else (text, "")
    whole, part = whole.zfill(-(-len(whole) // 4) * 4), part.ljust(-(-len(part) // 4) * 4, "0")
    groups = [int((whole + part)[at:at + 4]) for at in range(0, len(whole + part), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups, weight = groups[1:], weight - 1
    while groups and groups[-1] == 0:
        groups = groups[:-1]
    if not groups:
        return bytes(8)
    return (len(groups).to_bytes(2, "big") + weight.to_bytes(2, "big", signed=True) +
            (b"\x40\0" if sign else b"\0\0") + bytes(2) + b"".join(group.to_bytes(2, "big") for group in groups))


def tree_of(node):
    """The canonical form of a jsonb."""
    if node is None or isinstance(node, bool):
        return {None: b"n", False: b"f", True: b"t"}[node]
    if isinstance(node, decimal.Decimal):
        return b"d" + numeric_of(node)
    if isinstance(node, str):
        return b"s" + u(len(node.encode()), 4) + node.encode()
    if isinstance(node, list):
        return b"[" + u(len(node), 4) + b"".join(tree_of(element) for element in node)
    pairs = sorted(((key.encode(), value) for key, value in node.items()), key=lambda pair: (len(pair[0]), pair[0]))
    return b"{" + u(len(pairs), 4) + b"".join(u(len(key), 4) + key + tree_of(value) for key, value in pairs)


def canonical(type_code, plain):
    name = TYPES[type_code]
    need(name not in ("untyped", "json", "float4", "float8"), "a type that is not searchable")
    if name == "numeric":
        return plain[:6] + bytes(2) + plain[8:]
    if name == "interval":
        micros, days, months = (int.from_bytes(plain[a:b], "big", signed=True) for a, b in ((0, 8), (8, 12), (12, 16)))
        return ((months * 30 + days) * 86400000000 + micros).to_bytes(16, "big", signed=True)
    if name == "jsonb":
        return tree_of(json.loads(plain, parse_float=decimal.Decimal, parse_int=decimal.Decimal))
    return plain


def token_subkey(index_key, realm, uuid, algorithm, type_code):
    slot_key = kdf(index_key, "themis/value/v1", realm, uuid, u(1, 2), u(algorithm, 1), u(INDEX, 1))
    return kdf(slot_key, "themis/token/v1", u(type_code, 1))


def token(index_key, realm, uuid, algorithm, type_code, plain):
    subkey = token_subkey(index_key, realm, uuid, algorithm, type_code)
    form = canonical(type_code, plain)
    if algorithm == 1:
        return hashlib.blake2b(subkey + form, digest_size=16).digest()
    return siphash128(subkey[:16], form)


# Recipients


class Recipient:
    def __init__(self, reader):
        self.kind = reader.uint(1)
        self.role = reader.uint(1)
        self.public = reader.take(reader.uint(2))
        self.name = reader.take(reader.uint(1))
        need(self.kind == 1 and self.role in (1, 2), "unsupported recipient")
        need(len(self.public) == 32 and 1 <= len(self.name) <= 63, "malformed recipient")
        need(all(0x20 <= byte <= 0x7E and byte not in b'"\\' for byte in self.name), "malformed name")
        need(not self.name.startswith((b"tcpub1:", b"TC-RECOVERY-")), "malformed name")


def recipient_id(kind, public):
    return kdf(b"", "themis/recipient/v1", u(kind, 1), public, size=16)


def key_pair(seed):
    half = hashlib.sha512(kdf(seed, "themis/box-root/v1")).digest()[:32]
    return x25519_public(half), half


def public_from_text(text):
    need(text.startswith("tcpub1:"), "not a public key")
    data = from_base64(text[7:])
    need(len(data) == 37, "malformed public key")
    need(kdf(b"", "themis/identity/v1", data[:1], data[1:33], size=16)[:4] == data[33:], "checksum")
    need(data[0] == 1, "unsupported public key")
    return data[1:33]


def seed_from_text(text):
    need(text.startswith("TC-RECOVERY-1:"), "not an identity")
    data = from_base64(text[14:])
    need(len(data) == 36, "malformed identity")
    need(kdf(b"", "themis/identity/v1", b"recovery", data[:32], size=16)[:4] == data[32:], "checksum")
    return data[:32]


def stretch(passphrase, salt, passes, kib):
    passphrase = unicodedata.normalize("NFC", passphrase).encode()
    need(1 <= len(passphrase) <= 1024, "no passphrase")
    out = ctypes.create_string_buffer(64)
    failed = sodium.crypto_pwhash_argon2id(
        out, ctypes.c_ulonglong(64), passphrase, ctypes.c_ulonglong(len(passphrase)), salt,
        ctypes.c_ulonglong(passes), ctypes.c_size_t(kib * 1024), 2)
    need(failed == 0, "argon2id")
    return out.raw


def seed_from_protected(text, passphrase):
    need(text.startswith("TC-RECOVERY-P1:"), "not a protected identity")
    data = from_base64(text[15:])
    need(len(data) == 137, "malformed protected identity")
    need(kdf(b"", "themis/identity/v1", b"protected", data[:133], size=16)[:4] == data[133:], "checksum")
    reader = Reader(data[:133])
    need(reader.take(4) == b"TCX1", "malformed protected identity")
    need(reader.uint(1) == 1, "unsupported stretching")
    passes, kib = reader.uint(4), reader.uint(4)
    need(3 <= passes <= 10 and 262144 <= kib <= 1048576, "costs out of bounds")
    salt, nonce = reader.take(16), reader.take(24)
    stretched = stretch(passphrase, salt, passes, kib)
    need(kdf(stretched[32:], "themis/passphrase/v1", data[:53]) == reader.take(32), "rejected: wrong passphrase")
    return aead_open(stretched[:32], nonce, data[:53], reader.rest())


# Roots


def root_from_box(box, public, secret, realm, root_version):
    need(len(box) == 121, "malformed box")
    plain = box_open(box, public, secret)
    expected = b"TCB1" + u(1, 1) + realm + u(root_version, 4) + recipient_id(1, public)
    need(plain[:41] == expected, "rejected: the box is for something else")
    return plain[41:]


def attestation(seed, realm, root_version, check):
    subkey = kdf(seed, "themis/attest/v1")
    return kdf(subkey, "themis/attest/v1", realm, u(root_version, 4), check)


class Record:
    def __init__(self, data):
        need(len(data) <= 16384, "too large")
        reader = Reader(data)
        need(reader.take(4) == b"TCR1", "malformed record")
        self.realm = reader.take(16)
        self.root_version = reader.uint(4)
        self.kcv = reader.take(16)
        count = reader.uint(2)
        need(self.root_version > 0 and 1 <= count <= 64, "malformed record")
        self.entries = []
        for _ in range(count):
            recipient = Recipient(reader)
            box = reader.take(reader.uint(2))
            attested = reader.take(reader.uint(1))
            need(len(box) == 121 and len(attested) in (0, 32), "malformed entry")
            self.entries.append((recipient, box, attested))
        need(len({entry[0].public for entry in self.entries}) == count, "a recipient twice")
        self.prev = reader.take(reader.uint(2))
        self.maced = data[:reader.at]
        self.mac = reader.take(32)
        need(reader.done() and len(self.prev) % 92 == 0, "malformed record")

    def open(self, seed):
        """The root, and whether the seed's owner attested it."""
        public, secret = key_pair(seed)
        for recipient, box, attested in self.entries:
            if recipient.public == public:
                break
        else:
            raise Refused("not enrolled")
        root = root_from_box(box, public, secret, self.realm, self.root_version)
        need(kcv(root, ROOT) == self.kcv, "rejected: another root")
        subkey = kdf(root, "themis/record-mac/v1")
        need(kdf(subkey, "themis/record-mac/v1", self.maced) == self.mac, "rejected: altered")
        return root, attested == attestation(seed, self.realm, self.root_version, self.kcv)


# The keyring file


class Keyring:
    def __init__(self, data):
        need(len(data) <= 65536, "too large")
        reader = Reader(data)
        need(reader.take(8) == b"TCKRING1", "malformed keyring")
        self.instance_id = reader.take(16)
        self.header = data[:24]
        count = reader.uint(2)
        need(1 <= count <= 8, "malformed keyring")
        self.slots = []
        for _ in range(count):
            start = reader.at
            name = reader.take(reader.uint(1))
            binding = reader.uint(1)
            reader.take(16)
            policy = reader.take(reader.uint(2))
            blob = reader.take(reader.uint(4))
            header = data[start:reader.at]
            need(re.fullmatch(b"[a-z0-9-]{1,31}", name) is not None and len(policy) <= 255 and
                 1 <= len(blob) <= 16384, "malformed slot")
            need(binding <= 5, "unsupported binding")
            self.slots.append((name, policy, blob, header, reader.take(24), reader.take(48)))
        self.before = data[:reader.at]
        self.payload = reader.rest()

    def open(self, number, provider_secret):
        header, nonce, wrapped = self.slots[number][3:]
        wrapping = kdf(provider_secret, "themis/slot-wrap/v1", self.instance_id)
        file_key = aead_open(wrapping, nonce, self.header + header, wrapped)
        reader = Reader(stream_open(file_key, self.payload, self.before))
        need(reader.take(4) == b"TCP1", "malformed payload")
        seed = reader.take(32)
        pins = [(reader.take(16), reader.uint(4), reader.take(16)) for _ in range(reader.uint(2))]
        enrolled = [Recipient(reader) for _ in range(reader.uint(2))]
        need(reader.done(), "malformed payload")
        need(recipient_id(1, key_pair(seed)[0]) == self.instance_id, "another instance")
        return seed, pins, enrolled


# The frozen vectors


class Check:
    def __init__(self, path):
        self.count = self.failed = 0
        with open(path, encoding="ascii") as file:
            self.text = dict(line.rstrip("\n").split(" ", 1) for line in file
                             if not line.startswith("#") and line != "\n")

    def bytes(self, name):
        return bytes.fromhex(self.text[name].replace("-", ""))

    def ok(self, condition, what):
        self.count += 1
        self.failed += not condition
        print("%sok %d - %s" % ("" if condition else "not ", self.count, what))

    def wrap(self, name, key, *identity):
        wrap = self.bytes(name)
        self.ok(unwrap(wrap, self.bytes("root"), *identity) == self.bytes(key), name)
        self.ok(slot_address(wrap, *identity) == self.bytes(name + ".address"), name + ".address")

    def value(self, name, key, uuid, plain=None, **expected):
        value = from_armor(self.text[name + ".armor"])
        opened = value.open(self.bytes(key), self.bytes("realm"), self.bytes(uuid))
        self.ok(opened == (plain or self.bytes(name + ".plain")), name)
        for field, content in expected.items():
            self.ok(getattr(value, field) == content, "%s: %s" % (name, field))
        self.refused(name, value, key, uuid)

    def refused(self, name, value, key, uuid):
        opened = 0
        data = value.ad + value.nonce + value.body
        for at in range(0, len(data), 7 if len(data) > 200 else 1):
            try:
                changed = Value(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
                changed.open(self.bytes(key), self.bytes("realm"), self.bytes(uuid))
                opened += 1
            except Refused:
                pass
        self.ok(opened == 0, name + ": altered, it is refused")

    def run(self):
        text, data = self.text, self.bytes
        realm, uuid, root = data("realm"), data("uuid"), data("root")
        root_version = int(text["root_version"])
        key_id, version = int(text["key_id"]), int(text["version"])
        fields = b"one", b"", b"three"
        self.ok(kdf(data("dek"), "label", *fields, size=64) == data("kdf.keyed"), "kdf.keyed")
        self.ok(kdf(b"", "label", *fields, size=16) == data("kdf.unkeyed"), "kdf.unkeyed")
        for number, purpose in enumerate(("value", "index", "pending", "manifest", "audit", "root")):
            self.ok(kcv(root, number + 1) == data("kcv." + purpose), "kcv." + purpose)
        self.wrap("value.wrap", "dek", realm, uuid, key_id, version, VALUE, 1)
        self.wrap("index.wrap", "index.key", realm, uuid, key_id, 1, INDEX, 1)
        self.wrap("transit.wrap", "transit.key", realm, realm, int(text["transit.key_id"]),
                  int(text["transit.version"]), PENDING, 1)
        digest, mac = key_mac(root, root_version, (
            "key", "sLGys7S1tre4ubq7vL2-vw", "74565", "7", "1", "enabled", "blake2b:AAAA",
            "v7", "xchacha20poly1305:BBBB"))
        self.ok(digest == data("key.digest"), "key.digest")
        self.ok(mac == data("key.mac"), "key.mac")
        self.wrap("index.siphash128.wrap", "index.key", realm, uuid, key_id, 1, INDEX, 2)
        self.ciphers()
        self.values(key_id, version)
        for name, number in ALGORITHMS.items():
            if number > 1:
                self.algorithm(name, number, key_id, version)
        self.tokens(realm, uuid)
        self.roots(realm, root, root_version)
        self.keyring(realm, root, root_version)
        self.protected()
        print("1..%d" % self.count)
        return self.failed

    def values(self, key_id, version):
        self.value("value.text", "dek", "uuid", key_id=key_id, version=version, type_code=1, token=b"")
        self.value("value.empty", "dek", "uuid", type_code=2, version=version)
        self.value("value.searchable", "dek", "uuid", type_code=18, token=bytes(range(0xE0, 0xF0)))
        self.value("value.compressed", "dek", "uuid", plain=b"a" * 200, type_code=1)
        self.value("value.long", "dek", "uuid", type_code=4, version=65535)
        self.value("value.pending", "transit.key", "realm", type_code=0, role=b"alice",
                   key_id=int(self.text["transit.key_id"]), version=int(self.text["transit.version"]))

    def ciphers(self):
        """Our AES, GCM and AEGIS-256, by examples of those who made them."""
        numbers = bytes(range(64))
        self.ok(aes256(aes256_schedule(numbers[:32]), bytes.fromhex("00112233445566778899aabbccddeeff")).hex() ==
                "8ea2b7ca516745bfeafc49904b496089", "AES-256: FIPS 197, C.3")
        self.ok(gcm_open(bytes(32), bytes(12), b"", bytes.fromhex("530f8afbc74536b9a963b4f1c4cb738b")) == b"" and
                gcm_open(bytes(32), bytes(12), b"", bytes.fromhex(
                    "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")) == bytes(16),
                "AES-256-GCM: McGrew and Viega, test cases 13 and 14")
        key, nonce = (bytes.fromhex(text).ljust(32, b"\0") for text in ("1001", "100002"))
        for number, (ad, plain, body) in enumerate((
                (b"", bytes(16), "754fc3d8c973246dcc6d741412a4b236"
                 "1181a1d18091082bf0266f66297d167d2e68b845f61a3b0527d31fc7b7b89f13"),
                (b"", b"", "6a348c930adbd654896e1666aad67de989ea75ebaa2b82fb588977b1ffec864a"),
                (numbers[:8], numbers[:32], "f373079ed84b2709faee373584585d60accd191db310ef5d8b11833df9dec711"
                 "b7d28d0c3c0ebd409fd22b44160503073a547412da0854bfb9723020dab8da1a"),
                (numbers[:8], numbers[:14], "f373079ed84b2709faee37358458"
                 "8c1cc703c81281bee3f6d9966e14948b4a175b2efbdc31e61a98b4465235c2d9"),
                (numbers[:42], numbers[16:56], "57754a7d09963e7c787583a2e7b859bb24fa1e04d49fd550b2511a358e3bca252a9b1b8b30cc4a67"
                 "a3aca270c006094d71c20e6910b5161c0826df233d08919a566ec2c05990f734"))):
            self.ok(aegis256_open(key, nonce, ad, bytes.fromhex(body)) == plain, "AEGIS-256: the draft's test vector %d" % (number + 1))

    def algorithm(self, name, number, key_id, version):
        self.wrap(name + ".wrap", "dek", self.bytes("realm"), self.bytes("uuid"), key_id, version, VALUE, number)
        for what, token in ("text", b""), ("empty", b""), ("long", b""), ("searchable", bytes(range(0xE0, 0xF0))):
            self.value("%s.%s" % (name, what), "dek", "uuid", algorithm=number, token=token)

    def tokens(self, realm, uuid):
        data = self.bytes
        self.ok([siphash128(bytes(range(16)), bytes(range(size))).hex() for size in (0, 1, 15, 63)] ==
                ["a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45",
                 "5493e99933b0a8117e08ec0f97cfc3d9", "5150d1772f50834a503e069a973fbd7c"],
                "this SipHash is that of its authors")
        for name, type_code in ("text", 1), ("empty", 1), ("long", 2), ("jsonb", 4), ("numeric", 11), ("interval", 16):
            plain = data("token.%s.plain" % name)
            self.ok(canonical(type_code, plain) == data("token.%s.canonical" % name), "token.%s.canonical" % name)
            for algorithm, number in INDEX_ALGORITHMS.items():
                what = "token.%s.%s" % (name, algorithm)
                self.ok(token_subkey(data("index.key"), realm, uuid, number, type_code) == data(what + ".subkey") and
                        token(data("index.key"), realm, uuid, number, type_code, plain) == data(what), what)
        self.value("value.numeric", "dek", "uuid", type_code=11, token=data("token.numeric.blake2b"))
        self.value("value.interval", "dek", "uuid", type_code=16, token=data("token.interval.siphash128"))

    def roots(self, realm, root, root_version):
        text, data = self.text, self.bytes
        for who in "machine", "recovery":
            public, secret = key_pair(data(who + ".seed"))
            self.ok(public == data(who + ".public_key") and secret == data(who + ".secret_key"), who + " pair")
            self.ok(recipient_id(1, public) == data(who + ".id"), who + ".id")
            self.ok(public_from_text(text[who + ".text"]) == public, who + ".text")
            self.ok(root_from_box(data("box." + who), public, secret, realm, root_version) == root, "box." + who)
        self.ok(seed_from_text(text["recovery.identity"]) == data("recovery.seed"), "recovery.identity")
        record = Record(from_base64(text["record.option"]))
        self.ok(record.open(data("machine.seed")) == (root, True), "record: the machine opens and attests it")
        self.ok(record.open(data("recovery.seed")) == (root, False), "record: the recovery identity opens it")
        self.ok(attestation(data("machine.seed"), realm, root_version, record.kcv) ==
                data("record.attestation"), "record.attestation")
        self.ok([entry[0].name for entry in record.entries] == [b"db1.example.org", b"safe, 2nd floor"],
                "record: names")

    def keyring(self, realm, root, root_version):
        data = self.bytes
        keyring = Keyring(data("keyring.file"))
        self.ok(keyring.instance_id == data("keyring.instance_id"), "keyring.instance_id")
        for number in range(2):
            seed, pins, enrolled = keyring.open(number, data("keyring.secret%d" % number))
            self.ok(seed == data("machine.seed") and pins == [(realm, root_version, kcv(root, ROOT))] and
                    [recipient.public for recipient in enrolled] == [data("recovery.public_key")],
                    "keyring.file, slot %d" % number)
            try:
                keyring.open(number, data("keyring.secret%d" % (1 - number)))
                self.ok(False, "a wrong provider secret is refused")
            except Refused:
                self.ok(True, "a wrong provider secret is refused")


    def protected(self):
        passphrase = self.bytes("protected.passphrase").decode()
        # As a keyboard may give it: decomposed.
        self.ok(seed_from_protected(self.text["protected.identity"], unicodedata.normalize("NFD", passphrase)) ==
                self.bytes("recovery.seed"), "protected.identity")
        try:
            seed_from_protected(self.text["protected.identity"], passphrase + " ")
            self.ok(False, "a wrong passphrase is refused")
        except Refused:
            self.ok(True, "a wrong passphrase is refused")


def wycheproof_gcm(path):
    """Vectors with a key, nonce and tag of our sizes: how many are as they say."""
    agreed = wrong = 0
    with open(path, encoding="ascii") as file:
        for line in file:
            number, *fields, result = line.split()
            key, nonce, ad, plain, body = (bytes.fromhex(field.replace("-", "")) for field in fields)
            if len(key) != 32 or len(nonce) != 12:
                continue
            try:
                right = gcm_open(key, nonce, ad, body) == plain and result == "valid"
            except Refused:
                right = result == "invalid"
            agreed += right
            wrong += not right
            if not right:
                print("vector", number, file=sys.stderr)
    print("%d agreed, %d wrong" % (agreed, wrong))
    return wrong


# The program


def arguments():
    parser = argparse.ArgumentParser(description="Decode the formats of themis_crypt.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, required in ("value", False), ("token", True):
        value = verbs.add_parser(name)
        value.add_argument("armor")
        value.add_argument("--realm", type=bytes.fromhex, required=True)
        value.add_argument("--uuid", type=bytes.fromhex, required=True)
        value.add_argument("--root", type=bytes.fromhex, required=required)
        value.add_argument("--wrap", required=required)
        value.add_argument(*["--index"] if required else ["--dek"], type=str if required else bytes.fromhex,
                           required=required)
    record = verbs.add_parser("record")
    record.add_argument("option")
    record.add_argument("--seed", type=bytes.fromhex)
    record.add_argument("--identity")
    keyring = verbs.add_parser("keyring")
    keyring.add_argument("file")
    keyring.add_argument("--secret", type=bytes.fromhex, required=True)
    keyring.add_argument("--slot", type=int, default=0)
    verbs.add_parser("check").add_argument("vectors")
    verbs.add_parser("gcm").add_argument("lines")
    args = parser.parse_args()
    if args.verb == "value" and (args.dek is None) == (args.root is None or args.wrap is None):
        parser.error("give either --dek, or --root and --wrap")
    if args.verb == "record" and (args.seed is None) == (args.identity is None):
        parser.error("give either --seed or --identity")
    return args


def open_value(args, value, dek=None):
    if dek is None:
        name, _, wrap = args.wrap.partition(":")
        need(ALGORITHMS.get(name) == value.algorithm, "another algorithm")
        dek = unwrap(from_base64(wrap), args.root, args.realm, args.uuid, value.key_id, value.version,
                     PENDING if value.pending else VALUE, value.algorithm)
    return value.open(dek, args.realm, args.uuid)


def print_token(args):
    value = from_armor(args.armor)
    need(not value.pending and value.token, "not searchable")
    plain = open_value(args, value)
    name, _, wrap = args.index.partition(":")
    need(name in INDEX_ALGORITHMS, "unsupported index algorithm")
    algorithm = INDEX_ALGORITHMS[name]
    key = unwrap(from_base64(wrap), args.root, args.realm, args.uuid, value.key_id, 1, INDEX, algorithm)
    made = token(key, args.realm, args.uuid, algorithm, value.type_code, plain)
    need(made == value.token, "rejected: another token")
    print(made.hex())


def main():
    args = arguments()
    if args.verb == "gcm":
        return 1 if wycheproof_gcm(args.lines) else 0
    if args.verb == "check":
        return 1 if Check(args.vectors).run() else 0
    try:
        if args.verb == "value":
            sys.stdout.buffer.write(open_value(args, from_armor(args.armor), args.dek))
        elif args.verb == "token":
            print_token(args)
        elif args.verb == "record":
            record = Record(from_base64(args.option))
            root, attested = record.open(args.seed or seed_from_text(args.identity))
            print("realm", record.realm.hex())
            print("root_version", record.root_version)
            print("root", root.hex())
            print("attested", "yes" if attested else "no")
            for recipient, _, _ in record.entries:
                print("recipient", recipient.public.hex(), recipient.name.decode())
        else:
            with open(args.file, "rb") as file:
                seed, pins, enrolled = Keyring(file.read()).open(args.slot, args.secret)
            print("seed", seed.hex())
            for realm, version, check in pins:
                print("pin", realm.hex(), version, check.hex())
            for recipient in enrolled:
                print("recipient", recipient.public.hex(), recipient.name.decode())
    except Refused as refusal:
        print("refused:", refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
