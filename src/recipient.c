/*-------------------------------------------------------------------------
 *
 * recipient.c
 *	  Who can open a root.  The contract is in recipient.h.
 *
 * src/recipient.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "armor.h"
#include "recipient.h"

#define RECIPIENT_PREFIX	"tcpub1:"
#define IDENTITY_PREFIX		"TC-RECOVERY-1:"
#define RECOVERY_FIELD		"recovery"
#define CHECKSUM_BYTES		4
#define RECIPIENT_BYTES		(1 + TC_X25519_BYTES + CHECKSUM_BYTES)
#define IDENTITY_BYTES		(TC_SEED_BYTES + CHECKSUM_BYTES)
#define FINGERPRINT_GROUP	4
#define BOX_MAGIC			"TCB1"
#define BOX_ROOT_AT			(TC_BOX_PLAIN_BYTES - TC_KEY_BYTES)

_Static_assert(TC_X25519_BYTES == crypto_box_PUBLICKEYBYTES &&
			   TC_X25519_BYTES == crypto_box_SECRETKEYBYTES &&
			   TC_SEED_BYTES == crypto_box_SEEDBYTES &&
			   TC_SEED_BYTES == TC_KEY_BYTES,
			   "libsodium has other X25519 keys");
_Static_assert(TC_BOX_BYTES == TC_BOX_PLAIN_BYTES + crypto_box_SEALBYTES &&
			   TC_BOX_PLAIN_BYTES == 73 && TC_BOX_BYTES == 121,
			   "src/FORMAT states these sizes");
_Static_assert(TC_FINGERPRINT_TEXT_MAX == 2 * TC_RECIPIENT_ID_BYTES +
			   2 * TC_RECIPIENT_ID_BYTES / FINGERPRINT_GROUP,
			   "digits, dashes between groups, and the zero");
_Static_assert(sizeof(RECIPIENT_PREFIX) + TC_BASE64_LEN(RECIPIENT_BYTES) <=
			   TC_RECIPIENT_TEXT_MAX &&
			   sizeof(IDENTITY_PREFIX) + TC_BASE64_LEN(IDENTITY_BYTES) <=
			   TC_IDENTITY_TEXT_MAX,
			   "the text forms do not fit");

TcResult
tc_identity_pair(const uint8_t seed[TC_SEED_BYTES], TcKeyPair *ret_pair)
{
	uint8_t		pair_seed[TC_SEED_BYTES];
	TcKeyPair	pair;
	TcResult	result;

	result = tc_kdf(seed, TC_LABEL_BOX_ROOT, NULL, 0, pair_seed,
					sizeof(pair_seed));
	if (result == TC_OK &&
		crypto_box_seed_keypair(pair.public_key, pair.secret_key,
								pair_seed) != 0)
		result = TC_UNSUPPORTED;
	if (result == TC_OK)
		*ret_pair = pair;
	sodium_memzero(pair_seed, sizeof(pair_seed));
	sodium_memzero(&pair, sizeof(pair));
	return result;
}

TcResult
tc_recipient_id(uint8_t kind, TcSpan public_key,
				uint8_t ret_id[TC_RECIPIENT_ID_BYTES])
{
	TcSpan		fields[2];

	fields[0] = tc_span(&kind, 1);
	fields[1] = public_key;
	return tc_kdf(NULL, TC_LABEL_RECIPIENT, fields, 2, ret_id,
				  TC_RECIPIENT_ID_BYTES);
}

TcResult
tc_recipient_fingerprint(const uint8_t public_key[TC_X25519_BYTES],
						 char ret_text[TC_FINGERPRINT_TEXT_MAX])
{
	uint8_t		id[TC_RECIPIENT_ID_BYTES];
	char		hex[2 * TC_RECIPIENT_ID_BYTES + 1];
	char	   *at = ret_text;
	TcResult	result;

	result = tc_recipient_id(TC_KIND_X25519, tc_span(public_key, TC_X25519_BYTES),
							 id);
	if (result != TC_OK)
		return result;
	(void) sodium_bin2hex(hex, sizeof(hex), id, sizeof(id));
	for (int i = 0; i < 2 * TC_RECIPIENT_ID_BYTES; i += FINGERPRINT_GROUP)
	{
		if (i > 0)
			*at++ = '-';
		memcpy(at, hex + i, FINGERPRINT_GROUP);
		at += FINGERPRINT_GROUP;
	}
	*at = '\0';
	return TC_OK;
}

bool
tc_recipient_usable(const uint8_t public_key[TC_X25519_BYTES])
{
	static const uint8_t nothing[TC_KEY_BYTES] = {0};
	TcRecipient recipient = {.kind = TC_KIND_X25519};
	uint8_t		box[TC_BOX_BYTES];

	memcpy(recipient.public_key, public_key, TC_X25519_BYTES);
	return tc_box_root(&recipient, nothing, 1, nothing, box) == TC_OK;
}

/* Whether a name begins so. */
static bool
begins(const char *name, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && memcmp(name, prefix, strlen(prefix)) == 0;
}

