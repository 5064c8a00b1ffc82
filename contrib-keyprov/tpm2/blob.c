/*-------------------------------------------------------------------------
 *
 * blob.c
 *	  The bytes that "seal" gives out and "unseal" takes back.
 *
 * contrib-keyprov/tpm2/blob.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdbool.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "blob.h"

#define FORMAT_VERSION	1

#define MAGIC_LEN		4
#define VERSION_AT		4
#define POLICY_AT		5
#define KIND_AT			6
#define RESERVED_AT		7
#define HEADER_LEN		8
#define SELECT_LEN		3
#define CRC_LEN			4

static const uint8_t magic[MAGIC_LEN] = {'T', 'C', 'T', '2'};

_Static_assert(sizeof(TcBlob) + HEADER_LEN + CRC_LEN <= TC_BLOB_MAX,
			   "TC_BLOB_MAX must hold the largest blob");

/* CRC-32 as in IEEE 802.3, gzip and PNG. */
static uint32_t
crc32(const uint8_t *bytes, size_t len)
{
	uint32_t	crc = 0xffffffff;

	for (size_t i = 0; i < len; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void
put_crc(uint8_t *at, uint32_t crc)
{
	for (int i = 0; i < CRC_LEN; i++)
		at[i] = (uint8_t) (crc >> (8 * i));
}

static bool
crc_matches(const uint8_t *bytes, size_t len)
{
	uint8_t		expected[CRC_LEN];

	put_crc(expected, crc32(bytes, len - CRC_LEN));
	return memcmp(bytes + len - CRC_LEN, expected, CRC_LEN) == 0;
}

TPMA_OBJECT
tc_blob_attributes(uint8_t policy)
{
	TPMA_OBJECT attributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT;

	if (policy == 0)
		attributes |= TPMA_OBJECT_USERWITHAUTH;
	else
		attributes |= TPMA_OBJECT_ADMINWITHPOLICY;
	if ((policy & TC_POLICY_PIN) == 0)
		attributes |= TPMA_OBJECT_NODA;
	return attributes;
}

/* Write which PCRs there are, and their values.  There is room. */
static void
put_pcrs(const TcPcrs *pcrs, uint8_t *bytes, size_t *at)
{
	for (int i = 0; i < SELECT_LEN; i++)
		bytes[(*at)++] = (uint8_t) (pcrs->selected >> (8 * i));
	for (int pcr = 0; pcr < TC_PCR_COUNT; pcr++)
	{
		if (!tc_pcr_in(pcrs->selected, pcr))
			continue;
		memcpy(bytes + *at, pcrs->value[pcr], TC_PCR_VALUE_BYTES);
		*at += TC_PCR_VALUE_BYTES;
	}
}

/* Read what put_pcrs() wrote; "ret_pcrs" is zeros before. */
static bool
get_pcrs(const uint8_t *bytes, size_t end, size_t *at, TcPcrs *ret_pcrs)
{
	if (end - *at < SELECT_LEN)
		return false;
	for (int i = 0; i < SELECT_LEN; i++)
		ret_pcrs->selected |= (uint32_t) bytes[(*at)++] << (8 * i);
	for (int pcr = 0; pcr < TC_PCR_COUNT; pcr++)
	{
		if (!tc_pcr_in(ret_pcrs->selected, pcr))
			continue;
		if (end - *at < TC_PCR_VALUE_BYTES)
			return false;
		memcpy(ret_pcrs->value[pcr], bytes + *at, TC_PCR_VALUE_BYTES);
		*at += TC_PCR_VALUE_BYTES;
	}
	return ret_pcrs->selected != 0;
}

TcExit
tc_blob_encode(const TcBlob *blob, uint8_t *ret_bytes, size_t *ret_len,
			   TcReason *reterr_reason)
{
	const size_t room = TC_BLOB_MAX - CRC_LEN;
	size_t		at = HEADER_LEN;
	TSS2_RC		rc;

	memcpy(ret_bytes, magic, MAGIC_LEN);
	ret_bytes[VERSION_AT] = FORMAT_VERSION;
	ret_bytes[POLICY_AT] = blob->policy;
	ret_bytes[KIND_AT] = blob->tpm_kind;
	ret_bytes[RESERVED_AT] = 0;
	rc = Tss2_MU_TPM2B_NAME_Marshal(&blob->srk_name, ret_bytes, room, &at);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PUBLIC_Marshal(&blob->pub, ret_bytes, room, &at);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PRIVATE_Marshal(&blob->priv, ret_bytes, room, &at);
	if (rc != TSS2_RC_SUCCESS)
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"could not write the sealed object as bytes (code 0x%08x)",
						(unsigned int) rc);
	if ((blob->policy & TC_POLICY_PCR) != 0)
		put_pcrs(&blob->pcrs, ret_bytes, &at);

	put_crc(ret_bytes + at, crc32(ret_bytes, at));
	*ret_len = at + CRC_LEN;
	return TC_EXIT_OK;
}

/* Check what surrounds the fields of a blob. */
static TcExit
check_frame(const uint8_t *bytes, size_t len, TcReason *reterr_reason)
{
	if (len < HEADER_LEN + CRC_LEN || memcmp(bytes, magic, MAGIC_LEN) != 0)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the input is not a sealed blob of the provider tpm2");
	if (len > TC_BLOB_MAX || !crc_matches(bytes, len))
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the sealed blob is damaged");
	if (bytes[VERSION_AT] != FORMAT_VERSION)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"version %d of the sealed blob is not supported",
						bytes[VERSION_AT]);
	if (bytes[POLICY_AT] > TC_POLICY_ALL)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"policy type %d of the sealed blob is not supported",
						bytes[POLICY_AT]);
	if (bytes[KIND_AT] > TC_TPM_PROGRAM || bytes[RESERVED_AT] != 0)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the sealed blob has reserved bytes that are not zero");
	return TC_EXIT_OK;
}

