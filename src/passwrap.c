/*-------------------------------------------------------------------------
 *
 * passwrap.c
 *	  A recovery identity under a passphrase.  The contract is in passwrap.h.
 *
 * src/passwrap.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>

#include <sodium.h>

#include "armor.h"
#include "nonce.h"
#include "passwrap.h"

#define PREFIX			"TC-RECOVERY-P1:"
#define MAGIC			"TCX1"
#define MAGIC_BYTES		4
#define KDF_ARGON2ID	1
#define CHECKSUM_FIELD	"protected"
#define CHECKSUM_BYTES	4
#define HEADER_BYTES	(MAGIC_BYTES + 1 + 4 + 4 + TC_PASSWRAP_SALT_BYTES + TC_NONCE_BYTES)
#define SUMMED_BYTES	(HEADER_BYTES + TC_MAC_BYTES + TC_SEED_BYTES + TC_TAG_BYTES)
#define WRAP_BYTES		(SUMMED_BYTES + CHECKSUM_BYTES)

_Static_assert(sizeof(MAGIC) - 1 == MAGIC_BYTES, "the magic has 4 bytes");
_Static_assert(HEADER_BYTES == 53 && WRAP_BYTES == 137,
			   "src/FORMAT states these sizes");
_Static_assert(sizeof(PREFIX) + TC_BASE64_LEN(WRAP_BYTES) <= TC_PASSWRAP_TEXT_MAX,
			   "the text form does not fit");
_Static_assert(TC_PASSWRAP_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES &&
			   TC_PASSWRAP_PASSES_MIN == crypto_pwhash_argon2id_OPSLIMIT_MODERATE &&
			   TC_PASSWRAP_KIB_MIN * 1024 == crypto_pwhash_argon2id_MEMLIMIT_MODERATE,
			   "the floor is libsodium's \"moderate\"");
_Static_assert(TC_STRETCHED_BYTES == TC_KEY_BYTES + TC_MAC_BYTES,
			   "a key, and what the commitment is made with");

bool
tc_passwrap_is(const char *text, size_t len)
{
	return len >= sizeof(PREFIX) - 1 &&
		memcmp(text, PREFIX, sizeof(PREFIX) - 1) == 0;
}

static TcResult
check_costs(uint32_t passes, uint32_t kib)
{
	if (passes > TC_PASSWRAP_PASSES_MAX || kib > TC_PASSWRAP_KIB_MAX)
		return TC_TOO_LARGE;
	if (passes < TC_PASSWRAP_PASSES_MIN || kib < TC_PASSWRAP_KIB_MIN)
		return TC_MALFORMED;
	return TC_OK;
}

/* The header: all that is before the commitment. */
static void
write_header(TcWriter *writer, const TcPasswrap *wrap)
{
	tc_write_bytes(writer, MAGIC, MAGIC_BYTES);
	tc_write_u8(writer, KDF_ARGON2ID);
	tc_write_u32(writer, wrap->passes);
	tc_write_u32(writer, wrap->kib);
	tc_write_bytes(writer, wrap->salt, sizeof(wrap->salt));
	tc_write_bytes(writer, wrap->nonce, sizeof(wrap->nonce));
}

/* Hash all bytes before the checksum, against slips of the pen. */
static TcResult
checksum(const uint8_t bytes[SUMMED_BYTES], uint8_t ret_sum[CHECKSUM_BYTES])
{
	uint8_t		hash[16];
	TcSpan		fields[2];
	TcResult	result;

	fields[0] = tc_span(CHECKSUM_FIELD, strlen(CHECKSUM_FIELD));
	fields[1] = tc_span(bytes, SUMMED_BYTES);
	result = tc_kdf(NULL, TC_LABEL_IDENTITY, fields, 2, hash, sizeof(hash));
	if (result == TC_OK)
		memcpy(ret_sum, hash, CHECKSUM_BYTES);
	return result;
}

