/*-------------------------------------------------------------------------
 *
 * restoring.c
 *	  Whether a dump is being restored by somebody who cannot use its keys.
 *
 * src/restoring.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/copyfrom_internal.h"
#include "fmgr.h"
#include "utils/fmgroids.h"

#include "guc.h"
#include "keycat.h"
#include "request.h"
#include "restoring.h"

static bool
restoring_rows(void)
{
	ErrorContextCallback *outer;

	for (outer = error_context_stack; outer != NULL; outer = outer->previous)
	{
		if (outer->callback == CopyFromErrorCallback)
			return DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH)) == 0;
	}
	return false;
}

/* Whether the role may use a key, and keys are unlocked. */
static bool
could_use(uint32 key_id)
{
	TcKey	   *key = tc_key_by_id(key_id);

	return key != NULL && !key->is_root && tc_key_may_use(key) &&
		tc_status_get().state == TC_STATE_UNLOCKED &&
		tc_root_by_realm(key->realm) != NULL;
}

bool
tc_restoring_without(uint32 key_id)
{
	return unlikely(tc_restore) && restoring_rows() && !could_use(key_id);
}
