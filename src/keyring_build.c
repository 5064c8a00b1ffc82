/*-------------------------------------------------------------------------
 *
 * keyring_build.c
 *	  Build the bytes of a keyring file.  The contract is in keyring.h.
 *
 * src/keyring_build.c
 *
 *-------------------------------------------------------------------------
 */
#include "keyring_layout.h"
#include "nonce.h"

/* Write the plaintext of the payload. */
static TcResult
write_payload(TcWriter *writer, const TcKeyringPayload *payload)
{
	if (payload->npins < 0 || payload->npins > TC_PINS_MAX ||
		payload->nenrolled < 0 || payload->nenrolled > TC_ENROLLED_MAX)
		return TC_TOO_LARGE;

	tc_write_bytes(writer, KR_PLAIN_MAGIC, KR_PLAIN_MAGIC_BYTES);
	tc_write_bytes(writer, payload->seed, TC_SEED_BYTES);
	tc_write_u16(writer, (uint16_t) payload->npins);
	for (int i = 0; i < payload->npins; i++)
	{
		tc_write_bytes(writer, payload->pins[i].realm, TC_UUID_BYTES);
		tc_write_u32(writer, payload->pins[i].root_version);
		tc_write_bytes(writer, payload->pins[i].kcv, TC_KCV_BYTES);
	}
	tc_write_u16(writer, (uint16_t) payload->nenrolled);
	for (int i = 0; i < payload->nenrolled; i++)
		tc_recipient_write(writer, &payload->enrolled[i]);
	/* All that is allowed fits, so a recipient was not allowed. */
	return writer->failed ? TC_MALFORMED : TC_OK;
}

/* Wrap the file key for a slot whose header has just been written. */
static TcResult
wrap_file_key(const uint8_t *secret, TcSpan file_header, TcSpan slot_header,
			  const uint8_t *file_key, uint8_t ret_wrapped[KR_WRAPPED_BYTES])
{
	uint8_t		key[TC_KEY_BYTES];
	uint8_t		ad[KR_HEADER_BYTES + KR_SLOT_HEADER_MAX];
	TcWriter	writer = tc_writer(ad, sizeof(ad));
	TcSpan		ad_span = slot_ad(&writer, file_header, slot_header);
	TcResult	result;

	result = slot_wrap_key(secret, tc_span(file_header.data + KR_MAGIC_BYTES,
										   TC_RECIPIENT_ID_BYTES), key);
	if (result == TC_OK)
		result = tc_random(ret_wrapped, TC_NONCE_BYTES);
	if (result == TC_OK)
		result = tc_aead_wrap(key, ret_wrapped, ad_span,
							  tc_span(file_key, TC_KEY_BYTES),
							  ret_wrapped + TC_NONCE_BYTES);
	sodium_memzero(key, sizeof(key));
	return result;
}

/* Write one slot. */
static TcResult
write_slot(TcWriter *writer, const TcKeyringNewSlot *slot,
		   const uint8_t *file_key)
{
	TcSpan		name = tc_span(slot->provider, strlen(slot->provider));
	size_t		from = writer->used;
	TcSpan		slot_header;
	uint8_t    *wrapped;

	if (!tc_provider_name_ok(slot->provider, name.len) ||
		!policy_ok(slot->policy) || !blob_ok(slot->blob) ||
		slot->binding > TC_BINDING_SOFTWARE ||
		(slot->secret == NULL && slot->wrapped.len != KR_WRAPPED_BYTES))
		return TC_MALFORMED;

	tc_write_u8(writer, (uint8_t) name.len);
	tc_write_bytes(writer, name.data, name.len);
	tc_write_u8(writer, slot->binding);
	tc_write_bytes(writer, slot->type_id, TC_TYPE_ID_BYTES);
	tc_write_u16(writer, (uint16_t) slot->policy.len);
	tc_write_bytes(writer, slot->policy.data, slot->policy.len);
	tc_write_u32(writer, (uint32_t) slot->blob.len);
	tc_write_bytes(writer, slot->blob.data, slot->blob.len);
	slot_header = tc_span(writer->start + from, writer->used - from);

	wrapped = tc_write_room(writer, KR_WRAPPED_BYTES);
	if (wrapped == NULL)
		return TC_TOO_LARGE;
	if (slot->secret != NULL)
		return wrap_file_key(slot->secret, tc_span(writer->start, KR_HEADER_BYTES),
							 slot_header, file_key, wrapped);
	memcpy(wrapped, slot->wrapped.data, KR_WRAPPED_BYTES);
	return TC_OK;
}

/* Seal the payload behind what has been written, as one final message. */
static TcResult
write_stream(TcWriter *writer, TcSpan plain, const uint8_t *file_key)
{
	crypto_secretstream_xchacha20poly1305_state state;
	TcSpan		before = tc_written(writer);
	uint8_t    *stream = tc_write_room(writer, plain.len + KR_PAYLOAD_EXTRA);
	bool		ok;

	if (stream == NULL)
		return TC_TOO_LARGE;
	ok = crypto_secretstream_xchacha20poly1305_init_push(&state, stream,
														 file_key) == 0 &&
		crypto_secretstream_xchacha20poly1305_push(&state,
												   stream + KR_STREAM_HEADER_BYTES, NULL,
												   plain.data, plain.len,
												   before.data, before.len,
												   crypto_secretstream_xchacha20poly1305_TAG_FINAL) == 0;
	sodium_memzero(&state, sizeof(state));
	return ok ? TC_OK : TC_UNSUPPORTED;
}

TcResult
tc_keyring_build(const TcKeyringPayload *payload,
				 const uint8_t file_key[TC_KEY_BYTES],
				 const TcKeyringNewSlot *slots, int nslots,
				 uint8_t *ret_file, size_t *ret_len)
{
	uint8_t		plain[KR_PLAIN_MAX];
	TcWriter	plain_writer = tc_writer(plain, sizeof(plain));
	TcWriter	writer = tc_writer(ret_file, TC_KEYRING_MAX);
	uint8_t		id[TC_RECIPIENT_ID_BYTES];
	TcResult	result;

	if (nslots < 1 || nslots > TC_KEYRING_SLOTS_MAX)
		return TC_MALFORMED;

	result = tc_keyring_instance_id(payload->seed, id);
	if (result == TC_OK)
	{
		tc_write_bytes(&writer, KR_MAGIC, KR_MAGIC_BYTES);
		tc_write_bytes(&writer, id, sizeof(id));
		tc_write_u16(&writer, (uint16_t) nslots);
	}
	for (int i = 0; result == TC_OK && i < nslots; i++)
		result = write_slot(&writer, &slots[i], file_key);
	if (result == TC_OK)
		result = write_payload(&plain_writer, payload);
	if (result == TC_OK)
		result = write_stream(&writer, tc_written(&plain_writer), file_key);
	if (result == TC_OK)
		*ret_len = writer.used;
	sodium_memzero(plain, sizeof(plain));
	return result;
}