TcResult
tc_passwrap_parse(const char *text, size_t len, TcPasswrap *ret_wrap)
{
	uint8_t		bytes[WRAP_BYTES];
	uint8_t		sum[CHECKSUM_BYTES];
	uint8_t		magic[MAGIC_BYTES];
	TcReader	reader;
	TcPasswrap	wrap;
	uint8_t		kdf;
	size_t		got;
	TcResult	result;

	if (!tc_passwrap_is(text, len) ||
		len != sizeof(PREFIX) - 1 + TC_BASE64_LEN(WRAP_BYTES) ||
		tc_base64_decode(text + sizeof(PREFIX) - 1, len - (sizeof(PREFIX) - 1),
						 bytes, sizeof(bytes), &got) != TC_OK ||
		got != sizeof(bytes))
		return TC_MALFORMED;
	result = checksum(bytes, sum);
	if (result != TC_OK)
		return result;
	if (memcmp(sum, bytes + SUMMED_BYTES, CHECKSUM_BYTES) != 0)
		return TC_MALFORMED;

	reader = tc_reader(tc_span(bytes, SUMMED_BYTES));
	tc_read_bytes(&reader, magic, MAGIC_BYTES);
	kdf = tc_read_u8(&reader);
	wrap.passes = tc_read_u32(&reader);
	wrap.kib = tc_read_u32(&reader);
	tc_read_bytes(&reader, wrap.salt, sizeof(wrap.salt));
	tc_read_bytes(&reader, wrap.nonce, sizeof(wrap.nonce));
	tc_read_bytes(&reader, wrap.commitment, sizeof(wrap.commitment));
	tc_read_bytes(&reader, wrap.body, sizeof(wrap.body));
	if (!tc_reader_done(&reader) || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
		return TC_MALFORMED;
	if (kdf != KDF_ARGON2ID)
		return TC_UNSUPPORTED;
	result = check_costs(wrap.passes, wrap.kib);
	if (result == TC_OK)
		*ret_wrap = wrap;
	return result;
}

TcResult
tc_passwrap_new(uint32_t passes, uint32_t kib, TcPasswrap *ret_wrap)
{
	TcPasswrap	wrap = {.passes = passes, .kib = kib};
	TcResult	result;

	result = check_costs(passes, kib);
	if (result == TC_OK)
		result = tc_random(wrap.salt, sizeof(wrap.salt));
	if (result == TC_OK)
		result = tc_random(wrap.nonce, sizeof(wrap.nonce));
	if (result == TC_OK)
		*ret_wrap = wrap;
	return result;
}

TcResult
tc_passwrap_stretch(const TcPasswrap *wrap, const char *passphrase, size_t len,
					uint8_t ret_stretched[TC_STRETCHED_BYTES])
{
	TcResult	result = check_costs(wrap->passes, wrap->kib);

	if (result != TC_OK)
		return result;
	if (len > TC_PASSPHRASE_MAX)
		return TC_TOO_LARGE;
	if (len == 0)
		return TC_MALFORMED;
	errno = ENOMEM;
	if (crypto_pwhash(ret_stretched, TC_STRETCHED_BYTES, passphrase, len,
					  wrap->salt, wrap->passes, (size_t) wrap->kib * 1024,
					  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return TC_SYSTEM;
	return TC_OK;
}

/* What binds a text to one stretched passphrase, and to its header. */
static TcResult
commitment(const uint8_t stretched[TC_STRETCHED_BYTES], TcSpan header,
		   uint8_t ret_commitment[TC_MAC_BYTES])
{
	return tc_kdf(stretched + TC_KEY_BYTES, TC_LABEL_PASSPHRASE, &header, 1,
				  ret_commitment, TC_MAC_BYTES);
}

TcResult
tc_passwrap_seal(TcPasswrap *wrap, const uint8_t stretched[TC_STRETCHED_BYTES],
				 const uint8_t seed[TC_SEED_BYTES])
{
	uint8_t		header[HEADER_BYTES];
	TcWriter	writer = tc_writer(header, sizeof(header));
	TcResult	result;

	write_header(&writer, wrap);
	result = commitment(stretched, tc_written(&writer), wrap->commitment);
	if (result == TC_OK)
		result = tc_aead_wrap(stretched, wrap->nonce, tc_written(&writer),
							  tc_span(seed, TC_SEED_BYTES), wrap->body);
	return result;
}

TcResult
tc_passwrap_open(const TcPasswrap *wrap,
				 const uint8_t stretched[TC_STRETCHED_BYTES],
				 uint8_t ret_seed[TC_SEED_BYTES])
{
	uint8_t		header[HEADER_BYTES];
	uint8_t		expected[TC_MAC_BYTES];
	TcWriter	writer = tc_writer(header, sizeof(header));
	TcResult	result;

	write_header(&writer, wrap);
	result = commitment(stretched, tc_written(&writer), expected);
	if (result == TC_OK &&
		sodium_memcmp(expected, wrap->commitment, TC_MAC_BYTES) != 0)
		result = TC_REJECTED;
	if (result == TC_OK)
		result = tc_aead_unwrap(stretched, wrap->nonce, tc_written(&writer),
								tc_span(wrap->body, sizeof(wrap->body)), ret_seed);
	if (result != TC_OK)
		sodium_memzero(ret_seed, TC_SEED_BYTES);
	return result;
}

TcResult
tc_passwrap_encode(const TcPasswrap *wrap, char ret_text[TC_PASSWRAP_TEXT_MAX])
{
	uint8_t		bytes[WRAP_BYTES];
	TcWriter	writer = tc_writer(bytes, SUMMED_BYTES);
	TcResult	result;

	result = check_costs(wrap->passes, wrap->kib);
	if (result != TC_OK)
		return result;
	write_header(&writer, wrap);
	tc_write_bytes(&writer, wrap->commitment, sizeof(wrap->commitment));
	tc_write_bytes(&writer, wrap->body, sizeof(wrap->body));
	if (writer.failed || writer.used != SUMMED_BYTES)
		return TC_TOO_LARGE;
	result = checksum(bytes, bytes + SUMMED_BYTES);
	if (result != TC_OK)
		return result;
	memcpy(ret_text, PREFIX, sizeof(PREFIX) - 1);
	tc_base64_encode(tc_span(bytes, sizeof(bytes)), ret_text + sizeof(PREFIX) - 1);
	return TC_OK;
}
