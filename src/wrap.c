/*-------------------------------------------------------------------------
 *
 * wrap.c
 *	  Keys wrapped by a root.  The contract is in wrap.h.
 *
 * src/wrap.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "nonce.h"
#include "wrap.h"

#define MAGIC			"TCW1"
#define MAGIC_BYTES		4
#define VERSION_AT		MAGIC_BYTES
#define NONCE_AT		(VERSION_AT + 4)
#define BODY_AT			(NONCE_AT + TC_NONCE_BYTES)
#define AD_BYTES		(MAGIC_BYTES + TC_UUID_BYTES + 4 + TC_UUID_BYTES + 4 + \
						 2 + 1 + 1)

_Static_assert(sizeof(MAGIC) - 1 == MAGIC_BYTES, "the magic has 4 bytes");
_Static_assert(BODY_AT + TC_KEY_BYTES + TC_TAG_BYTES == TC_WRAP_BYTES,
			   "a wrap has other fields");
_Static_assert(TC_WRAP_BYTES == 80 && AD_BYTES == 48 && TC_KEY_MAC_BYTES == 36,
			   "src/FORMAT states these sizes");

/* Write an integer to the scratch space, and give it as a field. */
static TcSpan
uint_field(TcWriter *scratch, uint64_t value, int nbytes)
{
	size_t		from = scratch->used;

	tc_write_uint(scratch, value, nbytes);
	return tc_span(scratch->start + from, scratch->used - from);
}

/* Write the associated data of a wrap. */
static void
write_ad(uint32_t root_version, const TcKeyIdentity *identity,
		 uint8_t ret_ad[AD_BYTES])
{
	TcWriter	writer = tc_writer(ret_ad, AD_BYTES);

	tc_write_bytes(&writer, MAGIC, MAGIC_BYTES);
	tc_write_bytes(&writer, identity->realm, TC_UUID_BYTES);
	tc_write_u32(&writer, root_version);
	tc_write_bytes(&writer, identity->uuid, TC_UUID_BYTES);
	tc_write_u32(&writer, identity->key_id);
	tc_write_u16(&writer, identity->version);
	tc_write_u8(&writer, identity->purpose);
	tc_write_u8(&writer, identity->algorithm);
}

/* Derive the key under which a root wraps keys of one purpose. */
static TcResult
wrapping_key(const uint8_t root[TC_KEY_BYTES], uint8_t purpose,
			 uint8_t ret_key[TC_KEY_BYTES])
{
	TcSpan		field = tc_span(&purpose, 1);

	return tc_kdf(root, TC_LABEL_WRAP, &field, 1, ret_key, TC_KEY_BYTES);
}

TcResult
tc_wrap_key(const uint8_t root[TC_KEY_BYTES], uint32_t root_version,
			const TcKeyIdentity *identity, const uint8_t key[TC_KEY_BYTES],
			uint8_t ret_wrap[TC_WRAP_BYTES])
{
	uint8_t		wrapping[TC_KEY_BYTES];
	uint8_t		ad[AD_BYTES];
	uint8_t		wrap[TC_WRAP_BYTES];
	TcWriter	writer = tc_writer(wrap, NONCE_AT);
	TcResult	result;

	tc_write_bytes(&writer, MAGIC, MAGIC_BYTES);
	tc_write_u32(&writer, root_version);
	write_ad(root_version, identity, ad);

	result = tc_random(wrap + NONCE_AT, TC_NONCE_BYTES);
	if (result == TC_OK)
		result = wrapping_key(root, identity->purpose, wrapping);
	if (result == TC_OK)
		result = tc_aead_wrap(wrapping, wrap + NONCE_AT,
							  tc_span(ad, sizeof(ad)),
							  tc_span(key, TC_KEY_BYTES), wrap + BODY_AT);
	if (result == TC_OK)
		memcpy(ret_wrap, wrap, TC_WRAP_BYTES);
	sodium_memzero(wrapping, sizeof(wrapping));
	return result;
}

TcResult
tc_unwrap_key(const uint8_t root[TC_KEY_BYTES], const TcKeyIdentity *identity,
			  TcSpan wrap, uint8_t ret_key[TC_KEY_BYTES])
{
	uint8_t		wrapping[TC_KEY_BYTES];
	uint8_t		ad[AD_BYTES];
	uint32_t	root_version;
	TcResult	result;

	result = tc_wrap_root_version(wrap, &root_version);
	if (result == TC_OK)
		result = wrapping_key(root, identity->purpose, wrapping);
	if (result == TC_OK)
	{
		write_ad(root_version, identity, ad);
		result = tc_aead_unwrap(wrapping, wrap.data + NONCE_AT,
								tc_span(ad, sizeof(ad)),
								tc_span(wrap.data + BODY_AT,
										TC_KEY_BYTES + TC_TAG_BYTES), ret_key);
	}
	if (result != TC_OK)
		sodium_memzero(ret_key, TC_KEY_BYTES);
	sodium_memzero(wrapping, sizeof(wrapping));
	return result;
}

