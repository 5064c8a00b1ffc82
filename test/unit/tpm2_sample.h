/*-------------------------------------------------------------------------
 *
 * tpm2_sample.h
 *	  A blob of the provider tpm2, for its tests; made without a TPM.
 *
 * test/unit/tpm2_sample.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TPM2_SAMPLE_H
#define TC_TPM2_SAMPLE_H

#include <string.h>

#include "blob.h"

#define BLOB_CRC_LEN	4

/* The CRC-32 of IEEE 802.3, from its definition. */
static inline void
put_blob_crc(uint8_t *bytes, size_t len)
{
	uint32_t	crc = 0xffffffff;

	for (size_t i = 0; i < len; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
	}
	for (int i = 0; i < BLOB_CRC_LEN; i++)
		bytes[len + i] = (uint8_t) (~crc >> (8 * i));
}

/* A blob with a policy, and with PCRs 0, 7 and 23 if it has some. */
static inline TcBlob
sample_blob(uint8_t policy)
{
	TcBlob		blob;

	memset(&blob, 0, sizeof(blob));
	blob.policy = policy;
	blob.tpm_kind = TC_TPM_DEVICE;
	blob.srk_name.size = 34;
	memset(blob.srk_name.name, 0x11, 34);
	blob.pub.publicArea.type = TPM2_ALG_KEYEDHASH;
	blob.pub.publicArea.nameAlg = TPM2_ALG_SHA256;
	blob.pub.publicArea.objectAttributes = tc_blob_attributes(policy);
	blob.pub.publicArea.authPolicy.size = policy == 0 ? 0 : 32;
	memset(blob.pub.publicArea.authPolicy.buffer, 0x22, policy == 0 ? 0 : 32);
	blob.pub.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
	blob.pub.publicArea.unique.keyedHash.size = 32;
	memset(blob.pub.publicArea.unique.keyedHash.buffer, 0x33, 32);
	blob.priv.size = 126;
	memset(blob.priv.buffer, 0x44, 126);
	if ((policy & TC_POLICY_PCR) != 0)
	{
		blob.pcrs.selected = 1u << 0 | 1u << 7 | 1u << 23;
		memset(blob.pcrs.value[0], 0x55, TC_PCR_VALUE_BYTES);
		memset(blob.pcrs.value[7], 0x66, TC_PCR_VALUE_BYTES);
		memset(blob.pcrs.value[23], 0x77, TC_PCR_VALUE_BYTES);
	}
	return blob;
}

#endif							/* TC_TPM2_SAMPLE_H */
