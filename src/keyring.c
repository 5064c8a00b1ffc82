/*-------------------------------------------------------------------------
 *
 * keyring.c
 *	  Take keyring files apart and open them.  The contract is in keyring.h.
 *
 * src/keyring.c
 *
 *-------------------------------------------------------------------------
 */
#include "keyring_layout.h"

const char *
tc_binding_name(uint8_t binding)
{
	switch (binding)
	{
		case TC_BINDING_HOST:
			return "host";
		case TC_BINDING_TPM2:
			return "tpm2";
		case TC_BINDING_HOST_TPM2:
			return "host+tpm2";
		case TC_BINDING_EXTERNAL:
			return "external";
		case TC_BINDING_SOFTWARE:
			return "software";
		default:
			return "";
	}
}

bool
tc_provider_name_ok(const char *name, size_t len)
{
	if (len < 1 || len > TC_PROVIDER_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		char		c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

/* Take one slot apart. */
static TcResult
read_slot(TcReader *reader, TcKeyringSlot *ret_slot)
{
	const uint8_t *start = reader->at;
	TcSpan		name;

	name = tc_read_span(reader, tc_read_u8(reader));
	ret_slot->binding = tc_read_u8(reader);
	tc_read_bytes(reader, ret_slot->type_id, TC_TYPE_ID_BYTES);
	ret_slot->policy = tc_read_span(reader, tc_read_u16(reader));
	ret_slot->blob = tc_read_span(reader, tc_read_u32(reader));
	if (!reader->failed)
		ret_slot->header = tc_span(start, (size_t) (reader->at - start));
	ret_slot->wrapped = tc_read_span(reader, KR_WRAPPED_BYTES);

	if (reader->failed ||
		!tc_provider_name_ok((const char *) name.data, name.len) ||
		!policy_ok(ret_slot->policy) || !blob_ok(ret_slot->blob))
		return TC_MALFORMED;
	if (ret_slot->binding > TC_BINDING_SOFTWARE)
		return TC_UNSUPPORTED;
	memcpy(ret_slot->provider, name.data, name.len);
	return TC_OK;
}

TcResult
tc_keyring_parse(TcSpan file, TcKeyring *ret_keyring)
{
	TcKeyring	keyring;
	TcReader	reader = tc_reader(file);
	TcSpan		magic;
	TcResult	result;

	if (file.len > TC_KEYRING_MAX)
		return TC_TOO_LARGE;
	memset(&keyring, 0, sizeof(keyring));

	magic = tc_read_span(&reader, KR_MAGIC_BYTES);
	tc_read_bytes(&reader, keyring.instance_id, TC_RECIPIENT_ID_BYTES);
	keyring.nslots = tc_read_u16(&reader);
	if (reader.failed || memcmp(magic.data, KR_MAGIC, KR_MAGIC_BYTES - 1) != 0)
		return TC_MALFORMED;
	/* The last character of the magic is the version. */
	if (magic.data[KR_MAGIC_BYTES - 1] != KR_MAGIC[KR_MAGIC_BYTES - 1])
		return TC_UNSUPPORTED;
	keyring.header = tc_span(file.data, KR_HEADER_BYTES);

	if (keyring.nslots < 1 || keyring.nslots > TC_KEYRING_SLOTS_MAX)
		return TC_MALFORMED;
	for (int i = 0; i < keyring.nslots; i++)
	{
		result = read_slot(&reader, &keyring.slots[i]);
		if (result != TC_OK)
			return result;
	}

	keyring.before_payload = tc_span(file.data, file.len - reader.left);
	keyring.payload = tc_read_span(&reader, reader.left);
	if (keyring.payload.len < KR_PLAIN_MIN + KR_PAYLOAD_EXTRA ||
		keyring.payload.len > KR_PLAIN_MAX + KR_PAYLOAD_EXTRA)
		return TC_MALFORMED;

	*ret_keyring = keyring;
	return TC_OK;
}

TcResult
tc_keyring_instance_id(const uint8_t seed[TC_SEED_BYTES],
					   uint8_t ret_id[TC_RECIPIENT_ID_BYTES])
{
	TcKeyPair	pair;
	TcResult	result;

	result = tc_identity_pair(seed, &pair);
	if (result == TC_OK)
		result = tc_recipient_id(TC_KIND_X25519,
								 tc_span(pair.public_key, TC_X25519_BYTES),
								 ret_id);
	sodium_memzero(&pair, sizeof(pair));
	return result;
}

/* Unwrap the file key; zeros on failure. */
static TcResult
unwrap_file_key(const TcKeyring *keyring, const TcKeyringSlot *slot,
				const uint8_t *secret, uint8_t ret_file_key[TC_KEY_BYTES])
{
	uint8_t		key[TC_KEY_BYTES];
	uint8_t		ad[KR_HEADER_BYTES + KR_SLOT_HEADER_MAX];
	TcWriter	writer = tc_writer(ad, sizeof(ad));
	TcSpan		ad_span = slot_ad(&writer, keyring->header, slot->header);
	TcResult	result;

	result = slot_wrap_key(secret, tc_span(keyring->instance_id,
										   TC_RECIPIENT_ID_BYTES), key);
	if (result == TC_OK)
		result = tc_aead_unwrap(key, slot->wrapped.data, ad_span,
								tc_span(slot->wrapped.data + TC_NONCE_BYTES,
										TC_KEY_BYTES + TC_TAG_BYTES),
								ret_file_key);
	if (result != TC_OK)
		sodium_memzero(ret_file_key, TC_KEY_BYTES);
	sodium_memzero(key, sizeof(key));
	return result;
}

/* Open the one message of the payload's stream into KR_PLAIN_MAX bytes. */
static TcResult
open_stream(const TcKeyring *keyring, const uint8_t *file_key,
			uint8_t *ret_plain, size_t *ret_len)
{
	crypto_secretstream_xchacha20poly1305_state state;
	const uint8_t *stream = keyring->payload.data;
	unsigned long long len = 0;
	uint8_t		tag = 0;
	TcResult	result = TC_REJECTED;

	if (crypto_secretstream_xchacha20poly1305_init_pull(&state, stream,
														file_key) == 0 &&
		crypto_secretstream_xchacha20poly1305_pull(&state, ret_plain, &len, &tag,
												   stream + KR_STREAM_HEADER_BYTES,
												   keyring->payload.len - KR_STREAM_HEADER_BYTES,
												   keyring->before_payload.data,
												   keyring->before_payload.len) == 0 &&
		tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL)
	{
		*ret_len = (size_t) len;
		result = TC_OK;
	}
	sodium_memzero(&state, sizeof(state));
	return result;
}

/* Read the plaintext of the payload. */
static TcResult
read_payload(TcSpan plain, TcKeyringPayload *ret_payload)
{
	TcReader	reader = tc_reader(plain);
	TcSpan		magic = tc_read_span(&reader, KR_PLAIN_MAGIC_BYTES);
	TcResult	result;

	tc_read_bytes(&reader, ret_payload->seed, TC_SEED_BYTES);
	if (reader.failed || memcmp(magic.data, KR_PLAIN_MAGIC, KR_PLAIN_MAGIC_BYTES) != 0)
		return TC_UNSUPPORTED;

	ret_payload->npins = tc_read_u16(&reader);
	if (ret_payload->npins > TC_PINS_MAX)
		return TC_MALFORMED;
	for (int i = 0; i < ret_payload->npins; i++)
	{
		TcPin	   *pin = &ret_payload->pins[i];

		tc_read_bytes(&reader, pin->realm, TC_UUID_BYTES);
		pin->root_version = tc_read_u32(&reader);
		tc_read_bytes(&reader, pin->kcv, TC_KCV_BYTES);
	}

	ret_payload->nenrolled = tc_read_u16(&reader);
	if (ret_payload->nenrolled > TC_ENROLLED_MAX)
		return TC_MALFORMED;
	for (int i = 0; i < ret_payload->nenrolled; i++)
	{
		result = tc_recipient_read(&reader, &ret_payload->enrolled[i]);
		if (result != TC_OK)
			return result;
	}
	return tc_reader_done(&reader) ? TC_OK : TC_MALFORMED;
}

/* Whether a payload is that of the instance which the file's header names. */
static TcResult
check_instance(const TcKeyring *keyring, const TcKeyringPayload *payload)
{
	uint8_t		id[TC_RECIPIENT_ID_BYTES];
	TcResult	result;

	result = tc_keyring_instance_id(payload->seed, id);
	if (result == TC_OK &&
		sodium_memcmp(id, keyring->instance_id, sizeof(id)) != 0)
		result = TC_REJECTED;
	return result;
}

TcResult
tc_keyring_open(const TcKeyring *keyring, int slot,
				const uint8_t secret[TC_PROVIDER_SECRET_BYTES],
				TcKeyringPayload *ret_payload, uint8_t *ret_file_key)
{
	uint8_t		file_key[TC_KEY_BYTES] = {0};
	uint8_t		plain[KR_PLAIN_MAX];
	size_t		len = 0;
	TcResult	result = TC_REJECTED;

	memset(ret_payload, 0, sizeof(*ret_payload));
	if (slot >= 0 && slot < keyring->nslots)
		result = unwrap_file_key(keyring, &keyring->slots[slot], secret, file_key);
	if (result == TC_OK)
		result = open_stream(keyring, file_key, plain, &len);
	if (result == TC_OK)
		result = read_payload(tc_span(plain, len), ret_payload);
	if (result == TC_OK)
		result = check_instance(keyring, ret_payload);

	if (result != TC_OK)
	{
		sodium_memzero(ret_payload, sizeof(*ret_payload));
		sodium_memzero(file_key, sizeof(file_key));
	}
	if (ret_file_key != NULL)
		memcpy(ret_file_key, file_key, TC_KEY_BYTES);
	sodium_memzero(file_key, sizeof(file_key));
	sodium_memzero(plain, sizeof(plain));
	return result;
}