/* Read the fields of a blob; "ret_blob" is zeros before. */
static bool
read_fields(const uint8_t *bytes, size_t len, TcBlob *ret_blob)
{
	size_t		end = len - CRC_LEN;
	size_t		at = HEADER_LEN;

	ret_blob->policy = bytes[POLICY_AT];
	ret_blob->tpm_kind = bytes[KIND_AT];
	return Tss2_MU_TPM2B_NAME_Unmarshal(bytes, end, &at,
										&ret_blob->srk_name) == TSS2_RC_SUCCESS &&
		Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, end, &at,
									   &ret_blob->pub) == TSS2_RC_SUCCESS &&
		Tss2_MU_TPM2B_PRIVATE_Unmarshal(bytes, end, &at,
										&ret_blob->priv) == TSS2_RC_SUCCESS &&
		((ret_blob->policy & TC_POLICY_PCR) == 0 ||
		 get_pcrs(bytes, end, &at, &ret_blob->pcrs)) &&
		at == end;
}

/* Is this the public area of an object that "seal" made for that policy? */
static bool
is_sealed_object(const TPMT_PUBLIC *area, uint8_t policy)
{
	return area->type == TPM2_ALG_KEYEDHASH &&
		area->nameAlg == TPM2_ALG_SHA256 &&
		area->objectAttributes == tc_blob_attributes(policy) &&
		area->authPolicy.size == (policy == 0 ? 0 : TPM2_SHA256_DIGEST_SIZE) &&
		area->parameters.keyedHashDetail.scheme.scheme == TPM2_ALG_NULL;
}

/* Would these fields be written as the same bytes again? */
static bool
is_canonical(const TcBlob *blob, const uint8_t *bytes, size_t len)
{
	uint8_t		again[TC_BLOB_MAX];
	size_t		again_len = 0;
	TcReason	ignored = {""};

	return tc_blob_encode(blob, again, &again_len, &ignored) == TC_EXIT_OK &&
		again_len == len && memcmp(again, bytes, len) == 0;
}

TcExit
tc_blob_decode(const uint8_t *bytes, size_t len, TcBlob *ret_blob,
			   TcReason *reterr_reason)
{
	TcExit		code;

	memset(ret_blob, 0, sizeof(TcBlob));
	code = check_frame(bytes, len, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;

	if (!read_fields(bytes, len, ret_blob) ||
		!is_sealed_object(&ret_blob->pub.publicArea, ret_blob->policy) ||
		!is_canonical(ret_blob, bytes, len))
	{
		memset(ret_blob, 0, sizeof(TcBlob));
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the sealed blob has an unexpected structure");
	}
	return TC_EXIT_OK;
}
