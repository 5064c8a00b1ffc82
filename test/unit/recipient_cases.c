/*-------------------------------------------------------------------------
 *
 * recipient_cases.c
 *	  Recipients and identities, their bytes, their texts, and their boxes.
 *
 * test/unit/recipient_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "armor.h"
#include "recipient.h"
#include "tap.h"

#define BINARY_MAX	(1 + 1 + 2 + 32 + 1 + 63)

static uint8_t seed[TC_SEED_BYTES];
static uint8_t realm[TC_UUID_BYTES];
static uint8_t root[TC_KEY_BYTES];
static TcKeyPair pair;

static TcRecipient
some_recipient(const char *name)
{
	TcRecipient recipient = {.kind = TC_KIND_X25519, .role = TC_ROLE_RECOVERY};

	memcpy(recipient.public_key, pair.public_key, TC_X25519_BYTES);
	recipient.name_len = (uint8_t) strlen(name);
	memcpy(recipient.name, name, strlen(name));
	return recipient;
}

static void
test_identities(void)
{
	uint8_t		pair_seed[32];
	uint8_t		hash[64];
	uint8_t		public_key[32];
	uint8_t		other_seed[32];
	TcKeyPair	other;
	size_t		same = 0;

	if (tc_kdf(seed, TC_LABEL_BOX_ROOT, NULL, 0, pair_seed, 32) != TC_OK)
		bail("no kdf");
	crypto_hash_sha512(hash, pair_seed, 32);
	is_bytes(pair.secret_key, hash, 32, "a secret key is half of SHA-512 of the derived seed");
	ok(crypto_scalarmult_base(public_key, pair.secret_key) == 0 &&
	   memcmp(public_key, pair.public_key, 32) == 0, "and the public key is its own");
	for (size_t bit = 0; bit < 256; bit++)
	{
		memcpy(other_seed, seed, 32);
		other_seed[bit / 8] ^= (uint8_t) (1 << bit % 8);
		if (tc_identity_pair(other_seed, &other) != TC_OK)
			bail("no pair");
		same += memcmp(&other, &pair, sizeof(pair)) == 0;
	}
	is_count(same, 0, "each bit of the seed counts");
}

static void
test_ids(void)
{
	uint8_t		id[TC_RECIPIENT_ID_BYTES];
	uint8_t		other[TC_RECIPIENT_ID_BYTES];

	is_result(tc_recipient_id(1, tc_span(pair.public_key, 32), id), TC_OK, "a public key has an id");
	ok(tc_recipient_id(2, tc_span(pair.public_key, 32), other) == TC_OK && memcmp(id, other, 16) != 0,
	   "another one as another kind");
	ok(tc_recipient_id(1, tc_span(pair.public_key, 31), other) == TC_OK && memcmp(id, other, 16) != 0,
	   "another one as a shorter key");
}

static void
test_fingerprints(void)
{
	static const uint8_t low[][32] = {{0}, {1}};	/* RFC 7748, section 6.1 */
	char		text[TC_FINGERPRINT_TEXT_MAX];
	char		digits[33];
	uint8_t		id[TC_RECIPIENT_ID_BYTES];
	size_t		n = 0;

	is_result(tc_recipient_fingerprint(pair.public_key, text), TC_OK, "a public key has a fingerprint");
	for (const char *at = text; *at != '\0'; at++)
		if (*at != '-' && n < 32)
			digits[n++] = *at;
	digits[n] = '\0';
	ok(strlen(text) == 39 && strspn(text + 4, "-") == 1 && strspn(text + 34, "-") == 1,
	   "in groups of four digits: %s", text);
	ok(n == 32 && tc_recipient_id(1, tc_span(pair.public_key, 32), id) == TC_OK &&
	   sodium_hex2bin(id, sizeof(id), digits, 32, NULL, &n, NULL) == 0 && n == 16, "they are hexadecimal");
	uint8_t		again[TC_RECIPIENT_ID_BYTES];

	ok(tc_recipient_id(1, tc_span(pair.public_key, 32), again) == TC_OK && memcmp(id, again, 16) == 0,
	   "and the id of the key");
	ok(tc_recipient_usable(pair.public_key), "a root can be boxed to a public key");
	ok(!tc_recipient_usable(low[0]) && !tc_recipient_usable(low[1]), "but not to one of small order");
}

