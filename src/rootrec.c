/*-------------------------------------------------------------------------
 *
 * rootrec.c
 *	  The root record.  The contract is in rootrec.h.
 *
 * src/rootrec.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "aead.h"
#include "rootrec.h"

#define MAGIC			"TCR1"
#define MAGIC_BYTES		4
#define PREV_BYTES		(4 + TC_KCV_BYTES + TC_NONCE_BYTES + TC_KEY_BYTES + \
						 TC_TAG_BYTES)

_Static_assert(sizeof(MAGIC) - 1 == MAGIC_BYTES, "the magic has 4 bytes");
_Static_assert(PREV_BYTES == 92, "src/FORMAT states this size");
_Static_assert(TC_RECORD_MAX <= UINT16_MAX, "prev has a 16-bit length");

/* Read one recipient with its box and attestation. */
static TcResult
read_entry(TcReader *reader, TcRecordEntry *ret_entry)
{
	TcResult	result;

	result = tc_recipient_read(reader, &ret_entry->recipient);
	if (result != TC_OK)
		return result;
	ret_entry->box = tc_read_span(reader, tc_read_u16(reader));
	ret_entry->attestation = tc_read_span(reader, tc_read_u8(reader));
	if (reader->failed || ret_entry->box.len != TC_BOX_BYTES ||
		(ret_entry->attestation.len != 0 &&
		 ret_entry->attestation.len != TC_MAC_BYTES))
		return TC_MALFORMED;
	return TC_OK;
}

/* Find the entry of a public key among the first n. */
static const TcRecordEntry *
find_entry(const TcRootRecord *record, int n,
		   const uint8_t public_key[TC_X25519_BYTES])
{
	for (int i = 0; i < n; i++)
	{
		const TcRecordEntry *entry = &record->entries[i];

		if (entry->recipient.kind == TC_KIND_X25519 &&
			memcmp(entry->recipient.public_key, public_key,
				   TC_X25519_BYTES) == 0)
			return entry;
	}
	return NULL;
}

/* Read the recipients, no public key twice. */
static TcResult
read_entries(TcReader *reader, TcRootRecord *record)
{
	uint16_t	n = tc_read_u16(reader);

	if (reader->failed || n == 0)
		return TC_MALFORMED;
	if (n > TC_RECIPIENTS_MAX)
		return TC_TOO_LARGE;
	for (int i = 0; i < n; i++)
	{
		TcRecordEntry *entry = &record->entries[i];
		TcResult	result = read_entry(reader, entry);

		if (result != TC_OK)
			return result;
		if (find_entry(record, i, entry->recipient.public_key) != NULL)
			return TC_MALFORMED;
	}
	record->nentries = n;
	return TC_OK;
}

/* Fill a zeroed record from bytes. */
static TcResult
parse(TcSpan bytes, TcRootRecord *record)
{
	TcReader	reader = tc_reader(bytes);
	uint8_t		magic[MAGIC_BYTES];
	TcResult	result;

	if (bytes.len > TC_RECORD_MAX)
		return TC_TOO_LARGE;
	tc_read_bytes(&reader, magic, MAGIC_BYTES);
	tc_read_bytes(&reader, record->realm, TC_UUID_BYTES);
	record->root_version = tc_read_u32(&reader);
	tc_read_bytes(&reader, record->kcv, TC_KCV_BYTES);
	if (reader.failed || memcmp(magic, MAGIC, MAGIC_BYTES) != 0 ||
		record->root_version == 0)
		return TC_MALFORMED;

	result = read_entries(&reader, record);
	if (result != TC_OK)
		return result;

	record->prev = tc_read_span(&reader, tc_read_u16(&reader));
	record->maced = tc_span(bytes.data, bytes.len - reader.left);
	record->mac = tc_read_span(&reader, TC_MAC_BYTES);
	if (!tc_reader_done(&reader) || record->prev.len % PREV_BYTES != 0)
		return TC_MALFORMED;
	return TC_OK;
}