bool
tc_recipient_name_ok(const char *name, size_t len)
{
	if (len == 0 || len > TC_RECIPIENT_NAME_MAX ||
		begins(name, len, "tcpub1:") || begins(name, len, "TC-RECOVERY-"))
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] < 0x20 || name[i] > 0x7E || name[i] == '"' ||
			name[i] == '\\')
			return false;
	return true;
}

/* Judge a recipient, read or to be written. */
static TcResult
check_recipient(const TcRecipient *recipient)
{
	if (recipient->kind != TC_KIND_X25519 ||
		(recipient->role != TC_ROLE_MACHINE &&
		 recipient->role != TC_ROLE_RECOVERY))
		return TC_UNSUPPORTED;
	if (!tc_recipient_name_ok(recipient->name, recipient->name_len))
		return TC_MALFORMED;
	return TC_OK;
}

void
tc_recipient_write(TcWriter *writer, const TcRecipient *recipient)
{
	if (check_recipient(recipient) != TC_OK)
	{
		writer->failed = true;
		return;
	}
	tc_write_u8(writer, recipient->kind);
	tc_write_u8(writer, recipient->role);
	tc_write_u16(writer, TC_X25519_BYTES);
	tc_write_bytes(writer, recipient->public_key, TC_X25519_BYTES);
	tc_write_u8(writer, recipient->name_len);
	tc_write_bytes(writer, recipient->name, recipient->name_len);
}

TcResult
tc_recipient_read(TcReader *reader, TcRecipient *ret_recipient)
{
	TcRecipient recipient = {0};
	TcSpan		key;
	TcSpan		name;
	TcResult	result;

	recipient.kind = tc_read_u8(reader);
	recipient.role = tc_read_u8(reader);
	key = tc_read_span(reader, tc_read_u16(reader));
	recipient.name_len = tc_read_u8(reader);
	name = tc_read_span(reader, recipient.name_len);
	if (reader->failed || name.len > TC_RECIPIENT_NAME_MAX)
		return TC_MALFORMED;
	if (recipient.kind != TC_KIND_X25519)
		return TC_UNSUPPORTED;
	if (key.len != TC_X25519_BYTES)
		return TC_MALFORMED;

	memcpy(recipient.public_key, key.data, TC_X25519_BYTES);
	if (name.len > 0)
		memcpy(recipient.name, name.data, name.len);
	result = check_recipient(&recipient);
	if (result == TC_OK)
		*ret_recipient = recipient;
	return result;
}

/* Hash what a text form carries, against slips of the pen. */
static TcResult
checksum(TcSpan first, TcSpan second, uint8_t ret_sum[CHECKSUM_BYTES])
{
	uint8_t		hash[16];
	TcSpan		fields[2];
	TcResult	result;

	fields[0] = first;
	fields[1] = second;
	result = tc_kdf(NULL, TC_LABEL_IDENTITY, fields, 2, hash, sizeof(hash));
	if (result == TC_OK)
		memcpy(ret_sum, hash, CHECKSUM_BYTES);
	sodium_memzero(hash, sizeof(hash));
	return result;
}