TcResult
tc_wrap_root_version(TcSpan wrap, uint32_t *ret_version)
{
	TcReader	reader = tc_reader(wrap);
	uint8_t		magic[MAGIC_BYTES];
	uint32_t	version;

	tc_read_bytes(&reader, magic, MAGIC_BYTES);
	version = tc_read_u32(&reader);
	if (wrap.len != TC_WRAP_BYTES || reader.failed ||
		memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
		return TC_MALFORMED;
	*ret_version = version;
	return TC_OK;
}

TcResult
tc_slot_key(const uint8_t dek[TC_KEY_BYTES], const TcKeyIdentity *identity,
			uint8_t ret_key[TC_KEY_BYTES])
{
	uint8_t		numbers[2 + 1 + 1];
	TcWriter	scratch = tc_writer(numbers, sizeof(numbers));
	TcSpan		fields[5];

	fields[0] = tc_span(identity->realm, TC_UUID_BYTES);
	fields[1] = tc_span(identity->uuid, TC_UUID_BYTES);
	fields[2] = uint_field(&scratch, identity->version, 2);
	fields[3] = uint_field(&scratch, identity->algorithm, 1);
	fields[4] = uint_field(&scratch, identity->purpose, 1);
	return tc_kdf(dek, TC_LABEL_VALUE, fields, 5, ret_key, TC_KEY_BYTES);
}

TcResult
tc_slot_address(const TcKeyIdentity *identity, TcSpan wrap, TcSpan maced,
				uint8_t ret_address[TC_ADDRESS_BYTES])
{
	uint8_t		numbers[4 + 4 + 2 + 1 + 1];
	TcWriter	scratch = tc_writer(numbers, sizeof(numbers));
	TcSpan		fields[9];
	uint32_t	root_version;
	TcResult	result;

	result = tc_wrap_root_version(wrap, &root_version);
	if (result != TC_OK)
		return result;
	fields[0] = tc_span(identity->realm, TC_UUID_BYTES);
	fields[1] = uint_field(&scratch, root_version, 4);
	fields[2] = tc_span(identity->uuid, TC_UUID_BYTES);
	fields[3] = uint_field(&scratch, identity->key_id, 4);
	fields[4] = uint_field(&scratch, identity->version, 2);
	fields[5] = uint_field(&scratch, identity->purpose, 1);
	fields[6] = uint_field(&scratch, identity->algorithm, 1);
	fields[7] = wrap;
	fields[8] = maced;
	return tc_kdf(NULL, TC_LABEL_ADDRESS, fields, maced.len > 0 ? 9 : 8, ret_address,
				  TC_ADDRESS_BYTES);
}

TcResult
tc_key_mac(const uint8_t root[TC_KEY_BYTES], uint32_t root_version,
		   const TcSpan *fields, int nfields, uint8_t ret_mac[TC_KEY_MAC_BYTES])
{
	uint8_t		subkey[TC_KEY_BYTES];
	uint8_t		mac[TC_KEY_MAC_BYTES];
	TcWriter	writer = tc_writer(mac, sizeof(mac));
	TcSpan		version_field = uint_field(&writer, root_version, 4);
	TcResult	result;

	result = tc_kdf(root, TC_LABEL_KEY_MAC, &version_field, 1, subkey,
					TC_KEY_BYTES);
	if (result == TC_OK)
		result = tc_kdf(subkey, TC_LABEL_KEY_MAC, fields, nfields,
						mac + writer.used, TC_MAC_BYTES);
	if (result == TC_OK)
		memcpy(ret_mac, mac, TC_KEY_MAC_BYTES);
	sodium_memzero(subkey, sizeof(subkey));
	sodium_memzero(mac, sizeof(mac));
	return result;
}

TcResult
tc_key_mac_verify(const uint8_t root[TC_KEY_BYTES], const TcSpan *fields,
				  int nfields, TcSpan mac)
{
	TcReader	reader = tc_reader(mac);
	uint32_t	root_version = tc_read_u32(&reader);
	uint8_t		expected[TC_KEY_MAC_BYTES];
	TcResult	result;

	if (mac.len != TC_KEY_MAC_BYTES)
		return TC_MALFORMED;
	result = tc_key_mac(root, root_version, fields, nfields, expected);
	if (result == TC_OK &&
		sodium_memcmp(expected, mac.data, TC_KEY_MAC_BYTES) != 0)
		result = TC_REJECTED;
	sodium_memzero(expected, sizeof(expected));
	return result;
}