TcResult
tc_record_parse(TcSpan bytes, TcRootRecord *ret_record)
{
	TcResult	result;

	memset(ret_record, 0, sizeof(*ret_record));
	result = parse(bytes, ret_record);
	if (result != TC_OK)
		memset(ret_record, 0, sizeof(*ret_record));
	return result;
}

/* Compute the MAC of a record under its root. */
static TcResult
record_mac(const uint8_t root[TC_KEY_BYTES], TcSpan maced,
		   uint8_t ret_mac[TC_MAC_BYTES])
{
	uint8_t		subkey[TC_KEY_BYTES];
	TcResult	result;

	result = tc_kdf(root, TC_LABEL_RECORD_MAC, NULL, 0, subkey,
					sizeof(subkey));
	if (result == TC_OK)
		result = tc_kdf(subkey, TC_LABEL_RECORD_MAC, &maced, 1, ret_mac,
						TC_MAC_BYTES);
	sodium_memzero(subkey, sizeof(subkey));
	return result;
}

/* Whether a root is the one that the record names, and made its MAC. */
static bool
root_fits(const TcRootRecord *record, const uint8_t root[TC_KEY_BYTES])
{
	uint8_t		kcv[TC_KCV_BYTES];
	uint8_t		mac[TC_MAC_BYTES];
	bool		fits;

	fits = record->mac.len == TC_MAC_BYTES &&
		tc_kcv(root, TC_PURPOSE_ROOT, kcv) == TC_OK &&
		sodium_memcmp(kcv, record->kcv, TC_KCV_BYTES) == 0 &&
		record_mac(root, record->maced, mac) == TC_OK &&
		sodium_memcmp(mac, record->mac.data, TC_MAC_BYTES) == 0;
	sodium_memzero(kcv, sizeof(kcv));
	sodium_memzero(mac, sizeof(mac));
	return fits;
}

TcResult
tc_record_open(const TcRootRecord *record, const TcKeyPair *pair,
			   uint8_t ret_root[TC_KEY_BYTES])
{
	const TcRecordEntry *entry;

	sodium_memzero(ret_root, TC_KEY_BYTES);
	entry = find_entry(record, record->nentries, pair->public_key);
	if (entry == NULL)
		return TC_UNSUPPORTED;
	if (tc_unbox_root(pair, record->realm, record->root_version, entry->box,
					  ret_root) == TC_OK &&
		root_fits(record, ret_root))
		return TC_OK;
	sodium_memzero(ret_root, TC_KEY_BYTES);
	return TC_REJECTED;
}

TcResult
tc_record_attest(const uint8_t seed[TC_SEED_BYTES],
				 const uint8_t realm[TC_UUID_BYTES], uint32_t root_version,
				 const uint8_t kcv[TC_KCV_BYTES],
				 uint8_t ret_attestation[TC_MAC_BYTES])
{
	uint8_t		subkey[TC_KEY_BYTES];
	uint8_t		version[4];
	TcWriter	writer = tc_writer(version, sizeof(version));
	TcSpan		fields[3];
	TcResult	result;

	tc_write_u32(&writer, root_version);
	fields[0] = tc_span(realm, TC_UUID_BYTES);
	fields[1] = tc_written(&writer);
	fields[2] = tc_span(kcv, TC_KCV_BYTES);
	result = tc_kdf(seed, TC_LABEL_ATTEST, NULL, 0, subkey, sizeof(subkey));
	if (result == TC_OK)
		result = tc_kdf(subkey, TC_LABEL_ATTEST, fields, 3, ret_attestation,
						TC_MAC_BYTES);
	sodium_memzero(subkey, sizeof(subkey));
	return result;
}

bool
tc_record_attested(const TcRootRecord *record,
				   const uint8_t seed[TC_SEED_BYTES])
{
	const TcRecordEntry *entry;
	TcKeyPair	pair;
	uint8_t		expected[TC_MAC_BYTES];
	bool		attested;

	if (tc_identity_pair(seed, &pair) != TC_OK)
		return false;
	entry = find_entry(record, record->nentries, pair.public_key);
	sodium_memzero(&pair, sizeof(pair));
	if (entry == NULL || entry->attestation.len != TC_MAC_BYTES)
		return false;

	attested = tc_record_attest(seed, record->realm, record->root_version,
								record->kcv, expected) == TC_OK &&
		sodium_memcmp(expected, entry->attestation.data, TC_MAC_BYTES) == 0;
	sodium_memzero(expected, sizeof(expected));
	return attested;
}