static void
test_names(void)
{
	char		name[70];
	size_t		good = 0;

	for (int byte = 0; byte < 256; byte++)
	{
		char		one = (char) byte;
		bool		expected = byte >= 0x20 && byte <= 0x7E && byte != '"' && byte != '\\';

		good += tc_recipient_name_ok(&one, 1) == expected;
	}
	is_count(good, 256, "a name is printable ASCII without double quote and backslash");
	memset(name, 'n', sizeof(name));
	ok(!tc_recipient_name_ok(NULL, 0) && tc_recipient_name_ok(name, 1) &&
	   tc_recipient_name_ok(name, 63) && !tc_recipient_name_ok(name, 64), "of 1..63 bytes");
	name[62] = '\n';
	ok(!tc_recipient_name_ok(name, 63) && tc_recipient_name_ok(name, 62), "down to its last byte");
	ok(!tc_recipient_name_ok("tcpub1:AbiN", 11) && !tc_recipient_name_ok("TC-RECOVERY-1:AAAA", 18) &&
	   tc_recipient_name_ok("tcpub1", 6) && tc_recipient_name_ok("TC-RECOVERY", 11),
	   "neither a public key nor a secret identity");
}

/* Read a copy of just its size, all of it. */
static TcResult
read_all(const uint8_t *bytes, size_t len, TcRecipient *ret)
{
	uint8_t    *copy = exact_copy(bytes, len);
	TcReader	reader = tc_reader(tc_span(copy, len));
	TcResult	result = tc_recipient_read(&reader, ret);

	if (result == TC_OK && !tc_reader_done(&reader))
		result = TC_MALFORMED;
	free(copy);
	return result;
}

static void
test_binary(void)
{
	TcRecipient recipient = some_recipient("db1.example.org, spare");
	TcRecipient got;
	uint8_t		bytes[BINARY_MAX];
	uint8_t		again[BINARY_MAX];
	TcWriter	writer = tc_writer(bytes, sizeof(bytes));
	size_t		wrong = 0;
	size_t		taken = 0;
	size_t		len;

	tc_recipient_write(&writer, &recipient);
	len = writer.used;
	ok(len == 1 + 1 + 2 + 32 + 1 + 22 && memcmp(bytes, "\1\2\40\0", 4) == 0 && bytes[36] == 22,
	   "a recipient byte by byte");
	ok(read_all(bytes, len, &got) == TC_OK && memcmp(&got, &recipient, sizeof(got)) == 0, "it comes back");
	for (size_t n = 0; n < len; n++)
		wrong += read_all(bytes, n, &got) != TC_MALFORMED;
	is_count(wrong, 0, "every shortening is malformed");
	for (size_t at = 0; at < len; at++)
		for (int byte = 0; byte < 256; byte++)
		{
			uint8_t		was = bytes[at];

			bytes[at] = (uint8_t) byte;
			if (read_all(bytes, len, &got) == TC_OK)
			{
				taken++;
				writer = tc_writer(again, sizeof(again));
				tc_recipient_write(&writer, &got);
				wrong += writer.failed || writer.used != len || memcmp(again, bytes, len) != 0;
			}
			bytes[at] = was;
		}
	is_count(wrong, 0, "with any byte changed it is refused, or written back as it was read");
	is_count(taken, 1 + 2 + 1 + 1 + 32 * 256 + 1 + 22 * 93, "the changes taken are those of role, key and name");
}

static void
test_refused(void)
{
	TcRecipient recipient = some_recipient("n");
	TcRecipient got = some_recipient("untouched");
	TcRecipient fine;
	size_t		taken = 0;
	uint8_t		bytes[BINARY_MAX];
	TcWriter	writer = tc_writer(bytes, sizeof(bytes));

	tc_recipient_write(&writer, &recipient);
	bytes[0] = 2;
	is_result(read_all(bytes, 38, &got), TC_UNSUPPORTED, "X-Wing is a kind of a later version");
	bytes[0] = 1;
	bytes[1] = 3;
	is_result(read_all(bytes, 38, &got), TC_UNSUPPORTED, "and 3 a role of one");
	for (size_t key_len = 0; key_len <= 40; key_len++)
	{
		uint8_t		other[BINARY_MAX];

		writer = tc_writer(other, sizeof(other));
		tc_write_bytes(&writer, "\1\1", 2);
		tc_write_u16(&writer, (uint16_t) key_len);
		tc_write_bytes(&writer, root, key_len < 32 ? key_len : 32);
		tc_write_bytes(&writer, root, key_len < 32 ? 0 : key_len - 32);
		tc_write_bytes(&writer, "\1n", 2);
		taken += read_all(other, writer.used, key_len == 32 ? &fine : &got) == TC_OK;
	}
	is_count(taken, 1, "X25519 has 32 bytes, no other key of 0..40");
	bytes[1] = 1;
	bytes[36] = 0;
	is_result(read_all(bytes, 37, &got), TC_MALFORMED, "a recipient has a name");
	ok(strcmp(got.name, "untouched") == 0, "what is refused leaves the answer alone");

	recipient.kind = TC_KIND_XWING;
	writer = tc_writer(bytes, sizeof(bytes));
	tc_recipient_write(&writer, &recipient);
	ok(writer.failed && writer.used == 0, "a kind that cannot be read is not written");
	recipient = some_recipient("a\"b");
	writer = tc_writer(bytes, sizeof(bytes));
	tc_recipient_write(&writer, &recipient);
	ok(writer.failed && writer.used == 0, "nor is such a name");
	recipient = some_recipient("n");
	recipient.role = 0;
	writer = tc_writer(bytes, sizeof(bytes));
	tc_recipient_write(&writer, &recipient);
	ok(writer.failed && writer.used == 0, "nor is such a role");
}

