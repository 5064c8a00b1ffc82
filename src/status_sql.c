/*-------------------------------------------------------------------------
 *
 * status_sql.c
 *	  SQL functions on the state of the instance: status, lock, unlock.
 *
 * src/status_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "errors.h"
#include "guc.h"
#include "keycat.h"
#include "request.h"
#include "token.h"
#include "unlock.h"

#define STATUS_COLUMNS 14
#define POLL_MS 20

static const char *
state_text(TcInstanceState state)
{
	switch (state)
	{
		case TC_STATE_STARTING:
			return "starting";
		case TC_STATE_UNLOCKED:
			return "unlocked";
		case TC_STATE_FAILED:
			return "failed";
		case TC_STATE_LOCKED:
			break;
	}
	return "locked";
}

/*
 * What the worker says, as text that is valid here.  The worker has no
 * encoding: it cuts what is too long anywhere, and names files as they come.
 */
static char *
valid_text(const char *str)
{
	char	   *text = pstrdup(str);
	int			len = (int) strlen(text);
	int			valid = pg_encoding_verifymbstr(GetDatabaseEncoding(), text, len);

	if (len - valid < pg_database_encoding_max_length())
		text[valid] = '\0';
	else
	{
		for (int i = valid; i < len; i++)
		{
			if (IS_HIGHBIT_SET(text[i]))
				text[i] = '?';
		}
	}
	return text;
}

/* A text column that is NULL where there is nothing to say. */
static void
put_text(Datum *value, bool *isnull, const char *str)
{
	*isnull = str[0] == '\0';
	if (!*isnull)
		*value = CStringGetTextDatum(valid_text(str));
}

/*
 * Whether this machine lacks an algorithm of a key, so cannot open or search;
 * or cannot read what a newer version of the extension wrote.
 */
static bool
is_unsupported(const TcKeyOptions *key)
{
	if (key == NULL)
		return true;
	for (int i = 0; i < key->nversions; i++)
	{
		if (!tc_aead_supports(key->versions[i].identity.algorithm))
			return true;
	}
	return !key->is_root && !tc_token_supports(key->index.identity.algorithm);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* A text[] of the keys whose algorithm this machine lacks, NULL if none. */
static ArrayType *
unsupported_keys(void)
{
	List	   *names = tc_keycat_names(is_unsupported);
	Datum	   *texts;
	int			ntexts = 0;
	ListCell   *cell;

	if (names == NIL)
		return NULL;
	list_sort(names, compare_names);
	texts = palloc(sizeof(Datum) * (Size) list_length(names));
	foreach(cell, names)
		texts[ntexts++] = CStringGetTextDatum(lfirst(cell));
	return construct_array(texts, ntexts, TEXTOID, -1, false, TYPALIGN_INT);
}

PG_FUNCTION_INFO_V1(themis_crypt_status);

Datum
themis_crypt_status(PG_FUNCTION_ARGS)
{
	TcStatus	status = tc_status_get();
	TupleDesc	desc;
	Datum		values[STATUS_COLUMNS];
	bool		nulls[STATUS_COLUMNS] = {false};
	ArrayType  *unsupported = unsupported_keys();

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	put_text(&values[0], &nulls[0], state_text(status.state));
	put_text(&values[1], &nulls[1], status.reason);
	values[2] = Int32GetDatum(status.attempts);
	values[3] = TimestampTzGetDatum(status.changed_at);
	nulls[3] = status.changed_at == 0;
	values[4] = TimestampTzGetDatum(status.next_retry);
	nulls[4] = status.next_retry == 0;
	put_text(&values[5], &nulls[5], status.provider);
	put_text(&values[6], &nulls[6], tc_binding_name(status.binding));
	put_text(&values[7], &nulls[7], tc_slots_memory_kind() == TC_SECRET_MEMFD ?
			 "memfd_secret" : "locked");
	put_text(&values[8], &nulls[8], status.state == TC_STATE_LOCKED ?
			 status.locked_by : "");
	put_text(&values[9], &nulls[9], status.public_key);
	values[10] = BoolGetDatum(status.has_recovery);
	nulls[10] = status.public_key[0] == '\0';
	values[11] = Int32GetDatum((int32) status.worker_pid);
	nulls[11] = status.worker_pid == 0;
	values[12] = PointerGetDatum(unsupported);
	nulls[12] = unsupported == NULL;
	values[13] = Int32GetDatum((int32) tc_slots_count());
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

PG_FUNCTION_INFO_V1(themis_crypt_lock);

/* Returns when no key is left in memory. */
Datum
themis_crypt_lock(PG_FUNCTION_ARGS)
{
	TcRequest  *request = tc_request_begin(TC_REQ_LOCK);
	TcAnswer	answer;

	strlcpy(request->by, GetUserNameFromId(GetUserId(), false), NAMEDATALEN);

	/* From here on no key can be used, even if the worker is gone or stuck. */
	tc_slots_set_locked(request->by);
	tc_slots_close();
	answer = tc_request_send();
	if (answer != TC_ANS_OK)
		tc_error_answer(answer, NULL);
	PG_RETURN_VOID();
}

/*
 * Wait for the outcome of the attempt that a worker has begun after so many
 * others, up to unlock_timeout, or until somebody locks again; false if there
 * is none.  An attempt is counted when its outcome is known.  Another worker
 * counts from 0, and its first attempt will do.
 */
static bool
wait_for_outcome(pid_t worker_pid, int attempts, TcStatus *ret_status)
{
	TimestampTz start = GetCurrentTimestamp();

	for (;;)
	{
		*ret_status = tc_status_get();
		if (ret_status->worker_pid != worker_pid && ret_status->worker_pid != 0)
		{
			worker_pid = ret_status->worker_pid;
			attempts = 0;
		}
		if (ret_status->state == TC_STATE_LOCKED ||
			(ret_status->worker_pid != 0 && ret_status->attempts != attempts))
			return true;
		if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(),
									   tc_unlock_timeout))
			return false;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 POLL_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

PG_FUNCTION_INFO_V1(themis_crypt_unlock);

/* Read the keyring (again) and wait for the outcome. */
Datum
themis_crypt_unlock(PG_FUNCTION_ARGS)
{
	TcRequest  *request = tc_request_begin(TC_REQ_UNLOCK);
	TcAnswer	answer = tc_request_send();
	TcStatus	status;

	if (answer != TC_ANS_OK)
		tc_error_answer(answer, NULL);

	if (!wait_for_outcome(request->worker_pid, request->attempts, &status))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not unlock encryption keys: the key provider has not answered yet"),
				 errhint("The attempt goes on; themis_crypt.status() will have its outcome.")));
	if (status.state == TC_STATE_LOCKED)
		tc_error_answer(TC_ANS_LOCKED, NULL);
	if (status.reason[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not unlock encryption keys: %s",
						valid_text(status.reason)),
				 tc_unlock_hint(status.cause) != NULL ?
				 errhint("%s", tc_unlock_hint(status.cause)) : 0));
	PG_RETURN_VOID();
}
