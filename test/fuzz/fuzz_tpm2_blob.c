/*-------------------------------------------------------------------------
 *
 * fuzz_tpm2_blob.c
 *	  Blobs of the provider tpm2: whatever is taken has this one spelling.
 *
 * The checksum of the input is made right first, or little would get past it.
 *
 * test/fuzz/fuzz_tpm2_blob.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "tpm2_sample.h"

static void
read_blob(const uint8_t *bytes, size_t len)
{
	uint8_t		again[TC_BLOB_MAX];
	size_t		again_len = 0;
	TcReason	reason = {""};
	TcBlob		blob;
	TcExit		code = tc_blob_decode(bytes, len, &blob, &reason);

	HOLDS(code == TC_EXIT_OK || code == TC_EXIT_DAMAGED);
	if (code != TC_EXIT_OK)
		return;
	HOLDS(tc_blob_encode(&blob, again, &again_len, &reason) == TC_EXIT_OK);
	HOLDS(again_len == len && memcmp(again, bytes, len) == 0);
	HOLDS((blob.pcrs.selected != 0) == ((blob.policy & TC_POLICY_PCR) != 0));
}

/* A sample with the input in place of some of its bytes. */
static void
read_sample(const uint8_t *data, size_t size)
{
	TcBlob		blob = sample_blob(data[0] & TC_POLICY_ALL);
	uint8_t		bytes[TC_BLOB_MAX];
	size_t		len;
	size_t		at = data[1] * 2u;
	TcReason	reason = {""};

	HOLDS(tc_blob_encode(&blob, bytes, &len, &reason) == TC_EXIT_OK);
	for (size_t i = 2; i < size && at < len - BLOB_CRC_LEN; i++)
		bytes[at++] = data[i];
	put_blob_crc(bytes, len - BLOB_CRC_LEN);
	read_blob(bytes, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *copy = malloc(size + BLOB_CRC_LEN);

	memcpy(copy, data, size);
	read_blob(copy, size);
	put_blob_crc(copy, size);
	read_blob(copy, size + BLOB_CRC_LEN);
	free(copy);
	if (size > 2)
		read_sample(data, size);
	return 0;
}