/* Decode the base64 behind a prefix, of exactly len bytes. */
static TcResult
decode_text(const char *text, size_t text_len, const char *prefix,
			uint8_t *ret_bytes, size_t len)
{
	size_t		prefix_len = strlen(prefix);
	size_t		got;

	if (text_len != prefix_len + TC_BASE64_LEN(len) ||
		memcmp(text, prefix, prefix_len) != 0 ||
		tc_base64_decode(text + prefix_len, text_len - prefix_len, ret_bytes,
						 len, &got) != TC_OK || got != len)
		return TC_MALFORMED;
	return TC_OK;
}

TcResult
tc_recipient_encode(const uint8_t public_key[TC_X25519_BYTES],
					char ret_text[TC_RECIPIENT_TEXT_MAX])
{
	uint8_t		bytes[RECIPIENT_BYTES] = {TC_KIND_X25519};
	TcResult	result;

	memcpy(bytes + 1, public_key, TC_X25519_BYTES);
	result = checksum(tc_span(bytes, 1), tc_span(bytes + 1, TC_X25519_BYTES),
					  bytes + 1 + TC_X25519_BYTES);
	if (result != TC_OK)
		return result;
	memcpy(ret_text, RECIPIENT_PREFIX, sizeof(RECIPIENT_PREFIX) - 1);
	tc_base64_encode(tc_span(bytes, sizeof(bytes)),
					 ret_text + sizeof(RECIPIENT_PREFIX) - 1);
	return TC_OK;
}

TcResult
tc_recipient_decode(const char *text, size_t len,
					uint8_t ret_public_key[TC_X25519_BYTES])
{
	uint8_t		bytes[RECIPIENT_BYTES];
	uint8_t		sum[CHECKSUM_BYTES];
	TcResult	result;

	result = decode_text(text, len, RECIPIENT_PREFIX, bytes, sizeof(bytes));
	if (result == TC_OK)
		result = checksum(tc_span(bytes, 1),
						  tc_span(bytes + 1, TC_X25519_BYTES), sum);
	if (result != TC_OK)
		return result;
	if (sodium_memcmp(sum, bytes + 1 + TC_X25519_BYTES, CHECKSUM_BYTES) != 0)
		return TC_MALFORMED;
	if (bytes[0] != TC_KIND_X25519)
		return TC_UNSUPPORTED;
	memcpy(ret_public_key, bytes + 1, TC_X25519_BYTES);
	return TC_OK;
}

TcResult
tc_identity_encode(const uint8_t seed[TC_SEED_BYTES],
				   char ret_text[TC_IDENTITY_TEXT_MAX])
{
	uint8_t		bytes[IDENTITY_BYTES];
	TcResult	result;

	memcpy(bytes, seed, TC_SEED_BYTES);
	result = checksum(tc_span(RECOVERY_FIELD, strlen(RECOVERY_FIELD)),
					  tc_span(bytes, TC_SEED_BYTES), bytes + TC_SEED_BYTES);
	if (result == TC_OK)
	{
		memcpy(ret_text, IDENTITY_PREFIX, sizeof(IDENTITY_PREFIX) - 1);
		tc_base64_encode(tc_span(bytes, sizeof(bytes)),
						 ret_text + sizeof(IDENTITY_PREFIX) - 1);
	}
	sodium_memzero(bytes, sizeof(bytes));
	return result;
}

