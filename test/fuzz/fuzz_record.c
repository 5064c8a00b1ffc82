/*-------------------------------------------------------------------------
 *
 * fuzz_record.c
 *	  Root records and wraps: what is taken is written back as it was read.
 *
 * test/fuzz/fuzz_record.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "rootrec.h"

#define KCV_AT	(4 + TC_UUID_BYTES + 4)

static TcRootRecord record;

/* Write the record again, with its boxes; only KCV and MAC may differ. */
static void
check_writing(const uint8_t *data, size_t size, const uint8_t root[TC_KEY_BYTES])
{
	static uint8_t again[TC_RECORD_MAX];
	size_t		len;
	size_t		after_kcv = KCV_AT + TC_KCV_BYTES;

	HOLDS(tc_record_build(&record, root, again, &len) == TC_OK);
	HOLDS(len == size);
	HOLDS(memcmp(again, data, KCV_AT) == 0);
	HOLDS(memcmp(again + after_kcv, data + after_kcv, len - after_kcv - TC_MAC_BYTES) == 0);
}

/* Open it as the machine of the vectors: to the root of the vectors or not. */
static void
check_opening(const uint8_t root[TC_KEY_BYTES])
{
	static const uint8_t zeros[TC_KEY_BYTES] = {0};
	uint8_t		seed[TC_SEED_BYTES];
	uint8_t		opened[TC_KEY_BYTES];
	TcKeyPair	pair;
	TcResult	result;

	count_from(0x60, seed, sizeof(seed));
	HOLDS(tc_identity_pair(seed, &pair) == TC_OK);
	result = tc_record_open(&record, &pair, opened);
	HOLDS(result == TC_OK || result == TC_REJECTED || result == TC_UNSUPPORTED);
	HOLDS(memcmp(opened, result == TC_OK ? root : zeros, TC_KEY_BYTES) == 0);
	(void) tc_record_attested(&record, seed);
}

static void
check_wrap(const uint8_t *data, size_t size, const uint8_t root[TC_KEY_BYTES])
{
	TcKeyIdentity identity = {.key_id = 1};
	uint8_t		key[TC_KEY_BYTES];
	uint8_t		address[TC_ADDRESS_BYTES];
	uint32_t	version;
	TcResult	result = tc_wrap_root_version(tc_span(data, size), &version);

	HOLDS((result == TC_OK) == (size == TC_WRAP_BYTES && memcmp(data, "TCW1", 4) == 0));
	HOLDS(tc_unwrap_key(root, &identity, tc_span(data, size), key) ==
		  (result == TC_OK ? TC_REJECTED : TC_MALFORMED));
	HOLDS(tc_slot_address(&identity, tc_span(data, size), tc_span(NULL, 0), address) == result);
	HOLDS(tc_key_mac_verify(root, NULL, 0, tc_span(data, size)) ==
		  (size == TC_KEY_MAC_BYTES ? TC_REJECTED : TC_MALFORMED));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t		root[TC_KEY_BYTES];
	TcResult	result;

	count_from(0x40, root, sizeof(root));
	result = tc_record_parse(tc_span(data, size), &record);
	HOLDS(result == TC_OK || result == TC_MALFORMED || result == TC_UNSUPPORTED || result == TC_TOO_LARGE);
	if (result == TC_OK)
	{
		HOLDS(record.maced.data == data && record.maced.len + TC_MAC_BYTES == size);
		check_writing(data, size, root);
		check_opening(root);
	}
	check_wrap(data, size, root);
	return 0;
}
