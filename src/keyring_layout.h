/*-------------------------------------------------------------------------
 *
 * keyring_layout.h
 *	  Sizes and small checks that reading and building a keyring file share.
 *
 * For keyring.c and keyring_build.c only; everybody else includes keyring.h.
 * The layout itself is told in src/FORMAT, "The keyring file".
 *
 *	Owns	nothing.
 *	Uses	keyring.h, kdf.h, libsodium secretstream.
 *
 * src/keyring_layout.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYRING_LAYOUT_H
#define TC_KEYRING_LAYOUT_H

#include <sodium.h>

#include "aead.h"
#include "kdf.h"
#include "keyring.h"

#define KR_MAGIC			"TCKRING1"
#define KR_MAGIC_BYTES		8
#define KR_HEADER_BYTES		(KR_MAGIC_BYTES + TC_RECIPIENT_ID_BYTES)
#define KR_WRAPPED_BYTES	(TC_NONCE_BYTES + TC_KEY_BYTES + TC_TAG_BYTES)
#define KR_SLOT_HEADER_MAX	(1 + TC_PROVIDER_NAME_MAX + 1 + TC_TYPE_ID_BYTES + \
							 2 + TC_POLICY_MAX + 4 + TC_PROVIDER_BLOB_MAX)

#define KR_PLAIN_MAGIC		"TCP1"
#define KR_PLAIN_MAGIC_BYTES 4
#define KR_PIN_BYTES		(TC_UUID_BYTES + 4 + TC_KCV_BYTES)
#define KR_RECIPIENT_MAX	(1 + 1 + 2 + TC_X25519_BYTES + 1 + TC_RECIPIENT_NAME_MAX)
#define KR_PLAIN_MIN		(KR_PLAIN_MAGIC_BYTES + TC_SEED_BYTES + 2 + 2)
#define KR_PLAIN_MAX		(KR_PLAIN_MIN + TC_PINS_MAX * KR_PIN_BYTES + \
							 TC_ENROLLED_MAX * KR_RECIPIENT_MAX)

#define KR_STREAM_HEADER_BYTES crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define KR_PAYLOAD_EXTRA	(KR_STREAM_HEADER_BYTES + \
							 crypto_secretstream_xchacha20poly1305_ABYTES)

_Static_assert(sizeof(KR_MAGIC) - 1 == KR_MAGIC_BYTES &&
			   sizeof(KR_PLAIN_MAGIC) - 1 == KR_PLAIN_MAGIC_BYTES,
			   "a magic has another length");
_Static_assert(KR_HEADER_BYTES == 24 && KR_WRAPPED_BYTES == 72 &&
			   KR_PIN_BYTES == 36 && KR_PLAIN_MIN == 40 && KR_PAYLOAD_EXTRA == 41,
			   "src/FORMAT states these sizes");
_Static_assert(TC_KEY_BYTES == crypto_secretstream_xchacha20poly1305_KEYBYTES &&
			   TC_KEY_BYTES == TC_PROVIDER_SECRET_BYTES,
			   "the file key and a provider's secret are keys");
_Static_assert(KR_PLAIN_MAX + KR_PAYLOAD_EXTRA < TC_KEYRING_MAX / 2,
			   "the payload leaves no room for slots");

static inline bool
policy_ok(TcSpan policy)
{
	if (policy.len > TC_POLICY_MAX)
		return false;
	for (size_t i = 0; i < policy.len; i++)
		if (policy.data[i] < 0x20 || policy.data[i] > 0x7E)
			return false;
	return true;
}

static inline bool
blob_ok(TcSpan blob)
{
	return blob.len >= 1 && blob.len <= TC_PROVIDER_BLOB_MAX;
}

/* Derive what wraps the file key in a slot. */
static inline TcResult
slot_wrap_key(const uint8_t *secret, TcSpan instance_id,
			  uint8_t ret_key[TC_KEY_BYTES])
{
	return tc_kdf(secret, TC_LABEL_SLOT_WRAP, &instance_id, 1, ret_key,
				  TC_KEY_BYTES);
}

/* Join the headers of file and slot, which a slot's wrap authenticates. */
static inline TcSpan
slot_ad(TcWriter *writer, TcSpan file_header, TcSpan slot_header)
{
	tc_write_bytes(writer, file_header.data, file_header.len);
	tc_write_bytes(writer, slot_header.data, slot_header.len);
	return tc_written(writer);
}

#endif							/* TC_KEYRING_LAYOUT_H */
