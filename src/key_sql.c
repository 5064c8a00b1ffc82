/*-------------------------------------------------------------------------
 *
 * key_sql.c
 *	  SQL functions on keys and roots.
 *
 * src/key_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "access/reloptions.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

#include "errors.h"
#include "key_ddl.h"
#include "keycat.h"
#include "keymake.h"
#include "rootrec.h"

PG_FUNCTION_INFO_V1(themis_crypt_validator);

/*
 * The wrapper's validator: sees the complete options of a server, after
 * CREATE or ALTER.  Form only: no key is needed, so that dumps restore in any
 * order.
 */
Datum
themis_crypt_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	const char *what = NULL;

	if (catalog == ForeignServerRelationId)
	{
		if (tc_keyopts_parse(options, &what) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("options of encryption key are not in order"),
					 errdetail_internal("%s", what)));
	}
	else if (options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("foreign-data wrapper \"%s\" has no options here",
						TC_WRAPPER_NAME)));
	PG_RETURN_VOID();
}

static char *
text_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	tc_require_argument(fcinfo, n, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

PG_FUNCTION_INFO_V1(themis_crypt_create_key);

/* CREATE SERVER in another spelling, with all that belongs to it. */
Datum
themis_crypt_create_key(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "name");
	char	   *algorithm = text_argument(fcinfo, 1, "algorithm");
	char	   *index_algorithm = text_argument(fcinfo, 2, "index_algorithm");
	char	   *compression = text_argument(fcinfo, 3, "compression");
	char	   *command;

	command = psprintf("CREATE SERVER %s FOREIGN DATA WRAPPER %s OPTIONS (algorithm %s, index_algorithm %s, compression %s)",
					   quote_identifier(name), TC_WRAPPER_NAME,
					   quote_literal_cstr(algorithm),
					   quote_literal_cstr(index_algorithm),
					   quote_literal_cstr(compression));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(command, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "CREATE SERVER failed");
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PG_RETURN_VOID();
}

/* What this instance can do with a root, in words. */
static const char *
root_state(TcSpan record)
{
	TcRequest  *request = tc_request_begin(TC_REQ_CHECK_RECORD);

	if (!tc_request_set_record(request, record))
		return "damaged";
	switch (tc_request_send())
	{
		case TC_ANS_OK:
			return request->trusted ? "open" : "open, not trusted";
		case TC_ANS_LOCKED:
			return "locked";
		case TC_ANS_NOT_ENROLLED:
			return "not enrolled";
		case TC_ANS_TIMEOUT:
		case TC_ANS_FAILED:
			return "unknown";
		default:
			return "damaged";
	}
}

/* One row of root_records() for each root. */
static bool
put_root(TcKey *key, const void *arg)
{
	const FunctionCallInfo fcinfo = unconstify(void *, arg);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TcRootRecord *record;
	char		fingerprint[TC_KCV_BYTES * 2 + 1];
	char		realm[TC_UUID_BYTES * 2 + 1];
	bytea	   *bytes;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (!key->is_root)
		return false;
	record = palloc(sizeof(TcRootRecord));
	if (tc_record_parse(key->record, record) != TC_OK)
		tc_error_answer(TC_ANS_MALFORMED, key->name);
	bytes = palloc(VARHDRSZ + key->record.len);
	SET_VARSIZE(bytes, VARHDRSZ + key->record.len);
	memcpy(VARDATA(bytes), key->record.data, key->record.len);
	sodium_bin2hex(fingerprint, sizeof(fingerprint), record->kcv, TC_KCV_BYTES);
	sodium_bin2hex(realm, sizeof(realm), record->realm, TC_UUID_BYTES);
	values[0] = CStringGetTextDatum(key->name);
	values[1] = CStringGetTextDatum(realm);
	values[2] = CStringGetTextDatum(fingerprint);
	values[3] = Int32GetDatum((int32) record->nentries);
	values[4] = CStringGetTextDatum(root_state(key->record));
	values[5] = PointerGetDatum(bytes);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	pfree(record);
	return false;
}

PG_FUNCTION_INFO_V1(themis_crypt_root_records);

Datum
themis_crypt_root_records(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	(void) tc_keycat_find(put_root, fcinfo);
	return (Datum) 0;
}

/*
 * Whether every recipient of the old record is in the new one, box and all.
 * Our own box may change: the worker tells whether the new one opens.
 */
static bool
keeps_recipients(const TcRootRecord *old, const TcRootRecord *new)
{
	for (int i = 0; i < old->nentries; i++)
	{
		const TcRecordEntry *entry = &old->entries[i];
		bool		kept = tc_status_is_own_key(entry->recipient.public_key);

		for (int j = 0; j < new->nentries && !kept; j++)
			kept = memcmp(entry->recipient.public_key,
						  new->entries[j].recipient.public_key,
						  TC_X25519_BYTES) == 0 &&
				entry->box.len == new->entries[j].box.len &&
				memcmp(entry->box.data, new->entries[j].box.data,
					   entry->box.len) == 0;
		if (!kept)
			return false;
	}
	return true;
}

static void
refuse_record(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("root record cannot be replaced"),
			 errdetail_internal("%s", detail)));
}

/* The root that a new record is for, after all that can be told without keys. */
static TcKey *
root_to_replace(TcSpan bytes, const TcRootRecord *record)
{
	TcRootRecord *old = palloc(sizeof(TcRootRecord));
	TcKey	   *root = tc_root_by_realm(record->realm);

	if (root == NULL)
		refuse_record("There is no root of this realm in this database.");
	if (tc_record_parse(root->record, old) != TC_OK)
		tc_error_answer(TC_ANS_MALFORMED, root->name);
	if (old->root_version != record->root_version ||
		memcmp(old->kcv, record->kcv, TC_KCV_BYTES) != 0)
		refuse_record("It is for another root.");
	if (!keeps_recipients(old, record))
		refuse_record("It does not keep all recipients.");
	pfree(old);
	return root;
}

PG_FUNCTION_INFO_V1(themis_crypt_replace_root_record);

/*
 * Replace the record of a root by one for the same root with more recipients.
 * The worker must be able to open it, and verifies its mac.
 */
Datum
themis_crypt_replace_root_record(PG_FUNCTION_ARGS)
{
	bytea	   *argument;
	TcSpan		bytes;
	TcRootRecord *record = palloc(sizeof(TcRootRecord));
	TcRequest  *request;
	TcAnswer	answer;
	char		name[NAMEDATALEN];

	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to replace a root record")));
	tc_require_argument(fcinfo, 0, "record");
	argument = PG_GETARG_BYTEA_PP(0);
	bytes = tc_span(VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument));
	if (tc_record_parse(bytes, record) != TC_OK)
		refuse_record("It is damaged.");
	LockDatabaseObject(ForeignDataWrapperRelationId, tc_keycat_wrapper(),
					   TC_LOCK_ROOT, ExclusiveLock);
	strlcpy(name, root_to_replace(bytes, record)->name, NAMEDATALEN);

	request = tc_request_begin(TC_REQ_CHECK_RECORD);
	if (!tc_request_set_record(request, bytes))
		refuse_record("It is too long.");
	answer = tc_request_send();
	if (answer == TC_ANS_OK && !request->trusted)
		answer = TC_ANS_UNTRUSTED;
	if (answer != TC_ANS_OK)
		tc_error_answer(answer, name);

	tc_key_set_record(name, bytes);
	PG_RETURN_VOID();
}