typedef TcResult (*Decode) (const char *text, size_t len, uint8_t *ret);

/* A text form: it comes back, and there is no second spelling of it. */
static void
test_text(const char *what, const char *text, const uint8_t *bytes, Decode decode)
{
	size_t		len = strlen(text);
	uint8_t		got[32];
	size_t		taken = 0;
	char		changed[200];

	ok(decode(text, len, got) == TC_OK && memcmp(got, bytes, 32) == 0, "%s comes back: %.16s...", what, text);
	memset(got, 0x55, 32);
	for (size_t at = 0; at < len; at++)
		for (int byte = 0; byte < 256; byte++)
		{
			char	   *copy = (char *) exact_copy(text, len);

			copy[at] = (char) byte;
			taken += byte != (unsigned char) text[at] && decode(copy, len, got) == TC_OK;
			free(copy);
		}
	for (size_t n = 0; n < len; n++)
	{
		char	   *copy = (char *) exact_copy(text, n);

		taken += decode(copy, n, got) == TC_OK;
		free(copy);
	}
	static const char *const tails[] = {" ", "\n", "=", "A", "\r\n", "", "AAAA"};

	for (size_t i = 0; i < 7; i++)
	{
		size_t		n = (size_t) snprintf(changed, sizeof(changed), "%s%s", text, tails[i]);

		taken += i != 5 && decode(changed, n, got) == TC_OK;
		n = (size_t) snprintf(changed, sizeof(changed), "%s%s", tails[i], text);
		taken += i != 5 && decode(changed, n, got) == TC_OK;
	}
	taken += decode(text, len + 1, got) == TC_OK;	/* with its zero byte */
	ok(taken == 0 && got[0] == 0x55, "%s has no other spelling, and a slip of the pen is found", what);
}

static void
test_texts(void)
{
	char		text[TC_RECIPIENT_TEXT_MAX];
	char		identity[TC_IDENTITY_TEXT_MAX];
	uint8_t		later[1 + 32 + 16] = {2};
	uint8_t		kind = 2;
	TcSpan		fields[2];
	uint8_t		got[32];

	is_result(tc_recipient_encode(pair.public_key, text), TC_OK, "a public key as text");
	ok(strlen(text) == 7 + 50 && strncmp(text, "tcpub1:", 7) == 0, "has 57 characters");
	test_text("a public key", text, pair.public_key, tc_recipient_decode);
	is_result(tc_identity_encode(seed, identity), TC_OK, "a recovery identity as text");
	ok(strlen(identity) == 14 + 48 && strncmp(identity, "TC-RECOVERY-1:", 14) == 0, "has 62 characters");
	test_text("a recovery identity", identity, seed, tc_identity_decode);
	is_result(tc_identity_decode(text, strlen(text), got), TC_MALFORMED, "a public key is no identity");
	is_result(tc_recipient_decode(identity, strlen(identity), got), TC_MALFORMED, "nor the other way round");

	memcpy(later + 1, pair.public_key, 32);
	fields[0] = tc_span(&kind, 1);
	fields[1] = tc_span(pair.public_key, 32);
	if (tc_kdf(NULL, TC_LABEL_IDENTITY, fields, 2, later + 33, 16) != TC_OK)
		bail("no kdf");
	tc_base64_encode(tc_span(later, 37), text + 7);
	is_result(tc_recipient_decode(text, strlen(text), got), TC_UNSUPPORTED,
			  "a whole text of another kind is one of a later version");
}