/* Write one entry, boxing the root to it where it comes without a box. */
static TcResult
write_entry(TcWriter *writer, const TcRootRecord *record,
			const TcRecordEntry *entry, const uint8_t root[TC_KEY_BYTES])
{
	uint8_t		fresh[TC_BOX_BYTES];
	const uint8_t *box = fresh;
	TcResult	result = TC_OK;

	if (!tc_recipient_name_ok(entry->recipient.name,
							  entry->recipient.name_len) ||
		(entry->attestation.len != 0 && entry->attestation.len != TC_MAC_BYTES))
		return TC_MALFORMED;
	if (entry->box.len == 0)
		result = tc_box_root(&entry->recipient, record->realm,
							 record->root_version, root, fresh);
	else if (entry->box.len == TC_BOX_BYTES)
		box = entry->box.data;
	else
		result = TC_MALFORMED;
	if (result != TC_OK)
		return result;

	tc_recipient_write(writer, &entry->recipient);
	tc_write_u16(writer, TC_BOX_BYTES);
	tc_write_bytes(writer, box, TC_BOX_BYTES);
	tc_write_u8(writer, (uint8_t) entry->attestation.len);
	tc_write_bytes(writer, entry->attestation.data, entry->attestation.len);
	return writer->failed ? TC_TOO_LARGE : TC_OK;
}

/* Write all that the MAC covers. */
static TcResult
write_maced(TcWriter *writer, const TcRootRecord *record,
			const uint8_t root[TC_KEY_BYTES])
{
	uint8_t		kcv[TC_KCV_BYTES];
	TcResult	result;

	if (record->nentries < 1 || record->root_version == 0 ||
		record->prev.len % PREV_BYTES != 0)
		return TC_MALFORMED;
	if (record->nentries > TC_RECIPIENTS_MAX ||
		record->prev.len > TC_RECORD_MAX)
		return TC_TOO_LARGE;
	result = tc_kcv(root, TC_PURPOSE_ROOT, kcv);
	if (result != TC_OK)
		return result;

	tc_write_bytes(writer, MAGIC, MAGIC_BYTES);
	tc_write_bytes(writer, record->realm, TC_UUID_BYTES);
	tc_write_u32(writer, record->root_version);
	tc_write_bytes(writer, kcv, TC_KCV_BYTES);
	tc_write_u16(writer, (uint16_t) record->nentries);
	for (int i = 0; i < record->nentries; i++)
	{
		const TcRecordEntry *entry = &record->entries[i];

		if (find_entry(record, i, entry->recipient.public_key) != NULL)
			return TC_MALFORMED;
		result = write_entry(writer, record, entry, root);
		if (result != TC_OK)
			return result;
	}
	tc_write_u16(writer, (uint16_t) record->prev.len);
	tc_write_bytes(writer, record->prev.data, record->prev.len);
	return writer->failed ? TC_TOO_LARGE : TC_OK;
}

TcResult
tc_record_build(const TcRootRecord *record, const uint8_t root[TC_KEY_BYTES],
				uint8_t *ret_bytes, size_t *ret_len)
{
	TcWriter	writer = tc_writer(ret_bytes, TC_RECORD_MAX);
	uint8_t		mac[TC_MAC_BYTES];
	TcResult	result;

	result = write_maced(&writer, record, root);
	if (result == TC_OK)
		result = record_mac(root, tc_written(&writer), mac);
	if (result != TC_OK)
		return result;
	tc_write_bytes(&writer, mac, sizeof(mac));
	if (writer.failed)
		return TC_TOO_LARGE;
	*ret_len = writer.used;
	return TC_OK;
}
