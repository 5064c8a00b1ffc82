/*-------------------------------------------------------------------------
 *
 * keycat_load.c
 *	  A version of a key into a slot, by the key worker.  The contract is in
 *	  keycat.h.
 *
 * src/keycat_load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "errors.h"
#include "keycat.h"

/* Ask the key worker to load a version; the request's slot has it then. */
static TcRequest *
request_load(const TcKey *key, const TcKeyVersion *version, TcSpan record)
{
	TcRequest  *request = tc_request_begin(TC_REQ_LOAD);
	TcAnswer	answer;

	request->identity = version->identity;
	memcpy(request->wrap, version->wrap, TC_WRAP_BYTES);
	request->check_mac = !key->is_root;
	request->mac = key->mac;
	answer = tc_request_set_record(request, record) ?
		tc_request_send() : TC_ANS_MALFORMED;
	if (answer != TC_ANS_OK)
		tc_error_answer(answer, key->name);
	return request;
}

TcKeyVersion *
tc_key_load(TcKey **key, TcKeyVersion *version)
{
	uint32		id = (*key)->id;
	uint16		number = version->identity.version;
	bool		is_index = version == &(*key)->index;
	TcKey	   *root;
	uint8	   *record;
	size_t		record_len;

	if (tc_slot_live(&version->slot) ||
		tc_slot_find(version->address, &version->slot))
		return version;

	root = (*key)->is_root ? *key : tc_root_by_realm((*key)->realm);
	if (root == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the root of encryption key \"#%06x\" is missing in this database",
						id),
				 errhint("Restore the foreign server \"%s\" from a dump of the database the key comes from.",
						 TC_ROOT_NAME)));
	record = palloc(root->record.len);
	memcpy(record, root->record.data, root->record.len);
	record_len = root->record.len;

	/* Looking for the root may have read our key anew, or found it gone. */
	*key = tc_key_by_id(id);
	version = *key == NULL ? NULL :
		is_index ? &(*key)->index : tc_key_version(*key, number);
	if (version == NULL)
		tc_error_unknown_key(id);
	version->slot = request_load(*key, version, tc_span(record, record_len))->slot;
	pfree(record);
	return version;
}
