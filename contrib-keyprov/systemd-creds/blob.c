/*-------------------------------------------------------------------------
 *
 * blob.c
 *	  The bytes that "seal" gives out and "unseal" takes back.
 *
 * contrib-keyprov/systemd-creds/blob.c
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include <sodium.h>

#include "blob.h"

#define FORMAT_VERSION	1
#define FLAG_SOFTWARE	1

#define MAGIC_LEN		4
#define VERSION_AT		4
#define HASH_LEN		16

static const uint8_t magic[MAGIC_LEN] = {'T', 'C', 'S', 'C'};

/* Hash what stands before the hash; false if libsodium refuses. */
static bool
hash(const uint8_t *bytes, size_t len, uint8_t ret_hash[HASH_LEN])
{
	return crypto_generichash(ret_hash, HASH_LEN, bytes, len,
							   /* key= */ NULL, 0) == 0;
}

TcExit
tc_blob_encode(const TcBlob *blob, uint8_t *ret_bytes, size_t *ret_len,
			   TcReason *reterr_reason)
{
	TcWriter	writer = tc_writer(ret_bytes, TC_BLOB_MAX);
	size_t		name_len = strlen(blob->name);
	size_t		before;
	uint8_t    *room;

	tc_write_bytes(&writer, magic, MAGIC_LEN);
	tc_write_u8(&writer, FORMAT_VERSION);
	tc_write_u8(&writer, blob->software_tpm ? FLAG_SOFTWARE : 0);
	tc_write_u16(&writer, (uint16_t) name_len);
	tc_write_bytes(&writer, blob->name, name_len);
	tc_write_u16(&writer, (uint16_t) blob->credential.len);
	tc_write_bytes(&writer, blob->credential.bytes, blob->credential.len);
	before = writer.used;
	room = tc_write_room(&writer, HASH_LEN);
	if (room == NULL || !hash(ret_bytes, before, room))
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"could not write the sealed blob");
	*ret_len = writer.used;
	return TC_EXIT_OK;
}

/* Check what surrounds the fields of a blob. */
static TcExit
check_frame(const uint8_t *bytes, size_t len, TcReason *reterr_reason)
{
	uint8_t		expected[HASH_LEN];

	if (len <= MAGIC_LEN + HASH_LEN || memcmp(bytes, magic, MAGIC_LEN) != 0)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the input is not a sealed blob of the provider systemd-creds");
	if (len > TC_BLOB_MAX || !hash(bytes, len - HASH_LEN, expected) ||
		memcmp(bytes + len - HASH_LEN, expected, HASH_LEN) != 0)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the sealed blob is damaged");
	if (bytes[VERSION_AT] != FORMAT_VERSION)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"version %d of the sealed blob is not supported",
						bytes[VERSION_AT]);
	return TC_EXIT_OK;
}

/* Read the fields; false for what tc_blob_encode() does not write. */
static bool
read_fields(TcSpan bytes, TcBlob *ret_blob)
{
	TcReader	reader = tc_reader(bytes);
	uint8_t		flags;
	TcSpan		name;
	TcSpan		credential;

	(void) tc_read_span(&reader, VERSION_AT + 1);
	flags = tc_read_u8(&reader);
	name = tc_read_span(&reader, tc_read_u16(&reader));
	credential = tc_read_span(&reader, tc_read_u16(&reader));
	if (!tc_reader_done(&reader) || (flags & ~FLAG_SOFTWARE) != 0 ||
		!tc_credential_name_ok((const char *) name.data, name.len) ||
		credential.len > TC_CREDENTIAL_MAX)
		return false;

	ret_blob->software_tpm = (flags & FLAG_SOFTWARE) != 0;
	memcpy(ret_blob->name, name.data, name.len);
	memcpy(ret_blob->credential.bytes, credential.data, credential.len);
	ret_blob->credential.len = credential.len;
	return true;
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
	if (!read_fields(tc_span(bytes, len - HASH_LEN), ret_blob))
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the sealed blob has an unexpected structure");
	code = tc_credential_head(tc_span(ret_blob->credential.bytes,
									  ret_blob->credential.len),
							  &ret_blob->head, reterr_reason);
	if (code == TC_EXIT_OK && ret_blob->software_tpm &&
		(ret_blob->head.key & TC_KEY_TPM2) == 0)
		code = tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the sealed blob names a TPM where there is none");
	return code;
}
