/*-------------------------------------------------------------------------
 *
 * fuzz_keyring.c
 *	  Keyring files: taken apart in full, and slots are written as read.
 *
 * test/fuzz/fuzz_keyring.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "keyring.h"

#define HEADER_BYTES	(8 + TC_RECIPIENT_ID_BYTES)

static TcKeyring keyring;

/* The parts lie behind each other and leave nothing out. */
static void
check_parts(const uint8_t *data, size_t size)
{
	const uint8_t *at = data + HEADER_BYTES + 2;

	HOLDS(keyring.header.data == data && keyring.header.len == HEADER_BYTES);
	HOLDS(keyring.nslots >= 1 && keyring.nslots <= TC_KEYRING_SLOTS_MAX);
	for (int i = 0; i < keyring.nslots; i++)
	{
		const TcKeyringSlot *slot = &keyring.slots[i];

		HOLDS(slot->header.data == at);
		at += slot->header.len;
		HOLDS(slot->wrapped.data == at);
		at += slot->wrapped.len;
		HOLDS(slot->blob.len >= 1 && slot->blob.len <= TC_PROVIDER_BLOB_MAX);
		HOLDS(slot->policy.len <= TC_POLICY_MAX && strlen(slot->provider) <= TC_PROVIDER_NAME_MAX);
	}
	HOLDS(keyring.before_payload.data == data && at == data + keyring.before_payload.len);
	HOLDS(keyring.payload.data == at && at + keyring.payload.len == data + size);
}

/* Written again with the wraps it has, all slots are as they were. */
static void
check_writing(const uint8_t *data)
{
	static uint8_t again[TC_KEYRING_MAX];
	static TcKeyringPayload payload;
	TcKeyringNewSlot slots[TC_KEYRING_SLOTS_MAX];
	uint8_t		file_key[TC_KEY_BYTES] = {0};
	size_t		len;

	for (int i = 0; i < keyring.nslots; i++)
	{
		const TcKeyringSlot *slot = &keyring.slots[i];

		slots[i].provider = slot->provider;
		slots[i].binding = slot->binding;
		memcpy(slots[i].type_id, slot->type_id, TC_TYPE_ID_BYTES);
		slots[i].policy = slot->policy;
		slots[i].blob = slot->blob;
		slots[i].secret = NULL;
		slots[i].wrapped = slot->wrapped;
	}
	HOLDS(tc_keyring_build(&payload, file_key, slots, keyring.nslots, again, &len) == TC_OK);
	HOLDS(len >= keyring.before_payload.len);
	HOLDS(memcmp(again + HEADER_BYTES, data + HEADER_BYTES,
				 keyring.before_payload.len - HEADER_BYTES) == 0);
}

/* With a secret of the vectors it opens to their seed, or leaves zeros. */
static void
check_opening(void)
{
	static TcKeyringPayload payload;
	static const TcKeyringPayload zeros;
	uint8_t		secret[TC_PROVIDER_SECRET_BYTES];
	uint8_t		file_key[TC_KEY_BYTES];
	uint8_t		seed[TC_SEED_BYTES];

	count_from(0x30, secret, sizeof(secret));
	count_from(0x60, seed, sizeof(seed));
	if (tc_keyring_open(&keyring, 0, secret, &payload, file_key) == TC_OK)
		HOLDS(memcmp(payload.seed, seed, sizeof(seed)) == 0);
	else
		HOLDS(memcmp(&payload, &zeros, sizeof(payload)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TcResult	result = tc_keyring_parse(tc_span(data, size), &keyring);

	HOLDS(result == TC_OK || result == TC_MALFORMED || result == TC_UNSUPPORTED || result == TC_TOO_LARGE);
	if (result == TC_OK)
	{
		check_parts(data, size);
		check_writing(data);
		check_opening();
	}
	return 0;
}