static TcResult
unbox(const TcKeyPair *with, const uint8_t *in_realm, uint32_t version, const uint8_t *box, size_t len,
	  uint8_t *got)
{
	uint8_t    *copy = exact_copy(box, len);
	TcResult	result;

	memset(got, 0x55, TC_KEY_BYTES);
	result = tc_unbox_root(with, in_realm, version, tc_span(copy, len), got);
	if (result != TC_OK && !all_zero(got, TC_KEY_BYTES))
		bail("a failed unboxing left bytes of a root");
	free(copy);
	return result;
}

static void
test_boxes(void)
{
	TcRecipient recipient = some_recipient("n");
	uint8_t		box[TC_BOX_BYTES + 1] = {0};
	uint8_t		again[TC_BOX_BYTES];
	uint8_t		got[TC_KEY_BYTES];
	uint8_t		plain[TC_BOX_PLAIN_BYTES];
	uint8_t		other_seed[TC_SEED_BYTES];
	TcKeyPair	other;
	size_t		wrong = 0;

	is_result(tc_box_root(&recipient, realm, 9, root, box), TC_OK, "a root is boxed");
	ok(unbox(&pair, realm, 9, box, TC_BOX_BYTES, got) == TC_OK && memcmp(got, root, 32) == 0, "and unboxed");
	ok(tc_box_root(&recipient, realm, 9, root, again) == TC_OK && memcmp(box, again, 32) != 0,
	   "with another one-time key each time");
	for (size_t at = 0; at < TC_BOX_BYTES; at++)
		for (int mask = 1; mask < 256; mask <<= 1)
		{
			box[at] ^= (uint8_t) mask;
			wrong += unbox(&pair, realm, 9, box, TC_BOX_BYTES, got) != TC_REJECTED;
			box[at] ^= (uint8_t) mask;
		}
	is_count(wrong, 0, "with any bit changed it is rejected");
	for (size_t len = 0; len <= TC_BOX_BYTES + 1; len++)
		wrong += len != TC_BOX_BYTES && unbox(&pair, realm, 9, box, len, got) != TC_MALFORMED;
	is_count(wrong, 0, "at any other length it is malformed");
	is_result(unbox(&pair, realm, 8, box, TC_BOX_BYTES, got), TC_REJECTED, "it is rejected as another root version");
	is_result(unbox(&pair, root, 9, box, TC_BOX_BYTES, got), TC_REJECTED, "in another realm");
	fill(other_seed, sizeof(other_seed), 77);
	if (tc_identity_pair(other_seed, &other) != TC_OK)
		bail("no pair");
	is_result(unbox(&other, realm, 9, box, TC_BOX_BYTES, got), TC_REJECTED, "by another recipient");

	/* Each byte of a plaintext counts, although the box itself is in order. */
	if (crypto_box_seal_open(plain, box, TC_BOX_BYTES, pair.public_key, pair.secret_key) != 0)
		bail("libsodium does not open the box");
	ok(memcmp(plain, "TCB1\1", 5) == 0 && memcmp(plain + 41, root, 32) == 0, "its plaintext is FORMAT's");
	for (size_t at = 0; at < 41; at++)
	{
		plain[at] ^= 1;
		if (crypto_box_seal(again, plain, sizeof(plain), pair.public_key) != 0)
			bail("no box");
		wrong += unbox(&pair, realm, 9, again, TC_BOX_BYTES, got) != TC_REJECTED;
		plain[at] ^= 1;
	}
	is_count(wrong, 0, "a genuine box with any field changed is rejected");

	recipient.kind = TC_KIND_XWING;
	is_result(tc_box_root(&recipient, realm, 9, root, again), TC_UNSUPPORTED, "no box for a kind of a later version");
	recipient.kind = TC_KIND_X25519;
	memset(recipient.public_key, 0, 32);
	memset(again, 0x55, sizeof(again));
	is_result(tc_box_root(&recipient, realm, 9, root, again), TC_MALFORMED, "none for the public key of everybody");
	ok(again[0] == 0x55, "and nothing is written then");
}

int
main(void)
{
	if (sodium_init() < 0)
		bail("no libsodium");
	fill(seed, sizeof(seed), 1);
	fill(realm, sizeof(realm), 2);
	fill(root, sizeof(root), 3);
	is_result(tc_identity_pair(seed, &pair), TC_OK, "a seed has a key pair");
	test_identities();
	test_ids();
	test_fingerprints();
	test_names();
	test_binary();
	test_refused();
	test_texts();
	test_boxes();
	return done();
}
