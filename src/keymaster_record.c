/*-------------------------------------------------------------------------
 *
 * keymaster_record.c
 *	  Other recipients in the record of a root that is open.
 *
 * src/keymaster_record.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "keymaster_record.h"

/* Where a public key is among the entries, or -1. */
static int
find_entry(const TcRootRecord *record, const uint8 public_key[TC_X25519_BYTES])
{
	for (int i = 0; i < record->nentries; i++)
	{
		if (memcmp(record->entries[i].recipient.public_key, public_key,
				   TC_X25519_BYTES) == 0)
			return i;
	}
	return -1;
}

/* Append an entry without a box: building the record makes one. */
static TcResult
add_entry(TcRootRecord *record, const TcRecipient *recipient)
{
	if (find_entry(record, recipient->public_key) >= 0)
		return TC_MALFORMED;
	if (record->nentries >= TC_RECIPIENTS_MAX)
		return TC_TOO_LARGE;
	memset(&record->entries[record->nentries], 0, sizeof(TcRecordEntry));
	record->entries[record->nentries++].recipient = *recipient;
	return TC_OK;
}

/* Take an entry out; the others keep their order. */
static TcResult
drop_entry(TcRootRecord *record, const uint8 public_key[TC_X25519_BYTES])
{
	int			at = find_entry(record, public_key);

	if (at < 0)
		return TC_MALFORMED;
	record->nentries--;
	memmove(&record->entries[at], &record->entries[at + 1],
			sizeof(TcRecordEntry) * (record->nentries - at));
	return TC_OK;
}

TcResult
tc_keymaster_change_record(TcRequest *request, const uint8 root[TC_KEY_BYTES],
						   const uint8 own[TC_X25519_BYTES])
{
	static TcRootRecord record; /* large, and nothing in it is secret */
	static uint8 bytes[TC_RECORD_MAX];	/* what record borrows from */
	TcResult	result;

	if (memcmp(request->recipient.public_key, own, TC_X25519_BYTES) == 0)
		return TC_MALFORMED;
	memcpy(bytes, request->record, request->record_len);
	result = tc_record_parse(tc_span(bytes, request->record_len), &record);
	if (result == TC_OK)
		result = request->kind == TC_REQ_ADD_RECIPIENT ?
			add_entry(&record, &request->recipient) :
			drop_entry(&record, request->recipient.public_key);
	if (result == TC_OK)
		result = tc_record_build(&record, root, request->record,
								 &request->record_len);
	return result;
}