TcResult
tc_identity_decode(const char *text, size_t len,
				   uint8_t ret_seed[TC_SEED_BYTES])
{
	uint8_t		bytes[IDENTITY_BYTES];
	uint8_t		sum[CHECKSUM_BYTES];
	TcResult	result;

	result = decode_text(text, len, IDENTITY_PREFIX, bytes, sizeof(bytes));
	if (result == TC_OK)
		result = checksum(tc_span(RECOVERY_FIELD, strlen(RECOVERY_FIELD)),
						  tc_span(bytes, TC_SEED_BYTES), sum);
	if (result == TC_OK &&
		sodium_memcmp(sum, bytes + TC_SEED_BYTES, CHECKSUM_BYTES) != 0)
		result = TC_MALFORMED;
	if (result == TC_OK)
		memcpy(ret_seed, bytes, TC_SEED_BYTES);
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(sum, sizeof(sum));
	return result;
}

/* Write all of a box's plaintext but the root at its end. */
static TcResult
write_box_head(uint8_t kind, const uint8_t public_key[TC_X25519_BYTES],
			   const uint8_t realm[TC_UUID_BYTES], uint32_t root_version,
			   uint8_t ret_head[BOX_ROOT_AT])
{
	TcWriter	writer = tc_writer(ret_head, BOX_ROOT_AT);
	uint8_t		id[TC_RECIPIENT_ID_BYTES];
	TcResult	result;

	result = tc_recipient_id(kind, tc_span(public_key, TC_X25519_BYTES), id);
	tc_write_bytes(&writer, BOX_MAGIC, sizeof(BOX_MAGIC) - 1);
	tc_write_u8(&writer, kind);
	tc_write_bytes(&writer, realm, TC_UUID_BYTES);
	tc_write_u32(&writer, root_version);
	tc_write_bytes(&writer, id, sizeof(id));
	if (result == TC_OK && (writer.failed || writer.used != BOX_ROOT_AT))
		result = TC_TOO_LARGE;
	return result;
}

TcResult
tc_box_root(const TcRecipient *recipient, const uint8_t realm[TC_UUID_BYTES],
			uint32_t root_version, const uint8_t root[TC_KEY_BYTES],
			uint8_t ret_box[TC_BOX_BYTES])
{
	uint8_t		plain[TC_BOX_PLAIN_BYTES];
	uint8_t		box[TC_BOX_BYTES];
	TcResult	result;

	if (recipient->kind != TC_KIND_X25519)
		return TC_UNSUPPORTED;
	result = write_box_head(recipient->kind, recipient->public_key, realm,
							root_version, plain);
	memcpy(plain + BOX_ROOT_AT, root, TC_KEY_BYTES);

	/* -1 is a public key with which everybody shares the secret zero. */
	if (result == TC_OK &&
		crypto_box_seal(box, plain, sizeof(plain), recipient->public_key) != 0)
		result = TC_MALFORMED;
	if (result == TC_OK)
		memcpy(ret_box, box, TC_BOX_BYTES);
	sodium_memzero(plain, sizeof(plain));
	return result;
}

TcResult
tc_unbox_root(const TcKeyPair *pair, const uint8_t realm[TC_UUID_BYTES],
			  uint32_t root_version, TcSpan box,
			  uint8_t ret_root[TC_KEY_BYTES])
{
	uint8_t		plain[TC_BOX_PLAIN_BYTES];
	uint8_t		expected[BOX_ROOT_AT];
	TcResult	result;

	result = write_box_head(TC_KIND_X25519, pair->public_key, realm,
							root_version, expected);
	if (result == TC_OK && box.len != TC_BOX_BYTES)
		result = TC_MALFORMED;
	if (result == TC_OK &&
		(crypto_box_seal_open(plain, box.data, box.len, pair->public_key,
							  pair->secret_key) != 0 ||
		 sodium_memcmp(plain, expected, BOX_ROOT_AT) != 0))
		result = TC_REJECTED;

	if (result == TC_OK)
		memcpy(ret_root, plain + BOX_ROOT_AT, TC_KEY_BYTES);
	else
		sodium_memzero(ret_root, TC_KEY_BYTES);
	sodium_memzero(plain, sizeof(plain));
	return result;
}
